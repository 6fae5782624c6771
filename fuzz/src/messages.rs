use kuori::domain::Finding;

use super::run::Run;

/// Messages that are handed over at once.
const MOST_AT_ONCE: usize = 1_000;

/// Positions from 1 without a gap, in parcels that are neither empty nor too large.
pub(super) fn come_in_order(run: &Run) {
    let mut positions = (1..).zip(&run.messages);
    assert!(positions.all(|(expected, message)| message.message.position == expected));
    assert!(run.messages.len() as u64 <= u64::from(run.opened.messages));
    assert!(
        run.parcels
            .iter()
            .all(|&size| (1..=MOST_AT_ONCE).contains(&size))
    );
}

/// Of a batch that is taken, every message that it describes.
pub(super) fn are_all_there(run: &Run) {
    assert!(run.opened.messages > 0, "a batch without messages is taken");
    assert_eq!(run.messages.len() as u64, u64::from(run.opened.messages));
    assert!(run.opened.shape.is_some());
}

/// A refused message has an error of its own, or its batch has one.
pub(super) fn say_why_they_are_refused(run: &Run) {
    let mut refused = run.messages.iter().filter(|message| message.is_refused());
    assert!(
        refused.all(|message| run.has_error() || message.findings.iter().any(Finding::is_error))
    );
}
