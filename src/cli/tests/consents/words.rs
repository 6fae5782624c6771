//! Which word stands, and how it is told.

use std::fs;

use clap::Parser;

use super::{ALL, House, assert_both_granted, feed, first, receipts, with_all};
use crate::{cli::Arguments, domain::Matter};

#[test]
fn a_time_that_is_typed_without_an_offset_is_by_the_clocks_of_the_site() {
    let house = House::filled();
    let said = house.asked(
        "consent set - granted --since 2026-02-01T12:00",
        "010190-999W\n",
    );
    insta::assert_snapshot!(said.both(), @"granted since 2026-02-01T10:00:00Z");
    // As in files, a day begins at midnight UTC.
    let said = house.asked(
        "consent set - withdrawn --since 2026-02-02",
        "010190-999W\n",
    );
    insta::assert_snapshot!(said.both(), @"withdrawn since 2026-02-02T00:00:00Z");
    // 10:00 at the site is when the house was told.
    for (time, rows) in [("09:59", 0), ("10:00", 1)] {
        let said = house.out(&format!(
            "consent export {} --as-of 2026-03-01T{time}",
            house.path(&format!("{rows}.csv"))
        ));
        assert!(said.starts_with(&format!("{rows} row")), "{said}");
        let shown = house.asked(
            &format!("consent show - --as-of 2026-03-01T{time}"),
            "010190-999W\n",
        );
        assert_eq!(
            shown.out.starts_with("withdrawn"),
            rows == 1,
            "{}",
            shown.out
        );
    }
    let file = house.file("all.csv", ALL);
    let full = |time: &str| format!("consent import {file} --full --dry-run --as-of {time}");
    house.out(&full("2026-03-01T10:00"));
    assert_eq!(house.kuori(&full("2026-03-01T10:01")).code, 2);
}

