use jiff::Timestamp;

use super::parcel::{Parcel, too_large};
use crate::{
    domain::{Code, Finding, MessageId, Place},
    mailbox::suomifi::{AttachmentId, Error, SentMessage},
    store::{Door, PutBack, QueuedRow, Refusals},
    telemetry,
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
    /// Its recipient wants none of it in a mailbox any more.
    NotWanted,
    TooLarge(Finding),
    /// It waits for an operator.
    SetAside(Finding),
    /// It waits again.
    PutBack {
        how: PutBack,
        uploads: Uploads,
        /// The others go without it until then.
        until: Option<Timestamp>,
    },
}

/// What is to be known at the next try of a message's files.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uploads {
    /// Nothing new.
    AsBefore,
    /// The service has them by these ids, since then.
    At(Vec<AttachmentId>, Timestamp),
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

    /// The same, but the others go without it until then.
    pub(super) fn put_off(mut self, at: Timestamp) -> Self {
        if let Ending::PutBack { until, .. } = &mut self.ending {
            *until = Some(at);
        }
        self
    }

    pub(super) fn is_put_off(&self) -> bool {
        matches!(self.ending, Ending::PutBack { until: Some(_), .. })
    }

    /// Whether it waits again, and the service may have it.
    pub(super) fn is_in_doubt(&self) -> bool {
        let Ending::PutBack { how, .. } = &self.ending else {
            return false;
        };
        *how == PutBack::InDoubt
    }

    /// One that waits again, because the service was asked for something else than to take it, in vain.
    pub(super) fn unanswered(queued: &QueuedRow) -> Self {
        let ending = Ending::PutBack {
            how: PutBack::NotSent,
            uploads: Uploads::AsBefore,
            until: None,
        };
        Self::of(queued, ending)
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
        let uploads = parcel
            .new_uploads()
            .map_or(Uploads::AsBefore, |(ids, at)| Uploads::At(ids, at));
        let ending = Ending::PutBack {
            how,
            uploads,
            until: None,
        };
        Self::of(&parcel.queued, ending)
    }

    /// What the service says of this message; `Err` where it says nothing of it. What was uploaded before
    /// `fresh_since` it may have thrown away.
    pub(super) fn refused(
        parcel: &Parcel,
        error: Error,
        fresh_since: Timestamp,
    ) -> Result<Self, Error> {
        let ending = match error {
            // There is nowhere else for paper to go.
            Error::NoMailbox if parcel.queued.door == Door::Paper => {
                let reason = "the recipient of a letter on paper has no mailbox in use";
                Ending::SetAside(refusal(parcel.queued.id, 400, reason))
            }
            Error::NoMailbox => Ending::NoMailbox,
            Error::TooLarge { bytes } => too_large(&parcel.queued, bytes),
            Error::Refused { status: 400, .. } if parcel.contents.may_be_lost(fresh_since) => {
                Ending::PutBack {
                    how: PutBack::NotSent,
                    uploads: Uploads::Lost,
                    until: None,
                }
            }
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

/// Of a message that the service does not take while it takes others.
pub(super) fn given_up(
    message: MessageId,
    refusals: &Refusals,
    now: Timestamp,
    last: &Error,
) -> Finding {
    let place = Place::message(message.position);
    let since = refusals.apart_since.unwrap_or(now);
    let hours = now.duration_since(since).as_hours();
    let (tries, words) = (refusals.apart, telemetry::with_causes(last));
    let detail = format!(
        "the service takes others and not this one, in {tries} tries over {hours} h; at last: {words}"
    );
    Finding::new(Code::MailboxServiceRefused, place, detail)
}

fn refusal(message: MessageId, status: u16, reason: &str) -> Finding {
    let place = Place::message(message.position);
    let detail = format!("the service says ({status}): {reason}");
    Finding::new(Code::MailboxServiceRefused, place, detail)
}
