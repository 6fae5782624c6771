use std::str::FromStr;

use crate::sample::{Fault, FaultKind};

/// What can be wrong with a letter, as `--fault` names it.
const KINDS: [(FaultKind, &str); 11] = [
    (FaultKind::IdentityCodeSlip, "identity-code-slip"),
    (FaultKind::PostalCodeMissing, "postal-code-missing"),
    (FaultKind::LetterIdRepeated, "letter-id-repeated"),
    (FaultKind::PageTooMany, "page-too-many"),
    (FaultKind::PageTooFew, "page-too-few"),
    (FaultKind::AnotherPersonsAddress, "another-persons-address"),
    (FaultKind::EmptyWindow, "empty-window"),
    (FaultKind::CrowdedWindow, "crowded-window"),
    (FaultKind::UsLetterPaper, "us-letter-paper"),
    (FaultKind::InkInMargin, "ink-in-margin"),
    (FaultKind::PictureInMargin, "picture-in-margin"),
];

/// `12:us-letter-paper`: the letter's position, and what is wrong with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct GivenFault(pub(super) Fault);

impl FromStr for GivenFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(letter, word)| {
            let letter = letter.parse().ok().filter(|&letter| letter > 0)?;
            let (kind, _) = KINDS.into_iter().find(|(_, known)| *known == word)?;
            Some(Self(Fault { letter, kind }))
        });
        parts.ok_or_else(|| {
            let words = KINDS.map(|(_, word)| word).join(", ");
            format!("a fault is a letter and what is wrong with it, such as `3:page-too-few`; it can be {words}")
        })
    }
}
