//! How steps are chosen, kept, put down and taken up again.

mod clocks;
mod crashes;
mod fairness;
mod leases;
mod panics;
mod stops;

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use kuori::{
    domain::{BackOff, BatchId, BatchState, RecipientId},
    mailbox::{Delivery, DeliveryId, Error, Mailbox, MailboxReceipt},
    pipeline::{Clock, House, Runner, Settings},
    print,
    sample::{self, Spec},
    store::{ConsentChange, ConsentStatus, NewBatch, Received, SpoolKey, Store},
};
use tempfile::TempDir;
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::hub;

/// A house without doors: batches are recorded as they come from an inbox, and nothing is handed over.
struct Yard {
    store: Arc<Store>,
    /// What the clock of the house shows.
    time: Arc<Mutex<Timestamp>>,
    folder: TempDir,
}

const SENDERS: [&str; 3] = ["example-city", "example-county", "example-port"];

impl Yard {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("data")).unwrap();
        Self {
            store: Arc::new(store),
            time: Arc::new(Mutex::new(hub::now())),
            folder,
        }
    }

    fn set_clock(&self, to: Timestamp) {
        *self.time.lock().unwrap() = to;
    }

    /// Records a batch of a sender; recipients of mailboxes have them.
    fn receive(&self, sender: &str, spec: &Spec) -> BatchId {
        let mut file = self.store.spool().begin().unwrap();
        let mut bytes = std::io::Cursor::new(Vec::new());
        sample::write(spec, &mut bytes, &|_| {}).unwrap();
        std::io::Write::write_all(&mut file, bytes.get_ref()).unwrap();
        let name = format!("{sender}-{}-{}", spec.seed, spec.letters);
        let key = SpoolKey::new("batches", format!("{name}.zip"));
        let new = NewBatch {
            sender: sender.parse().unwrap(),
            file_name: format!("{name}.zip"),
            file: file.keep(&key).unwrap(),
            received_at: hub::now(),
        };
        self.consent(spec);
        match self.store.receive(&new, None).unwrap() {
            Received::New(batch) => batch,
            Received::Again(batch) => panic!("{batch} came twice"),
        }
    }

    fn consent(&self, spec: &Spec) {
        let granted = sample::recipients(spec).filter_map(|recipient| {
            let id = recipient.id.filter(|_| recipient.has_mailbox)?;
            Some(ConsentChange {
                recipient: RecipientId::Person(id),
                status: ConsentStatus::Granted,
                since: hub::now(),
            })
        });
        let page: Vec<_> = granted.collect();
        self.store
            .record_consents(&page, "test", hub::now())
            .unwrap();
    }

    fn runner(&self, settings: Settings) -> Runner {
        self.runner_with(settings, |_| {})
    }

    /// A runner of a house of which something is other than usual.
    fn runner_with(&self, settings: Settings, change: impl FnOnce(&mut House)) -> Runner {
        let print = print::Settings::default();
        let (folder, sender) = (self.folder.path(), hub::sender());
        let mut house = hub::house(&self.store, folder, sender.clone(), print, &self.time);
        for name in SENDERS {
            let mut other = sender.clone();
            other.id = name.parse().unwrap();
            house.senders.insert(other.id.clone(), other);
        }
        change(&mut house);
        let wake = || Arc::new(Notify::new());
        Runner::new(Arc::new(house), settings, wake(), wake())
    }

    fn state(&self, batch: BatchId) -> BatchState {
        self.store.batch(batch).unwrap().state
    }

    /// In which order the batches were reported.
    fn reported(&self) -> Vec<BatchId> {
        let path = self.folder.path().join("data/kuori.sqlite");
        let db = rusqlite::Connection::open(path).unwrap();
        let sql = "SELECT batch FROM events WHERE what = 'reported' ORDER BY id";
        let mut query = db.prepare(sql).unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(|id| BatchId(id.unwrap())).collect()
    }

    /// Every letter of these batches has gone, and what went to mailboxes lies there once.
    fn assert_all_gone(&self, batches: &[BatchId]) {
        let mut delivered = 0;
        for &batch in batches {
            let counts = self.store.counts(batch).unwrap();
            assert_eq!(self.state(batch), BatchState::Reported, "{batch}");
            assert_eq!(
                counts.delivered + counts.composed,
                counts.received,
                "{batch}"
            );
            delivered += counts.delivered;
        }
        assert_eq!(self.in_mailboxes().len() as u64, delivered);
    }

    fn in_mailboxes(&self) -> Vec<PathBuf> {
        let all = crate::program::files_below(&self.folder.path().join("mailboxes"));
        let new = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("new"));
        all.into_iter().filter(new).collect()
    }
}

