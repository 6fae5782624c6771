mod fault;

use std::{
    fmt,
    io::{self, BufWriter, Write},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tempfile::NamedTempFile;

use self::fault::GivenFault;
use super::{
    CommandError, Invocation,
    error::Outcome,
    words::{self, counted},
};
use crate::sample::{self, Encoding, Shape, Spec, Version};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[arg(value_name = "OUT.zip")]
    out: PathBuf,

    /// How many letters [default: 1000; 1 for the shape one-letter]
    #[arg(long, value_name = "N")]
    letters: Option<u32>,

    /// Another number makes other people
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How letters and control data are packed
    #[arg(long, value_name = "SHAPE", default_value = "many-in-one",
          value_parser = words::one_of(&SHAPES, shape))]
    shape: Shape,

    /// The share of recipients that have a digital mailbox, 0 to 1
    #[arg(long, value_name = "F", default_value_t = 0.6)]
    digital_share: f64,

    /// Pages a letter: `3`, or from `1..4`, both included
    #[arg(long, value_name = "PAGES", default_value = "1..3")]
    pages: Pages,

    /// Of the control data
    #[arg(long, value_name = "ENCODING", default_value = "utf-8",
          value_parser = words::one_of(&ENCODINGS, encoding))]
    encoding: Encoding,

    /// Which `LetterBundle` schema
    #[arg(long, value_name = "SCHEMA", default_value = "v1x0",
          value_parser = words::one_of(&VERSIONS, version))]
    schema: Version,

    /// Mark the batch as a test: nothing of it leaves the house
    #[arg(long)]
    test: bool,

    /// Something wrong with one letter, such as `3:page-too-few`; may be given more than once
    #[arg(long = "fault", value_name = "LETTER:WHAT")]
    faults: Vec<GivenFault>,

    /// Write the consents of its recipients too, for `kuori consent import`
    #[arg(long, value_name = "FILE.csv")]
    consents: Option<PathBuf>,

    /// Replace files of these names
    #[arg(long)]
    force: bool,
}

const SHAPES: [Shape; 5] = [
    Shape::ManyInOne,
    Shape::OneLetter,
    Shape::ManyPairs,
    Shape::Nested,
    Shape::Csv,
];
const ENCODINGS: [Encoding; 2] = [Encoding::Utf8, Encoding::Latin1];
const VERSIONS: [Version; 2] = [Version::V1x0, Version::V0x4];

/// The consents are older than any batch, and always the same: 1 January 2026.
const CONSENTED: Timestamp = Timestamp::constant(1_767_225_600, 0);

#[derive(Debug, Clone)]
struct Pages(RangeInclusive<u8>);

impl FromStr for Pages {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) if 0 < first && first <= last => Ok(Self(first..=last)),
            _ => Err("pages are `3`, or a range such as `1..4`, up to 255"),
        }
    }
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let spec = spec(arguments);
    check(&spec)?;
    let progress = invocation.output.progress(spec.letters.into(), "letters");
    let made = write_whole(&arguments.out, arguments.force, |out| {
        sample::write(&spec, out, &|done| progress.reach(done.into()))
    })?;
    drop(progress);
    let consents = match &arguments.consents {
        None => None,
        Some(path) => Some(write_whole(path, arguments.force, |out| {
            sample::write_consents(&spec, CONSENTED, BufWriter::new(out))
        })?),
    };
    invocation.output.show(&SampleMade {
        file: arguments.out.display().to_string(),
        letters: made.letters,
        pages: made.pages,
        pdf_bytes: made.pdf_bytes,
        with_mailbox: made.with_mailbox,
        consents,
    })?;
    invocation.output.hint(format!(
        "`kuori check {}` looks into it",
        arguments.out.display()
    ));
    Ok(Outcome::Done)
}

