use jiff::SignedDuration;
use rusqlite::params;

use super::*;
use crate::{
    domain::{BatchState, Breach, BundleId, Channel, Code, Finding, MessageState, Place, Step},
    store::{
        Again, Blocked, CannotCancel, CannotMove, Extent, MessageDeed, MessageRow, NewEvent,
        PutBack, Reprocess, ReprocessPlan, Selection, SentRow, ServiceInSettings, Verification,
        Way,
    },
};

/// A house with batches whose messages are all routed to the mailbox.
struct House {
    _folder: tempfile::TempDir,
    store: Store,
}

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn at(secs: i64) -> Timestamp {
    START + SignedDuration::from_secs(secs)
}

fn service() -> ServiceName {
    "city-letters".parse().unwrap()
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        Self {
            _folder: folder,
            store,
        }
    }

    fn sql(&self, sql: &str) {
        let done = self
            .store
            .write("try", |tx| tx.execute_batch(sql).doing("try"));
        done.unwrap();
    }

    fn number(&self, sql: &str) -> i64 {
        let found = self
            .store
            .read(|db| db.query_row(sql, [], |row| row.get(0)).doing("try"));
        found.unwrap()
    }

    /// A batch that is reported, with so many messages for the mailbox.
    fn batch(&self, sender: &str, messages: u32) -> BatchRow {
        let batch = "INSERT INTO batches
                (sender, file_name, bytes, sha256, spool, received_at, state, shape)
             SELECT ?1, 'a.zip', 1, COUNT(*), 'batches/a.zip', 1, 'received', 'ipost'
               FROM batches RETURNING id";
        let letters = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
             INSERT INTO messages (batch, position, state, recipient_kind, document, first_page,
                page_count, service, wish, deny_only, deny_copy, attachments, fit_mailbox, fit_print)
             SELECT ?1, i, 'accepted', 'absent', 'a.pdf', i, 1, 'ordinary', 'any', 0, 0, '', 1, 1
               FROM n";
        let id: u64 = self
            .store
            .write("try", |tx| {
                tx.execute("INSERT OR IGNORE INTO senders (name) VALUES (?)", [sender])
                    .doing("try")?;
                let id: u64 = tx
                    .query_row(batch, [sender], |row| row.get(0))
                    .doing("try")?;
                tx.execute(letters, params![id, messages]).doing("try")?;
                Ok(id)
            })
            .unwrap();
        self.sql(&format!(
            "UPDATE messages SET state = 'routed', channel = 'mailbox' WHERE batch = {id}"
        ));
        for state in ["opened", "routed", "delivered", "composed", "reported"] {
            self.sql(&format!(
                "UPDATE batches SET state = '{state}' WHERE id = {id}"
            ));
        }
        self.store.batch(BatchId(id)).unwrap()
    }

    fn queued_batch(&self, sender: &str, messages: u32, now: Timestamp) -> BatchRow {
        let row = self.batch(sender, messages);
        let queued = (self.store).enqueue(&row, &service(), &page(row.id, messages), now);
        assert_eq!(queued.unwrap(), u64::from(messages));
        row
    }

    fn turn(&self) -> Option<u64> {
        let turn = self.store.queue_turn(&service(), &[]).unwrap();
        turn.map(|turn| turn.batch.0)
    }

    fn take(&self, batch: BatchId, limit: u32) -> Vec<u32> {
        let rows = self.store.begin_sending(batch, &service(), limit).unwrap();
        rows.into_iter().map(|row| row.id.position).collect()
    }

    fn state(&self, batch: BatchId, position: u32) -> &'static str {
        let id = MessageId { batch, position };
        self.store.message(id).unwrap().state.as_str()
    }

    /// Waiting and in hand, as the numbers by batches say.
    fn numbers(&self) -> (u64, u64) {
        let queues = self.store.queues(START).unwrap();
        let rows = self.number("SELECT COUNT(*) FROM mailbox_queue");
        let numbers = queues.first().map_or((0, 0), |q| (q.waiting, q.sending));
        assert_eq!(i64::try_from(numbers.0 + numbers.1).unwrap(), rows);
        numbers
    }
}

