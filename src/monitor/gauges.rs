//! Reads the gauges of `/metrics` from where everything is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::exposition::Exposition;
use crate::{
    domain::{BatchState, BundleState, MessageState},
    store::{Alert, HouseStatus, InState, NoticeQueue, PlaceQueue, Queue},
    telemetry::meters::{self, Family},
};

/// What the gauges are read from; the store did not answer where there is no status.
pub(super) struct Seen {
    pub(super) status: Option<HouseStatus>,
    pub(super) alerts: Vec<Alert>,
    pub(super) min_free_bytes: u64,
    pub(super) now: Timestamp,
}

/// All that `/metrics` answers.
pub(super) fn metrics(seen: &Seen) -> String {
    let mut told = Exposition::default();
    one(
        &mut told,
        &meters::STORE_UP,
        u64::from(seen.status.is_some()),
    );
    told.family(&meters::BUILD_INFO);
    told.number(&meters::BUILD_INFO, &[env!("CARGO_PKG_VERSION")], 1);
    if let Some(status) = &seen.status {
        house(&mut told, status, seen);
        states(&mut told, status, seen.now);
        places(&mut told, status, seen.now);
        inboxes(&mut told, status, seen.now);
        services(&mut told, status, seen.now);
    }
    for counter in meters::COUNTERS {
        told.counter(counter);
    }
    for histogram in meters::HISTOGRAMS {
        told.histogram(histogram);
    }
    told.into_text()
}

fn house(told: &mut Exposition, status: &HouseStatus, seen: &Seen) {
    if let Some(start) = &status.start {
        one(told, &meters::STARTED_AT, start.started_at.as_second());
    }
    one(told, &meters::CRASHES_IN_A_ROW, status.crashes_in_a_row);
    one(told, &meters::FREE_BYTES, status.free_bytes);
    one(told, &meters::FREE_BYTES_FLOOR, seen.min_free_bytes);
    one(told, &meters::DATABASE_BYTES, status.database_bytes);
    one(told, &meters::ARRIVALS, status.arrivals.count);
    told.family(&meters::DELIVERY_REPORTS);
    for it in &status.untold {
        told.number(
            &meters::DELIVERY_REPORTS,
            &[it.sender.as_str()],
            it.untold.count,
        );
    }
    notices(told, &status.notices, seen.now);
    let mut alerts: BTreeMap<&str, u64> = BTreeMap::new();
    for alert in &seen.alerts {
        *alerts.entry(&alert.code).or_default() += 1;
    }
    told.family(&meters::ALERTS);
    for (code, number) in alerts {
        told.number(&meters::ALERTS, &[code], number);
    }
}

fn notices(told: &mut Exposition, notices: &NoticeQueue, now: Timestamp) {
    one(told, &meters::NOTICES_WAITING, notices.waiting.count);
    told.family(&meters::OLDEST_NOTICE);
    age(told, &meters::OLDEST_NOTICE, &[], notices.waiting, now);
    let is_up = notices.server.failing_since.is_none();
    one(told, &meters::MAIL_SERVER_UP, u8::from(is_up));
}

fn one(told: &mut Exposition, family: &Family, number: impl std::fmt::Display) {
    told.family(family);
    told.number(family, &[], number);
}

fn states(told: &mut Exposition, status: &HouseStatus, now: Timestamp) {
    count_each(told, &meters::BATCHES, &status.batches, BatchState::as_str);
    let passing: Vec<_> = status
        .batches
        .iter()
        .filter(|it| !is_settled(it.state))
        .copied()
        .collect();
    age_each(
        told,
        &meters::OLDEST_BATCH,
        &passing,
        now,
        BatchState::as_str,
    );
    let messages = &status.messages;
    count_each(
        told,
        &meters::MESSAGES_UNDER_WAY,
        messages,
        MessageState::as_str,
    );
    age_each(
        told,
        &meters::OLDEST_MESSAGE,
        messages,
        now,
        MessageState::as_str,
    );
    count_each(told, &meters::BUNDLES, &status.bundles, BundleState::as_str);
}

fn is_settled(state: BatchState) -> bool {
    matches!(
        state,
        BatchState::Reported | BatchState::Refused | BatchState::Cancelled
    )
}

