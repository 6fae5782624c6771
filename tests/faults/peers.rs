//! Servers that are slow, hang, or say what is not so.

use std::{fs, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    inbox::{self, Completeness, Inbox},
    store::{BatchRow, Store},
    transport::{SftpFolder, SftpSettings},
};
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::{cuts::small_batch, far_side::FarSide};
use crate::{
    hub::{inbox_settings, now},
    sftp::line::Line,
};

/// A far side, and the house that takes from it.
struct Scene {
    far: FarSide,
    store: Arc<Store>,
    _dir: TempDir,
}

impl Scene {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path()).unwrap());
        let far = FarSide::start().await;
        fs::create_dir(far.on_disk(".kuori")).unwrap();
        fs::write(far.on_disk("inbox/kirjeet.zip"), small_batch(1)).unwrap();
        Self {
            far,
            store,
            _dir: dir,
        }
    }

    fn inbox(&self, sftp: SftpSettings, completeness: Completeness) -> Inbox {
        let settings = inbox::Settings {
            completeness,
            ..inbox_settings()
        };
        let folder = Arc::new(SftpFolder::new(sftp));
        Inbox::new(Arc::clone(&self.store), folder, settings)
    }

    /// How many batches are here; all of them are whole.
    fn taken(&self) -> usize {
        let batches = self.store.batches(10).unwrap();
        for batch in &batches {
            let spooled = fs::read(self.store.spool().path(&batch.spool)).unwrap();
            assert!(spooled == small_batch(1));
        }
        batches.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_over_a_line_that_trickles() {
    let scene = Scene::start().await;
    let line = Line::to(scene.far.address()).trickle(30_000);
    let settings = scene.far.settings(line.address());
    let inbox = scene.inbox(settings, Completeness::ByName);
    inbox.poll(now()).await.unwrap();
    assert_eq!(scene.taken(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_is_given_up_and_asked_again_while_others_are_served() {
    let (hung, other) = (Scene::start().await, Scene::start().await);
    let line = Line::to(hung.far.address());
    let settings = SftpSettings {
        request_timeout_secs: 1,
        connect_timeout_secs: 1,
        keepalive_secs: 1,
        ..hung.far.settings(line.address())
    };
    let inbox = hung.inbox(settings.clone(), Completeness::ByName);
    line.stall();
    let polled = timeout(Duration::from_mins(1), inbox.poll(now()));
    let others = other.inbox(
        other.far.settings(other.far.address()),
        Completeness::ByName,
    );
    let (polled, theirs) = tokio::join!(polled, others.poll(now()));
    assert!(polled.expect("it waits for ever").is_err());
    assert_eq!(theirs.unwrap().len(), 1);
    assert_eq!(hung.taken(), 0);

    line.flow();
    let inbox = hung.inbox(settings, Completeness::ByName);
    let deadline = Instant::now() + Duration::from_mins(1);
    while hung.taken() == 0 {
        assert!(Instant::now() < deadline, "it is never taken");
        let _ = inbox.poll(now()).await;
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_more_is_promised_than_there_is_is_not_taken() {
    let scene = Scene::start().await;
    let settings = scene.far.settings(scene.far.address());
    let inbox = scene.inbox(settings, Completeness::ByName);
    scene.far.change(|habits| habits.adds_to_size = 5);
    for _ in 0..2 {
        assert!(inbox.poll(now()).await.unwrap_or_default().is_empty());
    }
    assert_eq!(scene.taken(), 0);
    scene.far.change(|habits| habits.adds_to_size = 0);
    inbox.poll(now()).await.unwrap();
    assert_eq!(scene.taken(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_less_is_promised_than_there_is_is_not_cut_off() {
    let scene = Scene::start().await;
    let settings = scene.far.settings(scene.far.address());
    let inbox = scene.inbox(settings, Completeness::ByName);
    fs::remove_file(scene.far.on_disk("inbox/kirjeet.zip")).unwrap();
    for (bytes, hidden) in [(100, 5), (101, 101), (700_000, 1), (700_001, 600_000)] {
        let batch = vec![b'x'; bytes];
        fs::write(scene.far.on_disk("inbox/kirjeet.zip"), &batch).unwrap();
        scene.far.change(|habits| habits.adds_to_size = -hidden);
        let received = inbox.poll(now()).await.unwrap_or_default();
        assert_eq!(received, [], "{bytes} less {hidden}");
        scene.far.change(|habits| habits.adds_to_size = 0);
        let received = inbox.poll(now()).await.unwrap();
        assert_eq!(received.len(), 1, "{bytes} less {hidden}");
        let batches = scene.store.batches(10).unwrap();
        let whole = |row: &BatchRow| row.bytes == bytes as u64;
        assert!(batches.iter().any(whole), "{bytes} less {hidden}");
    }
    assert_eq!(scene.store.batches(10).unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_settles_by_our_clock_whatever_theirs_shows() {
    let years = 40 * 365 * 24 * 3600;
    for clock_off_secs in [-years, years] {
        let scene = Scene::start().await;
        scene
            .far
            .change(|habits| habits.clock_off_secs = clock_off_secs);
        assert!(settled_after(&scene).await >= Duration::from_secs(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_whose_time_jumps_is_not_settled_until_it_stands() {
    let scene = Scene::start().await;
    let inbox = settling(&scene);
    let started = Instant::now();
    for look in 0..30 {
        scene
            .far
            .change(|habits| habits.clock_off_secs = look * 1_000);
        inbox.poll(after(started)).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(scene.taken(), 0);
    assert!(settled_after(&scene).await >= Duration::from_secs(1));
}

fn settling(scene: &Scene) -> Inbox {
    let settings = scene.far.settings(scene.far.address());
    scene.inbox(settings, Completeness::Settled { settle_secs: 1 })
}

/// Polls until the file is taken.
async fn settled_after(scene: &Scene) -> Duration {
    let (inbox, started) = (settling(scene), Instant::now());
    while scene.taken() == 0 {
        assert!(
            started.elapsed() < Duration::from_mins(1),
            "it is never taken"
        );
        inbox.poll(after(started)).await.unwrap();
        sleep(Duration::from_millis(50)).await;
    }
    started.elapsed()
}

fn after(started: Instant) -> Timestamp {
    let elapsed = SignedDuration::try_from(started.elapsed()).unwrap();
    now().checked_add(elapsed).unwrap()
}
