use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::approve::HoldLine;
use crate::{
    cli::{
        CommandError, Invocation,
        bundle::BundleLine,
        error::Outcome,
        words::{BatchStateWord, Time, counted},
    },
    domain::{BatchId, BatchState, BundleState},
    store::{BatchRow, Counts, Outgoing, QueuedBatch, Store},
};

/// `kuori batch show`: where a batch is, and what has become of its messages.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct BatchShown {
    batch: String,
    sender: String,
    file_name: String,
    bytes: u64,
    sha256: String,
    received_at: Time,
    /// When the same bytes came again: they were answered with the receipts, and changed nothing.
    came_again: Vec<Time>,
    /// How the file is packed; absent until it was opened.
    shape: Option<String>,
    is_test: bool,
    /// The file name asks for print.
    print_only: bool,
    state: BatchStateWord,
    /// Why it is refused, held or cancelled.
    reason: Option<String>,
    /// Why the gate or an operator holds it; empty where a step has failed.
    holds: Vec<HoldLine>,
    /// The daemon has it in its hands.
    is_worked_on: bool,
    /// When the next step is due; absent where nothing is to be done.
    due_at: Option<Time>,
    /// How often the step that is due has failed.
    attempts: u32,
    last_error: Option<String>,
    processing_reports: u32,
    messages: MessageCounts,
    /// What waits for mailbox services.
    queues: Vec<QueueLine>,
    bundles: Vec<BundleLine>,
    hand_overs: Vec<HandOverLine>,
}

/// `received` is the sum of `in_progress`, `delivered`, `composed`, `printed`, `refused`, `held`
/// and `cancelled`; the others say more about some of those.
#[derive(Serialize, JsonSchema)]
struct MessageCounts {
    received: u64,
    in_progress: u64,
    waiting: u64,
    delivered: u64,
    composed: u64,
    printed: u64,
    also_printed: u64,
    also_to_print: u64,
    refused: u64,
    held: u64,
    cancelled: u64,
}

/// Messages that wait for one mailbox service.
#[derive(Serialize, JsonSchema)]
struct QueueLine {
    service: String,
    waiting: u64,
    /// On their way at this moment.
    sending: u64,
    since: Time,
}

impl QueueLine {
    fn of(row: &QueuedBatch) -> Self {
        Self {
            service: row.service.to_string(),
            waiting: row.waiting,
            sending: row.sending,
            since: Time(row.queued_at),
        }
    }

    fn sentence(&self) -> String {
        let left = self.waiting + self.sending;
        let (service, since) = (&self.service, self.since);
        format!("{left} wait for {service} since {since} (see `kuori queue list`)")
    }
}

/// Something that has left the house, or is to.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct HandOverLine {
    /// `acknowledgement`, `processing`, `delivery` or `bundle`.
    kind: &'static str,
    bundle: Option<String>,
    /// `sender:<name>`, `print-house:<name>` or `test-shelf`.
    place: String,
    /// `due`, `handing-over`, `held`, `handed-over`, `withdrawing` or `withdrawn`.
    state: &'static str,
    due_at: Option<Time>,
    handed_over_at: Option<Time>,
    /// When it was first seen that the other side had taken it away.
    picked_up_at: Option<Time>,
    attempts: u32,
    last_error: Option<String>,
}

pub(super) fn run(
    batch: BatchId,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let shown = load(&store, batch, invocation)?;
    invocation.output.show(&shown)?;
    for hint in shown.hints() {
        invocation.output.hint(hint);
    }
    Ok(Outcome::Done)
}

fn load(
    store: &Store,
    batch: BatchId,
    invocation: &Invocation<'_>,
) -> Result<BatchShown, CommandError> {
    let row = store.batch(batch)?;
    let is_worked_on = row.lease_until.is_some_and(|until| until > invocation.now);
    let counts = store.counts(batch)?;
    let mut bundles: Vec<_> = store.bundles(Some(batch), u32::MAX)?;
    bundles.reverse();
    let hand_overs = store.outgoing_of(batch)?;
    let holds = store.holds(batch)?;
    let queues = store.queued_batches(None, Some(batch), u32::MAX)?;
    let came_again = store.came_again(batch)?;
    Ok(BatchShown {
        holds: holds.into_iter().map(HoldLine::from).collect(),
        came_again: came_again.into_iter().map(Time).collect(),
        messages: message_counts(counts),
        queues: queues.iter().map(QueueLine::of).collect(),
        bundles: bundles
            .iter()
            .map(|row| BundleLine::of(row, invocation.now))
            .collect(),
        hand_overs: hand_overs.into_iter().map(HandOverLine::from).collect(),
        is_worked_on,
        ..BatchShown::from(row)
    })
}

