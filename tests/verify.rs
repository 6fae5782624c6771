//! `kuori verify`: each kind of breach, made in a real data folder, is told, and nothing else is.

use std::{
    fs,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use kuori::{
    domain::{BatchId, Breach},
    mailbox::{FolderKey, Mailbox, Maildirs},
    pipeline::{Mailboxes, verify_mailboxes},
    sample::{Fault, FaultKind, Spec},
    store::{Store, Verification, Verified},
};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::hub::{Hub, now, sample_bytes};

/// A house that has had a batch of each kind, and what each case breaks is a copy of it.
struct Original {
    hub: Hub,
}

/// A data folder that may be broken.
struct Copy {
    folder: TempDir,
}

impl Original {
    /// Batch 1 has gone, by mailbox and on paper, and one of its letters is refused; the bundle of
    /// batch 2 waits for the print house.
    async fn make() -> Self {
        let hub = Hub::new();
        let fault = Fault {
            letter: 2,
            kind: FaultKind::IdentityCodeSlip,
        };
        let first = Spec {
            letters: 12,
            faults: vec![fault],
            ..Spec::default()
        };
        hub.consent(&first);
        hub.process("first.zip", &sample_bytes(&first)).await;
        let counts = hub.counts();
        assert!(counts.delivered > 2 && counts.printed > 2 && counts.refused == 1);
        let second = Spec {
            letters: 3,
            seed: 2,
            digital_share: 0.0,
            ..Spec::default()
        };
        hub.upload("second.zip", &sample_bytes(&second));
        hub.run_without_hand_over().await;
        assert_eq!(hub.counts().composed, 3);
        Self { hub }
    }

    fn copy(&self) -> Copy {
        let data = self.hub.path().join("data");
        let db = Connection::open(data.join("kuori.sqlite")).unwrap();
        let whole = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        whole.unwrap();
        let folder = tempfile::tempdir().unwrap();
        copy_folder(&data, folder.path());
        Copy { folder }
    }

    /// Codes that are told of a copy that was broken by `sql`.
    fn told(&self, sql: &str) -> Vec<&'static str> {
        let copy = self.copy();
        copy.sql(sql);
        copy.codes()
    }
}

impl Copy {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sql(&self, sql: &str) {
        let db = Connection::open(self.path("kuori.sqlite")).unwrap();
        db.pragma_update(None, "foreign_keys", false).unwrap();
        db.execute_batch(sql).unwrap();
    }

    fn verify(&self) -> Verified {
        self.verify_with(|_| {})
    }

    fn verify_with(&self, change: impl FnOnce(&mut Verification)) -> Verified {
        let mut options = Verification {
            deep: true,
            ..Verification::at_rest(now())
        };
        change(&mut options);
        let store = Store::open(self.folder.path()).unwrap();
        store.verify(&options, &|_| {}).unwrap()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.verify().found.keys().map(|it| it.as_str()).collect()
    }

