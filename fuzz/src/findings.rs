use kuori::{
    batch::OpenedMessage,
    domain::{Finding, without_identity_codes},
};

/// As many findings as an answer to a sender may hold: of a ZIP that is not opened, of a batch
/// (and its first error, however many there are), and of one message.
const MOST_OF_AN_ARCHIVE: usize = 100;
const MOST_OF_A_BATCH: usize = 1_000 + 1;
const MOST_OF_A_MESSAGE: usize = 100;

/// A name in a nested ZIP, and some words.
const MOST_CHARS: usize = 2_000;

pub(super) fn of_a_refused_archive(findings: &[Finding]) {
    assert!(!findings.is_empty(), "refused without a word");
    assert!(findings.iter().all(Finding::is_error));
    assert!(findings.len() <= MOST_OF_AN_ARCHIVE);
    findings.iter().for_each(is_fit_to_tell);
}

pub(super) fn of_a_batch(findings: &[Finding]) {
    assert!(findings.len() <= MOST_OF_A_BATCH, "{}", findings.len());
    findings.iter().for_each(is_fit_to_tell);
}

pub(super) fn of_a_message(message: &OpenedMessage) {
    let findings = &message.findings;
    assert!(findings.len() <= MOST_OF_A_MESSAGE, "{}", findings.len());
    let position = Some(message.message.position);
    assert!(findings.iter().all(|it| it.place.message == position));
    findings.iter().for_each(is_fit_to_tell);
}

/// Short, on lines, pages and messages that are counted from 1, and of nobody.
fn is_fit_to_tell(finding: &Finding) {
    let place = &finding.place;
    let entry = place.entry.as_deref().unwrap_or_default();
    assert!(!finding.detail.is_empty());
    for text in [entry, &finding.detail] {
        assert!(text.chars().count() <= MOST_CHARS);
        assert_eq!(without_identity_codes(text), text, "{}", finding.code);
        assert!(!text.chars().any(char::is_control), "{}", finding.code);
    }
    assert!(
        [place.line, place.message, place.page]
            .iter()
            .all(|&at| at != Some(0))
    );
}
