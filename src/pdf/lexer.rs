//! Tokens of PDF syntax (ISO 32000-1, 7.2 and 7.3), found without building anything from them.

use std::ops::Range;

use super::Refusal;

/// More levels than this are refused whatever the [`super::Limits`] say.
pub(super) const MOST_NESTING: u16 = 256;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'b> {
    Integer(i64),
    /// Any other number, and what only looks like one.
    Real(&'b [u8]),
    /// `12 0 R`. Generations are ignored, as other readers do.
    Reference(u32),
    /// Without the slash, escapes as they stand.
    Name(&'b [u8]),
    /// `(…)` or `<…>`.
    Text,
    ArrayOpen,
    ArrayClose,
    DictionaryOpen,
    DictionaryClose,
    Keyword(&'b [u8]),
}

/// Reads tokens from the front of `bytes`.
#[derive(Clone)]
pub(super) struct Lexer<'b> {
    bytes: &'b [u8],
    position: usize,
    start: usize,
    /// Content has no references: after a number none is looked for.
    has_references: bool,
}

/// A reference and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) place: Range<usize>,
    pub(super) number: u32,
}

impl<'b> Lexer<'b> {
    pub(super) fn new(bytes: &'b [u8], position: usize) -> Self {
        Self {
            bytes,
            position,
            start: position,
            has_references: true,
        }
    }

    /// Reads a content stream (7.8.2).
    pub(super) fn of_content(bytes: &'b [u8], position: usize) -> Self {
        Self {
            has_references: false,
            ..Self::new(bytes, position)
        }
    }

    /// Where the next token is looked for.
    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// The next token; `None` at the end, or where a string does not end.
    pub(super) fn next(&mut self) -> Option<Token<'b>> {
        self.skip_space();
        self.start = self.position;
        let first = self.peek()?;
        self.position += 1;
        match first {
            b'[' => Some(Token::ArrayOpen),
            b']' => Some(Token::ArrayClose),
            b'(' => self.literal_string(),
            b'<' if self.peek() == Some(b'<') => Some(self.two_bytes(Token::DictionaryOpen)),
            b'<' => self.hexadecimal_string(),
            b'>' if self.peek() == Some(b'>') => Some(self.two_bytes(Token::DictionaryClose)),
            b'/' => Some(Token::Name(self.regular_run(self.position))),
            b'{' | b'}' | b')' | b'>' => Some(Token::Keyword(self.since(self.start))),
            b'0'..=b'9' | b'+' | b'-' | b'.' => Some(self.number()),
            _ => Some(Token::Keyword(self.regular_run(self.start))),
        }
    }

    /// Goes past one value, at whatever depth it ends, and reports the references in it.
    /// Returns where the value stands.
    pub(super) fn skip_value(
        &mut self,
        max_nesting: u16,
        mut on_reference: impl FnMut(Reference),
    ) -> Result<Range<usize>, Refusal> {
        let mut nesting = Nesting::default();
        let mut first = None;
        loop {
            let token = self.next().ok_or(MALFORMED)?;
            let start = *first.get_or_insert(self.start);
            match token {
                Token::ArrayOpen => nesting.open(false, max_nesting)?,
                Token::DictionaryOpen => nesting.open(true, max_nesting)?,
                Token::ArrayClose => nesting.close(false)?,
                Token::DictionaryClose => nesting.close(true)?,
                Token::Reference(number) => on_reference(Reference {
                    place: self.start..self.position,
                    number,
                }),
                Token::Keyword(word) => check_keyword(word, nesting.depth)?,
                Token::Integer(_) | Token::Real(_) | Token::Name(_) | Token::Text => {}
            }
            if nesting.depth == 0 {
                return Ok(start..self.position);
            }
        }
    }

    pub(super) fn skip_space(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                self.skip_while(|byte| byte != b'\r' && byte != b'\n');
            } else if is_space(byte) {
                self.position += 1;
            } else {
                return;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.position).copied()
    }

    fn two_bytes(&mut self, token: Token<'b>) -> Token<'b> {
        self.position += 1;
        token
    }

    fn since(&self, start: usize) -> &'b [u8] {
        self.bytes.get(start..self.position).unwrap_or_default()
    }

    fn skip_while(&mut self, keep: impl Fn(u8) -> bool) {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !keep(byte));
        self.position += length.unwrap_or(rest.len());
    }

    fn regular_run(&mut self, start: usize) -> &'b [u8] {
        self.skip_while(is_regular);
        self.since(start)
    }

    fn literal_string(&mut self) -> Option<Token<'b>> {
        let mut open = 1_usize;
        while open > 0 {
            self.skip_while(|byte| !matches!(byte, b'(' | b')' | b'\\'));
            match self.peek()? {
                b'(' => open += 1,
                b')' => open -= 1,
                _ => self.position += 1,
            }
            self.position += 1;
        }
        Some(Token::Text)
    }

    fn hexadecimal_string(&mut self) -> Option<Token<'b>> {
        self.skip_while(|byte| byte.is_ascii_hexdigit() || is_space(byte));
        (self.peek()? == b'>').then_some(())?;
        self.position += 1;
        Some(Token::Text)
    }

    /// Ends where a number does, also in `74191endobj`.
    fn number(&mut self) -> Token<'b> {
        self.skip_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.'));
        let run = self.since(self.start);
        let Some(integer) = integer(run) else {
            return Token::Real(run);
        };
        if !self.has_references {
            return Token::Integer(integer);
        }
        let reference = u32::try_from(integer)
            .ok()
            .filter(|_| self.ends_as_reference());
        reference.map_or(Token::Integer(integer), Token::Reference)
    }

    /// Whether ` 0 R` follows; goes past it if so.
    fn ends_as_reference(&mut self) -> bool {
        let mut ahead = self.clone();
        ahead.skip_space();
        let generation = ahead.position;
        ahead.skip_while(|byte| byte.is_ascii_digit());
        let digits = ahead.position - generation;
        if !(1..=5).contains(&digits) || !ahead.peek().is_some_and(is_space) {
            return false;
        }
        ahead.skip_space();
        if ahead.peek() != Some(b'R') {
            return false;
        }
        ahead.position += 1;
        let ends = !ahead.peek().is_some_and(is_regular);
        if ends {
            self.position = ahead.position;
        }
        ends
    }
}

