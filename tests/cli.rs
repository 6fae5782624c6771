//! The commands as an operator types them, on the real program.

mod check;
mod daemons;
mod pictures;
mod private;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use kuori::{
    domain::PersonalIdentityCode,
    sample::{self, Spec},
};
use serde_json::Value;

use crate::{
    mismatch::mismatch,
    program::{InHands, Running, Said, Site},
};

/// A site with a batch of 30 letters that has gone all the way through.
fn processed() -> Site {
    let site = Site::new();
    let batch = site.sample("letters.zip", "--letters 30");
    site.done(&format!("process {}", batch.display()));
    site
}

fn hands(site: &Site) -> InHands {
    let hands = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    hands.assert_nothing_twice();
    hands
}

fn checked_in(relative: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(relative).display().to_string()
}

/// Runs a command with `--json` and holds what it prints to its schema.
fn schema_holds(site: &Site, name: &str, line: &str) -> Value {
    let said = site.kuori(&format!("{line} --json"));
    let document = said.json();
    let schema = fs::read_to_string(checked_in(&format!("schemas/cli/{name}.schema.json")));
    let schema = serde_json::from_str(&schema.expect(name)).unwrap();
    assert_eq!(mismatch(&schema, &schema, &document), None, "kuori {line}");
    document
}

#[test]
fn the_demo_accounts_for_every_letter() {
    let site = Site::new();
    let said = site.done("demo --letters 40 --dir demo");
    assert!(said.out.contains("Sum       40 = "), "{}", said.out);
    assert!(!said.out.contains("NOT ACCOUNTED FOR"), "{}", said.out);
    for path in opened(&said.out) {
        assert!(path.is_file(), "{}", path.display());
    }
    let shown = said.out.lines().last().unwrap().trim();
    site.done(shown.strip_prefix("kuori ").expect("what to type next"));
}

#[test]
fn the_demo_sends_each_message_once_to_a_stand_in_of_suomi_fi() {
    let site = Site::new();
    let summary = schema_holds(&site, "demo", "demo --suomifi --letters 40 --dir demo");
    let count = |at: &str| summary.pointer(at).unwrap().as_u64().unwrap();
    assert!(count("/delivered") > 10, "{summary}");
    assert_eq!(count("/delivered") + count("/printed"), 40, "{summary}");
    assert_eq!(count("/at_stand_in/messages"), count("/delivered"));
    assert_eq!(count("/at_stand_in/letters"), count("/delivered"));
    let in_maildirs = site.files("demo/house/mailboxes").into_iter();
    let in_maildirs = in_maildirs.filter(|path| path.extension().is_some_and(|it| it == "kuori"));
    assert_eq!(in_maildirs.count(), 0, "one went both ways");
    let said = site.kuori("demo --suomifi --letters 40 --dir demo");
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("name another folder"), "{said:?}");
}

/// The files that the demo tells people to open.
fn opened(out: &str) -> Vec<PathBuf> {
    let lines = out.lines().filter(|line| line.starts_with("  a "));
    let paths: Vec<_> = lines
        .map(|line| PathBuf::from(line.rsplit("  ").next().unwrap().trim()))
        .collect();
    assert_eq!(paths.len(), 3, "{out}");
    paths
}

#[test]
fn the_demo_says_the_same_as_json() {
    let site = Site::new();
    let summary = schema_holds(&site, "demo", "demo --letters 20 --dir demo");
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(count("received"), 20);
    assert_eq!(
        count("messages_in_mailboxes") + count("pieces_at_print_house"),
        20
    );
    assert_eq!(count("delivered"), count("messages_in_mailboxes"));
    assert_eq!(count("printed"), count("pieces_at_print_house"));
}

