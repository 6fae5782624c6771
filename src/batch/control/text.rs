use std::io::{self, BufRead, Read};

use crate::{
    batch::archive::Problem,
    domain::{Code, Finding, Place},
};

/// Control data as UTF-8, whatever it was written in, with its lines counted.
///
/// The encoding is what the byte-order mark and the XML declaration say: UTF-8, or ISO-8859-1.
/// Nobody means the control characters that ISO-8859-1 has at 0x80–0x9F, so these are read as
/// Windows-1252, as browsers do (WHATWG Encoding, 4.2).
pub(super) struct Text<R> {
    source: R,
    encoding: Option<Encoding>,
    ready: Vec<u8>,
    consumed: usize,
    line: u32,
    token_bytes: usize,
    max_token_bytes: usize,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Latin1,
}

const CHUNK_BYTES: u64 = 64 << 10;
const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

impl<R: Read> Text<R> {
    pub(super) fn new(source: R, place: Place, max_token_bytes: usize) -> Self {
        Self {
            source,
            encoding: None,
            ready: Vec::new(),
            consumed: 0,
            line: 1,
            token_bytes: 0,
            max_token_bytes,
            place,
        }
    }

    /// The 1-based line of the next byte to be consumed.
    pub(super) fn line(&self) -> u32 {
        self.line
    }

    /// Begins the count of what may be consumed until the next call.
    pub(super) fn begin_token(&mut self) {
        self.token_bytes = 0;
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut chunk = std::mem::take(&mut self.ready);
        chunk.clear();
        self.consumed = 0;
        (&mut self.source)
            .take(CHUNK_BYTES)
            .read_to_end(&mut chunk)?;
        let encoding = match self.encoding {
            Some(known) => known,
            None => self.detect(&chunk)?,
        };
        if self.encoding.is_none() && chunk.starts_with(UTF8_MARK) {
            self.consumed = UTF8_MARK.len();
        }
        self.encoding = Some(encoding);
        self.ready = match encoding {
            Encoding::Utf8 => chunk,
            Encoding::Latin1 => self.decode_latin1(&chunk)?,
        };
        Ok(())
    }

    fn detect(&self, head: &[u8]) -> io::Result<Encoding> {
        let refused = |detail| Err(self.problem(Code::ControlDataEncoding, detail));
        let is_utf16 = matches!(
            head,
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, b'<', ..] | [b'<', 0, ..]
        );
        if is_utf16 {
            return refused("it is written in UTF-16");
        }
        let has_mark = head.starts_with(UTF8_MARK);
        match declared(head.strip_prefix(UTF8_MARK).unwrap_or(head)) {
            None => Ok(Encoding::Utf8),
            Some(name) => match (name.to_ascii_lowercase().as_str(), has_mark) {
                ("utf-8" | "utf8" | "us-ascii" | "ascii", _) => Ok(Encoding::Utf8),
                ("iso-8859-1" | "latin1" | "windows-1252", false) => Ok(Encoding::Latin1),
                ("iso-8859-1" | "latin1" | "windows-1252", true) => {
                    refused("its byte-order mark says UTF-8 and its declaration does not")
                }
                _ => refused("it declares an encoding other than UTF-8 and ISO-8859-1"),
            },
        }
    }

    fn decode_latin1(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
        for &byte in bytes {
            let Some(character) = latin1(byte) else {
                let detail = "it holds a byte that is no character of ISO-8859-1";
                return Err(self.problem(Code::ControlDataEncoding, detail));
            };
            text.push(character);
        }
        Ok(text.into_bytes())
    }

    fn problem(&self, code: Code, detail: &str) -> io::Error {
        Problem::wrap(Finding::new(
            code,
            self.place.clone().on_line(self.line),
            detail,
        ))
    }
}