pub(super) const MALFORMED: Refusal = Refusal::Unreadable {
    what: "a value does not end as it should",
};

/// White space (table 1).
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'\x0c' | b'\0')
}

/// Neither white space nor a delimiter (table 2).
pub(super) fn is_regular(byte: u8) -> bool {
    let delimiter = matches!(
        byte,
        b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%'
    );
    !delimiter && !is_space(byte)
}

fn integer(run: &[u8]) -> Option<i64> {
    let negative = run.starts_with(b"-");
    let sign = usize::from(negative || run.starts_with(b"+"));
    let digits = run.get(sign..)?;
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(digit - b'0');
    }
    Some(if negative { -value } else { value })
}

/// Words that only stand between objects mean that a value was never closed. Others are passed
/// on inside arrays and dictionaries, since readers ignore them.
fn check_keyword(word: &[u8], depth: u16) -> Result<(), Refusal> {
    let between_objects = matches!(
        word,
        b"obj" | b"endobj" | b"stream" | b"endstream" | b"xref" | b"trailer" | b"startxref"
    );
    let stray = matches!(word, b"{" | b"}" | b")" | b">");
    let value = matches!(word, b"true" | b"false" | b"null");
    if between_objects || stray || (depth == 0 && !value) {
        return Err(MALFORMED);
    }
    Ok(())
}

/// Which arrays (0) and dictionaries (1) are open, a bit each.
#[derive(Default)]
struct Nesting {
    depth: u16,
    kinds: [u64; (MOST_NESTING / 64) as usize],
}

impl Nesting {
    fn open(&mut self, dictionary: bool, max_nesting: u16) -> Result<(), Refusal> {
        if self.depth >= max_nesting.min(MOST_NESTING) {
            return Err(Refusal::Limit {
                what: "arrays and dictionaries inside one another",
            });
        }
        let bit = 1 << (self.depth % 64);
        if let Some(word) = self.kinds.get_mut(usize::from(self.depth / 64)) {
            *word = if dictionary {
                *word | bit
            } else {
                *word & !bit
            };
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, dictionary: bool) -> Result<(), Refusal> {
        self.depth = self.depth.checked_sub(1).ok_or(MALFORMED)?;
        let word = self.kinds.get(usize::from(self.depth / 64)).copied();
        let opened = word.unwrap_or_default() >> (self.depth % 64) & 1 == 1;
        if opened == dictionary {
            Ok(())
        } else {
            Err(MALFORMED)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references_in(text: &str) -> (Range<usize>, Vec<u32>) {
        let mut numbers = Vec::new();
        let mut lexer = Lexer::new(text.as_bytes(), 0);
        let place = lexer.skip_value(200, |found| numbers.push(found.number));
        (place.unwrap(), numbers)
    }

    #[test]
    fn a_value_ends_where_it_ends_and_tells_its_references() {
        let text = " << /A 12 0 R/B[ 3 0 R 4 5 6.0 7 1 R]/C (a\\) (4 0 R)) /D <0A> >> 9 0 R";
        let (place, numbers) = references_in(text);
        assert!(text[place].ends_with("<0A> >>"));
        assert_eq!(numbers, [12, 3, 7]);
    }

    #[test]
    fn a_number_is_a_value_and_a_reference_is_one_value() {
        assert_eq!(references_in("5 6 7"), (0..1, vec![]));
        assert_eq!(references_in("5 6 R"), (0..5, vec![5]));
        assert_eq!(references_in("5 6 Rx"), (0..1, vec![]));
    }

    #[test]
    fn comments_hide_nothing_and_add_nothing() {
        let (_, numbers) = references_in("[1 0 R % 2 0 R ]\n3 0 R]");
        assert_eq!(numbers, [1, 3]);
    }

    #[test]
    fn closers_must_match_and_end() {
        for text in ["[>>", "<</A 1", "(open", "endobj", "]", "[endobj]", "<0x>"] {
            let result = Lexer::new(text.as_bytes(), 0).skip_value(200, |_| {});
            assert_eq!(result, Err(MALFORMED), "{text}");
        }
    }

    #[test]
    fn nesting_is_taken_up_to_the_limit_and_not_past_it() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let skip = |text: String| Lexer::new(text.as_bytes(), 0).skip_value(200, |_| {});
        assert!(skip(nested(200)).is_ok());
        assert!(matches!(skip(nested(201)), Err(Refusal::Limit { .. })));
        assert!(matches!(
            skip("[".repeat(100_000)),
            Err(Refusal::Limit { .. })
        ));
    }
}
