mod shelf;

use std::{
    convert::Infallible,
    fmt,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::Serialize;

use self::shelf::Shelf;
use super::{
    CommandError, Invocation, Options,
    error::{ErrorKind, Outcome},
    finding_report::FindingReport,
    settings,
    words::{self, counted},
};
use crate::{
    batch::{self, Archive, Opened, OpenedMessage, Settings},
    domain::{Fitness, Language, SenderId},
    pipeline::SenderSettings,
    store::{MappedFile, Spool, SpoolKey},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[arg(value_name = "BATCH.zip")]
    batch: PathBuf,

    /// The settings file, for a sender's own limits
    #[arg(long, value_name = "FILE", requires = "sender")]
    config: Option<PathBuf>,

    /// Whose batch it is
    #[arg(long, value_name = "NAME", requires = "config")]
    sender: Option<SenderId>,

    /// How many places are named for each code
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: u32,

    /// The language of what codes mean and of what to do [default: the sender's, or `en`]
    #[arg(long, value_name = "LANGUAGE",
          value_parser = words::one_of(&Language::ALL, Language::as_str))]
    language: Option<Language>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let sender = sender(arguments, invocation.options)?;
    let spoken = sender.as_ref().map(|sender| sender.language);
    let language = arguments.language.or(spoken).unwrap_or_default();
    let settings = sender.map(|sender| sender.batch).unwrap_or_default();
    let folder = tempfile::tempdir().map_err(|error| no_room(&error))?;
    let spool = Spool::open(folder.path())?;
    let file = copy(&arguments.batch, &spool)?;
    let name = arguments.batch.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let mut checked = Checked::new(&name, arguments.examples, language);
    match Archive::open(file.as_ref(), &settings.limits) {
        Err(findings) => findings.iter().for_each(|found| checked.report.add(found)),
        Ok(archive) => checked.open(&archive, &settings, &Shelf::new(&spool))?,
    }
    let has_trouble = checked.report.has_trouble();
    invocation.output.show(&checked)?;
    Ok(if has_trouble {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

/// The settings of the sender that was named, if one was.
fn sender(
    arguments: &Arguments,
    options: &Options,
) -> Result<Option<SenderSettings>, CommandError> {
    let (Some(file), Some(name)) = (&arguments.config, &arguments.sender) else {
        return Ok(None);
    };
    let config = settings::load(Some(file), options)?;
    let mut senders = config.senders.into_iter().map(|sender| sender.settings);
    let sender = senders.find(|sender| sender.id == *name).ok_or_else(|| {
        let error = format!("`{}` has no sender `{name}`", file.display());
        CommandError::new(ErrorKind::Settings, error)
    })?;
    Ok(Some(sender))
}

/// A file that stands still: the one that was named may be changed while it is read.
fn copy(path: &Path, spool: &Spool) -> Result<MappedFile, CommandError> {
    let unread = |error: io::Error| CommandError::file("read", path, &error);
    let mut from = File::open(path).map_err(unread)?;
    if from.metadata().map_err(unread)?.is_dir() {
        return Err(unread(io::ErrorKind::IsADirectory.into()));
    }
    let mut copy = spool.begin()?;
    io::copy(&mut from, &mut copy).map_err(unread)?;
    let kept = copy.keep(&SpoolKey::new("batches", "checked.zip"))?;
    Ok(spool.map(&kept.key)?)
}

fn no_room(error: &io::Error) -> CommandError {
    CommandError::failed("cannot unpack the batch into a temporary folder")
        .caused_by(error.to_string())
        .hint("set `TMPDIR` to a folder with room for the unpacked batch")
}

/// `kuori check`: what is in a batch, and what is wrong with it.
#[derive(Serialize, JsonSchema)]
pub(super) struct Checked {
    file: String,
    /// How it is packed; absent where the archive does not even say that.
    shape: Option<&'static str>,
    is_test: bool,
    /// The file name asks for print.
    print_only: bool,
    documents: u64,
    /// Of all documents.
    pages: u64,
    messages: u64,
    /// An error of the whole batch refuses every message.
    is_refused: bool,
    fit_for_both: u64,
    fit_for_mailbox_only: u64,
    fit_for_print_only: u64,
    refused: u64,
    #[serde(flatten)]
    report: FindingReport,
}

impl Checked {
    fn new(file: &str, examples: u32, language: Language) -> Self {
        Self {
            file: file.to_owned(),
            shape: None,
            is_test: false,
            print_only: false,
            documents: 0,
            pages: 0,
            messages: 0,
            is_refused: true,
            fit_for_both: 0,
            fit_for_mailbox_only: 0,
            fit_for_print_only: 0,
            refused: 0,
            report: FindingReport::new(examples, language),
        }
    }

    fn open(
        &mut self,
        archive: &Archive<'_>,
        settings: &Settings,
        documents: &Shelf<'_>,
    ) -> Result<(), CommandError> {
        let name = self.file.clone();
        let mut sink = |page: Vec<OpenedMessage>| -> Result<(), Infallible> {
            for message in &page {
                self.count(message);
            }
            Ok(())
        };
        let opened = batch::open(archive, &name, settings, documents, &mut sink);
        let opened = opened.map_err(|error| match error {
            batch::OpenError::Shelf(source) => no_room(&source),
            batch::OpenError::Sink(never) => match never {},
        })?;
        self.finish(&opened);
        Ok(())
    }

    fn count(&mut self, message: &OpenedMessage) {
        let field = match message.fitness {
            Fitness::BOTH => &mut self.fit_for_both,
            Fitness::NEITHER => &mut self.refused,
            Fitness { mailbox: true, .. } => &mut self.fit_for_mailbox_only,
            Fitness { .. } => &mut self.fit_for_print_only,
        };
        *field += 1;
        message
            .findings
            .iter()
            .for_each(|found| self.report.add(found));
    }

    fn finish(&mut self, opened: &Opened) {
        self.shape = opened.shape.map(batch::Shape::as_str);
        self.is_test = opened.is_test;
        self.print_only = opened.print_only;
        self.documents = opened.documents.len() as u64;
        self.pages = opened
            .documents
            .iter()
            .map(|document| u64::from(document.pages))
            .sum();
        self.messages = opened.messages.into();
        self.is_refused = opened.is_refused();
        opened
            .findings
            .iter()
            .for_each(|found| self.report.add(found));
    }

    fn heading(&self) -> String {
        let messages = counted(self.messages, "message", "messages");
        let documents = counted(self.documents, "document", "documents");
        let pages = counted(self.pages, "page", "pages");
        let shape = self
            .shape
            .map(|shape| format!("{shape}, "))
            .unwrap_or_default();
        let test = if self.is_test { ", a test" } else { "" };
        format!(
            "{}: {shape}{messages}, {documents}, {pages}{test}",
            self.file
        )
    }

    fn verdict(&self) -> String {
        if self.is_refused {
            return "the whole batch would be refused".to_owned();
        }
        let parts = [
            (self.fit_for_both, "fit for mailbox and print"),
            (self.fit_for_mailbox_only, "for the mailbox only"),
            (self.fit_for_print_only, "for print only"),
            (self.refused, "would be refused"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = parts
            .map(|(count, told)| format!("{count} {told}"))
            .collect();
        told.join(", ")
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Batch     {}", self.heading())?;
        writeln!(f, "Messages  {}", self.verdict())?;
        if self.report.is_empty() {
            return writeln!(f, "Findings  none");
        }
        write!(f, "\n{}", self.report)
    }
}