impl<R: Read> BufRead for Text<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token_bytes > self.max_token_bytes {
            let detail = "a tag, a text or a row is longer than any that control data needs";
            return Err(self.problem(Code::ControlDataMalformed, detail));
        }
        if self.consumed >= self.ready.len() {
            self.refill()?;
        }
        Ok(self.ready.get(self.consumed..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let until = self.consumed.saturating_add(amount).min(self.ready.len());
        let taken = self.ready.get(self.consumed..until).unwrap_or_default();
        let lines: u32 = taken.iter().map(|&byte| u32::from(byte == b'\n')).sum();
        self.line = self.line.saturating_add(lines);
        self.token_bytes = self.token_bytes.saturating_add(taken.len());
        self.consumed = until;
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

/// The encoding that the XML declaration names, if there is one.
fn declared(head: &[u8]) -> Option<String> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let end = declaration.windows(2).position(|pair| pair == b"?>")?;
    let declaration = String::from_utf8_lossy(declaration.get(..end)?).into_owned();
    let (_, after) = declaration.split_once("encoding")?;
    let value = after.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let value = value.get(1..)?;
    Some(value.split(quote).next().unwrap_or(value).to_owned())
}

fn latin1(byte: u8) -> Option<char> {
    const WINDOWS_1252: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9F => {
            let character = WINDOWS_1252.get(usize::from(byte - 0x80)).copied();
            character.filter(|&c| c != '\0')
        }
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Text::new(bytes, Place::batch(), 1 << 20).read_to_string(&mut text)?;
        Ok(text)
    }

    fn refusal(bytes: &[u8]) -> Option<Code> {
        let error = read(bytes).err()?;
        Problem::inside(&error).map(|finding| finding.code)
    }

    #[test]
    fn utf8_is_read_as_it_is_and_its_mark_is_dropped() {
        assert_eq!(read("<a>ä€</a>".as_bytes()).unwrap(), "<a>ä€</a>");
        assert_eq!(read("\u{FEFF}<a/>".as_bytes()).unwrap(), "<a/>");
    }

    #[test]
    fn latin1_is_read_as_declared_however_long_the_declaration() {
        let head = format!(
            "<?xml version=\"1.0\"{} encoding = 'ISO-8859-1'?>",
            " ".repeat(200)
        );
        let bytes = [head.as_bytes(), b"<a>\xE4\x80</a>"].concat();
        assert_eq!(read(&bytes).unwrap(), format!("{head}<a>ä€</a>"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        let latin1 = b"<?xml version='1.0' encoding='iso-8859-1'?><a>";
        assert_eq!(refusal(b"\xFF\xFE<\0a\0"), Some(Code::ControlDataEncoding));
        assert_eq!(refusal(b"<\0?\0x\0"), Some(Code::ControlDataEncoding));
        assert_eq!(
            refusal(b"<?xml version='1.0' encoding='KOI8-R'?>"),
            Some(Code::ControlDataEncoding)
        );
        assert_eq!(
            refusal(&[UTF8_MARK, latin1].concat()),
            Some(Code::ControlDataEncoding)
        );
        assert_eq!(
            refusal(&[latin1.as_slice(), b"\x81"].concat()),
            Some(Code::ControlDataEncoding)
        );
    }

    #[test]
    fn lines_are_counted_as_they_are_consumed() {
        let mut text = Text::new(&b"a\nb\r\nc"[..], Place::batch(), 100);
        text.fill_buf().unwrap();
        text.consume(3);
        assert_eq!(text.line(), 2);
        text.consume(3);
        assert_eq!(text.line(), 3);
    }

    #[test]
    fn a_token_may_be_as_long_as_the_limit_and_no_longer() {
        let consumed = |amount| {
            let mut text = Text::new(&[b'x'; 20][..], Place::batch(), 10);
            text.fill_buf().unwrap();
            text.consume(amount);
            text.fill_buf().map(<[u8]>::len).is_ok()
        };
        assert!(consumed(10));
        assert!(!consumed(11));
    }
}
