//! Setting messages back to a step, so that it is done again.
//!
//! A plan counts the messages of a batch by all that decides what becomes of them ([`plan`]): there
//! are few such groups in a batch of a million. Carrying it out is one statement for all of them
//! ([`carry_out`]).

mod carry_out;
mod listing;
mod plan;
mod verdict;

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::{
    BatchRow, Error, MessageFilter, MessageRow, NewEvent, SpoolKey, Store, Transaction,
    columns::Columns, error::Doing,
};
use crate::domain::{
    BatchId, BundleId, Channel, IllegalMove, MessageId, MessageState, Reason, SenderId, Step,
};

/// What an operator wants done again.
#[derive(Debug, Clone)]
pub struct Reprocess<'a> {
    pub messages: MessageFilter,
    /// Absent means from the first step, or from routing where the channel is chosen.
    pub from: Option<Step>,
    pub way: Way<'a>,
    pub again: Again,
    /// The senders of the settings, where they are known: a batch of another one cannot go on.
    pub senders: Option<Vec<SenderId>>,
    /// How many moves and how many blocked messages a plan lists; it counts all of them.
    pub listed: usize,
}

/// Messages of one batch by their positions: the plain case of [`Reprocess`].
#[derive(Debug, Clone)]
pub struct Selection {
    pub batch: BatchId,
    /// Positions; empty means all that failed (refused or held), or all with `from`.
    pub positions: Vec<u32>,
    /// Absent means from the first step.
    pub from: Option<Step>,
    pub again: Again,
}

/// Which way messages go that are routed again.
#[derive(Clone, Copy, Default)]
pub enum Way<'a> {
    /// As an operator chose before, else as the rules say.
    #[default]
    AsBefore,
    /// As the rules say, whatever an operator chose before.
    ByTheRules,
    /// This channel or none.
    Forced(Channel, Foresee<'a>),
}

/// Why messages of a batch would not go the way that an operator wants; `None` where they would.
pub type Foresee<'a> =
    &'a dyn Fn(&BatchRow, &[MessageRow], Channel) -> Result<Vec<Option<Reason>>, Error>;

/// Which of the effects that have left the house may happen a second time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Again {
    pub print: bool,
    pub deliver: bool,
}

/// Exactly what reprocessing does to one batch, or why it does not.
#[derive(Debug, Clone)]
pub struct ReprocessPlan {
    pub batch: BatchId,
    pub from: Step,
    /// The channel that messages are made to go by.
    pub forced: Option<Channel>,
    /// How many messages are set back.
    pub messages: u64,
    kinds: Vec<Kind>,
    /// The same by what happens to them.
    pub moved: Vec<Moved>,
    /// The first of them, in their order.
    pub moves: Vec<Move>,
    /// Messages that were picked, and that the step is not for.
    pub passed_over: u64,
    /// Bundles taken back before hand-over.
    pub withdrawn: Vec<BundleId>,
    /// Their other letters, which are planned again.
    pub freed: u64,
    /// The number of the processing report that tells the sender of it.
    pub report: u32,
    /// Not empty: nothing is done. The first hindrances, in the order of the messages.
    pub blocked: Vec<Blocked>,
    /// How many hindrances there are.
    pub hindrances: u64,
}

/// Messages to which the same happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Moved {
    pub was: MessageState,
    pub to: MessageState,
    /// They lie in mailboxes and are to be delivered once more.
    pub delivers_again: bool,
    /// The recipients have them, and they may go on paper once more.
    pub prints_again: bool,
    pub messages: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    pub message: MessageId,
    pub was: MessageState,
    pub to: MessageState,
    /// It lies in a mailbox and is to be delivered once more.
    pub delivers_again: bool,
    /// The recipient has it, and it may go on paper once more.
    pub prints_again: bool,
}

/// What becomes of all messages that stand alike: a plan without hindrances is no more than these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    state: MessageState,
    channel: Option<Channel>,
    is_in_mailbox: bool,
    to: MessageState,
    /// They go out once more, by name: their rows forget that they lie there.
    leaves_mailbox: bool,
}

/// What came of reprocessing some batches in one transaction.
#[derive(Debug, Clone)]
pub struct Reprocessing {
    pub plans: Vec<ReprocessPlan>,
    /// Whether all of it was done; else nothing was.
    pub is_done: bool,
}