fn page(batch: BatchId, messages: u32) -> Vec<NewQueued> {
    let new = |position| NewQueued {
        position,
        door: Door::Electronic,
        external_id: format!("kuori.{batch}-{position}"),
    };
    (1..=messages).map(new).collect()
}

fn sent(position: u32) -> SentRow {
    SentRow {
        position,
        number: i64::from(position) + 1000,
        was_sent_before: false,
    }
}

fn finding(batch: BatchId, position: u32, code: Code) -> (MessageId, Finding) {
    let finding = Finding::new(code, Place::message(position), "the service's words");
    (MessageId { batch, position }, finding)
}

#[test]
fn queueing_a_page_again_adds_nothing() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    let again = (house.store).enqueue(&row, &service(), &page(row.id, 3), at(2));
    assert_eq!(again.unwrap(), 0);
    assert_eq!(house.numbers(), (3, 0));
    let first = house.store.queued(MessageId {
        batch: row.id,
        position: 1,
    });
    assert_eq!(first.unwrap().unwrap().queued_at, at(1));
    // Nothing of it is to be delivered or printed by a step.
    assert!(
        house
            .store
            .messages_for_mailbox(row.id, 0, 9)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_message_that_goes_nowhere_any_more_is_not_queued() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    house.sql("UPDATE messages SET state = 'cancelled' WHERE position = 2");
    let queued = (house.store).enqueue(&row, &service(), &page(row.id, 2), at(1));
    assert_eq!(queued.unwrap(), 1);
}

#[test]
fn what_is_in_hand_is_taken_by_nobody_else_and_keeps_its_place() {
    let house = House::new();
    let row = house.queued_batch("example-city", 5, at(1));
    assert_eq!(house.take(row.id, 2), [1, 2]);
    assert_eq!(house.take(row.id, 2), [3, 4]);
    assert_eq!(house.numbers(), (1, 4));
    let back = [(1, PutBack::NotSent), (3, PutBack::InDoubt)];
    house.store.put_back(row.id, &back).unwrap();
    assert_eq!(house.numbers(), (3, 2));
    let rows = house.store.begin_sending(row.id, &service(), 9).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.id.position, row.tries, row.is_in_doubt))
        .collect();
    assert_eq!(told, [(1, 2, false), (3, 2, true), (5, 1, false)]);
}

#[test]
fn who_waits_is_asked_about_in_the_order_of_sending_unless_somebody_has_just_asked() {
    let house = House::new();
    let row = house.queued_batch("example-city", 5, at(1));
    house.take(row.id, 1);
    house.sql(
        "UPDATE messages SET asked_status = 'active', asked_at = 50000 WHERE position IN (2, 3);
         UPDATE messages SET asked_at = 49999 WHERE position = 3",
    );
    let to_ask = |limit| {
        let believed = (at(50), at(70));
        let rows = (house.store).queued_to_ask(row.id, &service(), believed, limit);
        let rows = rows.unwrap().into_iter();
        rows.map(|row| row.id.position).collect::<Vec<_>>()
    };
    assert_eq!(to_ask(9), [3, 4, 5]);
    assert_eq!(to_ask(2), [3, 4]);
}

#[test]
fn what_fails_over_and_over_lets_the_others_of_its_batch_go_first() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    for _ in 0..8 {
        assert_eq!(house.take(row.id, 1), [1]);
        house
            .store
            .put_back(row.id, &[(1, PutBack::NotSent)])
            .unwrap();
    }
    assert_eq!(house.take(row.id, 1), [2]);
}

#[test]
fn what_is_sent_lies_in_its_mailbox_and_is_known_by_both_its_ids() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(5)).unwrap();
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    let stored = house.store.message(message).unwrap();
    assert_eq!(stored.state.as_str(), "delivered");
    assert_eq!(stored.delivered_at, Some(at(5)));
    assert_eq!(stored.mailbox_reference.as_deref(), Some("1001"));
    assert_eq!(house.numbers(), (1, 0));
    let by_number = house.store.message_by_service_number(&service(), 1001);
    let by_number = by_number.unwrap().unwrap();
    assert_eq!(
        (by_number.message, by_number.sent_at),
        (message, Some(at(5)))
    );
    let by_id = |id: &str| house.store.message_by_external_id(&service(), id).unwrap();
    assert_eq!(by_id(&format!("kuori.{}-1", row.id)), Some(by_number));
    // An answer may get lost: what waits still is known by its id too.
    let waits = by_id(&format!("kuori.{}-2", row.id)).unwrap();
    assert_eq!(waits.sent_at, None);
    assert_eq!(by_id("kuori.other"), None);
}

