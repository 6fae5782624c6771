//! Findings and the messages that they are of.

use std::iter::Peekable;

use crate::domain::Finding;

/// Takes a message's own findings off those of its page: both are in the order of position.
pub(super) fn take_own(
    findings: &mut Peekable<impl Iterator<Item = Finding>>,
    position: u32,
) -> Vec<Finding> {
    let is_not_later = |finding: &Finding| finding.place.message <= Some(position);
    let taken = std::iter::from_fn(|| findings.next_if(is_not_later));
    taken
        .filter(|finding| finding.place.message == Some(position))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Place};

    #[test]
    fn every_message_gets_its_own_findings_and_no_others() {
        let at = |position| Finding::new(Code::PageSize, Place::message(position), "");
        let mut findings = [1, 1, 3, 4].map(at).into_iter().peekable();
        let taken = [1, 2, 4].map(|position| take_own(&mut findings, position));
        assert_eq!(taken, [vec![at(1), at(1)], vec![], vec![at(4)]]);
    }
}
