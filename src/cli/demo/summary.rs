use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Serialize;

use super::stand_in::Taken;
use crate::{
    cli::{CommandError, words::counted},
    domain::{BatchId, BundleId},
    sample::Spec,
    store::Counts,
};

/// Where the demo keeps what: each party's own folder, and the house's.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub(super) batch: PathBuf,
    pub(super) keys: PathBuf,
    pub(super) data: PathBuf,
    pub(super) receipts: PathBuf,
    pub(super) bundles: PathBuf,
}

impl Paths {
    pub(super) fn below(folder: &Path) -> Self {
        Self {
            batch: folder.join("batch.zip"),
            keys: folder.join("keys"),
            data: folder.join("house"),
            receipts: folder.join("sender/receipts"),
            bundles: folder.join("print-house/pickup"),
        }
    }
}

/// What the parties have in their hands, counted from their own files and from the mailboxes, not
/// from what the house says of itself.
#[derive(Debug, Clone)]
pub(super) struct Fetched {
    receipts: Vec<String>,
    bundles: Vec<BundleId>,
    pieces: u64,
    /// One file a message, anywhere below the mailboxes.
    messages: Vec<PathBuf>,
}

impl Fetched {
    pub(super) fn count(
        batch: BatchId,
        receipts: Vec<String>,
        bundles: Vec<BundleId>,
        paths: &Paths,
    ) -> Result<Self, CommandError> {
        let mut pieces = 0;
        for bundle in &bundles {
            let list = paths
                .bundles
                .join(bundle.to_string())
                .join(format!("{bundle}.pieces.csv"));
            let rows = fs::read_to_string(&list)
                .map_err(|error| CommandError::file("read", &list, &error))?;
            pieces += rows.lines().skip(1).count() as u64;
        }
        let mailboxes = paths.data.join("mailboxes");
        let mut messages = Vec::new();
        collect_messages(&mailboxes, &mut messages)
            .map_err(|error| CommandError::file("look into", &mailboxes, &error))?;
        // A message's file carries its number, `B-0001-12`; other batches lie there too.
        let number = format!(".{batch}-");
        messages.retain(|path| path.to_string_lossy().contains(&number));
        messages.sort();
        Ok(Self {
            receipts,
            bundles,
            pieces,
            messages,
        })
    }
}

fn collect_messages(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect_messages(&path, found)?;
        } else if path.parent().is_some_and(|folder| folder.ends_with("new")) {
            found.push(path);
        }
    }
    Ok(())
}

/// What went where, in how long, and what to open.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Summary {
    batch: String,
    letters: u64,
    received: u64,
    delivered: u64,
    printed: u64,
    refused: u64,
    held: u64,
    /// Counted in the mailboxes, or by the stand-in of Suomi.fi Messages.
    messages_in_mailboxes: u64,
    /// What the stand-in has; absent without one.
    at_stand_in: Option<Taken>,
    /// Counted in the piece lists that the print house fetched.
    pieces_at_print_house: u64,
    bundles: Vec<String>,
    upload_secs: f64,
    work_secs: f64,
    letters_a_second: f64,
    open_bundle: Option<PathBuf>,
    open_receipt: Option<PathBuf>,
    open_mailbox: Option<PathBuf>,
    data_folder: PathBuf,
}

impl Summary {
    pub(super) fn new(
        spec: &Spec,
        batch: BatchId,
        counts: Counts,
        fetched: Fetched,
        at_stand_in: Option<Taken>,
        (uploaded, worked): (Duration, Duration),
        paths: &Paths,
    ) -> Self {
        let first_bundle = fetched.bundles.first();
        let report = format!(".{batch}.processing");
        let is_report = |name: &&String| name.contains(&report);
        Self {
            batch: batch.to_string(),
            letters: spec.letters.into(),
            received: counts.received,
            delivered: counts.delivered,
            printed: counts.printed,
            refused: counts.refused,
            held: counts.held,
            messages_in_mailboxes: at_stand_in
                .map_or(fetched.messages.len() as u64, |taken| taken.messages),
            at_stand_in,
            pieces_at_print_house: fetched.pieces,
            bundles: fetched.bundles.iter().map(ToString::to_string).collect(),
            upload_secs: uploaded.as_secs_f64(),
            work_secs: worked.as_secs_f64(),
            letters_a_second: f64::from(spec.letters) / worked.as_secs_f64(),
            open_bundle: first_bundle
                .map(|id| paths.bundles.join(id.to_string()).join(format!("{id}.pdf"))),
            open_receipt: fetched
                .receipts
                .iter()
                .find(is_report)
                .map(|r| paths.receipts.join(r)),
            open_mailbox: fetched.messages.into_iter().next(),
            data_folder: paths.data.clone(),
        }
    }

    /// Whether every letter is in exactly one place, by the house's rows and by the parties' files.
    pub(super) fn is_accounted_for(&self) -> bool {
        self.received == self.letters
            && self.received == self.delivered + self.printed + self.refused + self.held
            && self.messages_in_mailboxes == self.delivered
            && self.pieces_at_print_house == self.printed
            && self
                .at_stand_in
                .is_none_or(|taken| taken.letters == taken.messages)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "Batch     {}, {} letters received over SFTP",
            self.batch, self.received
        )?;
        let messages = counted(self.messages_in_mailboxes, "message", "messages");
        let delivered = self.delivered;
        match self.at_stand_in {
            None => writeln!(
                f,
                "Mailbox   {delivered} delivered; {messages} counted in the mailboxes"
            )?,
            Some(taken) => writeln!(
                f,
                "Mailbox   {delivered} delivered; {messages} of {} taken by the stand-in of Suomi.fi; \
                 {} came again",
                counted(taken.letters, "letter", "letters"),
                taken.repeats
            )?,
        }
        writeln!(
            f,
            "Print     {} in {}; {} counted at the print house",
            self.printed,
            counted(self.bundles.len() as u64, "bundle", "bundles"),
            counted(self.pieces_at_print_house, "piece", "pieces")
        )?;
        writeln!(f, "Refused   {}", self.refused)?;
        writeln!(f, "Held      {}", self.held)?;
        let verdict = if self.is_accounted_for() {
            ""
        } else {
            "  NOT ACCOUNTED FOR"
        };
        writeln!(
            f,
            "Sum       {} = {} + {} + {} + {}{verdict}",
            self.received, self.delivered, self.printed, self.refused, self.held
        )?;
        writeln!(
            f,
            "Time      {:.2} s upload, {:.2} s until everything was handed over ({:.0} letters a second)",
            self.upload_secs, self.work_secs, self.letters_a_second
        )?;
        writeln!(f, "\nOpen these:")?;
        for (what, path) in [
            ("a bundle ", &self.open_bundle),
            ("a receipt", &self.open_receipt),
            ("a mailbox", &self.open_mailbox),
        ] {
            if let Some(path) = path {
                writeln!(f, "  {what}  {}", path.display())?;
            }
        }
        let folder = self.data_folder.display();
        writeln!(
            f,
            "\nGo on with:\n  kuori batch show {} --data-dir {folder}",
            self.batch
        )
    }
}
