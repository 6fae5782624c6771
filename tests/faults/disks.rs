//! A disk elsewhere that is full, and is emptied.

use std::fs;

use kuori::{
    domain::Disposition,
    store::OutgoingState,
    transport::{ReadBack, RemoteFolder, SftpFolder},
};

use super::{far_side::FarSide, hand_over_cuts::Attempt};
use crate::{
    hub::Hub,
    sftp::{
        contract::path,
        house::{House, noise},
        line::Line,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_for_a_full_disk_is_told_of_and_goes_when_there_is_room() {
    let (hub, far) = (Hub::new(), FarSide::start().await);
    let line = Line::to(far.address());
    let attempt = Attempt::at(&hub, &far, 1).await;
    for (hours, room) in [(0, 0), (1, 100), (2, 5_000)] {
        far.change(|habits| habits.room_bytes = Some(room));
        attempt.try_through(&line, hours).await;
        let row = attempt.bundle();
        assert_ne!(row.state, OutgoingState::HandedOver, "{room} bytes");
        let told = row.last_error.unwrap();
        assert!(told.contains("pickup/"), "{told}");
        attempt.assert_no_marker_without_its_files();
    }
    far.change(|habits| habits.room_bytes = None);
    attempt.try_through(&line, 3).await;
    attempt.assert_handed_over();
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_quota_is_sent_again_when_the_inbox_was_emptied() {
    let house = House::start_with_quota(|_| {}, Some(5_000), None).await;
    let folder = house.folder("city").await;
    let local = house.local("a.zip", &noise(4_000));
    let (first, second) = (path("inbox/first.zip"), path("inbox/second.zip"));
    folder.upload(&local, &first, ReadBack::Size).await.unwrap();
    let refused = folder.upload(&local, &second, ReadBack::Size).await;
    assert_eq!(refused.unwrap_err().disposition(), Disposition::Retry);
    let inbox = house.on_disk("city/inbox");
    assert_eq!(fs::read_dir(&inbox).unwrap().count(), 1);

    fs::remove_file(inbox.join("first.zip")).unwrap();
    folder
        .upload(&local, &second, ReadBack::Size)
        .await
        .unwrap();
    assert!(fs::read(inbox.join("second.zip")).unwrap() == noise(4_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_to_a_full_disk_shows_no_file_under_its_name() {
    let far = FarSide::start().await;
    let folder = SftpFolder::new(far.settings(far.address()));
    let local = far.dir.path().join("local");
    fs::write(&local, noise(200_000)).unwrap();
    let to = path("inbox/a.zip");
    far.change(|habits| habits.room_bytes = Some(100_000));
    let refused = folder.upload(&local, &to, ReadBack::Size).await;
    assert_eq!(refused.unwrap_err().disposition(), Disposition::Retry);
    assert!(!far.on_disk("inbox/a.zip").exists());

    far.change(|habits| habits.room_bytes = None);
    folder.upload(&local, &to, ReadBack::Size).await.unwrap();
    assert!(fs::read(far.on_disk("inbox/a.zip")).unwrap() == noise(200_000));
}