fn count_each<S: Copy>(
    told: &mut Exposition,
    family: &Family,
    states: &[InState<S>],
    word: fn(S) -> &'static str,
) {
    told.family(family);
    for it in states {
        told.number(family, &[word(it.state)], it.queue.count);
    }
}

fn age_each<S: Copy>(
    told: &mut Exposition,
    family: &Family,
    states: &[InState<S>],
    now: Timestamp,
    word: fn(S) -> &'static str,
) {
    told.family(family);
    for it in states {
        age(told, family, &[word(it.state)], it.queue, now);
    }
}

/// Seconds; nothing where nothing is there.
fn age(told: &mut Exposition, family: &Family, labels: &[&str], queue: Queue, now: Timestamp) {
    if let Some(since) = queue.since.filter(|_| queue.count > 0) {
        told.number(family, labels, now.duration_since(since).as_secs().max(0));
    }
}

fn places(told: &mut Exposition, status: &HouseStatus, now: Timestamp) {
    let standings = |queue: &PlaceQueue| {
        [
            ("due", queue.due),
            ("held", queue.held),
            ("held-back", queue.held_back),
            ("awaited", queue.awaited),
            ("overdue", queue.overdue),
        ]
    };
    let named: Vec<_> = status
        .places
        .iter()
        .map(|it| (it.place.to_string(), standings(it)))
        .collect();
    told.family(&meters::OUTGOING);
    for (place, (standing, queue)) in each(&named) {
        told.number(&meters::OUTGOING, &[place, standing], queue.count);
    }
    told.family(&meters::OLDEST_OUTGOING);
    for (place, (standing, queue)) in each(&named) {
        age(
            told,
            &meters::OLDEST_OUTGOING,
            &[place, standing],
            queue,
            now,
        );
    }
    let troubled = status.troubled_places.iter().map(|it| it.place.to_string());
    let mut up: BTreeMap<String, u8> = named.iter().map(|(place, _)| (place.clone(), 1)).collect();
    up.extend(troubled.map(|place| (place, 0)));
    told.family(&meters::PLACE_UP);
    for (place, is_up) in up {
        told.number(&meters::PLACE_UP, &[&place], is_up);
    }
}

type Standings = [(&'static str, Queue); 5];

fn each(named: &[(String, Standings)]) -> impl Iterator<Item = (&str, (&'static str, Queue))> {
    named
        .iter()
        .flat_map(|(place, standings)| standings.iter().map(move |it| (place.as_str(), *it)))
}

fn inboxes(told: &mut Exposition, status: &HouseStatus, now: Timestamp) {
    told.family(&meters::INBOX_UP);
    for look in &status.inboxes {
        told.number(
            &meters::INBOX_UP,
            &[&look.place],
            u8::from(look.error.is_none()),
        );
    }
    told.family(&meters::INBOX_FILES);
    for it in &status.inbox_files {
        told.number(
            &meters::INBOX_FILES,
            &[&it.inbox, it.wait.as_str()],
            it.files.count,
        );
    }
    told.family(&meters::OLDEST_INBOX_FILE);
    for it in &status.inbox_files {
        age(
            told,
            &meters::OLDEST_INBOX_FILE,
            &[&it.inbox, it.wait.as_str()],
            it.files,
            now,
        );
    }
}

fn services(told: &mut Exposition, status: &HouseStatus, now: Timestamp) {
    told.family(&meters::MAILBOX_QUEUE);
    for it in &status.services {
        let name = it.service.as_str();
        let standings = [
            ("waiting", it.waiting.saturating_sub(it.on_hold)),
            ("sending", it.sending),
            ("on-hold", it.on_hold),
        ];
        for (standing, messages) in standings {
            told.number(&meters::MAILBOX_QUEUE, &[name, standing], messages);
        }
    }
    told.family(&meters::OLDEST_QUEUED);
    for it in &status.services {
        let queue = Queue {
            count: it.waiting + it.sending,
            since: it.oldest_at,
        };
        age(
            told,
            &meters::OLDEST_QUEUED,
            &[it.service.as_str()],
            queue,
            now,
        );
    }
    told.family(&meters::SERVICE_UP);
    for it in &status.services {
        let is_up = it.state.failing_since.is_none();
        told.number(&meters::SERVICE_UP, &[it.service.as_str()], u8::from(is_up));
    }
}
