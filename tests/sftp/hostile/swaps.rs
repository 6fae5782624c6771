//! Folders that turn into links, and back, while a path is on its way through them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{
    bytes::Packet,
    canary::{Canaries, NAME},
    wire::{Wire, kind, open},
};
use crate::sftp::house::{House, put};

const WHILE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_swapped_for_a_link_while_it_is_read_shows_nothing_of_what_is_behind() {
    let house = House::start().await;
    let canaries = Canaries::in_house(&house);
    let folder = house.on_disk("city/receipts/day");
    fs::create_dir(&folder).unwrap();
    put(&folder.join(format!("{NAME}.zip")), b"inside");
    let swapper = Swapper::start(&folder, canaries.outside(), &house.on_disk("spare"));
    let mut wire = Wire::greeted(&house, "city").await;
    let (mut inside, mut refused) = (0, 0);
    let since = Instant::now();
    while since.elapsed() < WHILE {
        let path = format!("receipts/day/{NAME}.zip");
        let opened = wire.open(&path, open::READ).await.unwrap();
        let Some(handle) = opened.handle() else {
            refused += 1;
            continue;
        };
        let read = wire.read(&handle, 0, 100).await.unwrap();
        assert_eq!(read.data(), Some(b"inside".as_slice()));
        wire.on_handle(kind::CLOSE, &handle).await.unwrap();
        inside += 1;
    }
    drop(swapper);
    assert!(inside > 10 && refused > 10, "{inside} and {refused}");
    canaries.assert_unharmed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_swapped_for_a_link_while_it_is_cleared_keeps_what_is_behind() {
    let house = House::start().await;
    let canaries = Canaries::in_house(&house);
    let folder = house.on_disk("city/receipts/day");
    fs::create_dir(&folder).unwrap();
    let swapper = Swapper::start(&folder, canaries.outside(), &house.on_disk("spare"));
    let mut wire = Wire::greeted(&house, "city").await;
    let named = |path: &str| Packet::empty().string(path);
    let since = Instant::now();
    while since.elapsed() < WHILE {
        for path in ["canary-name.zip", "folder/canary-name.tmp", "folder"] {
            let path = format!("receipts/day/{path}");
            wire.ask(kind::REMOVE, named(&path)).await.unwrap();
            wire.ask(kind::RMDIR, named(&path)).await.unwrap();
            let listed = wire.ask(kind::OPENDIR, named(&path)).await.unwrap();
            if let Some(handle) = listed.handle() {
                let listing = wire.on_handle(kind::READDIR, &handle).await.unwrap();
                Canaries::assert_silent(b"", &listing.rest);
                wire.on_handle(kind::CLOSE, &handle).await.unwrap();
            }
        }
    }
    drop(swapper);
    canaries.assert_unharmed();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_swapped_for_a_link_gets_no_upload_to_what_is_behind() {
    let house = House::start().await;
    let canaries = Canaries::in_house(&house);
    let inbox = house.on_disk("city/inbox");
    let swapper = Swapper::start(&inbox, canaries.outside(), &house.on_disk("spare"));
    let mut wire = Wire::greeted(&house, "city").await;
    let (mut arrived, mut refused) = (0, 0);
    let since = Instant::now();
    let mut n = 0;
    while since.elapsed() < WHILE {
        n += 1;
        let part = format!("inbox/{n}.zip.part");
        match wire.upload(&part, b"whole").await {
            Some(0) => arrived += 1,
            _ => refused += 1,
        }
        let renamed = Packet::empty()
            .string(&part)
            .string(format!("inbox/{n}.zip"));
        wire.ask(kind::RENAME, renamed).await.unwrap();
        let removed = Packet::empty().string(format!("inbox/{NAME}.tmp"));
        wire.ask(kind::REMOVE, removed).await.unwrap();
    }
    drop(swapper);
    assert!(arrived > 3 && refused > 3, "{arrived} and {refused}");
    canaries.assert_unharmed();
}

/// Exchanges a folder and a link for as long as it lives; the folder has its place afterwards.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Swapper {
    fn start(folder: &Path, target: &Path, spare: &Path) -> Self {
        symlink(target, spare).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (folder, spare): (PathBuf, PathBuf) = (folder.into(), spare.into());
        let stopped = Arc::clone(&stop);
        let swap = move || {
            let exchange = || {
                renameat_with(CWD, &folder, CWD, &spare, RenameFlags::EXCHANGE).unwrap();
                // Without a pause no request gets through between two exchanges.
                thread::sleep(Duration::from_micros(300));
            };
            while !stopped.load(Ordering::Relaxed) {
                exchange();
                exchange();
            }
        };
        Self {
            stop,
            thread: Some(thread::spawn(swap)),
        }
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}
