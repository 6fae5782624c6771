//! One day of a house with six doors: letters come in by all of them, operators approve, cancel and
//! set back, print houses fetch. The processes are killed where a test wants it, and started again.

use std::{
    collections::VecDeque,
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use kuori::transport::{
    HostKey, Login, ReadBack, RemoteFolder, RemotePath, SftpFolder, SftpSettings,
};
use tokio::runtime::Runtime;

use super::{
    ledger::Ledger,
    points::{Kill, Passed, Who},
    props::{Door, PROPS, Props},
};
use crate::{
    faults::far_side::FarSide,
    program::{Running, Site},
    sftp::house::make_key,
};

/// How long a day waits for one thing before it fails.
const PATIENCE: Duration = Duration::from_mins(3);
/// A letter of the area that an operator takes back.
const CALLED_OFF: u32 = 5;
/// More bundles than a day has.
const BUNDLES: u32 = 40;
pub(super) const BATCHES: u64 = PROPS.len() as u64 + 1;

pub(super) struct Day<'p> {
    pub(super) site: Site,
    pub(super) far: FarSide,
    props: &'p Props,
    runtime: &'p Runtime,
    daemon: Option<Running>,
    starts: u32,
    /// Kills that are still to come, one after the other.
    plan: VecDeque<Kill>,
    pub(super) killed: Vec<Kill>,
    is_recorded: bool,
}

impl<'p> Day<'p> {
    /// Plays a whole day; what was planned and not reached is left out.
    pub(super) fn play(props: &'p Props, runtime: &'p Runtime, plan: &[Kill]) -> Self {
        let mut day = Self::new(props, runtime);
        day.plan = plan.iter().cloned().collect();
        day.go();
        day
    }

    /// Plays a day without a kill, and counts the points that it passes.
    pub(super) fn record(props: &'p Props, runtime: &'p Runtime) -> (Self, Passed) {
        let mut day = Self::new(props, runtime);
        day.is_recorded = true;
        day.go();
        let mut passed = Passed::default();
        for who in [Who::Daemon, Who::Command] {
            passed.count(who, &day.site.path(log_of(who)));
        }
        (day, passed)
    }

    fn new(props: &'p Props, runtime: &'p Runtime) -> Self {
        let site = Site::new();
        for folder in ["portal", "parish/inbox", "area/inbox", "printed"] {
            fs::create_dir_all(site.path(folder)).unwrap();
        }
        let far = runtime.block_on(FarSide::start());
        for folder in ["town/inbox", "press/pickup"] {
            fs::create_dir_all(far.on_disk(folder)).unwrap();
        }
        let region_key = make_key(&site.path("region.key"));
        let text = settings(&site, &far, &region_key);
        fs::write(site.path("kuori.toml"), text).unwrap();
        Self {
            site,
            far,
            props,
            runtime,
            daemon: None,
            starts: 0,
            plan: VecDeque::new(),
            killed: Vec::new(),
            is_recorded: false,
        }
    }

    fn go(&mut self) {
        // This print house cannot be reached for a while.
        fs::rename(self.site.path("print-house"), self.site.path("away")).unwrap();
        self.obstruct_area();
        self.make_key();
        // Before any letter: a command that is killed starts the daemon.
        let consents = self.props.path("consents.csv");
        self.deed(&format!("consent import {}", consents.display()), |_| false);
        self.upload_files();
        self.upload_over_sftp();
        self.operate();
        self.until("all is done", |ledger| ledger.is_done(BATCHES));
        self.end();
    }

