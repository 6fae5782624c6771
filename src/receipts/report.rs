use std::io::{self, Write};

use super::{
    DeliveryHeader, DeliveryLine, Error, Format, Kind, MessageLine, ProcessingHeader, csv, json,
    told, xml,
};
use crate::domain::{BatchId, Language};

/// A report of the messages of a batch, which is written as they come, so that a million lines need
/// no memory.
///
/// A report in XML or JSON that was not finished is not well-formed: nobody takes half for the
/// whole.
#[must_use = "a report is complete only after `finish`"]
pub struct Report<W: Write> {
    form: Form<W>,
    kind: Kind,
    batch: BatchId,
    language: Language,
}

enum Form<W: Write> {
    Xml(xml::Report<W>),
    Json(json::Report<W>),
    Csv(Box<csv::Report<W>>),
}

/// What a report says of the batch as a whole; it decides the kind of the report.
#[derive(Debug, Clone, Copy)]
pub enum ReportHeader<'a> {
    Processing(&'a ProcessingHeader),
    Delivery(&'a DeliveryHeader),
}

/// What a report says of one message. Its kind is that of the header.
#[derive(Debug, Clone, Copy)]
pub enum ReportLine<'a> {
    Processing(&'a MessageLine),
    Delivery(&'a DeliveryLine),
}

impl<W: Write> Report<W> {
    /// Writes all that comes before the first message.
    pub fn begin(header: ReportHeader<'_>, format: Format, out: W) -> Result<Self, Error> {
        let (kind, batch, language) = match header {
            ReportHeader::Processing(header) => (Kind::Processing, header.batch, header.language),
            ReportHeader::Delivery(header) => (Kind::Delivery, header.batch, header.language),
        };
        let header = told::Header::from(header);
        let begun = match format {
            Format::Xml => xml::Report::begin(&header, out).map(Form::Xml),
            Format::Json => json::Report::begin(&header, out).map(Form::Json),
            Format::Csv => csv::Report::begin(&header, out)
                .map(Box::new)
                .map(Form::Csv),
        };
        let form = begun.map_err(failed(kind, batch))?;
        Ok(Self {
            form,
            kind,
            batch,
            language,
        })
    }

    pub fn line(&mut self, line: ReportLine<'_>) -> Result<(), Error> {
        let line = told::Line::of(line, self.language);
        let written = match &mut self.form {
            Form::Xml(report) => report.line(&line),
            Form::Json(report) => report.line(&line),
            Form::Csv(report) => report.line(&line),
        };
        written.map_err(failed(self.kind, self.batch))
    }

    /// Ends the document, flushes, and gives back what it was written to.
    pub fn finish(self) -> Result<W, Error> {
        let finished = match self.form {
            Form::Xml(report) => report.finish(),
            Form::Json(report) => report.finish(),
            Form::Csv(report) => report.finish(),
        };
        finished.map_err(failed(self.kind, self.batch))
    }
}

fn failed(kind: Kind, batch: BatchId) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Write {
        kind,
        batch,
        source,
    }
}
