use jiff::Timestamp;
use rusqlite::{OptionalExtension, named_params, params};

use super::{
    BatchRow, Error, StepOutcome, Store, Transaction,
    batches::batch_row,
    columns::{Columns, Word, maybe_millis, millis},
    error::Doing,
    events,
    held_back::{Which, hold_back},
    holds, mailbox_queue, message_events,
};
use crate::domain::{BatchId, BatchState, SenderId};

/// Which of the batches that are due may be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Those in these states.
    pub states: &'a [BatchState],
    /// Those whose file has no more bytes than this.
    pub max_bytes: u64,
    /// Those in the middle of which the program has ended at least so often.
    pub min_crashes: u32,
    /// Batches whose step goes on in this process, or is just ending. One of them is claimed only once
    /// that step has let go of it itself: when its lease has run out, or somebody else has
    /// taken the batch from it, it may still be writing.
    pub in_hand: &'a [BatchId],
}

/// Batches of one sender, all in one state, that are due and that nobody has claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepsWaiting {
    pub sender: SenderId,
    pub state: BatchState,
    /// Of the smallest file among them.
    pub least_bytes: u64,
    /// How often the program has ended in the middle of one of them, at most.
    pub most_crashes: u32,
}

/// Due, and claimed by nobody who still works on it.
const FREE: &str = "due_at <= :now AND (lease_until IS NULL OR lease_until <= :now)
     AND (lease = 0 OR id NOT IN (SELECT value FROM json_each(:in_hand)))";

/// The row is held by the claim that this was read with. Who takes a batch away from its step ends
/// the lease.
const IS_HELD: &str = "id = :id AND lease = :lease AND (lease_until IS NULL) = :is_free";

