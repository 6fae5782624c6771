use super::parcel::{Parcel, too_large};
use crate::{
    domain::{Code, Finding, MessageId, Place},
    mailbox::suomifi::{AttachmentId, Error, SentMessage},
    store::{Door, PutBack, QueuedRow},
};

/// What became of a message that was in hand.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) message: MessageId,
    pub(super) ending: Ending,
}

#[derive(Debug)]
pub(super) enum Ending {
    /// The service has it.
    Sent(SentMessage),
    NoMailbox,
    TooLarge(Finding),
    /// It waits for an operator.
    SetAside(Finding),
    /// It waits again.
    PutBack {
        how: PutBack,
        uploads: Uploads,
    },
}

/// What is to be known at the next try of a message's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uploads {
    /// Nothing new.
    AsBefore,
    /// The service has them, by these ids.
    At(Vec<AttachmentId>),
    /// It has thrown them away.
    Lost,
}

impl Ended {
    pub(super) fn of(queued: &QueuedRow, ending: Ending) -> Self {
        Self {
            message: queued.id,
            ending,
        }
    }

    /// Whether it has left the queue.
    pub(super) fn is_gone(&self) -> bool {
        !matches!(self.ending, Ending::PutBack { .. })
    }

    /// One that waits again, and was not sent.
    pub(super) fn put_back(parcel: &Parcel) -> Self {
        Self::waits_again(parcel, PutBack::NotSent)
    }

    /// One that waits again, because the service does not work.
    pub(super) fn in_trouble(parcel: &Parcel, error: &Error) -> Self {
        Self::waits_again(parcel, doubt(error))
    }

    fn waits_again(parcel: &Parcel, how: PutBack) -> Self {
        let uploads = parcel.new_uploads().map_or(Uploads::AsBefore, Uploads::At);
        Self::of(&parcel.queued, Ending::PutBack { how, uploads })
    }

    /// What the service says of this message; `Err` where it says nothing of it.
    pub(super) fn refused(parcel: &Parcel, error: Error) -> Result<Self, Error> {
        let ending = match error {
            // There is nowhere else for paper to go.
            Error::NoMailbox if parcel.queued.door == Door::Paper => {
                let reason = "the recipient of a letter on paper has no mailbox in use";
                Ending::SetAside(refusal(parcel.queued.id, 400, reason))
            }
            Error::NoMailbox => Ending::NoMailbox,
            Error::TooLarge { bytes } => too_large(&parcel.queued, bytes),
            // What was uploaded at an earlier try may be gone: the service keeps it for a day.
            Error::Refused { status: 400, .. } if parcel.was_uploaded_before() => Ending::PutBack {
                how: PutBack::NotSent,
                uploads: Uploads::Lost,
            },
            Error::Refused { status, reason } => {
                Ending::SetAside(refusal(parcel.queued.id, status, &reason))
            }
            Error::Unreachable { .. }
            | Error::Busy { .. }
            | Error::NotLetIn { .. }
            | Error::Answer { .. }
            | Error::NoPage { .. }
            | Error::PasswordFile { .. }
            | Error::Password { .. }
            | Error::Settings { .. } => return Err(error),
        };
        Ok(Self::of(&parcel.queued, ending))
    }
}

/// Whether the service may have taken a message that it answered like this.
fn doubt(error: &Error) -> PutBack {
    match error {
        Error::Busy { status: 429, .. }
        | Error::NotLetIn { .. }
        | Error::Unreachable {
            may_have_arrived: false,
            ..
        }
        | Error::NoMailbox
        | Error::TooLarge { .. }
        | Error::Refused { .. }
        | Error::NoPage { .. }
        | Error::PasswordFile { .. }
        | Error::Password { .. }
        | Error::Settings { .. } => PutBack::NotSent,
        Error::Unreachable { .. } | Error::Busy { .. } | Error::Answer { .. } => PutBack::InDoubt,
    }
}

/// Of a message that the service may have, and of which it does not say so.
pub(super) fn nobody_knows(message: MessageId, error: &Error) -> Finding {
    let place = Place::message(message.position);
    let detail =
        format!("whether the service has it since an earlier try, it does not say: {error}");
    Finding::new(Code::MailboxServiceRefused, place, detail)
}

fn refusal(message: MessageId, status: u16, reason: &str) -> Finding {
    let place = Place::message(message.position);
    let detail = format!("the service says ({status}): {reason}");
    Finding::new(Code::MailboxServiceRefused, place, detail)
}