    /// The first file in a folder of the spool.
    fn spooled(&self, folder: &str, ending: &str) -> PathBuf {
        let files = fs::read_dir(self.path("spool").join(folder)).unwrap();
        let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let is_meant = |path: &PathBuf| path.to_str().unwrap().ends_with(ending);
        files.into_iter().find(is_meant).unwrap()
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A breach, and rows that are changed so.
const BROKEN_ROWS: &[(&str, &str)] = &[
    (
        "orphan-row",
        "INSERT INTO letter_ids VALUES ('example-city', 'of nothing', 99, 1)",
    ),
    (
        "orphan-row",
        "INSERT INTO findings (batch, position, code, detail) VALUES (1, 99, 'page-size', '')",
    ),
    (
        "orphan-row",
        "INSERT INTO known_files (place, file_name, bytes, sha256, batch)
         VALUES ('example-city', 'a.zip', 1, 'a', 99)",
    ),
    (
        "state-unknown",
        "UPDATE batches SET state = 'lost' WHERE id = 1",
    ),
    (
        "state-unknown",
        "UPDATE messages SET state = 'lost' WHERE batch = 1 AND state = 'refused'",
    ),
    (
        "message-inconsistent",
        "UPDATE messages SET delivered_at = 1 WHERE batch = 1 AND state = 'refused'",
    ),
    (
        "message-inconsistent",
        "UPDATE messages SET delivered_at = NULL WHERE batch = 1 AND state = 'delivered'",
    ),
    (
        "message-stuck",
        "UPDATE messages SET state = 'accepted' WHERE batch = 1 AND position = 2",
    ),
    (
        "batch-stuck",
        "UPDATE batches SET state = 'opened' WHERE id = 1",
    ),
    (
        "letter-in-two-bundles",
        "INSERT INTO bundles SELECT 3, batch, print_house, state, planned_at, composed_at,
                handed_over_at, postage, registered, colour, duplex, envelope, foreign_post, pieces,
                pages, sheets, letters, postage_code FROM bundles WHERE id = 2;
         INSERT INTO pieces SELECT 3, sequence, batch, position, first_page, pages, sheets
           FROM pieces WHERE bundle = 2;
         INSERT INTO outgoing (id, batch, bundle, kind, place, state, due_at)
         SELECT 99, batch, 3, kind, place, state, due_at FROM outgoing WHERE bundle = 2;
         INSERT INTO outgoing_files SELECT 99, ordinal, path, spool, bytes, sha256
           FROM outgoing_files WHERE outgoing = (SELECT id FROM outgoing WHERE bundle = 2)",
    ),
    (
        "printed-twice",
        "INSERT INTO pieces SELECT 2, 4, batch, position, 9, pages, sheets FROM pieces
          WHERE bundle = 2 AND sequence = 1;
         UPDATE bundles SET (pieces, letters, pages, sheets) =
            (SELECT 4, 4, SUM(pages), SUM(sheets) FROM pieces WHERE bundle = 2) WHERE id = 2",
    ),
    (
        "bundle-inconsistent",
        "INSERT INTO pieces SELECT 2, 4, batch, position, 9, pages, sheets FROM pieces
          WHERE bundle = 1 AND sequence = 1;
         UPDATE bundles SET (pieces, letters, pages, sheets) =
            (SELECT 4, 4, SUM(pages), SUM(sheets) FROM pieces WHERE bundle = 2) WHERE id = 2",
    ),
    (
        "mailbox-and-bundle",
        "UPDATE messages SET delivered_at = 1 WHERE batch = 2 AND position = 1",
    ),
    (
        "delivered-twice",
        "INSERT INTO message_events (batch, position, change, what, at)
         SELECT batch, position, change + 50, what, at FROM message_events
          WHERE what = 'delivered' AND batch = 1",
    ),
    (
        "bundle-miscounted",
        "UPDATE bundles SET sheets = sheets + 1 WHERE id = 1",
    ),
    (
        "bundle-miscounted",
        "UPDATE pieces SET sequence = 9 WHERE bundle = 2 AND sequence = 3;
         UPDATE bundles SET pieces = 9 WHERE id = 2",
    ),
    (
        "hand-over-stuck",
        "UPDATE outgoing SET due_at = NULL WHERE bundle = 2",
    ),
    (
        "hand-over-inconsistent",
        "UPDATE outgoing SET due_at = 1 WHERE bundle = 1",
    ),
    (
        "report-inconsistent",
        "UPDATE delivery_reports SET told = newest + 1 WHERE batch = 1",
    ),
    (
        "lease-of-the-dead",
        "UPDATE batches SET lease_until = 1 WHERE id = 1",
    ),
    ("schema-differs", "DROP INDEX pieces_of_message"),
    ("audit-broken", "UPDATE audit_head SET rows = rows + 1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_breach_in_rows_is_told_and_nothing_else() {
    let original = Original::make().await;
    assert_eq!(original.told(""), [""; 0]);
    let mut wrong = Vec::new();
    for (code, sql) in BROKEN_ROWS {
        let told = original.told(sql);
        if told != [*code] {
            wrong.push(format!("{code}: {told:?} of {sql}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_more_than_one_rule_is_told_by_each() {
    let original = Original::make().await;
    // Its letter is in no bundle; and the bundle counts one more than it has.
    let told = original.told("DELETE FROM pieces WHERE bundle = 2 AND sequence = 3");
    assert_eq!(told, ["letter-in-no-bundle", "bundle-miscounted"]);
    let told = original.told("DELETE FROM messages WHERE batch = 1 AND position = 12");
    assert!(told.contains(&"orphan-row"), "{told:?}");
    let told = original.told("DELETE FROM messages WHERE batch = 1 AND position = 2");
    assert_eq!(told, ["messages-missing"]);
    // The same letters once more in a bundle that has gone.
    let told = original.told(
        "INSERT INTO bundles SELECT 3, batch, print_house, state, planned_at, composed_at,
                handed_over_at, postage, registered, colour, duplex, envelope, foreign_post, pieces,
                pages, sheets, letters, postage_code FROM bundles WHERE id = 1;
         INSERT INTO pieces SELECT 3, sequence, batch, position, first_page, pages, sheets
           FROM pieces WHERE bundle = 1",
    );
    assert_eq!(told, ["printed-twice", "bundle-inconsistent"]);
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_held_to_their_rows() {
    let original = Original::make().await;
    let copy = original.copy();
    fs::remove_file(copy.spooled("batches", ".zip")).unwrap();
    assert_eq!(copy.codes(), ["file-missing"]);

    let copy = original.copy();
    let bundle = copy.spooled("outgoing", "P-0002.pdf");
    let mut file = fs::OpenOptions::new().write(true).open(&bundle).unwrap();
    file.seek(SeekFrom::Start(100)).unwrap();
    file.write_all(b"damaged").unwrap();
    assert_eq!(copy.codes(), ["file-damaged"]);
    let shallow = copy.verify_with(|options| options.deep = false);
    assert!(shallow.is_sound(), "its size is right");
    file.set_len(200).unwrap();
    let shallow = copy.verify_with(|options| options.deep = false);
    assert_eq!(shallow.problems[0].about, "outgoing/P-0002.pdf");
    assert!(shallow.problems[0].how.starts_with("it has 200 bytes"));

    let copy = original.copy();
    fs::write(copy.path("spool/outgoing/stray.pdf"), b"half a file").unwrap();
    assert_eq!(copy.codes(), ["file-unnamed"]);
    assert!(copy.verify().is_sound(), "the next start removes it");
    let beside = copy.verify_with(|options| {
        options.is_worked_on = true;
        let written = fs::metadata(copy.path("spool/outgoing/stray.pdf")).unwrap();
        options.now = written.modified().unwrap().try_into().unwrap();
    });
    assert_eq!(beside.found.len(), 0, "it may be on its way");
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_named_batches_only_theirs_is_told() {
    let original = Original::make().await;
    let copy = original.copy();
    copy.sql("UPDATE batches SET state = 'opened' WHERE id = 1");
    let of = |batch| copy.verify_with(|options| options.batches = vec![BatchId(batch)]);
    assert!(!of(1).is_sound());
    let second = of(2);
    assert!(second.is_sound());
    assert_eq!((second.batches, second.messages, second.bundles), (1, 3, 1));
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_thousand_problems_of_a_kind_some_are_named_and_all_are_counted() {
    let original = Original::make().await;
    let copy = original.copy();
    copy.sql("UPDATE messages SET bundle = 1 WHERE batch = 1 AND state = 'delivered'");
    let found = copy.verify_with(|options| options.named = 1);
    let of = |breach| {
        found
            .problems
            .iter()
            .filter(|it| it.breach == breach)
            .count()
    };
    assert_eq!(of(Breach::MessageInconsistent), 1);
    assert!(found.found[&Breach::MessageInconsistent] > 2);
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_database_is_told_as_such() {
    let original = Original::make().await;
    let copy = original.copy();
    let db = Connection::open(copy.path("kuori.sqlite")).unwrap();
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'events'";
    let page: u64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
    drop(db);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .open(copy.path("kuori.sqlite"))
        .unwrap();
    file.seek(SeekFrom::Start((page - 1) * 4096)).unwrap();
    file.write_all(&[0xff; 64]).unwrap();
    assert_eq!(copy.codes(), ["database-damaged"]);
    original.hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mailboxes_are_asked_for_what_is_recorded_and_for_what_is_not() {
    let original = Original::make().await;
    let maildirs = |name: &str| -> Arc<dyn Mailbox> {
        let key = FolderKey::open(&original.hub.path().join("mailbox.key")).unwrap();
        Arc::new(Maildirs::new(original.hub.path().join(name), key).unwrap())
    };
    let mailboxes = Mailboxes {
        earnest: maildirs("mailboxes"),
        test: maildirs("test-mailboxes"),
    };
    let ask = async |copy: &Copy| {
        let store = Store::open(copy.folder.path()).unwrap();
        let (mut found, batches) = (Verified::nothing(9), [BatchId(1), BatchId(2)]);
        let asked = verify_mailboxes(&store, &mailboxes, &batches, &mut found, &|_| {}).await;
        asked.unwrap();
        found.found
    };
    let copy = original.copy();
    assert!(ask(&copy).await.is_empty());

    let forgotten = "UPDATE messages SET delivered_at = NULL WHERE batch = 1";
    copy.sql(forgotten);
    let delivered = original.hub.mailbox_messages().len() as u64;
    let told = ask(&copy).await;
    assert_eq!(told, [(Breach::MailboxUnrecorded, delivered)].into());
    // While a delivery is under way, rows follow.
    copy.sql("UPDATE batches SET delivery_begun_at = 1 WHERE id = 1");
    assert!(ask(&copy).await.is_empty());

    fs::remove_file(&original.hub.mailbox_messages()[0]).unwrap();
    let told = ask(&original.copy()).await;
    assert_eq!(told, [(Breach::MailboxLacksIt, 1)].into());
    original.hub.run().await;
}

/// 2,000 batches of 500 messages that have gone, half of them by mailbox, half on paper.
const MILLION: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO batches (id, sender, file_name, bytes, sha256, spool, received_at, state, shape,
            payload_purged_at)
        SELECT i, 'example-city', 'a.zip', 1, i, 'batches/a.zip', 1, 'reported', 'csv', 1 FROM n;
    INSERT INTO bundles (id, batch, print_house, state, planned_at, handed_over_at, postage, registered,
            colour, duplex, envelope, foreign_post, pieces, letters, pages, sheets)
        SELECT id, id, 'example-print', 'handed-over', 1, 1, 'economy', 0, 0, 1, 'C5', 0,
               250, 250, 500, 250 FROM batches;
    INSERT INTO outgoing (batch, bundle, kind, place, state, handed_over_at)
        SELECT id, id, 'bundle', 'print-house:example-print', 'handed-over', 1 FROM batches;
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO messages (batch, position, state, recipient_kind, sender_letter_id, name, street,
            postal_code, city, document, first_page, page_count, service, wish, deny_only, deny_copy,
            attachments, fit_mailbox, fit_print, channel, delivered_at, bundle)
        SELECT b.id, i, iif(i % 2, 'handed-over', 'delivered'), 'absent', b.id || '-' || i,
               'Maija Mallikas', 'Mallikatu 1 A 5', '00100', 'HELSINKI', 'letters.pdf', i, 2, 'ordinary',
               'any', 0, 0, '', 1, 1, iif(i % 2, 'print', 'mailbox'), iif(i % 2, NULL, 1),
               iif(i % 2, b.id, NULL)
          FROM batches b CROSS JOIN n;
    INSERT INTO pieces SELECT bundle, (position + 1) / 2, batch, position, position, 2, 1
        FROM messages WHERE bundle IS NOT NULL;
    INSERT INTO letter_ids SELECT 'example-city', sender_letter_id, batch, position FROM messages;
    INSERT INTO message_events (batch, position, change, what, at, bundle)
        SELECT batch, position, 1, iif(bundle IS NULL, 'delivered', 'composed'), 1, bundle FROM messages;
    INSERT INTO message_events (batch, position, change, what, at, bundle)
        SELECT batch, position, 2, 'handed-over', 1, bundle FROM messages WHERE bundle IS NOT NULL;
";

#[test]
#[ignore = "makes a million rows; says how long it takes to verify them"]
fn a_million_messages_are_verified_in_some_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let db = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    db.pragma_update(None, "synchronous", "OFF").unwrap();
    db.execute_batch(MILLION).unwrap();
    let started = std::time::Instant::now();
    let found = store
        .verify(&Verification::at_rest(now()), &|_| {})
        .unwrap();
    let took = started.elapsed();
    assert_eq!(found.problems, []);
    assert_eq!((found.batches, found.messages), (2_000, 1_000_000));
    eprintln!("verified 1,000,000 messages in {took:.1?}");
}
