use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{
    Error, Scratch, Spool,
    error::Doing,
    lifecycle_guard,
    line::Failure,
    writer::{Transaction, Writer},
};
use crate::crash_points;

/// One script a schema version, in order; the database remembers how many it has run.
const MIGRATIONS: &[&str] = &[
    include_str!("schema.sql"),
    include_str!("gate.sql"),
    include_str!("delivery_reports.sql"),
    include_str!("print_facts.sql"),
    include_str!("shared_pieces.sql"),
    include_str!("accounts.sql"),
    include_str!("inboxes.sql"),
    include_str!("outbox.sql"),
    include_str!("retention.sql"),
    include_str!("alerts.sql"),
    include_str!("audit.sql"),
    include_str!("steps.sql"),
    include_str!("selection.sql"),
    include_str!("holds_by_operators.sql"),
    include_str!("mailbox_queue.sql"),
    include_str!("service_events.sql"),
    include_str!("timers.sql"),
    include_str!("notices.sql"),
    // Houses have this number behind them, and nothing came of it.
    "",
    include_str!("read_marks.sql"),
    include_str!("consent_register.sql"),
    include_str!("queue_doubts.sql"),
    include_str!("consent_feeds.sql"),
    include_str!("matter_addresses.sql"),
    include_str!("missed_mailboxes.sql"),
    include_str!("consent_words.sql"),
    include_str!("queue_refusals.sql"),
    include_str!("kept_consents.sql"),
    include_str!("trimmed_matters.sql"),
    include_str!("queue_places.sql"),
    include_str!("agreed_matters.sql"),
    include_str!("owed_answers.sql"),
    include_str!("failing_looks.sql"),
];

/// How long a writer waits for another process (`kuori reprocess` beside the daemon).
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Readers that are kept open for the next read; more come and go.
const IDLE_READERS: usize = 4;

/// Memory for pages, in KiB: of the connection that writes, and of each that reads.
const WRITER_CACHE_KIB: i64 = 65_536;
const READER_CACHE_KIB: i64 = 16_384;

/// The data folder: `kuori.sqlite` and `spool/`.
///
/// Writes go through one connection, and those who come at the same time share a commit; reads have
/// connections of their own and never wait for a writer (write-ahead log).
pub struct Store {
    path: PathBuf,
    writer: Writer,
    readers: Mutex<Vec<Connection>>,
    /// Why nothing is written any more.
    damage: OnceLock<Failure>,
    spool: Spool,
}