#[test]
fn a_message_without_a_mailbox_is_routed_anew_once_the_queue_is_empty() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 2);
    house.store.record_no_mailbox(row.id, &[1], at(10)).unwrap();
    assert_eq!(house.state(row.id, 1), "accepted");
    assert_eq!(house.store.settle_queues(at(11)).unwrap(), []);
    let in_ten_minutes = Some(at(10 + 600));
    assert_eq!(house.store.next_settling().unwrap(), in_ten_minutes);
    house.store.record_sent(row.id, &[sent(2)], at(12)).unwrap();
    assert_eq!(house.store.settle_queues(at(12)).unwrap(), [row.id]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(
        (batch.state, batch.due_at),
        (BatchState::Opened, Some(at(12)))
    );
    assert_eq!(house.store.settle_queues(at(9_999)).unwrap(), []);
    assert_eq!(house.store.next_settling().unwrap(), None);
    assert_eq!(house.number("SELECT COUNT(*) FROM queued_batches"), 0);
}

#[test]
fn a_service_that_says_twice_that_there_is_no_mailbox_is_not_sent_the_message_again() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    let fits = || house.store.message(message).unwrap().fitness.mailbox;
    for (time, fits_still) in [(10, true), (20, false)] {
        house
            .store
            .enqueue(&row, &service(), &page(row.id, 1), at(time))
            .unwrap();
        house.take(row.id, 1);
        house
            .store
            .record_no_mailbox(row.id, &[1], at(time + 1))
            .unwrap();
        assert_eq!(house.state(row.id, 1), "accepted");
        assert_eq!(fits(), fits_still, "at {time}");
        house.sql("UPDATE messages SET state = 'routed', channel = 'mailbox'");
    }
}

#[test]
fn a_message_without_a_mailbox_waits_ten_minutes_for_the_rest_of_its_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.record_no_mailbox(row.id, &[1], at(10)).unwrap();
    assert_eq!(house.store.settle_queues(at(10 + 599)).unwrap(), []);
    assert_eq!(house.store.settle_queues(at(10 + 600)).unwrap(), [row.id]);
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn a_batch_that_a_step_has_in_hand_is_settled_afterwards() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let large = finding(row.id, 1, Code::TooLargeForMailbox);
    house.store.record_too_large(&[large], at(2)).unwrap();
    assert_eq!(house.state(row.id, 1), "accepted");
    house.sql("UPDATE batches SET lease_until = 60000");
    assert_eq!(house.store.settle_queues(at(59)).unwrap(), []);
    assert_eq!(house.store.settle_queues(at(60)).unwrap(), [row.id]);
}

#[test]
fn the_paper_half_of_a_message_is_composed_once_it_is_delivered() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'mailbox-and-print'");
    (house.store)
        .enqueue(&row, &service(), &page(row.id, 1), at(1))
        .unwrap();
    assert!(
        house
            .store
            .messages_to_plan(row.id, 0, 9)
            .unwrap()
            .is_empty()
    );
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    assert_eq!(house.store.settle_queues(at(3)).unwrap(), [row.id]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(batch.state, BatchState::Delivered);
    assert_eq!(house.store.messages_to_plan(row.id, 0, 9).unwrap().len(), 1);
}

#[test]
fn what_the_service_prints_is_handed_over() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    let doors = [Door::Multichannel, Door::Paper];
    let page: Vec<_> = page(row.id, 2)
        .into_iter()
        .zip(doors)
        .map(|(new, door)| NewQueued { door, ..new })
        .collect();
    house.store.enqueue(&row, &service(), &page, at(1)).unwrap();
    house.take(row.id, 2);
    house
        .store
        .record_sent(row.id, &[sent(1), sent(2)], at(2))
        .unwrap();
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.state(row.id, 2), "handed-over");
    assert_eq!(house.numbers(), (0, 0));
    // It cannot be called back.
    let message = MessageId {
        batch: row.id,
        position: 2,
    };
    let printed = CannotMove::AtRest(message, MessageState::HandedOver);
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, message), [printed]);
    }
}

