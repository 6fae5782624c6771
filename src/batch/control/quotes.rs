/// Follows the quotes of a table, and tells where they are not those of RFC 4180 (section 2).
///
/// A quote that nobody closes makes one field of all rows up to the next quote, or to the end of the
/// file: their letters would be lost, and what they say be told to somebody else.
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the first byte of a field.
    Before,
    Plain,
    Quoted,
    /// Behind a quote that closes the field, if it is not the first of two.
    Closed,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::Before,
        }
    }

    /// Reads on. At the byte that cannot stand where it stands, `Err` with its offset.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let quote = rest.iter().position(|&byte| byte == b'"');
            let run = rest.get(..quote.unwrap_or(rest.len())).unwrap_or_default();
            self.state = match run {
                [] => self.behind_quote(),
                [first, ..] if self.state == State::Closed && !self.ends_field(*first) => {
                    return Err(at);
                }
                [.., last] => self.behind(*last),
            };
            at += run.len().max(1);
        }
        Ok(())
    }

    /// Whether a field is open.
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    fn behind_quote(&self) -> State {
        match self.state {
            State::Quoted => State::Closed,
            State::Before | State::Closed => State::Quoted,
            State::Plain => State::Plain,
        }
    }

    /// Behind a byte that is no quote.
    fn behind(&self, byte: u8) -> State {
        match self.state {
            State::Quoted => State::Quoted,
            _ if self.ends_field(byte) => State::Before,
            State::Before | State::Plain | State::Closed => State::Plain,
        }
    }

    fn ends_field(&self, byte: u8) -> bool {
        byte == self.delimiter || matches!(byte, b'\n' | b'\r')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The offset of a fault, or whether a field is open at the end.
    fn read(text: &str) -> Result<bool, usize> {
        let mut quotes = Quotes::new(b',');
        for (at, byte) in text.bytes().enumerate() {
            quotes.pass(&[byte]).map_err(|_| at)?;
        }
        let mut at_once = Quotes::new(b',');
        assert_eq!(at_once.pass(text.as_bytes()), Ok(()));
        assert_eq!(at_once.is_open(), quotes.is_open());
        Ok(quotes.is_open())
    }

    #[test]
    fn fields_that_are_closed_are_taken() {
        for text in [
            "",
            "a,b\r\n",
            "\"\",\"a\nb\"\n\"a,\"\"b\"\"\"",
            // Inches: such a quote hides no row.
            "a 5\" b,c\n",
            "a,\"b\"",
        ] {
            assert_eq!(read(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn a_quote_that_nobody_closes_is_told() {
        assert_eq!(read("a,\"b\nc,d\n"), Ok(true));
        assert_eq!(read("a,\"b\"\""), Ok(true));
        assert_eq!(read("a,\"b\nc,\"d\n"), Err(8));
        assert_eq!(read("\"a\" ,b\n"), Err(3));
    }
}
