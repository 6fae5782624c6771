/// Whether a recipient has a digital mailbox, as a mailbox service or the consent register says.
///
/// Consent is one cause of it and not the only one: code asks for the status, so that a change
/// of law stays in the room that answers (`docs/routing.md`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailboxStatus {
    Active,
    Inactive,
    /// There was consent, and it was taken back.
    Withdrawn,
    /// Whoever was asked did not answer.
    Unknown,
}

impl MailboxStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Withdrawn => "withdrawn",
            Self::Unknown => "unknown",
        }
    }
}
