//! What commits cost, one figure a command: `cargo bench --bench commit -- WHAT`.
//!
//! - `rows`: a batch of 100,000 messages recorded by opening, routed and recorded as delivered or
//!   planned, store calls alone, in pages as the steps do, one synced commit a page;
//! - `steps [LETTERS]`: the real steps `open` and `route` over a batch of letters in one PDF;
//! - `restart [MESSAGES]`: a house with 2,000 batches and 1,000,000 messages, its process killed
//!   with a write-ahead log left behind, until it is ready again;
//! - `route [RECIPIENTS]`: the real step `route` over a batch of 1,000,000 messages, each recipient asked
//!   of the register, and what it takes of memory; then the register's answer for 10,000 of them;
//! - `callers [CALLERS]`: rows a second of 64 callers who each wait for the disk, beside one;
//!
//! Without a word all of them, with the sizes above.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

#[allow(dead_code, reason = "other benches use the rest")]
mod filled;
#[allow(dead_code, reason = "other benches use the rest")]
mod house;
#[allow(dead_code, reason = "other benches use the rest")]
mod samples;
#[allow(dead_code, reason = "other benches use the rest")]
mod usage;

use std::{
    env, fs,
    path::Path,
    process::Command,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use filled::{new, receive};
use house::House;
use jiff::Timestamp;
use kuori::{
    domain::{
        Asked, BatchId, BatchState, Channel, Decision, DuplicateLetterIds, EnvelopeName,
        MailboxStatus, PostageClass, Reason, Route, StatedRecipient,
    },
    sample::Shape,
    store::{
        BatchRow, BundleGroup, ConsentChange, ConsentStatus, NewBundle, NewMessage, NewOutgoing,
        NewPiece, OpenOutcome, OutgoingFile, OutgoingKind, Place, Routed, SpoolKey, StepOutcome,
        Store,
    },
};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
/// As the steps do.
const PAGE: usize = 1_000;

fn main() {
    let given: Vec<_> = env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with("--"))
        .collect();
    let size = |usual| given.get(1).map_or(usual, |size| size.parse().unwrap());
    match given.first().map(String::as_str) {
        Some("rows") => rows(size(100_000)),
        Some("steps") => steps(size(100_000)),
        Some("restart") => restart(size(1_000_000)),
        Some("route") => route_all(size(1_000_000)),
        Some("to-route") => match given.as_slice() {
            [_, folder, messages] => fill_to_route(Path::new(folder), messages.parse().unwrap()),
            _ => println!("to-route FOLDER MESSAGES"),
        },
        Some("callers") => callers(size(64)),
        Some("fill") => match given.as_slice() {
            [_, folder, messages] => fill_and_die(Path::new(folder), messages.parse().unwrap()),
            _ => println!("fill FOLDER MESSAGES"),
        },
        _ => {
            for what in ["rows", "steps", "restart", "route", "callers"] {
                let itself = env::current_exe().unwrap();
                Command::new(itself).arg(what).status().unwrap();
            }
        }
    }
}

/// Tells how long something took, and how much of a processor: on a busy machine that says more.
fn timed<T>(what: &str, deed: impl FnOnce() -> T) -> T {
    let (since, before) = (Instant::now(), processor_secs());
    let done = deed();
    let (took, busy) = (since.elapsed().as_secs_f64(), processor_secs() - before);
    println!("  {what:<34} {took:>8.3} s, {busy:>6.2} s of a processor");
    done
}

/// What this process has used so far.
fn processor_secs() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(11).take(2);
    // In hundredths of a second, whatever the machine.
    ticks
        .map(|field| field.parse::<f64>().unwrap())
        .sum::<f64>()
        / 100.0
}

fn rows(messages: u32) {
    println!("{messages} messages, store calls alone");
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let row = receive(&store, "a");
    let new: Vec<_> = samples::messages(messages).into_iter().map(new).collect();
    timed("in all", || record(&store, &row, &new));
    println!("  in {} commits", store.commits());
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
        store
            .claim_letter_ids(row, DuplicateLetterIds::Refuse)
            .unwrap();
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
    timed("finish routing", || {
        store.finish_step(&row, &next, NOW).unwrap();
    });
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
        (
            Channel::Mailbox,
            Reason::MailboxActive,
            MailboxStatus::Active,
        )
    } else {
        (
            Channel::Print,
            Reason::MailboxInactive,
            MailboxStatus::Inactive,
        )
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
        let delivered = page
            .iter()
            .map(|row| (row.id.position, format!("mailbox/{}", row.id)));
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
            envelope: EnvelopeName("C5".to_owned()),
            foreign: false,
        },
        pieces,
    };
    store.record_plan(batch, [bundle], NOW).unwrap();
}

