//! What an account can do to files, and to whose.

use std::{fs, os::unix::fs::symlink, time::Duration};

use kuori::transport::RemoteFolder;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use tokio::time::timeout;

use crate::sftp::{
    contract::path,
    house::{House, code, put},
};

#[tokio::test]
async fn no_path_leads_out_of_an_accounts_home() {
    let house = House::start().await;
    put(&house.on_disk("other/receipts/secret"), b"secret");
    let raw = house.raw("city").await;
    for reach in [
        "../other/receipts/secret",
        "/other/receipts/secret",
        "receipts/../../other/receipts/secret",
        "receipts/../../../../../../etc/passwd",
        "/etc/passwd",
        "/receipts/..//../.staging",
        ".staging/city",
    ] {
        let opened = raw.open(reach, OpenFlags::READ).await;
        assert_eq!(opened, Err(StatusCode::NoSuchFile), "{reach}");
        assert_eq!(
            raw.sftp.opendir(reach).await.map_err(code).err(),
            Some(StatusCode::NoSuchFile)
        );
        assert!(raw.create(reach).await.is_err(), "{reach}");
        assert!(raw.sftp.remove(reach).await.is_err(), "{reach}");
        let renamed = raw.sftp.rename("inbox/a", reach).await;
        assert!(renamed.is_err(), "{reach}");
    }
    let top = raw.sftp.realpath("inbox/../../..").await.unwrap();
    assert_eq!(top.files[0].filename, "/");
}

#[tokio::test]
async fn a_link_that_an_operator_placed_is_neither_followed_nor_shown() {
    let house = House::start().await;
    put(&house.on_disk("other/receipts/secret"), b"secret");
    let receipts = house.on_disk("city/receipts");
    symlink("/etc/passwd", receipts.join("file")).unwrap();
    symlink("../../other/receipts", receipts.join("folder")).unwrap();
    symlink("/tmp", house.on_disk("city/inbox/out")).unwrap();
    let raw = house.raw("city").await;
    for reach in ["receipts/file", "receipts/folder/secret"] {
        let opened = raw.open(reach, OpenFlags::READ).await;
        assert_eq!(opened, Err(StatusCode::NoSuchFile), "{reach}");
        assert!(raw.sftp.stat(reach).await.is_err(), "{reach}");
        assert!(raw.sftp.lstat(reach).await.is_err(), "{reach}");
        assert!(raw.sftp.remove(reach).await.is_err(), "{reach}");
    }
    assert!(raw.sftp.opendir("receipts/folder").await.is_err());
    assert!(raw.upload("inbox/out/new", b"x").await.is_err());
    assert!(raw.upload("inbox/out", b"x").await.is_err());
    let listing = house.folder("city").await.list(&path("receipts")).await;
    assert_eq!(listing.unwrap().files, []);
    // Even one of the account's own folders.
    fs::remove_dir_all(&receipts).unwrap();
    symlink("../other/receipts", &receipts).unwrap();
    let opened = raw.open("receipts/secret", OpenFlags::READ).await;
    assert_eq!(opened, Err(StatusCode::NoSuchFile));
}

#[tokio::test]
async fn links_and_folders_are_not_made() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a.zip", b"x").await.unwrap();
    assert!(raw.sftp.symlink("inbox/link", "/etc/passwd").await.is_err());
    assert!(
        raw.sftp
            .hardlink("inbox/a.zip", "inbox/b.zip")
            .await
            .is_err()
    );
    let made = raw.sftp.mkdir("inbox/sub", FileAttributes::empty()).await;
    assert!(made.is_err());
    assert_eq!(
        fs::read_dir(house.on_disk("city/inbox")).unwrap().count(),
        1
    );
}

#[tokio::test]
async fn a_role_sees_its_folders_and_has_its_rights() {
    let house = House::start().await;
    put(&house.on_disk("city/receipts/r.csv"), b"receipt");
    put(&house.on_disk("print/pickup/b.pdf"), b"bundle");
    let (city, print) = (house.raw("city").await, house.raw("print").await);
    assert!(city.sftp.opendir("pickup").await.is_err());
    assert!(print.sftp.opendir("inbox").await.is_err());
    let denied = Err(StatusCode::PermissionDenied);
    assert_eq!(city.upload("receipts/x", b"x").await, denied);
    assert_eq!(city.upload("x", b"x").await, denied);
    assert_eq!(print.upload("pickup/x", b"x").await, denied);
    print.upload("feedback/f.csv", b"x").await.unwrap();
    city.upload("inbox/a.zip", b"x").await.unwrap();
    // What was received is ours; what was handed over is theirs.
    assert!(city.sftp.remove("inbox/a.zip").await.is_err());
    city.sftp.remove("receipts/r.csv").await.unwrap();
    print.sftp.remove("pickup/b.pdf").await.unwrap();
    assert!(
        city.sftp
            .rename("inbox/a.zip", "receipts/a.zip")
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_name_that_is_taken_stays_taken() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    let slow = raw.create("inbox/a.zip").await.unwrap();
    raw.write(&slow, b"slow").await.unwrap();
    raw.upload("inbox/b.zip", b"fast").await.unwrap();
    raw.rename("inbox/b.zip", "inbox/a.zip").await.unwrap();
    let denied = Err(StatusCode::PermissionDenied);
    assert_eq!(raw.close(&slow).await, denied);
    assert_eq!(raw.upload("inbox/a.zip", b"again").await, denied);
    raw.upload("inbox/b.zip.part", b"other").await.unwrap();
    let taken = raw.rename("inbox/b.zip.part", "inbox/a.zip").await;
    assert_eq!(taken, denied);
    assert!(raw.sftp.setstat("inbox/a.zip", size(0)).await.is_err());
    let unmade = raw.rename("inbox/a.zip", "inbox/a.zip.part").await;
    assert_eq!(unmade, denied);
    assert_eq!(
        fs::read(house.on_disk("city/inbox/a.zip")).unwrap(),
        b"fast"
    );
    assert_eq!(raw.names("inbox").await, ["a.zip", "b.zip.part"]);
}

#[tokio::test]
async fn an_upload_is_on_disk_when_it_is_closed_and_not_before() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a.zip").await.unwrap();
    raw.write(&handle, b"half").await.unwrap();
    assert_eq!(on_disk(&house), 0);
    raw.close(&handle).await.unwrap();
    assert_eq!(
        fs::read(house.on_disk("city/inbox/a.zip")).unwrap(),
        b"half"
    );
    assert_eq!(house.staged("city"), 0);
}