#[test]
fn what_the_service_refuses_is_held_with_its_words() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let refused = finding(row.id, 1, Code::MailboxServiceRefused);
    house
        .store
        .record_refused_by_service(&[refused], at(2))
        .unwrap();
    assert_eq!(house.state(row.id, 1), "held");
    let found = house.store.findings_between(row.id, 1, 1).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(house.numbers(), (0, 0));
}

#[test]
fn whoever_moves_a_message_takes_it_out_of_the_queue() {
    let house = House::new();
    house.queued_batch("example-city", 2, at(1));
    house.sql("UPDATE messages SET state = 'held' WHERE position = 1");
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn a_small_batch_does_not_wait_for_a_large_one_nor_a_large_one_for_small_ones() {
    let house = House::new();
    let large = house.queued_batch("example-city", 30, at(1));
    let small = house.queued_batch("example-city", 4, at(2));
    let (mut turns, mut done) = (Vec::new(), 0);
    while let Some(batch) = house.turn() {
        turns.push(batch);
        for position in house.take(BatchId(batch), 2) {
            house
                .store
                .record_sent(BatchId(batch), &[sent(position)], at(3))
                .unwrap();
            done += 1;
        }
    }
    assert_eq!(done, 34);
    let first: Vec<_> = turns.iter().take(5).copied().collect();
    let (large, small) = (large.id.0, small.id.0);
    assert_eq!(first, [large, small, large, small, large]);
}

#[test]
fn a_batch_that_fails_lets_all_others_go_first_and_has_its_turn_when_nothing_else_waits() {
    let house = House::new();
    let bad = house.queued_batch("example-city", 1, at(1)).id;
    let good = house.queued_batch("example-city", 9, at(2)).id;
    let turn = |last: &[BatchId]| {
        let turn = house.store.queue_turn(&service(), last).unwrap();
        turn.unwrap().batch
    };
    // It has waited longest, and has the fewest left: all turns were its own.
    assert_eq!([turn(&[]), turn(&[])], [bad, bad]);
    assert_eq!([turn(&[bad]), turn(&[bad])], [good, good]);
    house.take(good, 9);
    assert_eq!(turn(&[bad]), bad);
}

#[test]
fn what_was_left_in_hand_waits_again_in_doubt_and_that_of_other_services_stays() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    let other: ServiceName = "hospital-letters".parse().unwrap();
    house.store.release_in_hand(&other).unwrap();
    assert_eq!(house.numbers(), (1, 1));
    house.store.release_in_hand(&service()).unwrap();
    assert_eq!(house.numbers(), (2, 0));
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    assert!(house.store.queued(message).unwrap().unwrap().is_in_doubt);
}

#[test]
fn senders_take_turns_whatever_they_have_waiting() {
    let house = House::new();
    for _ in 0..3 {
        house.queued_batch("example-city", 2, at(1));
    }
    let others = house.queued_batch("example-town", 2, at(2));
    let turns: Vec<_> = (0..4).filter_map(|_| house.turn()).collect();
    let of_others = turns.iter().filter(|batch| **batch == others.id.0);
    assert_eq!(of_others.count(), 2, "{turns:?}");
}

#[test]
fn nothing_goes_of_what_is_on_hold() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    assert!(house.turn().is_some());
    house.sql("UPDATE batches SET state = 'held'");
    assert_eq!(house.turn(), None);
    assert!(house.take(row.id, 1).is_empty());
    house.sql("UPDATE batches SET state = 'opened'");
    assert!(house.turn().is_some());
    house.sql("UPDATE senders SET held_at = 1, held_by = 'somebody', held_why = 'a test'");
    assert_eq!(house.turn(), None);
    assert!(house.take(row.id, 1).is_empty());
    assert_eq!(house.store.queues(at(2)).unwrap()[0].on_hold, 1);
}

