//! Somebody else's server that is killed in the middle, and one whose disk is full.

use std::{fs, path::Path, sync::Arc, time::Duration};

use jiff::SignedDuration;
use kuori::{
    domain::Disposition,
    store::{Outgoing, OutgoingState},
    transport::{ReadBack, RemoteFolder, SftpFolder},
};
use tokio::time::{Instant, sleep};

use super::{far::Far, small_disk::SmallDisk};
use crate::{
    faults::small_batch,
    hub::{Hub, now},
    sftp::{
        contract::path,
        house::{noise, put},
        line::Line,
    },
};

/// More than the line and the sockets at its ends hold back.
const BYTES: usize = 30_000_000;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs OpenSSH's sshd"]
async fn an_upload_goes_on_after_openssh_was_killed_and_started_again() {
    let mut far = Far::openssh();
    let line = slow_line(&far);
    let folder = Arc::new(SftpFolder::new(far.settings_at(line.address())));
    let local = far.dir.path().join("a.zip");
    put(&local, &noise(BYTES));
    let to = path("drop/a.zip");
    let uploading = tokio::spawn({
        let (folder, local, to) = (Arc::clone(&folder), local.clone(), to.clone());
        async move { folder.upload(&local, &to, ReadBack::Size).await }
    });
    while line.carried().up < 1_000_000 {
        sleep(Duration::from_millis(5)).await;
    }
    far.kill();
    let broken = uploading.await.unwrap().unwrap_err();
    assert_eq!(broken.disposition(), Disposition::Retry, "{broken:?}");
    assert!(!far.root.join("drop/a.zip").exists());
    let away = folder.upload(&local, &to, ReadBack::Size).await;
    assert_eq!(away.unwrap_err().disposition(), Disposition::Retry);

    far.start_again();
    let since = Instant::now();
    while let Err(error) = folder.upload(&local, &to, ReadBack::Digest).await {
        assert_eq!(error.disposition(), Disposition::Retry, "{error:?}");
        assert!(since.elapsed() < PATIENCE, "{error:?}");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(fs::read(far.root.join("drop/a.zip")).unwrap() == noise(BYTES));
    assert_eq!(names(&far.root.join("drop")), ["a.zip"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs OpenSSH's sshd"]
async fn a_download_goes_on_after_openssh_was_killed_and_started_again() {
    let mut far = Far::openssh();
    let line = slow_line(&far);
    put(&far.root.join("pick/a.csv"), &noise(BYTES));
    let settings = far.settings_at(line.address());
    let from = path("pick/a.csv");
    let downloading = tokio::spawn({
        let from = from.clone();
        async move {
            let (folder, mut got) = (SftpFolder::new(settings), Vec::new());
            let broken = folder.read_from(&from, 0, &mut got).await;
            (folder, got, broken)
        }
    });
    while line.carried().down < 1_000_000 {
        sleep(Duration::from_millis(5)).await;
    }
    far.kill();
    let (folder, mut got, broken) = downloading.await.unwrap();
    assert_eq!(broken.unwrap_err().disposition(), Disposition::Retry);
    assert!(got.len() < BYTES && noise(BYTES).starts_with(&got));

    far.start_again();
    let offset = got.len() as u64;
    folder.read_from(&from, offset, &mut got).await.unwrap();
    assert!(got == noise(BYTES));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sshd, and root to mount a small disk"]
async fn what_does_not_fit_on_openssh_s_disk_leaves_its_room_to_what_does() {
    let disk = SmallDisk::mount();
    let far = Far::openssh_in(&disk.0);
    let folder = SftpFolder::new(far.settings());
    let (large, small) = (far.dir.path().join("large"), far.dir.path().join("small"));
    put(&large, &noise(14_000_000));
    put(&small, &noise(1_000_000));
    put(&disk.0.join("theirs"), &noise(6_000_000));
    for _ in 0..2 {
        let to = path("drop/large");
        let refused = folder.upload(&large, &to, ReadBack::Size).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.disposition(), Disposition::Retry, "{refused:?}");
        assert!(refused.to_string().contains("drop/"), "{refused}");
        assert_eq!(names(&disk.0.join("drop")), Vec::<String>::new());
    }
    let to = path("drop/small");
    folder.upload(&small, &to, ReadBack::Digest).await.unwrap();

    fs::remove_file(disk.0.join("theirs")).unwrap();
    let to = path("drop/large");
    folder.upload(&large, &to, ReadBack::Digest).await.unwrap();
    assert_eq!(names(&disk.0.join("drop")), ["large", "small"]);
    assert!(fs::read(disk.0.join("drop/large")).unwrap() == noise(14_000_000));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sshd, and root to mount a small disk"]
async fn a_bundle_for_openssh_s_full_disk_is_told_of_and_goes_when_there_is_room() {
    let disk = SmallDisk::mount();
    let far = Far::openssh_in(&disk.0);
    let hub = Hub::new();
    hub.upload("kirjeet.zip", &small_batch(1));
    hub.run_without_hand_over().await;
    let batch = hub.store.batches(1).unwrap()[0].id;
    let bundle = || -> Outgoing {
        let rows = hub.store.outgoing_of(batch).unwrap();
        rows.into_iter().find(|row| row.bundle.is_some()).unwrap()
    };
    let outbox = hub.outbox_through(Arc::new(SftpFolder::new(far.settings())));
    let full = disk.fill();
    for hours in [0, 2] {
        let time = now() + SignedDuration::from_hours(hours);
        while outbox.hand_over_next(time).await.unwrap() {}
        let row = bundle();
        assert_ne!(row.state, OutgoingState::HandedOver);
        let told = row.last_error.unwrap();
        assert!(told.contains("pickup/"), "{told}");
    }
    fs::remove_file(full).unwrap();
    let time = now() + SignedDuration::from_hours(6);
    while outbox.hand_over_next(time).await.unwrap() {}
    let row = bundle();
    assert_eq!(row.state, OutgoingState::HandedOver, "{:?}", row.last_error);
    for file in &row.files {
        let there = fs::metadata(far.root.join(&file.path)).unwrap();
        assert_eq!(there.len(), file.file.bytes);
    }
    hub.run().await;
}

/// Slow enough to be caught in the middle.
fn slow_line(far: &Far) -> Line {
    Line::to(far.address()).trickle(20_000_000)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}