impl BatchShown {
    fn hints(&self) -> Vec<String> {
        let batch = &self.batch;
        let mut hints = Vec::new();
        if self.messages.held > 0 {
            hints.push(format!("see `kuori message list {batch} --state held`"));
        }
        hints.extend(self.ways_out());
        if self.hand_overs.iter().any(HandOverLine::is_held) {
            hints.push(format!(
                "when the cause is gone, `kuori outbox retry {batch}` tries again what is held"
            ));
        }
        let has_failed = self.state.0 == BatchState::Held && self.holds.is_empty();
        if has_failed || self.messages.held > 0 {
            hints.push(format!(
                "when the cause is gone, `kuori reprocess {batch} --dry-run` says what can be done again"
            ));
        }
        if self.state.0 == BatchState::Refused {
            hints.push(format!("`kuori batch findings {batch}` says what is wrong"));
        }
        hints
    }

    /// What to type about a batch that the gate or an operator holds.
    fn ways_out(&self) -> Vec<String> {
        let (batch, sender) = (&self.batch, &self.sender);
        if self.holds.is_empty() {
            return Vec::new();
        }
        let mut hints = Vec::new();
        if self.holds.iter().any(HoldLine::is_by_operator) {
            hints.push(format!(
                "`kuori batch release {batch} --reason TEXT` ends the operator's hold"
            ));
        }
        if !self.holds.iter().all(HoldLine::is_by_operator) {
            hints.push(format!(
                "`kuori batch approve {batch} --reason TEXT` lets it go on"
            ));
        }
        hints.push(format!(
            "`kuori batch cancel {batch} --reason TEXT` calls it off"
        ));
        if self.holds.iter().any(HoldLine::is_for_sender) {
            hints.push(format!(
                "`kuori sender release {sender}` lets all of its batches go on"
            ));
        }
        hints
    }

    /// Up to three times one by one.
    fn again(&self) -> String {
        let times: Vec<_> = self.came_again.iter().map(Time::to_string).collect();
        match times.as_slice() {
            [] => String::new(),
            [_] | [_, _] | [_, _, _] => times.join(", "),
            [.., last] => format!("{} times, last at {last}", times.len()),
        }
    }

    fn count_bundles(&self, state: BundleState) -> u64 {
        let bundles = self.bundles.iter().filter(|bundle| bundle.is(state));
        bundles.count() as u64
    }

    /// The state in words, with what is to come.
    fn standing(&self) -> String {
        let mut told = vec![self.state.to_string()];
        told.extend(self.reason.clone());
        if self.is_worked_on {
            told.push("being worked on".to_owned());
        }
        match self.count_bundles(BundleState::Composed) {
            0 => {}
            1 => told.push("1 bundle waits for the print house".to_owned()),
            many => told.push(format!("{many} bundles wait for the print house")),
        }
        match self.messages.waiting {
            0 => {}
            1 => told.push("1 message waits for its mailbox status".to_owned()),
            many => told.push(format!("{many} messages wait for their mailbox status")),
        }
        told.join("; ")
    }

    fn paper(&self) -> String {
        let counts = &self.messages;
        let printed = counts.composed + counts.printed;
        let beside = counts.also_printed + counts.also_to_print;
        let bundles = self.bundles.len() as u64 - self.count_bundles(BundleState::Withdrawn);
        let mut told = Vec::new();
        if printed > 0 && bundles == 0 {
            told.push(format!("{printed} at the service that prints them"));
        } else if printed > 0 {
            let bundles = counted(bundles, "bundle", "bundles");
            told.push(format!("{printed} in {bundles}"));
        }
        if beside > 0 {
            told.push(format!("{beside} beside the mailbox"));
        }
        told.join(", ")
    }

    /// Rows of a label and what is to be said under it; an empty one is left out.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let counts = &self.messages;
        let some = |number: u64, text: String| if number == 0 { String::new() } else { text };
        let mut rows = vec![
            ("Batch", self.heading()),
            ("State", self.standing()),
            (
                "In work",
                some(counts.in_progress, counts.in_progress.to_string()),
            ),
            (
                "Mailbox",
                some(counts.delivered, format!("{} delivered", counts.delivered)),
            ),
            ("Print", self.paper()),
            ("Refused", some(counts.refused, self.refused())),
            ("Held", some(counts.held, counts.held.to_string())),
            (
                "Cancelled",
                some(counts.cancelled, counts.cancelled.to_string()),
            ),
            ("File", format!("{}, {} bytes", self.file_name, self.bytes)),
            ("Received", self.received_at.to_string()),
            ("Again", self.again()),
        ];
        rows.extend(self.queues.iter().map(|queue| ("Queue", queue.sentence())));
        rows.extend(
            self.bundles
                .iter()
                .map(|bundle| ("Bundle", bundle.sentence())),
        );
        rows.extend(
            self.hand_overs
                .iter()
                .map(|file| ("Outgoing", file.sentence())),
        );
        if let Some(error) = &self.last_error {
            let again = next_try(self.attempts, self.due_at);
            rows.push(("Error", format!("{error}{again}")));
        }
        rows.retain(|(_, text)| !text.is_empty());
        rows
    }

    fn heading(&self) -> String {
        let messages = counted(self.messages.received, "message", "messages");
        let test = if self.is_test { ", a test" } else { "" };
        format!("{}  from {}, {messages}{test}", self.batch, self.sender)
    }

    fn refused(&self) -> String {
        let (refused, batch) = (self.messages.refused, &self.batch);
        format!("{refused} (see `kuori batch findings {batch}`)")
    }
}

