//! Messages to a mailbox service: `cargo bench --bench suomifi [-- WHAT]`. The stand-in for the service is a
//! process of its own, and so is the house.
//!
//! - `--messages 5000,20000`: messages of 60 kB without a limit, in a batch of each size: messages a second
//!   as the service counts them, processor time of both, memory of the house, which is to be the same;
//! - `--in-flight 32`: how many of them are under way at once;
//! - `--secs 60`: one message a second for so long: the share of the rate that is used, and the most in any
//!   second, as the service counts them; 0 leaves it out;
//! - `--stub`: only the stand-in, asked by a program that writes bytes and reads them: its requests a second.
//!
//! Without any, all with these sizes: two minutes and a half.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod stub_alone;
mod usage;

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use kuori::{
    assemble::Works,
    config,
    domain::{BatchId, RecipientId},
    pipeline::Clock,
    sample::{self, Shape, Spec},
    store::{ConsentChange, ConsentStatus},
    suomifi_stub::{Settings, Stub},
};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};
use usage::Usage;

/// Pages that make a PDF of some 60 kB.
const PAGES: u8 = 25;
const MESSAGES: &str = "5000,20000";
const SECS: u64 = 60;
const IN_FLIGHT: u32 = 32;

fn main() {
    if env::args().any(|it| it == "--service") {
        return serve();
    }
    if let Some(folder) = argument("--house") {
        return work(Path::new(&folder));
    }
    let stub = env::args().any(|it| it == "--stub");
    let messages = argument("--messages");
    let secs = argument("--secs");
    let all = !stub && messages.is_none() && secs.is_none();
    if stub || all {
        stub_alone::ask(&Service::start().address);
    }
    if messages.is_some() || all {
        let in_flight = argument("--in-flight").map_or(IN_FLIGHT, |it| it.parse().unwrap());
        for messages in messages.unwrap_or_else(|| MESSAGES.to_owned()).split(',') {
            without_limit(messages.parse().unwrap(), in_flight);
        }
    }
    let secs = secs.map_or(if all { SECS } else { 0 }, |it| it.parse().unwrap());
    if secs > 0 {
        at_one_a_second(secs);
    }
}

fn without_limit(messages: u32, in_flight: u32) {
    let courier = format!("rate_per_sec = 0.0\nin_flight = {in_flight}");
    let town = Town::new(messages, &courier);
    println!("{messages} messages of some 60 kB, {in_flight} under way at once, no limit");
    let mut house = Command::new(env::current_exe().unwrap());
    let house = house.arg("--house").arg(town.folder.path());
    assert!(house.status().unwrap().success());
    let counts = town.service.asked("counts");
    let (sent, on_its_way) = (counts.sent, counts.secs);
    // A few recipients have no identity code: theirs goes on paper.
    assert!(sent > u64::from(messages) * 9 / 10);
    println!("  first to last at the service  {on_its_way:.1} s");
    println!(
        "  messages a second             {:.0}",
        sent as f64 / on_its_way
    );
    println!(
        "  processor time of the service {:.1} s",
        counts.cpu_seconds
    );
}

/// The house alone, in a process that has not made its batch.
fn work(folder: &Path) {
    let works = open(folder);
    let runtime = Runtime::new().unwrap();
    let (begun, before, is_done) = (Instant::now(), Usage::now(), AtomicBool::new(false));
    let (steps, courier) = thread::scope(|scope| {
        let watching = scope.spawn(|| peaks(&works, &is_done));
        runtime.block_on(works.run_until_idle()).unwrap();
        is_done.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    });
    let (took, used) = (begun.elapsed().as_secs_f64(), Usage::now());
    let counts = works.store.counts(BatchId(1)).unwrap();
    assert_eq!(counts.delivered + counts.printed, counts.received);
    let cpu = used.cpu_seconds - before.cpu_seconds;
    println!("  from the inbox to the end     {took:.1} s");
    println!("  processor time of the house   {cpu:.1} s, all steps counted");
    println!(
        "  own memory until all wait     {} MiB at its peak",
        steps >> 20
    );
    println!(
        "  own memory while it sends     {} MiB at its peak",
        courier >> 20
    );
    println!(
        "  resident, with mapped files   {} MiB at its peak",
        used.peak_mib()
    );
}

/// Own memory at its peak before the first message was sent, and since.
fn peaks(works: &Works, is_done: &AtomicBool) -> (u64, u64) {
    let (mut before, mut since, mut sends) = (0, 0, false);
    while !is_done.load(Ordering::Relaxed) {
        let own = usage::status_bytes("RssAnon");
        if sends {
            since = own.max(since);
        } else {
            before = own.max(before);
            let queues = works.store.queues(jiff::Timestamp::now()).unwrap();
            sends = queues.iter().any(|queue| queue.sent_last_hour > 0);
        }
        thread::sleep(Duration::from_millis(5));
    }
    (before, since)
}

