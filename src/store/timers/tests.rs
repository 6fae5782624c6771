use jiff::SignedDuration;

use super::*;
use crate::store::{
    PurgeRule, ServiceEventKind, Verification,
    service_events::tests::{House, at, event, service},
};

const DAY_SECS: i64 = 86_400;
/// When what was delivered at 5 is over.
const OVER: i64 = 7 * DAY_SECS + 5;

/// Verifiable messages, of which the last went by the door where the service chooses the way.
fn delivered(messages: u32) -> House {
    let house = House::new("verifiable", messages + 1);
    house.send(messages + 1, at(5));
    house
}

fn due(house: &House, secs: i64) -> u64 {
    let due = house.store.due_timers(at(secs)).unwrap();
    due.iter().map(|due| due.timers).sum()
}

fn fire(house: &House, end: TimerEnd, secs: i64) -> FiredTimers {
    let page = house
        .store
        .timed_out_messages(house.batch, 0, 100, at(secs));
    let timer = |row: &crate::store::MessageRow| FiredTimer {
        position: row.id.position,
        what: MessageEvent::Unacknowledged,
        end,
    };
    let fired: Vec<_> = page.unwrap().iter().map(timer).collect();
    (house.store)
        .fire_timers(house.batch, &fired, at(secs))
        .unwrap()
}

/// Looks each day, so that nobody is wary.
fn look_until(house: &House, secs: i64) {
    for day in 0..=secs / DAY_SECS {
        let now = at(day * DAY_SECS);
        house.store.note_look(Some(&service()), now).unwrap();
    }
    house.store.note_look(Some(&service()), at(secs)).unwrap();
}

const PRINT: TimerEnd = TimerEnd::Print { registered: true };

#[test]
fn a_verifiable_message_has_a_week_and_an_ordinary_one_what_its_sender_says() {
    let house = delivered(1);
    let timers = house.store.timers(&TimerFilter::default(), 10).unwrap();
    assert_eq!(timers.len(), 1);
    assert_eq!(timers[0].what, MessageEvent::Unacknowledged);
    assert_eq!(timers[0].due_at, at(OVER));
    assert_eq!(timers[0].service, Some(service()));

    let house = House::new("ordinary", 2);
    house.send(2, at(5));
    assert_eq!(house.store.timers(&TimerFilter::default(), 10).unwrap(), []);

    let rule = TimerRule {
        sender: "example-city".parse().unwrap(),
        acknowledge_within_days: 3,
        print_if_unread_days: Some(2),
    };
    for (kind, days) in [("verifiable", 3), ("ordinary", 2)] {
        let house = House::new(kind, 2);
        house
            .store
            .know_timers(std::slice::from_ref(&rule))
            .unwrap();
        house.send(2, at(5));
        let timers = house.store.timers(&TimerFilter::default(), 10).unwrap();
        assert_eq!(timers[0].due_at, at(days * DAY_SECS + 5), "{kind}");
    }
}

#[test]
fn neither_a_test_nor_what_goes_on_paper_anyway_has_a_timer() {
    for change in [
        "UPDATE batches SET is_test = 1",
        "UPDATE messages SET channel = 'mailbox-and-print'",
    ] {
        let house = House::new("verifiable", 2);
        house.sql(change);
        house.send(2, at(5));
        let timers = house.store.timers(&TimerFilter::default(), 10).unwrap();
        assert_eq!(timers, [], "{change}");
    }
}

#[test]
fn nothing_goes_on_paper_before_a_look_into_its_mailbox_after_its_time() {
    let house = delivered(2);
    look_until(&house, OVER - 1);
    assert_eq!(due(&house, OVER + 1), 0);
    let numbers = house.store.status(at(OVER + 1)).unwrap().timers;
    assert_eq!((numbers.waiting, numbers.unwatched.count), (2, 2));
    look_until(&house, OVER);
    assert_eq!(due(&house, OVER), 2);
}

#[test]
fn after_days_without_a_look_nothing_goes_on_paper_for_a_day() {
    let house = delivered(2);
    look_until(&house, DAY_SECS);
    // As after a clock that was set forward by ten years.
    let leapt = 3_650 * DAY_SECS;
    for hour in 0..24 {
        let now = leapt + hour * 3_600;
        house.store.note_look(Some(&service()), at(now)).unwrap();
        assert_eq!(due(&house, now), 0, "{hour}");
    }
    let later = leapt + DAY_SECS;
    house.store.note_look(Some(&service()), at(later)).unwrap();
    assert_eq!(due(&house, later), 2);
}

