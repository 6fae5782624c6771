//! The CSV form by RFC 4180: a row a message, behind one row for the batch itself, whose `message` is
//! empty. What may come several times stands in one cell, separated by `|`.

use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};
use jiff::Timestamp;

use super::told::{
    Acknowledgement, Delivery, DeliveryMessage, Finding, Header, Line, Message, Processing,
};
use crate::domain::MessageEvent;

const SEPARATOR: &str = "|";

const ACKNOWLEDGEMENT: [&str; 6] = [
    "batch",
    "sender",
    "received_at",
    "file_name",
    "bytes",
    "sha256",
];

const PROCESSING: [&str; 17] = [
    "batch",
    "message",
    "sender_letter_id",
    "state",
    "fit",
    "channel",
    "reason",
    "decided_at",
    "mailbox",
    "mailbox_asked_at",
    "delivered_at",
    "bundle",
    "piece",
    "file_name",
    "reported_at",
    "stopped",
    "stopped_what_to_do",
];

const DELIVERY: [&str; 26] = [
    "batch",
    "message",
    "sender_letter_id",
    "channel",
    "bundle",
    "piece",
    "delivered_at",
    "read_at",
    "acknowledged_at",
    "unacknowledged_at",
    "unread_at",
    "notice_failed_at",
    "composed_at",
    "handed_over_at",
    "printed_at",
    "dispatched_at",
    "returned_at",
    "return_reason",
    "unresolved_at",
    "refused_at",
    "held_at",
    "cancelled_at",
    "why",
    "file_name",
    "reported_at",
    "final",
];

/// Behind the columns of either report: parallel lists, an element a finding.
const FINDINGS: [&str; 7] = [
    "findings",
    "severities",
    "affects",
    "closes",
    "places",
    "details",
    "what_to_do",
];

pub(super) fn write_acknowledgement<W: Write>(told: &Acknowledgement<'_>, out: W) -> io::Result<W> {
    let mut table = Table::begin(ACKNOWLEDGEMENT.to_vec(), out)?;
    table.row(|column| match column {
        "batch" => told.batch.clone(),
        "sender" => told.sender.to_owned(),
        "received_at" => told.received_at.to_string(),
        "file_name" => told.file.name.to_string(),
        "bytes" => told.file.bytes.to_string(),
        "sha256" => told.file.sha256.to_owned(),
        _ => String::new(),
    })?;
    table.finish()
}

pub(super) struct Report<W: Write> {
    table: Table<W>,
    batch: String,
}

impl<W: Write> Report<W> {
    pub(super) fn begin(header: &Header<'_>, out: W) -> io::Result<Self> {
        match header {
            Header::Processing(told) => {
                let mut table = Table::begin([&PROCESSING[..], &FINDINGS].concat(), out)?;
                table.row(|column| processing_cell(told, column))?;
                let batch = told.batch.clone();
                Ok(Self { table, batch })
            }
            Header::Delivery(told) => {
                let mut table = Table::begin([&DELIVERY[..], &FINDINGS].concat(), out)?;
                table.row(|column| delivery_cell(told, column))?;
                let batch = told.batch.clone();
                Ok(Self { table, batch })
            }
        }
    }

    pub(super) fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let batch = &self.batch;
        self.table.row(|column| match (column, line) {
            ("batch", _) => batch.clone(),
            (column, Line::Processing(told)) => message_cell(told, column),
            (column, Line::Delivery(told)) => delivery_message_cell(told, column),
        })
    }

    pub(super) fn finish(self) -> io::Result<W> {
        self.table.finish()
    }
}

struct Table<W: Write> {
    out: Writer<W>,
    columns: Vec<&'static str>,
}

impl<W: Write> Table<W> {
    fn begin(columns: Vec<&'static str>, out: W) -> io::Result<Self> {
        let mut out = WriterBuilder::new()
            .terminator(Terminator::CRLF)
            .from_writer(out);
        out.write_record(&columns)?;
        Ok(Self { out, columns })
    }

    fn row(&mut self, cell: impl Fn(&str) -> String) -> io::Result<()> {
        let cells = self.columns.iter().map(|column| cell(column));
        Ok(self.out.write_record(cells)?)
    }

    fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        self.out
            .into_inner()
            .map_err(|error| io::Error::new(error.error().kind(), error.to_string()))
    }
}

