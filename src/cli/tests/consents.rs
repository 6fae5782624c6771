mod words;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use jiff::Timestamp;

use super::House;
use crate::store::{ConsentFeedFound, ConsentFeedLook, Store};

const CONSENTS: &str = "recipient_id,status,since,note
010190-999W,granted,2026-01-01T00:00:00Z,by letter
010190-9991,granted,2026-01-01T00:00:00Z,
010190-999W,withdrawn,2025-12-31,older
";

#[test]
fn bad_consents_are_named_by_line_and_the_others_are_taken() {
    let house = House::filled();
    let file = house.file("consents.csv", CONSENTS);
    let said = house.kuori(&format!("consent import {file}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.both(), @r"
    3 rows read, 1 changed the register
    1 bad row left out:
      line 3: the check character of the identity code does not match
    note: 1 other column left out
    ");
    insta::assert_snapshot!(house.out("consent list"), @r"
    1 recipient: 1 granted, 0 withdrawn
      imported by maija: 1 granted, 0 withdrawn
    ");
    assert!(
        !said.both().contains("010190"),
        "no identity code is repeated"
    );
}

#[test]
fn a_rehearsed_import_records_nothing() {
    let house = House::filled();
    let file = house.file("consents.csv", CONSENTS);
    insta::assert_snapshot!(house.kuori(&format!("consent import {file} --dry-run")).out, @r"
    3 rows read, 2 would be recorded
    1 bad row left out:
      line 3: the check character of the identity code does not match
    ");
    insta::assert_snapshot!(house.out("consent list"), @"0 recipients: 0 granted, 0 withdrawn");
}

#[test]
fn a_consent_is_set_and_shown_without_naming_anybody() {
    let house = House::filled();
    let said = house.asked(
        "consent set - granted --since 2026-02-01T00:00:00Z",
        "010190-999W\n",
    );
    insta::assert_snapshot!(said.both(), @"granted since 2026-02-01T00:00:00Z");
    let said = house.asked(
        "consent set - --matter school --print-only",
        "010190-999W\n",
    );
    insta::assert_snapshot!(said.both(), @"letters of the matter `school` go on paper");
    let said = house.asked("consent show -", "010190-999W\n");
    insta::assert_snapshot!(said.both(), @r"
    granted since 2026-02-01T00:00:00Z (set by maija)
    letters of the matter `school` go on paper since 2026-03-01T08:00:00Z
    ");
}

#[test]
fn an_id_with_a_slip_in_it_is_not_repeated() {
    let said = House::filled().kuori("consent show 010190-9991");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @r"
    error: the recipient's id cannot be used
      caused by: the check character of the identity code does not match

    hint: a recipient is a personal identity code or a business id
    ");
}

#[test]
fn importing_the_same_consents_again_changes_nothing() {
    let house = House::filled();
    let file = house.file("consents.csv", CONSENTS);
    house.kuori(&format!("consent import {file}"));
    let again = house.kuori(&format!("consent import {file}")).out;
    assert!(again.contains("0 changed the register"), "{again}");
}

/// Two who have granted in January.
const ALL: &str = "recipient_id,status,since
010190-999W,granted,2026-01-01
010190-900P,granted,2026-01-01
";

/// A file with the first of them alone.
fn first(house: &House) -> String {
    let lines: Vec<_> = ALL.lines().take(2).collect();
    house.file("first.csv", &lines.join("\n"))
}

/// A data folder that has [`ALL`].
fn with_all() -> House {
    let house = House::filled();
    let file = house.file("all.csv", ALL);
    house.out(&format!("consent import {file} --delta"));
    house
}

fn assert_both_granted(house: &House) {
    let counts = house.out("consent list");
    assert!(counts.starts_with("2 recipients: 2 granted"), "{counts}");
}

#[test]
fn a_full_list_without_half_of_all_is_refused_until_it_is_allowed() {
    let house = with_all();
    let import = format!("consent import {} --full --as-of 2026-02-01", first(&house));
    let said = house.kuori(&import);
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.out, @r"
    1 row read, none recorded
    1 of 2 consents not in the list: not withdrawn
    ");
    assert!(said.err.contains("`--allow-withdrawals`"), "{}", said.err);
    assert_both_granted(&house);

    let rehearsed = house.out(&format!("{import} --allow-withdrawals --dry-run"));
    insta::assert_snapshot!(rehearsed, @r"
    1 row read, 1 would be recorded
    1 of 2 consents not in the list: not withdrawn
    ");
    assert_both_granted(&house);

    let taken = house.out(&format!("{import} --allow-withdrawals"));
    insta::assert_snapshot!(taken, @r"
    1 row read, 0 changed the register
    1 of 2 consents not in the list: withdrawn
    ");
    let shown = house.asked("consent show -", "010190-900P\n").out;
    insta::assert_snapshot!(shown, @"withdrawn since 2026-02-01T00:00:00Z (not in the list imported by maija)");
}

#[test]
fn a_full_list_with_a_bad_row_is_refused_whole() {
    let house = with_all();
    let text = format!("{ALL}010190-9991,granted,2026-01-01\n");
    let file = house.file("bad.csv", &text.replace("granted", "withdrawn"));
    let said = house.kuori(&format!("consent import {file} --full"));
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("line 4: the check character"),
        "{}",
        said.out
    );
    assert_both_granted(&house);
    let rehearsed = house.kuori(&format!("consent import {file} --full --dry-run"));
    assert_eq!(rehearsed.code, 3);
}

#[test]
fn a_full_list_of_nobody_is_refused() {
    let house = with_all();
    let file = house.file("empty.csv", "recipient_id,status,since\n");
    let said = house.kuori(&format!("consent import {file} --full --allow-withdrawals"));
    assert_eq!(said.code, 1);
    assert!(said.err.contains("the list is empty"), "{}", said.err);
    assert_both_granted(&house);
}

#[test]
fn what_belongs_to_a_full_list_is_refused_without_one() {
    let house = House::filled();
    let file = house.file("all.csv", ALL);
    for option in [
        "--allow-withdrawals",
        "--as-of 2026-02-01",
        "--most-withdrawn 5",
        "--delta --full",
    ] {
        let said = house.kuori(&format!("consent import {file} {option}"));
        assert_eq!(said.code, 2, "{option}");
    }
    let future = house.kuori(&format!("consent import {file} --full --as-of 2026-03-02"));
    assert_eq!(future.code, 2);
}

/// All that a file can say, of two recipients.
const EVERYTHING: &str = "recipient_id;status;since;source;matter;print_only;email;language
010190-999W;granted;2026-01-01;by letter;school;true;maija@example.fi;fi
010190-900P;withdrawn;2026-01-05T10:30:00Z;by phone;;;;
010190-900P;;;;tax;yes;;
";

#[test]
fn what_is_exported_can_be_imported_and_says_the_same() {
    let (house, other) = (House::filled(), House::filled());
    let file = house.file("everything.csv", EVERYTHING);
    house.out(&format!("consent import {file}"));
    let exported = house.path("register.csv");
    insta::assert_snapshot!(house.out(&format!("consent export {exported}")), @"5 rows written, as of 2026-03-01T08:00:00Z");
    let text = fs::read_to_string(&exported).unwrap();
    insta::assert_snapshot!(text, @r"
    recipient_id,status,since,source,matter,print_only,email,language,to_name,to_additional_name,to_address,to_postal_code,to_city,to_country,inferred
    010190-900P,withdrawn,2026-01-05T10:30:00Z,by phone,,,,,,,,,,,
    010190-999W,granted,2026-01-01T00:00:00Z,by letter,,,,,,,,,,,
    010190-900P,,,imported by maija,tax,true,,,,,,,,,
    010190-999W,,,by letter,school,true,,,,,,,,,
    010190-999W,,,,,,maija@example.fi,fi,,,,,,,
    ");
    let mode = fs::metadata(&exported).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    other.out(&format!("consent import {exported}"));
    assert_eq!(other.out("consent export -"), text);
    let again = house.out(&format!("consent import {exported}"));
    assert!(again.contains("0 changed the register"), "{again}");
}

#[test]
fn an_export_writes_over_no_file_and_is_told_in_the_audit_without_names() {
    let house = with_all();
    let there = house.file("register.csv", "mine");
    assert_eq!(house.kuori(&format!("consent export {there}")).code, 1);
    assert_eq!(fs::read_to_string(there).unwrap(), "mine");
    house.out("consent export -");
    house.asked("consent set - withdrawn", "010190-999W\n");
    let audit = house.out("audit list");
    for deed in [
        "exported the consents as of 2026-03-01T08:00:00Z: 2 rows",
        "consents imported by maija: 2 granted, 0 withdrawn; 2 changed the register",
        "consents set by maija: 0 granted, 1 withdrawn; 1 changed the register",
    ] {
        assert!(audit.contains(deed), "{deed}: {audit}");
    }
    assert!(!audit.contains("010190"), "{audit}");
}

#[test]
fn an_export_for_other_programs_has_a_document_a_line() {
    let house = House::filled();
    let file = house.file("everything.csv", EVERYTHING);
    house.out(&format!("consent import {file}"));
    insta::assert_snapshot!(house.out("consent export - --format jsonl"), @r#"
    {"recipient_id":"010190-900P","status":"withdrawn","since":"2026-01-05T10:30:00Z","source":"by phone"}
    {"recipient_id":"010190-999W","status":"granted","since":"2026-01-01T00:00:00Z","source":"by letter"}
    {"recipient_id":"010190-900P","source":"imported by maija","matter":"tax","print_only":true}
    {"recipient_id":"010190-999W","source":"by letter","matter":"school","print_only":true}
    {"recipient_id":"010190-999W","email":"maija@example.fi","language":"fi"}
    "#);
    // The house had been told nothing by then.
    assert_eq!(
        house.out("consent export - --as-of 2026-02-01 --format jsonl"),
        ""
    );
}

#[test]
fn the_history_says_who_told_what_and_when() {
    let house = House::filled();
    let file = house.file("everything.csv", EVERYTHING);
    house.out(&format!("consent import {file}"));
    house.asked("consent set - withdrawn", "010190-999W\n");
    let shown = house.asked("consent show - --history", "010190-999W\n").out;
    insta::assert_snapshot!(shown, @r"
    withdrawn since 2026-03-01T08:00:00Z (set by maija)
    letters of the matter `school` go on paper since 2026-03-01T08:00:00Z
    history:
      2026-03-01T08:00:00Z  granted since 2026-01-01T00:00:00Z (by letter)
      2026-03-01T08:00:00Z  withdrawn since 2026-03-01T08:00:00Z (set by maija)
      2026-03-01T08:00:00Z  letters of the matter `school` on paper (by letter)
    ");
    let before = house.asked("consent show - --as-of 2026-02-01", "010190-999W\n");
    insta::assert_snapshot!(before.out, @"nothing recorded: letters go on paper");
}

#[test]
fn a_restored_house_wants_to_know_whether_its_register_has_what_was_said_since() {
    let house = with_all();
    let feed = ConsentFeedLook {
        name: "customer-register".to_owned(),
        is_full: false,
        found: Ok(ConsentFeedFound::default()),
    };
    let store = Store::open(Path::new(&house.path("data"))).unwrap();
    store
        .note_consent_feed(&feed, Timestamp::UNIX_EPOCH)
        .unwrap();
    let (backup, restored) = (house.path("backup"), house.path("restored"));
    house.out(&format!("backup {backup}"));
    house.out(&format!("restore {backup} --data-dir {restored}"));
    let status = house.both(&format!("restore status --data-dir {restored}"));
    assert!(
        status.contains(
            "consents: what was said or withdrawn since is not known here; feeds: customer-register"
        ),
        "{status}"
    );
    assert!(status.contains("`kuori consent import`"), "{status}");

    let accept = format!("restore accept --fetched --data-dir {restored}");
    for how in ["--dry-run", "--reason asked"] {
        let refused = house.kuori(&format!("{accept} {how}"));
        assert_eq!(refused.code, 1, "{how}");
        assert!(
            refused.err.contains("`--consents-complete`"),
            "{}",
            refused.err
        );
    }
    let both = house.both(&format!("{accept} --consents-complete --reason asked"));
    assert!(both.contains("may go on"), "{both}");
}

/// A folder that a feed's sender writes into, with these files.
fn feed(house: &House, files: &[(&str, &str)]) -> String {
    let folder = house.path("feed");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        house.file(&format!("feed/{name}"), text);
    }
    folder
}

/// The receipts of a feed, by name.
fn receipts(folder: &str) -> Vec<(String, String)> {
    let found = fs::read_dir(format!("{folder}/receipts")).unwrap();
    let mut receipts: Vec<_> = found
        .map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect();
    receipts.sort();
    receipts
}

#[test]
fn a_feed_takes_each_file_once_and_answers_it() {
    let house = House::filled();
    let folder = feed(&house, &[("monday.csv", CONSENTS), ("notes.txt", "mine")]);
    let said = house.kuori(&format!("consent feed {folder}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @"monday.csv taken: 3 rows, 1 changed the register, 1 bad; kept as .kuori/bad-rows/bad-rows-ba783c77.csv");
    let answered = receipts(&folder);
    let (name, text) = &answered[0];
    assert_eq!(
        (answered.len(), name.as_str()),
        (1, "monday.20260301T080000Z.csv")
    );
    for line in [
        "result,\"taken\"",
        "rows,\"3\"",
        "bad,\"1\"",
        "line 3,\"the check character of the identity code does not match\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("010190"), "{text}");

    // The same bytes under another name.
    feed(&house, &[("tuesday.csv", CONSENTS)]);
    let again = house.out(&format!("consent feed {folder}"));
    insta::assert_snapshot!(again, @"tuesday.csv repeated: 0 rows");
    let left = house.out(&format!("consent feed {folder}"));
    insta::assert_snapshot!(left, @"no file to take");
    assert!(fs::exists(format!("{folder}/notes.txt")).unwrap());
}

#[test]
fn a_feed_of_full_lists_keeps_what_it_refuses_for_an_operator() {
    let house = with_all();
    let one: Vec<_> = ALL.lines().take(2).collect();
    let folder = feed(&house, &[("all.csv", &one.join("\n"))]);
    let said = house.kuori(&format!("consent feed {folder} --full"));
    assert_eq!(said.code, 3);
    assert!(said.out.contains("all.csv refused: 1 row"), "{}", said.out);
    assert_both_granted(&house);
    assert!(receipts(&folder)[0].1.contains("result,\"refused\""));

    let kept = said.out.split("; kept as ").nth(1).unwrap().trim();
    assert!(kept.starts_with(".kuori/refused/refused-"), "{kept}");
    let refused = format!("{folder}/{kept}");
    house.out(&format!(
        "consent import {refused} --full --allow-withdrawals"
    ));
    assert!(
        house
            .out("consent list")
            .starts_with("2 recipients: 1 granted")
    );
}

#[test]
fn a_rehearsed_feed_leaves_its_files_where_they_are() {
    let house = with_all();
    let folder = feed(&house, &[("all.csv", ALL)]);
    let said = house.out(&format!("consent feed {folder} --dry-run"));
    insta::assert_snapshot!(said, @"all.csv taken: 2 rows");
    assert!(fs::exists(format!("{folder}/all.csv")).unwrap());
    assert!(!fs::exists(format!("{folder}/receipts")).unwrap());
}

#[test]
fn a_feed_ends_what_a_call_that_was_cut_off_had_claimed() {
    let house = House::filled();
    let folder = feed(&house, &[]);
    fs::create_dir(format!("{folder}/.kuori")).unwrap();
    house.file("feed/.kuori/claimed.csv", ALL);
    insta::assert_snapshot!(house.out(&format!("consent feed {folder}")), @"claimed.csv taken: 2 rows, 2 changed the register; it was cut off before, and is taken up again: what was recorded by then is not counted");
}

#[test]
fn a_feed_follows_no_links() {
    let house = House::filled();
    let elsewhere = house.file("elsewhere.csv", ALL);
    let folder = feed(&house, &[]);
    std::os::unix::fs::symlink(&elsewhere, format!("{folder}/link.csv")).unwrap();
    insta::assert_snapshot!(house.out(&format!("consent feed {folder}")), @"no file to take");
    fs::remove_dir(format!("{folder}/receipts")).unwrap();
    std::os::unix::fs::symlink("/tmp", format!("{folder}/receipts")).unwrap();
    assert_eq!(house.kuori(&format!("consent feed {folder}")).code, 1);
}
