//! What is answered where a command line is well-formed and still makes no sense.

use super::house::House;

/// What is said on standard error to a bad command line.
fn refused(house: &House, line: &str) -> String {
    let said = house.kuori(line);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{}", said.err);
    said.err
}

#[test]
fn a_reason_is_no_finding_and_the_answer_says_where_it_is_explained() {
    insta::assert_snapshot!(refused(&House::filled(), "finding no-recipient-id"), @r"
    error: there is no code `no-recipient-id`

    hint: that is a reason for mailbox or print: see docs/routing.md
    ");
}

#[test]
fn a_fault_of_a_letter_that_is_not_there_makes_no_sample() {
    let house = House::filled();
    let line = |letter| format!("sample s.zip --letters 3 --fault {letter}:us-letter-paper");
    insta::assert_snapshot!(refused(&house, &line(4)), @r"
    error: letter 4 is to have a fault, of 3 letters

    hint: name a letter of the batch, or add `--letters`
    ");
    let last = line(3).replace("s.zip", &house.path("s.zip"));
    assert_eq!(house.kuori(&last).code, 0);
}

#[test]
fn a_test_that_would_be_none_is_not_made() {
    insta::assert_snapshot!(refused(&House::filled(), "sample s.zip --test --shape csv"), @r"
    error: `batch.csv` cannot say that a batch is a test

    hint: leave out `--test`, or take another `--shape`
    ");
}

#[test]
fn a_message_of_another_batch_is_answered_with_its_own() {
    let line = "reprocess B-0001 --message B-0002-1 --dry-run";
    insta::assert_snapshot!(refused(&House::filled(), line), @r"
    error: message `B-0002-1` is not of batch `B-0001`

    hint: name batch `B-0002`, or see `kuori message list B-0001`
    ");
}

#[test]
fn a_time_that_is_none_is_answered_with_one() {
    let house = House::filled();
    let set = |since| house.kuori(&format!("consent set 010190-999W granted --since {since}"));
    let said = set("yesterday");
    assert_eq!(said.code, 2);
    let told = "a time is `2026-11-22`, `2026-11-22T18:30`, or with an offset `2026-11-22T16:30Z`";
    assert!(said.err.contains(told), "{}", said.err);
    assert_eq!(
        set("2026-02-28").out,
        "granted since 2026-02-28T00:00:00Z\n"
    );
}