/// The steps of the house itself, timed by the states that its batch goes through.
fn steps(letters: u32) {
    println!("{letters} letters in one PDF, the steps themselves");
    let house = House::new();
    let spec = samples::spec(letters, Shape::ManyInOne);
    house.upload(&spec);
    thread::scope(|scope| {
        scope.spawn(|| tell_states(&house));
        house.begin();
    });
}

/// What comes after routing is not a matter of commits: the process ends there.
fn tell_states(house: &House) {
    let mut since = Instant::now();
    let mut seen = None;
    loop {
        let state = house.newest().map(|row| row.state);
        if state != seen {
            let took = since.elapsed().as_secs_f64();
            match state {
                Some(BatchState::Opened) => println!("  {:<34} {took:>8.3} s", "open"),
                Some(BatchState::Routed) => println!("  {:<34} {took:>8.3} s", "route"),
                _ => {}
            }
            (since, seen) = (Instant::now(), state);
        }
        if state == Some(BatchState::Routed) {
            fs::remove_dir_all(house.path()).unwrap();
            std::process::exit(0);
        }
        thread::sleep(Duration::from_micros(500));
    }
}

const BATCHES: u32 = 2_000;

fn restart(messages: u32) {
    println!("{BATCHES} batches with {messages} messages, killed, started again");
    let folder = tempfile::tempdir().unwrap();
    timed("fill", || {
        let mut child = Command::new(env::current_exe().unwrap());
        let child = child
            .arg("fill")
            .arg(folder.path())
            .arg(messages.to_string());
        assert!(!child.status().unwrap().success(), "it was to be killed");
    });
    let log = fs::metadata(folder.path().join("kuori.sqlite-wal"))
        .unwrap()
        .len();
    let rows = fs::metadata(folder.path().join("kuori.sqlite"))
        .unwrap()
        .len();
    println!("  {} MB of database, {} MB of log", rows >> 20, log >> 20);
    let config = house::settings(folder.path());
    let clock = || kuori::pipeline::Clock::fixed(NOW);
    let works = timed("ready, first start", || {
        kuori::assemble::Works::open(&config, clock())
    });
    drop(works.unwrap());
    let works = timed("ready, second start", || {
        kuori::assemble::Works::open(&config, clock())
    });
    let works = works.unwrap();
    timed("idle checkpoint", || works.store.rest().unwrap());
}

/// A house in the middle of its work, and then none.
fn fill_and_die(folder: &Path, messages: u32) {
    let store = Store::open(folder).unwrap();
    let new: Vec<_> = samples::messages(messages / BATCHES)
        .into_iter()
        .map(new)
        .collect();
    for nth in 0..BATCHES {
        let row = receive(&store, &nth.to_string());
        store.record_messages(row.id, &new).unwrap();
        let decided: Vec<_> = new
            .iter()
            .map(|new| decided(new.message.position))
            .collect();
        store.record_decisions(row.id, &decided, NOW).unwrap();
        deliver(&store, row.id);
        plan(&store, row.id);
        acknowledge(&store, row.id);
        let state = if nth % 100 == 0 {
            store.claim_due_batch(NOW, NOW).unwrap();
            BatchState::Routed
        } else {
            BatchState::Reported
        };
        let outcome = StepOutcome {
            due_at: (state == BatchState::Routed).then_some(NOW),
            ..StepOutcome::next(state, NOW)
        };
        store.finish_step(&row, &outcome, NOW).unwrap();
    }
    std::process::abort();
}

fn acknowledge(store: &Store, batch: BatchId) {
    let mut file = store.spool().begin().unwrap();
    std::io::Write::write_all(&mut file, b"<Acknowledgement/>").unwrap();
    let key = SpoolKey::new("outgoing", format!("{batch}.ack.xml"));
    let file = OutgoingFile {
        path: format!("receipts/{batch}.ack.xml"),
        file: file.keep_for_now(&key).unwrap(),
    };
    let new = NewOutgoing {
        batch,
        bundle: None,
        kind: OutgoingKind::Acknowledgement,
        place: Place::Sender("example-city".parse().unwrap()),
        files: vec![file],
    };
    store.record_acknowledgement(&new, NOW).unwrap();
}

