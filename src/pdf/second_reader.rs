//! The last rung of reading: what this room refuses may be rewritten by somebody else, and is then
//! read here like any other file.

use std::io;

use super::{Document, Limits, Refusal};

/// Makes a plain PDF out of one that this room does not read. The same bytes give the same bytes every
/// time: a bundle is composed from them again.
///
/// Asked from several threads at a time.
pub trait SecondReader: Send + Sync {
    fn rewrite(&self, pdf: &[u8], wanted: Rewrite) -> Result<Vec<u8>, NotRewritten>;
}

/// What is to be done to a PDF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewrite {
    /// It cannot be read here. One that is encrypted as well is not wanted.
    Mend,
    /// It is encrypted: opened with the empty user password, or not at all.
    Decrypt,
}

/// Why there is no plain PDF.
#[derive(Debug, thiserror::Error)]
pub enum NotRewritten {
    /// Final, as every [`Refusal`] is.
    #[error("{0}")]
    Refused(&'static str),
    /// Final too, and never passed on to anybody else.
    #[error("{0}")]
    Limit(&'static str),
    #[error("there is no second reader")]
    Nobody,
    /// A password is needed, or the encryption is of a kind that is not known.
    #[error("its encryption does not open without a password")]
    Locked,
    /// Nothing is known of the file: the same can work later.
    #[error("the second reader did not run")]
    Failed(#[source] io::Error),
}

/// Reads nothing: for callers that have no second reader.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecondReader;

impl SecondReader for NoSecondReader {
    fn rewrite(&self, _: &[u8], _: Rewrite) -> Result<Vec<u8>, NotRewritten> {
        Err(NotRewritten::Nobody)
    }
}

/// How the bytes of a document came to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reading {
    #[default]
    AsSent,
    /// The sender's were encrypted with an empty password.
    Decrypted,
    /// The sender's could only be read by the second reader.
    BySecondReader,
}

/// A plain PDF in place of the sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    pub bytes: Vec<u8>,
    pub reading: Reading,
}

impl Rewritten {
    /// Whether that refusal is one that a second reader may help with. A limit is final.
    pub fn may_help(refusal: &Refusal) -> bool {
        way(refusal).is_some()
    }

    /// Hands a file that was refused to the second reader, if that refusal is one that it may help with.
    ///
    /// The inner error is why the file stays refused, with what was tried; the outer one is of the
    /// second reader itself.
    pub fn of(
        pdf: &[u8],
        refusal: &Refusal,
        limits: &Limits,
        reader: &dyn SecondReader,
    ) -> io::Result<Result<Self, Refusal>> {
        let Some((wanted, reading)) = way(refusal) else {
            return Ok(Err(refusal.clone()));
        };
        let bytes = match reader.rewrite(pdf, wanted) {
            Ok(bytes) => bytes,
            Err(NotRewritten::Failed(error)) => return Err(error),
            Err(NotRewritten::Limit(what)) => return Ok(Err(Refusal::Limit { what })),
            Err(NotRewritten::Nobody) => return Ok(Err(refusal.clone())),
            Err(NotRewritten::Locked) => return Ok(Err(Refusal::Encrypted)),
            Err(NotRewritten::Refused(second)) => return Ok(Err(twice(refusal, second))),
        };
        Ok(match Document::open(&bytes, limits) {
            // What has to be rebuilt again was not understood.
            Ok(document) if document.was_repaired() => {
                Err(twice(refusal, "it wrote no sound file"))
            }
            Ok(_) => Ok(Self { bytes, reading }),
            Err(Refusal::Unreadable { what }) => Err(twice(refusal, what)),
            Err(other) => Err(other),
        })
    }

    pub fn open(&self, limits: &Limits) -> Result<Document<'_>, Refusal> {
        Document::open_rewritten(&self.bytes, limits, self.reading)
    }
}

