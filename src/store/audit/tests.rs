use std::path::Path;

use super::*;
use crate::{domain::SenderId, store::NewEvent};

fn because(second: i64) -> NewEvent {
    NewEvent {
        at: Timestamp::from_second(second).unwrap(),
        actor: "maija".to_owned(),
        why: "old \"letters\"\n€".to_owned(),
    }
}

fn city() -> SenderId {
    "example-city".parse().unwrap()
}

/// A store with three deeds behind the first row.
fn store(folder: &Path) -> Store {
    let store = Store::open(folder).unwrap();
    store.know_senders([&city()]).unwrap();
    store.hold_sender(&city(), &because(1)).unwrap();
    store.release_sender(&city(), &because(2)).unwrap();
    store.hold_sender(&city(), &because(3)).unwrap();
    store
}

/// Somebody with the database in hand, whom no trigger stops.
fn tamper(folder: &Path, sql: &str) {
    let db = Connection::open(folder.join("kuori.sqlite")).unwrap();
    let bare = "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_removed;";
    db.execute_batch(&format!("{bare}{sql}")).unwrap();
}

fn broken_by(sql: &str) -> Option<AuditBreak> {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    tamper(folder.path(), sql);
    store.check_audit().unwrap().broken
}

#[test]
fn every_deed_is_a_row_and_the_chain_holds() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let rows = store.audit(&AuditFilter::default(), None, 9).unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.id, row.what.as_str())).collect();
    let expected = [
        (4, "held"),
        (3, "released"),
        (2, "held"),
        (1, "the audit begins"),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows[0].about, "sender:example-city");
    let check = store.check_audit().unwrap();
    assert_eq!((check.sound, check.broken), (4, None));
    assert_eq!(check.head, store.audit_head().unwrap());
    // A deed that is not done leaves none.
    store.hold_sender(&city(), &because(4)).unwrap();
    assert_eq!(store.audit_head().unwrap(), check.head);
}

#[test]
fn a_hash_is_the_digest_of_a_form_that_others_can_write() {
    let row = AuditRow {
        id: 2,
        at: Timestamp::from_second(1).unwrap(),
        actor: "maija".to_owned(),
        what: "held".to_owned(),
        about: "sender:example-city".to_owned(),
        why: None,
        previous: NOTHING.to_owned(),
        hash: String::new(),
    };
    let form = format!(r#"[2,1000,"maija","held","sender:example-city",null,"{NOTHING}"]"#);
    assert_eq!(row.digest(), hex(Sha256::digest(form)));
}

#[test]
fn what_is_changed_or_removed_is_noticed() {
    let row = |id| format!("DELETE FROM audit WHERE id = {id};");
    assert_eq!(broken_by(&row(2)), Some(AuditBreak::Missing(2)));
    assert_eq!(broken_by(&row(1)), Some(AuditBreak::Missing(1)));
    let cut = AuditBreak::Cut { rows: 4, found: 3 };
    assert_eq!(broken_by(&row(4)), Some(cut));
    let all = AuditBreak::Cut { rows: 4, found: 0 };
    assert_eq!(broken_by("DELETE FROM audit;"), Some(all));
    for change in [
        "actor = 'other'",
        "at = 5",
        "why = NULL",
        "what = 'x'",
        "about = 'house'",
    ] {
        let sql = format!("UPDATE audit SET {change} WHERE id = 3;");
        assert_eq!(broken_by(&sql), Some(AuditBreak::Changed(3)), "{change}");
    }
    let renumbered = format!("{} UPDATE audit SET id = 2 WHERE id = 3;", row(2));
    assert_eq!(broken_by(&renumbered), Some(AuditBreak::Unchained(2)));
    let other_end = "UPDATE audit_head SET hash = 'x';";
    assert_eq!(broken_by(other_end), Some(AuditBreak::OtherEnd));
}

#[test]
fn who_kept_a_head_notices_an_end_that_is_gone_with_all_its_traces() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let kept = store.audit_head().unwrap().hash;
    let since = |kept: &str| store.check_audit_since(Some(kept)).unwrap().broken;
    assert_eq!(since(&kept), None);
    assert_eq!(since(&kept[..16]), None);
    tamper(
        folder.path(),
        "DELETE FROM audit WHERE id = 4;
         UPDATE audit_head SET rows = 3, hash = (SELECT hash FROM audit WHERE id = 3);",
    );
    assert_eq!(store.check_audit().unwrap().broken, None);
    assert_eq!(since(&kept), Some(AuditBreak::NoSuchHead(kept.clone())));
    // And so it stays, whatever is done afterwards.
    store.release_sender(&city(), &because(9)).unwrap();
    assert_eq!(since(&kept), Some(AuditBreak::NoSuchHead(kept.clone())));
}

#[test]
fn the_database_itself_refuses_to_change_or_remove_a_row() {
    let folder = tempfile::tempdir().unwrap();
    drop(store(folder.path()));
    let db = Connection::open(folder.path().join("kuori.sqlite")).unwrap();
    for sql in ["UPDATE audit SET why = 'x'", "DELETE FROM audit"] {
        let refused = db.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("never"), "{refused}");
    }
}

#[test]
fn rows_are_found_by_time_actor_and_what_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let second = |second| Some(Timestamp::from_second(second).unwrap());
    let ids = |filter: &AuditFilter, before, limit| {
        let rows = store.audit(filter, before, limit).unwrap();
        rows.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let maija = AuditFilter {
        actor: Some("maija".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&maija, None, 9), [4, 3, 2]);
    assert_eq!(ids(&maija, Some(4), 1), [3]);
    let between = AuditFilter {
        since: second(2),
        until: second(3),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&between, None, 9), [3]);
    let house = AuditFilter {
        about: Some("house".to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(ids(&house, None, 9), [1]);
}

#[test]
fn what_operators_did_before_there_was_an_audit_is_bound_by_its_first_row() {
    let folder = tempfile::tempdir().unwrap();
    drop(store(folder.path()));
    tamper(folder.path(), "DELETE FROM audit; DELETE FROM audit_head;");
    let store = Store::open(folder.path()).unwrap();
    store.write("begin the audit", begin).unwrap();
    let first = store.audit(&AuditFilter::default(), None, 9).unwrap();
    let why = first[0].why.as_deref().unwrap();
    assert!(
        why.starts_with("deeds before this: 3, up to event 3, SHA-256 "),
        "{why}"
    );
    assert_eq!(store.check_audit().unwrap().broken, None);
}
