//! A crash or a failure at every call to a real server: each file is there once, whole, the marker
//! last.

use std::{fs, io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use jiff::SignedDuration;
use kuori::{
    outbox::{Await, PickUp, PlaceSettings, Settings},
    transport::{
        Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath, SftpFolder,
        Uploaded,
    },
};

use super::{bundle, composed, print_house};
use crate::{
    chaos::{ChaosFolder, TROUBLES, Trouble, later, start_again},
    hub::{Hub, now},
    sftp::house::House,
};

/// A server's folder for uploads as the place of bundles: our own server has none with folders in it.
struct Flat(SftpFolder);

fn flat(path: &RemotePath) -> RemotePath {
    let name = path.name().filter(|_| path.parent() != path.top());
    let name = name.filter(|name| name.contains('.'));
    let folder: RemotePath = "feedback".parse().unwrap();
    name.map_or(folder.clone(), |name| folder.join(name).unwrap())
}

#[async_trait]
impl RemoteFolder for Flat {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        self.0.list(&flat(folder)).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        self.0.stat(&flat(path)).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        self.0.read_from(&flat(path), offset, to).await
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        self.0.upload(from, &flat(to), read_back).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        self.0.rename(&flat(from), &flat(to)).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        self.0.remove(&flat(path)).await
    }

    async fn make_dir(&self, _: &RemotePath) -> Result<(), Error> {
        Ok(())
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        self.0.digest(&flat(path)).await
    }
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    let place = PlaceSettings {
        read_back: ReadBack::Digest,
        pickup: PickUp {
            wanted: Await::PickUp,
            ..PickUp::default()
        },
        ..PlaceSettings::default()
    };
    settings.places.insert(print_house(), place);
    settings
}

/// Hands one bundle over with trouble at a call, then without. Returns whether there was any.
async fn arrives_once(server: &House, trouble: Trouble, at: u32) -> bool {
    let when = format!("{trouble:?} at call {at}");
    let hub = composed().await;
    let door = Arc::new(Flat(server.folder("print").await));
    let first = Arc::new(ChaosFolder::new(door.clone(), trouble, at));
    let outbox = hub.outbox_with(settings(), [(print_house(), first.clone() as _)]);
    first
        .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
        .await;
    assert_no_marker_without_the_rest(server, &hub, &when);
    start_again(&hub);
    let outbox = hub.outbox_with(settings(), [(print_house(), door as _)]);
    for at in [later(), later() + SignedDuration::from_hours(1)] {
        while outbox.hand_over_next(at).await.unwrap() {}
    }
    assert_eq!(standing(server, &hub), [true; 4], "{when}");
    assert_eq!(names(server).len(), 4, "{when}: {:?}", names(server));
    assert_eq!(hub.counts().printed, 2, "{when}");

    for name in names(server) {
        fs::remove_file(server.on_disk("print/feedback").join(name)).unwrap();
    }
    // Another day, another connection: our server tells one for a moment of what it sent.
    let door = Arc::new(Flat(server.folder("print").await));
    let outbox = hub.outbox_with(settings(), [(print_house(), door as _)]);
    assert_eq!(outbox.look_for_pickups(later()).await.unwrap(), 1, "{when}");
    start_again(&hub);
    while outbox.hand_over_next(later()).await.unwrap() {}
    assert_eq!(names(server), [""; 0], "{when}");
    hub.run().await;
    first.has_struck()
}

fn names(server: &House) -> Vec<String> {
    let entries = fs::read_dir(server.on_disk("print/feedback")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Which files of the bundle stand there, with the bytes of their rows, the marker last.
fn standing(server: &House, hub: &Hub) -> [bool; 4] {
    let files = bundle(hub).files;
    let stands = |file: &kuori::store::OutgoingFile| {
        let name = file.path.rsplit('/').next().unwrap();
        let there = fs::read(server.on_disk("print/feedback").join(name));
        let ours = fs::read(hub.store.spool().path(&file.file.key)).unwrap();
        there.is_ok_and(|there| there == ours)
    };
    let standing: Vec<_> = files.iter().map(stands).collect();
    standing.try_into().unwrap()
}

fn assert_no_marker_without_the_rest(server: &House, hub: &Hub, when: &str) {
    let standing = standing(server, hub);
    let marker_is_last = !standing[3] || standing == [true; 4];
    assert!(marker_is_last, "{when}: {standing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn over_sftp_each_file_arrives_once_and_whole_whatever_happens_at_any_call() {
    let server = House::start().await;
    for trouble in TROUBLES {
        let mut at = 1;
        while arrives_once(&server, trouble, at).await {
            at += 1;
        }
        assert!(at > 5, "{trouble:?}: only {at} calls");
    }
}
