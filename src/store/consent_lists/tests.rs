use super::*;
use crate::{
    domain::RecipientId,
    store::{ConsentChange, ConsentStatus},
};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// Artificial people whose codes have the right check characters.
fn person(nth: u32) -> RecipientId {
    let digits = 10_190_900 + nth;
    let check = crate::domain::PersonalIdentityCode::check_character(digits);
    let code = format!("010190-{}{check}", 900 + nth);
    RecipientId::Person(code.parse().unwrap())
}

fn granted(nth: u32, since: &str) -> ConsentChange {
    ConsentChange {
        recipient: person(nth),
        status: ConsentStatus::Granted,
        since: at(since),
    }
}

fn row(nth: u32) -> ConsentEntry {
    ConsentEntry {
        recipient: person(nth),
        said: Some((ConsentStatus::Granted, at("2026-01-01T00:00:00Z"))),
        is_inferred: false,
        source: None,
        matter: None,
        notice: None,
    }
}

/// Ten granted in January.
fn ten() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let page: Vec<_> = (0..10)
        .map(|nth| granted(nth, "2026-01-01T00:00:00Z"))
        .collect();
    store
        .record_consents(&page, "first", at("2026-01-01T00:00:00Z"))
        .unwrap();
    (folder, store)
}

fn wish() -> FullListWish {
    FullListWish {
        as_of: at("2026-02-01T00:00:00Z"),
        most_missing_percent: Some(20),
        dry_run: false,
    }
}

fn take_list(store: &Store, rows: &[ConsentEntry], wish: FullListWish) -> FullListTold {
    let list = store.begin_full_list().unwrap();
    for page in rows.chunks(3) {
        list.add(page).unwrap();
    }
    let action = NewEvent {
        at: at("2026-03-01T08:00:00Z"),
        actor: "maija".to_owned(),
        why: String::new(),
    };
    list.take(wish, "imported by maija", &action).unwrap()
}

fn rows(nths: impl IntoIterator<Item = u32>) -> Vec<ConsentEntry> {
    nths.into_iter().map(row).collect()
}

#[test]
fn who_is_not_in_the_list_has_withdrawn_as_of_its_time() {
    let (_folder, store) = ten();
    let told = take_list(&store, &rows(2..11), wish());
    let expected = FullListTold {
        granted: 10,
        missing: 2,
        changed: Some(1),
        brought_back: 0,
        unheeded: 0,
        fault: None,
    };
    assert_eq!(told, expected);
    assert_eq!(store.consent_counts().unwrap(), (9, 2));
    let said = store.consent(&person(0)).unwrap().said.unwrap();
    assert_eq!(said.status, ConsentStatus::Withdrawn);
    assert_eq!(said.since, at("2026-02-01T00:00:00Z"));
    assert_eq!(
        said.source.as_deref(),
        Some("not in the list imported by maija")
    );
}

#[test]
fn the_same_list_again_says_nothing_new() {
    let (_folder, store) = ten();
    take_list(&store, &rows(2..10), wish());
    let before = store.consent_history(&person(0)).unwrap();
    let again = take_list(&store, &rows(2..10), wish());
    assert_eq!((again.missing, again.changed), (0, Some(0)));
    assert_eq!(store.consent_history(&person(0)).unwrap(), before);
}

#[test]
fn a_fifth_may_be_missing_and_one_more_may_not() {
    let (_folder, store) = ten();
    let told = take_list(&store, &rows(3..10), wish());
    assert_eq!(told.fault, Some(ListFault::TooManyMissing));
    assert!(told.changed.is_none());
    assert_eq!(store.consent_counts().unwrap(), (10, 0));
    let any = FullListWish {
        most_missing_percent: None,
        ..wish()
    };
    assert_eq!(take_list(&store, &rows(3..10), any).missing, 3);
    assert_eq!(store.consent_counts().unwrap(), (7, 3));
}

#[test]
fn a_rehearsal_counts_and_records_nothing() {
    let (_folder, store) = ten();
    let rehearsal = FullListWish {
        dry_run: true,
        ..wish()
    };
    let told = take_list(&store, &rows(1..10), rehearsal);
    assert_eq!((told.missing, told.changed), (1, None));
    assert_eq!(store.consent_counts().unwrap(), (10, 0));
}

#[test]
fn what_the_house_was_told_after_the_list_was_made_stands() {
    let (_folder, store) = ten();
    let late = granted(0, "2026-02-15T00:00:00Z");
    store
        .record_consents(&[late], "by letter", at("2026-02-15T00:00:00Z"))
        .unwrap();
    let told = take_list(&store, &rows(1..10), wish());
    assert_eq!(told.missing, 0);
    let said = store.consent(&person(0)).unwrap().said.unwrap();
    assert_eq!(said.status, ConsentStatus::Granted);
}

#[test]
fn a_row_of_a_matter_alone_says_nothing_of_consent() {
    let (_folder, store) = ten();
    let mut list = rows(1..10);
    list.push(ConsentEntry {
        said: None,
        matter: Some(MatterWish {
            matter: "school".parse().unwrap(),
            print_only: true,
            address: None,
        }),
        ..row(0)
    });
    let told = take_list(&store, &list, wish());
    assert_eq!((told.missing, told.changed), (1, Some(1)));
    let consent = store.consent(&person(0)).unwrap();
    assert_eq!(consent.print_only_matters.len(), 1);
}