impl Store {
    /// What waits for a step, in a few rows.
    pub fn steps_waiting(
        &self,
        in_hand: &[BatchId],
        now: Timestamp,
    ) -> Result<Vec<StepsWaiting>, Error> {
        let doing = "look for steps that are due";
        let sql = format!(
            "SELECT sender, state, MIN(bytes) AS least_bytes, MAX(crashes) AS most_crashes
               FROM batches WHERE {FREE} GROUP BY sender, state"
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing(doing)?;
            let given = named_params! {":now": millis(now), ":in_hand": ids(in_hand)};
            let rows = query.query_map(given, |row| {
                Ok(StepsWaiting {
                    sender: row.parsed("sender")?,
                    state: row.word("state")?,
                    least_bytes: row.get("least_bytes")?,
                    most_crashes: row.get("most_crashes")?,
                })
            });
            rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
        })
    }

    /// Takes the batch whose turn it is, so that no other worker takes it too: of the sender who was
    /// served longest ago, the one that stands first in the line.
    pub fn claim_step(
        &self,
        claim: &Claim<'_>,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<BatchRow>, Error> {
        let doing = "claim a batch";
        let sql = format!(
            "UPDATE batches SET lease_until = :lease_until, lease = :turn, attempts = attempts + 1
             WHERE id = (SELECT b.id FROM batches b LEFT JOIN senders s ON s.name = b.sender
                          WHERE {FREE} AND bytes <= :max_bytes AND crashes >= :min_crashes
                            AND state IN (SELECT value FROM json_each(:states))
                          ORDER BY COALESCE(s.last_turn, 0), b.line, b.id LIMIT 1)
             RETURNING *"
        );
        self.write(doing, |tx| {
            let turn = next_turn(tx)?;
            let given = named_params! {
                ":now": millis(now),
                ":lease_until": millis(lease_until),
                ":turn": turn,
                ":max_bytes": i64::try_from(claim.max_bytes).unwrap_or(i64::MAX),
                ":min_crashes": claim.min_crashes,
                ":states": words(claim.states),
                ":in_hand": ids(claim.in_hand),
            };
            let mut query = tx.prepare_cached(&sql).doing(doing)?;
            let row = query.query_row(given, batch_row).optional().doing(doing)?;
            if let Some(row) = &row {
                let sql = "UPDATE senders SET last_turn = ?2 WHERE name = ?1";
                let given = params![row.sender.as_str(), turn];
                tx.execute(sql, given).doing(doing)?;
            }
            Ok(row)
        })
    }

    /// As [`Store::claim_step`], of all batches that are due.
    pub fn claim_due_batch(
        &self,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<BatchRow>, Error> {
        let any = Claim {
            states: &BatchState::ALL,
            max_bytes: u64::MAX,
            min_crashes: 0,
            in_hand: &[],
        };
        self.claim_step(&any, now, lease_until)
    }

    /// Keeps a claim for longer; `false` where it is gone: the step has ended, or somebody has taken
    /// the batch from it.
    pub fn renew_step(&self, row: &BatchRow, lease_until: Timestamp) -> Result<bool, Error> {
        let doing = "renew a lease";
        let sql = "UPDATE batches SET lease_until = ?3
             WHERE id = ?1 AND lease = ?2 AND lease_until IS NOT NULL";
        self.write(doing, |tx| {
            let given = params![row.id.0, row.lease, millis(lease_until)];
            Ok(tx.execute(sql, given).doing(doing)? == 1)
        })
    }

    /// Puts a step that is not done yet at the end of its sender's line; it goes on behind message
    /// `after` when it is its turn again.
    pub fn give_way(&self, row: &BatchRow, after: u32) -> Result<(), Error> {
        let doing = "give way";
        let sql = format!(
            "UPDATE batches SET lease_until = NULL, lease = 0, attempts = 0, last_error = NULL,
                    line = :line, resume_after = :after
              WHERE {IS_HELD} AND state = :was"
        );
        self.write(doing, |tx| {
            let line = next_turn(tx)?;
            let given = named_params! {
                ":id": row.id.0,
                ":lease": row.lease,
                ":is_free": row.lease_until.is_none(),
                ":was": row.state.word(),
                ":line": line,
                ":after": after,
            };
            if tx.execute(&sql, given).doing(doing)? == 1 {
                return Ok(());
            }
            let_go(tx, row)
        })
    }

    /// Moves a batch on after a step.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] where the step holds the batch no more; nothing is changed then. So it is
    /// with everything that ends a step.
    pub fn finish_step(
        &self,
        row: &BatchRow,
        outcome: &StepOutcome,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("finish a step", |tx| finish(tx, row, outcome, now))
    }

    /// Keeps the batch where it is and tries the same step again later, unless an operator moved it
    /// meanwhile.
    pub fn retry_step(&self, row: &BatchRow, error: &str, at: Timestamp) -> Result<(), Error> {
        self.write("put a step off", |tx| put_off(tx, row, error, at, 0))
    }

    /// As [`Store::retry_step`], for a step that did not fail: this was no try, and says nothing of
    /// whether it can be done.
    pub fn put_down(&self, row: &BatchRow, why: &str, at: Timestamp) -> Result<(), Error> {
        self.write("put a step down", |tx| put_off(tx, row, why, at, 1))
    }

    /// Whether somebody has moved the batch since the step began: an operator put it on hold.
    pub fn has_moved(&self, row: &BatchRow) -> Result<bool, Error> {
        let doing = "look at a batch";
        let sql = "SELECT state <> ?2 FROM batches WHERE id = ?1";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing(doing)?;
            let moved = query.query_row(params![row.id.0, row.state.word()], |row| row.get(0));
            moved.doing(doing)
        })
    }

    /// Lets go of a batch that was moved in the middle of a step: what the step has recorded stands.
    pub fn let_go(&self, row: &BatchRow) -> Result<(), Error> {
        self.write("let go of a batch", |tx| let_go(tx, row))
    }

    /// Frees what a program that is gone had claimed. Only for a start, under the folder's lock. Unless
    /// that program was told to stop, each of these steps is one that it may have ended by.
    pub fn release_leases(&self) -> Result<(), Error> {
        self.write("release leases", |tx| {
            tx.execute_batch(
                "UPDATE batches SET lease_until = NULL, lease = 0,
                        attempts = MAX(attempts - 1, 0),
                        crashes = crashes + (SELECT 1 - is_stopping FROM runner)
                  WHERE lease_until IS NOT NULL;
                 UPDATE delivery_reports SET lease_until = NULL, lease = 0,
                        attempts = MAX(attempts - 1, 0),
                        crashes = crashes + (SELECT 1 - is_stopping FROM runner)
                  WHERE lease_until IS NOT NULL;
                 UPDATE outgoing SET lease_until = NULL WHERE lease_until IS NOT NULL;",
            )
            .doing("release leases")?;
            mailbox_queue::release_all(tx)?;
            // What a daemon that is gone had in its hands could not be held.
            hold_back(tx, Which::All, Timestamp::UNIX_EPOCH)
        })
    }

    /// Records whether the program was told to stop: what it leaves leased then, it has not ended by.
    pub fn note_stopping(&self, is_stopping: bool) -> Result<(), Error> {
        let doing = "record a stop";
        let sql = "UPDATE runner SET is_stopping = ?1 WHERE is_stopping <> ?1";
        self.write(doing, |tx| {
            tx.execute(sql, [is_stopping]).doing(doing)?;
            Ok(())
        })
    }
}

