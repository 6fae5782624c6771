//! What operators decide, and what the gate does, happens whole or not at all.

use std::collections::BTreeMap;

use kuori::{
    domain::{BatchId, HoldCause, SenderId},
    pipeline::HoldPolicy,
    sample::Spec,
    store::{Extent, MessageDeed, NewHold, Store},
};
use rusqlite::{Connection, types::Value};

use crate::hub::{Hub, because, now, sample_bytes};

const FIRST: BatchId = BatchId(1);
const TABLES: [&str; 13] = [
    "batches",
    "messages",
    "letter_ids",
    "bundles",
    "pieces",
    "outgoing",
    "holds",
    "senders",
    "events",
    "audit",
    "audit_head",
    "message_events",
    "delivery_reports",
];

/// Rows of every table.
type Dump = BTreeMap<&'static str, Vec<Vec<Value>>>;

fn database(hub: &Hub) -> Connection {
    Connection::open(hub.path().join("data/kuori.sqlite")).unwrap()
}

fn dump(hub: &Hub) -> Dump {
    let db = database(hub);
    let rows = |table: &str| -> Vec<Vec<Value>> {
        let mut query = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = query.column_count();
        let row = query.query_map([], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        });
        row.unwrap().map(Result::unwrap).collect()
    };
    TABLES.map(|table| (table, rows(table))).into()
}

/// Every change of one table fails, as on a disk that is full at just that moment.
fn refuse_changes(hub: &Hub, table: &str) {
    for change in ["INSERT", "UPDATE", "DELETE"] {
        let sql = format!(
            "CREATE TRIGGER refuse_{change} BEFORE {change} ON {table}
             BEGIN SELECT RAISE(ABORT, 'refused by a test'); END"
        );
        database(hub).execute_batch(&sql).unwrap();
    }
}

fn allow_changes(hub: &Hub) {
    for change in ["INSERT", "UPDATE", "DELETE"] {
        let sql = format!("DROP TRIGGER refuse_{change}");
        database(hub).execute_batch(&sql).unwrap();
    }
}

/// The tables that a deed changes.
fn changed_by(hub: &Hub, deed: impl Fn(&Store) -> bool) -> Vec<&'static str> {
    let db = database(hub);
    db.execute_batch("CREATE TABLE touched (name TEXT)")
        .unwrap();
    for table in TABLES {
        for change in ["INSERT", "UPDATE", "DELETE"] {
            let sql = format!(
                "CREATE TRIGGER note_{table}_{change} BEFORE {change} ON {table}
                 BEGIN INSERT INTO touched VALUES ('{table}'); END"
            );
            db.execute_batch(&sql).unwrap();
        }
    }
    assert!(deed(&hub.store));
    let is_touched = |table: &&str| {
        let sql = "SELECT EXISTS (SELECT 1 FROM touched WHERE name = ?)";
        db.query_row(sql, [table], |row| row.get(0)).unwrap()
    };
    TABLES.into_iter().filter(is_touched).collect()
}

/// Does a deed with changes of one table failing after the other: nothing of it is done. Then it is done.
/// Returns the tables that it changes.
async fn whole_or_not_at_all(
    prepare: impl AsyncFn() -> Hub,
    deed: impl Fn(&Store) -> bool,
) -> Vec<&'static str> {
    let first = prepare().await;
    let changed = changed_by(&first, &deed);
    first.run().await;
    let hub = prepare().await;
    let before = dump(&hub);
    for table in &changed {
        refuse_changes(&hub, table);
        assert!(!deed(&hub.store), "done without `{table}`");
        allow_changes(&hub);
        assert_eq!(dump(&hub), before, "half done without `{table}`");
    }
    assert!(deed(&hub.store));
    assert_ne!(dump(&hub), before);
    hub.run().await;
    changed
}

