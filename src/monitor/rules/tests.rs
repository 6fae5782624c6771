use super::*;
use crate::domain::BatchState;
use crate::store::{
    Day, HeldBy, InboxFiles, InboxLook, NoticeQueue, OldestHandOver, Queue, QueueNumbers,
    SenderBatches, SenderMessages, SenderOnHold, SenderReports, ServiceState, Start, TimerNumbers,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Seven in the morning.
fn now() -> Timestamp {
    at("2026-03-01T07:00:00Z")
}

fn ago(mins: i64) -> Timestamp {
    now() - SignedDuration::from_mins(mins)
}

fn since(count: u64, mins: i64) -> Queue {
    Queue {
        count,
        since: Some(ago(mins)),
    }
}

/// A house with nothing to do.
fn calm() -> HouseStatus {
    HouseStatus {
        batches: Vec::new(),
        messages: Vec::new(),
        bundles: Vec::new(),
        places: Vec::new(),
        troubled_places: Vec::new(),
        inboxes: Vec::new(),
        inbox_files: Vec::new(),
        arrivals: Queue::default(),
        unfinished: Vec::new(),
        held: Vec::new(),
        held_in_all: 0,
        failing: Vec::new(),
        held_messages: Vec::new(),
        waiting_messages: Vec::new(),
        untold: Vec::new(),
        senders_on_hold: Vec::new(),
        timers: TimerNumbers::default(),
        feeds: Vec::new(),
        consent_feeds: Vec::new(),
        services: Vec::new(),
        notices: NoticeQueue::default(),
        day: Day::default(),
        last_deed: None,
        start: None,
        crashes_in_a_row: 0,
        database_bytes: 0,
        free_bytes: u64::MAX,
    }
}

/// Weight and code of each trouble, in order.
fn found(status: &HouseStatus) -> Vec<(&'static str, &'static str)> {
    let found = troubles(status, &AlertSettings::default(), now());
    found
        .iter()
        .map(|it| (it.weight.as_str(), it.code.as_str()))
        .collect()
}

fn check(change: impl FnOnce(&mut HouseStatus), expected: &[(&str, &str)]) {
    let mut status = calm();
    change(&mut status);
    assert_eq!(found(&status), expected);
}

#[test]
fn a_house_with_nothing_to_do_has_no_trouble() {
    check(|_| {}, &[]);
}

#[test]
fn each_time_limit_is_an_alert_at_it_and_not_a_minute_before() {
    let batches = |mins| {
        move |status: &mut HouseStatus| {
            status.unfinished.push(SenderBatches {
                sender: "example-city".parse().unwrap(),
                batches: since(3, mins),
                first: crate::domain::BatchId(7),
                state: BatchState::Opened,
            });
        }
    };
    check(batches(239), &[]);
    check(batches(240), &[("alert", "batch-late")]);
    let messages = |mins| SenderMessages {
        sender: "example-city".parse().unwrap(),
        is_on_purpose: false,
        messages: since(5, mins),
        batches: 2,
        first: crate::domain::BatchId(7),
    };
    check(
        |it| it.held_messages.push(messages(59)),
        &[("operator", "messages-held")],
    );
    check(
        |it| it.held_messages.push(messages(60)),
        &[("alert", "messages-held")],
    );
    let unknown = "mailbox-status-unknown";
    check(
        |it| it.waiting_messages.push(messages(1_439)),
        &[("passing", unknown)],
    );
    check(
        |it| it.waiting_messages.push(messages(1_440)),
        &[("alert", unknown)],
    );
    let untold = |mins, failing| SenderReports {
        sender: "example-city".parse().unwrap(),
        untold: since(1, mins),
        failing,
        first: crate::domain::BatchId(7),
        error: None,
    };
    check(|it| it.untold.push(untold(2_159, 0)), &[]);
    check(
        |it| it.untold.push(untold(2_159, 1)),
        &[("passing", "delivery-report-late")],
    );
    check(
        |it| it.untold.push(untold(2_160, 0)),
        &[("alert", "delivery-report-late")],
    );
}

fn place(name: &str, due: Queue, held: Queue, overdue: Queue) -> PlaceQueue {
    PlaceQueue {
        place: name.parse().unwrap(),
        due,
        held,
        held_back: Queue::default(),
        awaited: overdue,
        overdue,
        oldest: Some(OldestHandOver {
            batch: crate::domain::BatchId(7),
            what: "P-0031".to_owned(),
            attempts: 0,
            next_try: None,
            error: None,
        }),
    }
}

#[test]
fn what_goes_out_is_late_held_or_not_picked_up() {
    let none = Queue::default();
    let to = |name: &str, due, held, overdue| {
        let queue = place(name, due, held, overdue);
        move |status: &mut HouseStatus| status.places.push(queue)
    };
    check(to("print-house:a", since(2, 29), none, none), &[]);
    check(
        to("print-house:a", since(2, 30), none, none),
        &[("alert", "bundle-late")],
    );
    check(to("sender:a", since(2, 59), none, none), &[]);
    check(
        to("sender:a", since(2, 60), none, none),
        &[("alert", "receipt-late")],
    );
    check(
        to("print-house:a", none, since(1, 0), none),
        &[("alert", "bundle-held")],
    );
    check(
        to("sender:a", none, since(1, 0), none),
        &[("alert", "receipt-held")],
    );
    check(
        to("print-house:a", none, none, since(1, 0)),
        &[("alert", "not-picked-up")],
    );
}

#[test]
fn a_place_that_is_away_is_an_alert_after_its_time_and_one_that_waits_for_an_operator_at_once() {
    let trouble = |mins, next_try| PlaceTrouble {
        place: "print-house:a".parse().unwrap(),
        since: ago(mins),
        attempts: 3,
        next_try,
        error: "no route\n\nhint: ask".to_owned(),
    };
    check(
        |it| it.troubled_places.push(trouble(14, Some(now()))),
        &[("passing", "place-down")],
    );
    check(
        |it| it.troubled_places.push(trouble(15, Some(now()))),
        &[("alert", "place-down")],
    );
    check(
        |it| it.troubled_places.push(trouble(0, None)),
        &[("alert", "place-down")],
    );
}

fn held(batch: u64, sender: &str, held_by: HeldBy) -> BatchNote {
    BatchNote {
        batch: crate::domain::BatchId(batch),
        sender: sender.parse().unwrap(),
        state: BatchState::Held,
        received_at: ago(90),
        since: ago(90),
        why: "the step `open` failed: no room for 010190-999W".to_owned(),
        held_by,
        attempts: 0,
        next_try: None,
    }
}

#[test]
fn a_night_of_trouble_is_told_the_worst_first_and_with_what_to_type() {
    let mut status = calm();
    status.free_bytes = 5;
    status.held = vec![
        held(7, "city", HeldBy::Gate),
        held(8, "city", HeldBy::Gate),
        held(9, "town", HeldBy::Failure),
    ];
    status.held_in_all = 3;
    status.senders_on_hold.push(SenderOnHold {
        sender: "town".parse().unwrap(),
        since: ago(600),
        why: "tests".to_owned(),
    });
    status.inboxes.push(InboxLook {
        place: "city".to_owned(),
        sender: "city".parse().unwrap(),
        looked_at: now(),
        error: Some("cannot list `inbox`".to_owned()),
        since: ago(3),
        waiting: 0,
        files: Vec::new(),
    });
    let files = |wait, mins| InboxFiles {
        inbox: "city".to_owned(),
        wait,
        files: since(2, mins),
    };
    status.inbox_files = vec![files(FileWait::Marker, 61), files(FileWait::TooLarge, 90)];
    status.inbox_files.push(files(FileWait::Settles, 1));
    status.start = Some(Start {
        id: 3,
        started_at: ago(5),
        version: "0.1.0".to_owned(),
        pid: 1,
        stopped_at: None,
    });
    status.crashes_in_a_row = 1;
    let found = troubles(&status, &AlertSettings::default(), now());
    let told = found.iter().map(|it| {
        let to_do = it.to_do.as_deref().unwrap_or_default();
        format!(
            "{} {} {}: {}\n  {to_do}\n",
            it.weight.as_str(),
            it.code.as_str(),
            it.subject,
            it.text
        )
    });
    insta::assert_snapshot!(told.collect::<String>(), @r"
    alert disk-low house: the disk of the data folder has 5 bytes left, under 2147483648: nothing is taken
      make room, or put the data folder on a larger disk
    alert batch-held city: 2 batches are held, the oldest B-0007 is held: the step `open` failed: no room for [hidden]
      kuori batch list --state held --sender city
    alert batch-held town: B-0009 is held: the step `open` failed: no room for [hidden]
      kuori batch show B-0009, then kuori reprocess B-0009 --reason …
    alert inbox-file-waits city: 2 files are not taken: marker, too-large
      kuori inbox list
    passing crashes house: 1 start before this one did not end by itself
      look into the log for what ended them
    passing inbox-down city: cannot be looked into: cannot list `inbox`
      kuori inbox list
    passing sender-on-hold town: the sender is on hold: tests
      kuori sender release town --reason …
    ");
}

#[test]
fn what_operators_hold_on_purpose_pages_nobody_and_is_told_with_its_release() {
    let mut status = calm();
    status.held = vec![
        held(7, "city", HeldBy::Failure),
        held(5, "city", HeldBy::Operator),
        held(6, "town", HeldBy::Sender),
    ];
    status.held_in_all = 3;
    status.held_messages.push(SenderMessages {
        sender: "city".parse().unwrap(),
        is_on_purpose: true,
        messages: since(2, 6_000),
        batches: 1,
        first: crate::domain::BatchId(4),
    });
    let none = Queue::default();
    let mut queue = place("print-house:a", none, none, none);
    queue.held_back = since(1, 6_000);
    status.places.push(queue);
    let found = troubles(&status, &AlertSettings::default(), now());
    let told = found.iter().map(|it| {
        let to_do = it.to_do.as_deref().unwrap_or_default();
        format!(
            "{} {} {}: {to_do}",
            it.weight.as_str(),
            it.code.as_str(),
            it.subject
        )
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "alert batch-held city: kuori batch show B-0007, then kuori reprocess B-0007 --reason …",
            "passing bundle-held print-house:a: kuori outbox list --place print-house:a",
            "passing batch-held city: kuori batch release B-0005 --reason …",
            "passing batch-held town: kuori sender release town --reason …",
            "passing messages-held city: kuori message list B-0004 --state held",
        ]
    );
}

fn queue(waiting: u64, state: ServiceState) -> QueueNumbers {
    QueueNumbers {
        service: "city-letters".parse().unwrap(),
        is_in_settings: true,
        rate_per_sec: Some(1.0),
        waiting,
        sending: 0,
        on_hold: 0,
        batches: 1,
        oldest_at: Some(ago(10)),
        sent_last_hour: 0,
        failing: 0,
        batch_error: None,
        state,
    }
}

#[test]
fn a_mailbox_service_is_told_when_it_fails_is_unknown_or_has_a_queue_of_more_than_a_day() {
    let has = |it: QueueNumbers| move |status: &mut HouseStatus| status.services.push(it);
    let failing = |mins| ServiceState {
        failing_since: Some(ago(mins)),
        failures: 3,
        last_error: Some("the mailbox service answers 503".to_owned()),
        retry_at: Some(now()),
        ..ServiceState::default()
    };
    let down = "service-down";
    check(has(queue(1, failing(14))), &[("passing", down)]);
    check(has(queue(1, failing(15))), &[("alert", down)]);
    let shut = |mins| ServiceState {
        last_error: Some("the mailbox service does not let this house in: 403".to_owned()),
        ..failing(mins)
    };
    check(has(queue(0, shut(0))), &[("operator", down)]);
    check(has(queue(0, shut(15))), &[("alert", down)]);
    let works = ServiceState::default;
    check(has(queue(86_400, works())), &[]);
    check(
        has(queue(86_401, works())),
        &[("alert", "mailbox-queue-long")],
    );
    let lost = QueueNumbers {
        is_in_settings: false,
        rate_per_sec: None,
        ..queue(1, works())
    };
    check(has(lost), &[("alert", "service-unknown")]);
}

#[test]
fn a_mail_server_that_takes_no_notices_is_an_alert_after_as_long_as_a_place() {
    let failing = |mins| {
        move |status: &mut HouseStatus| {
            status.notices.waiting = since(7, mins);
            status.notices.server.failing_since = Some(ago(mins));
        }
    };
    check(|it| it.notices.waiting = since(7, 10_000), &[]);
    check(failing(14), &[("passing", "notices-fail")]);
    check(failing(15), &[("alert", "notices-fail")]);
}

#[test]
fn mailboxes_that_are_away_are_told_at_once_and_once_with_all_that_waits_for_them() {
    let away = |mins| {
        move |status: &mut HouseStatus| {
            status.timers.away = Some((ago(mins), "their disk".to_owned()));
            status.timers.unwatched = since(7, 10_000);
        }
    };
    check(away(14), &[("operator", "events-late")]);
    check(away(15), &[("alert", "events-late")]);
    let mut status = calm();
    away(14)(&mut status);
    let told = troubles(&status, &AlertSettings::default(), now());
    assert!(
        told[0].text.starts_with("7 messages are"),
        "{}",
        told[0].text
    );
    assert!(told[0].text.ends_with(": their disk"), "{}", told[0].text);
}
