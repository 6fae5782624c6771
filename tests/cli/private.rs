//! What is printed, logged and named says nothing of recipients.

use super::*;

/// What belongs to the recipients of a sample: identity codes and full names.
fn belongings(spec: &Spec) -> Vec<String> {
    let text = |recipient: sample::SampleRecipient| {
        let id = recipient.id.map(|id| id.expose().to_owned());
        let name = recipient.address.name.map(|name| name.expose().clone());
        id.into_iter().chain(name)
    };
    let mut found: Vec<_> = sample::recipients(spec).flat_map(text).collect();
    found.push("password".to_owned());
    found
}

fn assert_private(what: &str, text: &str, spec: &Spec) {
    for belonging in belongings(spec) {
        assert!(!text.contains(&belonging), "{what} has `{belonging}`");
    }
}

#[test]
fn nobody_is_named_in_what_the_program_says_or_in_any_file_name() {
    let site = Site::new();
    let spec = Spec {
        letters: 60,
        ..Spec::default()
    };
    for line in [
        "demo --letters 60 --dir demo -vv --log-format json",
        "demo --letters 60 --dir demo-text -vv",
    ] {
        let said = site.done(line);
        assert!(
            said.err.contains("TRACE") || said.err.contains("DEBUG"),
            "no detail in the log"
        );
        assert_private(line, &said.out, &spec);
        assert_private(line, &said.err, &spec);
    }
    for file in site
        .files("demo")
        .into_iter()
        .chain(site.files("demo-text"))
    {
        assert_private("a file name", &file.display().to_string(), &spec);
    }
    let looks = [
        "batch list",
        "batch show B-0001",
        "batch findings B-0001",
        "message list B-0001",
        "message show B-0001-1",
        "bundle list",
        "bundle show P-0001",
        "events B-0001",
        "consent list",
    ];
    for look in looks {
        let line = format!("{look} -vv --data-dir demo/house");
        let said = site.done(&line);
        assert_private(&line, &said.out, &spec);
        assert_private(&line, &said.err, &spec);
    }
}

#[test]
fn nobody_is_named_where_a_service_of_suomi_fi_takes_the_messages() {
    let site = Site::new();
    let spec = Spec {
        letters: 30,
        ..Spec::default()
    };
    let line = "demo --suomifi --letters 30 --dir demo -vv";
    let said = site.done(line);
    assert!(said.err.contains("suomifi"), "no detail in the log");
    assert_private(line, &(said.out + &said.err), &spec);
    for look in [
        "message show B-0001-1",
        "queue list",
        "status",
        "events B-0001",
    ] {
        let said = site.kuori(&format!("{look} -vv --data-dir demo/house"));
        assert_private(look, &(said.out + &said.err), &spec);
    }
}

#[test]
fn a_log_at_its_most_talkative_names_nobody_of_a_batch_with_faults() {
    let site = Site::new();
    let spec = Spec {
        letters: 25,
        seed: 3,
        faults: every_fault(),
        ..Spec::default()
    };
    let file = fs::File::create(site.path("faulty.zip")).unwrap();
    sample::write(&spec, file, &|_| {}).unwrap();
    for line in ["check faulty.zip -vv", "process faulty.zip -vv"] {
        let said = site.kuori(line);
        assert_eq!(said.code, Some(3), "{said:?}");
        assert_private(line, &said.out, &spec);
        assert_private(line, &said.err, &spec);
    }
    let said = site.done("batch findings B-0001 -vv");
    assert_private("the findings", &said.out, &spec);
}

fn every_fault() -> Vec<sample::Fault> {
    use sample::FaultKind;
    let kinds = [
        FaultKind::IdentityCodeSlip,
        FaultKind::PostalCodeMissing,
        FaultKind::LetterIdRepeated,
        FaultKind::AnotherPersonsAddress,
        FaultKind::UsLetterPaper,
        FaultKind::InkInMargin,
    ];
    (2..)
        .zip(kinds)
        .map(|(letter, kind)| sample::Fault { letter, kind })
        .collect()
}