#[test]
fn what_a_program_that_is_gone_had_in_hand_waits_again_and_is_in_doubt() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.take(row.id, 1);
    house.store.release_leases().unwrap();
    assert_eq!(house.numbers(), (2, 0));
    let doubtful = |position| {
        let message = MessageId {
            batch: row.id,
            position,
        };
        house.store.queued(message).unwrap().unwrap().is_in_doubt
    };
    assert_eq!((doubtful(1), doubtful(2)), (true, false));
}

#[test]
fn what_waited_when_a_backup_was_made_may_have_been_sent_since() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.store.mark_restored(at(9), &action(10)).unwrap();
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let blocked = house.deed(MessageDeed::Cancel, first);
    assert_eq!(blocked, [CannotMove::MayBeSent(first)]);
}

#[test]
fn what_was_printed_before_a_restore_leaves_the_queue_with_its_acceptance() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.store.mark_restored(at(9), &action(10)).unwrap();
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let printed = [(first, BundleId(3))];
    house.store.note_printed(&printed, &action(11)).unwrap();
    house.store.accept_restore(&[], &action(12)).unwrap();
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.take(row.id, 9), [2]);
}

#[test]
fn uploads_are_kept_in_their_order() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let ids = vec!["b".to_owned(), "a".to_owned()];
    house
        .store
        .note_uploads(row.id, &[(1, ids.clone())], at(2))
        .unwrap();
    let message = MessageId {
        batch: row.id,
        position: 1,
    };
    let stored = house.store.queued(message).unwrap().unwrap();
    assert_eq!((stored.uploads, stored.uploaded_at), (ids, Some(at(2))));
}

#[test]
fn a_service_that_fails_is_put_off_and_told_with_its_error_until_it_works() {
    let house = House::new();
    let put_off = |secs| {
        let (now, retry_at) = (at(secs), at(secs + 60));
        house
            .store
            .put_service_off(&service(), "it is away", retry_at, now)
    };
    assert_eq!(put_off(10).unwrap(), 1);
    assert_eq!(put_off(70).unwrap(), 2);
    let state = house.store.service_state(&service()).unwrap();
    assert_eq!(
        (state.failing_since, state.retry_at),
        (Some(at(10)), Some(at(130)))
    );
    assert_eq!(state.last_error.as_deref(), Some("it is away"));
    assert_eq!(house.store.service_works(&service()).unwrap(), Some(at(10)));
    assert_eq!(house.store.service_works(&service()).unwrap(), None);
    assert_eq!(house.store.service_state(&service()).unwrap().failures, 0);
}

#[test]
fn the_end_of_a_queue_follows_from_its_rate_and_from_when_it_is_tried_again() {
    let house = House::new();
    house.queued_batch("example-city", 100, at(1));
    let known = ServiceInSettings {
        name: service(),
        rate_per_sec: 2.0,
    };
    house.store.know_services(&[known]).unwrap();
    let end = || house.store.queues(at(10)).unwrap()[0].expected_end(at(10));
    assert_eq!(end(), Some(at(10 + 50)));
    (house.store)
        .put_service_off(&service(), "it is away", at(60), at(10))
        .unwrap();
    assert_eq!(end(), Some(at(60 + 50)));
    // The settings lose it: nobody knows how long that lasts.
    house.store.know_services(&[]).unwrap();
    let queues = house.store.queues(at(10)).unwrap();
    assert!(!queues[0].is_in_settings);
    assert_eq!(end(), None);
}

#[test]
fn a_clock_that_is_set_back_makes_no_service_wait_for_it() {
    let house = House::new();
    house.store.notice_time(at(100_000)).unwrap();
    (house.store)
        .put_service_off(&service(), "it is away", at(100_060), at(100_000))
        .unwrap();
    house
        .store
        .set_next_turn_at(&service(), at(100_001))
        .unwrap();
    house.store.notice_time(at(1_000)).unwrap();
    let state = house.store.service_state(&service()).unwrap();
    assert_eq!(state.retry_at, Some(at(1_060)));
    assert_eq!(state.next_turn_at, Some(at(1_001)));
    assert_eq!(state.failing_since, Some(at(1_000)));
}

/// What SQLite does for a query, a line a step.
fn query_plan(store: &Store, sql: &str) -> Vec<String> {
    let explained = store.read(|db| {
        let mut query = db
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .doing("try")?;
        let rows = query.query_map([], |row| row.get("detail")).doing("try")?;
        rows.collect::<Result<Vec<String>, _>>().doing("try")
    });
    explained.unwrap()
}