#[test]
fn a_batch_of_every_shape_goes_through() {
    let shapes = [
        ("many-in-one", 12),
        ("one-letter", 1),
        ("many-pairs", 12),
        ("nested", 12),
        ("csv", 12),
    ];
    for (shape, letters) in shapes {
        let site = Site::new();
        let options = format!("--shape {shape} --letters {letters} --seed 5");
        let batch = site.sample("letters.zip", &options);
        let line = format!("process {}", batch.display());
        let told = schema_holds(&site, "process", &line);
        assert_eq!(told["received"], letters, "{shape}: {told}");
        let (delivered, printed) = (&told["delivered"], &told["printed"]);
        let gone = delivered.as_u64().unwrap() + printed.as_u64().unwrap();
        assert_eq!(gone, letters, "{shape}: {told}");
        assert_eq!(u64::from(hands(&site).letters()), letters, "{shape}");
        assert_eq!(site.names("data/receipts").len(), 3, "{shape}");
    }
}

#[test]
fn a_batch_is_processed_by_hand_where_the_settings_have_several_senders() {
    let site = Site::new();
    let batch = site.sample("letters.zip", "--letters 3");
    let settings = fs::read_to_string(site.path("kuori.toml")).unwrap();
    fs::write(
        site.path("kuori.toml"),
        settings + "[senders.other]\ndirectory = \"other\"\n",
    )
    .unwrap();
    let line = format!("process {} --config kuori.toml", batch.display());
    let said = site.kuori(&line);
    assert_eq!(said.code, Some(2), "{said:?}");
    let told = schema_holds(&site, "process", &format!("{line} --sender example-city"));
    assert_eq!(told["received"], 3);
    assert_eq!(hands(&site).letters(), 3);
}

#[test]
fn a_batch_of_a_sender_who_is_given_time_to_finish_uploads_is_taken_at_once_by_hand() {
    let site = Site::new();
    let settings = "[senders.example-city]\ndirectory = \"doors\"\nhold_first_batch = false\n";
    fs::write(site.path("folders.toml"), settings).unwrap();
    let batch = site.sample("letters.zip", "--letters 3");
    let line = format!("process {} --config folders.toml --json", batch.display());
    let told = site.kuori(&line);
    assert_eq!(told.json()["received"], 3, "{}", told.err);
}

#[test]
fn the_same_batch_again_is_seen_and_nothing_is_sent_again() {
    let site = processed();
    let before = hands(&site);
    let again = schema_holds(&site, "process", "process sampled/letters.zip");
    assert_eq!(again["seen_before"], true);
    assert_eq!(
        (&again["batch"], &again["received"]),
        (&"B-0001".into(), &30.into())
    );
    assert_eq!(hands(&site), before);
    assert_eq!(site.names("data/receipts").len(), 3);
}

#[test]
fn a_batch_that_a_killed_call_left_is_taken_too_and_not_mistaken_for_the_named_one() {
    let site = Site::new();
    fs::create_dir_all(site.path("data/inbox")).unwrap();
    for (number, letters) in [(1, 4), (2, 5), (3, 6)] {
        site.sample(
            &format!("{number}.zip"),
            &format!("--seed {number} --letters {letters}"),
        );
    }
    for left in ["1.zip", "3.zip"] {
        fs::copy(
            site.path("sampled").join(left),
            site.path("data/inbox").join(left),
        )
        .unwrap();
    }
    let told = site.json("process sampled/2.zip");
    assert_eq!(
        (&told["received"], &told["seen_before"]),
        (&5.into(), &false.into())
    );
    assert_eq!(hands(&site).letters(), 15);
}

#[test]
fn a_file_that_is_no_zip_is_answered_kept_and_not_taken_for_new_again() {
    let site = Site::new();
    fs::write(site.path("bad.zip"), "this is no ZIP").unwrap();
    for times in 1..=2 {
        let said = site.kuori("process bad.zip");
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(
            said.err.contains("hint: see `kuori batch show B-0001`"),
            "{said:?}"
        );
        assert_eq!(site.names("data/spool/quarantine"), ["B-0001.zip"]);
        assert_eq!(site.names("data/spool/batches"), [""; 0], "time {times}");
    }
    let receipt = site.path("data/receipts/bad.B-0001.processing.xml");
    let receipt = fs::read_to_string(receipt).unwrap();
    assert!(receipt.contains("archive-unreadable"), "{receipt}");
    let shown = site.json("batch show B-0001");
    assert_eq!(shown["state"], "refused");
    let found = site.json("batch findings B-0001");
    assert_eq!(found["findings"][0]["code"], "archive-unreadable");
}

