use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    deed::Deed,
    error::{ErrorKind, Outcome},
    settings,
    words::{Time, counted},
};
use crate::{
    assemble,
    domain::{BatchId, MessageId, SenderId},
    pipeline::{self, Forgotten, days_before, forget},
    store::{BatchPurge, Kept, NewEvent, PurgeRule, Store},
};

/// Batches that are listed one by one where people read.
const LISTED: usize = 20;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Only this batch, whatever its age; its file and the files of its bundles
    #[arg(long, value_name = "B-…")]
    batch: Option<BatchId>,

    /// Only what this sender has sent
    #[arg(long, value_name = "NAME", conflicts_with = "batch")]
    sender: Option<SenderId>,

    /// Files of what was settled longer ago than this, instead of what the settings say
    #[arg(long, value_name = "DAYS", conflicts_with = "batch",
          value_parser = clap::value_parser!(u32).range(1..))]
    older_than: Option<u32>,

    /// With `--batch` or `--older-than`: what the rows of its messages say of people, too
    #[arg(long)]
    with_rows: bool,

    /// Erase what the rows say of the recipient of one message, at somebody's request
    #[arg(long, value_name = "B-…-N", conflicts_with_all = ["batch", "sender", "older_than"])]
    message: Option<MessageId>,

    /// With `--message`: remove the file of its batch, in which the letter stands, at once
    #[arg(long, requires = "message")]
    with_batch: bool,

    /// The settings file that says how long things are kept [default: as `kuori run`]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    #[command(flatten)]
    deed: Deed,
}

/// `kuori purge`: what is gone, or with `--dry-run` what would be.
#[derive(Serialize, JsonSchema)]
pub(super) struct Purged {
    dry_run: bool,
    batches: Vec<PurgedBatch>,
    /// Files that are gone.
    files: u64,
    bytes: u64,
    /// Rows of messages that say nothing of people any more.
    messages: u64,
    /// Letter ids that are forgotten: the same letter would be sent again.
    letter_ids: u64,
    /// Asked for or old enough, and kept all the same.
    kept: Vec<KeptBatch>,
    /// With `--message`.
    erased: Option<Erased>,
}

#[derive(Serialize, JsonSchema)]
struct PurgedBatch {
    batch: String,
    sender: String,
    /// When the last thing happened to it.
    settled_at: Time,
    files: Vec<String>,
    bytes: u64,
    messages: u64,
    letter_ids: u64,
}

#[derive(Serialize, JsonSchema)]
struct KeptBatch {
    batch: String,
    why: String,
}

/// A message of which the rows say nothing of people any more.
#[derive(Serialize, JsonSchema)]
struct Erased {
    message: String,
    /// It was done before.
    done_before: bool,
    /// The letter still stands in the file of its batch.
    letter_stays: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let action = arguments.deed.action(invocation);
    let mut purged = Purged::new(arguments.deed.dry_run);
    if let Some(message) = arguments.message {
        purged.erased = Some(erase(&store, message, action.as_ref())?);
    }
    let rules = rules(arguments, &store, invocation)?;
    purge(&store, &rules, action.as_ref(), invocation, &mut purged)?;
    if let (Some(erased), true) = (&mut purged.erased, arguments.with_batch) {
        erased.letter_stays &= purged.files == 0;
    }
    invocation.output.show(&purged)?;
    if let Some(refusal) = refusal(arguments, &purged) {
        return Err(refusal);
    }
    hint(&purged, invocation);
    Ok(Outcome::Done)
}

fn erase(
    store: &Store,
    message: MessageId,
    action: Option<&NewEvent>,
) -> Result<Erased, CommandError> {
    let erasure = match action {
        Some(action) => store.erase(message, action)?,
        None => store.plan_erasure(message)?,
    };
    if let Some(kept) = erasure.kept {
        let error = format!("message `{message}` is not at its end");
        return Err(CommandError::failed(error).caused_by(kept.to_string()).hint(format!(
            "`kuori message show {message}` says where it is; call it off, or wait until it has gone"
        )));
    }
    Ok(Erased {
        message: message.to_string(),
        done_before: erasure.was_erased,
        letter_stays: erasure.payload_stays,
    })
}

fn rules(
    arguments: &Arguments,
    store: &Store,
    invocation: &Invocation<'_>,
) -> Result<Vec<PurgeRule>, CommandError> {
    let now = invocation.now;
    let named = |batch, sender, before| PurgeRule {
        batch,
        sender,
        payload_before: before,
        people_before: before.filter(|_| arguments.with_rows),
        letter_ids_before: None,
    };
    if let Some(message) = arguments.message {
        let now = arguments.with_batch.then_some(now);
        return Ok(now
            .map(|now| named(Some(message.batch), None, Some(now)))
            .into_iter()
            .collect());
    }
    if let Some(batch) = arguments.batch {
        store.batch(batch)?;
        return Ok(vec![named(Some(batch), None, Some(now))]);
    }
    let sender = arguments.sender.clone();
    if let Some(days) = arguments.older_than {
        return Ok(vec![named(None, sender, days_before(now, days))]);
    }
    let file = arguments
        .config
        .clone()
        .or_else(settings::in_current_folder);
    let config = settings::load(file.as_deref(), invocation.options)?;
    let mut rules = assemble::purge_rules(&config, store, now)?;
    rules.retain(|rule| sender.is_none() || rule.sender == sender);
    Ok(rules)
}

