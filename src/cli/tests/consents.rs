use super::House;

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
    insta::assert_snapshot!(house.out("consent list"), @"1 recipient: 1 granted, 0 withdrawn");
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
    granted since 2026-02-01T00:00:00Z
    letters of the matter `school` go on paper
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
