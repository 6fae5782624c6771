use std::sync::LazyLock;

use rusqlite::{OptionalExtension, named_params, params};

pub(super) use super::message_rows::{message_row, select, select_from};
use super::{
    Error, MessageRow, Store, Transaction, columns::Word, error::Doing, findings, letter_ids,
    mailbox_queue::IS_QUEUED,
};
use crate::domain::{
    BatchId, Code, CountryCode, DocumentName, Finding, Fitness, Message, MessageId, MessageState,
    PrintFacts, Private, Reason, RecipientId, StatedRecipient,
};

/// A message as opening found it.
#[derive(Debug, Clone)]
pub struct NewMessage {
    pub message: Message,
    /// Fit for neither channel means refused.
    pub fitness: Fitness,
    pub facts: PrintFacts,
    pub findings: Vec<Finding>,
}

/// Messages that opening the batch again may change. One that failed is set back to be accepted first
/// (`kuori reprocess`), so that reopening for one message leaves the others alone.
pub(super) const REOPENED: &str = "('accepted', 'waiting')";

impl Store {
    /// Records a page of opened messages in one transaction.
    ///
    /// Running it again changes only messages that have gone nowhere. Whether their letter ids are
    /// free is asked by [`Store::claim_letter_ids`], once the whole batch is read.
    pub fn record_messages(&self, batch: BatchId, page: &[NewMessage]) -> Result<(), Error> {
        self.write("record messages", |tx| {
            for new in page {
                record(tx, batch, new)?;
            }
            Ok(())
        })
    }

    pub fn message(&self, id: MessageId) -> Result<MessageRow, Error> {
        let sql = select("WHERE m.batch = ?1 AND m.position = ?2");
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("read a message")?;
            let given = params![id.batch.0, id.position];
            let row = query
                .query_row(given, message_row)
                .optional()
                .doing("read a message")?;
            row.ok_or(Error::NoMessage(id))
        })
    }

    /// A page of a batch's messages in the order of position, after position `after`, in any of
    /// `states` (all states where it is empty).
    pub fn messages(
        &self,
        batch: BatchId,
        states: &[MessageState],
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let sql = select(&format!(
            "WHERE m.batch = ?1 AND m.position > ?2 {} ORDER BY m.position LIMIT ?3",
            in_states("AND m.state", states)
        ));
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("list messages")?;
            let given = params![batch.0, after, limit];
            let rows = query.query_map(given, message_row).doing("list messages")?;
            rows.collect::<Result<_, _>>().doing("list messages")
        })
    }

    /// Refuses every message of a batch that has gone nowhere: the file as a whole is unusable.
    pub fn refuse_all(&self, batch: BatchId) -> Result<(), Error> {
        let refuse = format!(
            "UPDATE messages SET state = 'refused', fit_mailbox = 0, fit_print = 0,
                    channel = NULL, reason = NULL
              WHERE batch = ?1 AND state IN {REOPENED}"
        );
        self.write("refuse messages", |tx| {
            tx.execute(&refuse, [batch.0]).doing("refuse messages")?;
            letter_ids::release_refused(tx, batch)
        })
    }

    /// Sets one message aside for the operator with the reason; the others go on.
    pub fn hold_message(&self, id: MessageId, finding: &Finding) -> Result<(), Error> {
        let sql = "UPDATE messages SET state = 'held', bundle = NULL
             WHERE batch = ?1 AND position = ?2";
        self.write("hold a message", |tx| {
            tx.execute(sql, params![id.batch.0, id.position])
                .doing("hold a message")?;
            findings::insert(tx, id.batch, std::slice::from_ref(finding))
        })
    }

    /// Notes that a message does not fit into a mailbox after all, and lets it be routed again.
    pub fn close_mailbox(&self, id: MessageId, finding: &Finding) -> Result<(), Error> {
        let sql = "UPDATE messages SET state = 'accepted', fit_mailbox = 0, channel = NULL,
                reason = NULL
             WHERE batch = ?1 AND position = ?2 AND state = 'routed'";
        self.write("close a mailbox", |tx| {
            let closed = tx
                .execute(sql, params![id.batch.0, id.position])
                .doing("close a mailbox")?;
            if closed == 1 {
                findings::insert(tx, id.batch, std::slice::from_ref(finding))?;
            }
            Ok(())
        })
    }

    /// Refuses one message with the reason; the others go on.
    ///
    /// One that lies in a mailbox already is held instead, and keeps its letter id: were it told to
    /// be refused, the sender would send it again, and it would reach the recipient twice.
    pub fn refuse_message(&self, id: MessageId, finding: &Finding) -> Result<(), Error> {
        let sql = "UPDATE messages SET bundle = NULL,
                state = CASE WHEN delivered_at IS NULL THEN 'refused' ELSE 'held' END
             WHERE batch = ?1 AND position = ?2";
        self.write("refuse a message", |tx| {
            let given = params![id.batch.0, id.position];
            tx.execute(sql, given).doing("refuse a message")?;
            letter_ids::release_if_refused(tx, id.batch, id.position)?;
            findings::insert(tx, id.batch, std::slice::from_ref(finding))
        })
    }

    /// A page of messages that are to be put into a mailbox, after position `after`. Those that wait
    /// for a mailbox service are on their way.
    pub fn messages_for_mailbox(
        &self,
        batch: BatchId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let sql = select(&format!(
            "WHERE m.batch = ?1 AND m.position > ?2 AND m.state = 'routed'
                AND m.channel IN ('mailbox', 'mailbox-and-print') AND NOT {IS_QUEUED}
              ORDER BY m.position LIMIT ?3"
        ));
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("list messages")?;
            let given = params![batch.0, after, limit];
            let rows = query.query_map(given, message_row).doing("list messages")?;
            rows.collect::<Result<_, _>>().doing("list messages")
        })
    }

    /// A page of messages that are to go on paper and are in no bundle yet, after position `after`:
    /// but for those that a mailbox service is to print.
    pub fn messages_to_plan(
        &self,
        batch: BatchId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let sql = select(&format!(
            "WHERE m.batch = ?1 AND m.position > ?2 AND m.bundle IS NULL
                AND ((m.state = 'routed' AND m.channel = 'print')
                  OR (m.state = 'delivered' AND m.channel = 'mailbox-and-print'))
                AND NOT {IS_QUEUED}
              ORDER BY m.position LIMIT ?3"
        ));
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("list letters")?;
            let given = params![batch.0, after, limit];
            let rows = query.query_map(given, message_row).doing("list letters")?;
            rows.collect::<Result<_, _>>().doing("list letters")
        })
    }

    /// Documents that several messages are pages of.
    pub fn shared_documents(&self, batch: BatchId) -> Result<Vec<DocumentName>, Error> {
        let sql = "SELECT document FROM messages WHERE batch = ?
             GROUP BY document HAVING COUNT(*) > 1 ORDER BY document";
        self.read(|db| {
            let mut query = db.prepare_cached(sql).doing("list documents")?;
            let rows = query.query_map([batch.0], |row| Ok(DocumentName(row.get(0)?)));
            rows.doing("list documents")?
                .collect::<Result<_, _>>()
                .doing("list documents")
        })
    }
}

