//! Nothing is kept longer than its sender's settings say.

use jiff::{Timestamp, ToSpan};

use super::Error;
use crate::{
    domain::{BatchId, SenderId},
    store::{BatchPurge, Kept, NewEvent, PurgeRule, Store},
};

/// Batches that are looked for at a time.
const PAGE: u32 = 500;

/// How many days something is kept after the last thing that happened to its batch; 0 is for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The sender's file and the files of its bundles.
    pub payload_days: u32,
    /// What the rows of messages say of people. Not before the payload.
    pub rows_days: u32,
    /// The sender's letter ids, by which a letter that comes again is known.
    pub letter_id_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            payload_days: 90,
            // Thirteen months: the same letter of a year ago can still be compared.
            rows_days: 400,
            letter_id_days: 0,
        }
    }
}

impl Retention {
    /// What of a sender's batches goes now.
    pub fn rule(&self, sender: SenderId, now: Timestamp) -> PurgeRule {
        PurgeRule {
            sender: Some(sender),
            batch: None,
            payload_before: days_before(now, self.payload_days),
            people_before: days_before(now, self.rows_days),
            letter_ids_before: days_before(now, self.letter_id_days),
        }
    }
}

/// `None` where it is kept for good.
pub fn days_before(now: Timestamp, days: u32) -> Option<Timestamp> {
    let hours = i64::from(days).checked_mul(24).filter(|hours| *hours > 0)?;
    now.checked_sub(hours.hours()).ok()
}

/// What a purge has taken, or with no action would take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub batches: u64,
    pub files: u64,
    pub bytes: u64,
    pub people: u64,
    pub letter_ids: u64,
    /// Old enough, and not at an end.
    pub kept: u64,
}

impl Forgotten {
    fn add(&mut self, purge: &BatchPurge) {
        self.batches += 1;
        self.files += purge.files.len() as u64;
        self.bytes = self.bytes.saturating_add(purge.bytes);
        self.people += purge.people;
        self.letter_ids += purge.letter_ids;
    }
}

/// Takes what the rules take, batch after batch, and tells of each; with no action it is only said
/// what would go. Each batch is a few transactions of its own, so that nobody waits long.
pub fn forget(
    store: &Store,
    rules: &[PurgeRule],
    action: Option<&NewEvent>,
    is_stopped: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(BatchId, &Result<BatchPurge, Kept>),
) -> Result<Forgotten, Error> {
    let mut forgotten = Forgotten::default();
    for rule in rules {
        let mut after = None;
        loop {
            let page = store.purge_candidates(rule, after, PAGE)?;
            let Some(&last) = page.last() else { break };
            for batch in page {
                if is_stopped() {
                    return Err(Error::Stopped);
                }
                let taken = match action {
                    Some(action) => store.purge(rule, batch, action)?,
                    None => store.plan_purge(rule, batch)?,
                };
                match &taken {
                    Ok(purge) if purge.is_empty() => continue,
                    Ok(purge) => forgotten.add(purge),
                    Err(_) => forgotten.kept += 1,
                }
                tell(batch, &taken);
            }
            after = Some(last);
        }
    }
    if let Some(action) = action {
        store.end_purge(forgotten.batches, action)?;
    }
    Ok(forgotten)
}
