use std::io;

use zip::result::ZipError;

use super::spec::MOST_PAGES;

/// Why a sample could not be made. The first six are about the spec, the others about the writing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("a batch needs at least one letter")]
    NoLetters,
    #[error("a batch of the shape one-letter holds 1 letter, not {asked}")]
    OneLetterOnly { asked: u32 },
    #[error("the digital share is a fraction from 0 to 1, not {asked}")]
    DigitalShare { asked: f64 },
    #[error("pages a letter are a range from 1 upwards, such as 1 to 3")]
    Pages,
    #[error("{asked} pages are more than a batch may have ({MOST_PAGES})")]
    TooManyPages { asked: u64 },
    #[error("`batch.csv` is always UTF-8; ISO-8859-1 is for `LetterBundle` XML")]
    CsvEncoding,
    #[error("cannot make the font subset of the letters")]
    Font(#[from] subsetter::Error),
    #[error("cannot add `{entry}` to the ZIP")]
    Entry { entry: String, source: ZipError },
    #[error("cannot write `{entry}`")]
    Write { entry: String, source: io::Error },
    #[error("cannot finish the ZIP")]
    Finish { source: ZipError },
    #[error("cannot write the list of consents")]
    Consents { source: csv::Error },
}