/// ` AND m.state IN ('routed', …)`, or nothing where all states are wanted.
pub(super) fn in_states(clause: &str, states: &[MessageState]) -> String {
    if states.is_empty() {
        return String::new();
    }
    let words: Vec<_> = states
        .iter()
        .map(|state| format!("'{}'", state.word()))
        .collect();
    format!("{clause} IN ({})", words.join(", "))
}

fn record(tx: &Transaction<'_>, batch: BatchId, new: &NewMessage) -> Result<(), Error> {
    let is_refused = new.fitness == Fitness::NEITHER;
    let reason = is_refused.then(|| reason_of_refusal(&new.findings));
    if upsert(tx, batch, new, reason)? {
        findings::insert(tx, batch, &new.findings)?;
    }
    Ok(())
}

/// A message that can go nowhere is refused at once, and for the reason that routing would give.
fn reason_of_refusal(found: &[Finding]) -> Reason {
    let is_id = |finding: &Finding| finding.code == Code::RecipientIdInvalid;
    let others = found.iter().filter(|finding| !is_id(finding));
    if found.iter().any(is_id) && Fitness::BOTH.after(others) != Fitness::NEITHER {
        Reason::RecipientIdInvalid
    } else {
        Reason::ContentUnusable
    }
}

/// Whether the row was written: one that has gone somewhere is left as it is.
fn upsert(
    tx: &Transaction<'_>,
    batch: BatchId,
    new: &NewMessage,
    reason: Option<Reason>,
) -> Result<bool, Error> {
    let (message, fitness, facts) = (&new.message, new.fitness, new.facts);
    let state = if fitness == Fitness::NEITHER {
        MessageState::Refused
    } else {
        MessageState::Accepted
    };
    let address = &message.recipient.address;
    let (kind, id) = stated(&message.recipient.id);
    let attachments: Vec<_> = message
        .attachments
        .iter()
        .map(|a| a.document.0.as_str())
        .collect();
    let mut insert = tx.prepare_cached(&UPSERT).doing("record a message")?;
    let written = insert.execute(named_params! {
        ":batch": batch.0,
        ":position": message.position,
        ":state": state.word(),
        ":sender_letter_id": shown(message.sender_letter_id.as_ref()),
        ":recipient_kind": kind,
        ":recipient_id": id,
        ":name": shown(address.name.as_ref()),
        ":additional_name": shown(address.additional_name.as_ref()),
        ":street": shown(address.street.as_ref()),
        ":postal_code": shown(address.postal_code.as_ref()),
        ":city": shown(address.city.as_ref()),
        ":country": address.country.as_ref().map(CountryCode::as_str),
        ":document": message.pages.document.0,
        ":first_page": message.pages.first,
        ":page_count": message.pages.count,
        ":subject": shown(message.subject.as_ref()),
        ":body": shown(message.body.as_ref()),
        ":service": message.service.word(),
        ":wish": message.wish.word(),
        ":deny_only": message.deny_electronic_only,
        ":deny_copy": message.deny_electronic_copy,
        ":colour": message.colour,
        ":duplex": message.duplex,
        ":postage": message.postage.map(Word::word),
        ":matter": message.matter,
        ":attachments": attachments.join("\n"),
        ":fit_mailbox": fitness.mailbox,
        ":fit_print": fitness.print,
        ":reason": reason.map(Word::word),
        ":colour_pages": facts.colour_pages,
        ":lacks_address": facts.lacks_address,
        ":is_unbalanced": facts.is_unbalanced,
        ":has_landscape": facts.has_landscape,
    });
    Ok(written.doing("record a message")? == 1)
}

