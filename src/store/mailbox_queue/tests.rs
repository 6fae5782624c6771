mod deeds;
mod refusals;
mod restarts;
mod rules;
mod sending;
mod services;
mod set_back;
mod settling;
mod turns;

use jiff::SignedDuration;
use rusqlite::params;

use super::*;
use crate::{
    domain::{
        BatchState, Breach, BundleId, Channel, Code, Finding, MailboxStatus, MessageState, Place,
        Step,
    },
    store::{
        Again, Blocked, CannotCancel, CannotMove, Extent, MessageDeed, MessageRow, NewEvent,
        PutBack, Reprocess, ReprocessPlan, Selection, SentRow, ServiceInSettings, Uploaded,
        Verification, Way,
    },
};

/// A house with batches whose messages are all routed to the mailbox.
struct House {
    _folder: tempfile::TempDir,
    store: Store,
}

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(secs: i64) -> Timestamp {
    START + SignedDuration::from_secs(secs)
}

fn service() -> ServiceName {
    "city-letters".parse().unwrap()
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self {
            _folder: folder,
            store,
        }
    }

    fn sql(&self, sql: &str) {
        let done = self
            .store
            .write("try", |tx| tx.execute_batch(sql).doing("try"));
        done.unwrap();
    }

    fn number(&self, sql: &str) -> i64 {
        let found = self
            .store
            .read(|db| db.query_row(sql, [], |row| row.get(0)).doing("try"));
        found.unwrap()
    }

    /// A batch that is reported, with so many messages for the mailbox.
    fn batch(&self, sender: &str, messages: u32) -> BatchRow {
        let batch = "INSERT INTO batches
                (sender, file_name, bytes, sha256, spool, received_at, state, shape)
             SELECT ?1, 'a.zip', 1, COUNT(*), 'batches/a.zip', 1, 'received', 'ipost'
               FROM batches RETURNING id";
        let letters = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
             INSERT INTO messages (batch, position, state, recipient_kind, document, first_page,
                page_count, service, wish, deny_only, deny_copy, attachments, fit_mailbox, fit_print)
             SELECT ?1, i, 'accepted', 'absent', 'a.pdf', i, 1, 'ordinary', 'any', 0, 0, '', 1, 1
               FROM n";
        let id: u64 = self
            .store
            .write("try", |tx| {
                tx.execute("INSERT OR IGNORE INTO senders (name) VALUES (?)", [sender])
                    .doing("try")?;
                let id: u64 = tx
                    .query_row(batch, [sender], |row| row.get(0))
                    .doing("try")?;
                tx.execute(letters, params![id, messages]).doing("try")?;
                Ok(id)
            })
            .unwrap();
        self.sql(&format!(
            "UPDATE messages SET state = 'routed', channel = 'mailbox' WHERE batch = {id}"
        ));
        for state in ["opened", "routed", "delivered", "composed", "reported"] {
            self.sql(&format!(
                "UPDATE batches SET state = '{state}' WHERE id = {id}"
            ));
        }
        self.store.batch(BatchId(id)).unwrap()
    }

    fn queued_batch(&self, sender: &str, messages: u32, now: Timestamp) -> BatchRow {
        let row = self.batch(sender, messages);
        let queued = (self.store).enqueue(&row, &service(), &page(row.id, messages), now);
        assert_eq!(queued.unwrap(), u64::from(messages));
        row
    }

    fn turn(&self) -> Option<u64> {
        let turn = self.store.queue_turn(&service(), &[]).unwrap();
        turn.map(|turn| turn.batch.0)
    }

    fn take(&self, batch: BatchId, limit: u32) -> Vec<u32> {
        let rows = self.store.begin_sending(batch, &service(), limit).unwrap();
        rows.into_iter().map(|row| row.id.position).collect()
    }

    fn state(&self, batch: BatchId, position: u32) -> &'static str {
        let id = MessageId { batch, position };
        self.store.message(id).unwrap().state.as_str()
    }

    /// Waiting and in hand, as the numbers by batches say.
    fn numbers(&self) -> (u64, u64) {
        let queues = self.store.queues(START).unwrap();
        let rows = self.number("SELECT COUNT(*) FROM mailbox_queue");
        let numbers = queues.first().map_or((0, 0), |q| (q.waiting, q.sending));
        assert_eq!(i64::try_from(numbers.0 + numbers.1).unwrap(), rows);
        numbers
    }
}

fn page(batch: BatchId, messages: u32) -> Vec<NewQueued> {
    let new = |position| NewQueued {
        position,
        door: Door::Electronic,
        external_id: format!("kuori.{batch}-{position}"),
    };
    (1..=messages).map(new).collect()
}

fn sent(position: u32) -> SentRow {
    SentRow {
        position,
        number: i64::from(position) + 1000,
        was_sent_before: false,
    }
}

fn finding(batch: BatchId, position: u32, code: Code) -> (MessageId, Finding) {
    let finding = Finding::new(code, Place::message(position), "the service's words");
    (MessageId { batch, position }, finding)
}

fn action(secs: i64) -> NewEvent {
    NewEvent {
        at: at(secs),
        actor: "somebody".to_owned(),
        why: "a test".to_owned(),
    }
}

impl House {
    fn deed(&self, deed: MessageDeed, message: MessageId) -> Vec<CannotMove> {
        let plan = self.store.move_messages(deed, &[message], &action(50));
        plan.unwrap().blocked
    }

    fn reprocess(&self, batch: BatchId, from: Step, again: Again) -> ReprocessPlan {
        let selection = Selection {
            batch,
            positions: vec![1],
            from: Some(from),
            again,
        };
        self.store.reprocess(&selection, &action(50)).unwrap()
    }

    /// Takes the first message in hand, and lets it wait again.
    fn leave_in_doubt(&self, batch: BatchId) {
        self.take(batch, 1);
        let back = [(1, PutBack::InDoubt)];
        self.store.put_back(batch, &back).unwrap();
    }
}