impl fmt::Display for BatchShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, text) in self.rows() {
            writeln!(f, "{label:<10}{text}")?;
        }
        Ok(())
    }
}

impl HandOverLine {
    pub(in crate::cli) fn is_held(&self) -> bool {
        self.state == "held"
    }

    pub(in crate::cli) fn sentence(&self) -> String {
        let what = match &self.bundle {
            Some(bundle) => format!("bundle {bundle}"),
            None if self.kind == "processing" => "processing report".to_owned(),
            None if self.kind == "delivery" => "delivery report".to_owned(),
            None => self.kind.to_owned(),
        };
        let standing = match (self.handed_over_at, self.due_at) {
            (Some(at), _) => match self.picked_up_at {
                Some(picked_up) => format!("handed over {at}, picked up {picked_up}"),
                None => format!("handed over {at}"),
            },
            (None, _) => self.state.replace('-', " "),
        };
        // Nothing is tried any more: what once stood in the way is no trouble.
        let error = self
            .last_error
            .as_ref()
            .filter(|_| self.state != "withdrawn");
        let first_line = |error: &String| error.lines().next().map(str::to_owned);
        let error = error.and_then(first_line).map(|error| {
            let again = next_try(self.attempts, self.due_at);
            format!(": {error}{again}")
        });
        let (place, error) = (&self.place, error.unwrap_or_default());
        format!("{what} to {place}, {standing}{error}")
    }
}

fn next_try(attempts: u32, due_at: Option<Time>) -> String {
    let times = counted(attempts.into(), "try", "tries");
    match due_at {
        Some(at) => format!(" ({times}; the next at {at})"),
        None => format!(" ({times})"),
    }
}

impl From<Outgoing> for HandOverLine {
    fn from(outgoing: Outgoing) -> Self {
        Self {
            kind: outgoing.kind.as_str(),
            bundle: outgoing.bundle.map(|bundle| bundle.to_string()),
            place: outgoing.place.to_string(),
            state: outgoing.standing().as_str(),
            due_at: outgoing.due_at.map(Time),
            handed_over_at: outgoing.handed_over_at.map(Time),
            picked_up_at: outgoing.picked_up_at.map(Time),
            attempts: outgoing.attempts,
            last_error: outgoing.last_error,
        }
    }
}

impl From<BatchRow> for BatchShown {
    fn from(row: BatchRow) -> Self {
        Self {
            batch: row.id.to_string(),
            sender: row.sender.to_string(),
            file_name: row.file_name,
            bytes: row.bytes,
            sha256: row.sha256,
            received_at: Time(row.received_at),
            came_again: Vec::new(),
            shape: row.shape,
            is_test: row.is_test,
            print_only: row.print_only,
            state: BatchStateWord(row.state),
            reason: row.reason,
            holds: Vec::new(),
            is_worked_on: false,
            due_at: row.due_at.map(Time),
            attempts: row.attempts,
            last_error: row.last_error,
            processing_reports: row.reports,
            messages: message_counts(Counts::default()),
            queues: Vec::new(),
            bundles: Vec::new(),
            hand_overs: Vec::new(),
        }
    }
}

fn message_counts(counts: Counts) -> MessageCounts {
    MessageCounts {
        received: counts.received,
        in_progress: counts.in_progress,
        waiting: counts.waiting,
        delivered: counts.delivered,
        composed: counts.composed,
        printed: counts.printed,
        also_printed: counts.also_printed,
        also_to_print: counts.also_to_print,
        refused: counts.refused,
        held: counts.held,
        cancelled: counts.cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_while_something_is_to_be_handed_over() {
        let told = |state| {
            let line = HandOverLine {
                kind: "bundle",
                bundle: Some("P-0008".to_owned()),
                place: "print-house:p".to_owned(),
                state,
                due_at: None,
                handed_over_at: None,
                picked_up_at: None,
                attempts: 1,
                last_error: Some("nobody is there".to_owned()),
            };
            line.sentence()
        };
        let to_whom = "bundle P-0008 to print-house:p";
        assert_eq!(
            told("due"),
            format!("{to_whom}, due: nobody is there (1 try)")
        );
        assert_eq!(told("withdrawn"), format!("{to_whom}, withdrawn"));
    }
}
