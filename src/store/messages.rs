use std::sync::LazyLock;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    Error, Store, Transaction,
    columns::{Columns, Word, place_of},
    error::Doing,
    findings, letter_ids,
};
use crate::domain::{
    Asked, Attachment, BatchId, BundleId, Channel, Code, CountryCode, DocumentName, Finding,
    Fitness, Message, MessageId, MessageState, PageRange, PostalAddress, PrintFacts, Private,
    Reason, Recipient, RecipientId, StatedRecipient,
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

/// A message as it stands in the store.
#[derive(Debug, Clone)]
pub struct MessageRow {
    pub id: MessageId,
    pub state: MessageState,
    pub message: Message,
    pub fitness: Fitness,
    /// Of a message that was opened before pages were looked at: that nobody knows their balance.
    pub facts: PrintFacts,
    pub channel: Option<Channel>,
    pub reason: Option<Reason>,
    /// The channel that an operator chose for it; the rules choose where there is none.
    pub forced: Option<Channel>,
    pub asked: Option<Asked>,
    pub registered: bool,
    pub decided_at: Option<Timestamp>,
    pub waiting_since: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub mailbox_reference: Option<String>,
    /// How often an operator asked by name for a repeat of what had left the house.
    pub again: u32,
    pub bundle: Option<BundleId>,
    /// Its sequence in the bundle.
    pub sequence: Option<u32>,
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

    /// A page of messages that are to be put into a mailbox, after position `after`.
    pub fn messages_for_mailbox(
        &self,
        batch: BatchId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let sql = select(
            "WHERE m.batch = ?1 AND m.position > ?2 AND m.state = 'routed'
                AND m.channel IN ('mailbox', 'mailbox-and-print')
              ORDER BY m.position LIMIT ?3",
        );
        self.read(|db| {
            let mut query = db.prepare_cached(&sql).doing("list messages")?;
            let given = params![batch.0, after, limit];
            let rows = query.query_map(given, message_row).doing("list messages")?;
            rows.collect::<Result<_, _>>().doing("list messages")
        })
    }

    /// A page of messages that are to go on paper and are in no bundle yet, after position `after`.
    pub fn messages_to_plan(
        &self,
        batch: BatchId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<MessageRow>, Error> {
        let sql = select(
            "WHERE m.batch = ?1 AND m.position > ?2 AND m.bundle IS NULL
                AND ((m.state = 'routed' AND m.channel = 'print')
                  OR (m.state = 'delivered' AND m.channel = 'mailbox-and-print'))
              ORDER BY m.position LIMIT ?3",
        );
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

/// What [`message_row`] reads, in this order: `m` is the message, and `p` its piece where it has one.
const COLUMNS: [&str; 45] = [
    "m.batch",
    "m.position",
    "m.state",
    "m.sender_letter_id",
    "m.recipient_kind",
    "m.recipient_id",
    "m.name",
    "m.additional_name",
    "m.street",
    "m.postal_code",
    "m.city",
    "m.country",
    "m.document",
    "m.first_page",
    "m.page_count",
    "m.subject",
    "m.body",
    "m.service",
    "m.wish",
    "m.deny_only",
    "m.deny_copy",
    "m.colour",
    "m.duplex",
    "m.postage",
    "m.matter",
    "m.attachments",
    "m.fit_mailbox",
    "m.fit_print",
    "m.channel",
    "m.reason",
    "m.asked_status",
    "m.asked_at",
    "m.registered",
    "m.decided_at",
    "m.waiting_since",
    "m.delivered_at",
    "m.mailbox_reference",
    "m.again",
    "m.bundle",
    "m.colour_pages",
    "m.lacks_address",
    "m.is_unbalanced",
    "m.has_landscape",
    "m.forced_channel",
    "p.sequence",
];

/// The place of one of [`COLUMNS`]; one that is not among them does not compile.
macro_rules! at {
    ($name:literal) => {
        const {
            match place_of($name, &COLUMNS) {
                Some(place) => place,
                None => panic!("no such column"),
            }
        }
    };
}

/// A query of messages: those of `from`, in which `m` and `p` have the meaning of [`COLUMNS`].
pub(super) fn select_from(from: &str) -> String {
    format!("SELECT {} FROM {from}", COLUMNS.join(", "))
}

/// A query of messages, each with its live piece; `rest` begins with `WHERE`.
pub(super) fn select(rest: &str) -> String {
    select_from(&format!(
        "messages m LEFT JOIN pieces p
             ON p.batch = m.batch AND p.position = m.position AND p.bundle = m.bundle
          {rest}"
    ))
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

/// One that lies in a mailbox already is held instead of refused, as in [`Store::refuse_message`].
fn update(column: &str) -> String {
    if column == "state" {
        return "state = CASE WHEN excluded.state = 'refused' AND messages.delivered_at IS NOT NULL
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

pub(super) fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        id: MessageId {
            batch: row.batch(at!("m.batch"))?,
            position: row.get(at!("m.position"))?,
        },
        state: row.word(at!("m.state"))?,
        message: message(row)?,
        fitness: Fitness {
            mailbox: row.get(at!("m.fit_mailbox"))?,
            print: row.get(at!("m.fit_print"))?,
        },
        facts: facts(row)?,
        channel: row.maybe_word(at!("m.channel"))?,
        reason: row.maybe_word(at!("m.reason"))?,
        forced: row.maybe_word(at!("m.forced_channel"))?,
        asked: asked(row)?,
        registered: row.get(at!("m.registered"))?,
        decided_at: row.maybe_time(at!("m.decided_at"))?,
        waiting_since: row.maybe_time(at!("m.waiting_since"))?,
        delivered_at: row.maybe_time(at!("m.delivered_at"))?,
        mailbox_reference: row.get(at!("m.mailbox_reference"))?,
        again: row.get(at!("m.again"))?,
        bundle: row.maybe_bundle(at!("m.bundle"))?,
        sequence: row.get(at!("p.sequence"))?,
    })
}

fn asked(row: &Row<'_>) -> rusqlite::Result<Option<Asked>> {
    let status = row.maybe_word(at!("m.asked_status"))?;
    let at = row.maybe_time(at!("m.asked_at"))?;
    Ok(status.zip(at).map(|(status, at)| Asked { status, at }))
}

fn facts(row: &Row<'_>) -> rusqlite::Result<PrintFacts> {
    Ok(PrintFacts {
        colour_pages: row.get(at!("m.colour_pages"))?,
        lacks_address: row.get(at!("m.lacks_address"))?,
        is_unbalanced: row.get(at!("m.is_unbalanced"))?,
        has_landscape: row.get(at!("m.has_landscape"))?,
    })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        position: row.get(at!("m.position"))?,
        sender_letter_id: private(row, at!("m.sender_letter_id"))?,
        recipient: Recipient {
            id: recipient_id(row)?,
            address: address(row)?,
        },
        pages: PageRange {
            document: DocumentName(row.get(at!("m.document"))?),
            first: row.get(at!("m.first_page"))?,
            count: row.get(at!("m.page_count"))?,
        },
        subject: private(row, at!("m.subject"))?,
        body: private(row, at!("m.body"))?,
        service: row.word(at!("m.service"))?,
        wish: row.word(at!("m.wish"))?,
        deny_electronic_only: row.get(at!("m.deny_only"))?,
        deny_electronic_copy: row.get(at!("m.deny_copy"))?,
        colour: row.get(at!("m.colour"))?,
        duplex: row.get(at!("m.duplex"))?,
        postage: row.maybe_word(at!("m.postage"))?,
        matter: row.get(at!("m.matter"))?,
        attachments: attachments(&row.get::<_, String>(at!("m.attachments"))?),
    })
}

fn recipient_id(row: &Row<'_>) -> rusqlite::Result<StatedRecipient> {
    let kind: String = row.get(at!("m.recipient_kind"))?;
    Ok(match kind.as_str() {
        "person" => StatedRecipient::Valid(RecipientId::Person(row.parsed(at!("m.recipient_id"))?)),
        "business" => {
            StatedRecipient::Valid(RecipientId::Business(row.parsed(at!("m.recipient_id"))?))
        }
        "invalid" => StatedRecipient::Invalid,
        _ => StatedRecipient::Absent,
    })
}

fn address(row: &Row<'_>) -> rusqlite::Result<PostalAddress> {
    Ok(PostalAddress {
        name: private(row, at!("m.name"))?,
        additional_name: private(row, at!("m.additional_name"))?,
        street: private(row, at!("m.street"))?,
        postal_code: private(row, at!("m.postal_code"))?,
        city: private(row, at!("m.city"))?,
        country: row
            .get::<_, Option<String>>("country")?
            .and_then(|code| code.parse().ok()),
    })
}

fn private(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Private<String>>> {
    Ok(row.get::<_, Option<String>>(column)?.map(Private::new))
}

fn attachments(text: &str) -> Vec<Attachment> {
    let named = |name: &str| Attachment {
        document: DocumentName(name.to_owned()),
    };
    text.lines().map(named).collect()
}
