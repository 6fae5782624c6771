use std::io::{self, Write};

use jiff::Timestamp;

use super::{Error, Kind, xml::Element, xml::Xml};
use crate::domain::{
    Asked, BatchId, BatchState, BundleId, Channel, Finding, Language, MailboxStatus, MessageId,
    MessageState, Private, Reason, SenderId,
};

/// Messages of a batch by where they stand. Each message is counted once; of those delivered,
/// `also_printed` went on paper too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub received: u64,
    /// In the mailbox.
    pub delivered: u64,
    /// On paper only.
    pub printed: u64,
    pub also_printed: u64,
    pub refused: u64,
    pub held: u64,
    pub waiting: u64,
    pub cancelled: u64,
}

/// Why a batch stands still, and what the sender can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    pub why: String,
    pub what_to_do: String,
}

/// What the report says of the batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessingHeader {
    pub batch: BatchId,
    pub sender: SenderId,
    /// As the sender named it.
    pub file_name: String,
    pub state: BatchState,
    pub reported_at: Timestamp,
    /// The one that the sender is told in what to do. Details are English.
    pub language: Language,
    /// For a batch that is held or refused.
    pub stopped: Option<Stopped>,
    pub counts: Counts,
    /// Those of the whole batch; a message's own are on its line.
    pub findings: Vec<Finding>,
}

impl ProcessingHeader {
    /// Whether something did not go out as the sender wanted and will not by itself.
    pub fn has_trouble(&self) -> bool {
        let counts = &self.counts;
        self.stopped.is_some()
            || counts.refused + counts.held + counts.cancelled > 0
            || self.findings.iter().any(Finding::is_error)
    }
}

/// What the report says of one message. No field names the recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLine {
    pub message: MessageId,
    pub sender_letter_id: Option<Private<String>>,
    pub state: MessageState,
    /// `None` where it goes nowhere, or nobody knows yet.
    pub channel: Option<Channel>,
    pub reason: Option<Reason>,
    /// What the mailbox service answered.
    pub asked: Option<Asked>,
    pub decided_at: Option<Timestamp>,
    /// When it lay in the mailbox.
    pub delivered_at: Option<Timestamp>,
    pub bundle: Option<BundleId>,
    /// 1-based sequence of its piece in the bundle.
    pub piece: Option<u32>,
    pub findings: Vec<Finding>,
}

impl MessageLine {
    /// Whether the message did not go out and will not by itself.
    pub fn has_trouble(&self) -> bool {
        use MessageState::{Cancelled, Held, Refused};
        matches!(self.state, Refused | Held | Cancelled)
    }
}

/// Writes the receipt `processing` as its messages come, so that a million lines need no memory.
///
/// A report that was not finished is not well-formed XML: nobody takes half for the whole.
#[must_use = "a report is complete only after `finish`"]
pub struct ProcessingReport<W: Write> {
    xml: Xml<W>,
    batch: BatchId,
    language: Language,
}

impl<W: Write> ProcessingReport<W> {
    /// Writes all that comes before the first message.
    pub fn begin(header: &ProcessingHeader, out: W) -> Result<Self, Error> {
        let batch = header.batch;
        let begin = || {
            let mut xml = Xml::begin(out)?;
            write_header(&mut xml, header)?;
            xml.open(&Element::new("Messages"))?;
            Ok(Self {
                xml,
                batch,
                language: header.language,
            })
        };
        begin().map_err(|source| failed(batch, source))
    }

    pub fn message(&mut self, line: &MessageLine) -> Result<(), Error> {
        write_message(&mut self.xml, line, self.language)
            .map_err(|source| failed(self.batch, source))
    }

    /// Ends the document, flushes, and gives back what it was written to.
    pub fn finish(mut self) -> Result<W, Error> {
        let batch = self.batch;
        self.xml
            .close("Messages")
            .and_then(|()| self.xml.close("ProcessingReport"))
            .and_then(|()| self.xml.finish())
            .map_err(|source| failed(batch, source))
    }
}

fn failed(batch: BatchId, source: io::Error) -> Error {
    Error::Write {
        kind: Kind::Processing,
        batch,
        source,
    }
}

fn write_header<W: Write>(xml: &mut Xml<W>, header: &ProcessingHeader) -> io::Result<()> {
    let root = Element::root("ProcessingReport")
        .with("batch", header.batch)
        .with("sender", &header.sender)
        .with("fileName", &header.file_name)
        .with("state", header.state.as_str())
        .with("reportedAt", header.reported_at);
    xml.open(&root)?;
    if let Some(stopped) = &header.stopped {
        xml.open(&Element::new("Stopped"))?;
        xml.text("Why", &stopped.why)?;
        xml.text("WhatToDo", &stopped.what_to_do)?;
        xml.close("Stopped")?;
    }
    xml.empty(&counts(&header.counts))?;
    write_findings(xml, &header.findings, header.language)
}

fn counts(counts: &Counts) -> Element {
    Element::new("Counts")
        .with("received", counts.received)
        .with("delivered", counts.delivered)
        .with("printed", counts.printed)
        .with("alsoPrinted", counts.also_printed)
        .with("refused", counts.refused)
        .with("held", counts.held)
        .with("waiting", counts.waiting)
        .with("cancelled", counts.cancelled)
}

fn write_message<W: Write>(
    xml: &mut Xml<W>,
    line: &MessageLine,
    language: Language,
) -> io::Result<()> {
    let element = message(line);
    if line.asked.is_none() && line.findings.is_empty() {
        return xml.empty(&element);
    }
    xml.open(&element)?;
    if let Some(asked) = line.asked {
        xml.empty(&mailbox(asked))?;
    }
    write_findings(xml, &line.findings, language)?;
    xml.close("Message")
}

fn message(line: &MessageLine) -> Element {
    let letter_id = line.sender_letter_id.as_ref().map(Private::expose);
    Element::new("Message")
        .with("id", line.message)
        .maybe("senderLetterId", letter_id)
        .with("state", line.state.as_str())
        .maybe("channel", line.channel.map(Channel::as_str))
        .maybe("reason", line.reason.map(Reason::as_str))
        .maybe("decidedAt", line.decided_at)
        .maybe("deliveredAt", line.delivered_at)
        .maybe("bundle", line.bundle)
        .maybe("piece", line.piece)
}

fn mailbox(asked: Asked) -> Element {
    let status = match asked.status {
        MailboxStatus::Active => "active",
        MailboxStatus::Inactive => "inactive",
        MailboxStatus::Withdrawn => "withdrawn",
        MailboxStatus::Unknown => "unknown",
    };
    Element::new("Mailbox")
        .with("status", status)
        .with("askedAt", asked.at)
}

fn write_findings<W: Write>(
    xml: &mut Xml<W>,
    findings: &[Finding],
    language: Language,
) -> io::Result<()> {
    findings.iter().try_for_each(|finding| {
        let element = Element::new("Finding")
            .with("code", finding.code)
            .with("severity", finding.severity().as_str())
            .maybe("entry", finding.place.entry.as_ref())
            .maybe("line", finding.place.line)
            .maybe("message", finding.place.message)
            .maybe("page", finding.place.page);
        xml.open(&element)?;
        xml.text("Detail", &finding.detail)?;
        xml.text("WhatToDo", finding.code.words(language).remedy)?;
        xml.close("Finding")
    })
}
