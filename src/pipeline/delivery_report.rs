use jiff::{Timestamp, tz::TimeZone};

use super::{
    Error, House,
    findings::take_own,
    receipt::{self, Reports},
};
use crate::{
    domain::{BatchState, Finding, MessageEvent, MessageState},
    receipts::{DeliveryEvent, DeliveryHeader, DeliveryLine, Level, ReportHeader, ReportLine},
    store::{
        self, BatchRow, DeliveryReportRow, MessageEventRow, MessageHistory, NewOutgoing,
        OutgoingKind,
    },
};

/// Message lines written at a time.
const PAGE: u32 = 1_000;

/// Tells the sender what has happened to messages since the last delivery report, where it is time
/// to; else puts the report off to its time.
pub(super) fn run(house: &House, claimed: &DeliveryReportRow) -> Result<(), Error> {
    let store = &house.store;
    // Something may have been handed over since the claim.
    let (due, row, counts) = store.delivery_standing(claimed.batch)?;
    if due.lease != claimed.lease {
        return Err(store::Error::LeaseLost(row.id).into());
    }
    let sender = house.sender(&row.sender)?;
    let settings = &sender.receipts;
    let now = house.clock.now();
    let is_at_rest =
        matches!(row.state, BatchState::Reported | BatchState::Cancelled) && row.due_at.is_none();
    let is_final = is_at_rest && counts.is_settled();
    let hour = settings.delivery_report_hour;
    match time_to_tell(&due, row.state, is_final, hour, &house.time_zone) {
        Some(at) if at <= now => {}
        later => return Ok(store.put_off_delivery_report(&due, later, now)?),
    }
    let header = DeliveryHeader {
        batch: row.id,
        sender: row.sender.clone(),
        file_name: row.file_name.clone(),
        reported_at: now,
        language: sender.language,
        is_final,
        counts: receipt::counts(&counts),
    };
    let report = write(house, &row, &due, settings.level, &header)?;
    Ok(store.record_delivery_report(&due, report.as_ref(), is_final, now)?)
}

/// When what is untold is to be told: at once where it was the last that could happen, else when the
/// clocks of the site next show the sender's hour. `None` where nothing is to be told.
///
/// A batch that is refused as a whole has nothing to deliver: its processing report says all.
fn time_to_tell(
    due: &DeliveryReportRow,
    state: BatchState,
    is_final: bool,
    hour: i8,
    zone: &TimeZone,
) -> Option<Timestamp> {
    let since = due.untold_since.filter(|_| state != BatchState::Refused)?;
    if is_final && !due.is_final {
        return Some(since);
    }
    Some(next_hour(since, hour, zone))
}

/// The first time after `since` at which the clocks show `hour`. In the night in which they skip it
/// that is an hour later by them; in the one in which they show it twice, the first time.
pub(super) fn next_hour(since: Timestamp, hour: i8, zone: &TimeZone) -> Timestamp {
    let today = since.to_zoned(zone.clone()).date();
    let days = [Some(today), today.tomorrow().ok()];
    let hours = days.into_iter().flatten().filter_map(|day| {
        let at = zone.to_ambiguous_zoned(day.at(hour, 0, 0, 0));
        Some(at.compatible().ok()?.timestamp())
    });
    hours.into_iter().find(|&at| at > since).unwrap_or(since)
}

/// `None` where the sender's settings want none of it told.
fn write(
    house: &House,
    row: &BatchRow,
    due: &DeliveryReportRow,
    level: Level,
    header: &DeliveryHeader,
) -> Result<Option<NewOutgoing>, Error> {
    if level == Level::None {
        return Ok(None);
    }
    let mut reports = Reports::begin(house, row, ReportHeader::Delivery(header))?;
    if write_messages(house, due, level, &mut reports)? == 0 {
        return Ok(None);
    }
    let written = reports.finish()?;
    let (kind, revision) = (OutgoingKind::DeliveryReport, due.reports + 1);
    receipt::spooled(house, row, kind, revision, written).map(Some)
}

/// Returns how many messages were wanted.
fn write_messages(
    house: &House,
    due: &DeliveryReportRow,
    level: Level,
    reports: &mut Reports,
) -> Result<u64, Error> {
    let (mut after, mut wanted) = (0, 0);
    loop {
        let page = house.store.untold_messages(due, after, PAGE)?;
        let Some(last) = page.last() else {
            return Ok(wanted);
        };
        after = last.message.position;
        for line in lines(house, page)? {
            if level.wants_delivery(&line) {
                reports.line(ReportLine::Delivery(&line))?;
                wanted += 1;
            }
        }
    }
}

/// The findings of a message say why it has stopped; those of one that is well were told before.
fn lines(house: &House, page: Vec<MessageHistory>) -> Result<Vec<DeliveryLine>, Error> {
    let mut lines: Vec<_> = page.into_iter().map(line).collect();
    let mut troubled = lines.iter().filter(|line| line.has_trouble());
    let Some(first) = troubled.next().map(|line| line.message) else {
        return Ok(lines);
    };
    let last = troubled.next_back().map_or(first, |line| line.message);
    let found = (house.store).findings_between(first.batch, first.position, last.position)?;
    let mut found = found.into_iter().peekable();
    for line in &mut lines {
        let own: Vec<Finding> = take_own(&mut found, line.message.position);
        if line.has_trouble() {
            line.findings = own;
        }
    }
    Ok(lines)
}