#[test]
fn a_clock_that_is_set_back_leaves_older_timers_alone_and_pulls_later_ones_back() {
    let house = House::new("verifiable", 3);
    let (right, wrong) = (at(100), at(100 + 3_650 * DAY_SECS));
    house.store.notice_time(at(5)).unwrap();
    let old = [crate::store::SentRow {
        position: 1,
        number: 1,
        was_sent_before: false,
    }];
    (house.store)
        .begin_sending(house.batch, &service(), 1)
        .unwrap();
    house.store.record_sent(house.batch, &old, at(5)).unwrap();
    house.store.notice_time(wrong).unwrap();
    let new = [crate::store::SentRow {
        position: 2,
        ..old[0]
    }];
    (house.store)
        .begin_sending(house.batch, &service(), 1)
        .unwrap();
    house.store.record_sent(house.batch, &new, wrong).unwrap();
    assert!(house.store.notice_time(right).unwrap().is_some());
    let timers = house.store.timers(&TimerFilter::default(), 10).unwrap();
    let due: Vec<_> = timers.iter().map(|timer| timer.due_at).collect();
    assert_eq!(due, [at(OVER), right + SignedDuration::from_hours(7 * 24)]);
}

#[test]
fn what_could_not_be_printed_by_a_clock_that_was_ahead_is_looked_at_again_by_the_right_one() {
    let house = delivered(1);
    let ahead = 3_650 * DAY_SECS;
    house.store.notice_time(at(ahead)).unwrap();
    look_until(&house, OVER);
    for now in [ahead, ahead + DAY_SECS] {
        house.store.note_look(Some(&service()), at(now)).unwrap();
    }
    let stuck = TimerEnd::Stuck(Reason::AddressIncomplete);
    assert_eq!(fire(&house, stuck, ahead + DAY_SECS).stuck, 1);
    let latest = ahead + DAY_SECS + 3_600;
    house.store.notice_time(at(latest)).unwrap();

    let right = OVER + 600;
    assert!(house.store.notice_time(at(right)).unwrap().is_some());
    let numbers = house.store.status(at(right)).unwrap().timers;
    assert_eq!(numbers.stuck.since, Some(at(right)));
    assert_eq!(numbers.next_due_at, Some(at(right + 11 * 3_600)));
    // It is set back once more, to a time at which nothing was over.
    let right = OVER - 12 * 3_600;
    house.store.notice_time(at(right)).unwrap();
    let numbers = house.store.status(at(right)).unwrap().timers;
    assert_eq!(numbers.next_due_at, Some(at(OVER)));
}

#[test]
fn timers_that_are_over_become_one_move_of_their_batch_and_happen_once() {
    let house = delivered(4);
    look_until(&house, OVER);
    let read = event(ServiceEventKind::Confirmed, 2, OVER - 10);
    let page = house
        .store
        .timed_out_messages(house.batch, 0, 100, at(OVER));
    let positions = page.unwrap().into_iter().map(|row| row.id.position);
    let fired = positions.map(|position| FiredTimer {
        position,
        what: MessageEvent::Unacknowledged,
        end: PRINT,
    });
    let fired: Vec<_> = fired.collect();
    assert_eq!(fired.len(), 4);
    // At the last moment.
    house.told(&[read], at(OVER));
    let store = &house.store;
    let came = store.fire_timers(house.batch, &fired, at(OVER)).unwrap();
    assert_eq!((came.printed, came.stuck), (3, 0));
    assert_eq!(house.row().state.as_str(), "delivered");
    assert_eq!(house.row().due_at, Some(at(OVER)));
    let again = store.fire_timers(house.batch, &fired, at(OVER)).unwrap();
    assert_eq!(again, FiredTimers::default());
    let history = house.history();
    let told = history
        .iter()
        .filter(|line| line.contains("unacknowledged"));
    assert_eq!(told.count(), 3, "{history:?}");
    let message = |position| {
        let batch = house.batch;
        store.message(MessageId { batch, position }).unwrap()
    };
    assert!(message(1).registered && !message(2).registered);
    assert_eq!(message(2).channel.unwrap().as_str(), "mailbox");
    assert_eq!(message(3).channel.unwrap().as_str(), "mailbox-and-print");
    // What is read afterwards is told all the same.
    house.told(&[event(ServiceEventKind::Read, 1, OVER + 9)], at(OVER + 9));
    assert!(
        house
            .history()
            .contains(&format!("1 read {}", (OVER + 9) * 1_000))
    );
}

#[test]
fn a_batch_in_the_hands_of_a_step_or_on_hold_is_for_a_later_look() {
    let house = delivered(1);
    look_until(&house, OVER);
    let lease = (OVER + 60) * 1_000;
    house.sql(&format!("UPDATE batches SET lease_until = {lease}"));
    assert_eq!(due(&house, OVER), 0);
    assert_eq!(fire(&house, PRINT, OVER), FiredTimers::default());
    house.sql("UPDATE batches SET lease_until = NULL, state = 'held'");
    assert_eq!(due(&house, OVER), 0);
    assert_eq!(fire(&house, PRINT, OVER), FiredTimers::default());
}

