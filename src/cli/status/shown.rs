use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{
        alert::list::AlertLine,
        queue::service::ServiceLine,
        status::queues::{self, QueueLine},
        table::Table,
        words::{Time, age, bytes, counted},
    },
    monitor::{AlertSettings, Trouble, Weight},
    store::{Alert, Day, HouseStatus},
};

/// `kuori status`: where everything is, and what waits for what, the worst first.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct StatusShown {
    at: Time,
    /// Nothing waits for an operator.
    is_well: bool,
    daemon: DaemonLine,
    troubles: Vec<TroubleLine>,
    /// What the daemon has told operators of, and is not over.
    alerts: Vec<AlertLine>,
    queues: Vec<QueueLine>,
    /// Mailbox services with what waits for them.
    services: Vec<ServiceLine>,
    day: DayLine,
    free_bytes: u64,
    /// What the disk is to keep.
    min_free_bytes: u64,
    database_bytes: u64,
}

#[derive(Serialize, JsonSchema)]
struct DaemonLine {
    /// A process works in the data folder now.
    is_running: bool,
    /// Of the last that began.
    version: Option<String>,
    pid: Option<u32>,
    started_at: Option<Time>,
    /// When it last moved something on.
    last_deed_at: Option<Time>,
    /// Starts before the last that did not end by themselves.
    crashes_in_a_row: u64,
}

#[derive(Serialize, JsonSchema)]
struct TroubleLine {
    /// As in `kuori alert list`.
    code: &'static str,
    /// `alert`: for longer than it may; `operator`: it needs one; `passing`: it is to pass by itself.
    weight: &'static str,
    /// A sender, a place or an inbox of the settings, a batch, or `house`.
    subject: String,
    since: Time,
    age_secs: i64,
    text: String,
    /// What to type.
    to_do: Option<String>,
}

/// What came in the last 24 hours, tests not counted: `messages` is the sum of the numbers below it.
#[derive(Serialize, JsonSchema)]
struct DayLine {
    batches: u64,
    messages: u64,
    in_progress: u64,
    delivered: u64,
    /// In bundles that wait for the print house.
    composed: u64,
    printed: u64,
    refused: u64,
    held: u64,
    cancelled: u64,
}

/// Troubles that fit on a screen; `--json` has all.
const SHOWN: usize = 12;

impl StatusShown {
    pub(super) fn new(
        status: &HouseStatus,
        is_running: bool,
        troubles: Vec<Trouble>,
        alerts: Vec<Alert>,
        settings: &AlertSettings,
        now: Timestamp,
    ) -> Self {
        Self {
            at: Time(now),
            is_well: troubles.iter().all(|it| it.weight == Weight::Passing),
            queues: queues::lines(status, now),
            services: (status.services.iter())
                .map(|it| ServiceLine::of(it, now))
                .collect(),
            daemon: daemon(status, is_running),
            troubles: troubles
                .into_iter()
                .map(|it| TroubleLine::of(it, now))
                .collect(),
            alerts: alerts.into_iter().map(AlertLine::from).collect(),
            day: DayLine::from(status.day),
            free_bytes: status.free_bytes,
            min_free_bytes: settings.min_free_bytes,
            database_bytes: status.database_bytes,
        }
    }

    pub(super) fn needs_an_operator(&self) -> bool {
        !self.is_well
    }
}

fn daemon(status: &HouseStatus, is_running: bool) -> DaemonLine {
    let start = status.start.as_ref();
    DaemonLine {
        is_running,
        version: start.map(|start| start.version.clone()),
        pid: start.map(|start| start.pid),
        started_at: start.map(|start| Time(start.started_at)),
        last_deed_at: status.last_deed.map(Time),
        crashes_in_a_row: status.crashes_in_a_row,
    }
}

impl TroubleLine {
    fn of(trouble: Trouble, now: Timestamp) -> Self {
        Self {
            code: trouble.code.as_str(),
            weight: trouble.weight.as_str(),
            subject: trouble.subject,
            since: Time(trouble.since),
            age_secs: now.duration_since(trouble.since).as_secs(),
            text: trouble.text,
            to_do: trouble.to_do,
        }
    }
}

impl From<Day> for DayLine {
    fn from(Day { batches, messages }: Day) -> Self {
        Self {
            batches,
            messages: messages.received,
            in_progress: messages.in_progress,
            delivered: messages.delivered,
            composed: messages.composed,
            printed: messages.printed,
            refused: messages.refused,
            held: messages.held,
            cancelled: messages.cancelled,
        }
    }
}

impl fmt::Display for StatusShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_well {
            writeln!(f, "All is well: nothing waits for an operator.")?;
        }
        for trouble in self.troubles.iter().take(SHOWN) {
            writeln!(f, "{trouble}")?;
        }
        let more = self.troubles.len().saturating_sub(SHOWN);
        if more > 0 {
            writeln!(f, "and {more} more: kuori status --json")?;
        }
        writeln!(f)?;
        writeln!(f, "Daemon   {}", self.daemon)?;
        writeln!(f, "24 hours {}", self.day)?;
        let (free, database) = (bytes(self.free_bytes), bytes(self.database_bytes));
        writeln!(f, "Disk     {free} free; the database has {database}")?;
        for service in &self.services {
            writeln!(f, "Service  {service}")?;
        }
        if self.queues.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let rows = self.queues.iter().map(QueueLine::row);
        Table::new(QueueLine::HEADING, rows).fmt(f)
    }
}

impl fmt::Display for TroubleLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            "alert" => "ALERT",
            "operator" => "TO DO",
            _ => "waits",
        };
        let (age, since) = (age(self.age_secs), self.since);
        let Self {
            code,
            subject,
            text,
            ..
        } = self;
        write!(
            f,
            "{weight} {code} ({subject}) for {age}, since {since}: {text}"
        )?;
        match &self.to_do {
            Some(to_do) => write!(f, "\n      → {to_do}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DaemonLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version.as_deref().unwrap_or("?");
        match (self.is_running, &self.started_at) {
            (true, Some(since)) => write!(f, "runs since {since}, version {version}")?,
            (true, None) => write!(f, "another command works in the data folder")?,
            (false, Some(since)) => {
                write!(
                    f,
                    "does not run; the last one began {since}, version {version}"
                )?;
            }
            (false, None) => write!(f, "does not run, and never did")?,
        }
        match &self.last_deed_at {
            Some(at) => write!(f, "; last deed {at}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for DayLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let batches = counted(self.batches, "batch", "batches");
        write!(
            f,
            "{batches}, {}",
            counted(self.messages, "message", "messages")
        )?;
        let parts = [
            (self.in_progress, "under way"),
            (self.delivered, "in mailboxes"),
            (self.composed, "in bundles that wait"),
            (self.printed, "at print houses"),
            (self.refused, "refused"),
            (self.held, "held"),
            (self.cancelled, "cancelled"),
        ];
        let told = parts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<_> = told
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        if told.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", told.join(", "))
    }
}