/// What the second reader may help with.
fn way(refusal: &Refusal) -> Option<(Rewrite, Reading)> {
    match refusal {
        Refusal::Unreadable { .. } => Some((Rewrite::Mend, Reading::BySecondReader)),
        Refusal::Encrypted => Some((Rewrite::Decrypt, Reading::Decrypted)),
        Refusal::UnreadableTwice { .. }
        | Refusal::Limit { .. }
        | Refusal::NoSuchPage { .. }
        | Refusal::NoSuchRange { .. } => None,
    }
}

fn twice(refusal: &Refusal, second: &'static str) -> Refusal {
    match refusal {
        Refusal::Unreadable { what: first } => Refusal::UnreadableTwice { first, second },
        // What was decrypted into something that nobody can read was not decrypted.
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers always the same.
    struct Always(fn() -> Result<Vec<u8>, NotRewritten>);

    impl SecondReader for Always {
        fn rewrite(&self, _: &[u8], _: Rewrite) -> Result<Vec<u8>, NotRewritten> {
            self.0()
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is what a reader answers")]
    fn sound() -> Result<Vec<u8>, NotRewritten> {
        let objects = "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
                       2 0 obj<</Kids[3 0 R]>>endobj\n3 0 obj<</Type/Page>>endobj\n";
        let at = |word: &str| objects.find(word).unwrap_or_default();
        let table = format!(
            "xref\n0 4\n0000000000 65535 f \n{:010} 00000 n \n{:010} 00000 n \n{:010} 00000 n \n\
             trailer<</Root 1 0 R>>\nstartxref\n{}\n%%EOF",
            at("1 0 obj"),
            at("2 0 obj"),
            at("3 0 obj"),
            objects.len()
        );
        Ok(format!("{objects}{table}").into_bytes())
    }

    const UNREADABLE: Refusal = Refusal::Unreadable { what: "it is torn" };

    fn tried(refusal: &Refusal, reader: &dyn SecondReader) -> Result<Reading, Refusal> {
        let rewritten = Rewritten::of(b"", refusal, &Limits::default(), reader).unwrap();
        rewritten.map(|rewritten| {
            let document = rewritten.open(&Limits::default()).unwrap();
            document.reading()
        })
    }

    #[test]
    fn a_document_tells_how_it_was_read() {
        let reader = Always(sound);
        assert_eq!(tried(&UNREADABLE, &reader), Ok(Reading::BySecondReader));
        assert_eq!(tried(&Refusal::Encrypted, &reader), Ok(Reading::Decrypted));
    }

    #[test]
    fn refusals_that_are_final_are_passed_on_to_nobody() {
        let asked = Always(|| unreachable!("nobody is asked"));
        for refusal in [
            Refusal::Limit { what: "pages" },
            Refusal::NoSuchPage {
                number: 2,
                count: 1,
            },
        ] {
            assert_eq!(tried(&refusal, &asked), Err(refusal));
        }
    }

    #[test]
    fn what_comes_back_is_read_as_strictly_as_anything_else() {
        let torn = Always(|| sound().map(|bytes| bytes[..bytes.len() - 30].to_vec()));
        let refusal = tried(&UNREADABLE, &torn).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the PDF cannot be read: it is torn; nor by a second reader: it wrote no sound file"
        );
        assert_eq!(tried(&Refusal::Encrypted, &torn), Err(Refusal::Encrypted));
        let empty = Always(|| Ok(Vec::new()));
        let refusal = tried(&UNREADABLE, &empty).unwrap_err();
        assert!(matches!(refusal, Refusal::UnreadableTwice { .. }));
    }

    #[test]
    fn a_limit_of_the_second_reader_is_a_limit_and_a_failure_is_no_refusal() {
        let limit = Always(|| Err(NotRewritten::Limit("memory")));
        let refusal = Refusal::Limit { what: "memory" };
        assert_eq!(tried(&UNREADABLE, &limit), Err(refusal));
        let failed = Always(|| Err(NotRewritten::Failed(io::Error::other("no process"))));
        assert!(Rewritten::of(b"", &UNREADABLE, &Limits::default(), &failed).is_err());
    }
}
