//! The XML form (`schemas/receipt.xsd`).

mod document;

use std::io::{self, Write};

use self::document::{Element, Xml};
use super::told::{
    Acknowledgement, Counts, Delivery, DeliveryMessage, Finding, Header, Line, Message, Processing,
};

pub(super) fn write_acknowledgement<W: Write>(told: &Acknowledgement<'_>, out: W) -> io::Result<W> {
    let root = Element::root("Acknowledgement")
        .with("batch", &told.batch)
        .with("sender", told.sender)
        .with("receivedAt", told.received_at);
    let file = Element::new("File")
        .with("name", &told.file.name)
        .with("bytes", told.file.bytes)
        .with("sha256", told.file.sha256);
    let mut xml = Xml::begin(out)?;
    xml.open(&root)?;
    xml.empty(&file)?;
    xml.close("Acknowledgement")?;
    xml.finish()
}

/// A report whose element of messages is open.
pub(super) struct Report<W: Write> {
    xml: Xml<W>,
    root: &'static str,
}

impl<W: Write> Report<W> {
    pub(super) fn begin(header: &Header<'_>, out: W) -> io::Result<Self> {
        let mut xml = Xml::begin(out)?;
        let root = match header {
            Header::Processing(told) => write_processing(&mut xml, told)?,
            Header::Delivery(told) => write_delivery(&mut xml, told)?,
        };
        xml.open(&Element::new("Messages"))?;
        Ok(Self { xml, root })
    }

    pub(super) fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        match line {
            Line::Processing(told) => write_message(&mut self.xml, told),
            Line::Delivery(told) => write_delivery_message(&mut self.xml, told),
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.xml.close("Messages")?;
        self.xml.close(self.root)?;
        self.xml.finish()
    }
}

fn write_processing<W: Write>(xml: &mut Xml<W>, told: &Processing<'_>) -> io::Result<&'static str> {
    let name = "ProcessingReport";
    let root = Element::root(name)
        .with("batch", &told.batch)
        .with("sender", told.sender)
        .with("fileName", &told.file_name)
        .with("state", told.state)
        .with("reportedAt", told.reported_at);
    xml.open(&root)?;
    if let Some(stopped) = &told.stopped {
        xml.open(&Element::new("Stopped"))?;
        xml.text("Why", &stopped.why)?;
        xml.text("WhatToDo", stopped.what_to_do)?;
        xml.close("Stopped")?;
    }
    xml.empty(&counts(&told.counts))?;
    write_findings(xml, &told.findings)?;
    Ok(name)
}

fn write_delivery<W: Write>(xml: &mut Xml<W>, told: &Delivery<'_>) -> io::Result<&'static str> {
    let name = "DeliveryReport";
    let root = Element::root(name)
        .with("batch", &told.batch)
        .with("sender", told.sender)
        .with("fileName", &told.file_name)
        .with("reportedAt", told.reported_at)
        .with("final", told.is_final);
    xml.open(&root)?;
    xml.empty(&counts(&told.counts))?;
    Ok(name)
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

fn write_message<W: Write>(xml: &mut Xml<W>, told: &Message<'_>) -> io::Result<()> {
    let element = message(told);
    if told.mailbox.is_none() && told.findings.is_empty() {
        return xml.empty(&element);
    }
    xml.open(&element)?;
    if let Some(mailbox) = &told.mailbox {
        let element = Element::new("Mailbox")
            .with("status", mailbox.status)
            .with("askedAt", mailbox.asked_at);
        xml.empty(&element)?;
    }
    write_findings(xml, &told.findings)?;
    xml.close("Message")
}

fn message(told: &Message<'_>) -> Element {
    Element::new("Message")
        .with("id", &told.id)
        .maybe("senderLetterId", told.sender_letter_id.as_ref())
        .with("state", told.state)
        .with("fit", told.fit)
        .maybe("channel", told.channel)
        .maybe("reason", told.reason)
        .maybe("decidedAt", told.decided_at)
        .maybe("deliveredAt", told.delivered_at)
        .maybe("bundle", told.bundle.as_ref())
        .maybe("piece", told.piece)
}

fn write_delivery_message<W: Write>(
    xml: &mut Xml<W>,
    told: &DeliveryMessage<'_>,
) -> io::Result<()> {
    let element = Element::new("Message")
        .with("id", &told.id)
        .maybe("senderLetterId", told.sender_letter_id.as_ref())
        .maybe("channel", told.channel);
    xml.open(&element)?;
    for event in &told.events {
        let element = Element::new("Event")
            .with("what", event.what.as_str())
            .with("at", event.at)
            .maybe("bundle", event.bundle.as_ref())
            .maybe("piece", event.piece)
            .maybe("reason", event.reason)
            .maybe("why", event.why.as_ref());
        xml.empty(&element)?;
    }
    write_findings(xml, &told.findings)?;
    xml.close("Message")
}

fn write_findings<W: Write>(xml: &mut Xml<W>, findings: &[Finding<'_>]) -> io::Result<()> {
    findings.iter().try_for_each(|finding| {
        let element = Element::new("Finding")
            .with("code", finding.code)
            .with("severity", finding.severity)
            .with("affects", finding.affects)
            .with("closes", finding.closes)
            .maybe("entry", finding.entry.as_ref())
            .maybe("line", finding.line)
            .maybe("message", finding.message)
            .maybe("page", finding.page);
        xml.open(&element)?;
        xml.text("Detail", &finding.detail)?;
        xml.text("WhatToDo", finding.what_to_do)?;
        xml.close("Finding")
    })
}
