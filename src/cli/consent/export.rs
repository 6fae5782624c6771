use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Export, Format, begins};
use crate::{
    cli::{
        CommandError, Invocation, Output,
        error::{ErrorKind, Outcome},
        words::{Time, counted},
    },
    consents::{COLUMNS, NOWHERE},
    domain::{EmailAddress, PostalAddress, Private},
    store::{self, ConsentEntry, Store},
};

/// `kuori consent export`: what was written. Nobody is named; where the rows go to standard output,
/// they stand there alone.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct Exported {
    as_of: Time,
    rows: u64,
}

pub(super) fn run(
    arguments: &Export,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let time = match arguments.as_of {
        Some(given) => begins(given, invocation)?,
        None => invocation.now,
    };
    let store = invocation.store()?;
    let path = &arguments.file;
    let unwritten = |error: Broken| error.of_file(path);
    let is_file = path != Path::new("-");
    let rows = if is_file {
        let file = make(path).map_err(|error| cannot_make(path, &error))?;
        let written = write_file(&store, time, arguments.format, file);
        written.map_err(|error| {
            // Half a register is none. Where it stays, its rows are those of the register.
            let _ = fs::remove_file(path);
            unwritten(error)
        })?
    } else {
        let mut out = BufWriter::with_capacity(64 * 1024, ToOutput(&mut invocation.output));
        let rows = write_rows(&store, time, arguments.format, &mut out).map_err(unwritten)?;
        out.flush().map_err(|error| unwritten(error.into()))?;
        rows
    };
    store.note_consent_export(rows, time, &invocation.action(""))?;
    if is_file {
        let as_of = Time(time);
        invocation.output.show(&Exported { as_of, rows })?;
    }
    Ok(Outcome::Done)
}

/// What was exported before stays.
fn cannot_make(path: &Path, error: &io::Error) -> CommandError {
    let told = CommandError::file("make", path, error);
    if error.kind() == io::ErrorKind::AlreadyExists {
        told.hint("name a new file, or remove that one first")
    } else {
        told
    }
}

/// A new file for its owner alone.
fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn write_file(store: &Store, time: Timestamp, format: Format, file: File) -> Result<u64, Broken> {
    let mut out = BufWriter::with_capacity(64 * 1024, file);
    let rows = write_rows(store, time, format, &mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    Ok(rows)
}

fn write_rows(
    store: &Store,
    time: Timestamp,
    format: Format,
    out: &mut dyn Write,
) -> Result<u64, Broken> {
    let mut rows = 0;
    match format {
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            csv.write_record(COLUMNS)?;
            store.each_consent(time, |entry| {
                rows += 1;
                write_csv(&mut csv, entry)
            })?;
            csv.flush()?;
        }
        Format::Jsonl => store.each_consent(time, |entry| {
            rows += 1;
            write_json(out, entry)
        })?,
    }
    Ok(rows)
}

fn write_csv<W: Write>(csv: &mut csv::Writer<W>, entry: &ConsentEntry) -> Result<(), Broken> {
    let line = Line::of(entry);
    let word = |it: Option<bool>| it.map(|it| it.to_string());
    let (print_only, inferred) = (word(line.print_only), word(line.inferred));
    let fields = [
        Some(line.recipient_id),
        line.status,
        line.since.as_deref(),
        line.source,
        line.matter,
        print_only.as_deref(),
        line.email,
        line.language,
        line.to_name,
        line.to_additional_name,
        line.to_address,
        line.to_postal_code,
        line.to_city,
        line.to_country.as_deref(),
        inferred.as_deref(),
    ];
    Ok(csv.write_record(fields.map(Option::unwrap_or_default))?)
}

fn write_json(out: &mut dyn Write, entry: &ConsentEntry) -> Result<(), Broken> {
    let line = serde_json::to_string(&Line::of(entry)).map_err(io::Error::from)?;
    Ok(writeln!(out, "{line}")?)
}

/// A row as it is written, by [`COLUMNS`].
#[derive(Serialize)]
struct Line<'a> {
    recipient_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    matter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    print_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_additional_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_postal_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_city: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inferred: Option<bool>,
}

impl<'a> Line<'a> {
    fn of(entry: &'a ConsentEntry) -> Self {
        let matter = entry.matter.as_ref();
        let notice = entry.notice.as_ref();
        let language = notice.and_then(|wish| wish.language);
        let to = matter.and_then(|wish| wish.address.as_ref());
        let field = |of: fn(&PostalAddress) -> &Option<Private<String>>| {
            let field = to.and_then(|address| of(address).as_ref());
            field.map(|field| field.expose().as_str())
        };
        Self {
            recipient_id: entry.recipient.expose(),
            status: entry.said.map(|(status, _)| status.as_str()),
            since: entry.said.map(|(_, since)| since.to_string()),
            source: entry.source.as_deref(),
            matter: matter.map(|wish| wish.matter.as_str()),
            print_only: matter.map(|wish| wish.print_only),
            email: notice.map(|wish| wish.address.as_ref().map_or(NOWHERE, EmailAddress::expose)),
            language: language.map(crate::domain::Language::as_str),
            to_name: field(|to| &to.name),
            to_additional_name: field(|to| &to.additional_name),
            to_address: field(|to| &to.street),
            to_postal_code: field(|to| &to.postal_code),
            to_city: field(|to| &to.city),
            to_country: to.and_then(|to| to.country).map(|code| code.to_string()),
            inferred: entry.is_inferred.then_some(true),
        }
    }
}

/// Why an export broke off.
enum Broken {
    Store(store::Error),
    Out(io::Error),
}

impl Broken {
    fn of_file(self, path: &Path) -> CommandError {
        match self {
            Self::Store(error) => error.into(),
            Self::Out(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                CommandError::new(ErrorKind::ReaderGone, error)
            }
            Self::Out(error) => CommandError::file("write", path, &error),
        }
    }
}

impl From<store::Error> for Broken {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Out(error)
    }
}

impl From<csv::Error> for Broken {
    fn from(error: csv::Error) -> Self {
        Self::Out(error.into())
    }
}

/// Standard output, as a command has it.
struct ToOutput<'a, 'b>(&'a mut Output<'b>);

impl Write for ToOutput<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.0.bytes(bytes);
        written.map_err(|error| match error.kind {
            ErrorKind::ReaderGone => io::ErrorKind::BrokenPipe.into(),
            _ => io::Error::other(error.to_string()),
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Exported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = counted(self.rows, "row", "rows");
        writeln!(f, "{rows} written, as of {}", self.as_of)
    }
}
