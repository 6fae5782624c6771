use std::io::{self, Read};

use super::encoding::{Encoding, push_latin1};
use crate::{
    batch::archive::Problem,
    domain::{Code, Finding, Place},
};

/// Control data as UTF-8, whatever it was written in, some hundred kilobytes at a time.
pub(super) trait Blocks {
    /// The next stretch of text, perhaps an empty one; `None` at the end. `spent` is a block that
    /// the caller no longer needs: its memory is used again.
    fn next(&mut self, spent: String) -> Result<Option<String>, Fault>;
}

/// Why there is no next block.
#[derive(Debug)]
pub(super) enum Fault {
    Read(io::Error),
    /// It is in an encoding that is not read.
    Encoding(&'static str),
    /// What comes next is not in the encoding that the control data declares.
    NotText,
}

/// Decodes what it reads, when it is asked to.
pub(super) struct Decoder<R> {
    source: R,
    encoding: Option<Encoding>,
    /// The end of what was read, which begins the next block.
    carry: Vec<u8>,
    /// Told when all text before it is given away.
    fault: Option<Fault>,
    is_at_end: bool,
}

pub(super) const BLOCK_BYTES: usize = 256 << 10;

/// How far from its end a block is cut behind a tag. A reader that is at the end of its block with
/// nothing left takes the next one as it is; else it must copy it behind what is left.
const CUT_BYTES: usize = 4 << 10;

impl Fault {
    /// What the sender is told, where the reader of the text has come to that place.
    pub(super) fn finding(&self, place: Place) -> Finding {
        let (code, detail) = match self {
            Self::Read(cause) => match Problem::inside(cause) {
                Some(finding) => return finding.clone(),
                None => (Code::ControlDataMalformed, "it cannot be read"),
            },
            Self::Encoding(detail) => (Code::ControlDataEncoding, *detail),
            Self::NotText => {
                let detail = "its bytes are not in the encoding that it declares";
                (Code::ControlDataEncoding, detail)
            }
        };
        Finding::new(code, place, detail)
    }
}

impl<R: Read> Decoder<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            encoding: None,
            carry: Vec::new(),
            fault: None,
            is_at_end: false,
        }
    }

    /// As many bytes as a block has, fewer only at the end.
    fn read(&mut self, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        bytes.clear();
        bytes.append(&mut self.carry);
        let wanted = BLOCK_BYTES.saturating_sub(bytes.len()).max(1);
        bytes.reserve(wanted);
        let source = &mut self.source;
        let read = source.take(wanted as u64).read_to_end(&mut bytes)?;
        self.is_at_end = read < wanted;
        Ok(bytes)
    }

    /// The encoding, which the first bytes tell. Takes the mark away.
    fn encoding(&mut self, bytes: &mut Vec<u8>) -> Result<Encoding, Fault> {
        if let Some(known) = self.encoding {
            return Ok(known);
        }
        let (encoding, mark_bytes) = Encoding::detect(bytes).map_err(Fault::Encoding)?;
        bytes.drain(..mark_bytes);
        Ok(*self.encoding.insert(encoding))
    }

    fn utf8(&mut self, bytes: Vec<u8>) -> String {
        let error = match String::from_utf8(bytes) {
            Ok(text) => return text,
            Err(error) => error,
        };
        let (fault, mut bytes) = (error.utf8_error(), error.into_bytes());
        let rest = bytes.split_off(fault.valid_up_to());
        if fault.error_len().is_none() && !self.is_at_end {
            self.carry = rest;
        } else {
            self.fault = Some(Fault::NotText);
        }
        String::from_utf8(bytes).unwrap_or_default()
    }

    fn cut(&mut self, bytes: &mut Vec<u8>) {
        let near = bytes.len().saturating_sub(CUT_BYTES);
        let tail = bytes.get(near..).unwrap_or_default();
        if let Some(at) = tail.iter().rposition(|&byte| byte == b'>') {
            self.carry = bytes.split_off(near + at + 1);
        }
    }

    fn latin1(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        if !push_latin1(bytes, &mut text) {
            let detail = "it holds a byte that is no character of ISO-8859-1";
            self.fault = Some(Fault::Encoding(detail));
        }
        text
    }
}

impl<R: Read> Blocks for Decoder<R> {
    fn next(&mut self, spent: String) -> Result<Option<String>, Fault> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if self.is_at_end && self.carry.is_empty() {
            return Ok(None);
        }
        let mut bytes = self.read(spent.into_bytes()).map_err(Fault::Read)?;
        let encoding = self.encoding(&mut bytes)?;
        if !self.is_at_end {
            self.cut(&mut bytes);
        }
        Ok(Some(match encoding {
            Encoding::Utf8 => self.utf8(bytes),
            Encoding::Latin1 => self.latin1(&bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<String, Fault> {
        let mut decoder = Decoder::new(bytes);
        let mut text = String::new();
        while let Some(block) = decoder.next(String::new())? {
            text += &block;
        }
        Ok(text)
    }

    fn refusal(bytes: &[u8]) -> Option<Code> {
        let fault = read(bytes).err()?;
        Some(fault.finding(Place::batch()).code)
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
            refusal(&[b"\xEF\xBB\xBF", latin1.as_slice()].concat()),
            Some(Code::ControlDataEncoding)
        );
        assert_eq!(
            refusal(&[latin1.as_slice(), b"\x81"].concat()),
            Some(Code::ControlDataEncoding)
        );
    }

    #[test]
    fn blocks_end_behind_a_tag_or_else_between_characters() {
        for unit in ["<ä b='€'/>", "€", "aä"] {
            let text = unit.repeat(BLOCK_BYTES / 2);
            let mut decoder = Decoder::new(text.as_bytes());
            let first = decoder.next(String::new()).unwrap().unwrap();
            assert!(first.len() > BLOCK_BYTES - CUT_BYTES);
            assert!(!unit.ends_with('>') || first.ends_with('>'));
            assert_eq!(read(text.as_bytes()).unwrap(), text);
        }
    }

    #[test]
    fn latin1_is_read_over_many_blocks() {
        let head = "<?xml version='1.0' encoding='ISO-8859-1'?>";
        let tags = b"<a b='\xE4'/>".repeat(BLOCK_BYTES / 4);
        let expected = head.to_owned() + &"<a b='ä'/>".repeat(BLOCK_BYTES / 4);
        assert_eq!(read(&[head.as_bytes(), &tags].concat()).unwrap(), expected);
    }

    #[test]
    fn text_before_a_byte_that_is_none_is_given_away_first() {
        let mut decoder = Decoder::new(&b"<a>\xE4</a>"[..]);
        let text = decoder.next(String::new()).unwrap();
        assert_eq!(text.as_deref(), Some("<a>"));
        assert!(matches!(decoder.next(String::new()), Err(Fault::NotText)));
    }
}
