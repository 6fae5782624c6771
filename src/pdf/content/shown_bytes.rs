//! The bytes that a string stands for (ISO 32000-1, 7.3.4).

/// Escapes undone, into `scratch` where anything has to be.
pub(in crate::pdf) fn bytes_of<'b>(string: &'b [u8], scratch: &'b mut Vec<u8>) -> &'b [u8] {
    scratch.clear();
    match string {
        [b'(', inside @ .., b')'] => {
            if !inside.iter().any(|byte| matches!(byte, b'\\' | b'\r')) {
                return inside;
            }
            put_literal(inside, scratch);
        }
        [b'<', inside @ .., b'>'] => put_hexadecimal(inside, scratch),
        _ => {}
    }
    scratch
}

fn put_literal(mut rest: &[u8], out: &mut Vec<u8>) {
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\\' => rest = put_escaped(after, out),
            b'\r' => {
                out.push(b'\n');
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
            }
            byte => out.push(byte),
        }
    }
}

/// What follows a backslash; gives what is left behind it.
fn put_escaped<'b>(escaped: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
    let Some((&first, rest)) = escaped.split_first() else {
        return escaped;
    };
    match first {
        b'n' => out.push(b'\n'),
        b'r' => out.push(b'\r'),
        b't' => out.push(b'\t'),
        b'b' => out.push(b'\x08'),
        b'f' => out.push(b'\x0c'),
        b'\r' => return rest.strip_prefix(b"\n").unwrap_or(rest),
        b'\n' => {}
        b'0'..=b'7' => return put_octal(escaped, out),
        byte => out.push(byte),
    }
    rest
}

/// One to three digits; what does not fit into a byte is cut.
fn put_octal<'b>(digits: &'b [u8], out: &mut Vec<u8>) -> &'b [u8] {
    let mut rest = digits;
    let mut value = 0_u8;
    for _ in 0..3 {
        let Some((digit @ b'0'..=b'7', after)) = rest.split_first() else {
            break;
        };
        value = value.wrapping_mul(8).wrapping_add(digit - b'0');
        rest = after;
    }
    out.push(value);
    rest
}

/// What is no digit is passed over; a last odd digit counts as the first of two.
fn put_hexadecimal(inside: &[u8], out: &mut Vec<u8>) {
    let mut high = None;
    for byte in inside {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            b'A'..=b'F' => byte - b'A' + 10,
            _ => continue,
        };
        match high.take() {
            None => high = Some(digit << 4),
            Some(high) => out.push(high | digit),
        }
    }
    out.extend(high);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(string: &[u8], bytes: &[u8]) {
        assert_eq!(bytes_of(string, &mut Vec::new()), bytes);
    }

    #[test]
    fn a_literal_string_has_its_escapes_undone() {
        check(b"(plain)", b"plain");
        check(br"(a\(b\)\\\n)", b"a(b)\\\n");
        check(br"(\101\1012\7\400)", b"AA2\x07\0");
        check(b"(a\\\r\nb\r\nc\rd)", b"ab\nc\nd");
        check(b"(end\\)", b"end");
    }

    #[test]
    fn a_hexadecimal_string_may_have_space_and_an_odd_digit() {
        check(b"<41 4a\n5>", b"AJP");
        check(b"<>", b"");
    }
}
