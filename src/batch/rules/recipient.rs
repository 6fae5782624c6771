use super::Found;
use crate::{
    batch::{ArtificialIds, Settings, control::Draft},
    domain::{Code, RecipientId, StatedRecipient},
};

/// A wrong id refuses its letter, for who gets it would be a guess. A letter that its sender wants
/// on paper goes by its address, and the id is only told.
pub(super) fn set_aside_where_unneeded(draft: &mut Draft) {
    if !draft.is_for_print_only() {
        return;
    }
    for finding in &mut draft.findings {
        if finding.code == Code::RecipientIdInvalid {
            finding.code = Code::RecipientIdIgnored;
        }
    }
}

/// An identity code that no person has, in a batch that is no test.
pub(super) fn artificial(
    recipient: &StatedRecipient,
    is_test: bool,
    settings: &Settings,
) -> Option<Found> {
    let StatedRecipient::Valid(RecipientId::Person(code)) = recipient else {
        return None;
    };
    let is_told = !is_test && settings.artificial_ids == ArtificialIds::Warn;
    (is_told && code.is_artificial()).then(|| {
        let detail = "the individual number is from 900 on, and the batch is no test";
        (Code::RecipientIdArtificial, detail.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artificial_code_is_told_in_earnest_where_the_settings_want_that() {
        let told = |recipient: &str, is_test, artificial_ids| {
            let recipient = StatedRecipient::Valid(recipient.parse().unwrap());
            let settings = Settings {
                artificial_ids,
                ..Settings::default()
            };
            artificial(&recipient, is_test, &settings).is_some()
        };
        assert!(told("010190Y900P", false, ArtificialIds::Warn));
        assert!(!told("010190Y900P", true, ArtificialIds::Warn));
        assert!(!told("010190Y900P", false, ArtificialIds::Accept));
        assert!(!told("1234567-1", false, ArtificialIds::Warn));
    }
}