#[test]
fn of_two_rows_that_say_other_things_of_the_same_time_the_later_one_is_said() {
    let said = |status| ConsentEntry {
        said: Some((status, at("2026-01-01T00:00:00Z"))),
        ..row(10)
    };
    let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
    for order in [[granted, withdrawn], [withdrawn, granted]] {
        let (_folder, store) = ten();
        let mut list = rows(0..10);
        list.extend(order.map(said));
        for changed in [1, 0] {
            let told = take_list(&store, &list, wish());
            assert_eq!(told.changed, Some(changed));
        }
        let said = store.consent(&person(10)).unwrap().said.unwrap();
        assert_eq!(said.status, order[1]);
    }
}

#[test]
fn the_list_of_every_day_takes_no_withdrawal_of_the_same_time_back() {
    let (_folder, store) = ten();
    let withdrawn = ConsentChange {
        status: ConsentStatus::Withdrawn,
        ..granted(0, "2026-01-01T00:00:00Z")
    };
    store
        .record_consents(&[withdrawn], "set by maija", at("2026-01-02T00:00:00Z"))
        .unwrap();
    for day in ["2026-02-01", "2026-02-02"] {
        let told = take_list(&store, &rows(0..10), made(day));
        assert_eq!((told.changed, told.brought_back), (Some(0), 0));
        assert_eq!(status(&store, 0), ConsentStatus::Withdrawn);
        assert_eq!(store.consent_history(&person(0)).unwrap().len(), 2);
    }
}

fn made(day: &str) -> FullListWish {
    FullListWish {
        as_of: at(&format!("{day}T00:00:00Z")),
        ..wish()
    }
}

/// As routing reads it; the history says the same.
fn status(store: &Store, nth: u32) -> ConsentStatus {
    let recipient = person(nth);
    let said = store.consent(&recipient).unwrap().said.unwrap();
    let asked = store.mailbox_statuses(&[&recipient], at("2026-03-09T00:00:00Z"));
    let is_active = asked.unwrap()[0].status == crate::domain::MailboxStatus::Active;
    assert_eq!(is_active, said.status == ConsentStatus::Granted);
    said.status
}

#[test]
fn whom_a_list_left_out_a_later_one_brings_back_as_they_were() {
    let (_folder, store) = ten();
    for (left_out, back) in [("2026-02-01", "2026-02-02"), ("2026-02-03", "2026-02-03")] {
        assert_eq!(take_list(&store, &rows(1..10), made(left_out)).missing, 1);
        assert_eq!(status(&store, 0), ConsentStatus::Withdrawn);
        let told = take_list(&store, &rows(0..10), made(back));
        assert_eq!((told.changed, told.brought_back), (Some(1), 1));
        let said = store.consent(&person(0)).unwrap().said.unwrap();
        assert_eq!(said.status, ConsentStatus::Granted);
        assert_eq!(said.since, at("2026-01-01T00:00:00Z"));
        assert_eq!(said.source.as_deref(), Some("first"));
        let again = take_list(&store, &rows(0..10), made(back));
        assert_eq!((again.changed, again.brought_back), (Some(0), 0));
    }
    // Each word is there still, with when it ended.
    let words = store.consent_history(&person(0)).unwrap();
    let lifted: Vec<_> = words.iter().map(|word| word.lifted_at.is_some()).collect();
    assert_eq!(lifted, [false, true, true]);
}

#[test]
fn a_withdrawal_of_their_own_no_list_lifts() {
    for withdrawn_since in ["2026-01-20T00:00:00Z", "2026-02-01T00:00:00Z"] {
        for is_told_by_the_list in [false, true] {
            let (_folder, store) = ten();
            take_list(&store, &rows(1..10), made("2026-02-01"));
            let said = ConsentEntry {
                said: Some((ConsentStatus::Withdrawn, at(withdrawn_since))),
                ..row(0)
            };
            if is_told_by_the_list {
                let mut list = rows(1..10);
                list.push(said);
                take_list(&store, &list, made("2026-02-02"));
            } else {
                let (status, since) = said.said.unwrap();
                let change = ConsentChange {
                    recipient: said.recipient,
                    status,
                    since,
                };
                let now = at("2026-02-02T00:00:00Z");
                store.record_consents(&[change], "by phone", now).unwrap();
            }
            let told = take_list(&store, &rows(0..10), made("2026-02-03"));
            assert_eq!(told.brought_back, 0);
            assert_eq!(status(&store, 0), ConsentStatus::Withdrawn);
        }
    }
}

#[test]
fn a_withdrawal_that_is_heard_of_late_counts_for_whom_a_list_has_brought_back() {
    let (_folder, store) = ten();
    take_list(&store, &rows(1..10), made("2026-02-01"));
    take_list(&store, &rows(0..10), made("2026-02-20"));
    let withdrawn = ConsentChange {
        status: ConsentStatus::Withdrawn,
        ..granted(0, "2026-02-10T00:00:00Z")
    };
    let now = at("2026-02-21T00:00:00Z");
    store
        .record_consents(&[withdrawn], "by phone", now)
        .unwrap();
    assert_eq!(status(&store, 0), ConsentStatus::Withdrawn);
}

#[test]
fn a_list_that_was_made_before_the_newest_one_is_not_taken() {
    let (_folder, store) = ten();
    let newest = at("2026-02-20T00:00:00Z");
    take_list(&store, &rows(0..10), made("2026-02-20"));
    let older = Some(ListFault::Older { newest });
    for dry_run in [true, false] {
        let wish = FullListWish {
            dry_run,
            ..made("2026-02-19")
        };
        let told = take_list(&store, &rows(1..10), wish);
        assert_eq!((told.fault, told.changed), (older, None));
    }
    assert_eq!(store.consent_counts().unwrap(), (10, 0));
    assert_eq!(
        take_list(&store, &rows(1..10), made("2026-02-20")).fault,
        None
    );
}
