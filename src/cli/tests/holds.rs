//! What operators hold and release, and what of it the audit has.

use super::House;

#[test]
fn a_batch_is_held_beside_the_gate_and_each_refusal_says_what_to_type() {
    let house = House::held();
    insta::assert_snapshot!(house.both("batch release B-0001 --reason x"), @r"
    error: batch B-0001 is held by the gate, not by an operator

    hint: `kuori batch approve B-0001 --reason TEXT` lets it go on
    ");
    insta::assert_snapshot!(house.both("batch hold B-0001 --reason logo"), @r"
    B-0001 is on hold; it was held
    also held since 2026-03-01T06:01:30Z: 5 messages are to go, which is over 4
    hint: `kuori batch release B-0001 --reason TEXT` ends the operator's hold
    hint: the sender is told by a processing report, with your reason
    ");
    insta::assert_snapshot!(house.both("batch hold B-0001 --reason again"), @r"
    error: batch B-0001 is on hold already
      caused by: maija put it on hold at 2026-03-01T08:00:00Z: logo

    hint: `kuori batch release B-0001 --reason TEXT` ends the operator's hold
    ");
    let shown = house.both("batch show B-0001");
    assert!(
        shown.contains("held; 5 messages are to go, which is over 4; logo"),
        "{shown}"
    );
    insta::assert_snapshot!(house.both("batch approve B-0001 --reason checked"), @r"
    B-0001 stays on hold: maija put it on hold at 2026-03-01T08:00:00Z: logo
    it was held since 2026-03-01T06:01:30Z: 5 messages are to go, which is over 4
    hint: `kuori batch release B-0001 --reason TEXT` ends the operator's hold
    ");
    insta::assert_snapshot!(house.both("batch release B-0001 --reason mended"), @"B-0001 is released and goes on, to be routed again");
}

#[test]
fn bundles_of_a_held_batch_are_not_tried_again() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("batch hold B-0001 --reason logo --by liisa"), @r"
    B-0001 is on hold; it was composed
    bundles that wait for its release: P-0002
    ");
    insta::assert_snapshot!(house.both("outbox retry P-0002"), @r"
    error: what waits of `P-0002` is on hold
      caused by: bundle P-0002 of B-0001: its batch is on hold: logo

    hint: `kuori batch show B-0001` says who releases it, and how
    ");
    assert!(house.both("outbox list --state held").contains("P-0002"));
    insta::assert_snapshot!(house.both("outbox retry foo"), @r"
    error: nothing of that name was ever to be handed over: `foo`

    hint: see `kuori outbox list`
    ");
    let status = house.kuori("status").out;
    assert!(status.contains("→ kuori batch release B-0001"), "{status}");
    assert!(!status.contains("ALERT bundle-held"), "{status}");
    assert!(status.contains("held-back"), "{status}");
    let audit = house.out("audit list --since 1h --limit 1");
    assert!(
        audit.contains("maija, for liisa") && audit.contains("put on hold"),
        "{audit}"
    );
}

#[test]
fn messages_are_held_and_cancelled_as_long_as_they_are_here() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("message hold B-0001-4 --reason moved"), @r"
    B-0001-4 is held; it was composed
    bundle P-0002 is withdrawn, its other letters planned again
    ");
    let shown = house.both("message show B-0001-4");
    assert!(shown.contains("held by an operator: moved"), "{shown}");
    assert!(shown.contains("kuori message release B-0001-4"), "{shown}");
    insta::assert_snapshot!(house.both("message cancel B-0001-1 B-0001-3 --reason late"), @r"
    error: message B-0001-3 is in bundle P-0001, which the print house has
      caused by: message B-0001-1 is in the recipient's mailbox

    hint: ask the print house to take it out; what has left the house cannot be called back
    ");
    assert_eq!(
        house.kuori("message cancel B-0001-4 --reason moved").code,
        0
    );
    assert_eq!(house.kuori("message hold --reason x").code, 2);
}

#[test]
fn the_audit_is_listed_in_pages_and_verified() {
    let house = House::held();
    house.out("batch hold B-0001 --reason logo");
    house.out("sender hold example-city --reason all");
    let listed = house.kuori("audit list --since 2026-03-01 --until 2026-03-02");
    insta::assert_snapshot!(listed.out, @r"
    ROW  AT                    BY     ABOUT                WHAT         WHY
      3  2026-03-01T08:00:00Z  maija  sender:example-city  held         all
      2  2026-03-01T08:00:00Z  maija  B-0001               put on hold  logo
    ");
    assert!(
        listed.err.starts_with("note: 3 rows in all, head "),
        "{}",
        listed.err
    );
    let about = house.out("audit list --about example-city");
    assert_eq!(about.lines().count(), 2, "{about}");
    let sound = house.kuori("audit verify");
    assert_eq!(sound.code, 0);
    let head = sound.out.split_whitespace().last().unwrap();
    assert_eq!(house.kuori(&format!("audit verify --head {head}")).code, 0);
    let other = house.kuori("audit verify --head 0123456789abcdef");
    assert_eq!(other.code, 3);
    assert!(other.out.contains("no row has the hash"), "{}", other.out);
    assert_eq!(house.kuori("audit verify --head x").code, 2);
}
