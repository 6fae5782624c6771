//! A small batch on its way from somebody else's server into the house, cut off at every byte.

use std::{fs, sync::Arc};

use kuori::{
    inbox::{self, Inbox},
    store::{Received, Store},
    transport::SftpFolder,
};
use tempfile::TempDir;

use super::{
    cuts::{Grain, Way, boundless, everywhere, small_batch, try_all},
    far_side::FarSide,
    upload_cuts::{digests, digests_sent, name_of},
};
use crate::{
    hub::{inbox_settings, now},
    sftp::line::Line,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_whose_line_is_cut_on_its_way_down_is_taken_once() {
    take_cut_everywhere(Way::Down, Grain::Coarse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_is_taken_once_when_the_requests_are_cut() {
    take_cut_everywhere(Way::Up, Grain::Coarse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn a_file_whose_line_is_cut_on_its_way_down_is_taken_once_after_any_byte() {
    take_cut_everywhere(Way::Down, Grain::EveryByte).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "takes minutes"]
async fn a_file_is_taken_once_when_the_requests_are_cut_after_any_byte() {
    take_cut_everywhere(Way::Up, Grain::EveryByte).await;
}

/// The file that is taken with nothing in the way.
const WHOLE: u64 = u64::MAX;

struct Scene {
    far: FarSide,
    store: Arc<Store>,
    way: Way,
    grain: Grain,
    _dir: TempDir,
}

async fn take_cut_everywhere(way: Way, grain: Grain) {
    let dir = tempfile::tempdir().unwrap();
    let scene = Arc::new(Scene {
        far: FarSide::start().await,
        store: Arc::new(Store::open(dir.path()).unwrap()),
        way,
        grain,
        _dir: dir,
    });
    let mut cuts = scene.cuts().await;
    let struck = try_all(cuts.clone(), |n| Arc::clone(&scene).attempt(n)).await;
    assert!(struck + 100 > cuts.len(), "{struck} of {} cuts", cuts.len());
    cuts.push(WHOLE);
    assert_eq!(scene.store.batches(u32::MAX).unwrap().len(), cuts.len());
    assert!(
        digests(&scene.store) == digests_sent(&cuts),
        "not each file was taken once"
    );
}

impl Scene {
    /// Takes one file with nothing in the way, to learn where the line can be cut.
    async fn cuts(&self) -> Vec<u64> {
        let line = Line::to(self.far.address());
        let place = self.place(WHOLE);
        let settings = self.far.settings(line.address());
        let folder = SftpFolder::connect(settings).await.unwrap();
        let before = line.carried();
        let inbox = self.inbox(folder, place);
        assert_eq!(inbox.poll(now()).await.unwrap().len(), 1);
        everywhere(self.way, self.grain, before, line.carried())
    }

    fn inbox(&self, folder: SftpFolder, place: inbox::Settings) -> Inbox {
        let store = Arc::clone(&self.store);
        Inbox::with_headroom(store, Arc::new(folder), place, boundless())
    }

    /// A folder of its own for each cut, with a file in it.
    fn place(&self, n: u64) -> inbox::Settings {
        let inbox = format!("{n}/inbox");
        fs::create_dir_all(self.far.on_disk(&inbox)).unwrap();
        let file = self.far.on_disk(&format!("{inbox}/{}", name_of(n)));
        fs::write(file, small_batch(n)).unwrap();
        inbox::Settings {
            place: n.to_string(),
            folder: inbox.parse().unwrap(),
            taking: format!("{n}/.kuori/taking").parse().unwrap(),
            ..inbox_settings()
        }
    }

    /// Polls with the line cut after byte `n`, and then until the file is here; returns whether the cut
    /// came.
    async fn attempt(self: Arc<Self>, n: u64) -> bool {
        let line = Line::to(self.far.address());
        let place = self.place(n);
        fs::create_dir_all(self.far.on_disk(place.taking.parent().as_str())).unwrap();
        self.way.cut(&line, n);
        let mut received = Vec::new();
        for _ in 0..3 {
            // Anew, as the first may have been cut off before it was logged in, and wait.
            let folder = SftpFolder::new(self.far.settings(line.address()));
            let inbox = self.inbox(folder, place.clone());
            // The first may fail as a whole; what it could not do stays to be done.
            received.extend(inbox.poll(now()).await.unwrap_or_default());
        }
        // None where it was recorded and the last word to the other side was lost.
        assert!(
            matches!(received[..], [] | [Received::New(_)]),
            "cut after {n}: {received:?}"
        );
        self.assert_nothing_is_left(n);
        !line.is_cut_to_come()
    }

    fn assert_nothing_is_left(&self, n: u64) {
        for folder in ["inbox", ".kuori/taking"] {
            let mut left = fs::read_dir(self.far.on_disk(&format!("{n}/{folder}"))).unwrap();
            assert!(left.next().is_none(), "cut after {n}: left in {folder}");
        }
        let arrivals = self.store.arrivals(&n.to_string()).unwrap();
        assert!(arrivals.is_empty(), "cut after {n}: {arrivals:?}");
    }
}