/// Small batches have no place of their own, nobody keeps a place for longer than a page, and there is
/// one place: so the order is always the same.
fn one_place() -> Settings {
    Settings {
        batches_at_once: 1,
        computing_at_once: 1,
        delivering_at_once: 1,
        small_batches_at_once: 0,
        turn: Duration::ZERO,
        ..quick()
    }
}

fn quick() -> Settings {
    Settings {
        look_interval: Duration::from_millis(5),
        back_off: BackOff {
            first: jiff::SignedDuration::from_millis(1),
            longest: jiff::SignedDuration::from_millis(1),
        },
        ..Settings::default()
    }
}

fn letters(letters: u32, seed: u64) -> Spec {
    Spec {
        letters,
        seed,
        pages: 1..=1,
        ..Spec::default()
    }
}

/// A runner at work as in the daemon.
struct Running {
    stop: watch::Sender<bool>,
    work: JoinHandle<Result<(), kuori::pipeline::Error>>,
}

impl Running {
    fn start(runner: Runner) -> Self {
        let (stop, stopped) = watch::channel(false);
        let work = tokio::spawn(async move { runner.run(stopped).await });
        Self { stop, work }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.work.await.unwrap().unwrap();
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_mins(2), "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What a mailbox does before it takes a parcel: nothing, or wait, fail or panic.
type Beforehand = Arc<dyn Fn(BTreeSet<BatchId>) -> Result<(), Error> + Send + Sync>;

/// Mailboxes with something before them.
struct Guarded {
    inner: Arc<dyn Mailbox>,
    beforehand: Beforehand,
}

impl Guarded {
    fn with(
        beforehand: impl Fn(BTreeSet<BatchId>) -> Result<(), Error> + Send + Sync + 'static,
    ) -> impl FnOnce(&mut House) {
        let beforehand: Beforehand = Arc::new(beforehand);
        move |house| {
            let inner = Arc::clone(&house.mailbox);
            house.mailbox = Arc::new(Self { inner, beforehand });
        }
    }
}

#[async_trait]
impl Mailbox for Guarded {
    async fn deliver(
        &self,
        page: Vec<Delivery>,
    ) -> Result<Vec<Result<MailboxReceipt, Error>>, Error> {
        let batches = page.iter().map(|delivery| delivery.id.message.batch);
        let (beforehand, batches) = (Arc::clone(&self.beforehand), batches.collect());
        let waited = tokio::task::spawn_blocking(move || beforehand(batches));
        match waited.await {
            Ok(waited) => waited?,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
        self.inner.deliver(page).await
    }

    async fn has(&self, id: DeliveryId, recipient: &RecipientId) -> Result<bool, Error> {
        self.inner.has(id, recipient).await
    }

    async fn discard(&self, id: DeliveryId, recipient: &RecipientId) -> Result<(), Error> {
        self.inner.discard(id, recipient).await
    }
}

/// A mailbox that is out of reach for now.
fn away() -> Error {
    Error::Sync {
        root: PathBuf::new(),
        source: std::io::ErrorKind::ConnectionRefused.into(),
    }
}

/// Waits on a thread, as what is waited for is done by others.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_mins(2), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn clock(time: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
    Clock::new(time)
}
