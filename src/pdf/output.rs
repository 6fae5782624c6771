//! The bytes of a new PDF: objects one after another, and where each began.

use std::io::{self, Write};

/// Numbers objects, writes them, and remembers their offsets.
pub(super) struct Output<W: Write> {
    out: W,
    buffer: Vec<u8>,
    /// Bytes handed to `out`.
    flushed: u64,
    /// By object number less one; 0 for a number that is reserved and not written yet.
    offsets: Vec<u64>,
}

const FLUSH_AT: usize = 64 * 1024;

/// What ten digits of a cross-reference table can say (ISO 32000-1, 7.5.4).
const LAST_OFFSET: u64 = 9_999_999_999;

impl<W: Write> Output<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(2 * FLUSH_AT),
            flushed: 0,
            offsets: Vec::new(),
        }
    }

    /// A number for an object that is written later.
    pub(super) fn reserve(&mut self) -> io::Result<u32> {
        self.offsets.push(0);
        u32::try_from(self.offsets.len()).map_err(|_| io::ErrorKind::FileTooLarge.into())
    }

    /// Begins the object of that number.
    pub(super) fn begin(&mut self, number: u32) -> io::Result<()> {
        if self.buffer.len() >= FLUSH_AT {
            self.flush()?;
        }
        let offset = self.position();
        if let Some(slot) = self.offsets.get_mut(number as usize - 1) {
            *slot = offset;
        }
        self.integer(u64::from(number));
        self.put(b" 0 obj\n");
        Ok(())
    }

    pub(super) fn end(&mut self) {
        self.put(b"\nendobj\n");
    }

    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    pub(super) fn integer(&mut self, value: u64) {
        // Writing to a vector does not fail.
        let _ = write!(self.buffer, "{value}");
    }

    pub(super) fn reference(&mut self, number: u32) {
        self.integer(u64::from(number));
        self.put(b" 0 R");
    }

    /// `stream` and `endstream` about the data; large data goes past the buffer.
    pub(super) fn stream(&mut self, data: &[u8]) -> io::Result<()> {
        self.put(b"\nstream\n");
        if data.len() < FLUSH_AT {
            self.put(data);
        } else {
            self.flush()?;
            self.out.write_all(data)?;
            self.flushed += data.len() as u64;
        }
        self.put(b"\nendstream");
        Ok(())
    }

    /// A whole stream object; `entries` stand before its `/Length`.
    pub(super) fn stream_object(
        &mut self,
        number: u32,
        entries: &[u8],
        data: &[u8],
    ) -> io::Result<()> {
        self.begin(number)?;
        self.put(b"<<");
        self.put(entries);
        self.put(b"/Length ");
        self.integer(data.len() as u64);
        self.put(b">>");
        self.stream(data)?;
        self.end();
        Ok(())
    }

    /// The cross-reference table and what stands behind it; returns the output and its length.
    pub(super) fn finish(mut self, trailer: &[u8]) -> io::Result<(W, u64)> {
        let table = self.position();
        if table > LAST_OFFSET {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.offsets.len() + 1;
        let offsets = std::mem::take(&mut self.offsets);
        write!(self.buffer, "xref\n0 {count}\n0000000000 65535 f \n")?;
        for offset in offsets {
            match offset {
                0 => self.put(b"0000000000 65535 f \n"),
                offset => writeln!(self.buffer, "{offset:010} 00000 n ")?,
            }
            if self.buffer.len() >= FLUSH_AT {
                self.flush()?;
            }
        }
        write!(self.buffer, "trailer\n<</Size {count}")?;
        self.put(trailer);
        write!(self.buffer, ">>\nstartxref\n{table}\n%%EOF\n")?;
        self.flush()?;
        self.out.flush()?;
        Ok((self.out, self.flushed))
    }

    fn position(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}
