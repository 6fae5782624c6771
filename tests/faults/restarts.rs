//! The embedded server ends and begins in the middle of a transfer.

use std::{fs, time::Duration};

use kuori::{
    domain::Disposition,
    transport::{ReadBack, RemoteFolder, SftpFolder, SftpSettings},
};
use tokio::time::sleep;

use crate::sftp::{
    contract::path,
    house::{House, noise},
    line::Line,
};

/// More than the line and the sockets at its ends hold back.
const BYTES: usize = 30_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_upload_goes_on_after_the_server_was_restarted() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 0).await;
    let (line, settings) = slow_line(&house);
    let local = house.local("a.zip", &noise(BYTES));
    let to = path("inbox/a.zip");
    let uploading = tokio::spawn(async move {
        let folder = SftpFolder::new(settings);
        let broken = folder.upload(&local, &to, ReadBack::Size).await;
        (folder, local, to, broken)
    });
    while line.carried().up < 1_000_000 {
        sleep(Duration::from_millis(5)).await;
    }
    let house = house.restart().await;
    let (folder, local, to, broken) = uploading.await.unwrap();
    assert_eq!(broken.unwrap_err().disposition(), Disposition::Retry);
    let inbox = house.on_disk("city/inbox");
    assert_eq!(fs::read_dir(&inbox).unwrap().count(), 0);

    folder.upload(&local, &to, ReadBack::Size).await.unwrap();
    assert!(fs::read(inbox.join("a.zip")).unwrap() == noise(BYTES));
    assert_eq!(fs::read_dir(&inbox).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_download_goes_on_after_the_server_was_restarted() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 0).await;
    let (line, settings) = slow_line(&house);
    fs::write(house.on_disk("city/receipts/a.csv"), noise(BYTES)).unwrap();
    let from = path("receipts/a.csv");
    let downloading = tokio::spawn(async move {
        let (folder, mut got) = (SftpFolder::new(settings), Vec::new());
        let broken = folder.read_from(&from, 0, &mut got).await;
        (folder, from, got, broken)
    });
    while line.carried().down < 1_000_000 {
        sleep(Duration::from_millis(5)).await;
    }
    let _house = house.restart().await;
    let (folder, from, mut got, broken) = downloading.await.unwrap();
    assert_eq!(broken.unwrap_err().disposition(), Disposition::Retry);
    assert!(got.len() < BYTES && noise(BYTES).starts_with(&got));

    let offset = got.len() as u64;
    folder.read_from(&from, offset, &mut got).await.unwrap();
    assert!(got == noise(BYTES));
}

/// Slow enough to be caught in the middle.
fn slow_line(house: &House) -> (Line, SftpSettings) {
    let line = Line::to(house.server.local_addr()).trickle(20_000_000);
    let settings = SftpSettings {
        port: line.address().port(),
        ..house.settings("city")
    };
    (line, settings)
}