    /// What operators do in the middle of it.
    fn operate(&mut self) {
        for (deed, is_disabled) in [("disable", true), ("enable", false)] {
            let line = format!("account {deed} example-region --reason drill");
            self.deed(&line, |ledger| {
                ledger.is_disabled("example-region") == is_disabled
            });
        }
        self.deed("inbox poll", |_| false);
        self.until("the parish is held", |ledger| {
            ledger.rests("parish.zip", "held")
        });
        self.deed_to("batch hold", "parish.zip", "", "put on hold");
        self.until("the parish is told", |ledger| {
            ledger.rests("parish.zip", "held")
        });
        self.deed_to("batch release", "parish.zip", "", "released");
        self.deed_to("batch cancel", "parish.zip", "", "cancelled");
        for (deed, what) in [("hold", "held"), ("release", "released")] {
            let line = format!("sender {deed} example-parish --reason drill");
            self.deed(&line, |ledger| ledger.was_done_to("example-parish", what));
        }
        self.until("the area is held", |ledger| {
            ledger.rests("area.zip", "held")
        });
        self.call_a_letter_off();
        self.deed_to("batch approve", "area.zip", "", "approved");
        self.until("the broken one is refused", |ledger| {
            ledger.rests("broken.zip", "refused")
        });
        self.deed_to("reprocess", "broken.zip", "", "reprocess");
        self.until("the area's bundles are held at the door", |ledger| {
            let held = "SELECT COUNT(*) FROM outgoing o JOIN batches b ON b.id = o.batch
                 WHERE b.file_name = 'area.zip' AND o.bundle IS NOT NULL";
            let waiting = format!("{held} AND o.held_at IS NULL");
            ledger.rests("area.zip", "reported")
                && ledger.count(held) > 0
                && ledger.count(&waiting) == 0
        });
        self.back_up();
        self.clear_area();
        let (away, pickup) = (self.site.path("away"), self.site.path("print-house"));
        fs::rename(away, pickup).unwrap();
        self.deed_to("reprocess", "area.zip", "--from compose", "reprocess");
        self.deed("outbox retry --reason drill", |_| false);
    }

    /// One of a batch that goes on without it.
    fn call_a_letter_off(&mut self) {
        let ledger = Ledger::open(&self.site.data()).unwrap();
        let batch = ledger.batch("area.zip").unwrap();
        let line = format!("message cancel B-{batch:04}-{CALLED_OFF} --reason drill");
        self.deed(&line, |ledger| {
            ledger.was_done("area.zip", "messages cancelled")
        });
    }

    /// In the middle of the day. What a kill has cut off is no backup, and is made anew.
    fn back_up(&mut self) {
        let saved = self.site.path("saved");
        self.deed("backup saved --config kuori.toml", |_| saved.exists());
        self.site.done("backup verify saved");
    }

    /// Files of another content under the names of the area's piece lists: its bundles get no
    /// further than their PDF.
    fn obstruct_area(&self) {
        for bundle in 1..=BUNDLES {
            let name = format!("P-{bundle:04}");
            let folder = self.site.path("copy-house/pickup").join(&name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}.pieces.csv")), b"in the way").unwrap();
        }
    }

    fn clear_area(&self) {
        for bundle in 1..=BUNDLES {
            let name = format!("P-{bundle:04}/P-{bundle:04}.pieces.csv");
            fs::remove_file(self.site.path("copy-house/pickup").join(name)).unwrap();
        }
    }

    fn upload_files(&self) {
        let town = self.far.on_disk("town/inbox");
        for prop in &PROPS {
            let folder = match prop.door {
                Door::City => self.site.path("sender/inbox"),
                Door::Portal => self.site.path("portal"),
                Door::Parish => self.site.path("parish/inbox"),
                Door::Area => self.site.path("area/inbox"),
                Door::Town => town.clone(),
                Door::Region => continue,
            };
            fs::copy(self.props.path(prop.name), folder.join(prop.name)).unwrap();
        }
        fs::write(town.join("town.zip.ok"), b"").unwrap();
        let leaflet = self.props.path("leaflet.zip");
        fs::copy(leaflet, self.site.path("portal/leaflet.zip")).unwrap();
    }