/// Those tables, and the audit, which has every deed of an operator.
fn by_an_operator(tables: &[&'static str]) -> Vec<&'static str> {
    [tables, &["audit", "audit_head"]].concat()
}

fn city() -> SenderId {
    "example-city".parse().unwrap()
}

fn batch() -> Vec<u8> {
    sample_bytes(&Spec {
        letters: 5,
        ..Spec::default()
    })
}

/// A batch that waits to be approved.
async fn held() -> Hub {
    let hub = Hub::with(|sender| sender.holds = HoldPolicy::default());
    hub.process("batch.zip", &batch()).await;
    hub
}

/// A batch that is due to be routed.
async fn opened() -> Hub {
    let hub = held().await;
    hub.store.approve(FIRST, &because("looked at")).unwrap();
    hub
}

/// A batch whose bundle waits for the print house.
async fn composed() -> Hub {
    let hub = Hub::new();
    hub.upload("batch.zip", &batch());
    hub.run_without_hand_over().await;
    hub
}

/// A sender on hold with a batch that waits for that.
async fn sender_held() -> Hub {
    let hub = Hub::new();
    hub.store.know_senders([&city()]).unwrap();
    hub.store.hold_sender(&city(), &because("a look")).unwrap();
    hub.process("batch.zip", &batch()).await;
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_holds_a_batch_whole_or_not_at_all() {
    let hold = |store: &Store| {
        let row = store.batch(FIRST).unwrap();
        let judge = |_: &_| {
            vec![NewHold {
                cause: HoldCause::ManyLetters,
                why: "many".to_owned(),
            }]
        };
        store.pass_gate(&row, judge, now()).is_ok()
    };
    let changed = whole_or_not_at_all(opened, hold).await;
    assert_eq!(changed, ["batches", "holds", "events"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_happens_whole_or_not_at_all() {
    let approve = |store: &Store| store.approve(FIRST, &because("looked at")).is_ok();
    let changed = whole_or_not_at_all(held, approve).await;
    assert_eq!(changed, by_an_operator(&["batches", "holds", "events"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_happens_whole_or_not_at_all() {
    let cancel = |store: &Store| store.cancel(FIRST, &because("a mistake")).is_ok();
    let changed = whole_or_not_at_all(composed, cancel).await;
    let expected = [
        "batches",
        "messages",
        "letter_ids",
        "bundles",
        "outgoing",
        "events",
    ];
    assert_eq!(changed, by_an_operator(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_is_held_and_released_whole_or_not_at_all() {
    let hold = |store: &Store| store.hold_sender(&city(), &because("a look")).is_ok();
    let changed = whole_or_not_at_all(held, hold).await;
    assert_eq!(changed, by_an_operator(&["senders", "events"]));
    let release = |store: &Store| store.release_sender(&city(), &because("mended")).is_ok();
    let changed = whole_or_not_at_all(sender_held, release).await;
    let expected = ["batches", "holds", "senders", "events"];
    assert_eq!(changed, by_an_operator(&expected));
}

/// A bundle that is held, and could go by now.
async fn bundle_held() -> Hub {
    let hub = composed().await;
    let folder = hub.print_house_folder().join("pickup/P-0001");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("P-0001.pdf"), "somebody else's").unwrap();
    hub.hand_over_all().await;
    std::fs::remove_file(folder.join("P-0001.pdf")).unwrap();
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_is_tried_again_whole_or_not_at_all() {
    let retry = |store: &Store| store.retry_waiting(None, &because("moved away")).is_ok();
    let changed = whole_or_not_at_all(bundle_held, retry).await;
    assert_eq!(changed, by_an_operator(&["outgoing", "events"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_put_on_hold_and_released_whole_or_not_at_all() {
    let hold = |store: &Store| store.hold_batch(FIRST, &because("a look")).is_ok();
    let changed = whole_or_not_at_all(composed, hold).await;
    let expected = ["batches", "outgoing", "holds", "events"];
    assert_eq!(changed, by_an_operator(&expected));
    let on_hold = async || {
        let hub = composed().await;
        hub.store.hold_batch(FIRST, &because("a look")).unwrap();
        hub
    };
    let release = |store: &Store| store.release_batch(FIRST, &because("mended")).is_ok();
    let changed = whole_or_not_at_all(on_hold, release).await;
    assert_eq!(changed, by_an_operator(&expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_held_released_and_cancelled_whole_or_not_at_all() {
    let two = ["B-0001-2", "B-0001-3"].map(|id| id.parse().unwrap());
    let deed =
        |deed| move |store: &Store| store.move_messages(deed, &two, &because("a look")).is_ok();
    let changed = whole_or_not_at_all(composed, deed(MessageDeed::Hold)).await;
    let held = [
        "batches",
        "messages",
        "bundles",
        "outgoing",
        "events",
        "message_events",
        "delivery_reports",
    ];
    assert_eq!(sorted(changed), sorted(by_an_operator(&held)));
    let changed = whole_or_not_at_all(composed, deed(MessageDeed::Cancel)).await;
    let cancelled = [&held[..], &["letter_ids"]].concat();
    assert_eq!(sorted(changed), sorted(by_an_operator(&cancelled)));
    let on_hold = async || {
        let hub = composed().await;
        deed(MessageDeed::Hold)(&hub.store);
        hub.run().await;
        hub
    };
    let changed = whole_or_not_at_all(on_hold, deed(MessageDeed::Release)).await;
    let released = ["batches", "messages", "events"];
    assert_eq!(sorted(changed), sorted(by_an_operator(&released)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_a_batch_is_cancelled_whole_or_not_at_all() {
    let partly_gone = async || {
        let spec = Spec {
            letters: 20,
            ..Spec::default()
        };
        let hub = Hub::new();
        hub.consent(&spec);
        hub.upload("batch.zip", &sample_bytes(&spec));
        hub.run_without_hand_over().await;
        hub
    };
    let cancel = |store: &Store| {
        let rest = store.cancel_of(FIRST, Extent::Rest, &because("a mistake"));
        rest.is_ok()
    };
    let changed = whole_or_not_at_all(partly_gone, cancel).await;
    let expected = [
        "batches",
        "messages",
        "letter_ids",
        "bundles",
        "outgoing",
        "events",
    ];
    assert_eq!(changed, by_an_operator(&expected));
}

fn sorted(mut tables: Vec<&'static str>) -> Vec<&'static str> {
    tables.sort_unstable();
    tables
}
