use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::service::ServiceLine;
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::Table,
        words::{Time, age},
    },
    domain::ServiceName,
    store::QueuedBatch,
};

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only what waits for one service, by its name in the settings
    #[arg(long, value_name = "NAME")]
    service: Option<ServiceName>,

    /// How many batches
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// `kuori queue list`: the mailbox services, and the batches that wait for them, oldest first.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct QueueList {
    services: Vec<ServiceLine>,
    batches: Vec<BatchLine>,
}

/// Messages of one batch that wait for one service.
#[derive(Serialize, JsonSchema)]
struct BatchLine {
    service: String,
    batch: String,
    sender: String,
    /// `waits`, `on-hold` with its batch or sender, `sending`, `failing`: the house cannot bring it, or
    /// `settling`: none waits any more, and its batch is about to go on.
    state: &'static str,
    waiting: u64,
    /// On their way at this moment.
    sending: u64,
    /// Of `waiting`: the service may have them, since no answer came.
    in_doubt: u64,
    since: Time,
    age_secs: i64,
    /// Since when the house cannot bring it, and why: it is tried again, after the others.
    failing_since: Option<Time>,
    last_error: Option<String>,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let now = invocation.now;
    let wanted = arguments.service.as_ref();
    let mut numbers = store.queues(now)?;
    if let Some(name) = wanted {
        super::known(&numbers, name)?;
    }
    numbers.retain(|it| wanted.is_none_or(|name| *name == it.service));
    let batches = store.queued_batches(wanted, None, arguments.limit)?;
    let list = QueueList {
        services: numbers.iter().map(|it| ServiceLine::of(it, now)).collect(),
        batches: batches.iter().map(|it| BatchLine::of(it, now)).collect(),
    };
    invocation.output.show(&list)?;
    if list.services.is_empty() && list.batches.is_empty() {
        invocation.output.note("nothing waits");
    }
    for hint in list.services.iter().filter_map(ServiceLine::hint) {
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

impl BatchLine {
    fn of(row: &QueuedBatch, now: Timestamp) -> Self {
        Self {
            service: row.service.to_string(),
            batch: row.batch.to_string(),
            sender: row.sender.to_string(),
            state: match (row.waiting, row.sending) {
                (0, 0) => "settling",
                (_, 0) if row.is_on_hold => "on-hold",
                (_, 0) if row.last_error.is_some() => "failing",
                (_, 0) => "waits",
                _ => "sending",
            },
            waiting: row.waiting,
            sending: row.sending,
            in_doubt: row.in_doubt,
            since: Time(row.queued_at),
            age_secs: now.duration_since(row.queued_at).as_secs(),
            failing_since: row.failing_since.map(Time),
            last_error: row.last_error.clone(),
        }
    }

    /// Why it is not brought.
    fn say_why(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((error, since)) = self.last_error.as_ref().zip(self.failing_since.as_ref()) else {
            return Ok(());
        };
        let error = error.lines().next().unwrap_or_default();
        writeln!(f, "{} cannot be brought since {since}: {error}", self.batch)
    }

    fn cells(&self) -> [String; 8] {
        [
            self.service.clone(),
            self.batch.clone(),
            self.sender.clone(),
            self.state.to_owned(),
            self.waiting.to_string(),
            self.sending.to_string(),
            self.in_doubt.to_string(),
            age(self.age_secs),
        ]
    }
}

impl fmt::Display for QueueList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for service in &self.services {
            writeln!(f, "{service}")?;
        }
        if self.batches.is_empty() {
            return Ok(());
        }
        if !self.services.is_empty() {
            writeln!(f)?;
        }
        let heading = [
            "SERVICE", "BATCH", "SENDER", "STATE", "WAITING", "SENDING", "IN DOUBT", "AGE",
        ];
        Table::new(heading, self.batches.iter().map(BatchLine::cells)).fmt(f)?;
        self.batches.iter().try_for_each(|batch| batch.say_why(f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{QueueNumbers, ServiceState};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn numbers() -> QueueNumbers {
        QueueNumbers {
            service: "city-letters".parse().unwrap(),
            is_in_settings: true,
            rate_per_sec: Some(1.0),
            waiting: 9_952,
            sending: 8,
            on_hold: 0,
            batches: 3,
            oldest_at: Some(at("2026-11-23T05:00:00Z")),
            sent_last_hour: 3_600,
            failing: 0,
            batch_error: None,
            state: ServiceState::default(),
        }
    }

    #[test]
    fn a_service_says_how_much_waits_how_long_that_takes_and_why_it_does_not_go() {
        let now = at("2026-11-23T06:00:00Z");
        let line = ServiceLine::of(&numbers(), now);
        assert_eq!(
            line.to_string(),
            "city-letters: 9960 messages of 3 batches wait, some 2 h 46 min at 1/s; 3600 sent in the \
             last hour"
        );
        assert_eq!(line.hint(), None);
        let failing = QueueNumbers {
            rate_per_sec: None,
            state: ServiceState {
                failing_since: Some(at("2026-11-23T05:50:00Z")),
                failures: 4,
                last_error: Some("the mailbox service answers 503\nat length".to_owned()),
                retry_at: Some(at("2026-11-23T06:01:00Z")),
                ..ServiceState::default()
            },
            ..numbers()
        };
        let line = ServiceLine::of(&failing, now);
        assert_eq!(
            line.to_string(),
            "city-letters: 9960 messages of 3 batches wait; 3600 sent in the last hour\n  fails since \
             2026-11-23T05:50:00Z: the mailbox service answers 503 (4 tries; the next at \
             2026-11-23T06:01:00Z)"
        );
        let hint = line.hint().unwrap();
        assert!(
            hint.starts_with("`kuori suomifi check city-letters --config FILE`"),
            "{hint}"
        );
    }

    #[test]
    fn a_batch_that_the_house_cannot_bring_says_why() {
        let now = at("2026-11-23T06:00:00Z");
        let why = "sender `example-city` is not in the settings".to_owned();
        let row = QueuedBatch {
            service: "city-letters".parse().unwrap(),
            batch: "B-0007".parse().unwrap(),
            sender: "example-city".parse().unwrap(),
            waiting: 3,
            sending: 0,
            in_doubt: 0,
            queued_at: at("2026-11-23T05:00:00Z"),
            is_on_hold: false,
            last_error: Some(why.clone()),
            failing_since: Some(at("2026-11-23T05:30:00Z")),
        };
        let failing = QueueNumbers {
            failing: 1,
            batch_error: Some(why),
            ..numbers()
        };
        let list = QueueList {
            services: vec![ServiceLine::of(&failing, now)],
            batches: vec![BatchLine::of(&row, now)],
        };
        let told = list.to_string();
        assert!(
            told.contains(
                "\n  1 batch cannot be brought: sender `example-city` is not in the settings\n"
            ),
            "{told}"
        );
        assert!(told.contains("failing"), "{told}");
        assert!(
            told.ends_with(
                "B-0007 cannot be brought since 2026-11-23T05:30:00Z: sender `example-city` is not in the \
                 settings\n"
            ),
            "{told}"
        );
    }

    #[test]
    fn what_waits_for_a_service_that_the_settings_have_lost_says_what_to_do() {
        let lost = QueueNumbers {
            is_in_settings: false,
            ..numbers()
        };
        let line = ServiceLine::of(&lost, at("2026-11-23T06:00:00Z"));
        assert!(line.to_string().contains("the settings do not have it"));
        assert!(line.hint().unwrap().contains("[suomifi.city-letters]"));
    }
}