    /// As a sender's client does it: again until it is told that the file is there, and never after.
    fn upload_over_sftp(&mut self) {
        let from = self.props.path("region.zip");
        let to: RemotePath = "inbox/region.zip".parse().unwrap();
        let since = Instant::now();
        loop {
            self.keep_alive();
            self.take_bundles();
            if let Some(settings) = self.login() {
                let uploading = async {
                    let folder = SftpFolder::connect(settings).await?;
                    folder.upload(&from, &to, ReadBack::Size).await
                };
                if self.runtime.block_on(uploading).is_ok() {
                    return;
                }
            }
            assert!(since.elapsed() < PATIENCE, "nothing can be uploaded");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Once the daemon serves.
    fn login(&self) -> Option<SftpSettings> {
        let log = fs::read_to_string(self.log_file())
            .ok()?
            .replace('\u{1b}', "");
        let port = log.split("address=127.0.0.1:").nth(1)?;
        let host_key = self.site.data().join("sftp-host-keys/ssh_host_ed25519_key");
        let host_key = russh::keys::load_secret_key(host_key, None).ok()?;
        let pin = host_key.fingerprint(russh::keys::HashAlg::Sha256);
        Some(SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: port.split(char::is_whitespace).next()?.parse().ok()?,
            user: "example-region".to_owned(),
            login: Login::Key(self.site.path("region.key")),
            host_key: HostKey::Fingerprints(vec![pin.to_string()]),
            ..SftpSettings::default()
        })
    }

    /// Carries a command out that an operator would give to one batch.
    fn deed_to(&mut self, words: &str, file: &'static str, more: &str, what: &'static str) {
        let ledger = Ledger::open(&self.site.data()).unwrap();
        let batch = ledger.batch(file).unwrap();
        let line = format!("{words} B-{batch:04} {more} --reason drill");
        self.deed(&line, |ledger| ledger.was_done(file, what));
    }

    /// Without its key the daemon does not start: it is made before all else.
    fn make_key(&mut self) {
        let since = Instant::now();
        while let Err(said) = self.give("receipt key --config kuori.toml") {
            assert!(since.elapsed() < PATIENCE, "no key: {said}");
        }
    }

    /// Gives a command until it says that it is done. Who saw it end in any other way looks first
    /// whether it was done.
    fn deed(&mut self, line: &str, is_done: impl Fn(&Ledger) -> bool) {
        let since = Instant::now();
        loop {
            if let Some(ledger) = Ledger::open(&self.site.data())
                && is_done(&ledger)
            {
                return;
            }
            let Err(said) = self.give(line) else { return };
            assert!(since.elapsed() < PATIENCE, "kuori {line}: {said}");
            self.keep_alive();
            self.take_bundles();
        }
    }

    /// Gives a command once; `Err` with what it said where it was not done, or was killed.
    fn give(&mut self, line: &str) -> Result<(), String> {
        let mut command = self.site.command(line);
        self.arm(&mut command, Who::Command);
        let output = command.output().unwrap();
        if output.status.signal() == Some(9) {
            self.killed.extend(self.plan.pop_front());
        } else if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn until(&mut self, what: &str, holds: impl Fn(&Ledger) -> bool) {
        let since = Instant::now();
        loop {
            self.keep_alive();
            self.take_bundles();
            let ledger = Ledger::open(&self.site.data());
            if ledger.as_ref().is_some_and(&holds) {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "waited in vain until {what}: {:?}\n{}",
                ledger.map(|ledger| ledger.what_is_left()),
                self.last_words()
            );
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Starts the daemon where it does not run: it has not yet, or it was killed.
    fn keep_alive(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            let Some(status) = daemon.0.try_wait().unwrap() else {
                return;
            };
            let was_to_be = self.is_daemon_to_be_killed();
            assert!(
                status.signal() == Some(9) && was_to_be,
                "the daemon ended by itself: {status}\n{}",
                self.last_words()
            );
            self.killed.extend(self.plan.pop_front());
        }
        self.starts += 1;
        let mut command = self.site.command("run --config kuori.toml");
        self.arm(&mut command, Who::Daemon);
        let log = fs::File::create(self.log_file()).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn();
        self.daemon = Some(Running(child.unwrap()));
    }

    fn arm(&self, command: &mut std::process::Command, who: Who) {
        if let Some(kill) = self.plan.front().filter(|kill| kill.who == who) {
            command.env("KUORI_CRASH_AT", kill.at());
        }
        if self.is_recorded {
            command.env("KUORI_CRASH_LOG", self.site.path(log_of(who)));
        }
    }

    /// The print houses: each takes a bundle away, folder and all, the moment its marker stands there.
    fn take_bundles(&self) {
        let far = self.far.on_disk("press/pickup");
        for pickup in ["print-house/pickup", "copy-house/pickup"].map(|it| self.site.path(it)) {
            take_from(&pickup, &self.site.path("printed"));
        }
        take_from(&far, &self.site.path("printed"));
    }

    /// Ends the daemon; where a command was killed, only after a start has put things in order.
    fn end(&mut self) {
        if self.killed.iter().any(|kill| kill.who == Who::Command) {
            self.stop();
            self.keep_alive();
            self.until_it_is_up();
        }
        self.stop();
    }

    /// Where the daemon is killed at its end, it is started once more and stopped. One that has just
    /// been started does not listen for signals yet.
    fn stop(&mut self) {
        if self.daemon.is_some() {
            self.until_it_is_up();
        }
        if let Some(daemon) = self.daemon.take() {
            daemon.signal("TERM");
            let (code, _took) = daemon.wait();
            if code.is_none() && self.is_daemon_to_be_killed() {
                self.killed.extend(self.plan.pop_front());
                self.keep_alive();
                self.until_it_is_up();
                return self.stop();
            }
            assert_eq!(code, Some(0), "{}", self.last_words());
        }
    }

    fn until_it_is_up(&mut self) {
        let log = self.log_file();
        self.until("it is up again", |_| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            log.contains("serving SFTP")
        });
    }

    fn is_daemon_to_be_killed(&self) -> bool {
        self.plan
            .front()
            .is_some_and(|kill| kill.who == Who::Daemon)
    }

    fn log_file(&self) -> std::path::PathBuf {
        self.site.path(&format!("daemon-{}.log", self.starts))
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(12).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

fn log_of(who: Who) -> &'static str {
    match who {
        Who::Daemon => "points-of-daemon.log",
        Who::Command => "points-of-commands.log",
    }
}

fn take_from(pickup: &Path, printed: &Path) {
    for entry in fs::read_dir(pickup).into_iter().flatten() {
        let Ok(bundle) = entry.unwrap().file_name().into_string() else {
            continue;
        };
        if pickup.join(&bundle).join(format!("{bundle}.ok")).exists()
            && !is_being_written(&pickup.join(&bundle))
        {
            // Not replaced: a bundle that comes a second time fails the test.
            assert!(!printed.join(&bundle).exists(), "{bundle} came twice");
            fs::rename(pickup.join(&bundle), printed.join(&bundle)).unwrap();
        }
    }
}

/// A server that renames by a link has the marker under both names for a moment.
fn is_being_written(bundle: &Path) -> bool {
    let mut files = fs::read_dir(bundle).into_iter().flatten();
    files.any(|file| {
        let name = file.unwrap().file_name();
        Path::new(&name).extension().is_some_and(|it| it == "part")
    })
}

fn settings(site: &Site, far: &FarSide, region_key: &str) -> String {
    let folder = site.path("");
    let folder = folder.to_str().unwrap().trim_end_matches('/');
    let reached = far.settings(far.address());
    let HostKey::Fingerprints(pins) = &reached.host_key else {
        panic!("the far side has no fingerprint");
    };
    let far_side = format!(
        "host = \"{}\"\nport = {}\nuser = \"{}\"\nkey_file = \"{}\"\nfingerprints = [\"{}\"]\n",
        reached.host,
        reached.port,
        reached.user,
        far.dir.path().join("key").display(),
        pins[0]
    );
    let sender = |name: &str, prints_at: &str, first: bool| {
        format!(
            "[senders.{name}]\ndisplay_name = \"{name}\"\nprint_house = \"{prints_at}\"\n\
             hold_first_batch = {first}\nhold_above_error_percent = 100\n\
             artificial_ids = \"accept\"\n"
        )
    };
    let house = "pickup_look_secs = 1\n";
    [
        format!("data_folder = \"{folder}/data\"\npoll_interval_secs = 1\n"),
        "[runner]\nfirst_wait_secs = 1\n[server]\nlisten = \"127.0.0.1:0\"\n".to_owned(),
        sender("example-city", "example-print", false),
        format!("sign_receipts = true\ndirectory = \"{folder}/sender\"\n"),
        "[senders.example-city.upload]\ncomplete_when = \"renamed\"\ndone_folder = \"done\"\n"
            .to_owned(),
        format!(
            "[[senders.example-city.inboxes]]\nname = \"portal\"\ndirectory = \"{folder}/portal\"\n\
             folder = \"\"\nupload = {{ complete_when = \"renamed\", taking = \"read-only\" }}\n"
        ),
        sender("example-region", "example-print", false),
        format!("[senders.example-region.account]\npublic_keys = [\"{region_key}\"]\n"),
        sender("example-parish", "example-print", true),
        format!("directory = \"{folder}/parish\"\n"),
        "[senders.example-parish.upload]\ncomplete_when = \"renamed\"\n".to_owned(),
        sender("example-area", "example-copy", true),
        format!("directory = \"{folder}/area\"\n"),
        "[senders.example-area.upload]\ncomplete_when = \"renamed\"\n".to_owned(),
        sender("example-town", "example-press", false),
        "[senders.example-town.upload]\ncomplete_when = \"marker\"\n".to_owned(),
        format!("[senders.example-town.sftp]\n{far_side}folder = \"town\"\n"),
        format!("[print_houses.example-print]\n{house}directory = \"{folder}/print-house\"\n"),
        format!("[print_houses.example-copy]\n{house}directory = \"{folder}/copy-house\"\n"),
        format!(
            "[print_houses.example-press]\n{house}[print_houses.example-press.sftp]\n{far_side}folder = \"press\"\n"
        ),
    ]
    .concat()
}