/// Why a message, or the batch, cannot be set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    #[error("message {0} is in the recipient's mailbox")]
    Delivered(MessageId),
    #[error("message {0} may be in the recipient's mailbox: its delivery has begun and not ended")]
    MayBeDelivered(MessageId),
    #[error("message {0} is being sent to a mailbox service at this moment")]
    Sending(MessageId),
    #[error("message {0} is in bundle {1}, which the print house has")]
    HandedOver(MessageId, BundleId),
    #[error("message {0} was printed before")]
    Printed(MessageId),
    #[error("bundle {0} is being handed over at this moment")]
    HandingOver(BundleId),
    #[error("batch {0} is being worked on at this moment")]
    Working(BatchId),
    #[error("batch {0} was cancelled")]
    Cancelled(BatchId),
    #[error("the letters of batch {0} are kept no more")]
    Purged(BatchId),
    #[error("the settings do not know the sender of batch {0}")]
    SenderGone(BatchId),
    #[error("the sender has sent the letter of message {0} again, as {1}")]
    SentAnew(MessageId, MessageId),
    #[error("message {message} cannot go by {}: {}", .channel.as_str(), .reason.as_str())]
    Forbidden {
        message: MessageId,
        channel: Channel,
        reason: Reason,
    },
    #[error("message {0} cannot be set back: {1}")]
    Illegal(MessageId, IllegalMove),
    #[error("the step `{}` is not for message {message}: {}", .step.as_str(), Steps(.possible))]
    NotForIt {
        message: MessageId,
        step: Step,
        /// In the order of [`Step::ALL`], the steps that are.
        possible: [bool; 5],
    },
    #[error("there is no message {0}")]
    Unknown(MessageId),
    #[error("batch {0} is on hold")]
    OnHold(BatchId),
    #[error("message {0} is held by an operator")]
    MessageOnHold(MessageId),
    #[error("what message {0} said of its recipient was erased")]
    Erased(MessageId),
    #[error("{now} messages of batch {batch} would be set back by now, not {planned}")]
    Changed {
        batch: BatchId,
        planned: u64,
        now: u64,
    },
}

struct Steps<'a>(&'a [bool; 5]);

impl fmt::Display for Steps<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let possible = Step::ALL.iter().zip(self.0).filter(|(_, is)| **is);
        let words: Vec<_> = possible
            .map(|(step, _)| format!("`{}`", step.as_str()))
            .collect();
        match words.split_last() {
            None => f.write_str("no step is"),
            Some((only, [])) => write!(f, "{only} is"),
            Some((last, others)) => write!(f, "{} and {last} are", others.join(", ")),
        }
    }
}

/// Lines of a plan that nobody said a number for.
const LISTED: usize = 1_000;

impl From<&Selection> for Reprocess<'_> {
    fn from(selection: &Selection) -> Self {
        let batch = selection.batch;
        let message = |&position: &u32| MessageId { batch, position };
        let failed = selection.positions.is_empty() && selection.from.is_none();
        let states = if failed { MessageFilter::FAILED } else { &[] };
        Self {
            messages: MessageFilter {
                batches: vec![batch],
                messages: selection.positions.iter().map(message).collect(),
                states: states.to_vec(),
                ..MessageFilter::default()
            },
            from: selection.from,
            way: Way::AsBefore,
            again: selection.again,
            senders: None,
            listed: LISTED,
        }
    }
}

impl Moved {
    /// What happens a second time comes first.
    fn order(&self) -> impl Ord + use<> {
        let once = (!self.delivers_again, !self.prints_again);
        (once, self.was.as_str(), self.to.as_str())
    }
}

impl Kind {
    fn order(self) -> impl Ord + use<> {
        let channel = self.channel.map(Channel::as_str);
        (self.state.as_str(), channel, self.is_in_mailbox)
    }
}

impl Way<'_> {
    pub fn forced(self) -> Option<Channel> {
        match self {
            Self::Forced(channel, _) => Some(channel),
            Self::AsBefore | Self::ByTheRules => None,
        }
    }
}

impl fmt::Debug for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AsBefore => f.write_str("AsBefore"),
            Self::ByTheRules => f.write_str("ByTheRules"),
            Self::Forced(channel, _) => write!(f, "Forced({})", channel.as_str()),
        }
    }
}

