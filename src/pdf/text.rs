//! Names, text strings and dates, written (ISO 32000-1, 7.3.5 and 7.9).

use std::io::Write;

use super::lexer::is_regular;

/// A name with its slash.
pub(super) fn put_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'/');
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && is_regular(byte) && byte != b'#' {
            out.push(byte);
        } else {
            // Writing to a vector does not fail.
            let _ = write!(out, "#{byte:02X}");
        }
    }
}

/// A text string: as it is where that is plain ASCII, else UTF-16.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push(b'(');
        for byte in text.bytes() {
            if matches!(byte, b'(' | b')' | b'\\') {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b')');
    } else {
        out.extend_from_slice(b"<FEFF");
        for unit in text.encode_utf16() {
            let _ = write!(out, "{unit:04X}");
        }
        out.push(b'>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(put: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        put(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_is_plain_or_utf_16() {
        assert_eq!(written(|out| put_text(out, "a (b) \\")), r"(a \(b\) \\)");
        assert_eq!(written(|out| put_text(out, "ä€")), "<FEFF00E420AC>");
    }

    #[test]
    fn names_escape_what_would_end_them() {
        assert_eq!(written(|out| put_name(out, "a b/#ä")), "/a#20b#2F#23#C3#A4");
    }
}
