//! What commits cost, one figure a command: `cargo bench --bench commit -- WHAT`.
//!
//! - `rows`: a batch of 100,000 messages recorded by opening, routed and recorded as delivered or
//!   planned, store calls alone, in pages as the steps do, one synced commit a page;
//! - `steps [LETTERS]`: the real steps `open` and `route` over a batch of letters in one PDF;
//! - `restart [MESSAGES]`: a house with 2,000 batches and 1,000,000 messages, its process killed
//!   with a write-ahead log left behind, until it is ready again;
//! - `callers [CALLERS]`: rows a second of 64 callers who each wait for the disk, beside one;
//! - `claims`: hand-overs claimed one by one, and message pages of several sizes.
//!
//! Without a word all of them, with the sizes above.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod house;
mod samples;

use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use house::House;
use jiff::Timestamp;
use kuori::{
    domain::{
        Asked, BatchId, BatchState, Channel, Decision, DuplicateLetterIds, Fitness, MailboxStatus,
        Message, MessageId, PostageClass, PrintFacts, Reason, Route,
    },
    sample::{Shape, Spec},
    store::{
        BatchRow, BundleGroup, ConsentChange, NewBatch, NewBundle, NewMessage, NewPiece,
        OpenOutcome, Received, Routed, SpoolKey, StepOutcome, Store,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// As the steps do.
const PAGE: usize = 1_000;

fn main() {
    let given: Vec<_> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let size = |usual| given.get(1).map_or(usual, |size| size.parse().unwrap());
    match given.first().map(String::as_str) {
        Some("rows") => rows(size(100_000)),
        Some("steps") => steps(size(100_000)),
        Some("restart") => restart(size(1_000_000)),
        Some("callers") => callers(size(64)),
        Some("fill") => fill_and_die(Path::new(&given[1]), given[2].parse().unwrap()),
        _ => {
            rows(100_000);
            steps(100_000);
            restart(1_000_000);
            callers(64);
        }
    }
}

fn timed<T>(what: &str, deed: impl FnOnce() -> T) -> T {
    let since = Instant::now();
    let done = deed();
    println!("  {what:<34} {:>8.3} s", since.elapsed().as_secs_f64());
    done
}

fn rows(messages: u32) {
    println!("{messages} messages, store calls alone");
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Store::open(folder.path()).unwrap();
    let row = receive(&store, "a");
    let new: Vec<_> = samples::messages(messages).into_iter().map(new).collect();
    let since = Instant::now();
    record(&store, &row, &new);
    let commits = store.commits();
    println!("  in all {:.3} s, {commits} commits", since.elapsed().as_secs_f64());
}

/// Through every step of a batch, as rows.
fn record(store: &Store, row: &BatchRow, new: &[NewMessage]) {
    let id = row.id;
    timed("record messages", || {
        for page in new.chunks(PAGE) {
            store.record_messages(id, page).unwrap();
        }
    });
    timed("claim letter ids", || {
        store.claim_letter_ids(row, DuplicateLetterIds::Refuse).unwrap();
    });
    let opened = OpenOutcome {
        shape: Some("csv"),
        is_test: false,
        print_only: false,
        findings: Vec::new(),
    };
    let next = StepOutcome::next(BatchState::Opened, NOW);
    store.finish_open(row, &opened, &next, NOW).unwrap();
    timed("list and record decisions", || route(store, id));
    let row = store.batch(id).unwrap();
    let next = StepOutcome::next(BatchState::Routed, NOW);
    timed("finish routing", || store.finish_step(&row, &next, NOW).unwrap());
    timed("list and record deliveries", || deliver(store, id));
    timed("list and record a plan", || plan(store, id));
}

fn route(store: &Store, batch: BatchId) {
    let mut after = 0;
    loop {
        let page = store.messages(batch, &[], after, 1_000).unwrap();
        let Some(last) = page.last() else { return };
        after = last.id.position;
        let decided: Vec<_> = page.iter().map(|row| decided(row.id.position)).collect();
        store.record_decisions(batch, &decided, NOW).unwrap();
    }
}

/// Every second message goes to a mailbox.
fn decided(position: u32) -> Routed {
    let (channel, reason, status) = if position.is_multiple_of(2) {
        (Channel::Mailbox, Reason::MailboxActive, MailboxStatus::Active)
    } else {
        (Channel::Print, Reason::MailboxInactive, MailboxStatus::Inactive)
    };
    Routed {
        position,
        decision: Decision {
            route: Route::To(channel),
            reason,
            asked: Some(Asked { status, at: NOW }),
            registered: false,
        },
    }
}

fn deliver(store: &Store, batch: BatchId) {
    let mut after = 0;
    loop {
        let page = store.messages_for_mailbox(batch, after, 2_000).unwrap();
        let Some(last) = page.last() else { return };
        after = last.id.position;
        let delivered = page.iter().map(|row| (row.id.position, format!("mailbox/{}", row.id)));
        let delivered: Vec<_> = delivered.collect();
        store.record_deliveries(batch, &delivered, NOW).unwrap();
    }
}

fn plan(store: &Store, batch: BatchId) {
    let (mut after, mut pieces) = (0, Vec::new());
    loop {
        let page = store.messages_to_plan(batch, after, 1_000).unwrap();
        let Some(last) = page.last() else { break };
        after = last.id.position;
        for row in &page {
            let sequence = u32::try_from(pieces.len()).unwrap() + 1;
            pieces.push(NewPiece {
                position: row.id.position,
                sequence,
                first_page: sequence * 2,
                pages: 2,
                sheets: 1,
            });
        }
    }
    let bundle = NewBundle {
        print_house: "example-print".parse().unwrap(),
        group: BundleGroup {
            postage: PostageClass::Economy,
            postage_code: None,
            registered: false,
            colour: false,
            duplex: true,
            envelope: "C5".parse().unwrap(),
            foreign: false,
        },
        pieces,
    };
    store.record_plan(batch, [bundle], NOW).unwrap();
}
