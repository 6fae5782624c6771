use std::sync::LazyLock;

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
    Asked, BatchId, BatchState, Channel, Decision, MessageEvent, MessageId, MessageState, Reason,
    Route,
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
        self.write("record decisions", |tx| {
            for (standing, positions) in alike(page) {
                stand(tx, batch, &standing, &positions, now)?;
                if standing.state == MessageState::Refused {
                    for position in positions {
                        letter_ids::release_if_refused(tx, batch, position)?;
                    }
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

/// What a decision says in the row of a message.
#[derive(PartialEq, Eq)]
struct Standing {
    state: MessageState,
    channel: Option<Channel>,
    reason: Reason,
    asked: Option<Asked>,
    registered: bool,
}

impl From<Decision> for Standing {
    fn from(decision: Decision) -> Self {
        let (state, channel) = match decision.route {
            Route::To(channel) => (MessageState::Routed, Some(channel)),
            Route::Wait { .. } => (MessageState::Waiting, None),
            Route::Refused => (MessageState::Refused, None),
        };
        Self {
            state,
            channel,
            reason: decision.reason,
            asked: decision.asked,
            registered: decision.registered,
        }
    }
}

/// The positions by what is decided of them: in a page there are few ways.
fn alike(page: &[Routed]) -> Vec<(Standing, Vec<u32>)> {
    let mut alike: Vec<(Standing, Vec<u32>)> = Vec::new();
    for Routed { position, decision } in page {
        let standing = Standing::from(*decision);
        match alike.iter_mut().find(|(it, _)| *it == standing) {
            Some((_, positions)) => positions.push(*position),
            None => alike.push((standing, vec![*position])),
        }
    }
    alike
}

/// Writes what is decided of all these messages in one statement. With one a message, SQLite would set
/// aside a copy of each page that it changes for every one of them.
fn stand(
    tx: &Transaction<'_>,
    batch: BatchId,
    standing: &Standing,
    positions: &[u32],
    now: Timestamp,
) -> Result<(), Error> {
    let doing = "record decisions";
    let mut update = tx.prepare_cached(&STAND).doing(doing)?;
    let asked = standing.asked;
    let given = named_params! {
        ":batch": batch.0,
        // Numbers between brackets are JSON too.
        ":positions": format!("{positions:?}"),
        ":state": standing.state.word(),
        ":channel": standing.channel.map(Word::word),
        ":reason": standing.reason.word(),
        ":status": asked.map(|asked| asked.status.word()),
        ":asked_at": maybe_millis(asked.map(|asked| asked.at)),
        ":registered": standing.registered,
        ":now": millis(now),
    };
    update.execute(given).doing(doing)?;
    Ok(())
}

/// One that has reached its recipient before, and is sent again by name, is held instead of refused:
/// were it told to be refused, its sender would send it once more.
///
/// The plus sign: by the index of states, SQLite would go through the whole batch for each page.
static STAND: LazyLock<String> = LazyLock::new(|| {
    format!(
        "UPDATE messages SET channel = :channel, reason = :reason,
            asked_status = :status, asked_at = :asked_at, registered = :registered,
            decided_at = :now, other_address = {OF_MESSAGE},
            state = CASE WHEN :state = 'refused' AND EXISTS (SELECT 1 FROM message_events e
                              WHERE e.batch = messages.batch AND e.position = messages.position
                                AND e.what IN ('delivered', 'handed-over')) THEN 'held'
                         ELSE :state END,
            waiting_since = CASE WHEN :state = 'waiting' THEN COALESCE(waiting_since, :now) END
         WHERE batch = :batch AND position IN (SELECT value FROM json_each(:positions))
           AND +state IN ('accepted', 'waiting')"
    )
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::MailboxStatus;

    fn letters(store: &Store) {
        let sql = "INSERT INTO senders (name) VALUES ('city');
             INSERT INTO batches
                (id, sender, file_name, bytes, sha256, spool, received_at, state)
             VALUES (1, 'city', 'a.zip', 1, '', 'batches/a.zip', 1, 'received');
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 6)
             INSERT INTO messages (batch, position, state, recipient_kind, document, first_page,
                page_count, service, wish, deny_only, deny_copy, attachments, fit_mailbox, fit_print)
             SELECT 1, i, 'accepted', 'absent', 'a.pdf', i, 1, 'ordinary', 'any', 0, 0, '', 1, 1
               FROM n;
             INSERT INTO letter_ids (sender, letter_id, batch, position)
             SELECT 'city', 'letter ' || position, 1, position FROM messages;
             INSERT INTO message_events (batch, position, change, what, at)
             VALUES (1, 4, 1, 'handed-over', 1);";
        store
            .write("try", |tx| tx.execute_batch(sql).doing("try"))
            .unwrap();
    }

    fn routed(position: u32, route: Route, reason: Reason, asked: Option<i64>) -> Routed {
        let asked = asked.map(|at| Asked {
            status: MailboxStatus::Active,
            at: Timestamp::from_second(at).unwrap(),
        });
        let decision = Decision {
            route,
            reason,
            asked,
            registered: false,
        };
        Routed { position, decision }
    }

    #[test]
    fn each_message_of_a_page_gets_its_own_decision() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        letters(&store);
        let (mailbox, print) = (Route::To(Channel::Mailbox), Route::To(Channel::Print));
        let wait = |secs| Route::Wait {
            until: Timestamp::from_second(secs).unwrap(),
        };
        let now = Timestamp::from_second(9).unwrap();
        let page = [
            routed(1, mailbox, Reason::MailboxActive, Some(7)),
            routed(2, print, Reason::NoRecipientId, None),
            routed(3, Route::Refused, Reason::RecipientIdInvalid, None),
            routed(4, Route::Refused, Reason::RecipientIdInvalid, None),
            routed(5, mailbox, Reason::MailboxActive, Some(8)),
            routed(6, wait(10), Reason::StatusUnknown, None),
        ];
        store.record_decisions(BatchId(1), &page, now).unwrap();
        // What has gone on its way stays there.
        let late = [routed(1, print, Reason::OperatorChose, None)];
        store.record_decisions(BatchId(1), &late, now).unwrap();
        let sql = "SELECT group_concat(CONCAT_WS(' ', position, state, channel, reason, asked_at,
                    waiting_since, decided_at, (SELECT 'has its id' FROM letter_ids l
                                                 WHERE l.position = m.position)),
                '\n' ORDER BY position)
             FROM messages m";
        let found: String = store
            .read(|db| db.query_row(sql, [], |row| row.get(0)).doing("try"))
            .unwrap();
        insta::assert_snapshot!(found, @"
        1 routed mailbox mailbox-active 7000 9000 has its id
        2 routed print no-recipient-id 9000 has its id
        3 refused recipient-id-invalid 9000
        4 held recipient-id-invalid 9000 has its id
        5 routed mailbox mailbox-active 8000 9000 has its id
        6 waiting status-unknown 9000 9000 has its id
        ");
    }
}
