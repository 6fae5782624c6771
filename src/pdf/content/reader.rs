//! Operators and their operands, read from the bytes of a content stream (ISO 32000-1, 7.8.2).

use super::operands::{Operand, Operands};
use crate::pdf::lexer::{Lexer, MOST_NESTING, is_regular};

/// Reads a content stream from its front. Stray closers and what else is out of place are passed
/// over.
pub(super) struct Reader<'c> {
    pub(super) bytes: &'c [u8],
    pub(super) at: usize,
    failures: u32,
}

/// Dictionaries that do not end, each of which costs a look at all that follows.
const MOST_FAILURES: u32 = 16;

impl<'c> Reader<'c> {
    pub(super) fn new(bytes: &'c [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            failures: 0,
        }
    }

    /// The next operator, and in `operands` what stands before it.
    pub(super) fn next(&mut self, operands: &mut Operands<'c>) -> Option<&'c [u8]> {
        operands.clear();
        loop {
            let first = *self.bytes.get(self.at)?;
            let operand = match first {
                b'0'..=b'9' | b'+' | b'-' | b'.' => Operand::Number(self.number()),
                b'/' => self.name(),
                b'(' | b'<' | b'[' => self.delimited(first)?,
                b'%' => {
                    self.skip_comment();
                    continue;
                }
                b' ' | b'\n' | b'\r' | b'\t' | b'\x0c' | b'\0' | b')' | b'>' | b']' | b'{'
                | b'}' => {
                    self.at += 1;
                    continue;
                }
                _ => match self.regular_run() {
                    b"true" | b"false" | b"null" => Operand::Other,
                    operator => return Some(operator),
                },
            };
            operands.push(operand);
        }
    }

    /// The next element of an array or string that was an operand; strings, numbers, or others.
    pub(super) fn next_element(&mut self) -> Option<Operand<'c>> {
        loop {
            let first = *self.bytes.get(self.at)?;
            match first {
                b'0'..=b'9' | b'+' | b'-' | b'.' => return Some(Operand::Number(self.number())),
                b'(' | b'<' => return self.delimited(first),
                b'/' => return Some(self.name()),
                _ => self.at += 1,
            }
        }
    }

    fn delimited(&mut self, first: u8) -> Option<Operand<'c>> {
        let start = self.at;
        let ends = match first {
            b'[' => self.skip_array(),
            b'(' => self.skip_literal(),
            _ if self.bytes.get(start + 1) == Some(&b'<') => return self.dictionary(),
            _ => self.skip_past(b'>'),
        };
        if !ends {
            return None;
        }
        let value = self.bytes.get(start..self.at).unwrap_or_default();
        Some(if first == b'[' {
            Operand::Array(value)
        } else {
            Operand::Text(value)
        })
    }

    fn name(&mut self) -> Operand<'c> {
        self.at += 1;
        Operand::Name(self.regular_run())
    }

    fn regular_run(&mut self) -> &'c [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&byte| !is_regular(byte));
        let run = rest.get(..length.unwrap_or(rest.len())).unwrap_or_default();
        self.at += run.len();
        run
    }

    /// Anything that begins as a number does, taken as one as readers do: of `1.2.3` or `12-3` the
    /// front counts.
    fn number(&mut self) -> f64 {
        let rest = self.rest();
        let signs = count(rest, |byte| matches!(byte, b'+' | b'-'));
        let negative = rest.first() == Some(&b'-');
        let digits = rest.get(signs..).unwrap_or_default();
        let (whole, length) = decimal(digits);
        let mut value = whole;
        let mut used = signs + length;
        if digits.get(length) == Some(&b'.') {
            let digits = digits.get(length + 1..).unwrap_or_default();
            let (part, length) = decimal(digits);
            value += part / power_of_ten(length);
            used += 1 + length;
        }
        let rest = rest.get(used..).unwrap_or_default();
        let leftover = count(rest, |byte| {
            matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.')
        });
        self.at += used + leftover;
        if negative { -value } else { value }
    }

    fn dictionary(&mut self) -> Option<Operand<'c>> {
        let mut lexer = Lexer::new(self.bytes, self.at);
        if let Ok(place) = lexer.skip_value(MOST_NESTING, |_| {}) {
            self.at = place.end;
            let value = self.bytes.get(place).unwrap_or_default();
            return Some(Operand::Dictionary(value));
        }
        self.failures += 1;
        if self.failures > MOST_FAILURES {
            return None;
        }
        self.at += 2;
        Some(Operand::Other)
    }

    fn skip_array(&mut self) -> bool {
        let mut open = 0_u32;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'(' => {
                    if !self.skip_literal() {
                        return false;
                    }
                    continue;
                }
                b'[' => open += 1,
                b']' => open -= 1,
                b'%' => self.skip_comment(),
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return true;
            }
        }
        false
    }

    fn skip_literal(&mut self) -> bool {
        let mut open = 0_u32;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'(' => open += 1,
                b')' => open -= 1,
                b'\\' => self.at += 1,
                _ => {}
            }
            if open == 0 {
                return true;
            }
        }
        false
    }

    fn skip_past(&mut self, end: u8) -> bool {
        let length = self.rest().iter().position(|&byte| byte == end);
        self.at += length.unwrap_or(0) + 1;
        length.is_some()
    }

    /// To the end of the line; the end itself is left.
    fn skip_comment(&mut self) {
        self.at += count(self.rest(), |byte| byte != b'\r' && byte != b'\n');
    }

    pub(super) fn rest(&self) -> &'c [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

fn count(bytes: &[u8], belongs: impl Fn(u8) -> bool) -> usize {
    let length = bytes.iter().position(|&byte| !belongs(byte));
    length.unwrap_or(bytes.len())
}

/// The digits at the front, and how many there are.
fn decimal(bytes: &[u8]) -> (f64, usize) {
    let mut value = 0_u64;
    let mut length = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
        length += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "no page is that large")]
    let value = value as f64;
    (value, length)
}

fn power_of_ten(digits: usize) -> f64 {
    const POWERS: [f64; 16] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ];
    match POWERS.get(digits) {
        Some(power) => *power,
        None => 10_f64.powi(i32::try_from(digits).unwrap_or(i32::MAX)),
    }
}