fn purge(
    store: &Store,
    rules: &[PurgeRule],
    action: Option<&NewEvent>,
    invocation: &Invocation<'_>,
    purged: &mut Purged,
) -> Result<(), CommandError> {
    let progress = invocation.output.counter("batches");
    let mut seen = 0;
    let mut tell = |batch: BatchId, taken: &Result<BatchPurge, Kept>| {
        seen += 1;
        progress.reach(seen);
        purged.add(batch, taken);
    };
    let forgotten = forget(store, rules, action, &|| false, &mut tell);
    let forgotten = forgotten.map_err(|error| match error {
        pipeline::Error::Store(error) => CommandError::from(error),
        error => CommandError::failed(error),
    })?;
    purged.total(&forgotten);
    Ok(())
}

impl Purged {
    fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            batches: Vec::new(),
            files: 0,
            bytes: 0,
            messages: 0,
            letter_ids: 0,
            kept: Vec::new(),
            erased: None,
        }
    }

    fn add(&mut self, batch: BatchId, taken: &Result<BatchPurge, Kept>) {
        match taken {
            Ok(purge) => self.batches.push(PurgedBatch {
                batch: batch.to_string(),
                sender: purge.sender.to_string(),
                settled_at: Time(purge.settled_at),
                files: purge.files.iter().map(ToString::to_string).collect(),
                bytes: purge.bytes,
                messages: purge.people,
                letter_ids: purge.letter_ids,
            }),
            Err(kept) => self.kept.push(KeptBatch {
                batch: batch.to_string(),
                why: kept.to_string(),
            }),
        }
    }

    fn total(&mut self, forgotten: &Forgotten) {
        self.files = forgotten.files;
        self.bytes = forgotten.bytes;
        self.messages = forgotten.people;
        self.letter_ids = forgotten.letter_ids;
    }
}

/// A batch that was named and is kept.
fn refusal(arguments: &Arguments, purged: &Purged) -> Option<CommandError> {
    let batch = arguments.batch.or(arguments.message.map(|id| id.batch))?;
    let kept = purged.kept.first()?;
    let error = CommandError::new(
        ErrorKind::Failed,
        format!("batch `{batch}` is not at its end"),
    );
    let hint = format!(
        "`kuori batch show {batch}` says what is to come; `kuori batch cancel {batch}` calls it off"
    );
    Some(error.caused_by(kept.why.clone()).hint(hint))
}

fn hint(purged: &Purged, invocation: &mut Invocation<'_>) {
    if let Some(erased) = purged.erased.as_ref().filter(|erased| erased.letter_stays) {
        let message = &erased.message;
        invocation.output.hint(format!(
            "the letter stands in the file of its batch until that goes; \
             `kuori purge --message {message} --with-batch` removes it now, with all its letters"
        ));
    }
    if !purged.dry_run && purged.files > 0 {
        invocation.output.hint(
            "backups, and recipients' mailboxes, hold what they hold: see docs/operators-guide.md",
        );
    }
}

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is = if self.dry_run { "would be" } else { "is" };
        if let Some(erased) = &self.erased {
            let is = if erased.done_before {
                "was, before,"
            } else {
                is
            };
            let message = &erased.message;
            writeln!(
                f,
                "what the rows say of the recipient of {message} {is} erased"
            )?;
        }
        for batch in self.batches.iter().take(LISTED) {
            writeln!(
                f,
                "{}  {}, settled {}: {}, {} bytes, {}",
                batch.batch,
                batch.sender,
                batch.settled_at,
                counted(batch.files.len() as u64, "file", "files"),
                batch.bytes,
                counted(batch.messages, "row", "rows"),
            )?;
        }
        let more = self.batches.len().saturating_sub(LISTED);
        if more > 0 {
            writeln!(
                f,
                "and {}",
                counted(more as u64, "more batch", "more batches")
            )?;
        }
        if self.erased.is_some() && self.batches.is_empty() {
            return Ok(());
        }
        let are = if self.dry_run {
            "would be removed"
        } else {
            "removed"
        };
        writeln!(
            f,
            "{are}: of {}, {} with {} bytes, the people of {}, {}",
            counted(self.batches.len() as u64, "batch", "batches"),
            counted(self.files, "file", "files"),
            self.bytes,
            counted(self.messages, "message", "messages"),
            counted(self.letter_ids, "letter id", "letter ids"),
        )?;
        if !self.kept.is_empty() {
            let kept = counted(self.kept.len() as u64, "batch", "batches");
            writeln!(f, "kept, not at an end: {kept}")?;
        }
        Ok(())
    }
}