/// The step itself, in a process that has not made its batch.
fn route_all(messages: u32) {
    println!("{messages} messages, each recipient asked of the register");
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap());
    let child = child
        .arg("to-route")
        .arg(folder.path())
        .arg(messages.to_string());
    assert!(child.status().unwrap().success());
    for door in ["inbox", "receipts", "pickup"] {
        fs::create_dir_all(folder.path().join(door)).unwrap();
    }
    let clock = kuori::pipeline::Clock::fixed(NOW);
    let works = kuori::assemble::Works::open(&house::settings(folder.path()), clock).unwrap();
    ask_register(&works.store, messages);
    let before = usage::status_bytes("RssAnon");
    thread::scope(|scope| {
        let steps = scope.spawn(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(works.run_until_idle()).unwrap();
        });
        let (mut peak, since, busy) = (0, Instant::now(), processor_secs());
        let is_routed =
            || works.store.batches(1).unwrap().pop().unwrap().state == BatchState::Routed;
        while !is_routed() {
            assert!(!steps.is_finished(), "the step has failed");
            peak = peak.max(usage::status_bytes("RssAnon"));
            thread::sleep(Duration::from_millis(20));
        }
        let (took, busy) = (since.elapsed().as_secs_f64(), processor_secs() - busy);
        println!(
            "  {:<34} {took:>8.3} s, {busy:>6.2} s of a processor",
            "route"
        );
        println!(
            "  {} MiB of own memory for it, at its peak",
            (peak - before.min(peak)) >> 20
        );
        // What comes after is no matter of routing: the process ends there.
        fs::remove_dir_all(folder.path()).unwrap();
        std::process::exit(0);
    });
}

/// One page of the largest question, taken from all over the batch.
fn ask_register(store: &Store, messages: u32) {
    let batch = store.batches(1).unwrap().pop().unwrap().id;
    let mut asked = Vec::new();
    for part in 0..10 {
        let page = store
            .messages(batch, &[], part * (messages / 10), 1_200)
            .unwrap();
        asked.extend(
            page.into_iter()
                .filter_map(|row| match row.message.recipient.id {
                    StatedRecipient::Valid(id) => Some(id),
                    StatedRecipient::Absent | StatedRecipient::Invalid => None,
                }),
        );
    }
    asked.truncate(10_000);
    let ids: Vec<_> = asked.iter().collect();
    for what in ["first time", "again"] {
        timed(&format!("ask about {}, {what}", ids.len()), || {
            store.mailbox_statuses(&ids, NOW).unwrap();
        });
    }
}

/// A batch that is opened, and the consents of two in three of its recipients.
fn fill_to_route(folder: &Path, messages: u32) {
    let store = Store::open(folder).unwrap();
    let row = receive(&store, "a");
    let messages = samples::messages(messages);
    for page in messages.chunks(10_000) {
        let new: Vec<_> = page.iter().cloned().map(new).collect();
        store.record_messages(row.id, &new).unwrap();
        let granted = page
            .iter()
            .filter_map(|message| match &message.recipient.id {
                StatedRecipient::Valid(id) if message.position % 3 != 0 => Some(ConsentChange {
                    recipient: id.clone(),
                    status: ConsentStatus::Granted,
                    since: NOW,
                }),
                _ => None,
            });
        let granted: Vec<_> = granted.collect();
        store.record_consents(&granted, "bench", NOW).unwrap();
    }
    let opened = OpenOutcome {
        shape: Some("csv"),
        is_test: false,
        print_only: false,
        findings: Vec::new(),
    };
    let next = StepOutcome::next(BatchState::Opened, NOW);
    store.finish_open(&row, &opened, &next, NOW).unwrap();
}

/// Each caller records consents one at a time, and each is on the disk before the next.
fn callers(most: u32) {
    println!("calls a second, each on the disk before its caller goes on");
    for (callers, each) in [(1, 200), (2, 200), (8, 200), (most, 200)] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let changes = consents(callers * each);
        let start = Barrier::new(callers as usize);
        let (since, before) = (Instant::now(), store.commits());
        thread::scope(|scope| {
            for part in changes.chunks(each as usize) {
                let (store, start) = (&store, &start);
                scope.spawn(move || {
                    start.wait();
                    for change in part {
                        let change = std::slice::from_ref(change);
                        store.record_consents(change, "bench", NOW).unwrap();
                    }
                });
            }
        });
        let took = since.elapsed().as_secs_f64();
        let rate = f64::from(callers * each) / took;
        let commits = store.commits() - before;
        println!("  {callers:>3} callers {rate:>10.0} /s, {commits:>5} commits");
    }
}

fn consents(count: u32) -> Vec<ConsentChange> {
    // One in a few has no identity code.
    let messages = samples::messages(count * 2).into_iter();
    let ids = messages.filter_map(|message| match message.recipient.id {
        StatedRecipient::Valid(id) => Some(id),
        StatedRecipient::Absent | StatedRecipient::Invalid => None,
    });
    let granted = |recipient| ConsentChange {
        recipient,
        status: ConsentStatus::Granted,
        since: NOW,
    };
    ids.map(granted).take(count as usize).collect()
}
