use std::io::{self, Read};

use crate::{
    batch::{Archive, Entry},
    domain::{Code, Finding},
};

/// How a kind of file is named, and how it begins.
struct Kind {
    endings: &'static [&'static str],
    is_begun_by: fn(&[u8]) -> bool,
}

/// What a mailbox takes. Source: Suomi.fi Messages REST API, `POST /v2/attachments`.
const KINDS: [Kind; 7] = [
    Kind {
        endings: &["pdf"],
        is_begun_by: is_pdf,
    },
    Kind {
        endings: &["docx", "xlsx", "pptx"],
        is_begun_by: |head| is_zip(head) && opendocument(head).is_none(),
    },
    Kind {
        endings: &["odt"],
        is_begun_by: |head| opendocument(head).is_some_and(|kind| kind.starts_with(b"text")),
    },
    Kind {
        endings: &["ods"],
        is_begun_by: |head| opendocument(head).is_some_and(|kind| kind.starts_with(b"spreadsheet")),
    },
    Kind {
        endings: &["doc", "xls", "ppt"],
        is_begun_by: |head| head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    },
    Kind {
        endings: &["jpg", "jpeg", "png"],
        is_begun_by: |head| {
            head.starts_with(b"\xff\xd8\xff") || head.starts_with(b"\x89PNG\r\n\x1a\n")
        },
    },
    Kind {
        endings: &["txt"],
        is_begun_by: is_text,
    },
];

/// As much of a file as tells its kind: a PDF's header may stand this deep.
const HEAD_BYTES: u64 = 1_024;

/// Reads an attachment: why a mailbox would not take it, or why it cannot be read at all.
///
/// One of more than `max_bytes` is too large for a mailbox anyway, and only its head is read.
pub(in crate::batch) fn look_into(
    archive: &Archive<'_>,
    entry: &Entry,
    max_bytes: u64,
) -> Option<Finding> {
    let mut reader = match archive.reader(&entry.name) {
        Ok(reader) => reader,
        Err(finding) => return Some(finding),
    };
    let mut head = Vec::new();
    let mut read = reader.by_ref().take(HEAD_BYTES).read_to_end(&mut head);
    if entry.size <= max_bytes {
        read = read.and_then(|_| io::copy(&mut reader, &mut io::sink()).map(|_| 0));
    }
    if read.is_err() {
        return reader.problem().cloned();
    }
    let detail = fault(&entry.name, &head)?;
    Some(Finding::new(Code::AttachmentType, entry.place(), detail))
}

fn fault(name: &str, head: &[u8]) -> Option<&'static str> {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    let is_kind = |kind: &&Kind| {
        kind.endings
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
    };
    match KINDS.iter().find(is_kind) {
        None => Some("a mailbox takes no file with this ending"),
        Some(kind) if (kind.is_begun_by)(head) => None,
        Some(_) => Some("the content is not what the ending says"),
    }
}

fn is_pdf(head: &[u8]) -> bool {
    head.windows(5).any(|bytes| bytes == b"%PDF-")
}

fn is_zip(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04")
}

/// What stands behind `application/vnd.oasis.opendocument.` in the first entry, `mimetype`, which is
/// stored. Source: `OpenDocument` 1.3, part 2, 3.3.
fn opendocument(head: &[u8]) -> Option<&[u8]> {
    let content = head.get(30..).filter(|_| is_zip(head))?;
    content.strip_prefix(b"mimetypeapplication/vnd.oasis.opendocument.")
}

/// Text in whatever encoding: it has no byte 0, except as UTF-16, which says so at its start.
fn is_text(head: &[u8]) -> bool {
    let is_utf16 = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    is_utf16 || !head.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zip_of(first: &[u8]) -> Vec<u8> {
        [b"PK\x03\x04".as_slice(), &[0; 26], first].concat()
    }

    #[test]
    fn a_file_that_is_what_its_ending_says_is_taken() {
        let odf = |kind: &str| {
            zip_of(format!("mimetypeapplication/vnd.oasis.opendocument.{kind}PK").as_bytes())
        };
        let ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        let files = [
            ("a.pdf", b"%PDF-1.7".to_vec()),
            ("a.PDF", b"junk\n%PDF-1.4".to_vec()),
            ("folder.d/a.docx", zip_of(b"[Content_Types].xml")),
            ("a.xlsx", zip_of(b"_rels/.rels")),
            ("a.odt", odf("text")),
            ("a.ods", odf("spreadsheet")),
            ("a.doc", ole.clone()),
            ("a.ppt", ole),
            ("a.jpg", b"\xff\xd8\xff\xe0".to_vec()),
            ("a.jpeg", b"\xff\xd8\xff\xe1".to_vec()),
            ("a.png", b"\x89PNG\r\n\x1a\n".to_vec()),
            ("a.txt", "Hyvää päivää".into()),
            ("a.txt", b"P\xe4iv\xe4\xe4".to_vec()),
            ("a.txt", b"\xff\xfeH\0e\0i\0".to_vec()),
            ("a.txt", Vec::new()),
        ];
        for (name, head) in files {
            assert_eq!(fault(name, &head), None, "{name}");
        }
    }

    #[test]
    fn other_kinds_are_not_taken_nor_is_one_under_the_name_of_another() {
        for name in [
            "a.exe",
            "a.zip",
            "a.html",
            "a.docm",
            "a.svg",
            "pdf",
            "a.pdf.exe",
        ] {
            let told = fault(name, b"%PDF-1.7");
            assert_eq!(
                told,
                Some("a mailbox takes no file with this ending"),
                "{name}"
            );
        }
        let odt = zip_of(b"mimetypeapplication/vnd.oasis.opendocument.text");
        let files: [(&str, &[u8]); 6] = [
            ("a.pdf", b"MZ\x90\0"),
            ("a.pdf", b""),
            ("a.txt", b"MZ\x90\0"),
            ("a.docx", &odt),
            ("a.ods", &odt),
            ("a.odt", b"PK"),
        ];
        for (name, head) in files {
            let told = fault(name, head);
            assert_eq!(
                told,
                Some("the content is not what the ending says"),
                "{name}"
            );
        }
    }
}
