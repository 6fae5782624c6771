//! `docs/lifecycle.md`, drawn from the table of the legal moves.

use std::{collections::BTreeMap, fmt::Write};

use kuori::domain::{
    BatchState, BundleState, By, Deed, Lifecycle, Meaning, MessageState, Moves, OutgoingState,
};

use crate::committed::check_committed;

const HEAD: &str = "\
# The lifecycle

Every state of batches, messages, bundles and hand-overs, and every move between them. Made from the table in
`src/domain/lifecycle/table.rs`: the program makes no other move, builds with debug assertions have the database refuse
any other, and `kuori verify` holds a data folder to the same rules. To stay in a state is no move.

The pictures leave out `kuori reprocess`, which leads back from nearly everywhere; the tables have it.
";

const BATCHES: &str = "\
A batch is in the state of the last step that is behind it; the state names the step that comes next.
";

const MESSAGES: &str = "\
Of every batch: received = delivered + printed + refused + held + cancelled + under way, where *printed* is
`handed-over`. Nothing is under way in a batch at rest but what waits for its hand-over or for its mailbox status. A message
for both channels is delivered first; it counts as delivered from then on.
";

const BUNDLES: &str = "\
A letter lies in exactly one bundle that is `planned`, `composed` or `handed-over`, unless an operator said
`--print-again`.
";

const HAND_OVERS: &str = "\
A bundle on its way to the print house, or a receipt on its way to its sender.
";

#[test]
fn the_committed_page_is_that_of_the_table() {
    check_committed("docs/lifecycle.md", page().as_bytes());
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "Batches", BATCHES, BatchState::meaning);
    section(&mut page, "Messages", MESSAGES, MessageState::meaning);
    section(&mut page, "Bundles", BUNDLES, BundleState::meaning);
    section(&mut page, "Hand-overs", HAND_OVERS, OutgoingState::meaning);
    page
}

fn section<S: Lifecycle>(page: &mut String, name: &str, about: &str, meaning: fn(S) -> Meaning) {
    let _ = write!(page, "\n## {name}\n\n{about}\n");
    page.push_str(&picture::<S>());
    page.push_str(&states(meaning));
    page.push_str(&moves::<S>());
}

/// Arrows that begin and end alike are one.
fn picture<S: Lifecycle>() -> String {
    let mut arrows: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    let place = |state: S| S::STATES.iter().position(|&known| known == state).unwrap();
    for row in S::MOVES.iter().filter(|row| is_drawn(row.by)) {
        for (&from, &to) in row
            .from
            .iter()
            .flat_map(|from| row.to.iter().map(move |to| (from, to)))
        {
            if from != to {
                arrows
                    .entry((place(from), place(to)))
                    .or_default()
                    .push(short(row.by));
            }
        }
    }
    let mut picture = "```mermaid\nstateDiagram-v2\n".to_owned();
    for born in S::BORN {
        let _ = writeln!(picture, "    [*] --> {}", node(*born));
    }
    for ((from, to), by) in arrows {
        let (from, to) = (node(S::STATES[from]), node(S::STATES[to]));
        let _ = writeln!(picture, "    {from} --> {to}: {}", by.join(", "));
    }
    picture + "```\n\n"
}

/// A node of a diagram has no hyphen.
fn node<S: Lifecycle>(state: S) -> String {
    state.name().replace('-', "_")
}

fn is_drawn(by: By) -> bool {
    !matches!(
        by,
        By::Operator(Deed::Reprocess | Deed::DeliverAgain | Deed::PrintAgain)
    )
}

fn states<S: Lifecycle>(meaning: fn(S) -> Meaning) -> String {
    let mut table = "| state | what it means | what it waits for | what an operator can do |\n\
                     | --- | --- | --- | --- |\n"
        .to_owned();
    for &state in S::STATES {
        let Meaning {
            what,
            waits_for,
            way_out,
        } = meaning(state);
        let waits_for = waits_for.unwrap_or("nothing: it is at rest");
        let _ = writeln!(
            table,
            "| `{}` | {what} | {waits_for} | {way_out} |",
            state.name()
        );
    }
    table + "\n"
}

fn moves<S: Lifecycle>() -> String {
    let mut table = "| from | by | to |\n| --- | --- | --- |\n".to_owned();
    for Moves { from, by, to } in S::MOVES {
        let to = match to {
            [] => "stays".to_owned(),
            to => names(to),
        };
        let _ = writeln!(table, "| {} | {} | {to} |", names(from), long(*by));
    }
    table
}

fn names<S: Lifecycle>(states: &[S]) -> String {
    let names = states.iter().map(|state| format!("`{}`", state.name()));
    names.collect::<Vec<_>>().join(", ")
}

fn short(by: By) -> String {
    match by {
        By::Step(step) => step.as_str().to_owned(),
        By::FailedStep => "failed".to_owned(),
        By::Operator(deed) => word(deed).to_owned(),
        By::Withdrawal => "withdrawn".to_owned(),
        By::Inbox => "inbox".to_owned(),
        By::Outbox => "outbox".to_owned(),
        By::Timer => "timer".to_owned(),
        By::Courier => "courier".to_owned(),
    }
}

fn long(by: By) -> String {
    match by {
        By::Step(step) => format!("the step `{}`", step.as_str()),
        By::FailedStep => "a step that failed for good".to_owned(),
        By::Operator(Deed::DeliverAgain) => {
            "an operator: reprocess with `--deliver-again`".to_owned()
        }
        By::Operator(Deed::PrintAgain) => "an operator: reprocess with `--print-again`".to_owned(),
        By::Operator(deed) => format!("an operator: {}", word(deed)),
        By::Withdrawal => "its bundle is taken back".to_owned(),
        By::Inbox => "the inbox: the same file came again".to_owned(),
        By::Outbox => "the outbox".to_owned(),
        By::Timer => "a timer: nobody has read or confirmed it in time".to_owned(),
        By::Courier => "the courier".to_owned(),
    }
}

fn word(deed: Deed) -> &'static str {
    match deed {
        Deed::Approve => "approve",
        Deed::Hold => "hold",
        Deed::Release => "release",
        Deed::Cancel => "cancel",
        Deed::Reprocess | Deed::DeliverAgain | Deed::PrintAgain => "reprocess",
    }
}
