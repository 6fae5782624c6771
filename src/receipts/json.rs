//! The JSON form: one document, and in a report each message on a line of its own.

use std::io::{self, BufWriter, IntoInnerError, Write};

use serde::Serialize;

use super::told::{Acknowledgement, Header, Line};

pub(super) fn write_acknowledgement<W: Write>(
    told: &Acknowledgement<'_>,
    mut out: W,
) -> io::Result<W> {
    #[derive(Serialize)]
    #[serde(tag = "receipt", rename = "acknowledgement")]
    struct Document<'a> {
        #[serde(flatten)]
        told: &'a Acknowledgement<'a>,
    }
    serde_json::to_writer(&mut out, &Document { told })?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(out)
}

/// A report whose array of messages is open.
pub(super) struct Report<W: Write> {
    out: BufWriter<W>,
    is_first: bool,
}

impl<W: Write> Report<W> {
    pub(super) fn begin(header: &Header<'_>, out: W) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        let header = serde_json::to_string(header)?;
        // The object is left open for its last member.
        let open = header.strip_suffix('}').unwrap_or(&header);
        write!(out, "{open},\"messages\":[")?;
        Ok(Self {
            out,
            is_first: true,
        })
    }

    pub(super) fn line(&mut self, line: &Line<'_>) -> io::Result<()> {
        let between: &[u8] = if self.is_first { b"\n" } else { b",\n" };
        self.is_first = false;
        self.out.write_all(between)?;
        Ok(serde_json::to_writer(&mut self.out, line)?)
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()?;
        self.out.into_inner().map_err(IntoInnerError::into_error)
    }
}
