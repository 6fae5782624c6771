use jiff::Timestamp;
use rusqlite::{named_params, params};

use super::{
    BatchRow, Error, StepOutcome, Store, Transaction,
    columns::{Word, maybe_millis, millis},
    error::Doing,
    events, letter_ids,
    matter_addresses::OF_MESSAGE,
    message_events, notices, read_marks, steps,
};
use crate::domain::{
    BatchId, BatchState, Channel, Decision, MessageEvent, MessageId, MessageState, Route,
};

/// A decision about one message.
#[derive(Debug, Clone, Copy)]
pub struct Routed {
    pub position: u32,
    pub decision: Decision,
}

impl Store {
    /// Records a page of decisions in one transaction.
    ///
    /// A refused message lets go of its letter id, so that the sender can send it again, corrected.
    pub fn record_decisions(
        &self,
        batch: BatchId,
        page: &[Routed],
        now: Timestamp,
    ) -> Result<(), Error> {
        // One that has reached its recipient before, and is sent again by name, is held instead of refused:
        // were it told to be refused, its sender would send it once more.
        let sql = format!(
            "UPDATE messages SET channel = :channel, reason = :reason,
                asked_status = :status, asked_at = :asked_at, registered = :registered,
                decided_at = :now, other_address = {OF_MESSAGE},
                state = CASE WHEN :state = 'refused' AND EXISTS (SELECT 1 FROM message_events e
                                  WHERE e.batch = :batch AND e.position = :position
                                    AND e.what IN ('delivered', 'handed-over')) THEN 'held'
                             ELSE :state END,
                waiting_since = CASE WHEN :state = 'waiting' THEN COALESCE(waiting_since, :now) END
             WHERE batch = :batch AND position = :position AND state IN ('accepted', 'waiting')"
        );
        self.write("record decisions", |tx| {
            let mut update = tx.prepare_cached(&sql).doing("record a decision")?;
            for Routed { position, decision } in page {
                let (state, channel) = standing(decision.route);
                update
                    .execute(named_params! {
                        ":batch": batch.0,
                        ":position": position,
                        ":state": state.word(),
                        ":channel": channel.map(Word::word),
                        ":reason": decision.reason.word(),
                        ":status": decision.asked.map(|asked| asked.status.word()),
                        ":asked_at": maybe_millis(decision.asked.map(|asked| asked.at)),
                        ":registered": decision.registered,
                        ":now": millis(now),
                    })
                    .doing("record a decision")?;
                if state == MessageState::Refused {
                    letter_ids::release_if_refused(tx, batch, *position)?;
                }
            }
            Ok(())
        })
    }

    /// Refuses a whole batch once it is routed, in one transaction, before anything of it goes. It has
    /// shown nothing of its sender: the gate is asked as if it had never passed.
    pub fn refuse_routed(&self, row: &BatchRow, why: &str, now: Timestamp) -> Result<(), Error> {
        let doing = "refuse a routed batch";
        let messages = "UPDATE messages SET state = 'refused', channel = NULL, reason = NULL
             WHERE batch = ? AND state IN ('accepted', 'waiting', 'routed')";
        let gate = "UPDATE batches SET gate_passed_at = NULL WHERE id = ?";
        let refused = StepOutcome {
            reason: Some(why.to_owned()),
            ..StepOutcome::next(BatchState::Refused, now)
        };
        self.write(doing, |tx| {
            tx.execute(messages, [row.id.0]).doing(doing)?;
            letter_ids::release_refused(tx, row.id)?;
            tx.execute(gate, [row.id.0]).doing(doing)?;
            steps::finish(tx, row, &refused, now)
        })
    }

    /// Records that a page of messages stands in mailboxes: position and the mailbox's reference.
    pub fn record_deliveries(
        &self,
        batch: BatchId,
        page: &[(u32, String)],
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("record deliveries", |tx| {
            record_deliveries(tx, batch, page, now).map(drop)
        })
    }

    /// As [`Store::record_deliveries`]; recipients who want to be told by e-mail are.
    pub fn record_deliveries_and_tell(
        &self,
        batch: BatchId,
        page: &[(u32, String)],
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("record deliveries", |tx| {
            let delivered = record_deliveries(tx, batch, page, now)?;
            notices::make_due(tx, batch, &delivered, now)
        })
    }

    /// Sends routed messages back to be routed again, in one transaction: their consents were
    /// withdrawn meanwhile.
    pub fn route_again(&self, ids: &[MessageId], now: Timestamp) -> Result<(), Error> {
        let doing = "route messages again";
        let sql = "UPDATE messages SET state = 'accepted', channel = NULL, reason = NULL
             WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
        self.write(doing, |tx| {
            let mut update = tx.prepare_cached(sql).doing(doing)?;
            for MessageId { batch, position } in ids {
                let changed = update.execute(params![batch.0, position]).doing(doing)?;
                if changed == 1 {
                    let what = "status changed: routed again";
                    events::note(tx, now, *batch, Some(*position), what)?;
                }
            }
            Ok(())
        })
    }
}

/// Returns which of them were not delivered before.
fn record_deliveries(
    tx: &Transaction<'_>,
    batch: BatchId,
    page: &[(u32, String)],
    now: Timestamp,
) -> Result<Vec<u32>, Error> {
    let sql = "UPDATE messages SET state = 'delivered', delivered_at = ?3, mailbox_reference = ?4
         WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
    let mut update = tx.prepare_cached(sql).doing("record a delivery")?;
    let mut delivered = Vec::with_capacity(page.len());
    for (position, reference) in page {
        let given = params![batch.0, position, millis(now), reference];
        if update.execute(given).doing("record a delivery")? == 1 {
            delivered.push(*position);
        }
    }
    read_marks::begin(tx, batch, &delivered, now)?;
    let positions = delivered.iter().copied();
    message_events::note(tx, batch, positions, MessageEvent::Delivered, now)?;
    Ok(delivered)
}

fn standing(route: Route) -> (MessageState, Option<Channel>) {
    match route {
        Route::To(channel) => (MessageState::Routed, Some(channel)),
        Route::Wait { .. } => (MessageState::Waiting, None),
        Route::Refused => (MessageState::Refused, None),
    }
}
