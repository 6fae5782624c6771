use crate::cli::words::shell_word;

/// What a file is that is no ZIP, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    Pdf,
    Xml,
    Table,
    /// It begins as a ZIP and does not end as one.
    CutZip,
    /// Packed by another program than `zip`.
    OtherArchive,
}

impl Kind {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..1024).unwrap_or(bytes);
        let begins = |marks: &[&[u8]]| marks.iter().any(|mark| head.starts_with(mark));
        // Source: ISO 32000-1, annex H.3.4.1: readers look for the mark in the first 1,024 bytes.
        let is_pdf = head.windows(5).any(|window| window == b"%PDF-");
        match () {
            () if bytes.is_empty() => Some(Self::Empty),
            () if begins(&[b"PK\x03\x04"]) => Some(Self::CutZip),
            () if begins(&[
                b"\x1f\x8b",
                b"7z\xbc\xaf\x27\x1c",
                b"Rar!",
                b"BZh",
                b"\xfd7zXZ",
            ]) =>
            {
                Some(Self::OtherArchive)
            }
            () if head.get(257..262) == Some(b"ustar") => Some(Self::OtherArchive),
            () if is_pdf => Some(Self::Pdf),
            () => Self::of_text(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head)),
        }
    }

    fn of_text(head: &[u8]) -> Option<Self> {
        let head = head.trim_ascii_start();
        if head.starts_with(b"<?xml") || head.starts_with(b"<LetterBundle") {
            return Some(Self::Xml);
        }
        let heading = head.split(|byte| *byte == b'\n').next()?;
        let mut columns = heading.split(|byte| matches!(byte, b',' | b';'));
        columns
            .any(|column| column.trim_ascii() == b"file")
            .then_some(Self::Table)
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "an empty file",
            Self::Pdf => "a PDF",
            Self::Xml => "an XML",
            Self::Table => "a CSV",
            Self::CutZip => "a ZIP that is cut off",
            Self::OtherArchive => "an archive that is no ZIP",
        }
    }

    /// What to type, or to do, to make a batch of a file of that name.
    pub(super) fn hint(self, file: &str) -> String {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let [file, zip, pdf, xml] = ["", ".zip", ".pdf", ".xml"].map(|ending| match ending {
            "" => shell_word(file),
            ending => shell_word(&format!("{stem}{ending}")),
        });
        match self {
            Self::Empty => format!("nothing was written into {file}: make the ZIP again"),
            Self::Pdf => format!(
                "a batch is a ZIP with the PDF and its control data: `zip -j {zip} {file} {xml}`, then `kuori check {zip}`"
            ),
            Self::Xml => format!(
                "a batch is a ZIP with the XML and the PDF that it names: `zip -j {zip} {file} {pdf}`, then `kuori check {zip}`"
            ),
            Self::Table => "a batch is a ZIP with the CSV, called `batch.csv`, and its PDFs: \
                `zip batch.zip batch.csv *.pdf`, then `kuori check batch.zip`"
                .to_owned(),
            Self::CutZip => format!("copy {file} again, or make it again: its end is missing"),
            Self::OtherArchive => {
                format!("unpack {file}, and pack what was in it with `zip`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_apart_by_how_they_begin() {
        let bom_xml = b"\xef\xbb\xbf<?xml version=\"1.0\"?>";
        for (bytes, kind) in [
            (&b""[..], Some(Kind::Empty)),
            (b"%PDF-1.7\n", Some(Kind::Pdf)),
            (bom_xml, Some(Kind::Xml)),
            (b"\n<LetterBundle xmlns=\"\">", Some(Kind::Xml)),
            (b"letter_id;file;name\n1;a.pdf;B\n", Some(Kind::Table)),
            (b"PK\x03\x04....", Some(Kind::CutZip)),
            (b"\x1f\x8b\x08", Some(Kind::OtherArchive)),
            (b"PK", None),
            (b"Dear profile,\n", None),
        ] {
            assert_eq!(Kind::of(bytes), kind, "{bytes:?}");
        }
    }
}
