//! What `kuori verify` says.

use super::House;

#[test]
fn a_sound_folder_is_said_to_be_so_in_a_line() {
    let house = House::held();
    let said = house.both("verify");
    insta::assert_snapshot!(said, @"1 batch, 6 messages, 0 bundles, 1 file: every rule is kept");
}

#[test]
fn a_problem_is_a_line_with_its_code_and_what_to_do() {
    let house = House::held();
    let db = rusqlite::Connection::open(house.path("data/kuori.sqlite")).unwrap();
    let sql = "UPDATE batches SET state = 'opened', due_at = NULL";
    db.execute_batch(sql).unwrap();
    let said = house.kuori("verify");
    assert_eq!(said.code, 3);
    insta::assert_snapshot!(said.out, @r"
    batch-stuck  B-0001: the step that its state names is not due -> `kuori reprocess` sets it back to a step; it goes on from there
    1 batch, 6 messages, 0 bundles, 1 file: rules are broken
    ");
}

#[test]
fn a_batch_that_is_not_there_and_a_file_that_is_no_database_are_told() {
    let house = House::held();
    let said = house.kuori("verify B-0009");
    assert_eq!(said.code, 1);
    assert!(
        said.err.contains("there is no batch B-0009"),
        "{}",
        said.err
    );

    let broken = House::held();
    broken.file("data/kuori.sqlite", &"this is no database. ".repeat(400));
    let said = broken.kuori("verify");
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(
        said.out.starts_with("database-damaged  kuori.sqlite"),
        "{}",
        said.out
    );
}
