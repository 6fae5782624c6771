use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Error, Spool, error::Doing};
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
];

/// How long a writer waits for another process (`kuori reprocess` beside the daemon).
const BUSY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The data folder: `kuori.sqlite` and `spool/`.
///
/// Writes go through one connection, one at a time; reads have connections of their own and never
/// wait for a writer (write-ahead log).
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
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
        let mut writer = connect(&path, OpenFlags::default())?;
        migrate(&mut writer)?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
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

    /// Runs one write transaction: all of it is on the disk when this returns, or none of it.
    pub(super) fn write<T>(
        &self,
        doing: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut writer = locked(&self.writer);
        let transaction = writer
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .doing(doing)?;
        let result = change(&transaction)?;
        crash_points::around("commit", doing, || transaction.commit()).doing(doing)?;
        Ok(result)
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
        locked(&self.readers).push(reader);
        result
    }

    fn new_reader(&self) -> Result<Connection, Error> {
        let reader = connect(&self.path, OpenFlags::default())?;
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
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, Error> {
    let failed = |source| Error::Open {
        path: path.to_owned(),
        source,
    };
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    prepare(&connection).map_err(failed)?;
    Ok(connection)
}

/// `synchronous=FULL`: a receipt promises that the batch is on the disk.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted personal data is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let doing = "migrate the schema";
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .doing(doing)?;
    let found: u32 = transaction
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .doing(doing)?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    for script in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(script).doing(doing)?;
    }
    super::audit::begin(&transaction)?;
    transaction
        .pragma_update(None, "user_version", known)
        .doing(doing)?;
    crash_points::around("commit", doing, || transaction.commit()).doing(doing)
}

#[cfg(test)]
mod tests {
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
    fn a_database_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let newer = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        newer.pragma_update(None, "user_version", 999).unwrap();
        let error = Store::open(folder.path()).err().unwrap();
        assert!(matches!(error, Error::TooNew { found: 999, .. }), "{error}");
    }
}