#[test]
fn what_became_of_a_batch_can_be_looked_at() {
    let site = processed();
    let list = schema_holds(&site, "batch-list", "batch list");
    assert_eq!(list["batches"][0]["batch"], "B-0001");
    let shown = schema_holds(&site, "batch-show", "batch show B-0001");
    assert_eq!(
        (&shown["state"], &shown["messages"]["received"]),
        (&"reported".into(), &30.into())
    );
    schema_holds(&site, "batch-findings", "batch findings B-0001");
    let messages = schema_holds(&site, "message-list", "message list B-0001");
    assert_eq!(messages["messages"].as_array().unwrap().len(), 30);
    let message = schema_holds(&site, "message-show", "message show B-0001-3");
    assert_eq!(message["position"], 3);
    let bundles = schema_holds(&site, "bundle-list", "bundle list");
    assert_eq!(bundles["bundles"][0]["state"], "handed-over");
    let bundle = schema_holds(&site, "bundle-show", "bundle show P-0001");
    assert_eq!(bundle["pieces"][0]["sequence"], 1);
    schema_holds(&site, "events", "events B-0001");
    for line in [
        "batch list",
        "batch show B-0001",
        "message list B-0001",
        "message show B-0001-3",
    ] {
        assert!(site.done(line).out.contains("B-0001"), "{line}");
    }
    for line in ["bundle list", "bundle show P-0001"] {
        assert!(site.done(line).out.contains("P-0001"), "{line}");
    }
}

#[test]
fn what_is_not_there_is_said_with_a_way_on() {
    let site = processed();
    for (line, hint) in [
        ("batch show B-0099", "kuori batch list"),
        ("message show B-0001-99", "kuori message list B-0001"),
        ("bundle show P-0099", "kuori bundle list"),
        ("batch list --data-dir nowhere", "--data-dir"),
    ] {
        let said = site.kuori(line);
        assert_eq!(said.code, Some(1), "{said:?}");
        assert!(
            said.err.contains("hint: ") && said.err.contains(hint),
            "{said:?}"
        );
        assert_eq!(said.out, "");
    }
    assert!(!site.path("nowhere").exists(), "looking made a folder");
    assert_eq!(site.kuori("batch show nonsense").code, Some(2));
}

#[test]
fn reprocessing_what_has_left_is_blocked_and_says_what_to_type() {
    let site = processed();
    let said = site.kuori("reprocess B-0001 --from route --reason test");
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("hint: "), "{said:?}");
    let before = hands(&site);
    site.done("process sampled/letters.zip");
    assert_eq!(hands(&site), before);
}

#[test]
fn a_dry_run_changes_nothing() {
    let site = processed();
    let before = site.json("batch show B-0001");
    let printed = printed_message(&site);
    let line =
        format!("reprocess B-0001 --message {printed} --from compose --print-again --dry-run");
    let plan = schema_holds(&site, "reprocess", &line);
    assert_eq!(
        plan["batches"][0]["moves"].as_array().map(Vec::len),
        Some(1),
        "{plan}"
    );
    assert_eq!(site.json("batch show B-0001"), before);

    let consents = site.json("consent list");
    site.done("consent set 010190-999W withdrawn --dry-run");
    site.done("consent import sampled/letters.zip.csv --dry-run");
    assert_eq!(site.json("consent list"), consents);
}

/// The position of a message that the print house has.
fn printed_message(site: &Site) -> u64 {
    let listed = site.json("message list B-0001 --state handed-over");
    listed["messages"][0]["position"].as_u64().unwrap()
}

#[test]
fn printing_one_message_again_prints_exactly_one_piece_more() {
    let site = processed();
    let before = hands(&site);
    let printed = printed_message(&site);
    site.done(&format!(
        "reprocess B-0001 --message {printed} --from compose --print-again --reason torn"
    ));
    site.done("process sampled/letters.zip");
    let after = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    assert_eq!(after.in_mailboxes, before.in_mailboxes);
    let mut expected = before.in_piece_lists;
    *expected.get_mut(&format!("B-0001-{printed}")).unwrap() += 1;
    assert_eq!(after.in_piece_lists, expected);
}

