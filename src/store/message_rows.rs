//! Messages as they are read: by the place of a column, since a name is looked for in each of many rows.

use jiff::Timestamp;
use rusqlite::Row;

use super::{
    columns::{Columns, place_of},
    matter_addresses,
};
use crate::domain::{
    Asked, Attachment, BundleId, Channel, DocumentName, Fitness, Message, MessageId, MessageState,
    PageRange, PostalAddress, PrintFacts, Private, Reason, Recipient, RecipientId, StatedRecipient,
};

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
    /// Where it goes on paper instead of the address of its control data, as the register said when its
    /// way was decided.
    pub other_address: Option<PostalAddress>,
}

/// What [`message_row`] reads, in this order: `m` is the message, and `p` its piece where it has one.
const COLUMNS: [&str; 46] = [
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
    "m.other_address",
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

/// A query of messages as `m`, with their pieces.
pub(super) fn select(rest: &str) -> String {
    select_from(&format!(
        "messages m LEFT JOIN pieces p
             ON p.batch = m.batch AND p.position = m.position AND p.bundle = m.bundle
          {rest}"
    ))
}

pub(super) fn message_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    let other: Option<String> = row.get(at!("m.other_address"))?;
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
        other_address: other.as_deref().map(matter_addresses::address),
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
            .get::<_, Option<String>>(at!("m.country"))?
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