impl Store {
    /// Opens the data folder, making what is missing and migrating an older schema.
    ///
    /// # Errors
    ///
    /// [`Error::TooNew`] where a newer program has written the database.
    pub fn open(data_folder: &Path) -> Result<Self, Error> {
        let spool = Spool::open(&data_folder.join("spool"))?;
        let path = data_folder.join("kuori.sqlite");
        keep_private(&path)?;
        let mut writer = connect(&path, WRITER_CACHE_KIB)?;
        migrate(&mut writer).map_err(|error| error.in_database(&path))?;
        if cfg!(debug_assertions) {
            lifecycle_guard::hold_to_lifecycle(&writer)?;
        }
        Ok(Self {
            path,
            writer: Writer::new(writer),
            readers: Mutex::default(),
            damage: OnceLock::new(),
            spool,
        })
    }

    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// A place in the data folder for what is needed for a while.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(self.path.parent().unwrap_or(Path::new(".")))
    }

    /// What the database takes on the disk, its write-ahead log with it.
    pub(super) fn database_bytes(&self) -> u64 {
        let wal = self.path.with_extension("sqlite-wal");
        let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        bytes(&self.path) + bytes(&wal)
    }

    /// Runs one change in a transaction: all of it is on the disk when this returns, or none of it.
    ///
    /// Changes that come at the same time share a commit: the one that fails is undone alone, and
    /// where the commit fails, all of them are told so.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] from the first damaged page on: what is broken is not written to.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.is_undamaged()?;
        let written = self.writer.write(doing, change);
        written.map_err(|error| self.noticed(error))
    }

    /// Whether no damaged page was met so far, by whomever.
    ///
    /// # Errors
    ///
    /// [`Error::Corrupt`] where one was.
    pub fn is_undamaged(&self) -> Result<(), Error> {
        let Some(damage) = self.damage.get() else {
            return Ok(());
        };
        let met = damage.clone().while_doing("read a page");
        Err(met.in_database(&self.path))
    }

    /// Lends a read-only connection inside one transaction: all queries of a read see one moment,
    /// and a thousand of them take the log's read lock once.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let idle = locked(&self.readers).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => self.new_reader()?,
        };
        let result = reader
            .unchecked_transaction()
            .doing("begin reading")
            .and_then(|_at_one_moment| query(&reader));
        self.keep_reader(reader);
        result.map_err(|error| self.noticed(error))
    }

    /// Brings what the write-ahead log has into the database and empties the log. For a moment in
    /// which there is nothing to do; where somebody reads or writes, another one will do.
    pub fn rest(&self) -> Result<(), Error> {
        let doing = "empty the write-ahead log";
        let log = self.path.with_extension("sqlite-wal");
        if self.damage.get().is_some() || fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
            return Ok(());
        }
        let checkpoint = |writer: &Connection| {
            writer.busy_timeout(Duration::ZERO)?;
            let done = writer.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(()));
            writer.busy_timeout(BUSY_TIMEOUT)?;
            done
        };
        let done = self.writer.alone(checkpoint).doing(doing);
        done.map_err(|error| self.noticed(error))
    }

    /// How many transactions were committed since the store was opened that changed a row: looking
    /// for something to claim does not count.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// For tests: lets a commit fail, once.
    #[cfg(any(test, debug_assertions))]
    pub fn fail_commit(&self, fault: super::Fault) {
        self.writer.fail_commit(fault);
    }

    /// For tests: the database file takes no more than so many pages of 4 KiB; a disk that is full,
    /// without a disk.
    #[cfg(any(test, debug_assertions))]
    pub fn limit_pages(&self, pages: u32) -> Result<(), Error> {
        let limit = |writer: &Connection| writer.pragma(None, "max_page_count", pages, |_| Ok(()));
        self.writer.alone(limit).doing("limit the pages")
    }

    #[cfg(test)]
    pub(super) fn writer_line(&self) -> usize {
        self.writer.waiting()
    }

    /// Remembers that the database is damaged.
    fn noticed(&self, error: Error) -> Error {
        let error = error.in_database(&self.path);
        if let Error::Corrupt { source, .. } = &error {
            let _ = self
                .damage
                .set(Failure::of_sql(source).unwrap_or_else(Failure::aborted));
        }
        error
    }

    fn keep_reader(&self, reader: Connection) {
        let mut readers = locked(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(reader);
        }
    }

    /// A connection of its own, for what no transaction of [`Store::write`] can do.
    pub(super) fn connect_apart(&self) -> Result<Connection, Error> {
        connect(&self.path, READER_CACHE_KIB)
    }

    fn new_reader(&self) -> Result<Connection, Error> {
        let reader = connect(&self.path, READER_CACHE_KIB)?;
        reader
            .pragma_update(None, "query_only", true)
            .doing("open a reader")?;
        Ok(reader)
    }
}

/// Identity codes stand in the database: the file is made for its owner alone. The write-ahead log
/// takes its mode from it.
fn keep_private(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|source| Error::Spool {
        doing: "make",
        path: path.to_owned(),
        source,
    })
}

/// A panic while the lock was held left the connection usable: its transaction was rolled back.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path, cache_kib: i64) -> Result<Connection, Error> {
    let failed = |source| Error::open(path, source);
    let connection = Connection::open_with_flags(path, OpenFlags::default()).map_err(failed)?;
    prepare(&connection, cache_kib).map_err(failed)?;
    Ok(connection)
}

/// `synchronous=FULL`: a receipt promises that the batch is on the disk.
fn prepare(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted personal data is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let doing = "migrate the schema";
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    // Mostly there is nothing to do: then no command waits for whoever writes, nor needs room.
    if schema_of(connection)? == known {
        return Ok(());
    }
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing(doing)?;
    let found = schema_of(&transaction)?;
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    for script in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(script).doing(doing)?;
    }
    super::audit::begin(&Transaction(&transaction))?;
    transaction
        .pragma_update(None, "user_version", known)
        .doing(doing)?;
    crash_points::around("commit", doing, || transaction.commit()).doing(doing)
}

fn schema_of(connection: &Connection) -> Result<u32, Error> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing("look which schema the database has")
}

/// A database in memory as the migrations make one.
pub(super) fn fresh_schema() -> Result<Connection, Error> {
    let doing = "make a schema";
    let mut fresh = Connection::open_in_memory().doing(doing)?;
    migrate(&mut fresh)?;
    Ok(fresh)
}

#[cfg(test)]
mod tests;
