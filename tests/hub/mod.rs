//! A whole house in a temporary folder, with plain folders for its doors and a clock that stands.
//!
//! When it is dropped it fails the test if something is due, if a spooled file has no row, or if
//! `kuori verify` would find a broken rule.

mod settings;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::Timestamp;
use kuori::{
    domain::{BatchId, MessageId, RecipientId},
    inbox::{self, Inbox},
    mailbox::Mailbox,
    outbox::{self, Outbox},
    pipeline::{self, House, Looked, Mailboxes, ReadLooks, ReadSettings, Runner, SenderSettings},
    print, sample,
    signing::Signer,
    store::{
        ConsentChange, ConsentStatus, Counts, FiredTimers, NewEvent, Place, Received, Store,
        Verification,
    },
    transport::{DirectoryFolder, RemoteFolder},
};
use tempfile::TempDir;
use tokio::sync::Notify;

pub(crate) use self::settings::{house, inbox_settings, sender};
use self::settings::{places, timer_rule};

pub(crate) struct Hub {
    pub(crate) store: Arc<Store>,
    house: Arc<House>,
    inbox: Inbox,
    runner: Runner,
    outbox: Outbox,
    /// What the clock of the house shows.
    time: Arc<Mutex<Timestamp>>,
    folder: TempDir,
}

impl Hub {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A house whose only sender's settings are changed first.
    pub(crate) fn with(change: impl FnOnce(&mut SenderSettings)) -> Self {
        let mut sender = sender();
        change(&mut sender);
        Self::of(sender, print::Settings::default(), |_| {})
    }

    /// A house whose print house has other wishes.
    pub(crate) fn with_print(print: print::Settings) -> Self {
        Self::of(sender(), print, |_| {})
    }

    /// Both.
    pub(crate) fn with_sender_and_print(
        change: impl FnOnce(&mut SenderSettings),
        print: print::Settings,
    ) -> Self {
        let mut sender = sender();
        change(&mut sender);
        Self::of(sender, print, |_| {})
    }

    /// A house that reaches its mailboxes through something else.
    pub(crate) fn with_mailbox(wrap: impl FnOnce(Arc<dyn Mailbox>) -> Arc<dyn Mailbox>) -> Self {
        Self::of(sender(), print::Settings::default(), |house| {
            house.mailbox = wrap(Arc::clone(&house.mailbox));
        })
    }

    /// A house of which something else is other than usual.
    pub(crate) fn with_house(change: impl FnOnce(&mut House)) -> Self {
        Self::of(sender(), print::Settings::default(), change)
    }

    /// A house that signs its receipts with a key of its own.
    pub(crate) fn signing(change: impl FnOnce(&mut SenderSettings), key: &Path) -> Self {
        let mut sender = sender();
        sender.receipts.sign = true;
        change(&mut sender);
        Self::of(sender, print::Settings::default(), |house| {
            house.signer = Some(Signer::open_or_make(key).unwrap());
        })
    }

