//! Receipts in words, the same in every format. What a sender chose is repeated without the identity
//! codes in it, and nothing else that comes in here belongs to a person.
//!
//! The names of the fields are those of the JSON form, and in XML those of the attributes.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;

use super::{ReportHeader, ReportLine};
use crate::domain::{
    Channel, Language, MailboxStatus, MessageEvent, Private, Reason, without_identity_codes,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Acknowledgement<'a> {
    pub(super) batch: String,
    pub(super) sender: &'a str,
    pub(super) received_at: Timestamp,
    pub(super) file: File<'a>,
}

#[derive(Serialize)]
pub(super) struct File<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) bytes: u64,
    pub(super) sha256: &'a str,
}

impl<'a> From<&'a super::Acknowledgement> for Acknowledgement<'a> {
    fn from(told: &'a super::Acknowledgement) -> Self {
        Self {
            batch: told.batch.to_string(),
            sender: told.sender.as_str(),
            received_at: told.received_at,
            file: File {
                name: without_identity_codes(&told.file_name),
                bytes: told.bytes,
                sha256: &told.sha256,
            },
        }
    }
}

#[derive(Serialize)]
#[serde(tag = "receipt", rename_all = "lowercase")]
pub(super) enum Header<'a> {
    Processing(Processing<'a>),
    Delivery(Delivery<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Processing<'a> {
    pub(super) batch: String,
    pub(super) sender: &'a str,
    pub(super) file_name: Cow<'a, str>,
    pub(super) state: &'static str,
    pub(super) reported_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped: Option<Stopped<'a>>,
    pub(super) counts: Counts,
    pub(super) findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stopped<'a> {
    pub(super) why: Cow<'a, str>,
    pub(super) what_to_do: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery<'a> {
    pub(super) batch: String,
    pub(super) sender: &'a str,
    pub(super) file_name: Cow<'a, str>,
    pub(super) reported_at: Timestamp,
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    pub(super) counts: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Counts {
    pub(super) received: u64,
    pub(super) delivered: u64,
    pub(super) printed: u64,
    pub(super) also_printed: u64,
    pub(super) refused: u64,
    pub(super) held: u64,
    pub(super) waiting: u64,
    pub(super) cancelled: u64,
}

impl<'a> From<ReportHeader<'a>> for Header<'a> {
    fn from(header: ReportHeader<'a>) -> Self {
        match header {
            ReportHeader::Processing(told) => Self::Processing(Processing {
                batch: told.batch.to_string(),
                sender: told.sender.as_str(),
                file_name: without_identity_codes(&told.file_name),
                state: told.state.as_str(),
                reported_at: told.reported_at,
                stopped: told.stopped.as_ref().map(Stopped::from),
                counts: Counts::from(told.counts),
                findings: findings(&told.findings, told.language),
            }),
            ReportHeader::Delivery(told) => Self::Delivery(Delivery {
                batch: told.batch.to_string(),
                sender: told.sender.as_str(),
                file_name: without_identity_codes(&told.file_name),
                reported_at: told.reported_at,
                is_final: told.is_final,
                counts: Counts::from(told.counts),
            }),
        }
    }
}

impl<'a> From<&'a super::Stopped> for Stopped<'a> {
    fn from(told: &'a super::Stopped) -> Self {
        Self {
            why: without_identity_codes(&told.why),
            what_to_do: &told.what_to_do,
        }
    }
}

