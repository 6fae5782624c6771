use super::{Error, HoldPolicy, House};
use crate::{
    domain::HoldCause,
    store::{BatchRow, GateFacts, NewHold, SenderHold},
};

/// Lets a batch through to be routed; `false` where it is held for an operator.
///
/// The gate is about what leaves the house, so a test passes it and shows nothing of its sender.
/// What the settings ask is asked once; whether the sender is on hold, at every routing.
pub(super) fn pass(house: &House, row: &BatchRow) -> Result<bool, Error> {
    if row.is_test {
        return Ok(true);
    }
    let policy = house.sender(&row.sender)?.holds;
    let judge = |facts: &GateFacts| holds(policy, facts);
    let found = house.store.pass_gate(row, judge, house.clock.now())?;
    if found.is_empty() {
        return Ok(true);
    }
    let causes: Vec<_> = found.iter().map(|hold| hold.cause.as_str()).collect();
    tracing::warn!(batch = %row.id, causes = causes.join(","), "held");
    Ok(false)
}

/// Asks once more before anything is delivered, whether the sender is on hold by now; `false` where the
/// batch is held for that.
pub(super) fn may_deliver(house: &House, row: &BatchRow) -> Result<bool, Error> {
    if row.is_test {
        return Ok(true);
    }
    let is_held = house
        .store
        .hold_for_sender(row, for_sender, house.clock.now())?;
    if is_held {
        tracing::warn!(batch = %row.id, causes = HoldCause::Sender.as_str(), "held");
    }
    Ok(!is_held)
}

/// Every cause at once, so that one approval is enough.
fn holds(policy: HoldPolicy, facts: &GateFacts) -> Vec<NewHold> {
    // Where nothing is to go, nothing is to be held.
    if facts.counts.in_progress == 0 {
        return Vec::new();
    }
    let asked_once = [
        refused_share(policy, facts),
        many_letters(policy, facts),
        first_batch(policy, facts),
    ];
    let asked_once = asked_once.into_iter().filter(|_| !facts.has_passed);
    asked_once.chain([sender(facts)]).flatten().collect()
}

fn first_batch(policy: HoldPolicy, facts: &GateFacts) -> Option<NewHold> {
    (policy.first_batch && facts.is_first).then(|| NewHold {
        cause: HoldCause::FirstBatch,
        why: "this is the sender's first batch, and an operator looks at it before it goes"
            .to_owned(),
    })
}

fn refused_share(policy: HoldPolicy, facts: &GateFacts) -> Option<NewHold> {
    let limit = policy.above_error_percent;
    let (refused, received) = (facts.counts.refused, facts.counts.received);
    let is_over = refused.saturating_mul(100) > received.saturating_mul(limit.into());
    is_over.then(|| NewHold {
        cause: HoldCause::RefusedShare,
        why: format!("{refused} of {received} messages are refused, which is over {limit} %"),
    })
}

fn many_letters(policy: HoldPolicy, facts: &GateFacts) -> Option<NewHold> {
    let (limit, letters) = (policy.above_letters?, facts.counts.in_progress);
    (letters > limit.into()).then(|| NewHold {
        cause: HoldCause::ManyLetters,
        why: format!("{letters} messages are to go, which is over {limit}"),
    })
}

fn sender(facts: &GateFacts) -> Option<NewHold> {
    facts.sender_hold.as_ref().map(for_sender)
}

fn for_sender(hold: &SenderHold) -> NewHold {
    NewHold {
        cause: HoldCause::Sender,
        why: format!("the sender is on hold: {}", hold.why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Counts;

    fn facts(received: u64, refused: u64) -> GateFacts {
        GateFacts {
            counts: Counts {
                received,
                refused,
                in_progress: received - refused,
                ..Counts::default()
            },
            is_first: false,
            has_passed: false,
            sender_hold: None,
        }
    }

    fn causes(policy: HoldPolicy, facts: &GateFacts) -> Vec<HoldCause> {
        let found = holds(policy, facts);
        found.into_iter().map(|hold| hold.cause).collect()
    }

    #[test]
    fn a_share_of_refused_messages_at_the_limit_passes_and_one_past_it_is_held() {
        let policy = HoldPolicy::default();
        assert_eq!(causes(policy, &facts(10, 2)), []);
        assert_eq!(causes(policy, &facts(10, 3)), [HoldCause::RefusedShare]);
        assert_eq!(causes(policy, &facts(1_000_000, 200_000)), []);
        let one_past = facts(1_000_000, 200_001);
        assert_eq!(causes(policy, &one_past), [HoldCause::RefusedShare]);
        assert_eq!(causes(HoldPolicy::NONE, &facts(100, 99)), []);
    }

    #[test]
    fn as_many_letters_as_the_limit_pass_and_one_more_is_held() {
        let policy = HoldPolicy {
            above_letters: Some(10),
            ..HoldPolicy::NONE
        };
        // Refused ones do not go.
        assert_eq!(causes(policy, &facts(11, 1)), []);
        assert_eq!(causes(policy, &facts(12, 1)), [HoldCause::ManyLetters]);
    }

    #[test]
    fn a_batch_of_which_nothing_goes_is_not_held() {
        let none = GateFacts {
            is_first: true,
            ..facts(5, 5)
        };
        assert_eq!(causes(HoldPolicy::default(), &none), []);
    }

    #[test]
    fn all_causes_are_told_at_once() {
        let policy = HoldPolicy {
            above_letters: Some(1),
            ..HoldPolicy::default()
        };
        let all = GateFacts {
            is_first: true,
            sender_hold: Some(SenderHold {
                since: "2026-11-23T21:00:00Z".parse().unwrap(),
                actor: "maija".to_owned(),
                why: "old letters".to_owned(),
            }),
            ..facts(10, 5)
        };
        // All but an operator's own.
        assert_eq!(causes(policy, &all).len(), HoldCause::ALL.len() - 1);
        // Once it has passed, only the sender's hold stops it.
        let passed = GateFacts {
            has_passed: true,
            ..all
        };
        assert_eq!(causes(policy, &passed), [HoldCause::Sender]);
    }
}