    fn of(sender: SenderSettings, print: print::Settings, change: impl FnOnce(&mut House)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(&folder.path().join("data")).unwrap());
        store.know_timers(&[timer_rule(&sender)]).unwrap();
        let time = Arc::new(Mutex::new(now()));
        let mut house = house(&store, folder.path(), sender, print, &time);
        change(&mut house);
        let house = Arc::new(house);
        let places = places(folder.path());
        let wake = || Arc::new(Notify::new());
        let runner = Runner::new(
            Arc::clone(&house),
            pipeline::Settings::default(),
            wake(),
            wake(),
        );
        let sender_folder = Arc::clone(&places[&Place::Sender("example-city".parse().unwrap())]);
        Self {
            inbox: Inbox::new(Arc::clone(&store), sender_folder, inbox_settings()),
            outbox: Outbox::new(Arc::clone(&store), places, outbox::Settings::default()),
            house,
            runner,
            time,
            store,
            folder,
        }
    }

    /// The recipients of a sample with a mailbox get one.
    pub(crate) fn consent(&self, spec: &sample::Spec) {
        self.record_consents(spec, ConsentStatus::Granted);
    }

    pub(crate) fn withdraw_consents(&self, spec: &sample::Spec) {
        self.record_consents(spec, ConsentStatus::Withdrawn);
    }

    fn record_consents(&self, spec: &sample::Spec, status: ConsentStatus) {
        let granted = |recipient: sample::SampleRecipient| {
            recipient
                .id
                .filter(|_| recipient.has_mailbox)
                .map(|id| ConsentChange {
                    recipient: RecipientId::Person(id),
                    status,
                    since: now(),
                })
        };
        let page: Vec<_> = sample::recipients(spec).filter_map(granted).collect();
        self.store.record_consents(&page, "test", now()).unwrap();
    }

    /// Makes a step due that was put off: the clock of a hub stands.
    pub(crate) fn try_again_now(&self) {
        let row = self.store.batches(1).unwrap().remove(0);
        self.store.retry_step(&row, "", now()).unwrap();
    }

    /// Puts a batch into the inbox under its final name.
    pub(crate) fn upload(&self, name: &str, bytes: &[u8]) {
        fs::write(self.sender_folder().join("inbox").join(name), bytes).unwrap();
    }

    pub(crate) fn upload_sample(&self, name: &str, spec: &sample::Spec) {
        let file = File::create(self.sender_folder().join("inbox").join(name)).unwrap();
        sample::write(spec, file, &|_| {}).unwrap();
    }

    /// Polls, runs steps and hands over until nothing is left to do.
    pub(crate) async fn run(&self) -> Vec<Received> {
        let received = self.inbox.poll(now()).await.unwrap();
        loop {
            self.runner.run_until_idle().await.unwrap();
            if !self.hand_over_all().await {
                return received;
            }
        }
    }

    /// As [`Hub::run`], as far as the store lets it.
    pub(crate) async fn try_to_run(&self) -> Result<(), Box<dyn std::error::Error>> {
        self.inbox.poll(now()).await?;
        loop {
            self.runner.run_until_idle().await?;
            let mut any = false;
            while self.outbox.hand_over_next(now()).await? {
                any = true;
            }
            if !any {
                return Ok(());
            }
        }
    }

    /// As [`Hub::run`], without a look into the inbox.
    pub(crate) async fn run_steps(&self) {
        self.runner.run_until_idle().await.unwrap();
        while self.hand_over_all().await {
            self.runner.run_until_idle().await.unwrap();
        }
    }

    /// A look into the inbox alone.
    pub(crate) async fn poll(&self) -> Vec<Received> {
        self.inbox.poll(self.time()).await.unwrap()
    }

    /// One step or delivery report that is due, if there is one.
    pub(crate) async fn run_one_step(&self) -> bool {
        self.runner.run_one().await.unwrap()
    }

    /// One hand-over that is due, if there is one.
    pub(crate) async fn hand_over_one(&self) -> bool {
        let time = self.time();
        self.outbox.hand_over_next(time).await.unwrap()
    }

    /// Messages whose time to be read is over go on paper.
    pub(crate) fn fire_timers(&self) -> FiredTimers {
        pipeline::fire_timers(&self.house, &|| false).unwrap()
    }

    /// As [`Hub::fire_timers`], by settings that know no sender any more.
    pub(crate) fn fire_timers_without_senders(&self) -> FiredTimers {
        self.fire_timers_with(|house| house.senders.clear())
    }

    /// As [`Hub::fire_timers`], by the usual settings but for what is changed.
    pub(crate) fn fire_timers_with(&self, change: impl FnOnce(&mut House)) -> FiredTimers {
        let print = print::Settings::default();
        let mut house = house(&self.store, self.path(), sender(), print, &self.time);
        change(&mut house);
        pipeline::fire_timers(&house, &|| false).unwrap()
    }

    pub(crate) fn time(&self) -> Timestamp {
        *self.time.lock().unwrap()
    }

    /// The clock of the house goes on.
    pub(crate) fn pass(&self, time: jiff::SignedDuration) {
        *self.time.lock().unwrap() += time;
    }

    /// What breaks a rule of the house: code, what it is about, and how.
    pub(crate) fn broken_rules(&self) -> Vec<String> {
        let options = Verification {
            deep: true,
            ..Verification::at_rest(self.time())
        };
        let found = self.store.verify(&options, &|_| {}).unwrap();
        let broken = found.problems.iter();
        let broken = broken.filter(|problem| !problem.breach.is_note());
        broken
            .map(|it| format!("{} {}: {}", it.breach.as_str(), it.about, it.how))
            .collect()
    }

    /// As [`Hub::run`], at another time; what comes after has the usual one again.
    pub(crate) async fn run_at(&self, time: Timestamp) {
        *self.time.lock().unwrap() = time;
        self.run().await;
        *self.time.lock().unwrap() = now();
    }

    /// Whether there was anything.
    pub(crate) async fn hand_over_all(&self) -> bool {
        let mut any = false;
        let time = *self.time.lock().unwrap();
        while self.outbox.hand_over_next(time).await.unwrap() {
            any = true;
        }
        any
    }

    /// As [`Hub::run`], but with the print house out of reach.
    pub(crate) async fn run_without_hand_over(&self) {
        self.inbox.poll(now()).await.unwrap();
        self.runner.run_until_idle().await.unwrap();
    }

    /// Uploads a batch, runs it through and says which one it became.
    pub(crate) async fn process(&self, name: &str, bytes: &[u8]) -> BatchId {
        self.upload(name, bytes);
        self.run().await;
        self.store.batches(1).unwrap()[0].id
    }

    pub(crate) fn counts(&self) -> Counts {
        self.store
            .counts(self.store.batches(1).unwrap()[0].id)
            .unwrap()
    }

    /// A look at the messages that are awaited to be read.
    pub(crate) async fn look_for_reads(
        &self,
        after: Option<MessageId>,
        settings: ReadSettings,
    ) -> Looked {
        self.try_to_look(after, settings).await.unwrap()
    }

    /// As [`Hub::look_for_reads`], as far as the mailboxes let it.
    pub(crate) async fn try_to_look(
        &self,
        after: Option<MessageId>,
        settings: ReadSettings,
    ) -> Result<Looked, pipeline::Error> {
        let mailboxes = Mailboxes {
            earnest: Arc::clone(&self.house.mailbox),
            test: Arc::clone(&self.house.test_mailbox),
        };
        let looks = ReadLooks::new(Arc::clone(&self.store), mailboxes, settings);
        let time = self.time();
        let look = move || looks.look(after, time, &|| false);
        tokio::task::spawn_blocking(look).await.unwrap()
    }

    /// The sender's folder as the house reaches it.
    pub(crate) fn sender_door(&self) -> Arc<dyn RemoteFolder> {
        Arc::new(DirectoryFolder::new(self.sender_folder()))
    }

    /// The print house's folder as the house reaches it.
    pub(crate) fn print_house_door(&self) -> Arc<dyn RemoteFolder> {
        Arc::new(DirectoryFolder::new(self.print_house_folder()))
    }

    /// Another inbox of the same house, which reaches the sender through `folder`.
    pub(crate) fn inbox_through(&self, folder: Arc<dyn RemoteFolder>) -> Inbox {
        Inbox::new(Arc::clone(&self.store), folder, inbox_settings())
    }

    /// As [`Hub::inbox_through`], with other settings.
    pub(crate) fn inbox_with(
        &self,
        folder: Arc<dyn RemoteFolder>,
        change: impl FnOnce(&mut inbox::Settings),
    ) -> Inbox {
        let mut settings = inbox_settings();
        change(&mut settings);
        Inbox::new(Arc::clone(&self.store), folder, settings)
    }

    /// As [`Hub::inbox_through`], for a sender who puts `<name>.ok` beside what is whole.
    pub(crate) fn inbox_with_markers(&self, folder: Arc<dyn RemoteFolder>) -> Inbox {
        let completeness = inbox::Completeness::Marker {
            ending: ".ok".to_owned(),
        };
        let settings = inbox::Settings {
            completeness,
            ..inbox_settings()
        };
        Inbox::new(Arc::clone(&self.store), folder, settings)
    }

    /// Another outbox of the same house, which reaches the print house through `folder`.
    pub(crate) fn outbox_through(&self, folder: Arc<dyn RemoteFolder>) -> Outbox {
        let mut places = places(self.path());
        places.insert(Place::PrintHouse("example-print".parse().unwrap()), folder);
        Outbox::new(Arc::clone(&self.store), places, outbox::Settings::default())
    }

    /// Another outbox of the same house, with other settings and other folders of some places.
    pub(crate) fn outbox_with(
        &self,
        settings: outbox::Settings,
        folders: impl IntoIterator<Item = (Place, Arc<dyn RemoteFolder>)>,
    ) -> Arc<Outbox> {
        let mut places = places(self.path());
        places.extend(folders);
        Arc::new(Outbox::new(Arc::clone(&self.store), places, settings))
    }

    /// Another outbox of the same house, which reaches the sender through `folder`.
    pub(crate) fn outbox_to_sender_through(&self, folder: Arc<dyn RemoteFolder>) -> Outbox {
        let mut places = places(self.path());
        places.insert(Place::Sender("example-city".parse().unwrap()), folder);
        Outbox::new(Arc::clone(&self.store), places, outbox::Settings::default())
    }

    /// The newest receipt of a kind, as text.
    pub(crate) fn receipt(&self, kind: &str) -> String {
        let mut names: Vec<_> = self.names("sender/receipts");
        names.retain(|name| name.contains(kind));
        names.sort();
        let name = names.pop().unwrap_or_else(|| panic!("no {kind} receipt"));
        fs::read_to_string(self.sender_folder().join("receipts").join(name)).unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn print_house_folder(&self) -> PathBuf {
        self.path().join("print-house")
    }

    pub(crate) fn sender_folder(&self) -> PathBuf {
        self.folder.path().join("sender")
    }

    /// Names in a folder below the hub's, sorted; none where the folder is missing.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(folder))
            .into_iter()
            .flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Every message file in every mailbox.
    pub(crate) fn mailbox_messages(&self) -> Vec<PathBuf> {
        self.mailbox_messages_of(&["mailboxes"])
    }

    /// As [`Hub::mailbox_messages`], below these folders.
    pub(crate) fn mailbox_messages_of(&self, roots: &[&str]) -> Vec<PathBuf> {
        let files = roots
            .iter()
            .flat_map(|root| files_below(&self.path().join(root)));
        files
            .filter(|path| path.parent().is_some_and(|folder| folder.ends_with("new")))
            .collect()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // What failed is tried again after a wait that may be short.
        let later = now();
        let batches = self.store.batches(u32::MAX).unwrap();
        let is_due = |due: Option<Timestamp>| due.is_some_and(|due| due <= later);
        assert!(
            !batches.iter().any(|row| is_due(row.due_at)),
            "a step is due"
        );
        let report = self.store.next_delivery_report_due().unwrap();
        assert!(!is_due(report), "a delivery report is due");
        assert_eq!(
            self.store.next_outgoing_due().unwrap(),
            None,
            "something is to be handed over"
        );
        assert_eq!(self.broken_rules(), [""; 0]);
        assert_eq!(
            self.store.sweep().unwrap(),
            0,
            "files are left that no row names"
        );
    }
}

/// What an operator does, and why.
pub(crate) fn because(why: &str) -> NewEvent {
    NewEvent {
        at: now(),
        actor: "maija".to_owned(),
        why: why.to_owned(),
    }
}

/// The time in all tests.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T21:00:00Z".parse().unwrap()
}

pub(crate) fn sample_bytes(spec: &sample::Spec) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    sample::write(spec, &mut bytes, &|_| {}).unwrap();
    bytes.into_inner()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