impl From<super::Counts> for Counts {
    fn from(told: super::Counts) -> Self {
        Self {
            received: told.received,
            delivered: told.delivered,
            printed: told.printed,
            also_printed: told.also_printed,
            refused: told.refused,
            held: told.held,
            waiting: told.waiting,
            cancelled: told.cancelled,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Line<'a> {
    Processing(Message<'a>),
    Delivery(DeliveryMessage<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message<'a> {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender_letter_id: Option<Cow<'a, str>>,
    pub(super) state: &'static str,
    /// Which channels are open to its content.
    pub(super) fit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decided_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delivered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bundle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mailbox: Option<Mailbox>,
    pub(super) findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mailbox {
    pub(super) status: &'static str,
    pub(super) asked_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryMessage<'a> {
    pub(super) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sender_letter_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) channel: Option<&'static str>,
    pub(super) events: Vec<Event<'a>>,
    pub(super) findings: Vec<Finding<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event<'a> {
    #[serde(serialize_with = "as_word")]
    pub(super) what: MessageEvent,
    pub(super) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bundle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Finding<'a> {
    pub(super) code: &'static str,
    pub(super) severity: &'static str,
    /// Which channel it is about.
    pub(super) affects: &'static str,
    /// Whether it closes that channel.
    pub(super) closes: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entry: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<u32>,
    pub(super) detail: Cow<'a, str>,
    pub(super) what_to_do: &'static str,
}

impl<'a> Line<'a> {
    pub(super) fn of(line: ReportLine<'a>, language: Language) -> Self {
        match line {
            ReportLine::Processing(told) => Self::Processing(Message::of(told, language)),
            ReportLine::Delivery(told) => Self::Delivery(DeliveryMessage::of(told, language)),
        }
    }
}

impl<'a> Message<'a> {
    fn of(told: &'a super::MessageLine, language: Language) -> Self {
        Self {
            id: told.message.to_string(),
            sender_letter_id: letter_id(told.sender_letter_id.as_ref()),
            state: told.state.as_str(),
            fit: told.fitness.as_str(),
            channel: told.channel.map(Channel::as_str),
            reason: told.reason.map(Reason::as_str),
            decided_at: told.decided_at,
            delivered_at: told.delivered_at,
            bundle: told.bundle.map(|bundle| bundle.to_string()),
            piece: told.piece,
            mailbox: told.asked.map(|asked| Mailbox {
                status: status(asked.status),
                asked_at: asked.at,
            }),
            findings: findings(&told.findings, language),
        }
    }
}

impl<'a> DeliveryMessage<'a> {
    fn of(told: &'a super::DeliveryLine, language: Language) -> Self {
        let event = |event: &'a super::DeliveryEvent| Event {
            what: event.what,
            at: event.at,
            bundle: event.bundle.map(|bundle| bundle.to_string()),
            piece: event.piece,
            reason: event.reason.as_deref(),
            why: event.why.as_deref().map(without_identity_codes),
        };
        Self {
            id: told.message.to_string(),
            sender_letter_id: letter_id(told.sender_letter_id.as_ref()),
            channel: told.channel.map(Channel::as_str),
            events: told.events.iter().map(event).collect(),
            findings: findings(&told.findings, language),
        }
    }
}

fn findings(told: &[crate::domain::Finding], language: Language) -> Vec<Finding<'_>> {
    told.iter()
        .map(|told| Finding::of(told, language))
        .collect()
}

impl<'a> Finding<'a> {
    fn of(told: &'a crate::domain::Finding, language: Language) -> Self {
        let place = &told.place;
        Self {
            code: told.code.as_str(),
            severity: told.severity().as_str(),
            affects: told.code.affects().as_str(),
            closes: told.code.closes().is_some(),
            entry: place.entry.as_deref().map(without_identity_codes),
            line: place.line,
            message: place.message,
            page: place.page,
            detail: without_identity_codes(&told.detail),
            what_to_do: told.code.words(language).remedy,
        }
    }
}

fn letter_id(id: Option<&Private<String>>) -> Option<Cow<'_, str>> {
    id.map(|id| without_identity_codes(id.expose()))
}

fn status(status: MailboxStatus) -> &'static str {
    match status {
        MailboxStatus::Active => "active",
        MailboxStatus::Inactive => "inactive",
        MailboxStatus::Withdrawn => "withdrawn",
        MailboxStatus::Unknown => "unknown",
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it")]
fn as_word<S: serde::Serializer>(what: &MessageEvent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(what.as_str())
}
