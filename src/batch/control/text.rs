use std::io::{self, BufRead, Read};

use super::blocks::Blocks;
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
            place,
        }
    }

    /// Begins the count of what may be consumed until the next call.
    pub(super) fn begin_token(&mut self) {
        self.token_bytes = 0;
    }

    fn refill(&mut self) -> io::Result<()> {
        while self.consumed >= self.ready.len() {
            let spent = std::mem::take(&mut self.ready);
            self.consumed = 0;
            let next = self.blocks.next(spent);
            let place = || self.place.clone().on_line(self.line);
            match next.map_err(|fault| Problem::wrap(fault.finding(place())))? {
                Some(block) => self.ready = block,
                None => break,
            }
        }
        Ok(())
    }
}

impl BufRead for Text<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_bytes > self.max_token_bytes {
            let detail = "a tag, a text or a row is longer than any that control data needs";
            let place = self.place.clone().on_line(self.line);
            let finding = Finding::new(Code::ControlDataMalformed, place, detail);
            return Err(Problem::wrap(finding));
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
        let taken = self.ready.as_bytes().get(self.consumed..until);
        let taken = taken.unwrap_or_default();
        let lines: u32 = taken.iter().map(|&byte| u32::from(byte == b'\n')).sum();
        self.line = self.line.saturating_add(lines);
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
