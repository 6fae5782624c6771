use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::words::{Time, counted},
    store::{QueuedRow, SentPost},
};

/// A message's place in the queue of a mailbox service.
#[derive(Serialize, JsonSchema)]
pub(super) struct QueuedLine {
    service: String,
    since: Time,
    /// 1-based, among those of its batch: batches take turns.
    place_in_batch: u64,
    /// On its way at this moment.
    is_sending: bool,
    /// The service may have it: it was sent, and no answer came.
    is_in_doubt: bool,
    /// How often it was sent.
    tries: u32,
    /// How often the service had taken others, and not this one.
    refusals: u32,
    /// What it said at last, where it did not take it.
    last_refusal: Option<String>,
    /// Until then the others go without it.
    retry_at: Option<Time>,
    /// By which the service knows it.
    external_id: String,
}

impl QueuedLine {
    pub(super) fn of(row: QueuedRow, ahead: u64) -> Self {
        Self {
            service: row.service.to_string(),
            since: Time(row.queued_at),
            place_in_batch: ahead + 1,
            is_sending: row.is_sending,
            is_in_doubt: row.is_in_doubt,
            tries: row.tries,
            refusals: row.refusals,
            last_refusal: row.last_refusal,
            retry_at: row.retry_at.map(Time),
            external_id: row.external_id,
        }
    }
}

impl fmt::Display for QueuedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            since,
            place_in_batch,
            ..
        } = self;
        if self.is_sending {
            return write!(f, "is being sent to {service}, as `{}`", self.external_id);
        }
        write!(
            f,
            "waits for {service} since {since}, place {place_in_batch} of its batch, as `{}`",
            self.external_id
        )?;
        if self.tries > 0 {
            write!(f, ", {}", counted(self.tries.into(), "try", "tries"))?;
        }
        if self.is_in_doubt {
            f.write_str("; the service may have it")?;
        }
        self.refused(f)
    }
}

impl QueuedLine {
    fn refused(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.refusals > 0 {
            let times = counted(self.refusals.into(), "try", "tries");
            write!(f, "; the service takes others and not it, in {times}")?;
        }
        if let Some(words) = &self.last_refusal {
            write!(f, "; at last: {words}")?;
        }
        if let Some(at) = &self.retry_at {
            write!(f, "; it is tried again at {at}")?;
        }
        Ok(())
    }
}

/// A message that a mailbox service has.
#[derive(Serialize, JsonSchema)]
pub(super) struct PostLine {
    service: String,
    /// The service's own number of it.
    number: i64,
    /// By which we name it to the service.
    external_id: String,
    sent_at: Time,
}

impl From<SentPost> for PostLine {
    fn from(post: SentPost) -> Self {
        Self {
            service: post.service.to_string(),
            number: post.number,
            external_id: post.external_id,
            sent_at: Time(post.sent_at),
        }
    }
}

impl fmt::Display for PostLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            number,
            external_id,
            sent_at,
        } = self;
        write!(
            f,
            "{service} has it since {sent_at} as {number}, by our id `{external_id}`"
        )
    }
}