impl Store {
    /// Plans and carries out in one transaction, so that nothing moves in between. Where the plan
    /// is blocked, nothing is done.
    pub fn reprocess(
        &self,
        selection: &Selection,
        action: &NewEvent,
    ) -> Result<ReprocessPlan, Error> {
        let batch = selection.batch;
        let mut done = self.reprocess_all(&[(batch, None)], &selection.into(), action)?;
        done.plans.pop().ok_or(Error::NoBatch(batch))
    }

    /// What reprocessing would do to one of the batches that it is for, without doing it.
    pub fn plan_reprocess_of(
        &self,
        batch: BatchId,
        wanted: &Reprocess<'_>,
        now: Timestamp,
    ) -> Result<ReprocessPlan, Error> {
        self.read(|db| plan::of(db, batch, wanted, now))
    }

    /// Plans and carries out for some batches in one transaction: for all of them, or for none where
    /// one is blocked. Beside a batch may stand how many messages of it are expected to move; where
    /// there are others by now, it is blocked.
    ///
    /// Plans that were not reached are not among the answers.
    pub fn reprocess_all(
        &self,
        batches: &[(BatchId, Option<u64>)],
        wanted: &Reprocess<'_>,
        action: &NewEvent,
    ) -> Result<Reprocessing, Error> {
        let done = self.write("reprocess", |tx| {
            tx.execute_batch("SAVEPOINT reprocess").doing("reprocess")?;
            let mut plans = Vec::new();
            for &(batch, expected) in batches {
                let mut plan = plan::of(tx, batch, wanted, action.at)?;
                plan.expect(expected);
                let is_blocked = !plan.blocked.is_empty();
                if !is_blocked {
                    carry_out::all(tx, &plan, wanted, action)?;
                }
                plans.push(plan);
                if is_blocked {
                    undo(tx)?;
                    return Ok(Reprocessing {
                        plans,
                        is_done: false,
                    });
                }
            }
            tx.execute_batch("RELEASE reprocess").doing("reprocess")?;
            Ok(Reprocessing {
                plans,
                is_done: true,
            })
        })?;
        if done.is_done {
            for plan in &done.plans {
                self.remove_files_of(&plan.withdrawn)?;
            }
        }
        Ok(done)
    }

    /// Removes the files of withdrawn bundles, now that no row needs them.
    pub(super) fn remove_files_of(&self, withdrawn: &[BundleId]) -> Result<(), Error> {
        let sql = "SELECT f.spool FROM outgoing_files f JOIN outgoing o ON o.id = f.outgoing
             WHERE o.bundle = ?";
        for bundle in withdrawn {
            let keys: Vec<SpoolKey> = self.read(|db| {
                let mut query = db.prepare_cached(sql).doing("list files")?;
                let rows = query.query_map([bundle.0], |row| Ok(SpoolKey(row.get(0)?)));
                rows.doing("list files")?
                    .collect::<Result<_, _>>()
                    .doing("list files")
            })?;
            for key in keys {
                self.spool().remove(&key)?;
            }
        }
        Ok(())
    }
}

/// What other batches of the same call did before one was blocked.
fn undo(tx: &Transaction<'_>) -> Result<(), Error> {
    tx.execute_batch("ROLLBACK TO reprocess; RELEASE reprocess")
        .doing("undo what was reprocessed")
}

impl ReprocessPlan {
    fn expect(&mut self, expected: Option<u64>) {
        let planned = expected.unwrap_or(self.messages);
        if planned != self.messages && self.blocked.is_empty() {
            self.block(Blocked::Changed {
                batch: self.batch,
                planned,
                now: self.messages,
            });
        }
    }

    fn block(&mut self, blocked: Blocked) {
        self.hindrances += 1;
        self.blocked.push(blocked);
    }
}

/// Whether the outbox has the bundle in its hands: claimed, or past the point of no return.
pub(super) fn is_handing_over(db: &Connection, bundle: BundleId) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM outgoing WHERE bundle = ?
         AND (state = 'handing-over' OR lease_until IS NOT NULL)";
    let mut query = db.prepare_cached(sql).doing("look at a hand-over")?;
    query.exists([bundle.0]).doing("look at a hand-over")
}

pub(super) fn message_id(row: &Row<'_>) -> rusqlite::Result<MessageId> {
    Ok(MessageId {
        batch: row.batch("batch")?,
        position: row.get("position")?,
    })
}