const OPENED_COLUMNS: [&str; 33] = [
    "batch",
    "position",
    "state",
    "sender_letter_id",
    "recipient_kind",
    "recipient_id",
    "name",
    "additional_name",
    "street",
    "postal_code",
    "city",
    "country",
    "document",
    "first_page",
    "page_count",
    "subject",
    "body",
    "service",
    "wish",
    "deny_only",
    "deny_copy",
    "colour",
    "duplex",
    "postage",
    "matter",
    "attachments",
    "fit_mailbox",
    "fit_print",
    "reason",
    "colour_pages",
    "lacks_address",
    "is_unbalanced",
    "has_landscape",
];

/// Built once: it is run for every row.
static UPSERT: LazyLock<String> = LazyLock::new(upsert_sql);

fn upsert_sql() -> String {
    let columns = OPENED_COLUMNS.join(", ");
    let values = OPENED_COLUMNS.map(|column| format!(":{column}")).join(", ");
    let updates = OPENED_COLUMNS.map(update).join(", ");
    format!(
        "INSERT INTO messages ({columns}) VALUES ({values})
         ON CONFLICT (batch, position) DO UPDATE SET {updates},
                channel = NULL, decided_at = NULL
          WHERE messages.state IN {REOPENED}"
    )
}

/// One that has reached its recipient before is held instead of refused, as in
/// [`Store::record_decisions`].
fn update(column: &str) -> String {
    if column == "state" {
        return "state = CASE WHEN excluded.state = 'refused' AND EXISTS (SELECT 1
                    FROM message_events e WHERE e.batch = excluded.batch
                     AND e.position = excluded.position AND e.what IN ('delivered', 'handed-over'))
                THEN 'held' ELSE excluded.state END"
            .to_owned();
    }
    format!("{column} = excluded.{column}")
}

fn shown(value: Option<&Private<String>>) -> Option<&str> {
    value.map(|value| value.expose().as_str())
}

fn stated(id: &StatedRecipient) -> (&'static str, Option<&str>) {
    match id {
        StatedRecipient::Absent => ("absent", None),
        StatedRecipient::Invalid => ("invalid", None),
        StatedRecipient::Valid(id @ RecipientId::Person(_)) => ("person", Some(id.expose())),
        StatedRecipient::Valid(id @ RecipientId::Business(_)) => ("business", Some(id.expose())),
    }
}