#[test]
fn many_messages_are_set_back_by_their_number_alone() {
    let site = Site::new();
    let batch = site.sample("letters.zip", "--letters 101 --pages 1 --digital-share 0");
    site.done(&format!("process {}", batch.display()));
    let all = "reprocess B-0001 --from compose --print-again";
    let said = site.kuori(&format!("{all} --reason lost"));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("`--expect 101` sets them back"),
        "{said:?}"
    );
    let plan = schema_holds(&site, "reprocess", &format!("{all} --dry-run"));
    assert_eq!(plan["messages"], 101);
    assert_eq!(
        plan["batches"][0]["moves"].as_array().map(Vec::len),
        Some(20)
    );
    let before = hands(&site);
    site.done(&format!("{all} --expect 101 --reason lost"));
    site.done(&format!("process {}", batch.display()));
    let after = InHands::count(&site.path("data/mailboxes"), &site.path("data/pickup"));
    assert_eq!(after.letters(), before.letters() * 2);
}

#[test]
fn the_register_of_consents_is_kept_without_naming_anybody() {
    const SOMEBODY: &str = "010190-999W";
    assert!(SOMEBODY.parse::<PersonalIdentityCode>().is_ok());
    let site = Site::new();
    site.sample("letters.zip", "--letters 10");
    let before = schema_holds(&site, "consent-list", "consent list");
    let set = format!("consent set {SOMEBODY} granted");
    let told = schema_holds(&site, "consent-set", &set);
    assert_eq!(told["changed"], true);
    let show = format!("consent show {SOMEBODY}");
    let shown = schema_holds(&site, "consent-show", &show);
    assert_eq!(shown["status"], "granted");
    let after = schema_holds(&site, "consent-list", "consent list");
    let granted = |counts: &Value| counts["granted"].as_u64().unwrap();
    assert_eq!(granted(&after), granted(&before) + 1);
    schema_holds(
        &site,
        "consent-import",
        "consent import sampled/letters.zip.csv",
    );
    for line in [set, show, "consent list".to_owned()] {
        let said = site.done(&line);
        assert!(
            !said.out.contains(SOMEBODY) && !said.err.contains(SOMEBODY),
            "{line}"
        );
    }
}

#[test]
fn the_sample_settings_are_in_order_and_broken_ones_are_said_to_be() {
    let site = Site::new();
    fs::write(site.path("print.password"), "1234").unwrap();
    for name in ["demo", "production", "suomifi"] {
        let sample = fs::read_to_string(checked_in(&format!("samples/config/{name}.toml")));
        let password = site.path("print.password").display().to_string();
        let settings = sample
            .unwrap()
            .replace("/etc/kuori/suomifi-print.password", &password);
        fs::write(site.path("sample.toml"), settings).unwrap();
        schema_holds(&site, "config-check", "config check sample.toml");
        site.done("config check sample.toml");
    }
    fs::write(
        site.path("broken.toml"),
        "poll_intervall_secs = 5\n[senders.x]\ngate = 3\n",
    )
    .unwrap();
    let said = site.kuori("config check broken.toml");
    assert_eq!(said.code, Some(78), "{said:?}");
    assert!(said.err.contains("poll_interval_secs"), "{said:?}");
    assert_eq!(site.kuori("run --config broken.toml").code, Some(78));
}

#[test]
fn a_reader_who_has_had_enough_is_no_failure() {
    let site = processed();
    let mut command = site.command("message list B-0001 --limit 100000 --json");
    let mut running = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(running.stdout.take());
    let said = Said::from(running.wait_with_output().unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));

    let program = env!("CARGO_BIN_EXE_kuori");
    let line = format!("set -o pipefail; {program} message list B-0001 | head -1");
    let piped = Command::new("bash")
        .args(["-c", &line])
        .env("KUORI_DATA", site.data())
        .output();
    let said = Said::from(piped.unwrap());
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    assert_eq!(said.out.lines().count(), 1);
}