/// What a mailbox tells is heard of later than it happened, and in any order.
fn line(mut history: MessageHistory) -> DeliveryLine {
    use MessageState::{Cancelled, Held, Refused};
    history.events.sort_by_key(|event| event.at);
    DeliveryLine {
        message: history.message,
        sender_letter_id: history.sender_letter_id,
        channel: history.channel,
        events: history.events.into_iter().map(event).collect(),
        is_stopped: matches!(history.state, Held | Refused | Cancelled),
        findings: Vec::new(),
    }
}

fn event(row: MessageEventRow) -> DeliveryEvent {
    let is_returned = row.what == MessageEvent::Returned;
    let (reason, why) = if is_returned {
        (row.reason, None)
    } else {
        (None, row.reason)
    };
    DeliveryEvent {
        what: row.what,
        at: row.at,
        bundle: row.bundle,
        piece: row.piece,
        reason,
        why,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, MessageId};

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    #[test]
    fn a_message_that_is_held_is_trouble_though_its_delivery_of_before_is_read_later() {
        let event = |what, time: &str| MessageEventRow {
            what,
            at: at(time),
            bundle: None,
            piece: None,
            reason: None,
        };
        let held = MessageHistory {
            message: MessageId {
                batch: BatchId(7),
                position: 3,
            },
            sender_letter_id: None,
            channel: None,
            state: MessageState::Held,
            events: vec![
                event(MessageEvent::Held, "2026-11-23T08:00:00Z"),
                event(MessageEvent::Read, "2026-11-23T09:00:00Z"),
            ],
        };
        assert!(line(held.clone()).has_trouble());
        let released = MessageHistory {
            state: MessageState::Delivered,
            ..held
        };
        assert!(!line(released).has_trouble());
    }

    fn next_six(since: &str) -> String {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        next_hour(at(since), 6, &zone).to_string()
    }

    #[test]
    fn the_hour_is_that_of_the_clocks_of_the_site() {
        assert_eq!(next_six("2026-11-23T21:00:00Z"), "2026-11-24T04:00:00Z");
        assert_eq!(next_six("2026-07-01T21:00:00Z"), "2026-07-02T03:00:00Z");
        assert_eq!(next_six("2026-11-24T03:59:59Z"), "2026-11-24T04:00:00Z");
        assert_eq!(next_six("2026-11-24T04:00:00Z"), "2026-11-25T04:00:00Z");
    }

    #[test]
    fn an_hour_that_the_clocks_skip_or_show_twice_comes_once() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let three = |since: &str| next_hour(at(since), 3, &zone).to_string();
        assert_eq!(three("2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
        assert_eq!(three("2026-10-24T12:00:00Z"), "2026-10-25T00:00:00Z");
        assert_eq!(three("2026-10-25T00:00:00Z"), "2026-10-26T01:00:00Z");
    }

    #[test]
    fn the_hour_comes_once_on_each_day_of_a_year_whatever_the_clocks_do() {
        for zone in ["Europe/Helsinki", "America/St_Johns", "UTC"] {
            let zone = TimeZone::get(zone).unwrap();
            for hour in 0..24 {
                let mut last = next_hour(at("2026-01-01T12:00:00Z"), hour, &zone);
                for _ in 0..365 {
                    let next = next_hour(last, hour, &zone);
                    let days = [last, next].map(|time| time.to_zoned(zone.clone()).date());
                    assert_eq!(days[0].tomorrow().unwrap(), days[1], "{hour} {next}");
                    // So does any moment between the two.
                    let between = last + next.duration_since(last) / 3;
                    assert_eq!(next_hour(between, hour, &zone), next);
                    last = next;
                }
            }
        }
    }

    #[test]
    fn the_last_message_is_told_at_once_and_what_comes_after_it_in_the_morning() {
        let (since, zone) = (at("2026-11-23T21:00:00Z"), TimeZone::UTC);
        let due = |told_final| DeliveryReportRow {
            batch: BatchId(7),
            newest: 2,
            told: 1,
            untold_since: Some(since),
            reports: 1,
            is_final: told_final,
            lease: 1,
            attempts: 1,
            crashes: 0,
        };
        let time =
            |told_final, state, is_final| time_to_tell(&due(told_final), state, is_final, 6, &zone);
        let morning = Some(at("2026-11-24T06:00:00Z"));
        assert_eq!(time(false, BatchState::Reported, true), Some(since));
        assert_eq!(time(false, BatchState::Reported, false), morning);
        assert_eq!(time(true, BatchState::Reported, true), morning);
        assert_eq!(time(false, BatchState::Refused, false), None);
        let nothing = DeliveryReportRow {
            untold_since: None,
            ..due(false)
        };
        let time = time_to_tell(&nothing, BatchState::Reported, true, 6, &zone);
        assert_eq!(time, None);
    }
}
