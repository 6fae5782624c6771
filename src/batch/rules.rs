//! The rules on one message, a noun a file. A rule says what is wrong and knows no place; whether that
//! stops anything stands in the catalogue of findings.

mod address;
mod attachment;
mod postal_code;
mod recipient;
mod sheets;

pub(super) use self::{attachment::look_into, sheets::too_many_sheets};
use super::{Settings, control::Draft};
use crate::domain::{ChannelWish, Code, Finding, Place};

/// What a rule found: the kind, and this case in a sentence.
type Found = (Code, String);

/// Applies every rule on what the control data says of a message, before its pages are known.
pub(super) fn apply(draft: &mut Draft, place: &Place, is_test: bool, settings: &Settings) {
    recipient::set_aside_where_unneeded(draft);
    let is_posted = draft.wish != ChannelWish::MailboxOnly;
    let mut found: Vec<Found> = Vec::new();
    found.extend(recipient::artificial(&draft.recipient, is_test, settings));
    if is_posted {
        found.extend(postal_code::rewrite(&mut draft.address));
        found.extend(address::gap(&draft.address));
        found.extend(address::country(&draft.address));
        found.extend(address::block(draft, settings));
        found.extend(postal_code::faults(&draft.address, settings));
    }
    let told = found.into_iter();
    let told = told.map(|(code, detail)| Finding::new(code, place.clone(), detail));
    draft.findings.extend(told);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        batch::Paper,
        domain::{PostalAddress, StatedRecipient},
    };

    /// A letter with nothing wrong.
    pub(super) fn draft() -> Draft {
        let mut draft = Draft::new(1);
        draft.address = PostalAddress {
            name: Some("Maija Mallikas".into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            ..PostalAddress::default()
        };
        draft
    }

    pub(super) fn settings_with_page() -> Settings {
        Settings {
            paper: Paper {
                address_page: true,
                ..Paper::default()
            },
            ..Settings::default()
        }
    }

    fn codes(mut draft: Draft) -> Vec<Code> {
        apply(&mut draft, &Place::batch(), false, &settings_with_page());
        draft.findings.iter().map(|found| found.code).collect()
    }

    #[test]
    fn nothing_is_said_of_a_letter_that_is_in_order() {
        assert_eq!(codes(draft()), []);
    }

    #[test]
    fn the_address_is_of_no_interest_where_only_the_mailbox_will_do() {
        let mut draft = draft();
        draft.address.city = None;
        draft.address.country = "QQ".parse().ok();
        draft.address.postal_code = Some("00 100".into());
        let expected = [
            Code::CountryInvalid,
            Code::AddressIncomplete,
            Code::PostalCodeForm,
        ];
        let mut told = codes(Draft {
            address: PostalAddress {
                country: None,
                ..draft.address.clone()
            },
            ..draft.clone()
        });
        told.extend(codes(draft.clone()));
        for code in expected {
            assert!(told.contains(&code), "{code}");
        }
        draft.wish = ChannelWish::MailboxOnly;
        assert_eq!(codes(draft), []);
    }

    #[test]
    fn a_wrong_id_is_only_told_where_paper_is_wanted() {
        let invalid = || {
            let mut draft = draft();
            draft.recipient = StatedRecipient::Invalid;
            let finding = Finding::new(Code::RecipientIdInvalid, Place::batch(), "");
            draft.findings.push(finding);
            draft
        };
        assert_eq!(codes(invalid()), [Code::RecipientIdInvalid]);
        let on_paper = Draft {
            wish: ChannelWish::PrintOnly,
            ..invalid()
        };
        assert_eq!(codes(on_paper), [Code::RecipientIdIgnored]);
        let denies = |deny_electronic_copy| Draft {
            deny_electronic_only: true,
            deny_electronic_copy,
            ..invalid()
        };
        assert_eq!(codes(denies(true)), [Code::RecipientIdIgnored]);
        assert_eq!(codes(denies(false)), [Code::RecipientIdInvalid]);
    }
}