fn processing_cell(told: &Processing<'_>, column: &str) -> String {
    let stopped = told.stopped.as_ref();
    match column {
        "batch" => told.batch.clone(),
        "state" => told.state.to_owned(),
        "file_name" => told.file_name.to_string(),
        "reported_at" => told.reported_at.to_string(),
        "stopped" => shown(stopped.map(|stopped| &stopped.why)),
        "stopped_what_to_do" => shown(stopped.map(|stopped| stopped.what_to_do)),
        column => findings_cell(&told.findings, column),
    }
}

fn message_cell(told: &Message<'_>, column: &str) -> String {
    let mailbox = told.mailbox.as_ref();
    match column {
        "message" => told.id.clone(),
        "sender_letter_id" => shown(told.sender_letter_id.as_ref()),
        "state" => told.state.to_owned(),
        "fit" => told.fit.to_owned(),
        "channel" => shown(told.channel),
        "reason" => shown(told.reason),
        "decided_at" => shown(told.decided_at),
        "mailbox" => shown(mailbox.map(|mailbox| mailbox.status)),
        "mailbox_asked_at" => shown(mailbox.map(|mailbox| mailbox.asked_at)),
        "delivered_at" => shown(told.delivered_at),
        "bundle" => shown(told.bundle.as_ref()),
        "piece" => shown(told.piece),
        column => findings_cell(&told.findings, column),
    }
}

fn delivery_cell(told: &Delivery<'_>, column: &str) -> String {
    match column {
        "batch" => told.batch.clone(),
        "file_name" => told.file_name.to_string(),
        "reported_at" => told.reported_at.to_string(),
        "final" => told.is_final.to_string(),
        _ => String::new(),
    }
}

/// Of several events of one kind the last one is told, and of several bundles.
fn delivery_message_cell(told: &DeliveryMessage<'_>, column: &str) -> String {
    let last = |what: MessageEvent| {
        let mut events = told.events.iter().rev();
        events.find(|event| event.what == what)
    };
    let at = |what| last(what).map(|event| event.at);
    let bundled = told
        .events
        .iter()
        .rev()
        .find(|event| event.bundle.is_some());
    match column {
        "message" => told.id.clone(),
        "sender_letter_id" => shown(told.sender_letter_id.as_ref()),
        "channel" => shown(told.channel),
        "bundle" => shown(bundled.and_then(|event| event.bundle.as_ref())),
        "piece" => shown(bundled.and_then(|event| event.piece)),
        "return_reason" => shown(last(MessageEvent::Returned).and_then(|event| event.reason)),
        "why" => shown(told.events.last().and_then(|event| event.why.as_ref())),
        column => match event_of(column) {
            Some(what) => shown::<Timestamp>(at(what)),
            None => findings_cell(&told.findings, column),
        },
    }
}

/// `handed_over_at` is when the message was `handed-over`.
fn event_of(column: &str) -> Option<MessageEvent> {
    let word = column.strip_suffix("_at")?.replace('_', "-");
    let mut all = MessageEvent::ALL.into_iter();
    all.find(|event| event.as_str() == word)
}

fn findings_cell(findings: &[Finding<'_>], column: &str) -> String {
    let joined = |told: fn(&Finding<'_>) -> String| {
        let told = findings.iter().map(|finding| in_list(&told(finding)));
        told.collect::<Vec<_>>().join(SEPARATOR)
    };
    match column {
        "findings" => joined(|finding| finding.code.to_owned()),
        "severities" => joined(|finding| finding.severity.to_owned()),
        "affects" => joined(|finding| finding.affects.to_owned()),
        "closes" => joined(|finding| finding.closes.to_string()),
        "places" => joined(place),
        "details" => joined(|finding| finding.detail.to_string()),
        "what_to_do" => joined(|finding| finding.what_to_do.to_owned()),
        _ => String::new(),
    }
}

/// `letters.pdf page 14`, or `batch` for the whole.
fn place(finding: &Finding<'_>) -> String {
    let mut told: Vec<_> = finding.entry.iter().map(ToString::to_string).collect();
    told.extend(finding.line.map(|line| format!("line {line}")));
    told.extend(finding.page.map(|page| format!("page {page}")));
    told.extend(finding.message.map(|message| format!("message {message}")));
    if told.is_empty() {
        return "batch".to_owned();
    }
    told.join(" ")
}

/// An element of a list must not look like two.
fn in_list(text: &str) -> String {
    text.replace(SEPARATOR, "/")
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
