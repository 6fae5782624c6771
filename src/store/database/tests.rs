use std::io::Write;

use jiff::Timestamp;

use super::*;
use crate::{
    domain::{BatchId, PrintFacts},
    store::{ConsentEntry, ConsentStatus, FullListWish, NewEvent},
};

#[test]
fn a_data_folder_is_made_once_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    Store::open(folder.path()).unwrap();
}

/// How many scripts stand before the one that has these words.
fn before(words: &str) -> usize {
    let mut scripts = MIGRATIONS.iter();
    scripts.position(|script| script.contains(words)).unwrap()
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
        // One commit instead of one a statement.
        let scripts = MIGRATIONS[..known].concat();
        older
            .execute_batch(&format!("BEGIN; {scripts} COMMIT;"))
            .unwrap();
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
    let rows =
        "INSERT INTO batches (id, sender, file_name, bytes, sha256, spool, received_at, state)
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

#[test]
fn matters_of_an_older_register_lose_the_blanks_around_them() {
    let folder = tempfile::tempdir().unwrap();
    let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    let known = before("-- Matters were kept as they were typed");
    let rows = "INSERT INTO print_only_matters (recipient_id, matter, recorded_at)
            VALUES ('010190-900P', ' school', 1), ('010190-999W', 'school ', 1),
                ('010190-999W', 'school', 2), ('010190-999W', ' ', 3);
         INSERT INTO matter_history (recipient_id, matter, print_only, recorded_at)
            VALUES ('010190-900P', ' school', 1, 1);";
    let scripts = MIGRATIONS[..known].concat();
    older
        .execute_batch(&format!("BEGIN; {scripts} {rows} COMMIT;"))
        .unwrap();
    older.pragma_update(None, "user_version", known).unwrap();
    drop(older);
    drop(Store::open(folder.path()).unwrap());
    let now = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    let matters = |table: &str| {
        let sql = format!("SELECT recipient_id || matter FROM {table} ORDER BY 1");
        let mut query = now.prepare(&sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let kept = ["010190-900Pschool", "010190-999Wschool"];
    assert_eq!(matters("print_only_matters"), kept);
    assert_eq!(matters("matter_history"), kept[..1]);
}

#[test]
fn an_older_register_of_matters_agrees_with_the_last_word_of_its_history() {
    let folder = tempfile::tempdir().unwrap();
    let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    let known = before("-- Matters were kept as they were typed");
    let rows = "INSERT INTO print_only_matters (recipient_id, matter, recorded_at, address)
            VALUES ('010190-900P', ' school', 1, NULL), ('010190-900P', 'tax\u{a0}', 1, 'there'),
                ('010190-900P', 'water', 1, 'old'), ('010190-900P', 'water\u{a0}', 2, 'new'),
                ('010190-900P', '\u{2003}', 1, NULL);
         INSERT INTO matter_history (recipient_id, matter, print_only, recorded_at)
            VALUES ('010190-900P', ' school', 1, 1), ('010190-900P', 'tax\u{a0}', 1, 1),
                ('010190-900P', 'water', 1, 1), ('010190-900P', '\u{2003}', 1, 1),
                ('010190-900P', 'school', 1, 1), ('010190-900P', 'water\u{a0}', 1, 2),
                ('010190-900P', 'school', 0, 3);";
    let scripts = MIGRATIONS[..known].concat();
    older
        .execute_batch(&format!("BEGIN; {scripts} {rows} COMMIT;"))
        .unwrap();
    older.pragma_update(None, "user_version", known).unwrap();
    drop(older);
    drop(Store::open(folder.path()).unwrap());
    let now = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    let texts = |sql: &str| {
        let mut query = now.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let register = "SELECT matter || ' ' || address FROM print_only_matters ORDER BY 1";
    assert_eq!(texts(register), ["tax there", "water new"]);
    let history = "SELECT matter || print_only FROM matter_history ORDER BY id";
    let words = ["school1", "tax1", "water1", "school1", "water1", "school0"];
    assert_eq!(texts(history), words);
}

#[test]
fn of_words_that_an_older_register_has_of_one_time_the_withdrawal_stands() {
    let folder = tempfile::tempdir().unwrap();
    let older = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    let known = before("TABLE consent_full_lists");
    let rows = "INSERT INTO consent_history (recipient_id, status, since, recorded_at, source)
            VALUES ('010190-900P', 'granted', 1, 1, 'a file'), ('010190-900P', 'withdrawn', 1, 2, 'maija'),
                ('010190-900P', 'granted', 1, 3, 'a file'), ('010190-999W', 'granted', 1, 1, 'a file'),
                ('010190-999W', 'withdrawn', 5, 6, 'not in the list a file');
         INSERT INTO consents (recipient_id, status, since, source)
            VALUES ('010190-900P', 'granted', 1, 'a file'),
                ('010190-999W', 'withdrawn', 5, 'not in the list a file');";
    let scripts = MIGRATIONS[..known].concat();
    older
        .execute_batch(&format!("BEGIN; {scripts} {rows} COMMIT;"))
        .unwrap();
    older.pragma_update(None, "user_version", known).unwrap();
    drop(older);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(store.consent_counts().unwrap(), (0, 2));
    let consent = store.consent(&"010190-900P".parse().unwrap()).unwrap();
    assert_eq!(consent.said.unwrap().source.as_deref(), Some("maija"));
    // The other was left out by a list, and the next one has them.
    let list = store.begin_full_list().unwrap();
    let row = |id: &str| ConsentEntry {
        recipient: id.parse().unwrap(),
        said: Some((
            ConsentStatus::Granted,
            Timestamp::from_millisecond(1).unwrap(),
        )),
        is_inferred: false,
        source: None,
        matter: None,
        notice: None,
    };
    list.add(&[row("010190-900P"), row("010190-999W")]).unwrap();
    let wish = FullListWish {
        as_of: Timestamp::from_millisecond(7).unwrap(),
        most_missing_percent: None,
        dry_run: false,
    };
    let action = NewEvent {
        at: Timestamp::from_millisecond(8).unwrap(),
        actor: "maija".to_owned(),
        why: String::new(),
    };
    let told = list.take(wish, "imported by maija", &action).unwrap();
    assert_eq!(told.brought_back, 1);
    assert_eq!(store.consent_counts().unwrap(), (1, 1));
}
