//! `multipart/form-data` (RFC 7578), as far as one file needs it.

use hyper::body::Bytes;

/// One part of a form.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// Of `filename`. RFC 7578, 4.2 rules out `filename*`: it is not read.
    pub(super) filename: Option<String>,
    pub(super) media_type: Option<String>,
    pub(super) bytes: Bytes,
}

/// The boundary of a `Content-Type` that says `multipart/form-data`.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_form = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    is_form.then(|| parameter(parameters, "boundary"))?
}

/// The parts of a form; `None` where it is not one, or has no end.
pub(super) fn parts(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let line = format!("--{boundary}");
    let mut rest = after(body, find(body, line.as_bytes())? + line.len());
    let mut parts = Vec::new();
    let separator = format!("\r\n--{boundary}");
    while !rest.starts_with(b"--") {
        let start = find(&rest, b"\r\n")? + 2;
        let inside = after(&rest, start);
        // A part without headers begins with the empty line.
        let (head, content) = if inside.starts_with(b"\r\n") {
            (Bytes::new(), after(&inside, 2))
        } else {
            let end = find(&inside, b"\r\n\r\n")?;
            (inside.slice(..end), after(&inside, end + 4))
        };
        let end = find(&content, separator.as_bytes())?;
        parts.push(part(&head, content.slice(..end)));
        rest = after(&content, end + separator.len());
    }
    Some(parts)
}

fn part(head: &[u8], bytes: Bytes) -> Part {
    let mut part = Part {
        bytes,
        ..Part::default()
    };
    for line in String::from_utf8_lossy(head).split("\r\n") {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        if name.eq_ignore_ascii_case("content-disposition") {
            part.name = parameter(value, "name").unwrap_or_default();
            part.filename = parameter(value, "filename");
        } else if name.eq_ignore_ascii_case("content-type") {
            let kind = value.split(';').next().unwrap_or_default();
            part.media_type = Some(kind.trim().to_ascii_lowercase());
        }
    }
    part
}

/// `name="kirje.pdf"` or `name=kirje.pdf`; a quoted one may escape `"` and `\`.
fn parameter(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    while !rest.is_empty() {
        let (key, value) = rest.split_once('=')?;
        let key = key.rsplit(';').next().unwrap_or_default().trim();
        let (value, left) = taken(value);
        if key.eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = left;
    }
    None
}

/// The value that a text begins with, and what comes behind it.
fn taken(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !is_escaped => is_escaped = true,
            '"' if !is_escaped => return (value, quoted.get(at + 1..).unwrap_or_default()),
            c => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    (value, "")
}

fn after(bytes: &Bytes, at: usize) -> Bytes {
    bytes.slice(at.min(bytes.len())..)
}

/// By its first byte, which is rare in what is searched.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|b| *b == first) {
        let found = from + at;
        if bytes.get(found..)?.starts_with(wanted) {
            return Some(found);
        }
        from = found + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_a_form_is_found_with_its_name_and_type() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".pdf\"\r\n\
            Content-Type: application/PDF\r\n\r\n%PDF\r\n-\r\n--x\r\nContent-Disposition: form-data; name=other\r\n\r\n\r\n--x--\r\n";
        let parts = parts(&Bytes::from_static(body), "x").unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!(parts[0].name, "file");
        assert_eq!(parts[0].filename.as_deref(), Some("a \"b\".pdf"));
        assert_eq!(parts[0].media_type.as_deref(), Some("application/pdf"));
        assert_eq!(parts[0].bytes, "%PDF\r\n-");
        assert_eq!(
            (parts[1].name.as_str(), &parts[1].bytes[..]),
            ("other", &b""[..])
        );
    }

    #[test]
    fn a_form_without_an_end_is_none() {
        let body = Bytes::from_static(
            b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc\r\n",
        );
        assert_eq!(parts(&body, "x"), None);
        assert_eq!(parts(&Bytes::new(), "x"), None);
    }

    #[test]
    fn a_boundary_is_read_quoted_and_bare() {
        for kind in [
            "multipart/form-data; boundary=abc",
            "Multipart/Form-Data; charset=utf-8; boundary=\"abc\"",
        ] {
            assert_eq!(boundary(kind).as_deref(), Some("abc"), "{kind}");
        }
        assert_eq!(boundary("application/json"), None);
        assert_eq!(boundary("text/plain; boundary=abc"), None);
    }
}