#[test]
fn whose_turn_it_is_is_asked_of_batches_and_not_of_messages() {
    let house = House::new();
    let turn = crate::store::queue_turns::next_sql(&[BatchId(7)]).replace('?', "'city-letters'");
    let steps = query_plan(&house.store, &turn);
    assert!(
        !steps.iter().any(|step| step.contains("mailbox_queue")),
        "{steps:#?}"
    );
    assert!(
        !steps.iter().any(|step| step.starts_with("SCAN")),
        "{steps:#?}"
    );
}

#[test]
fn messages_are_taken_in_hand_in_the_order_of_an_index() {
    let house = House::new();
    let taken = "SELECT q.position FROM mailbox_queue q
         WHERE q.service = 'city-letters' AND q.batch = 7 AND q.is_sending = 0
         ORDER BY q.lap, q.position LIMIT 64";
    let steps = query_plan(&house.store, taken);
    assert!(steps[0].contains("mailbox_queue_in_order"), "{steps:#?}");
    assert!(
        !steps.iter().any(|step| step.contains("B-TREE")),
        "{steps:#?}"
    );
}

fn action(secs: i64) -> NewEvent {
    NewEvent {
        at: at(secs),
        actor: "somebody".to_owned(),
        why: "a test".to_owned(),
    }
}

impl House {
    fn deed(&self, deed: MessageDeed, message: MessageId) -> Vec<CannotMove> {
        let plan = self.store.move_messages(deed, &[message], &action(50));
        plan.unwrap().blocked
    }

    fn reprocess(&self, batch: BatchId, from: Step, again: Again) -> ReprocessPlan {
        let selection = Selection {
            batch,
            positions: vec![1],
            from: Some(from),
            again,
        };
        self.store.reprocess(&selection, &action(50)).unwrap()
    }

    /// Takes the first message in hand, and lets it wait again.
    fn leave_in_doubt(&self, batch: BatchId) {
        self.take(batch, 1);
        let back = [(1, PutBack::InDoubt)];
        self.store.put_back(batch, &back).unwrap();
    }
}

#[test]
fn a_queued_message_is_held_and_cancelled_as_any_other_one() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let [first, second] = [1, 2].map(|position| MessageId {
        batch: row.id,
        position,
    });
    assert_eq!(house.deed(MessageDeed::Hold, first), []);
    assert_eq!(house.deed(MessageDeed::Cancel, second), []);
    assert_eq!(house.numbers(), (0, 0));
    assert_eq!(house.deed(MessageDeed::Release, first), []);
    assert_eq!(house.state(row.id, 1), "accepted");
}

#[test]
fn what_is_being_sent_or_in_doubt_is_neither_held_nor_cancelled() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    house.take(row.id, 1);
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, first), [CannotMove::Sending(first)]);
    }
    let cancelled = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Sending { messages: 1 }]);
    (house.store)
        .put_back(row.id, &[(1, PutBack::InDoubt)])
        .unwrap();
    for deed in [MessageDeed::Hold, MessageDeed::Cancel] {
        assert_eq!(house.deed(deed, first), [CannotMove::MayBeSent(first)]);
    }
    let cancelled = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(cancelled.blocked, [CannotCancel::Sending { messages: 1 }]);
}

#[test]
fn a_batch_that_waits_is_cancelled_with_its_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    assert!(
        house
            .store
            .cancel(row.id, &action(9))
            .unwrap()
            .blocked
            .is_empty()
    );
    assert_eq!(house.numbers(), (0, 0));
    assert_eq!(house.state(row.id, 3), "cancelled");
}

#[test]
fn the_rest_of_a_batch_is_cancelled_while_what_was_sent_stays() {
    let house = House::new();
    let row = house.queued_batch("example-city", 3, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().messages, 2);
    assert_eq!(house.state(row.id, 1), "delivered");
    assert_eq!(house.state(row.id, 2), "cancelled");
    assert_eq!(house.numbers(), (0, 0));
}

