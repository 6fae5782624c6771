use jiff::Timestamp;

use super::{Affects, Finding, MailboxStatus};

/// How a message leaves the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    Mailbox,
    Print,
    /// The mailbox first, then paper too (`denyElectronicOnlyDelivery`).
    MailboxAndPrint,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Mailbox, Self::Print, Self::MailboxAndPrint];

    pub fn uses_mailbox(self) -> bool {
        matches!(self, Self::Mailbox | Self::MailboxAndPrint)
    }

    pub fn uses_print(self) -> bool {
        matches!(self, Self::Print | Self::MailboxAndPrint)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Print => "print",
            Self::MailboxAndPrint => "mailbox-and-print",
        }
    }
}

/// What routing decided for one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    To(Channel),
    /// The mailbox status is not known yet: ask again at this time.
    Wait {
        until: Timestamp,
    },
    Refused,
}

/// Why: the reason codes of `docs/routing.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    ContentUnusable,
    SenderWantsPrint,
    MatterIsPrintOnly,
    NoRecipientId,
    RecipientIdInvalid,
    MailboxActive,
    TooLargeForMailbox,
    MailboxInactive,
    ConsentWithdrawn,
    StatusUnknown,
    /// The service that prints looks itself whether there is a mailbox.
    ServiceChooses,
    SenderWantsMailboxOnly,
    NoPrintContract,
    AddressIncomplete,
    /// The operator said so (`kuori reprocess --channel`).
    OperatorChose,
}

impl Reason {
    pub const ALL: [Self; 15] = [
        Self::ContentUnusable,
        Self::SenderWantsPrint,
        Self::MatterIsPrintOnly,
        Self::NoRecipientId,
        Self::RecipientIdInvalid,
        Self::MailboxActive,
        Self::TooLargeForMailbox,
        Self::MailboxInactive,
        Self::ConsentWithdrawn,
        Self::StatusUnknown,
        Self::ServiceChooses,
        Self::SenderWantsMailboxOnly,
        Self::NoPrintContract,
        Self::AddressIncomplete,
        Self::OperatorChose,
    ];

    /// The stable code that receipts carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContentUnusable => "content-unusable",
            Self::SenderWantsPrint => "sender-wants-print",
            Self::MatterIsPrintOnly => "matter-is-print-only",
            Self::NoRecipientId => "no-recipient-id",
            Self::RecipientIdInvalid => "recipient-id-invalid",
            Self::MailboxActive => "mailbox-active",
            Self::TooLargeForMailbox => "too-large-for-mailbox",
            Self::MailboxInactive => "mailbox-inactive",
            Self::ConsentWithdrawn => "consent-withdrawn",
            Self::StatusUnknown => "status-unknown",
            Self::ServiceChooses => "service-chooses",
            Self::SenderWantsMailboxOnly => "sender-wants-mailbox-only",
            Self::NoPrintContract => "no-print-contract",
            Self::AddressIncomplete => "address-incomplete",
            Self::OperatorChose => "operator-chose",
        }
    }
}

/// What a mailbox service or the register answered, and when it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    pub status: MailboxStatus,
    pub at: Timestamp,
}

/// A route with its reason and with what was asked to reach it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    pub route: Route,
    pub reason: Reason,
    /// `None` where nobody had to be asked.
    pub asked: Option<Asked>,
    /// On paper it goes against a receipt (*saantitodistus*).
    pub registered: bool,
}

/// Which channels a message's content is fit for, after all checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fitness {
    pub mailbox: bool,
    pub print: bool,
}

impl Fitness {
    pub const BOTH: Self = Self {
        mailbox: true,
        print: true,
    };
    pub const NEITHER: Self = Self {
        mailbox: false,
        print: false,
    };
    /// What findings leave open.
    #[must_use]
    pub fn after<'f>(self, findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let closed = findings.into_iter().filter_map(|found| found.code.closes());
        closed.fold(self, |open, closed| Self {
            mailbox: open.mailbox && closed == Affects::Print,
            print: open.print && closed == Affects::Mailbox,
        })
    }

    /// Which channels are open, in one word.
    pub fn as_str(self) -> &'static str {
        match (self.mailbox, self.print) {
            (true, true) => "both",
            (true, false) => "mailbox",
            (false, true) => "print",
            (false, false) => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Code, Place};

    #[test]
    fn findings_close_channels_and_open_none() {
        let after = |start: Fitness, codes: &[Code]| {
            let findings = codes
                .iter()
                .map(|&code| Finding::new(code, Place::batch(), ""));
            start.after(&findings.collect::<Vec<_>>()).as_str()
        };
        assert_eq!(after(Fitness::BOTH, &[Code::AddressIncomplete]), "both");
        assert_eq!(after(Fitness::BOTH, &[Code::PageSize]), "mailbox");
        assert_eq!(after(Fitness::BOTH, &[Code::TooLargeForMailbox]), "print");
        assert_eq!(
            after(Fitness::BOTH, &[Code::TooLargeForMailbox, Code::PageSize]),
            "none"
        );
        assert_eq!(after(Fitness::BOTH, &[Code::RecipientIdInvalid]), "none");
        assert_eq!(after(Fitness::BOTH, &[Code::RecipientIdIgnored]), "print");
        assert_eq!(after(Fitness::NEITHER, &[]), "none");
    }
}
