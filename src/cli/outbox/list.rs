use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::Named;
use crate::{
    cli::{
        CommandError, Invocation,
        error::Outcome,
        table::{Table, or_dash},
        words::{Time, age, counted, one_of},
    },
    store::{Outgoing, PlaceTrouble, Standing, Waiting, WaitingFilter},
};

/// What can be asked for: of what was handed over, that which nobody has picked up yet.
const STATES: &[Standing] = &[
    Standing::Due,
    Standing::HandingOver,
    Standing::Held,
    Standing::HandedOver,
    Standing::Withdrawing,
];

#[derive(clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Only what goes to one place: `print-house:example-print`, or only its name
    #[arg(long, value_name = "PLACE", value_parser = place)]
    place: Option<Waiting>,

    /// Only what is in this state; of what was handed over, that which waits to be picked up
    #[arg(long, value_name = "STATE", value_parser = one_of(STATES, Standing::as_str))]
    state: Option<Standing>,

    /// Only what has waited too long to be picked up
    #[arg(long, conflicts_with = "state")]
    overdue: bool,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 100,
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

/// `kuori outbox list`: what waits, oldest first, and places that do not work.
#[derive(Serialize, JsonSchema)]
pub(in crate::cli) struct OutboxList {
    waiting: Vec<WaitingLine>,
    /// Those that are away, and those that wait for an operator: nothing is handed over to them.
    places: Vec<PlaceLine>,
}

/// A bundle or a receipt on its way out.
#[derive(Serialize, JsonSchema)]
struct WaitingLine {
    /// `acknowledgement`, `processing`, `delivery` or `bundle`.
    kind: &'static str,
    bundle: Option<String>,
    batch: String,
    /// `sender:<name>`, `print-house:<name>` or `test-shelf`.
    place: String,
    /// `due`, `handing-over`, `held`, `handed-over` or `withdrawing`.
    state: &'static str,
    /// Since when it waits: to be handed over, or, once it was, to be picked up.
    since: Option<Time>,
    age_secs: Option<i64>,
    attempts: u32,
    /// When it is tried next.
    due_at: Option<Time>,
    handed_over_at: Option<Time>,
    /// It has waited too long to be picked up.
    is_overdue: bool,
    last_error: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct PlaceLine {
    place: String,
    /// `away`, and asked again by itself, or `held` until `kuori outbox retry`.
    state: &'static str,
    since: Time,
    attempts: u32,
    next_try_at: Option<Time>,
    last_error: String,
}

pub(super) fn run(
    arguments: &Arguments,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    let store = invocation.store()?;
    let filter = WaitingFilter {
        place: arguments.place.clone(),
        standing: arguments.state,
        overdue: arguments.overdue,
    };
    let now = invocation.now;
    let rows = store.waiting(&filter, now, arguments.limit)?.into_iter();
    let mut places = store.places_in_trouble()?;
    places.retain(|trouble| {
        filter
            .place
            .as_ref()
            .is_none_or(|it| it.is_at(&trouble.place))
    });
    let lines = rows.map(|row| WaitingLine::of(row, now).behind(&places));
    let list = OutboxList {
        waiting: lines.collect(),
        places: places.into_iter().map(PlaceLine::from).collect(),
    };
    invocation.output.show(&list)?;
    if list.waiting.is_empty() && list.places.is_empty() {
        invocation.output.note(if arguments.overdue {
            "nothing is overdue"
        } else {
            "nothing waits"
        });
    }
    for hint in list.hints() {
        invocation.output.hint(hint);
    }
    let is_late = arguments.overdue && !list.waiting.is_empty();
    Ok(if is_late {
        Outcome::Findings
    } else {
        Outcome::Done
    })
}

fn place(typed: &str) -> Result<Waiting, String> {
    match typed.parse::<Named>()?.what {
        place @ Waiting::Place(_) => Ok(place),
        Waiting::Bundle(_) | Waiting::Batch(_) => {
            Err("is no place: write it as `print-house:example-print`".to_owned())
        }
    }
}

impl OutboxList {
    fn hints(&self) -> Vec<String> {
        let mut hints: Vec<_> = self.errors().filter_map(own_hint).collect();
        hints.dedup();
        let held = self.waiting.iter().find(|line| line.state == "held");
        let place = self.places.iter().find(|line| line.state == "held");
        let named = held.map(|line| line.bundle.as_ref().unwrap_or(&line.batch));
        if let Some(named) = named.or(place.map(|line| &line.place)) {
            hints.push(format!(
                "when the cause is gone, `kuori outbox retry {named}` tries it again"
            ));
        }
        if self.waiting.iter().any(|line| line.is_overdue) {
            hints.push("ask the other side why it does not pick up".to_owned());
        }
        hints
    }

