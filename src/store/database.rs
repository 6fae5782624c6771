use std::{
    fs::{self, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::{
    Error, Spool,
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
        if let Some(damage) = self.damage.get() {
            let refused = damage.clone().while_doing(doing);
            return Err(refused.in_database(&self.path));
        }
        let written = self.writer.write(doing, change);
        written.map_err(|error| self.noticed(error))
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

    /// How many transactions were committed since the store was opened.
    pub fn commits(&self) -> u64 {
        self.writer.commits()
    }

    /// For tests: lets a commit fail, once.
    #[cfg(debug_assertions)]
    pub fn fail_commit(&self, fault: super::Fault) {
        self.writer.fail_commit(fault);
    }

    /// For tests: the database file takes no more than so many pages of 4 KiB; a disk that is full,
    /// without a disk.
    #[cfg(debug_assertions)]
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
mod tests {
    use std::io::Write;

    use jiff::Timestamp;

    use super::*;
    use crate::domain::{BatchId, PrintFacts};

    #[test]
    fn a_data_folder_is_made_once_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        Store::open(folder.path()).unwrap();
    }

    /// A database as the first schema left it, with a batch in each of three states.
    fn older_database(folder: &Path) {
        let older = Connection::open(folder.join("kuori.sqlite")).unwrap();
        older.execute_batch(MIGRATIONS[0]).unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        for (id, state) in [(1, "reported"), (2, "opened"), (3, "held")] {
            let sql = "INSERT INTO batches (id, sender, file_name, bytes, sha256, spool,
                    received_at, state)
                 VALUES (?1, 'example-city', 'a.zip', 1, ?1, 'batches/a.zip', 0, ?2)";
            older.execute(sql, rusqlite::params![id, state]).unwrap();
        }
    }

    #[test]
    fn an_older_database_is_migrated_and_what_was_routed_has_passed_the_gate() {
        let folder = tempfile::tempdir().unwrap();
        older_database(folder.path());
        let store = Store::open(folder.path()).unwrap();
        let senders = store.senders().unwrap();
        assert_eq!(senders.len(), 1);
        assert_eq!(senders[0].name.as_str(), "example-city");
        let passed = |id| {
            let row = store.batch(BatchId(id)).unwrap();
            let mut passed = false;
            let judge = |facts: &crate::store::GateFacts| {
                passed = facts.has_passed;
                Vec::new()
            };
            store.pass_gate(&row, judge, Timestamp::UNIX_EPOCH).unwrap();
            passed
        };
        assert_eq!([1, 2, 3].map(passed), [true, false, false]);
    }

    #[test]
    fn a_database_of_any_earlier_schema_is_migrated() {
        for known in 1..MIGRATIONS.len() {
            let folder = tempfile::tempdir().unwrap();
            let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
            for script in MIGRATIONS.iter().take(known) {
                older.execute_batch(script).unwrap();
            }
            older.pragma_update(None, "user_version", known).unwrap();
            let batch =
                "INSERT INTO batches (sender, file_name, bytes, sha256, spool, received_at, state)
                 VALUES ('example-city', 'a.zip', 1, 'a', 'batches/a.zip', 1, 'reported')";
            older.execute(batch, []).unwrap();
            drop(older);
            let store = Store::open(folder.path()).unwrap();
            assert_eq!(store.batches(9).unwrap().len(), 1, "{known}");
            assert_eq!(store.next_delivery_report_due().unwrap(), None);
        }
    }

    #[test]
    fn of_messages_of_an_older_database_the_balance_is_unknown_and_nothing_else_is_said() {
        let folder = tempfile::tempdir().unwrap();
        older_database(folder.path());
        let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        let message = "INSERT INTO messages (batch, position, state, recipient_kind, document,
                first_page, page_count, service, wish, deny_only, deny_copy, attachments,
                fit_mailbox, fit_print)
             VALUES (2, 1, 'accepted', 'absent', 'a.pdf', 1, 1, 'ordinary', 'any', 0, 0, '', 1, 1)";
        older.execute(message, []).unwrap();
        drop(older);
        let store = Store::open(folder.path()).unwrap();
        let message = store.message("B-0002-1".parse().unwrap()).unwrap();
        let unknown = PrintFacts {
            colour_pages: 1,
            is_unbalanced: true,
            ..PrintFacts::default()
        };
        assert_eq!(message.facts, unknown);
    }

    #[test]
    fn pieces_of_an_older_database_keep_their_places_and_count_as_letters() {
        let folder = tempfile::tempdir().unwrap();
        let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        for script in MIGRATIONS.iter().take(3) {
            older.execute_batch(script).unwrap();
        }
        older.pragma_update(None, "user_version", 3).unwrap();
        let rows = "INSERT INTO batches (id, sender, file_name, bytes, sha256, spool, received_at, state)
                VALUES (7, 'example-city', 'a.zip', 1, 'a', 'batches/a.zip', 1, 'reported');
            INSERT INTO bundles (id, batch, print_house, state, planned_at, postage, registered,
                    colour, duplex, envelope, foreign_post, pieces, pages, sheets)
                VALUES (31, 7, 'example-print', 'handed-over', 1, 'economy', 0, 0, 1, 'C5', 0, 2, 6, 3);
            INSERT INTO pieces VALUES (31, 1, 7, 12, 1, 4, 2), (31, 2, 7, 3, 5, 2, 1);";
        older.execute_batch(rows).unwrap();
        drop(older);
        let store = Store::open(folder.path()).unwrap();
        let bundle = store.bundle(crate::domain::BundleId(31)).unwrap();
        assert_eq!((bundle.pieces, bundle.letters), (2, 2));
        assert_eq!(bundle.group.postage_code, None);
        let pieces = store.pieces(bundle.id).unwrap();
        let places = pieces
            .iter()
            .map(|row| (row.sequence, row.message.position, row.first_page));
        assert_eq!(places.collect::<Vec<_>>(), [(1, 12, 1), (2, 3, 5)]);
    }

    #[test]
    fn what_an_older_program_had_claimed_keeps_its_name_and_houses_differ() {
        let folder = tempfile::tempdir().unwrap();
        older_database(folder.path());
        let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        let arrival = "INSERT INTO arrivals (id, sender, place, file_name, state, started_at)
             VALUES (17, 'example-city', 'example-city', 'a.zip', 'taking', 0)";
        older.execute(arrival, []).unwrap();
        drop(older);
        let store = Store::open(folder.path()).unwrap();
        let arrival = store.arrivals("example-city").unwrap().remove(0);
        assert_eq!(arrival.claimed_name(), "17");
        let sender = "example-city".parse().unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let newer = store.begin_arrival(&sender, "example-city", "b.zip", now);
        let house = store.house_name().unwrap();
        assert_eq!(newer.unwrap().claimed_name(), format!("{house}-18"));
        let other = tempfile::tempdir().unwrap();
        let other = Store::open(other.path()).unwrap();
        assert_ne!(other.house_name().unwrap(), house);
    }

    #[test]
    fn every_table_is_strict() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
            AND name NOT IN (SELECT name FROM pragma_table_list WHERE strict)";
        let loose: Vec<String> = store
            .read(|db| {
                let mut query = db.prepare(sql).doing("list tables")?;
                let rows = query.query_map([], |row| row.get(0)).doing("list tables")?;
                rows.collect::<Result<_, _>>().doing("list tables")
            })
            .unwrap();
        assert_eq!(loose, [""; 0]);
    }

    #[test]
    fn an_idle_store_has_an_empty_log_and_one_that_is_read_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let log = || {
            folder
                .path()
                .join("kuori.sqlite-wal")
                .metadata()
                .unwrap()
                .len()
        };
        store
            .know_senders([&"example-city".parse().unwrap()])
            .unwrap();
        assert!(log() > 0);
        store
            .read(|db| {
                db.query_row("SELECT COUNT(*) FROM senders", [], |_| Ok(()))
                    .doing("read")?;
                store.know_senders([&"example-town".parse().unwrap()])?;
                // Not for want of patience: the reader is this very thread.
                store.rest()
            })
            .unwrap();
        store.rest().unwrap();
        assert_eq!(log(), 0);
    }

    #[test]
    fn a_database_with_damaged_pages_is_told_of_and_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store
            .know_senders([&"example-city".parse().unwrap()])
            .unwrap();
        drop(store);
        let path = folder.path().join("kuori.sqlite");
        let page: usize = Connection::open(&path)
            .unwrap()
            .query_row(
                "SELECT rootpage FROM sqlite_master WHERE name = 'senders'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
        fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
        let store = Store::open(folder.path()).unwrap();
        let broken = store
            .know_senders([&"example-town".parse().unwrap()])
            .unwrap_err();
        assert!(matches!(broken, Error::Corrupt { .. }), "{broken:?}");
        assert!(broken.to_string().contains("kuori.sqlite"), "{broken}");
        let untouched = store.write("try", |_| -> Result<(), Error> { panic!("called") });
        assert!(matches!(untouched, Err(Error::Corrupt { .. })));
        fs::File::create(&path)
            .unwrap()
            .write_all(b"not a database, but long enough to be one")
            .unwrap();
        let other = Store::open(folder.path()).err().unwrap();
        assert!(matches!(other, Error::Corrupt { .. }), "{other:?}");
    }

    #[test]
    fn a_database_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let newer = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        newer.pragma_update(None, "user_version", 999).unwrap();
        let error = Store::open(folder.path()).err().unwrap();
        assert!(matches!(error, Error::TooNew { found: 999, .. }), "{error}");
    }
}
