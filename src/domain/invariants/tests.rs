use super::*;

const BOTH: Option<Channel> = Some(Channel::MailboxAndPrint);

fn message(state: MessageState, channel: Option<Channel>) -> MessageFacts {
    let bundle = match state {
        MessageState::Composed => Some(BundleState::Composed),
        MessageState::HandedOver => Some(BundleState::HandedOver),
        _ => None,
    };
    let is_past = matches!(
        state,
        MessageState::Delivered | MessageState::Composed | MessageState::HandedOver
    );
    MessageFacts {
        state,
        channel,
        is_in_mailbox: is_past && channel.is_some_and(Channel::uses_mailbox),
        bundle,
        is_in_bundle: bundle.is_some(),
        in_other_bundles: 0,
        at_service: AtService::Nothing,
    }
}

fn codes(broken: &[Broken]) -> Vec<&'static str> {
    broken.iter().map(|(breach, _)| breach.as_str()).collect()
}

#[test]
fn a_message_as_the_house_leaves_it_breaks_no_rule() {
    use MessageState::{
        Accepted, Cancelled, Composed, Delivered, HandedOver, Held, Refused, Routed, Waiting,
    };
    let (mailbox, print) = (Some(Channel::Mailbox), Some(Channel::Print));
    for (state, channels) in [
        (Accepted, &[None][..]),
        (Waiting, &[None]),
        (Routed, &[mailbox, print, BOTH]),
        (Delivered, &[mailbox, BOTH]),
        (Composed, &[print, BOTH]),
        (HandedOver, &[print, BOTH]),
        (Refused, &[None, mailbox, print, BOTH]),
        (Held, &[None, mailbox, print, BOTH]),
        (Cancelled, &[None, mailbox, print, BOTH]),
    ] {
        for &channel in channels {
            let broken = message(state, channel).broken();
            assert_eq!(broken, [], "{state:?} {channel:?}");
        }
    }
}

#[test]
fn a_letter_lies_in_one_bundle_and_in_a_mailbox_only_where_its_channel_says_both() {
    let printed = message(MessageState::Composed, Some(Channel::Print));
    let lost = MessageFacts {
        is_in_bundle: false,
        ..printed
    };
    assert_eq!(codes(&lost.broken()), ["letter-in-no-bundle"]);
    let doubled = MessageFacts {
        in_other_bundles: 1,
        ..printed
    };
    assert_eq!(codes(&doubled.broken()), ["letter-in-two-bundles"]);
    let both = MessageFacts {
        is_in_mailbox: true,
        ..printed
    };
    assert_eq!(codes(&both.broken()), ["mailbox-and-bundle"]);
    let wished = MessageFacts {
        channel: BOTH,
        ..both
    };
    assert_eq!(wished.broken(), []);
}

#[test]
fn a_message_that_is_not_sent_lies_in_no_mailbox() {
    for state in [
        MessageState::Accepted,
        MessageState::Refused,
        MessageState::Cancelled,
    ] {
        let lies = MessageFacts {
            is_in_mailbox: true,
            ..message(state, None)
        };
        assert_eq!(codes(&lies.broken()), ["message-inconsistent"], "{state:?}");
    }
}

#[test]
fn a_batch_rests_only_where_nothing_of_it_is_under_way() {
    for state in BatchState::ALL {
        let rests = BatchFacts {
            state,
            is_due: false,
            under_way: 0,
            waiting: 0,
            queued: 0,
            is_to_settle: false,
            planned: 0,
        };
        let works = BatchFacts {
            is_due: true,
            ..rests
        };
        assert_eq!(works.broken(), [], "{state:?}");
        let may_rest = state.is_stopped() || state == BatchState::Reported;
        assert_eq!(rests.broken().is_empty(), may_rest, "{state:?}");
        let leaves_some = BatchFacts {
            under_way: 1,
            ..works
        };
        let may_leave = state == BatchState::Held || !may_rest;
        assert_eq!(leaves_some.broken().is_empty(), may_leave, "{state:?}");
    }
    let asks = BatchFacts {
        state: BatchState::Reported,
        is_due: true,
        under_way: 1,
        waiting: 1,
        queued: 0,
        is_to_settle: false,
        planned: 0,
    };
    assert_eq!(asks.broken(), []);
    let forgot = BatchFacts {
        is_due: false,
        ..asks
    };
    assert_eq!(codes(&forgot.broken()), ["batch-stuck"]);
}

#[test]
fn a_message_waits_for_a_service_in_the_state_in_which_it_was_queued() {
    let waits = |state, channel| MessageFacts {
        at_service: AtService::Waits,
        ..message(state, channel)
    };
    let queued = waits(MessageState::Routed, Some(Channel::Mailbox));
    assert_eq!(queued.broken(), []);
    assert!(!queued.is_under_way());
    assert_eq!(waits(MessageState::Delivered, BOTH).broken(), []);
    for state in [MessageState::Held, MessageState::Cancelled] {
        let stopped = waits(state, Some(Channel::Mailbox));
        assert_eq!(codes(&stopped.broken()), ["message-inconsistent"]);
    }
    let printed = MessageFacts {
        at_service: AtService::Prints,
        bundle: None,
        is_in_bundle: false,
        ..message(MessageState::HandedOver, Some(Channel::Print))
    };
    assert_eq!(printed.broken(), []);
}

#[test]
fn a_reported_batch_may_have_messages_in_a_queue_and_a_cancelled_one_may_not() {
    let queued = BatchFacts {
        state: BatchState::Reported,
        is_due: false,
        under_way: 0,
        waiting: 0,
        queued: 1,
        is_to_settle: false,
        planned: 0,
    };
    assert_eq!(queued.broken(), []);
    let cancelled = BatchFacts {
        state: BatchState::Cancelled,
        ..queued
    };
    assert_eq!(codes(&cancelled.broken()), ["message-stuck"]);
    let left = BatchFacts {
        under_way: 1,
        ..queued
    };
    assert_eq!(codes(&left.broken()), ["message-stuck"]);
    let to_settle = BatchFacts {
        is_to_settle: true,
        ..left
    };
    assert_eq!(to_settle.broken(), []);
}

#[test]
fn every_code_is_another_one() {
    let codes: std::collections::BTreeSet<_> = Breach::ALL.map(Breach::as_str).into();
    assert_eq!(codes.len(), Breach::ALL.len());
}
