use std::{
    fmt,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::watch;

use super::{
    CommandError, Invocation, Output, clock,
    error::{ErrorKind, Outcome},
    progress::Progress,
    runtime::{runtime, stop_signal},
    settings,
    words::BatchStateWord,
};
use crate::{
    assemble::{self, Works},
    config::{Config, FolderConfig},
    crash_points::around,
    domain::{BatchId, SenderId},
    pipeline::Clock,
    store::{BatchRow, Counts, Received, Store},
};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The batch
    #[arg(value_name = "BATCH.zip")]
    batch: PathBuf,

    /// The settings file; without one the embedded settings of `samples/config/demo.toml` hold
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Whose batch it is, where the settings have more than one sender
    #[arg(long, value_name = "NAME")]
    sender: Option<SenderId>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let config = settings::load(arguments.config.as_deref(), invocation.options)?;
    let config = in_folders(config, arguments.sender.as_ref())?;
    let folder = config.data_folder.clone();
    keep_apart(&folder)?;
    make_doors(&config)?;
    put_into_inbox(&arguments.batch, &folder)?;
    let name = arguments.batch.file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let work = process(&config, &name, &invocation.output);
    let runtime = runtime()?;
    let worked = runtime.block_on(work);
    runtime.shutdown_background();
    let (received, row, counts) = worked?;
    let batch = row.id;
    let sender = config.senders.iter().map(|sender| &sender.settings);
    let service = sender
        .filter(|sender| sender.id == row.sender && !row.is_test)
        .find_map(|sender| sender.suomifi.as_ref().map(ToString::to_string));
    let processed = Processed {
        batch: batch.to_string(),
        state: BatchStateWord(row.state),
        reason: row.reason,
        seen_before: matches!(received, Received::Again(_)),
        received: counts.received,
        delivered: counts.delivered,
        printed: counts.printed,
        refused: counts.refused,
        held: counts.held,
        in_progress: counts.in_progress + counts.composed + counts.also_to_print,
        receipts: folder.join("receipts"),
        mailboxes: folder.join("mailboxes"),
        service,
        bundles: folder.join("pickup"),
    };
    invocation.output.show(&processed)?;
    if processed.has_trouble() {
        invocation
            .output
            .hint(format!("see `kuori batch show {batch}`"));
        return Ok(Outcome::Findings);
    }
    Ok(Outcome::Done)
}

/// What became of the batch, and where to look.
#[derive(Serialize, JsonSchema)]
pub(super) struct Processed {
    batch: String,
    state: BatchStateWord,
    /// Why it is refused, held or cancelled.
    reason: Option<String>,
    /// The same bytes were processed before: nothing was sent again.
    seen_before: bool,
    received: u64,
    delivered: u64,
    printed: u64,
    refused: u64,
    held: u64,
    in_progress: u64,
    receipts: PathBuf,
    mailboxes: PathBuf,
    /// The service of Suomi.fi Messages that the messages for mailboxes went to; absent where it is
    /// `mailboxes`.
    service: Option<String>,
    bundles: PathBuf,
}

impl Processed {
    fn has_trouble(&self) -> bool {
        self.received == 0 || self.refused + self.held + self.in_progress > 0
    }
}

impl fmt::Display for Processed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = if self.seen_before {
            ", seen before: nothing was sent again"
        } else {
            ""
        };
        writeln!(
            f,
            "Batch      {}, {} messages{seen}",
            self.batch, self.received
        )?;
        if let Some(reason) = &self.reason {
            writeln!(f, "State      {}; {reason}", self.state)?;
        }
        write!(f, "Mailbox    {} delivered, ", self.delivered)?;
        match &self.service {
            Some(service) => writeln!(f, "by the service {service}")?,
            None => writeln!(f, "in {}", self.mailboxes.display())?,
        }
        writeln!(
            f,
            "Print      {} handed over, in {}",
            self.printed,
            self.bundles.display()
        )?;
        writeln!(f, "Refused    {}", self.refused)?;
        writeln!(f, "Held       {}", self.held)?;
        if self.in_progress > 0 {
            writeln!(f, "Under way  {}", self.in_progress)?;
        }
        writeln!(f, "Receipts   in {}", self.receipts.display())
    }
}

/// The same house with plain folders for its doors: `inbox`, `receipts` and `pickup` of the data
/// folder, and no server. Messages for mailboxes go where the settings say.
fn in_folders(mut config: Config, named: Option<&SenderId>) -> Result<Config, CommandError> {
    let folder = FolderConfig::Directory(config.data_folder.clone());
    config.server = None;
    // Nobody starts this again but who has seen it end.
    config.runner.max_crashes = u32::MAX;
    let chosen = chosen(&config, named)?;
    for sender in &mut config.senders {
        let id = &sender.settings.id;
        let folder = if *id == chosen {
            config.data_folder.clone()
        } else {
            config.data_folder.join("other-senders").join(id.as_str())
        };
        sender.move_to(folder);
    }
    for print_house in &mut config.print_houses {
        print_house.folder = Some(folder.clone());
        // No paper leaves these folders: what a service would print becomes a bundle too.
        print_house.settings.service = None;
    }
    Ok(config)
}

/// The sender that was named, or the only one there is.
fn chosen(config: &Config, named: Option<&SenderId>) -> Result<SenderId, CommandError> {
    let known: Vec<_> = config
        .senders
        .iter()
        .map(|sender| &sender.settings.id)
        .collect();
    match (named, known.as_slice()) {
        (Some(named), known) if known.contains(&named) => Ok(named.clone()),
        (None, [only]) => Ok((*only).clone()),
        _ => {
            let known: Vec<_> = known.iter().map(ToString::to_string).collect();
            let hint = format!(
                "name one sender of the settings with `--sender`: {}",
                known.join(", ")
            );
            Err(CommandError::new(ErrorKind::Usage, "whose batch is it?").hint(hint))
        }
    }
}

