use std::io::{self, BufRead, Read};

use super::{blocks::Blocks, quotes::Quotes};
use crate::{
    batch::archive::Problem,
    domain::{Code, Finding, Place},
};

/// Control data as a stream of UTF-8, with its lines counted.
pub(super) struct Text<'b> {
    blocks: &'b mut dyn Blocks,
    ready: String,
    consumed: usize,
    line: u32,
    token_bytes: usize,
    max_token_bytes: usize,
    quotes: Option<Quotes>,
    /// Told when the reader asks for more.
    slip: Option<Finding>,
    place: &'b Place,
}

impl<'b> Text<'b> {
    pub(super) fn new(
        blocks: &'b mut dyn Blocks,
        place: &'b Place,
        max_token_bytes: usize,
    ) -> Self {
        Self {
            blocks,
            ready: String::new(),
            consumed: 0,
            line: 1,
            token_bytes: 0,
            max_token_bytes,
            quotes: None,
            slip: None,
            place,
        }
    }

    /// Holds the quotes of what is consumed from now on to the rules of a table.
    pub(super) fn hold_quotes(&mut self, delimiter: u8) {
        self.quotes = Some(Quotes::new(delimiter));
    }

    /// Begins the count of what may be consumed until the next call.
    pub(super) fn begin_token(&mut self) {
        self.token_bytes = 0;
    }

    fn malformed(&self, line: u32, detail: &str) -> Finding {
        let place = self.place.clone().on_line(line);
        Finding::new(Code::ControlDataMalformed, place, detail)
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.consumed >= self.ready.len() {
            let spent = std::mem::take(&mut self.ready);
            self.consumed = 0;
            let next = self.blocks.next(spent);
            let place = || self.place.clone().on_line(self.line);
            match next.map_err(|fault| Problem::wrap(fault.finding(place())))? {
                Some(block) => self.ready = block,
                None => return self.check_end(),
            }
        }
        Ok(())
    }

    fn check_end(&self) -> io::Result<()> {
        if self.quotes.as_ref().is_some_and(Quotes::is_open) {
            let detail = "a quote is not closed before the end";
            return Err(Problem::wrap(self.malformed(self.line, detail)));
        }
        Ok(())
    }

    fn check_quotes(&mut self, from: usize, until: usize) {
        let taken = self.ready.as_bytes().get(from..until).unwrap_or_default();
        let Some(Err(at)) = self.quotes.as_mut().map(|quotes| quotes.pass(taken)) else {
            return;
        };
        let before = taken.get(..at).unwrap_or_default();
        let line = self.line.saturating_add(line_breaks(before));
        let detail = "behind the quote that closes a field stands something else";
        self.slip.get_or_insert(self.malformed(line, detail));
        self.quotes = None;
    }
}

impl BufRead for Text<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_bytes > self.max_token_bytes {
            let detail = "a tag, a text or a row is longer than any that control data needs";
            return Err(Problem::wrap(self.malformed(self.line, detail)));
        }
        if let Some(slip) = &self.slip {
            return Err(Problem::wrap(slip.clone()));
        }
        self.refill()?;
        Ok(self
            .ready
            .as_bytes()
            .get(self.consumed..)
            .unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let until = self.consumed.saturating_add(amount).min(self.ready.len());
        self.check_quotes(self.consumed, until);
        let taken = self.ready.as_bytes().get(self.consumed..until);
        let taken = taken.unwrap_or_default();
        self.line = self.line.saturating_add(line_breaks(taken));
        self.token_bytes = self.token_bytes.saturating_add(taken.len());
        self.consumed = until;
    }
}

impl Read for Text<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

fn line_breaks(bytes: &[u8]) -> u32 {
    bytes.iter().map(|&byte| u32::from(byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::control::blocks::Decoder;

    #[test]
    fn lines_are_counted_as_they_are_consumed() {
        let (mut blocks, place) = (Decoder::new(&b"a\nb\r\nc"[..]), Place::batch());
        let mut text = Text::new(&mut blocks, &place, 100);
        text.fill_buf().unwrap();
        text.consume(3);
        assert_eq!(text.line, 2);
        text.consume(3);
        assert_eq!(text.line, 3);
    }

    #[test]
    fn a_token_may_be_as_long_as_the_limit_and_no_longer() {
        let consumed = |amount| {
            let (mut blocks, place) = (Decoder::new(&[b'x'; 20][..]), Place::batch());
            let mut text = Text::new(&mut blocks, &place, 10);
            text.fill_buf().unwrap();
            text.consume(amount);
            text.fill_buf().map(<[u8]>::len).is_ok()
        };
        assert!(consumed(10));
        assert!(!consumed(11));
    }
}
