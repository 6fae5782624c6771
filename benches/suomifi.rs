//! Messages to a mailbox service: `cargo bench --bench suomifi [-- --messages N] [--secs N]
//! [--in-flight N]`. The stand-in for the service is a process of its own, the house another.
//!
//! Without a limit: messages a second, processor time of both, peak memory of the house. With one a
//! second: the share of the rate that is used, and the most in any second, as the service counts them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bench that cannot make its input ends here, and it prints what it found"
)]

mod usage;

use std::{
    env,
    fs::{self, File},
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    process::{Child, ChildStdout, Command, Stdio},
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
const MESSAGES: u32 = 10_000;
const SECS: u64 = 120;
const IN_FLIGHT: u32 = 32;

fn main() {
    if env::args().any(|it| it == "--service") {
        return serve();
    }
    let number = |name| argument(name).map(|it| it.parse::<u32>().unwrap());
    let messages = number("--messages").unwrap_or(MESSAGES);
    let in_flight = number("--in-flight").unwrap_or(IN_FLIGHT);
    let secs = argument("--secs").map_or(SECS, |it| it.parse().unwrap());
    without_limit(messages, in_flight);
    at_one_a_second(secs);
}

fn without_limit(messages: u32, in_flight: u32) {
    let courier = format!("rate_per_sec = 0.0\nin_flight = {in_flight}");
    let town = Town::new(messages, &courier);
    let works = town.open();
    let runtime = Runtime::new().unwrap();
    // Opened and queued first, so that what is measured is the way to the service.
    let (begun, before) = (Instant::now(), Usage::now());
    runtime.block_on(works.run_until_idle()).unwrap();
    let (took, used) = (begun.elapsed().as_secs_f64(), Usage::now());
    let counts = town.service.asked("counts");
    let (sent, on_its_way) = (counts.sent, counts.secs);
    assert_eq!(sent, u64::from(messages));
    let delivered = works.store.counts(BatchId(1)).unwrap().delivered;
    assert_eq!(delivered, u64::from(messages));
    println!("{messages} messages of some 60 kB, {in_flight} under way at once, no limit");
    println!("  first to last at the service  {on_its_way:.1} s");
    println!(
        "  messages a second             {:.0}",
        sent as f64 / on_its_way
    );
    println!("  from the inbox to the end     {took:.1} s");
    println!(
        "  processor time of the house   {:.1} s",
        used.cpu_seconds - before.cpu_seconds
    );
    println!(
        "  processor time of the service {:.1} s",
        counts.cpu_seconds
    );
    println!("  peak memory of the house      {} MiB", used.peak_mib());
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
        let settings = fs::read_to_string(self.folder.path().join("kuori.toml")).unwrap();
        let config = config::parse(&settings).unwrap();
        Works::open(&config, Clock::new(jiff::Timestamp::now)).unwrap()
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
