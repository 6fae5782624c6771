use crate::domain::{PostalAddress, Private};

use super::{
    FaultKind, Spec,
    recipient::{SampleRecipient, recipient},
    wording::{self, Service},
};

/// What the control data says about one letter, faults and all, in either format.
pub(super) struct Row {
    pub(super) letter_id: String,
    /// The identity code, or nothing.
    pub(super) id: Option<String>,
    pub(super) address: PostalAddress,
    /// 1-based page of the PDF on which the letter starts.
    pub(super) start_page: u32,
    pub(super) pages: u32,
    pub(super) subject: &'static str,
    pub(super) service: Service,
}

impl Row {
    pub(super) fn of(spec: &Spec, position: u32, start_page: u32) -> Self {
        let letter = recipient(spec, position);
        let (subject, service) = wording::subject(spec.seed, position);
        Self {
            letter_id: letter_id(spec, &letter),
            id: stated_id(spec, &letter),
            start_page,
            pages: stated_pages(spec, &letter),
            address: stated_address(spec, letter),
            subject,
            service,
        }
    }
}

/// A field of an address as text; empty where it is absent.
pub(super) fn text(field: Option<&Private<String>>) -> &str {
    field.map_or("", |field| field.expose())
}

fn letter_id(spec: &Spec, letter: &SampleRecipient) -> String {
    let repeated = spec.has_fault(letter.position, FaultKind::LetterIdRepeated);
    if repeated && letter.position > 1 {
        return recipient(spec, letter.position - 1).letter_id;
    }
    letter.letter_id.clone()
}

fn stated_id(spec: &Spec, letter: &SampleRecipient) -> Option<String> {
    let code = letter.id.as_ref().map(|id| id.expose().to_owned());
    if !spec.has_fault(letter.position, FaultKind::IdentityCodeSlip) {
        return code;
    }
    // `0` and `1` are check characters both; whichever it is not makes the slip.
    let code = code.unwrap_or_else(|| "010190-9000".to_owned());
    let (rest, check) = code.split_at(code.len().saturating_sub(1));
    Some(format!("{rest}{}", if check == "0" { "1" } else { "0" }))
}

fn stated_pages(spec: &Spec, letter: &SampleRecipient) -> u32 {
    let pages = u32::from(letter.pages);
    if spec.has_fault(letter.position, FaultKind::PageTooMany) {
        pages + 1
    } else if spec.has_fault(letter.position, FaultKind::PageTooFew) {
        pages - 1
    } else {
        pages
    }
}

fn stated_address(spec: &Spec, letter: SampleRecipient) -> PostalAddress {
    let mut address = letter.address;
    if spec.has_fault(letter.position, FaultKind::PostalCodeMissing) {
        address.postal_code = None;
    }
    address
}
