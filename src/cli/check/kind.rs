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
        let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        let beside = |ending| shell_word(&format!("{stem}.{ending}"));
        let (file, zip) = (shell_word(file), beside("zip"));
        match self {
            Self::Empty => format!("nothing is in {file}: make the ZIP again"),
            Self::CutZip => {
                format!("the end of {file} is missing: copy it again, or make it again")
            }
            Self::OtherArchive => format!("unpack {file}, and pack what was in it with `zip`"),
            Self::Pdf | Self::Xml | Self::Table if ending.eq_ignore_ascii_case("zip") => {
                format!(
                    "{file} is called a ZIP and is {}: make the ZIP again",
                    self.as_str()
                )
            }
            Self::Pdf => format!(
                "a batch is a ZIP with the PDF and its control data: `zip -j {zip} {file} {}`, then `kuori check {zip}`",
                beside("xml")
            ),
            Self::Xml => format!(
                "a batch is a ZIP with the XML and the PDF that it names: `zip -j {zip} {file} {}`, then `kuori check {zip}`",
                beside("pdf")
            ),
            Self::Table => "a batch is a ZIP with the CSV, called `batch.csv`, and its PDFs: \
                `zip batch.zip batch.csv *.pdf`, then `kuori check batch.zip`"
                .to_owned(),
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

    #[test]
    fn a_hint_never_packs_a_file_into_itself() {
        let told = Kind::Pdf.hint("out/letters.ZIP");
        assert_eq!(
            told,
            "out/letters.ZIP is called a ZIP and is a PDF: make the ZIP again"
        );
        let told = Kind::Xml.hint("my letters.xml");
        assert!(
            told.contains("zip -j 'my letters.zip' 'my letters.xml' 'my letters.pdf'"),
            "{told}"
        );
    }
}