fn spec(arguments: &Arguments) -> Spec {
    let letters = match arguments.shape {
        Shape::OneLetter => 1,
        _ => 1_000,
    };
    Spec {
        letters: arguments.letters.unwrap_or(letters),
        seed: arguments.seed,
        shape: arguments.shape,
        digital_share: arguments.digital_share,
        pages: arguments.pages.0.clone(),
        encoding: arguments.encoding,
        version: arguments.schema,
        is_test: arguments.test,
        faults: arguments.faults.iter().map(|given| given.0).collect(),
    }
}

/// What was asked for and would silently not be in the batch.
fn check(spec: &Spec) -> Result<(), CommandError> {
    if spec.is_test && spec.shape == Shape::Csv {
        let error = "`batch.csv` cannot say that a batch is a test";
        return Err(
            CommandError::usage(error).hint("leave out `--test`, or take another `--shape`")
        );
    }
    let outside = spec.faults.iter().find(|fault| fault.letter > spec.letters);
    outside.map_or(Ok(()), |fault| {
        let letters = counted(spec.letters.into(), "letter", "letters");
        let error = format!("letter {} is to have a fault, of {letters}", fault.letter);
        Err(CommandError::usage(error).hint("name a letter of the batch, or add `--letters`"))
    })
}

/// Writes a file under a temporary name beside its own, so that it is whole once it is there.
fn write_whole<T>(
    path: &Path,
    force: bool,
    write: impl FnOnce(&mut NamedTempFile) -> Result<T, sample::Error>,
) -> Result<T, CommandError> {
    if path.exists() && !force {
        let error = CommandError::failed(format!("`{}` is there already", path.display()));
        return Err(error.hint("name another file, or add `--force`"));
    }
    let unwritten = |error: io::Error| CommandError::file("write", path, &error);
    let mut file = new_file(path).map_err(unwritten)?;
    let made = write(&mut file).map_err(refused)?;
    file.flush().map_err(unwritten)?;
    file.as_file().sync_all().map_err(unwritten)?;
    let kept = if force {
        file.persist(path)
    } else {
        file.persist_noclobber(path)
    };
    kept.map_err(|error| unwritten(error.error))?;
    Ok(made)
}

fn new_file(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kuori-sample-");
    // What other new files have: the process's own mask takes away from it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder.unwrap_or(Path::new(".")))
}

/// A spec that makes no sense is a bad command line; all else is a failure to write.
fn refused(error: sample::Error) -> CommandError {
    use sample::Error;
    match error {
        Error::NoLetters
        | Error::OneLetterOnly { .. }
        | Error::DigitalShare { .. }
        | Error::Pages
        | Error::TooManyPages { .. }
        | Error::CsvEncoding => CommandError::usage(error),
        Error::Font(_)
        | Error::Entry { .. }
        | Error::Write { .. }
        | Error::Finish { .. }
        | Error::Consents { .. } => CommandError::failed(error),
    }
}

/// `kuori sample`: what was written.
#[derive(Serialize, JsonSchema)]
pub(super) struct SampleMade {
    file: String,
    letters: u32,
    pages: u32,
    /// Of all PDFs, before they were packed.
    pdf_bytes: u64,
    /// Recipients that have a digital mailbox.
    with_mailbox: u32,
    /// Rows of the file of consents; absent where none was asked for.
    consents: Option<u32>,
}

impl fmt::Display for SampleMade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = counted(self.letters.into(), "letter", "letters");
        let pages = counted(self.pages.into(), "page", "pages");
        let (file, mailbox) = (&self.file, self.with_mailbox);
        writeln!(
            f,
            "{file}: {letters}, {pages}; {mailbox} of the recipients have a mailbox"
        )?;
        match self.consents {
            None => Ok(()),
            Some(rows) => writeln!(f, "{}", counted(rows.into(), "consent", "consents")),
        }
    }
}

fn shape(shape: Shape) -> &'static str {
    match shape {
        Shape::ManyInOne => "many-in-one",
        Shape::OneLetter => "one-letter",
        Shape::ManyPairs => "many-pairs",
        Shape::Nested => "nested",
        Shape::Csv => "csv",
    }
}

fn encoding(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Latin1 => "iso-8859-1",
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::V1x0 => "v1x0",
        Version::V0x4 => "v0x4",
    }
}
