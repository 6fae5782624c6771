//! Messages that nobody has read or confirmed in time go on paper.

use jiff::Timestamp;

use super::{Error, House, SenderSettings, delivery_report::next_hour, statuses::question};
use crate::{
    domain::{Channel, MessageEvent, Reason, Route, ServiceKind},
    routing::{self, IncompleteAddress, Question},
    store::{BatchRow, DueTimers, FiredTimer, FiredTimers, MessageRow, TimerEnd},
};

/// Messages loaded at a time.
const PAGE: u32 = 1_000;
/// Messages of a batch that go on paper in one transaction; more of them follow with the next look.
const AT_ONCE: usize = 50_000;

/// How long a sender's messages may lie in a mailbox until they go on paper too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A verifiable message that is not confirmed goes registered.
    pub acknowledge_within_days: u32,
    /// An ordinary one that is not read goes as a letter; `None`: it never does.
    pub print_if_unread_days: Option<u32>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            acknowledge_within_days: 7,
            print_if_unread_days: None,
        }
    }
}

/// Ends the timers that are over, of each batch at its sender's hour and together: so what came due in
/// a day is composed once, and not a bundle a letter.
///
/// What a sender has left behind that the settings know no more cannot go on paper: an operator sees it
/// among the stuck ones.
pub fn fire_timers(house: &House, is_stopped: &dyn Fn() -> bool) -> Result<FiredTimers, Error> {
    let mut all = FiredTimers::default();
    for due in house.store.due_timers(house.clock.now())? {
        let (sender, now) = (house.senders.get(&due.sender), house.clock.now());
        if is_stopped() || !is_time(house, sender, &due, now) {
            continue;
        }
        let fired = fire(house, sender, &due, now)?;
        tracing::info!(
            batch = %due.batch,
            printed = fired.printed,
            stuck = fired.stuck,
            "messages that nobody has read or confirmed in time go on paper"
        );
        all.printed += fired.printed;
        all.told += fired.told;
        all.stuck += fired.stuck;
    }
    Ok(all)
}

/// Whether it is the sender's hour; of one who is gone it is always.
fn is_time(
    house: &House,
    sender: Option<&SenderSettings>,
    due: &DueTimers,
    now: Timestamp,
) -> bool {
    sender.is_none_or(|sender| {
        let hour = sender.receipts.delivery_report_hour;
        next_hour(due.since, hour, &house.time_zone) <= now
    })
}

fn fire(
    house: &House,
    sender: Option<&SenderSettings>,
    due: &DueTimers,
    now: Timestamp,
) -> Result<FiredTimers, Error> {
    let row = house.store.batch(due.batch)?;
    let (mut after, mut fired) = (0, Vec::new());
    while fired.len() < AT_ONCE {
        let page = house.store.timed_out_messages(row.id, after, PAGE, now)?;
        let Some(last) = page.last() else { break };
        after = last.id.position;
        fired.extend(page.iter().map(|stored| FiredTimer {
            position: stored.id.position,
            what: what(stored),
            end: sender.map_or(TimerEnd::Stuck(Reason::NoPrintContract), |sender| {
                end(sender, &row, stored, now)
            }),
        }));
    }
    Ok(house.store.fire_timers(row.id, &fired, now)?)
}

/// On paper, if it can be printed as a message can that an operator wants printed. Never to the sender's
/// own address: the message lies in its recipient's mailbox, and its sender is told.
fn end(sender: &SenderSettings, row: &BatchRow, stored: &MessageRow, now: Timestamp) -> TimerEnd {
    let forced = Question {
        forced: Some(Channel::Print),
        ..question(row, stored)
    };
    let policy = routing::Policy {
        incomplete_address: IncompleteAddress::Refuse,
        ..sender.policy()
    };
    let decision = routing::decide(&forced, &policy, now);
    match (decision.route, decision.reason) {
        _ if row.payload_purged_at.is_some() => TimerEnd::Stuck(Reason::ContentUnusable),
        (Route::To(_), _) => TimerEnd::Print {
            registered: decision.registered,
        },
        (_, reason @ Reason::SenderWantsMailboxOnly) => TimerEnd::Tell(reason),
        (_, reason) => TimerEnd::Stuck(reason),
    }
}

fn what(stored: &MessageRow) -> MessageEvent {
    match stored.message.service {
        ServiceKind::Verifiable => MessageEvent::Unacknowledged,
        ServiceKind::Ordinary => MessageEvent::Unread,
    }
}
