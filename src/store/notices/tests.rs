use tempfile::TempDir;

use super::*;
use crate::{
    domain::{EmailAddress, Language, RecipientId},
    store::NewEvent,
};

const CITY: &str = "example-city";

fn now() -> Timestamp {
    "2026-03-01T06:00:00Z".parse().unwrap()
}

fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

fn person() -> RecipientId {
    RecipientId::Person("010190-900P".parse().unwrap())
}

fn address() -> EmailAddress {
    "maija@example.fi".parse().unwrap()
}

struct Bench {
    store: Store,
    _folder: TempDir,
}

impl Bench {
    /// A batch of `letters` routed messages to one person, who wants to be told.
    fn new(letters: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let rows = format!(
            "INSERT INTO batches (id, sender, file_name, bytes, sha256, spool, received_at, state)
                VALUES (1, '{CITY}', 'a.zip', 1, 'c0ffee00', 'a', 0, 'routed');
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {letters})
             INSERT INTO messages (batch, position, state, recipient_kind, recipient_id, document,
                first_page, page_count, service, wish, deny_only, deny_copy, attachments,
                fit_mailbox, fit_print, channel)
             SELECT 1, i, 'routed', 'valid', '010190-900P', 'a.pdf', 1, 1, 'ordinary', 'any', 0, 0,
                '', 1, 1, 'mailbox' FROM n;"
        );
        // What writes from outside is not held to how a batch comes to be routed.
        let apart = rusqlite::Connection::open(folder.path().join("kuori.sqlite")).unwrap();
        apart.execute_batch(&rows).unwrap();
        let bench = Self {
            store,
            _folder: folder,
        };
        bench.tell_at(Some(&address()));
        bench
    }

    fn tell_at(&self, address: Option<&EmailAddress>) {
        let language = Some(Language::Swedish);
        let set = self
            .store
            .set_notice_address(&person(), address, language, now());
        set.unwrap();
    }

    fn deliver(&self, positions: impl IntoIterator<Item = u32>) {
        let page: Vec<_> = positions
            .into_iter()
            .map(|it| (it, "a".to_owned()))
            .collect();
        let delivered = self
            .store
            .record_deliveries_and_tell(BatchId(1), &page, now());
        delivered.unwrap();
    }

    fn begin(&self, at: Timestamp) -> Vec<DueNotice> {
        self.store.begin_notices(10, true, at).unwrap()
    }

    fn record(&self, notice: &DueNotice, outcome: &NoticeOutcome, at: Timestamp) {
        self.store.record_notice(notice.id, outcome, at).unwrap();
    }

    /// State, tries and time of the next one.
    fn row(&self) -> (String, u32, Option<Timestamp>) {
        let sql = "SELECT state, tries, due_at FROM notices";
        let row = self.store.read(|db| {
            db.query_row(sql, [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.maybe_time(2)?))
            })
            .doing("a test")
        });
        row.unwrap()
    }

    fn events(&self) -> Vec<(String, Option<String>)> {
        let sql = "SELECT what, reason FROM message_events ORDER BY change";
        let rows = self.store.read(|db| {
            let mut query = db.prepare(sql).doing("a test")?;
            let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.doing("a test")?
                .collect::<Result<_, _>>()
                .doing("a test")
        });
        rows.unwrap()
    }

    fn note(&self, what: MessageEvent) {
        self.note_because(what, None);
    }

    fn note_because(&self, what: MessageEvent, reason: Option<&str>) {
        let noted = self.store.write("a test", |tx| {
            message_events::note_because(tx, BatchId(1), [1], what, reason, now())
        });
        noted.unwrap();
    }
}

fn state(bench: &Bench) -> String {
    bench.row().0
}

#[test]
fn each_delivered_message_has_one_notice_and_only_where_its_recipient_wants_one() {
    let bench = Bench::new(3);
    bench.deliver([1, 2]);
    bench.deliver([1, 2]);
    bench.tell_at(None);
    bench.deliver([3]);
    let begun = bench.begin(now());
    assert_eq!(begun.len(), 0, "the address is gone");
    bench.tell_at(Some(&address()));
    assert_eq!(bench.begin(later(9_999)).len(), 0);
}

#[test]
fn a_delivery_that_nobody_is_told_of_makes_no_notice() {
    let bench = Bench::new(1);
    let page = [(1, "a".to_owned())];
    bench
        .store
        .record_deliveries(BatchId(1), &page, now())
        .unwrap();
    assert_eq!(bench.begin(now()).len(), 0);
}