/// Puts messages into the queue of a service that prints them.
fn queue_paper(house: &House, row: &BatchRow, messages: u32, ending: &str) {
    let paper = |new: NewQueued| NewQueued {
        door: Door::Paper,
        external_id: format!("{}{ending}", new.external_id),
        ..new
    };
    let page: Vec<_> = page(row.id, messages).into_iter().map(paper).collect();
    house.store.enqueue(row, &service(), &page, at(3)).unwrap();
}

#[test]
fn the_paper_half_that_waits_goes_with_the_rest_that_is_cancelled() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'mailbox-and-print'");
    (house.store)
        .enqueue(&row, &service(), &page(row.id, 1), at(1))
        .unwrap();
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    queue_paper(&house, &row, 1, ".post");
    assert_eq!(house.numbers(), (1, 0));
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().blocked, []);
    assert_eq!(house.state(row.id, 1), "delivered");
    // It would be printed all the same.
    assert_eq!(house.numbers(), (0, 0));
    assert!(house.take(row.id, 1).is_empty());
}

#[test]
fn a_batch_of_which_only_paper_waits_in_the_queue_can_be_put_on_hold() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql(
        "UPDATE messages SET state = 'delivered', delivered_at = 2, channel = 'mailbox-and-print'",
    );
    let gone = house.store.hold_batch(row.id, &action(8)).unwrap();
    assert!(gone.blocked.is_some(), "{gone:?}");
    queue_paper(&house, &row, 1, ".post");
    let held = house.store.hold_batch(row.id, &action(9)).unwrap();
    assert!(held.blocked.is_none(), "{held:?}");
    assert!(house.take(row.id, 1).is_empty());
}

#[test]
fn a_batch_of_which_a_service_has_printed_letters_is_not_cancelled_as_a_whole() {
    let house = House::new();
    let row = house.batch("example-city", 2);
    house.sql("UPDATE messages SET channel = 'print'");
    queue_paper(&house, &row, 2, "");
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(4)).unwrap();
    let plan = house.store.cancel(row.id, &action(9)).unwrap();
    assert_eq!(plan.blocked, [CannotCancel::Printed { messages: 1 }]);
    assert_eq!(house.numbers(), (1, 0));
    let plan = house.store.cancel_of(row.id, Extent::Rest, &action(9));
    assert_eq!(plan.unwrap().messages, 1);
    assert_eq!(house.state(row.id, 1), "handed-over");
    assert_eq!(house.state(row.id, 2), "cancelled");
}

#[test]
fn a_message_that_waits_is_routed_anew_out_of_the_queue() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    let plan = house.reprocess(row.id, Step::Route, Again::default());
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert_eq!(house.state(row.id, 1), "accepted");
    assert_eq!(house.numbers(), (1, 0));
}

#[test]
fn a_message_that_is_delivered_anew_is_queued_anew_and_the_others_keep_their_places() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.reprocess(row.id, Step::Deliver, Again::default());
    let to_queue = house.store.messages_for_mailbox(row.id, 0, 9).unwrap();
    let to_queue: Vec<_> = to_queue
        .iter()
        .map(|row| (row.id.position, row.again))
        .collect();
    // Under the same id as before: the operator did not say that it is to come twice.
    assert_eq!(to_queue, [(1, 0)]);
    let batch = house.store.batch(row.id).unwrap();
    assert_eq!(batch.state, BatchState::Routed);
}

#[test]
fn what_may_be_in_a_mailbox_goes_on_paper_only_by_name() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.leave_in_doubt(row.id);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let plan = house.reprocess(row.id, Step::Route, Again::default());
    assert_eq!(plan.blocked, [Blocked::MayBeDelivered(first)]);
    // To the service it goes under the same id, and keeps its place with its doubt.
    let plan = house.reprocess(row.id, Step::Deliver, Again::default());
    assert!(plan.blocked.is_empty());
    assert!(house.store.queued(first).unwrap().unwrap().is_in_doubt);
    let by_name = Again {
        print: true,
        deliver: false,
    };
    let plan = house.reprocess(row.id, Step::Route, by_name);
    assert!(plan.blocked.is_empty());
    assert_eq!(house.numbers(), (0, 0));
}