/// The number of the next claim.
pub(super) fn next_turn(tx: &Transaction<'_>) -> Result<i64, Error> {
    let sql = "UPDATE runner SET last_turn = last_turn + 1 RETURNING last_turn";
    let mut query = tx.prepare_cached(sql).doing("count a claim")?;
    query.query_row([], |row| row.get(0)).doing("count a claim")
}

/// Moves the batch on, unless an operator moved it meanwhile: then the operator's move stands, and
/// the step only lets go of the batch.
pub(super) fn finish(
    tx: &Transaction<'_>,
    row: &BatchRow,
    outcome: &StepOutcome,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE batches SET state = :state, due_at = :due, reason = :reason, lease_until = NULL,
                lease = 0, attempts = 0, crashes = 0, resume_after = 0, last_error = NULL
          WHERE {IS_HELD} AND state = :was"
    );
    let given = named_params! {
        ":id": row.id.0,
        ":lease": row.lease,
        ":is_free": row.lease_until.is_none(),
        ":was": row.state.word(),
        ":state": outcome.state.word(),
        ":due": maybe_millis(outcome.due_at),
        ":reason": outcome.reason,
    };
    if tx.execute(&sql, given).doing("finish a step")? == 0 {
        return let_go(tx, row);
    }
    message_events::note_stopped(tx, row.id, now)?;
    if outcome.due_at.is_none() {
        message_events::note_rest(tx, row.id, now)?;
    }
    if outcome.state != row.state {
        holds::forget_open(tx, row.id)?;
        let why = outcome.reason.as_deref();
        events::note_because(tx, now, row.id, outcome.state.word(), why)?;
    }
    Ok(())
}

fn put_off(
    tx: &Transaction<'_>,
    row: &BatchRow,
    error: &str,
    at: Timestamp,
    no_tries: u32,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE batches SET lease_until = NULL, lease = 0, due_at = :at,
                last_error = :error, crashes = crashes * :no_tries,
                attempts = MAX(attempts - :no_tries, 0)
          WHERE {IS_HELD} AND state = :was"
    );
    let given = named_params! {
        ":id": row.id.0,
        ":lease": row.lease,
        ":is_free": row.lease_until.is_none(),
        ":was": row.state.word(),
        ":at": millis(at),
        ":error": error,
        ":no_tries": no_tries,
    };
    if tx.execute(&sql, given).doing("put a step off")? == 1 {
        return Ok(());
    }
    let_go(tx, row)
}

/// Ends the lease that this step was claimed with, and no other.
fn let_go(tx: &Transaction<'_>, row: &BatchRow) -> Result<(), Error> {
    let sql = format!(
        "UPDATE batches SET lease_until = NULL, lease = 0, attempts = 0, crashes = 0,
                resume_after = 0
          WHERE {IS_HELD}"
    );
    let given = named_params! {
        ":id": row.id.0,
        ":lease": row.lease,
        ":is_free": row.lease_until.is_none(),
    };
    match tx.execute(&sql, given).doing("let go of a batch")? {
        0 => Err(Error::LeaseLost(row.id)),
        _ => Ok(()),
    }
}

pub(super) fn ids(batches: &[BatchId]) -> String {
    let ids: Vec<_> = batches.iter().map(|batch| batch.0.to_string()).collect();
    format!("[{}]", ids.join(","))
}

fn words(states: &[BatchState]) -> String {
    let words = states.iter().map(|state| format!("\"{}\"", state.word()));
    format!("[{}]", words.collect::<Vec<_>>().join(","))
}