#[test]
fn what_is_begun_is_in_hand_until_it_is_recorded() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let begun = bench.begin(now());
    let notice = &begun[0];
    assert_eq!(
        (notice.sender.as_str(), notice.sha256.as_str()),
        (CITY, "c0ffee00")
    );
    assert_eq!((notice.tries, notice.is_reminder), (1, false));
    assert_eq!(notice.to.address, address());
    assert_eq!(notice.to.language, Some(Language::Swedish));
    assert_eq!(bench.begin(later(1)).len(), 0);
    bench.record(notice, &NoticeOutcome::Sent { remind_at: None }, now());
    assert_eq!(bench.row(), ("sent".to_owned(), 1, None));
    assert_eq!(bench.begin(later(10_000)).len(), 0);
}

#[test]
fn after_a_crash_what_was_in_hand_goes_again_with_its_first_date() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    bench.begin(now());
    assert_eq!(bench.store.resume_notices(later(1)).unwrap(), 1);
    let again = bench.begin(later(2)).remove(0);
    assert_eq!((again.since, again.tries), (now(), 2));
    assert_eq!(bench.store.resume_notices(later(1)).unwrap(), 1);
}

#[test]
fn one_that_is_put_off_waits_and_keeps_since_when() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let put_off = |hours| NoticeOutcome::Later {
        why: "not now".to_owned(),
        at: later(hours),
    };
    bench.record(&bench.begin(now())[0], &put_off(1), now());
    assert_eq!(bench.begin(later(0)).len(), 0);
    let second = bench.begin(later(1)).remove(0);
    assert_eq!((second.tries, second.put_off_since), (2, Some(now())));
    bench.record(&second, &put_off(3), later(1));
    assert_eq!(bench.begin(later(3))[0].put_off_since, Some(now()));
}

#[test]
fn one_that_was_not_tried_counts_no_try() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    bench.record(&bench.begin(now())[0], &NoticeOutcome::PutBack, now());
    assert_eq!(bench.row(), ("due".to_owned(), 0, Some(now())));
}

#[test]
fn one_that_failed_is_told_to_the_sender_once() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let notice = bench.begin(now()).remove(0);
    let failed = NoticeOutcome::Failed {
        why: "no such address".to_owned(),
    };
    bench.record(&notice, &failed, now());
    bench.record(&notice, &failed, now());
    let told = [
        ("delivered".to_owned(), None),
        (
            "notice-failed".to_owned(),
            Some("no such address".to_owned()),
        ),
    ];
    assert_eq!(bench.events(), told);
    let queue = bench.store.read(|db| queue(db, later(1))).unwrap();
    assert_eq!((queue.waiting.count, queue.failed), (0, 1));
}

#[test]
fn who_has_not_read_is_reminded_once() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let sent = NoticeOutcome::Sent {
        remind_at: Some(later(72)),
    };
    bench.record(&bench.begin(now())[0], &sent, now());
    assert_eq!(bench.begin(later(71)).len(), 0);
    let reminder = bench.begin(later(72)).remove(0);
    assert_eq!((reminder.is_reminder, reminder.tries), (true, 1));
    assert_eq!(reminder.since, later(72));
    bench.record(&reminder, &sent, later(72));
    assert_eq!(bench.row(), ("reminded".to_owned(), 1, None));
}

#[test]
fn who_has_read_is_neither_told_nor_reminded() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let sent = NoticeOutcome::Sent {
        remind_at: Some(later(72)),
    };
    bench.record(&bench.begin(now())[0], &sent, now());
    bench.note(MessageEvent::Read);
    assert_eq!(bench.begin(later(72)).len(), 0);
    assert_eq!(bench.row(), ("sent".to_owned(), 1, None));

    let quick = Bench::new(1);
    quick.deliver([1]);
    quick.note(MessageEvent::Read);
    assert_eq!(quick.begin(now()).len(), 0);
    assert_eq!(state(&quick), "dropped");
}

