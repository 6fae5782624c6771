//! `kuori sample`.

use super::*;

#[test]
fn a_sample_is_made_checked_and_found_clean() {
    let house = House::filled();
    let (zip, csv) = (house.path("sample.zip"), house.path("sample.csv"));
    house.out(&format!(
        "sample {zip} --letters 20 --pages 1..2 --consents {csv}"
    ));
    let said = house.kuori(&format!("check {zip}"));
    insta::assert_snapshot!(said.both(), @r"
    Batch     sample.zip: many-in-one, 20 letters, 1 document, 31 pages
    Mailbox   20 of 20 letters can go
    Print     20 of 20 letters can go
    Findings  none
    Verdict   would be accepted: 20 of 20 letters
    ");
    assert_eq!(said.code, 0);
    assert_eq!(house.kuori(&format!("consent import {csv}")).code, 0);
}

#[test]
fn a_sample_replaces_nothing_unless_it_is_told_to() {
    let house = House::filled();
    let there = house.file("sample.zip", "mine");
    assert_eq!(house.kuori(&format!("sample {there} --letters 1")).code, 1);
    assert_eq!(
        house
            .kuori(&format!("sample {there} --letters 1 --force"))
            .code,
        0
    );
    assert_eq!(
        house
            .kuori(&format!("sample {there} --letters 0 --force"))
            .code,
        2
    );
}
