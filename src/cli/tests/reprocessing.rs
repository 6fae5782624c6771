//! What is done again, as it is typed and told.

use super::House;

#[test]
fn who_says_nothing_of_what_is_to_be_done_again_is_shown_three_ways_to_say_it() {
    let said = House::filled().kuori("reprocess --dry-run");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @r"
    error: nothing says what is to be done again

    hint: `kuori reprocess B-0007 --dry-run` is about what failed of one batch
    hint: `kuori reprocess --failed --since 2026-11-22T18:00 --dry-run`, of all since then
    hint: `kuori reprocess --bundle P-0031 --print-again --dry-run`, about a bundle that is lost
    ");
    assert_eq!(House::filled().kuori("message list").code, 2);
}

#[test]
fn what_failed_is_found_by_its_finding() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("reprocess --finding page-size --dry-run"), @r"
    B-0001 would go back to the step `open`
    1 message would be set back:
      B-0001-6  refused to accepted
    the sender would be told by processing report 1
    ");
    assert_eq!(
        house
            .out("reprocess --finding transparency --dry-run")
            .len(),
        0
    );
}

#[test]
fn a_code_that_is_none_is_refused_with_the_nearest() {
    let said = House::filled().kuori("reprocess --finding page-sise --dry-run");
    assert_eq!(said.code, 2);
    insta::assert_snapshot!(said.err, @r"
    error: there is no code `page-sise`

    hint: did you mean `--finding page-size`?
    ");
}

#[test]
fn a_letter_is_found_by_the_id_of_its_sender_and_the_id_is_not_repeated() {
    let house = House::filled();
    let line = "message list --sender example-city --letter-id case-6";
    insta::assert_snapshot!(house.out(line), @r"
    MESSAGE   STATE    CHANNEL  REASON            PAGES  BUNDLE
    B-0001-6  refused  -        content-unusable      2  -
    ");
    assert_eq!(house.kuori("message list --letter-id case-6").code, 2);
    let said = house.kuori("message list --sender example-city --letter-id case-99");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: no message of `example-city` has that letter id

    hint: it is the `senderLetterId`, or `letter_id`, of the sender's control data
    ");
}

#[test]
fn a_number_that_is_not_that_of_the_messages_does_nothing() {
    let house = House::filled();
    let said = house.kuori("reprocess B-0001 --expect 3 --reason test");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.both(), @r"
    error: 2 messages would be set back, not 3

    hint: `--dry-run` says which
    ");
    assert_eq!(
        house
            .kuori("reprocess B-0001 --expect 2 --reason test")
            .code,
        0
    );
}

#[test]
fn a_lost_bundle_is_printed_again_by_its_name() {
    let house = House::filled();
    let said = house.kuori("reprocess --bundle P-0001 --dry-run");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: batch `B-0001` has a bundle at the print house
      caused by: bundle `P-0001` was handed over at 2026-03-01T06:12:09Z

    hint: if they are to go out a second time, add `--print-again`
    ");
    insta::assert_snapshot!(house.out("reprocess --bundle P-0001 --print-again --dry-run"), @r"
    B-0001 would go back to the step `compose`
    1 message would be set back:
      B-0001-3  handed-over to routed, printed a second time
    the sender would be told by processing report 1
    ");
    assert_eq!(house.kuori("reprocess --bundle P-0099 --dry-run").code, 1);
}

#[test]
fn more_messages_than_are_listed_are_counted() {
    let house = House::filled();
    insta::assert_snapshot!(house.out("reprocess B-0001 --limit 1 --dry-run"), @r"
    B-0001 would go back to the step `open`
    2 messages would be set back:
      B-0001-5  held to accepted
      and 1 more; of all of them
      1  held to accepted
      1  refused to accepted
    the sender would be told by processing report 1
    ");
}

#[test]
fn a_channel_is_chosen_where_messages_are_routed() {
    let house = House::filled();
    let said = house.kuori("reprocess B-0001-5 --channel print --from compose --dry-run");
    assert_eq!(said.code, 2);
    let said = house.kuori("reprocess B-0001-5 --channel mailbox --dry-run");
    assert_eq!(said.code, 1);
    insta::assert_snapshot!(said.err, @r"
    error: batch `B-0001` has messages that cannot go by that channel
      caused by: message B-0001-5 cannot go by mailbox: mailbox-inactive

    hint: docs/routing.md says what stands in the way; name the other messages
    ");
    insta::assert_snapshot!(house.out("reprocess B-0001-5 --channel print --reason asked"), @r"
    B-0001 goes back to the step `route`
    1 message is set back, to go by print or not at all:
      B-0001-5  held to accepted
    the sender is told by processing report 1
    ");
    insta::assert_snapshot!(house.out("events B-0001").lines().last().unwrap(), @"2026-03-01T08:00:00Z  maija  -        reprocess from route, forced to print    asked");
}

#[test]
fn a_batch_in_work_is_waited_for_as_long_as_is_said() {
    let house = House::filled();
    house.lease("B-0001");
    let began = std::time::Instant::now();
    let said = house.kuori("reprocess B-0001 --wait 1 --dry-run");
    assert_eq!(said.code, 75);
    assert!(began.elapsed().as_secs() >= 1);
}
