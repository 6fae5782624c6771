use crate::{domain::MessageEvent, store::columns::Word};

/// What a mailbox service says has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServiceEventKind {
    /// It lies in the mailbox.
    Created,
    Read,
    /// The receipt of a verifiable message was confirmed.
    Confirmed,
    /// It is to go on paper.
    PaperCreated,
    SentForPrinting,
    /// The receipt of a registered letter was confirmed.
    PostConfirmed,
    PostReturned,
    PostUnresolved,
    /// An end user has written to the service.
    FromEndUser,
    /// One that is not known yet.
    Other,
}

/// Why a letter came back of which the service says no more than that: none of the others.
const NO_REASON: &str = "R08";

/// What it means to this house.
pub(super) enum Meaning {
    /// It happened to the message, and why where that is told.
    Event(MessageEvent, Option<&'static str>),
    /// Nothing that is not known otherwise.
    Nothing,
    Unknown,
}

impl ServiceEventKind {
    pub fn as_str(self) -> &'static str {
        self.word()
    }

    /// A message that was sent to the mailbox alone is recorded as delivered when it is sent. Where
    /// the service chose the way, its events tell which one it was.
    pub(super) fn means(self, is_multichannel: bool) -> Meaning {
        match self {
            Self::Created if is_multichannel => Meaning::Event(MessageEvent::Delivered, None),
            Self::Created | Self::PaperCreated | Self::FromEndUser => Meaning::Nothing,
            Self::Read => Meaning::Event(MessageEvent::Read, None),
            Self::Confirmed | Self::PostConfirmed => {
                Meaning::Event(MessageEvent::Acknowledged, None)
            }
            Self::SentForPrinting => Meaning::Event(MessageEvent::HandedOver, None),
            Self::PostReturned => Meaning::Event(MessageEvent::Returned, Some(NO_REASON)),
            Self::PostUnresolved => Meaning::Event(MessageEvent::Unresolved, None),
            Self::Other => Meaning::Unknown,
        }
    }
}