#[test]
fn who_gets_it_on_paper_instead_is_not_reminded_and_who_does_not_is() {
    for what in [MessageEvent::Unread, MessageEvent::Unacknowledged] {
        for (reason, reminded) in [(None, 0), (Some("address-incomplete"), 1)] {
            let bench = Bench::new(1);
            bench.deliver([1]);
            let sent = NoticeOutcome::Sent {
                remind_at: Some(later(72)),
            };
            bench.record(&bench.begin(now())[0], &sent, now());
            bench.note_because(what, reason);
            assert_eq!(
                bench.begin(later(72)).len(),
                reminded,
                "{what:?}, {reason:?}"
            );
        }
    }
    // The cause is mended, and then it goes on paper.
    let bench = Bench::new(1);
    bench.deliver([1]);
    bench.note_because(MessageEvent::Unread, Some("no-print-contract"));
    bench.note(MessageEvent::Unread);
    assert_eq!(bench.begin(now()).len(), 0);
}

#[test]
fn reminders_that_the_settings_want_no_more_are_dropped() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let sent = NoticeOutcome::Sent {
        remind_at: Some(later(72)),
    };
    bench.record(&bench.begin(now())[0], &sent, now());
    let begun = bench.store.begin_notices(10, false, later(72)).unwrap();
    assert_eq!((begun.len(), state(&bench).as_str()), (0, "sent"));
    assert_eq!(bench.begin(later(9_999)).len(), 0);
}

#[test]
fn a_mail_that_came_back_is_news_once() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let notice = bench.begin(now()).remove(0);
    let back = || {
        bench
            .store
            .record_bounced_notice(notice.id, "5.1.1", later(1))
            .unwrap()
    };
    assert!(!back(), "it has not gone");
    bench.record(&notice, &NoticeOutcome::Sent { remind_at: None }, now());
    assert!(back());
    assert!(!back());
    assert_eq!(bench.events().len(), 2);
}

#[test]
fn the_mail_servers_trouble_is_remembered_until_it_takes_something() {
    let bench = Bench::new(2);
    bench.deliver([1, 2]);
    let server = || bench.store.notice_server().unwrap();
    assert_eq!(server(), NoticeServer::default());
    let trouble = |error, retry_at, at| {
        bench
            .store
            .note_notice_trouble(error, retry_at, at)
            .unwrap();
    };
    trouble("is away", Some(later(1)), now());
    trouble("is still away", Some(later(3)), later(1));
    let away = server();
    assert_eq!((away.failing_since, away.attempts), (Some(now()), 2));
    assert_eq!(away.error.as_deref(), Some("is still away"));
    bench.store.resume_notices(later(1)).unwrap();
    assert_eq!(server().retry_at, None, "a start asks at once");
    let sent = NoticeOutcome::Sent { remind_at: None };
    bench.record(&bench.begin(later(1))[0], &sent, later(1));
    assert_eq!(server(), NoticeServer::default());
}

#[test]
fn a_message_that_is_erased_is_told_of_no_more() {
    let bench = Bench::new(1);
    bench.deliver([1]);
    let action = NewEvent {
        at: now(),
        actor: "maija".to_owned(),
        why: "a wish".to_owned(),
    };
    let message = MessageId {
        batch: BatchId(1),
        position: 1,
    };
    let erased = bench.store.erase(message, &action).unwrap();
    assert_eq!(erased.kept, None);
    assert_eq!(state(&bench), "dropped");
}

#[test]
fn a_notice_may_come_back_while_its_reminder_waits_and_after_its_message_was_erased() {
    let bench = Bench::new(2);
    bench.deliver([1, 2]);
    let remind_at = Some(later(1));
    for notice in bench.begin(now()) {
        bench.record(&notice, &NoticeOutcome::Sent { remind_at }, now());
    }
    let reminders = bench.begin(later(1));
    let put_off = NoticeOutcome::Later {
        why: "4.3.0".to_owned(),
        at: later(2),
    };
    for reminder in &reminders {
        bench.record(reminder, &put_off, later(1));
    }
    let back = |notice: &DueNotice| {
        let back = bench
            .store
            .record_bounced_notice(notice.id, "5.1.1", later(2));
        back.unwrap()
    };
    assert!(back(&reminders[0]));
    let left = bench.begin(later(3));
    assert_eq!(left.len(), 1, "who cannot be told is not reminded");
    let sent = NoticeOutcome::Sent { remind_at: None };
    bench.record(&left[0], &sent, later(3));
    let action = NewEvent {
        at: later(4),
        actor: "maija".to_owned(),
        why: "asked for".to_owned(),
    };
    bench.store.erase(left[0].id.message, &action).unwrap();
    assert!(!back(&left[0]));
}
