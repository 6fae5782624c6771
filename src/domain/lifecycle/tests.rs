use std::collections::BTreeSet;

use super::*;
use crate::domain::{BundleState, OutgoingState};

#[test]
fn a_message_may_stay_where_it_is_and_a_cancelled_one_can_do_nothing_else() {
    for state in MessageState::ALL {
        assert_eq!(state.move_to(state), Ok(state));
    }
    let cancelled = MessageState::Cancelled;
    let refused = cancelled.move_to(MessageState::Accepted).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a message that is cancelled cannot become accepted"
    );
    let refused = BatchState::Refused.move_to(BatchState::Routed).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a batch that is refused cannot become routed"
    );
}

#[test]
fn only_what_has_left_the_house_cannot_be_cancelled() {
    for from in MessageState::ALL {
        let has_left = matches!(from, MessageState::Delivered | MessageState::HandedOver);
        let cancelled = from.move_to(MessageState::Cancelled);
        assert_eq!(cancelled.is_err(), has_left, "{from:?}");
    }
}

#[test]
fn a_message_for_both_channels_is_not_settled_by_the_mailbox_alone() {
    assert!(MessageState::Delivered.is_settled(Some(Channel::Mailbox)));
    assert!(!MessageState::Delivered.is_settled(Some(Channel::MailboxAndPrint)));
}

#[test]
fn each_state_of_a_batch_has_one_step_that_is_due() {
    for state in BatchState::ALL {
        let rows = BatchState::MOVES.iter();
        let own = rows.filter(|row| row.from.contains(&state));
        let steps = own.filter(|row| matches!(row.by, By::Step(_)));
        assert_eq!(steps.count(), 1, "{state:?}");
    }
    for step in Step::ALL {
        assert_eq!(BatchState::before(step).next_step(), step);
    }
}

#[test]
fn a_batch_can_be_set_back_to_any_step_unless_it_stopped_as_a_whole() {
    let back = |state: BatchState| {
        let rows = BatchState::MOVES
            .iter()
            .filter(|row| row.by == By::Operator(Deed::Reprocess) && row.from.contains(&state));
        let to: Vec<_> = rows.flat_map(|row| row.to).copied().collect();
        let mut steps = Step::ALL.to_vec();
        steps.retain(|step| to.contains(&BatchState::before(*step)));
        steps
    };
    assert_eq!(back(BatchState::Refused), [Step::Open]);
    assert_eq!(back(BatchState::Cancelled), []);
    assert_eq!(back(BatchState::Held), Step::ALL);
    assert_eq!(back(BatchState::Reported), Step::ALL);
}

/// States that nothing leads out of.
fn ends<S: Lifecycle>() -> Vec<&'static str> {
    let ends = S::STATES.iter();
    let ends = ends.filter(|&&from| {
        !S::STATES
            .iter()
            .any(|&to| to != from && may_become(from, to))
    });
    ends.map(|state| state.name()).collect()
}

#[test]
fn no_state_is_an_end_but_those_that_are_meant_to_be() {
    assert_eq!(ends::<BatchState>(), ["cancelled"]);
    assert_eq!(ends::<MessageState>(), ["cancelled"]);
    assert_eq!(ends::<BundleState>(), ["handed-over", "withdrawn"]);
    assert_eq!(ends::<OutgoingState>(), ["withdrawn"]);
}

#[test]
fn what_has_left_the_house_moves_only_where_an_operator_says_so_by_name() {
    let out_of = |state| {
        let rows = MessageState::MOVES.iter();
        let rows = rows.filter(move |row| row.from.contains(&state));
        let by: BTreeSet<By> = rows.map(|row| row.by).collect();
        by
    };
    let print_again = By::Operator(Deed::PrintAgain);
    // A service that was to choose says that it printed nothing.
    assert_eq!(
        out_of(MessageState::HandedOver),
        [print_again, By::Courier].into()
    );
    let deliver_again = By::Operator(Deed::DeliverAgain);
    // Composing it too takes nothing out of the mailbox, nor does holding its paper half, nor a service
    // that prints it too.
    let compose = By::Step(Step::Compose);
    let hold = By::Operator(Deed::Hold);
    assert_eq!(
        out_of(MessageState::Delivered),
        [compose, hold, deliver_again, By::Timer, By::Courier].into()
    );
}

/// States that cannot be reached from those in which a thing comes to be.
fn out_of_reach<S: Lifecycle>() -> Vec<S> {
    let mut reached = S::BORN.to_vec();
    let mut looked_at = 0;
    while let Some(&from) = reached.get(looked_at) {
        looked_at += 1;
        let next = S::STATES.iter().filter(|&&to| may_become(from, to));
        let new: Vec<_> = next.filter(|to| !reached.contains(to)).copied().collect();
        reached.extend(new);
    }
    let states = S::STATES.iter().copied();
    states.filter(|state| !reached.contains(state)).collect()
}

#[test]
fn every_state_can_be_reached() {
    assert_eq!(out_of_reach::<BatchState>(), []);
    assert_eq!(out_of_reach::<MessageState>(), []);
    assert_eq!(out_of_reach::<BundleState>(), []);
    assert_eq!(out_of_reach::<OutgoingState>(), []);
}