    fn errors(&self) -> impl Iterator<Item = &str> {
        let of_places = self.places.iter().map(|line| line.last_error.as_str());
        let held = self.waiting.iter().filter(|line| line.state == "held");
        of_places.chain(held.filter_map(|line| line.last_error.as_deref()))
    }
}

/// What an error itself says is to be done, below its first line.
fn own_hint(error: &str) -> Option<String> {
    let (_, hint) = error.split_once("hint: ")?;
    Some(hint.to_owned())
}

impl WaitingLine {
    fn of(row: Outgoing, now: Timestamp) -> Self {
        let since = row.waits_since.or(row.handed_over_at);
        Self {
            kind: row.kind.as_str(),
            bundle: row.bundle.map(|bundle| bundle.to_string()),
            batch: row.batch.to_string(),
            place: row.place.to_string(),
            state: row.standing().as_str(),
            since: since.map(Time),
            age_secs: since.map(|since| now.duration_since(since).as_secs()),
            attempts: row.attempts,
            due_at: row.due_at.map(Time),
            handed_over_at: row.handed_over_at.map(Time),
            is_overdue: row.is_overdue(now),
            last_error: row.last_error,
        }
    }

    /// What goes to a place that does not work is tried when the place is: at its next try, or not
    /// before `kuori outbox retry`.
    fn behind(mut self, places: &[PlaceTrouble]) -> Self {
        let trouble = places.iter().find(|it| it.place.to_string() == self.place);
        if let (Some(trouble), Some(due_at)) = (trouble, self.due_at) {
            let next = trouble.next_try.map(|next| next.max(due_at.0));
            self.due_at = next.map(Time);
        }
        self
    }

    fn cells(&self) -> [String; 8] {
        let what = self.bundle.clone().unwrap_or_else(|| self.kind.to_owned());
        let state = if self.is_overdue {
            "overdue"
        } else {
            self.state
        };
        let error = self.last_error.as_deref().unwrap_or_default();
        [
            what,
            self.batch.clone(),
            self.place.clone(),
            state.to_owned(),
            or_dash(self.age_secs.map(age)),
            self.attempts.to_string(),
            or_dash(self.due_at),
            error.lines().next().unwrap_or_default().to_owned(),
        ]
    }
}

impl From<PlaceTrouble> for PlaceLine {
    fn from(trouble: PlaceTrouble) -> Self {
        Self {
            place: trouble.place.to_string(),
            state: trouble.next_try.map_or("held", |_| "away"),
            since: Time(trouble.since),
            attempts: trouble.attempts,
            next_try_at: trouble.next_try.map(Time),
            last_error: trouble.error,
        }
    }
}

impl PlaceLine {
    fn sentence(&self) -> String {
        let Self {
            place,
            state,
            since,
            ..
        } = self;
        let error = self.last_error.lines().next().unwrap_or_default();
        let tries = counted(self.attempts.into(), "try", "tries");
        let next = self.next_try_at.map(|at| format!("; the next at {at}"));
        let next = next.unwrap_or_default();
        format!("{place} is {state} since {since}: {error} ({tries}{next})")
    }
}

impl fmt::Display for OutboxList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heading = [
            "WHAT", "BATCH", "PLACE", "STATE", "AGE", "TRIES", "NEXT TRY", "ERROR",
        ];
        if !self.waiting.is_empty() {
            Table::new(heading, self.waiting.iter().map(WaitingLine::cells)).fmt(f)?;
        }
        if !self.waiting.is_empty() && !self.places.is_empty() {
            writeln!(f)?;
        }
        let mut places = self.places.iter();
        places.try_for_each(|place| writeln!(f, "{}", place.sentence()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due_behind(next_try: Option<Timestamp>) -> Option<String> {
        let line = WaitingLine {
            kind: "bundle",
            bundle: None,
            batch: "B-0001".to_owned(),
            place: "sender:city".to_owned(),
            state: "due",
            since: None,
            age_secs: None,
            attempts: 1,
            due_at: Some(Time(at("2026-11-23T10:00:00Z"))),
            handed_over_at: None,
            is_overdue: false,
            last_error: None,
        };
        let trouble = PlaceTrouble {
            place: "sender:city".parse().unwrap(),
            since: at("2026-11-23T09:00:00Z"),
            attempts: 3,
            next_try,
            error: "away".to_owned(),
        };
        line.behind(&[trouble]).due_at.map(|at| at.to_string())
    }

    #[test]
    fn what_goes_to_a_place_that_does_not_work_is_tried_when_the_place_is() {
        assert_eq!(due_behind(None), None);
        let later = at("2026-11-23T10:12:00Z");
        assert_eq!(due_behind(Some(later)).unwrap(), "2026-11-23T10:12:00Z");
        let sooner = at("2026-11-23T09:12:00Z");
        assert_eq!(due_behind(Some(sooner)).unwrap(), "2026-11-23T10:00:00Z");
    }
}
