//! What an operator decides about batches and senders.

use super::House;

#[test]
fn a_batch_that_waits_says_why_and_what_to_type() {
    insta::assert_snapshot!(House::held().both("batch show B-0001"), @r"
    Batch     B-0001  from example-city, 6 messages
    State     held; 5 messages are to go, which is over 4
    In work   5
    Refused   1 (see `kuori batch findings B-0001`)
    File      taxes_20260301060000.zip, 14 bytes
    Received  2026-03-01T06:00:00Z
    hint: `kuori batch approve B-0001 --reason TEXT` lets it go on
    hint: `kuori batch cancel B-0001 --reason TEXT` calls it off
    ");
}

#[test]
fn an_approved_batch_goes_on_and_its_history_says_who_let_it() {
    let house = House::held();
    assert_eq!(
        house.kuori("batch approve B-0001").code,
        2,
        "a reason is missing"
    );
    insta::assert_snapshot!(house.out("batch approve B-0001 --dry-run"), @r"
    B-0001 would go on, to be routed
    it is held since 2026-03-01T06:01:30Z: 5 messages are to go, which is over 4
    ");
    insta::assert_snapshot!(house.both("batch approve B-0001 --reason checked"), @r"
    B-0001 goes on, to be routed
    it was held since 2026-03-01T06:01:30Z: 5 messages are to go, which is over 4
    hint: `kuori batch show B-0001` says how it goes on
    ");
    insta::assert_snapshot!(house.out("events B-0001"), @r"
    AT                    BY     MESSAGE  WHAT               WHY
    2026-03-01T06:00:00Z  kuori  -        received
    2026-03-01T06:01:00Z  kuori  -        opened
    2026-03-01T06:01:00Z  kuori  -        1 message refused
    2026-03-01T06:01:30Z  kuori  -        held               5 messages are to go, which is over 4
    2026-03-01T08:00:00Z  maija  -        approved           checked
    ");
    insta::assert_snapshot!(house.both("batch approve B-0001 --reason checked"), @r"
    error: batch B-0001 is opened, not held

    hint: see `kuori batch show B-0001`
    ");
}

#[test]
fn a_batch_that_waits_is_cancelled_once() {
    let house = House::held();
    insta::assert_snapshot!(house.out("batch cancel B-0001 --dry-run"), @"B-0001 would be cancelled for good, 6 messages");
    insta::assert_snapshot!(house.both("batch cancel B-0001 --reason recalled"), @r"
    B-0001 is cancelled for good, 6 messages
    hint: the sender is told by a processing report, with your reason
    ");
    insta::assert_snapshot!(house.both("batch cancel B-0001 --reason recalled"), @r"
    error: batch `B-0001` was cancelled before

    hint: `kuori events B-0001` says when, by whom and why
    ");
    insta::assert_snapshot!(house.both("reprocess B-0001 --reason x"), @r"
    error: batch `B-0001` was cancelled for good

    hint: letters that are to go all the same are sent in a new file
    ");
}

#[test]
fn what_has_left_the_house_cannot_be_cancelled() {
    let said = House::filled().kuori("batch cancel B-0001 --reason recalled");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.both(), @r"
    error: batch `B-0001` has a bundle at the print house
      caused by: bundle P-0001 is at the print house
      caused by: messages in recipients' mailboxes: 2

    hint: what has left the house cannot be called back; with `--rest` only what has not is cancelled
    ");
}

#[test]
fn a_sender_is_held_once_listed_and_released() {
    let house = House::held();
    insta::assert_snapshot!(house.both("sender hold example-city --reason old-letters"), @r"
    example-city is on hold: its batches are taken and opened, and wait before they are routed or delivered
    hint: `kuori sender release example-city` ends it
    ");
    insta::assert_snapshot!(house.both("sender hold example-city --reason again"), @r"
    error: sender `example-city` is on hold already
      caused by: maija put it on hold at 2026-03-01T08:00:00Z: old-letters

    hint: `kuori sender release example-city` ends it
    ");
    insta::assert_snapshot!(house.out("sender list"), @r"
    SENDER        STATE    SINCE                 BATCHES  LAST BATCH  RECEIVED              WHY
    example-city  on hold  2026-03-01T08:00:00Z  1 held   B-0001      2026-03-01T06:00:00Z  old-letters
    ");
    insta::assert_snapshot!(house.both("sender release example-city"), @"example-city is on hold no more");
    insta::assert_snapshot!(house.both("sender release example-city"), @r"
    error: sender `example-city` is not on hold

    hint: see `kuori sender list`
    ");
    insta::assert_snapshot!(house.out("events --sender example-city"), @r"
    AT                    BY     MESSAGE  WHAT      WHY
    2026-03-01T08:00:00Z  maija  -        held      old-letters
    2026-03-01T08:00:00Z  maija  -        released
    ");
}

#[test]
fn an_unknown_sender_is_refused_with_the_nearest_name() {
    let house = House::held();
    insta::assert_snapshot!(house.both("sender hold example-sity --reason x"), @r"
    error: there is no sender `example-sity`

    hint: did you mean `example-city`?
    ");
    insta::assert_snapshot!(house.both("sender release hospital"), @r"
    error: there is no sender `hospital`

    hint: see `kuori sender list`; a sender is known once `kuori run` has started with it
    ");
}

#[test]
fn an_identity_code_in_a_reason_is_not_kept() {
    let house = House::held();
    house.out("batch cancel B-0001 --reason 131052-9085");
    for line in ["events B-0001", "batch show B-0001"] {
        let told = house.out(line);
        assert!(
            told.contains("[hidden]") && !told.contains("9085"),
            "{told}"
        );
    }
}
