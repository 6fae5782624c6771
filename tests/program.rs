//! The real program as an operator starts it, on a site of its own: a settings file, plain folders
//! for the sender and the print house, and a data folder.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long a test waits for the program before it fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a finished program has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// A site in a temporary folder.
pub(crate) struct Site(TempDir);

impl Site {
    pub(crate) fn new() -> Self {
        let site = Self(tempfile::tempdir().unwrap());
        for folder in ["sender/inbox", "print-house/pickup", "sampled"] {
            fs::create_dir_all(site.path(folder)).unwrap();
        }
        fs::write(site.path("kuori.toml"), site.settings()).unwrap();
        site
    }

    /// The program is killed from outside here, time and again: no batch is to blame.
    fn settings(&self) -> String {
        let folder = self.0.path().display();
        format!(
            "data_folder = \"{folder}/data\"\n\
             poll_interval_secs = 1\n\
             [server]\n\
             enabled = false\n\
             [runner]\n\
             max_crashes = 1000\n\
             [senders.example-city]\n\
             display_name = \"Example City\"\n\
             print_house = \"example-print\"\n\
             directory = \"{folder}/sender\"\n\
             hold_first_batch = false\n\
             [senders.example-city.upload]\n\
             complete_when = \"renamed\"\n\
             [print_houses.example-print]\n\
             directory = \"{folder}/print-house\"\n"
        )
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// The program with the words of `line`, in the site's folder and on its data folder.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kuori"));
        command
            .args(line.split_whitespace())
            .current_dir(self.0.path())
            .env("KUORI_DATA", self.data())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn kuori(&self, line: &str) -> Said {
        self.command(line).output().unwrap().into()
    }

    /// Runs a command that has to end with 0.
    pub(crate) fn done(&self, line: &str) -> Said {
        let said = self.kuori(line);
        assert_eq!(said.code, Some(0), "kuori {line}: {said:?}");
        said
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        self.done(&format!("{line} --json")).json()
    }

    /// Makes a sample batch, gives its recipients their mailboxes, and says where it is.
    pub(crate) fn sample(&self, name: &str, options: &str) -> PathBuf {
        self.done(&format!(
            "sample sampled/{name} {options} --consents sampled/{name}.csv --force"
        ));
        self.done(&format!("consent import sampled/{name}.csv"));
        self.path("sampled").join(name)
    }

    /// Uploads a batch as a careful sender does: under a temporary name, then renamed.
    pub(crate) fn upload(&self, batch: &Path) {
        let name = batch.file_name().unwrap().to_str().unwrap();
        let part = self.path("sender/inbox").join(format!("{name}.part"));
        fs::copy(batch, &part).unwrap();
        fs::rename(&part, self.path("sender/inbox").join(name)).unwrap();
    }

    /// Starts the daemon; its log goes to `daemon.log`, one run after the other.
    pub(crate) fn start(&self) -> Running {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.path("daemon.log"))
            .unwrap();
        let child = self
            .command("run --config kuori.toml")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Running(child.unwrap())
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("daemon.log")).unwrap_or_default()
    }

    /// Files below a folder of the site.
    pub(crate) fn files(&self, folder: &str) -> Vec<PathBuf> {
        files_below(&self.path(folder))
    }

    /// Names of the entries of a folder of the site, sorted; none where it is missing.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// A program that runs. Dropped, it is killed.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// SIGKILL: it has no say in the matter.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Sends a signal by its name, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end; returns the exit code and how long it took.
    pub(crate) fn wait(mut self) -> (Option<i32>, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return (status.code(), since.elapsed());
            }
            assert!(since.elapsed() < PATIENCE, "the program does not stop");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Stops it as `systemctl stop` does, and expects it to do so with 0 and soon.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        let (code, took) = self.wait();
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(10), "{took:?}");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < PATIENCE, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What the recipients and the print house have in their hands: how often each message is where.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct InHands {
    pub(crate) in_mailboxes: BTreeMap<String, u32>,
    pub(crate) in_piece_lists: BTreeMap<String, u32>,
}

impl InHands {
    /// Counted in files alone, not in what the house says of itself.
    pub(crate) fn count(mailboxes: &Path, pickup: &Path) -> Self {
        let mut hands = Self::default();
        for file in files_below(mailboxes) {
            let place = file.parent().and_then(Path::file_name).unwrap_or_default();
            assert_ne!(place, "tmp", "a draft is left: {}", file.display());
            if place == "new" || place == "cur" {
                *hands.in_mailboxes.entry(message_in(&file)).or_default() += 1;
            }
        }
        for bundle in fs::read_dir(pickup).into_iter().flatten() {
            for message in pieces_of(&bundle.unwrap().path()) {
                *hands.in_piece_lists.entry(message).or_default() += 1;
            }
        }
        hands
    }

    pub(crate) fn letters(&self) -> u32 {
        self.in_mailboxes.values().sum::<u32>() + self.in_piece_lists.values().sum::<u32>()
    }

    /// Fails where a message is in two places, or twice in one.
    pub(crate) fn assert_nothing_twice(&self) {
        let twice = |found: &BTreeMap<String, u32>| {
            let mut twice = found.clone();
            twice.retain(|_, times| *times > 1);
            twice
        };
        assert_eq!(twice(&self.in_mailboxes), BTreeMap::new());
        assert_eq!(twice(&self.in_piece_lists), BTreeMap::new());
        for message in self.in_mailboxes.keys() {
            assert!(
                !self.in_piece_lists.contains_key(message),
                "{message} went both ways"
            );
        }
    }
}

/// The message id that a delivered MIME file carries.
fn message_in(file: &Path) -> String {
    let mut head = Vec::new();
    let mut opened = fs::File::open(file).unwrap().take(4096);
    opened.read_to_end(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head);
    let header = head
        .lines()
        .find_map(|line| line.strip_prefix("X-Kuori-Message: "));
    header
        .unwrap_or_else(|| panic!("{} names no message", file.display()))
        .to_owned()
}

/// The messages of a bundle that is whole: four files, the digests those of its job ticket.
fn pieces_of(bundle: &Path) -> Vec<String> {
    let id = bundle.file_name().unwrap().to_str().unwrap();
    let names: Vec<_> = files_below(bundle)
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let whole = ["job.xml", "ok", "pdf", "pieces.csv"].map(|ending| format!("{id}.{ending}"));
    assert_eq!(names, whole, "{id} is not whole");
    let ticket = fs::read_to_string(bundle.join(format!("{id}.job.xml"))).unwrap();
    for ending in ["pdf", "pieces.csv"] {
        let digest = sha256(&bundle.join(format!("{id}.{ending}")));
        assert!(ticket.contains(&digest), "{id}.{ending} is another file");
    }
    let list = fs::read_to_string(bundle.join(format!("{id}.pieces.csv"))).unwrap();
    let rows = list.lines().skip(1);
    rows.map(|row| row.split(',').nth(1).unwrap().to_owned())
        .collect()
}

fn sha256(file: &Path) -> String {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(fs::read(file).unwrap());
    let hex = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    hex.filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Random delays that are the same in every run: Steele, Lea and Flood's splitmix64.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
