//! A small batch on its way into the embedded server, cut off at every byte.

use std::{
    collections::BTreeMap,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kuori::{
    domain::Disposition,
    inbox::Inbox,
    store::{Received, Store},
    transport::{DirectoryFolder, Error, ReadBack, RemoteFolder, SftpFolder, SftpSettings},
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::cuts::{Grain, Way, boundless, everywhere, small_batch, try_all};
use crate::{
    hub::{inbox_settings, now},
    sftp::{contract::path, house::House, line::Line},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_cut_on_its_way_up_arrives_whole_or_not_at_all() {
    upload_cut_everywhere(Way::Up, Grain::Coarse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_whose_answers_are_cut_arrives_whole_or_not_at_all() {
    upload_cut_everywhere(Way::Down, Grain::Coarse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn an_upload_cut_on_its_way_up_arrives_whole_or_not_at_all_after_any_byte() {
    upload_cut_everywhere(Way::Up, Grain::EveryByte).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn an_upload_whose_answers_are_cut_arrives_whole_or_not_at_all_after_any_byte() {
    upload_cut_everywhere(Way::Down, Grain::EveryByte).await;
}

/// Before the server would take the upload from a connection that it believes alive.
const PATIENCE: Duration = Duration::from_secs(25);

/// A sender and its uploads, and the house that takes them all the while.
struct Scene {
    house: House,
    way: Way,
    grain: Grain,
}

async fn upload_cut_everywhere(way: Way, grain: Grain) {
    let house = House::start_with(|settings| {
        settings.max_connections_per_account = 100;
        settings.max_connections_per_address = 100;
        settings.login_failures_per_address = u32::MAX;
    });
    let scene = Arc::new(Scene {
        house: house.await,
        way,
        grain,
    });
    let cuts = scene.cuts().await;
    let taker = Taker::start(&scene);
    let struck = try_all(cuts.clone(), |n| Arc::clone(&scene).attempt(n)).await;
    assert!(struck + 100 > cuts.len(), "{struck} of {} cuts", cuts.len());
    taker.stop(&cuts).await;
}

impl Scene {
    /// Uploads one file with nothing in its way, to learn where the line can be cut.
    async fn cuts(&self) -> Vec<u64> {
        let line = Line::to(self.house.server.local_addr());
        let folder = SftpFolder::connect(self.through(&line)).await.unwrap();
        let before = line.carried();
        let local = self.house.local("whole.zip", &small_batch(u64::MAX));
        let to = path("inbox/whole.zip");
        folder.upload(&local, &to, ReadBack::Size).await.unwrap();
        let all = line.carried();
        fs::remove_file(self.house.on_disk("city/inbox/whole.zip")).unwrap();
        everywhere(self.way, self.grain, before, all)
    }

    fn through(&self, line: &Line) -> SftpSettings {
        SftpSettings {
            port: line.address().port(),
            ..self.house.settings("city")
        }
    }

    /// Uploads with the line cut after byte `n`, and then as often as a sender would; returns whether
    /// the cut came.
    async fn attempt(self: Arc<Self>, n: u64) -> bool {
        let line = Line::to(self.house.server.local_addr());
        self.way.cut(&line, n);
        let mut folder = SftpFolder::new(self.through(&line));
        let (name, content) = (name_of(n), small_batch(n));
        let local = self.house.local(&name, &content);
        let to = path(&format!("inbox/{name}"));
        let since = Instant::now();
        loop {
            let uploaded = folder.upload(&local, &to, ReadBack::Size).await;
            self.assert_whole_or_not_there(&name, &content);
            let Err(error) = uploaded else { break };
            let hope = error.disposition();
            assert_eq!(hope, Disposition::Retry, "cut after {n}: {error:?}");
            // Until the server has noticed that the first connection is gone, the name is in use.
            assert!(since.elapsed() < PATIENCE, "cut after {n}: {error:?}");
            sleep(Duration::from_millis(10)).await;
            if matches!(error, Error::Connect { .. } | Error::NoSftp { .. }) {
                // Else it would wait first.
                folder = SftpFolder::new(self.through(&line));
            }
        }
        fs::remove_file(local).unwrap();
        !line.is_cut_to_come()
    }

    /// Under the name it is given for the time being as well: that one is renamed without another look.
    fn assert_whole_or_not_there(&self, name: &str, content: &[u8]) {
        let inbox = self.house.on_disk("city/inbox");
        for name in [name.to_owned(), format!(".{name}.part")] {
            let standing = fs::read(inbox.join(&name));
            assert!(
                standing.is_ok_and(|standing| standing == content) || !inbox.join(&name).exists(),
                "{name} is not whole"
            );
        }
    }
}

/// The house, polling without a pause.
struct Taker {
    _dir: TempDir,
    store: Arc<Store>,
    is_over: Arc<AtomicBool>,
    polling: tokio::task::JoinHandle<Vec<Received>>,
    inbox: Arc<Inbox>,
}

impl Taker {
    fn start(scene: &Arc<Scene>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let folder = Arc::new(DirectoryFolder::new(scene.house.on_disk("city")));
        let settings = inbox_settings();
        let inbox = Inbox::with_headroom(Arc::clone(&store), folder, settings, boundless());
        let inbox = Arc::new(inbox);
        let is_over = Arc::new(AtomicBool::new(false));
        let polling = tokio::spawn(poll(Arc::clone(&inbox), Arc::clone(&is_over)));
        Self {
            _dir: dir,
            store,
            is_over,
            polling,
            inbox,
        }
    }

    /// Takes what is left; then there is one batch for each of `cuts`, with its bytes.
    async fn stop(self, cuts: &[u64]) {
        self.is_over.store(true, Ordering::Relaxed);
        let mut received = self.polling.await.unwrap();
        received.extend(self.inbox.poll(now()).await.unwrap());
        let is_new = |received: &&Received| matches!(received, Received::New(_));
        assert_eq!(received.iter().filter(is_new).count(), cuts.len());
        let taken = digests(&self.store);
        assert!(taken == digests_sent(cuts), "not each file was taken once");
        assert!(self.store.arrivals("example-city").unwrap().is_empty());
    }
}

async fn poll(inbox: Arc<Inbox>, is_over: Arc<AtomicBool>) -> Vec<Received> {
    let mut received = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        received.extend(inbox.poll(now()).await.unwrap());
        sleep(Duration::from_millis(2)).await;
    }
    received
}

/// SHA-256 of every batch by its file's name.
pub(super) fn digests(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let batches = store.batches(u32::MAX).unwrap();
    let spooled = |key| Sha256::digest(fs::read(store.spool().path(key)).unwrap()).to_vec();
    let of = batches
        .iter()
        .map(|batch| (batch.file_name.clone(), spooled(&batch.spool)));
    of.collect()
}

/// What [`digests`] are where each of the small batches was taken.
pub(super) fn digests_sent(cuts: &[u64]) -> BTreeMap<String, Vec<u8>> {
    let sha256 = |n| Sha256::digest(small_batch(n)).to_vec();
    cuts.iter().map(|&n| (name_of(n), sha256(n))).collect()
}

pub(super) fn name_of(n: u64) -> String {
    format!("kirjeet-{n}.zip")
}
