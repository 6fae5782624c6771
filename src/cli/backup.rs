use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    CommandError, Invocation,
    error::{ErrorKind, Outcome},
    settings,
    words::{Time, counted, shell_word},
};
use crate::{
    assemble,
    config::{Config, MailboxConfig},
    store::{self, BackupFacts, BackupMade, BackupWish, dated_backups, verify_backup},
};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// The folder that becomes the backup; it must be empty or not there
    #[arg(value_name = "DIR", required = true)]
    folder: Option<PathBuf>,

    /// Make a folder of the date below DIR, and remove the oldest ones beyond this number; files that
    /// the last one has take no further room
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,

    /// Leave out recipients' mailboxes
    #[arg(long)]
    without_mailboxes: bool,

    /// The settings file, where they name other folders than usual for keys or mailboxes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Read a backup whole, and hold it to what it says of itself
    Verify {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// `kuori backup`: what was copied.
#[derive(Serialize, JsonSchema)]
pub(super) struct BackedUp {
    folder: PathBuf,
    /// The moment that its rows are of.
    taken_at: Time,
    files: u64,
    bytes: u64,
    /// Files that take no further room.
    linked: u64,
    has_mailboxes: bool,
    /// Spooled files that are not what their rows say.
    damaged: Vec<String>,
    /// Files whose names cannot be listed.
    left_out: u64,
    /// Folders of the settings that lie outside the data folder: they are not in it.
    outside: Vec<PathBuf>,
    /// Older backups that were removed.
    removed: Vec<PathBuf>,
}

/// `kuori backup verify`.
#[derive(Serialize, JsonSchema)]
pub(super) struct BackupVerified {
    folder: PathBuf,
    taken_at: Time,
    /// The program that made it.
    version: String,
    files: u64,
    bytes: u64,
    has_mailboxes: bool,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match (&arguments.command, &arguments.folder) {
        (Some(Command::Verify { folder }), _) => verify(folder, invocation),
        (None, Some(folder)) => back_up(arguments, folder, invocation),
        (None, None) => Err(CommandError::usage("name the folder of the backup")),
    }
}

fn verify(folder: &Path, invocation: &mut Invocation<'_>) -> Result<Outcome, CommandError> {
    let progress = invocation.output.counter("files");
    let facts = verify_backup(folder, &|done, _| progress.reach(done)).map_err(refused)?;
    drop(progress);
    invocation.output.show(&BackupVerified {
        folder: folder.to_owned(),
        taken_at: Time(facts.taken_at),
        version: facts.version,
        files: facts.files,
        bytes: facts.bytes,
        has_mailboxes: facts.has_mailboxes,
    })?;
    Ok(Outcome::Done)
}

fn back_up(
    arguments: &Arguments,
    folder: &Path,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let places = Places::of(arguments, invocation)?;
    let store = Invocation::store_in(&places.data_folder)?;
    let to = match arguments.keep {
        Some(_) => dated(folder, invocation.now)?,
        None => folder.to_owned(),
    };
    let wish = BackupWish {
        folders: places.inside,
        has_mailboxes: !arguments.without_mailboxes,
        earlier: arguments.keep.and_then(|_| dated_backups(folder).pop()),
    };
    let progress = invocation.output.counter("files");
    let tell = |done, _| progress.reach(done);
    let made = store.back_up(&to, &wish, &invocation.action(""), &tell);
    drop(progress);
    let made = made.map_err(refused)?;
    let removed = match arguments.keep {
        Some(keep) => remove_older(folder, keep as usize)?,
        None => Vec::new(),
    };
    show(&made, to, places.outside, removed, invocation)
}

fn show(
    made: &BackupMade,
    folder: PathBuf,
    outside: Vec<PathBuf>,
    removed: Vec<PathBuf>,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let &BackupFacts {
        taken_at,
        files,
        bytes,
        has_mailboxes,
        ..
    } = &made.facts;
    let told = BackedUp {
        folder,
        taken_at: Time(taken_at),
        files,
        bytes,
        linked: made.linked,
        has_mailboxes,
        damaged: made.damaged.iter().map(ToString::to_string).collect(),
        left_out: made.left_out,
        outside,
        removed,
    };
    invocation.output.show(&told)?;
    for path in &told.outside {
        let path = path.display();
        invocation.output.note(format!(
            "`{path}` lies outside the data folder: back it up yourself"
        ));
    }
    if told.damaged.is_empty() && told.left_out == 0 {
        return Ok(Outcome::Done);
    }
    invocation
        .output
        .hint("`kuori restore files BACKUP` brings a damaged file back from a backup that has it");
    Ok(Outcome::Findings)
}

/// Where the data folder is, and what of it is copied beside rows, spool and keys.
struct Places {
    data_folder: PathBuf,
    inside: Vec<PathBuf>,
    outside: Vec<PathBuf>,
}

impl Places {
    fn of(arguments: &Arguments, invocation: &Invocation<'_>) -> Result<Self, CommandError> {
        let config = settings::load(arguments.config.as_deref(), invocation.options)?;
        let mut places = Self {
            data_folder: config.data_folder.clone(),
            inside: Vec::new(),
            outside: Vec::new(),
        };
        if let Some(server) = &config.server {
            places.add(&server.settings.host_keys);
        }
        places.add_file(&config);
        if !arguments.without_mailboxes {
            let MailboxConfig::Maildir { folder } = &config.mailbox;
            places.add(folder);
            if folder.starts_with(&config.data_folder) {
                are_there(&config)?;
            }
        }
        Ok(places)
    }

    fn add(&mut self, folder: &Path) {
        match folder.strip_prefix(&self.data_folder) {
            Ok(below) => self.inside.push(below.to_owned()),
            Err(_) => self.outside.push(folder.to_owned()),
        }
    }

    /// Files at the top of the data folder are copied anyway.
    fn add_file(&mut self, config: &Config) {
        let key = &config.receipt_key_file;
        if key.parent() != Some(&*self.data_folder) && key.exists() {
            self.outside.push(key.clone());
        }
    }
}

/// Refuses a backup while the mailboxes are away: it would say that it has them, and push an older one
/// out that does.
fn are_there(config: &Config) -> Result<(), CommandError> {
    match assemble::mailboxes(config) {
        Err(error) if error.lacks_mailboxes() => {
            let hint = "`--without-mailboxes` makes a backup of all the rest";
            Err(CommandError::from(error).hint(hint))
        }
        _ => Ok(()),
    }
}

/// `20260301T061209Z` below the folder.
fn dated(folder: &Path, now: Timestamp) -> Result<PathBuf, CommandError> {
    fs::create_dir_all(folder).map_err(|error| CommandError::file("make", folder, &error))?;
    Ok(folder.join(now.strftime("%Y%m%dT%H%M%SZ").to_string()))
}

/// Without its `backup.json` a folder is no backup any more: that goes first.
fn remove_older(folder: &Path, keep: usize) -> Result<Vec<PathBuf>, CommandError> {
    let mut older = dated_backups(folder);
    older.truncate(older.len().saturating_sub(keep));
    for path in &older {
        let removed = fs::remove_file(path.join("backup.json"));
        let removed = removed.and_then(|()| fs::remove_dir_all(path));
        removed.map_err(|error| CommandError::file("remove", path, &error))?;
    }
    Ok(older)
}

/// Why there is no backup, or nothing is restored from it, and what to type.
pub(super) fn refused(error: store::Error) -> CommandError {
    let hint = match &error {
        store::Error::NotEmpty(folder) => {
            let folder = shell_word(&folder.to_string_lossy());
            format!("name another folder; `kuori backup {folder} --keep 7` makes one of the date in it")
        }
        store::Error::BackupDamaged { .. } => "take an older backup".to_owned(),
        store::Error::NoBackup(_) => {
            "a folder that `kuori backup` was stopped in is none; of a folder of dated ones name one"
                .to_owned()
        }
        store::Error::NoRoom { .. } => "make room, or name a folder on another disk".to_owned(),
        _ => return error.into(),
    };
    let kind = match &error {
        store::Error::NoRoom { .. } => ErrorKind::TryLater,
        _ => ErrorKind::Failed,
    };
    CommandError::new(kind, error).hint(hint)
}

impl fmt::Display for BackedUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Backup     {}", self.folder.display())?;
        writeln!(f, "Moment     {}", self.taken_at)?;
        let files = counted(self.files, "file", "files");
        writeln!(
            f,
            "Holds      {files}, {} bytes; {} shared",
            self.bytes, self.linked
        )?;
        if !self.has_mailboxes {
            writeln!(f, "Left out   recipients' mailboxes")?;
        }
        for file in &self.damaged {
            writeln!(f, "Damaged    {file}")?;
        }
        if self.left_out > 0 {
            let files = counted(self.left_out, "file", "files");
            writeln!(f, "Left out   {files} with names that cannot be listed")?;
        }
        for folder in &self.removed {
            writeln!(f, "Removed    {}", folder.display())?;
        }
        Ok(())
    }
}

impl fmt::Display for BackupVerified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = counted(self.files, "file", "files");
        writeln!(
            f,
            "{} is whole: {files}, {} bytes",
            self.folder.display(),
            self.bytes
        )?;
        writeln!(f, "made by kuori {}, of {}", self.version, self.taken_at)
    }
}