#[test]
fn paper_that_is_forced_in_doubt_is_another_post_than_what_the_service_may_have() {
    let house = House::new();
    let row = house.queued_batch("example-city", 2, at(1));
    house.leave_in_doubt(row.id);
    let may_be_printed = |_: &BatchRow, page: &[MessageRow], _: Channel| Ok(vec![None; page.len()]);
    let selection = Selection {
        batch: row.id,
        positions: vec![1, 2],
        from: None,
        again: Again {
            print: true,
            deliver: false,
        },
    };
    let wanted = Reprocess {
        way: Way::Forced(Channel::Print, &may_be_printed),
        ..Reprocess::from(&selection)
    };
    let done = (house.store).reprocess_all(&[(row.id, None)], &wanted, &action(50));
    assert!(done.unwrap().is_done);
    let again = |position| {
        let id = MessageId {
            batch: row.id,
            position,
        };
        house.store.message(id).unwrap().again
    };
    assert_eq!((again(1), again(2)), (1, 0));
}

#[test]
fn what_is_being_sent_is_not_set_back() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    let by_name = Again {
        print: true,
        deliver: true,
    };
    for from in [Step::Route, Step::Deliver] {
        let plan = house.reprocess(row.id, from, by_name);
        assert_eq!(plan.blocked, [Blocked::Sending(first)]);
    }
}

#[test]
fn a_repeat_that_is_wanted_has_another_number_of_repeats() {
    let house = House::new();
    let row = house.queued_batch("example-city", 1, at(1));
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let plan = house.reprocess(row.id, Step::Deliver, Again::default());
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    assert_eq!(plan.blocked, [Blocked::Delivered(first)]);
    let by_name = Again {
        print: false,
        deliver: true,
    };
    house.reprocess(row.id, Step::Deliver, by_name);
    assert_eq!(house.store.message(first).unwrap().again, 1);
    assert!(house.store.queued(first).unwrap().is_none());
}

#[test]
fn paper_of_a_service_that_is_to_come_again_is_a_repeat_too() {
    let house = House::new();
    let row = house.batch("example-city", 1);
    house.sql("UPDATE messages SET channel = 'print'");
    let page: Vec<_> = page(row.id, 1)
        .into_iter()
        .map(|new| NewQueued {
            door: Door::Paper,
            ..new
        })
        .collect();
    house.store.enqueue(&row, &service(), &page, at(1)).unwrap();
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    let by_name = Again {
        print: true,
        deliver: false,
    };
    let plan = house.reprocess(row.id, Step::Compose, by_name);
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    let first = MessageId {
        batch: row.id,
        position: 1,
    };
    assert_eq!(house.store.message(first).unwrap().again, 1);
}

#[test]
fn a_house_with_a_queue_keeps_to_the_rules_at_every_moment() {
    let house = House::new();
    let sound = |what: &str| {
        let rows = Verification::at_rest(at(20));
        let verified = house.store.verify(&rows, &|_| {}).unwrap();
        // The batches of these tests have no file.
        let of_rows = verified.problems.iter();
        let of_rows = of_rows.filter(|problem| problem.breach != Breach::FileMissing);
        let told: Vec<_> = of_rows.map(|problem| &problem.how).collect();
        assert!(told.is_empty(), "{what}: {told:#?}");
    };
    let known = ServiceInSettings {
        name: service(),
        rate_per_sec: 1.0,
    };
    house.store.know_services(&[known]).unwrap();
    let row = house.queued_batch("example-city", 3, at(1));
    sound("queued");
    house.take(row.id, 2);
    sound("in hand");
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    house.store.record_no_mailbox(row.id, &[2], at(2)).unwrap();
    sound("to be settled");
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(3)], at(3)).unwrap();
    house.store.settle_queues(at(3)).unwrap();
    sound("settled");
}

#[test]
fn a_queue_that_is_miscounted_or_of_no_service_of_the_settings_is_told() {
    let house = House::new();
    house.queued_batch("example-city", 2, at(1));
    house.sql("UPDATE queued_batches SET waiting = 7");
    let verified = house.store.verify(&Verification::at_rest(at(20)), &|_| {});
    let verified = verified.unwrap();
    assert_eq!(verified.found.get(&Breach::QueueMiscounted), Some(&1));
    assert_eq!(verified.found.get(&Breach::QueueForsaken), Some(&1));
}
