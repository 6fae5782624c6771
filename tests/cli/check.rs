//! `kuori check` as a process of its own.

use super::*;

#[test]
fn check_says_by_its_exit_code_whether_a_batch_is_in_order() {
    let site = Site::new();
    site.sample("good.zip", "--letters 5");
    let good = site.done("check sampled/good.zip");
    assert!(!good.out.is_empty());
    schema_holds(&site, "check", "check sampled/good.zip");

    fs::write(site.path("bad.zip"), "PK").unwrap();
    assert_eq!(site.kuori("check bad.zip").code, Some(3));
    let told = schema_holds(&site, "check", "check bad.zip");
    assert_eq!(told["batches"][0]["severities"]["errors"], 1, "{told}");
    assert_eq!(site.kuori("check there-is-none.zip").code, Some(1));
    assert_eq!(site.kuori("check").code, Some(2));
    let both = schema_holds(&site, "check", "check sampled/good.zip bad.zip");
    assert_eq!(both["batches"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        (&both["accepted"], &both["refused"]),
        (&5.into(), &0.into())
    );
}

#[test]
fn check_is_silent_beside_its_report_where_nobody_watches() {
    let site = Site::new();
    site.sample("many.zip", "--letters 4000 --pages 1 --shape many-pairs");
    let said = site.done("check sampled/many.zip");
    assert_eq!(said.err, "");
    assert!(said.out.contains("4000 of 4000 letters"), "{}", said.out);
}

#[test]
fn check_reads_a_batch_from_standard_input() {
    let site = Site::new();
    let batch = site.sample("good.zip", "--letters 5");
    let mut command = site.command("check -");
    let said: Said = command
        .stdin(fs::File::open(batch).unwrap())
        .output()
        .unwrap()
        .into();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("5 of 5 letters"), "{said:?}");
}

/// More than is kept in memory, so that a temporary file is open when the signal comes.
#[test]
fn a_check_that_is_ended_leaves_no_file_behind() {
    let site = Site::new();
    let temporary = site.path("temporary");
    fs::create_dir(&temporary).unwrap();
    let mut child = site
        .command("check -")
        .env("TMPDIR", &temporary)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&vec![0; 20 << 20]).unwrap();
    let running = Running(child);
    running.signal("TERM");
    let (code, _) = running.wait();
    assert_eq!(code, None, "ended by the signal");
    assert_eq!(site.names("temporary"), [""; 0]);
    drop(input);
}

#[test]
fn check_says_what_to_do_in_the_language_of_the_sender_or_the_one_asked_for() {
    let site = Site::new();
    fs::write(site.path("bad.zip"), "PK").unwrap();
    fs::write(
        site.path("swedish.toml"),
        "[senders.town]\nlanguage = \"sv\"\n",
    )
    .unwrap();
    let named = "check bad.zip --config swedish.toml --sender town";
    let told = |line: &str| {
        let checked = schema_holds(&site, "check", line);
        checked["batches"][0]["findings"][0]["remedy"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(told("check bad.zip").starts_with("Make the ZIP again"));
    assert!(told(named).starts_with("Skapa ZIP-paketet på nytt"));
    assert!(told(&format!("{named} --language fi")).starts_with("Muodosta ZIP-paketti uudelleen"));
    let text = site.kuori("check bad.zip --language fi").out;
    assert!(text.contains("  Ohje: Muodosta ZIP-paketti"), "{text}");
}