#[test]
fn a_row_whose_time_lacks_its_offset_changes_nothing_and_is_told() {
    let house = with_all();
    let file = house.file(
        "local.csv",
        "recipient_id,status,since\n010190-999W,withdrawn,2026-02-01T12:30:00\n",
    );
    let said = house.kuori(&format!("consent import {file}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    1 row read, 0 changed the register
    1 bad row left out:
      line 2: `since` lacks its offset: behind the time, write `Z` for UTC, or such as `+02:00`
    ");
    assert_both_granted(&house);
}

#[test]
fn what_is_set_again_is_known_and_what_is_overruled_is_a_finding() {
    let house = House::filled();
    let set = |word: &str| house.asked(&format!("consent set - {word}"), "010190-999W\n");
    let told = |word: &str, code: u8| {
        let said = set(word);
        assert_eq!(said.code, code, "{word}: {}", said.both());
        said.both()
    };
    set("granted --since 2026-02-01");
    insta::assert_snapshot!(told("granted --since 2026-02-01", 0), @"granted since 2026-02-01T00:00:00Z; the register has that already");
    insta::assert_snapshot!(told("granted --since 2026-01-01", 0), @"granted since 2026-01-01T00:00:00Z; the register has that since 2026-02-01T00:00:00Z already");
    insta::assert_snapshot!(told("withdrawn --since 2026-01-01", 3), @"withdrawn since 2026-01-01T00:00:00Z: not heeded, the register has granted since 2026-02-01T00:00:00Z, which stands");
    insta::assert_snapshot!(told("withdrawn --since 2026-02-01", 0), @"withdrawn since 2026-02-01T00:00:00Z");
    insta::assert_snapshot!(told("granted --since 2026-02-01", 3), @"granted since 2026-02-01T00:00:00Z: not heeded, the register has withdrawn since 2026-02-01T00:00:00Z, which stands");
}

#[test]
fn a_withdrawal_that_an_import_does_not_heed_is_told() {
    let house = with_all();
    let file = house.file(
        "late.csv",
        "recipient_id,status,since\n010190-999W,withdrawn,2025-12-31\n",
    );
    let said = house.kuori(&format!("consent import {file}"));
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    1 row read, 0 changed the register
    1 withdrawal is older than a consent of the register: it does not count
    ");
    let text = fs::read_to_string(file).unwrap();
    let folder = feed(&house, &[("late.csv", &text)]);
    let fed = house.kuori(&format!("consent feed {folder}"));
    assert_eq!(fed.code, 3);
    insta::assert_snapshot!(fed.out, @"late.csv taken: 1 row, 0 changed the register; 1 withdrawal is older than a consent of the register: it does not count");
    assert!(receipts(&folder)[0].1.contains("unheeded,\"1\""));
}

#[test]
fn a_full_list_brings_back_whom_the_last_one_left_out_unless_it_is_older() {
    let house = with_all();
    let import =
        |file: &str, rest: &str| house.kuori(&format!("consent import {file} --full {rest}"));
    let (all, first) = (house.file("all.csv", ALL), first(&house));
    import(&first, "--as-of 2026-02-02 --allow-withdrawals");
    let older = import(&all, "--as-of 2026-02-01");
    assert_eq!(older.code, 1);
    insta::assert_snapshot!(older.err, @r"
    error: the list was made at 2026-02-01T00:00:00Z, and one of 2026-02-02T00:00:00Z was taken before; nothing was recorded

    hint: without `--full` its rows are taken, and nobody is withdrawn; `--as-of` says when it was made
    ");
    let back = import(&all, "--as-of 2026-02-03");
    insta::assert_snapshot!(back.out, @r"
    2 rows read, 1 changed the register
    0 of 1 consent not in the list: withdrawn
    1 brought back whom an earlier list did not have
    ");
    assert_both_granted(&house);
    let shown = house.asked("consent show - --history", "010190-900P\n").out;
    insta::assert_snapshot!(shown, @r"
    granted since 2026-01-01T00:00:00Z (imported by maija)
    history:
      2026-03-01T08:00:00Z  granted since 2026-01-01T00:00:00Z (imported by maija)
      2026-03-01T08:00:00Z  withdrawn since 2026-02-02T00:00:00Z (not in the list imported by maija), until a later list had them at 2026-03-01T08:00:00Z
    ");
}

#[test]
fn whom_a_list_left_out_a_later_one_brings_back_where_their_words_were_exported_and_imported() {
    let house = with_all();
    let full = |house: &House, file: &str, time: &str| {
        let import = format!("consent import {file} --full --as-of {time} --allow-withdrawals");
        house.out(&import)
    };
    full(&house, &first(&house), "2026-02-02");
    let exported = house.path("register.csv");
    house.out(&format!("consent export {exported}"));
    let text = fs::read_to_string(&exported).unwrap();
    insta::assert_snapshot!(text, @r"
    recipient_id,status,since,source,matter,print_only,email,language,to_name,to_additional_name,to_address,to_postal_code,to_city,to_country,inferred
    010190-900P,granted,2026-01-01T00:00:00Z,imported by maija,,,,,,,,,,,
    010190-900P,withdrawn,2026-02-02T00:00:00Z,not in the list imported by maija,,,,,,,,,,,true
    010190-999W,granted,2026-01-01T00:00:00Z,imported by maija,,,,,,,,,,,
    ");
    let (other, third) = (House::filled(), House::filled());
    full(&third, &exported, "2026-02-02");
    for house in [&house, &other] {
        house.out(&format!("consent import {exported}"));
    }
    for house in [&house, &other, &third] {
        full(house, &exported, "2026-02-02");
        assert_eq!(house.out("consent export -"), text);
        full(house, &house.file("everybody.csv", ALL), "2026-02-03");
        assert_both_granted(house);
        // What the list of the day before implied is over.
        house.out(&format!("consent import {exported}"));
        assert_both_granted(house);
    }
}

#[test]
fn what_they_said_since_a_list_left_them_out_is_exported_alone() {
    let house = with_all();
    let first = first(&house);
    house.out(&format!(
        "consent import {first} --full --as-of 2026-02-02 --allow-withdrawals"
    ));
    house.asked("consent set - granted --since 2026-02-03", "010190-900P\n");
    let text = house.out("consent export -");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("withdrawn"), "{text}");
}

#[test]
fn a_matter_that_was_typed_can_be_exported_and_imported() {
    let (house, other) = (House::filled(), House::filled());
    let longest = "ä".repeat(Matter::MAX_CHARS);
    house.asked(
        &format!("consent set - --matter {longest} --print-only"),
        "010190-999W\n",
    );
    let file = house.path("register.csv");
    house.out(&format!("consent export {file}"));
    other.out(&format!("consent import {file}"));
    let text = other.out("consent export -");
    assert!(text.contains(&format!(",{longest},true,")), "{text}");
    assert_eq!(house.out("consent export -"), text);
}

#[test]
fn a_matter_that_no_letter_can_have_is_refused() {
    let is_read = |matter: &str| {
        let set = ["kuori", "consent", "set", "-", "--print-only", "--matter"];
        Arguments::try_parse_from(set.into_iter().chain([matter])).is_ok()
    };
    assert!(is_read(" school "));
    for slip in ["", " ", "day\ncare", &"ä".repeat(Matter::MAX_CHARS + 1)] {
        assert!(!is_read(slip), "{slip:?}");
    }
}
