use std::{
    env, fs,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use kuori::{
    domain::{
        Asked, BatchState, Channel, Decision, Fitness, MailboxStatus, Message, PrintFacts, Reason,
        RecipientId, Route,
    },
    store::{
        BatchRow, NewBatch, NewMessage, OpenOutcome, Received, Routed, SpoolKey, StepOutcome, Store,
    },
};

use crate::samples;

pub(crate) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Tells how long something took, and how much of a processor: on a busy machine that says more.
pub(crate) fn timed<T>(what: &str, deed: impl FnOnce() -> T) -> (T, Duration) {
    let (since, before) = (Instant::now(), cpu_seconds(11));
    let done = deed();
    let (took, busy) = (since.elapsed(), cpu_seconds(11) - before);
    let secs = took.as_secs_f64();
    println!("  {what:<44} {secs:>8.3} s, {busy:>6.2} s of a processor");
    (done, took)
}

/// As [`timed`], of the program itself and a command; tells the most memory that it had resident, too.
pub(crate) fn timed_kuori(what: &str, arguments: &[&str]) -> Duration {
    let (since, before) = (Instant::now(), cpu_seconds(13));
    let mut command = Command::new(env!("CARGO_BIN_EXE_kuori"));
    let said = tempfile::tempfile().unwrap();
    command.args(arguments).stdout(said);
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    // The last look before its end counts: a peak never goes down, and who has ended has none.
    while let Some(now) = peak_kib(&status) {
        peak = now;
        thread::sleep(Duration::from_millis(1));
    }
    child.wait().unwrap();
    let (took, busy) = (since.elapsed(), cpu_seconds(13) - before);
    let secs = took.as_secs_f64();
    let peak = peak >> 10;
    println!("  {what:<44} {secs:>8.3} s, {busy:>6.2} s of a processor, peak {peak} MiB");
    took
}

fn peak_kib(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Fields of `stat` (`proc(5)`), in hundredths of a second: from the 11th behind the name on those of this
/// process, from the 13th on those of the children that have ended.
fn cpu_seconds(first: usize) -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks = fields.split(' ').skip(first).take(2);
    let ticks: f64 = ticks.map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// What the command line asks for: a word and a size, or nothing.
pub(crate) fn given() -> (Option<String>, Option<u32>) {
    let mut given = env::args().skip(1).filter(|given| !given.starts_with("--"));
    let what = given.next();
    (what, given.next().map(|size| size.parse().unwrap()))
}

/// Each of them in a process of its own: memory that one has had is not another's.
pub(crate) fn run_each(whats: &[&str]) {
    for what in whats {
        let mut itself = Command::new(env::current_exe().unwrap());
        assert!(itself.arg(what).status().unwrap().success());
    }
}

/// Batches whose messages are routed to mailboxes, in the order of their numbers.
pub(crate) fn routed_batches(store: &Store, batches: u32, messages: u32) -> Vec<BatchRow> {
    let new: Vec<_> = samples::messages(messages).into_iter().map(new).collect();
    let routed = |nth: u32| {
        let row = receive(store, &nth.to_string());
        for page in new.chunks(10_000) {
            store.record_messages(row.id, page).unwrap();
        }
        let opened = OpenOutcome {
            shape: Some("csv"),
            is_test: false,
            print_only: false,
            findings: Vec::new(),
        };
        let next = StepOutcome::next(BatchState::Opened, NOW);
        store.finish_open(&row, &opened, &next, NOW).unwrap();
        let decided: Vec<_> = new.iter().map(|new| to_mailbox(&new.message)).collect();
        for page in decided.chunks(10_000) {
            store.record_decisions(row.id, page, NOW).unwrap();
        }
        let row = store.batch(row.id).unwrap();
        // Nothing of it is due: no step is to take it.
        let next = StepOutcome {
            due_at: None,
            ..StepOutcome::next(BatchState::Reported, NOW)
        };
        store.finish_step(&row, &next, NOW).unwrap();
        store.batch(row.id).unwrap()
    };
    (0..batches).map(routed).collect()
}

fn to_mailbox(message: &Message) -> Routed {
    Routed {
        position: message.position,
        decision: Decision {
            route: Route::To(Channel::Mailbox),
            reason: Reason::MailboxActive,
            asked: Some(Asked {
                status: MailboxStatus::Active,
                at: NOW,
            }),
            registered: false,
        },
    }
}

pub(crate) fn receive(store: &Store, name: &str) -> BatchRow {
    let mut file = store.spool().begin().unwrap();
    std::io::Write::write_all(&mut file, name.as_bytes()).unwrap();
    let key = SpoolKey::new("batches", format!("{name}.zip"));
    let new = NewBatch {
        sender: "example-city".parse().unwrap(),
        file_name: "batch.zip".to_owned(),
        file: file.keep_for_now(&key).unwrap(),
        received_at: NOW,
    };
    let received = store.receive(&new, None).unwrap();
    let (Received::New(batch) | Received::Again(batch)) = received;
    store.batch(batch).unwrap()
}

pub(crate) fn new(message: Message) -> NewMessage {
    NewMessage {
        message,
        fitness: Fitness::BOTH,
        facts: PrintFacts::default(),
        findings: Vec::new(),
    }
}

/// An artificial identity code, another one for each number up to 3,360,000: its individual number is 900 or
/// more.
pub(crate) fn recipient(number: u32) -> RecipientId {
    let (individual, rest) = (900 + number % 100, number / 100);
    let (day, rest) = (1 + rest % 28, rest / 28);
    let (month, year) = (1 + rest % 12, rest / 12 % 100);
    let date = day * 10_000 + month * 100 + year;
    let check = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let check = check.get(((date * 1_000 + individual) % 31) as usize);
    let check = char::from(*check.unwrap());
    format!("{date:06}-{individual}{check}").parse().unwrap()
}