#[tokio::test]
async fn what_the_server_says_of_folders_lets_clients_go_on() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    let none = FileAttributes::empty;
    // Clients that make the whole way to a file take a failure for "it is there".
    let there = raw.sftp.mkdir("inbox", none()).await;
    assert_eq!(there.map_err(code).err(), Some(StatusCode::Failure));
    assert!(raw.sftp.stat("inbox").await.unwrap().attrs.is_dir());
    let new = raw.sftp.mkdir("inbox/sub", none()).await;
    assert_eq!(new.map_err(code).err(), Some(StatusCode::PermissionDenied));
    assert!(raw.create("inbox/.kuori").await.is_err());
}

#[tokio::test]
async fn stopping_the_server_ends_sessions_and_keeps_what_was_closed() {
    let house = House::start_with(|settings| settings.stop_grace_secs = 0).await;
    let raw = house.raw("city").await;
    raw.upload("inbox/whole.zip", b"whole").await.unwrap();
    let handle = raw.create("inbox/half.zip").await.unwrap();
    raw.write(&handle, b"half").await.unwrap();
    let House { server, dir, .. } = house;
    timeout(Duration::from_secs(5), server.stop())
        .await
        .unwrap();
    let names: Vec<_> = fs::read_dir(dir.path().join("root/city/inbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["whole.zip"]);
    let kept = fs::read(dir.path().join("root/.staging/city/half.zip"));
    assert_eq!(kept.unwrap(), b"half");
}

#[tokio::test]
async fn a_temporary_name_can_be_sent_again_and_renamed() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    raw.upload("inbox/a.zip.filepart", b"first try")
        .await
        .unwrap();
    raw.upload("inbox/a.zip.filepart", b"second").await.unwrap();
    raw.sftp
        .rename("inbox/a.zip.filepart", "inbox/a.zip")
        .await
        .unwrap();
    assert_eq!(
        fs::read(house.on_disk("city/inbox/a.zip")).unwrap(),
        b"second"
    );
    raw.upload("inbox/b.zip.part", b"x").await.unwrap();
    raw.sftp.remove("inbox/b.zip.part").await.unwrap();
}

#[tokio::test]
async fn clients_may_set_times_and_truncate_what_they_write() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    let handle = raw.create("inbox/a.zip").await.unwrap();
    raw.write(&handle, b"0123456789").await.unwrap();
    raw.sftp.fsetstat(&*handle, size(4)).await.unwrap();
    assert_eq!(raw.sftp.fstat(&*handle).await.unwrap().attrs.size, Some(4));
    raw.sftp.fsync(&*handle).await.unwrap();
    raw.close(&handle).await.unwrap();
    let times = FileAttributes {
        mtime: Some(1),
        atime: Some(1),
        permissions: Some(0o777),
        ..FileAttributes::empty()
    };
    raw.sftp.setstat("inbox/a.zip", times).await.unwrap();
    assert_eq!(
        fs::read(house.on_disk("city/inbox/a.zip")).unwrap(),
        b"0123"
    );
    let space = raw.sftp.statvfs("/").await.unwrap();
    assert!(space.block_size > 0 && space.blocks >= space.blocks_free);
}

#[tokio::test]
async fn a_name_in_another_encoding_is_refused() {
    let house = House::start().await;
    let raw = house.raw("city").await;
    for odd in ["inbox/J\u{fffd}rg.zip", "inbox/a\nb", "inbox/a\\b"] {
        assert_eq!(raw.create(odd).await, Err(StatusCode::PermissionDenied));
    }
}

fn on_disk(house: &House) -> usize {
    fs::read_dir(house.on_disk("city/inbox")).unwrap().count()
}

fn size(bytes: u64) -> FileAttributes {
    FileAttributes {
        size: Some(bytes),
        ..FileAttributes::empty()
    }
}