fn at_one_a_second(secs: u64) {
    let town = Town::new(u32::try_from(secs).unwrap() + 60, "rate_per_sec = 1.0");
    let works = town.open();
    let (stop, stopped) = watch::channel(false);
    Runtime::new().unwrap().block_on(async {
        let working = async { works.run_until_idle_or(&stopped).await.map(drop) };
        let waiting = async {
            while town.service.asked("counts").secs < secs as f64 - 0.5 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            stop.send_replace(true);
        };
        let (worked, ()) = tokio::join!(working, waiting);
        worked.unwrap();
    });
    let counts = town.service.asked("counts");
    println!("one message a second for {:.0} s", counts.secs);
    println!(
        "  share of the rate             {:.2} %",
        100.0 * counts.mean_per_sec
    );
    println!("  most in any second            {}", counts.most_in_one_sec);
}

/// A house with one batch in its inbox, and the service beside it.
struct Town {
    service: Service,
    folder: TempDir,
}

impl Town {
    fn new(messages: u32, courier: &str) -> Self {
        let town = Self {
            service: Service::start(),
            folder: tempfile::tempdir().unwrap(),
        };
        for door in [
            "city/inbox",
            "city/receipts",
            "print/pickup",
            "print/feedback",
        ] {
            fs::create_dir_all(town.folder.path().join(door)).unwrap();
        }
        let password = town.folder.path().join("password");
        fs::write(&password, Settings::default().password).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let settings = town.settings(courier);
        fs::write(town.folder.path().join("kuori.toml"), settings).unwrap();
        town.upload(messages);
        town
    }

    fn settings(&self, courier: &str) -> String {
        let (folder, address) = (self.folder.path().display(), &self.service.address);
        format!(
            "data_folder = \"{folder}/data\"\n\
             [server]\nenabled = false\n\
             [suomifi.letters]\nbase_url = \"http://{address}\"\nallows_plain_http = true\n\
             service_id = \"bench\"\nuser = \"stub\"\npassword_file = \"{folder}/password\"\n\
             [suomifi.letters.courier]\n{courier}\n\
             [senders.city]\nsuomifi = \"letters\"\nprint_house = \"print\"\n\
             directory = \"{folder}/city\"\nhold_first_batch = false\n\
             [senders.city.upload]\ncomplete_when = \"renamed\"\n\
             [print_houses.print]\ndirectory = \"{folder}/print\"\n"
        )
    }

    fn open(&self) -> Works {
        open(self.folder.path())
    }

    fn upload(&self, messages: u32) {
        let spec = Spec {
            letters: messages,
            digital_share: 1.0,
            pages: PAGES..=PAGES,
            shape: Shape::ManyPairs,
            ..Spec::default()
        };
        let works = self.open();
        let now = jiff::Timestamp::now();
        let consents = sample::recipients(&spec).filter_map(|recipient| {
            Some(ConsentChange {
                recipient: RecipientId::Person(recipient.id?),
                status: ConsentStatus::Granted,
                since: now,
            })
        });
        let consents: Vec<_> = consents.collect();
        works
            .store
            .record_consents(&consents, "bench", now)
            .unwrap();
        let zip = self.folder.path().join("city/inbox/batch.zip");
        sample::write(&spec, File::create(zip).unwrap(), &|_| {}).unwrap();
    }
}

fn open(folder: &Path) -> Works {
    let settings = fs::read_to_string(folder.join("kuori.toml")).unwrap();
    let config = config::parse(&settings).unwrap();
    Works::open(&config, Clock::new(jiff::Timestamp::now)).unwrap()
}

/// The stand-in, in a process of its own; it answers a line with a line.
struct Service {
    address: String,
    child: std::sync::Mutex<(Child, BufReader<ChildStdout>)>,
}

struct Counts {
    sent: u64,
    secs: f64,
    mean_per_sec: f64,
    most_in_one_sec: u64,
    cpu_seconds: f64,
}

impl Service {
    fn start() -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg("--service")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut address = String::new();
        said.read_line(&mut address).unwrap();
        Self {
            address: address.trim().to_owned(),
            child: std::sync::Mutex::new((child, said)),
        }
    }

    fn asked(&self, what: &str) -> Counts {
        let mut child = self.child.lock().unwrap();
        let (child, said) = &mut *child;
        writeln!(child.stdin.as_mut().unwrap(), "{what}").unwrap();
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let numbers: Vec<f64> = line
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect();
        let [sent, secs, mean_per_sec, most, cpu_seconds] = numbers.try_into().unwrap();
        Counts {
            sent: sent as u64,
            secs,
            mean_per_sec,
            most_in_one_sec: most as u64,
            cpu_seconds,
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let (child, _) = self.child.get_mut().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Until standard input ends.
fn serve() {
    let runtime = Runtime::new().unwrap();
    let stub = runtime.block_on(Stub::start(Settings::default())).unwrap();
    println!("{}", stub.address());
    for _line in std::io::stdin().lines() {
        let counts = stub.counts();
        let (rate, cpu) = (&counts.rate, Usage::now().cpu_seconds);
        println!(
            "{} {} {} {} {cpu}",
            counts.sent, rate.secs, rate.mean_per_sec, rate.most_in_one_sec
        );
    }
}

fn argument(name: &str) -> Option<String> {
    let mut arguments = env::args().skip_while(|argument| argument != name);
    arguments.nth(1)
}
