//! The encoding that a Type 1 font program brings (Adobe Type 1 Font Format, 2.2). It stands in the
//! part of the program that is plain text.

use super::cmap_reader::{CmapReader, Item};
use super::encoding::{Base, Encoding};

/// `None` if the program has none that can be read.
pub(super) fn encoding(program: &[u8]) -> Option<Encoding> {
    let program = program.get(..LONGEST_PLAIN).unwrap_or(program);
    let mut reader = CmapReader::new(program);
    while reader.next()? != Item::Name(b"Encoding") {}
    if reader.next()? == Item::Keyword(b"StandardEncoding") {
        return Some(Encoding::of(Some(Base::Standard)));
    }
    let mut encoding = Encoding::of(None);
    let mut before = [Item::Other; 2];
    while let Some(item) = reader.next() {
        match (before, item) {
            // `dup 65 /A put`
            ([Item::Integer(code), Item::Name(name)], Item::Keyword(b"put")) => {
                if let Ok(code) = u8::try_from(code) {
                    encoding.put(code, name);
                }
            }
            (_, Item::Keyword(b"def" | b"readonly" | b"eexec")) => break,
            _ => {}
        }
        before = [before[1], item];
    }
    Some(encoding)
}

/// In bytes. Plain text of fonts is a tenth of that.
const LONGEST_PLAIN: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROGRAM: &str = "%!PS-AdobeFont-1.1: CMR10 1.00B\nFontDirectory/CMR10 known{/CMR10}if\n\
        11 dict begin\n/FontName /CMR10 def\n/Encoding 256 array\n\
        0 1 255 {1 index exch /.notdef put} for\ndup 49 /one put\ndup 65 /Adieresis put\n\
        readonly def\ndup 66 /B put\ncurrentfile eexec\n";

    #[test]
    fn codes_are_put_one_by_one() {
        let encoding = encoding(PROGRAM.as_bytes()).unwrap();
        let found = [49, 65, 66].map(|code| encoding.character(code));
        assert_eq!(found, [Some('1'), Some('Ä'), None]);
    }

    #[test]
    fn the_standard_encoding_is_named() {
        let encoding = encoding(b"%!\n/Encoding StandardEncoding def\n").unwrap();
        assert_eq!(encoding.character(b'\''), Some('’'));
    }

    #[test]
    fn a_program_without_one_has_none() {
        assert!(encoding(b"%!\n/FontName /CMR10 def").is_none());
        assert!(encoding(b"").is_none());
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_they_are_looked_through(bytes: Vec<u8>) {
            let mut program = b"/Encoding 256 array dup 1 /A put ".to_vec();
            program.extend_from_slice(&bytes);
            encoding(&program);
            encoding(&bytes);
        }
    }
}
