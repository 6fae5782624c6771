//! What goes out, as operators look at it.

use super::House;

#[test]
fn what_waits_to_leave_is_listed_with_what_nobody_picks_up() {
    let house = House::filled();
    insta::assert_snapshot!(house.both("outbox list"), @r"
    WHAT    BATCH   PLACE                      STATE    AGE      TRIES  NEXT TRY              ERROR
    P-0002  B-0001  print-house:example-print  due      110 min      1  2026-03-01T08:02:00Z  cannot reach `example-print`: connection refused
    P-0001  B-0001  print-house:example-print  overdue  107 min      1  -
    hint: ask the other side why it does not pick up
    ");
    let late = house.kuori("outbox list --overdue");
    assert_eq!(late.code, 3);
    insta::assert_snapshot!(late.out, @r"
    WHAT    BATCH   PLACE                      STATE    AGE      TRIES  NEXT TRY  ERROR
    P-0001  B-0001  print-house:example-print  overdue  107 min      1  -
    ");
    for nothing in [
        "--state held",
        "--place sender:example-city",
        "--state due --place x",
    ] {
        assert_eq!(
            house.both(&format!("outbox list {nothing}")),
            "note: nothing waits\n",
            "{nothing}"
        );
    }
    let unknown = house.kuori("outbox list --place P-0001");
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("is no place"), "{}", unknown.err);
}

#[test]
fn what_is_put_off_is_tried_at_once_when_somebody_says_so() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("outbox retry P-0002 --dry-run"), @"bundle P-0002 to print-house:example-print, put off, would be due at once");
    insta::assert_snapshot!(house.out("outbox retry example-print --reason mended"), @"bundle P-0002 to print-house:example-print, put off, is due at once");
    insta::assert_snapshot!(house.both("outbox retry B-0001"), @r"
    error: nothing of `B-0001` is held or put off

    hint: see `kuori outbox list`
    ");
    insta::assert_snapshot!(house.both("outbox retry"), @"note: nothing is held or put off");
    insta::assert_snapshot!(house.both("outbox retry P-0099"), @r"
    error: there is no bundle P-0099

    hint: see `kuori bundle list`
    ");
    assert_eq!(house.kuori("outbox retry B-1-2").code, 2);
    let events = house.out("events B-0001");
    assert!(
        events.contains("try the hand-over of P-0002 again"),
        "{events}"
    );
}