/// Refuses the data folder of a daemon that has work under way: its bundles and receipts would come
/// out of these doors instead of its own.
fn keep_apart(folder: &Path) -> Result<(), CommandError> {
    // Before anything is put there: whoever works in it would not look for it.
    if assemble::is_in_use(folder) {
        let error = format!("another `kuori` works in `{}`", folder.display());
        return Err(CommandError::failed(error)
            .hint("stop the other one first, or name another folder with `--data-dir`"));
    }
    let by_hand = folder.join("by-hand");
    let is_foreign = folder.join("kuori.sqlite").exists() && !by_hand.exists();
    if is_foreign && Store::open(folder)?.has_work_under_way()? {
        let error = format!("`{}` has work of `kuori run` under way", folder.display());
        return Err(CommandError::failed(error).hint(
            "name another folder with `--data-dir`, or let `kuori run` take the batch from its inbox",
        ));
    }
    // Everything below may hold personal data.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let marked = made.and_then(|()| fs::File::create(&by_hand));
    marked
        .map(drop)
        .map_err(|error| CommandError::file("make", &by_hand, &error))
}

/// All inboxes are looked into, those of the other senders too.
fn make_doors(config: &Config) -> Result<(), CommandError> {
    for sender in &config.senders {
        let FolderConfig::Directory(folder) = &sender.folder else {
            continue;
        };
        for door in ["inbox", "receipts", "pickup", "feedback"] {
            let door = folder.join(door);
            fs::create_dir_all(&door).map_err(|error| CommandError::file("make", &door, &error))?;
        }
    }
    Ok(())
}

/// How copies into the inbox are called until they are whole.
const UNFINISHED: &str = ".kuori-process-";

/// Copies the batch under a temporary name and renames it, as a sender would.
fn put_into_inbox(batch: &Path, folder: &Path) -> Result<(), CommandError> {
    let inbox = folder.join("inbox");
    let name = batch
        .file_name()
        .ok_or_else(|| CommandError::usage(format!("`{}` names no file", batch.display())))?;
    let copy = || -> io::Result<()> {
        let mut from = fs::File::open(batch)?;
        clear_unfinished(&inbox)?;
        let mut copy = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .suffix(".part")
            .tempfile_in(&inbox)?;
        around("write", "process: copy", || io::copy(&mut from, &mut copy))?;
        around("sync", "process: copy", || copy.as_file().sync_all())?;
        around("rename", "process: copy", || copy.persist(inbox.join(name)))
            .map_err(|error| error.error)?;
        Ok(())
    };
    copy().map_err(|error| CommandError::file("take", batch, &error))
}

/// Removes copies that an earlier call was killed over.
fn clear_unfinished(inbox: &Path) -> io::Result<()> {
    for entry in fs::read_dir(inbox)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Takes everything that lies there, which is more than one batch where an earlier call was
/// killed, and tells of the one called `name`.
async fn process(
    config: &Config,
    name: &str,
    output: &Output<'_>,
) -> Result<(Received, BatchRow, Counts), CommandError> {
    let stop = stop_signal().map_err(|error| {
        CommandError::failed("cannot listen for signals").caused_by(error.to_string())
    })?;
    let works = Works::open(config, Clock::new(clock::now))?;
    let received = watched(&works, output, &stop).await?;
    if *stop.borrow() && works.store.has_work_under_way()? {
        let stopped = "stopped before it was done";
        return Err(CommandError::new(ErrorKind::TryLater, stopped)
            .hint("the same command goes on where this one stopped"));
    }
    let is_named = |received: &&Received| {
        let row = works.store.batch(batch_of(**received));
        row.is_ok_and(|row| row.file_name == name)
    };
    let named = received.iter().find(is_named).or(received.last());
    let received = named.copied().ok_or_else(|| {
        CommandError::failed("the batch was not taken").hint("the log above says why")
    })?;
    let row = works.store.batch(batch_of(received))?;
    let counts = works.store.counts(row.id)?;
    Ok((received, row, counts))
}

fn batch_of(received: Received) -> BatchId {
    let (Received::New(batch) | Received::Again(batch)) = received;
    batch
}

/// Works until nothing is left to do, and shows how far it is.
async fn watched(
    works: &Works,
    output: &Output<'_>,
    stop: &watch::Receiver<bool>,
) -> Result<Vec<Received>, assemble::Error> {
    let mut work = std::pin::pin!(works.run_until_idle_or(stop));
    let mut bar: Option<Progress> = None;
    loop {
        tokio::select! {
            received = &mut work => return received,
            () = tokio::time::sleep(Duration::from_millis(250)) => {
                if let Some((settled, of)) = progress(works) {
                    bar.get_or_insert_with(|| output.progress(of, "messages")).reach(settled);
                }
            }
        }
    }
}

/// Messages settled, of how many, in the newest batch.
fn progress(works: &Works) -> Option<(u64, u64)> {
    let batch: BatchId = works.store.batches(1).ok()?.first()?.id;
    let counts = works.store.counts(batch).ok()?;
    let under_way = counts.in_progress + counts.composed + counts.also_to_print;
    (counts.received > 0).then(|| {
        (
            counts.received - under_way.min(counts.received),
            counts.received,
        )
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_data_folder_that_is_made_by_hand_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("data");
        keep_apart(&made).unwrap();
        let permissions = fs::metadata(&made).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o700);
    }
}