#[test]
fn what_cannot_go_on_paper_is_told_once_and_looked_at_again_each_day() {
    let house = delivered(1);
    look_until(&house, OVER);
    let stuck = TimerEnd::Stuck(Reason::AddressIncomplete);
    assert_eq!(fire(&house, stuck, OVER).stuck, 1);
    assert_eq!(house.row().state.as_str(), "reported");
    assert_eq!(due(&house, OVER + 1), 0);
    let next = OVER + DAY_SECS;
    house.store.note_look(Some(&service()), at(next)).unwrap();
    assert_eq!(due(&house, next), 1);
    assert_eq!(fire(&house, stuck, next).stuck, 0);
    let told = format!("1 unacknowledged {} address-incomplete", OVER * 1_000);
    let history = house.history();
    assert_eq!(history.iter().filter(|line| **line == told).count(), 1);
    assert_eq!(
        history.iter().filter(|line| line.contains("unack")).count(),
        1
    );
    let numbers = house.store.status(at(next)).unwrap().timers;
    assert_eq!(numbers.stuck.since, Some(at(OVER)));
    // The cause is mended.
    let later = next + DAY_SECS;
    house.store.note_look(Some(&service()), at(later)).unwrap();
    assert_eq!(fire(&house, PRINT, later).printed, 1);
    assert_eq!(house.store.status(at(later)).unwrap().timers.waiting, 0);
}

#[test]
fn a_batch_is_kept_while_a_message_of_it_may_have_to_be_printed() {
    let house = delivered(1);
    house.sql("UPDATE delivery_reports SET due_at = NULL");
    let rule = PurgeRule {
        batch: Some(house.batch),
        payload_before: Some(at(1_000 * DAY_SECS)),
        ..PurgeRule::default()
    };
    let kept = house.store.plan_purge(&rule, house.batch).unwrap();
    assert_eq!(
        kept.unwrap_err().to_string(),
        "messages of batch B-0001 go on paper if nobody reads or confirms them in time"
    );
    house.told(&[event(ServiceEventKind::Read, 1, 9)], at(9));
    house.sql("UPDATE delivery_reports SET due_at = NULL");
    let kept = house.store.plan_purge(&rule, house.batch).unwrap();
    assert!(kept.is_ok(), "{kept:?}");
}

#[test]
fn an_operator_ends_a_timer_and_the_audit_says_who() {
    let house = delivered(1);
    let message = MessageId {
        batch: house.batch,
        position: 1,
    };
    let action = NewEvent {
        at: at(6),
        actor: "maija".to_owned(),
        why: "the recipient called".to_owned(),
    };
    let stopped = house.store.stop_timer(message, &action).unwrap();
    assert_eq!(stopped.unwrap().due_at, at(OVER));
    assert_eq!(house.store.stop_timer(message, &action).unwrap(), None);
    let events = house.store.events(house.batch).unwrap();
    let told = events.iter().filter(|event| event.actor == "maija");
    assert_eq!(told.count(), 2);
}

#[test]
fn a_timer_of_what_was_read_or_lies_in_no_mailbox_alone_breaks_a_rule() {
    let broken = |change: &str| {
        let house = delivered(2);
        house.sql(change);
        let verified = (house.store)
            .verify(&Verification::at_rest(at(20)), &|_| {})
            .unwrap();
        let problems = verified.problems.iter();
        let of_timers = problems.filter(|problem| problem.how.contains("timer"));
        let told: Vec<_> = of_timers
            .map(|problem| format!("{}: {}", problem.about, problem.how))
            .collect();
        told
    };
    assert_eq!(broken(""), [""; 0]);
    assert_eq!(
        broken("UPDATE messages SET channel = 'mailbox-and-print' WHERE position = 1"),
        ["B-0001-1: it has a timer, and lies in no mailbox alone"]
    );
    assert_eq!(
        broken(
            "INSERT INTO message_events (batch, position, change, what, at)
             VALUES (1, 2, 99, 'read', 9)"
        ),
        ["B-0001-2: it has a timer, and was read or confirmed"]
    );
}

#[test]
fn what_is_delivered_again_into_a_maildir_is_read_there_and_not_at_the_service_that_had_it() {
    let house = delivered(1);
    let message = MessageId {
        batch: house.batch,
        position: 1,
    };
    let service_of_timer = || house.store.timer(message).unwrap().unwrap().service;
    assert_eq!(service_of_timer(), Some(service()));
    // As `kuori reprocess --deliver-again` does, of a sender that has left its service.
    house.sql(
        "DELETE FROM timers;
         UPDATE messages SET state = 'routed', again = 1, delivered_at = NULL WHERE position = 1",
    );
    let page = [(1, "a".to_owned())];
    house
        .store
        .record_deliveries_and_tell(house.batch, &page, at(9))
        .unwrap();
    assert_eq!(service_of_timer(), None);
}
