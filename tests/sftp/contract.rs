//! What every remote folder must do, run over a directory, our own server, and OpenSSH's.

use std::{ffi::OsStr, future::poll_fn, os::unix::ffi::OsStrExt, path::PathBuf, task::Poll};

use kuori::{
    domain::Disposition,
    transport::{DirectoryFolder, Error, ReadBack, RemoteFolder, RemotePath, Uploaded},
};
use sha2::{Digest, Sha256};

use crate::sftp::house::{House, noise, put};

/// A remote folder, and the same folder as its operator sees it on the disk.
pub(crate) struct Place<'f> {
    pub(crate) folder: &'f dyn RemoteFolder,
    pub(crate) disk: PathBuf,
    /// Folder that takes uploads.
    pub(crate) drop: RemotePath,
    /// Folder that files are fetched and removed from.
    pub(crate) pick: RemotePath,
    /// For local files.
    pub(crate) scratch: PathBuf,
}

impl Place<'_> {
    fn local(&self, content: &[u8]) -> PathBuf {
        let path = self.scratch.join("local");
        put(&path, content);
        path
    }

    fn in_drop(&self, name: &str) -> RemotePath {
        self.drop.join(name).unwrap()
    }

    fn in_pick(&self, name: &str) -> RemotePath {
        self.pick.join(name).unwrap()
    }

    fn on_disk(&self, path: &RemotePath) -> PathBuf {
        self.disk.join(path.as_str())
    }

    async fn put(&self, content: &[u8], to: &RemotePath) -> Result<Uploaded, Error> {
        let local = self.local(content);
        self.folder.upload(&local, to, ReadBack::Size).await
    }

    async fn names(&self, folder: &RemotePath) -> Vec<String> {
        let files = self.folder.list(folder).await.unwrap().files;
        let mut names: Vec<_> = files.into_iter().map(|file| file.name).collect();
        names.sort();
        names
    }
}

pub(crate) async fn check(place: Place<'_>) {
    uploads_arrive_whole(&place).await;
    what_an_earlier_try_left_is_cleared_away(&place).await;
    an_upload_can_be_repeated_but_replaces_nothing(&place).await;
    downloads_are_whole(&place).await;
    reading_goes_on_at_any_offset(&place).await;
    listings_hold_files_only(&place).await;
    renames_replace_nothing(&place).await;
    what_is_not_there_is_said_so(&place).await;
    many_files_go_both_ways_at_once(&place).await;
    ten_thousand_entries_are_listed(&place).await;
}

async fn uploads_arrive_whole(place: &Place<'_>) {
    for bytes in [0, 1, 32 * 1024, 255 * 1024 + 1, 5_000_000] {
        let content = noise(bytes);
        let to = place.in_drop(&format!("up-{bytes}"));
        let uploaded = place.put(&content, &to).await;
        let uploaded = uploaded.unwrap();
        assert_eq!(uploaded.digest.bytes, bytes as u64);
        assert_eq!(uploaded.digest.sha256, sha256(&content));
        assert!(!uploaded.was_there);
        assert!(std::fs::read(place.on_disk(&to)).unwrap() == content);
    }
    let names = place.names(&place.drop).await;
    assert_eq!(names.len(), 5, "nothing temporary is left: {names:?}");
}

async fn what_an_earlier_try_left_is_cleared_away(place: &Place<'_>) {
    put(
        &place.on_disk(&place.in_drop(".late.part")),
        b"what an earlier try left",
    );
    let to = place.in_drop("late");
    place
        .folder
        .upload(&place.local(b"late"), &to, ReadBack::Digest)
        .await
        .unwrap();
    assert_eq!(std::fs::read(place.on_disk(&to)).unwrap(), b"late");
    assert!(
        !place
            .names(&place.drop)
            .await
            .contains(&".late.part".to_owned())
    );
}

async fn an_upload_can_be_repeated_but_replaces_nothing(place: &Place<'_>) {
    let to = place.in_drop("once");
    let content = place.local(b"the same bytes");
    place
        .folder
        .upload(&content, &to, ReadBack::Size)
        .await
        .unwrap();
    let again = place
        .folder
        .upload(&content, &to, ReadBack::Size)
        .await
        .unwrap();
    assert!(again.was_there);
    for different in [b"the SAME bytes".as_slice(), b"longer than the same bytes"] {
        let refused = place.put(different, &to).await;
        assert!(matches!(refused, Err(Error::Taken { .. })), "{refused:?}");
    }
    assert_eq!(
        std::fs::read(place.on_disk(&to)).unwrap(),
        b"the same bytes"
    );
}

async fn downloads_are_whole(place: &Place<'_>) {
    for bytes in [0, 1, 255 * 1024, 6_000_000] {
        let content = noise(bytes);
        let from = place.in_pick(&format!("down-{bytes}"));
        put(&place.on_disk(&from), &content);
        let mut got = Vec::new();
        let downloaded = place.folder.download(&from, &mut got).await.unwrap();
        assert!(got == content, "{bytes} bytes");
        assert_eq!(downloaded.sha256, sha256(&content));
        let digest = place.folder.digest(&from).await.unwrap();
        assert_eq!(digest, Some(downloaded));
        let found = place.folder.stat(&from).await.unwrap().unwrap();
        assert_eq!(
            (found.name.as_str(), found.bytes),
            (from.name().unwrap(), bytes as u64)
        );
        assert!(found.modified.is_some());
        place.folder.remove(&from).await.unwrap();
        assert_eq!(place.folder.stat(&from).await.unwrap(), None);
    }
}

async fn reading_goes_on_at_any_offset(place: &Place<'_>) {
    let content = noise(1_000_000);
    let from = place.in_pick("resumed");
    put(&place.on_disk(&from), &content);
    for offset in [0, 1, 255 * 1024, 999_999, 1_000_000] {
        let mut got = Vec::new();
        let read = place.folder.read_from(&from, offset as u64, &mut got).await;
        assert_eq!(read.unwrap(), (1_000_000 - offset) as u64);
        assert!(got == content[offset..], "from {offset}");
    }
    let mut nothing = Vec::new();
    let past = place.folder.read_from(&from, 1_000_001, &mut nothing).await;
    let past = past.unwrap_err();
    assert!(matches!(past, Error::SizeDiffers { .. }), "{past:?}");
}

async fn listings_hold_files_only(place: &Place<'_>) {
    let pick = place.on_disk(&place.pick);
    let before = place.names(&place.pick).await.len();
    put(&pick.join("plain.txt"), b"x");
    put(&pick.join("two\nlines"), b"x");
    put(&pick.join("back\\slash"), b"x");
    std::fs::create_dir(pick.join("a-folder")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", pick.join("a-link")).unwrap();
    let listing = place.folder.list(&place.pick).await.unwrap();
    // rclone puts the picture of a line feed in its place, and that name is not odd.
    let is_pictured = |name: &str| name.contains('\u{240a}');
    let pictured = listing.files.iter().filter(|file| is_pictured(&file.name));
    let pictured = pictured.count();
    assert_eq!(listing.files.len(), before + pictured + 1, "{listing:?}");
    put(&pick.join(OsStr::from_bytes(b"J\xf6rg.zip")), b"x");
    let listing_before = listing;
    let listing = place.folder.list(&place.pick).await.unwrap();
    assert_eq!(listing.files, listing_before.files);
    // Our server does not even show them.
    let odd = listing.odd_names.len() + pictured;
    assert!([0, 3].contains(&odd), "{listing:?}");
    assert!(listing.odd_names.iter().all(|name| !name.contains('\n')));
    // Many entries: more than one answer of any server holds.
    for n in 0..250 {
        put(&pick.join(format!("many-{n}")), b"");
    }
    let many = place.names(&place.pick).await.len();
    assert_eq!(many, before + pictured + 251);
    for n in 0..250 {
        std::fs::remove_file(pick.join(format!("many-{n}"))).unwrap();
    }
}

async fn many_files_go_both_ways_at_once(place: &Place<'_>) {
    let content = |n: usize| noise(20_000 + n);
    let up = (0..48).map(|n| async move {
        let local = place.scratch.join(format!("many-{n}"));
        put(&local, &content(n));
        let to = place.in_drop(&format!("many-{n}"));
        place.folder.upload(&local, &to, ReadBack::Size).await
    });
    for uploaded in join_all(up).await {
        uploaded.unwrap();
    }
    for n in 0..48 {
        let name = format!("many-{n}");
        assert!(std::fs::read(place.on_disk(&place.in_drop(&name))).unwrap() == content(n));
        put(&place.on_disk(&place.in_pick(&name)), &content(n));
    }
    let down = (0..48).map(|n| async move {
        let mut got = Vec::new();
        let from = place.in_pick(&format!("many-{n}"));
        let read = place.folder.download(&from, &mut got).await;
        read.map(|_| got == content(n))
    });
    for read in join_all(down).await {
        assert!(read.unwrap());
    }
}

async fn ten_thousand_entries_are_listed(place: &Place<'_>) {
    let many = place.pick.join("ten-thousand").unwrap();
    std::fs::create_dir(place.on_disk(&many)).unwrap();
    for n in 0..10_000 {
        put(&place.on_disk(&many).join(format!("entry-{n:05}")), b"");
    }
    let names = place.names(&many).await;
    assert_eq!(names.len(), 10_000);
    assert_eq!(names[9_999], "entry-09999");
}

/// All of them under way at the same time.
async fn join_all<T>(works: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut works: Vec<_> = works.map(|work| (Box::pin(work), None)).collect();
    poll_fn(|cx| {
        for (work, done) in &mut works {
            if done.is_none()
                && let Poll::Ready(output) = work.as_mut().poll(cx)
            {
                *done = Some(output);
            }
        }
        if works.iter().all(|(_, done)| done.is_some()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
    works.into_iter().filter_map(|(_, done)| done).collect()
}

async fn renames_replace_nothing(place: &Place<'_>) {
    let (one, two, three) = (
        place.in_drop("one.part"),
        place.in_drop("two"),
        place.in_drop("three"),
    );
    place.put(b"1", &one).await.unwrap();
    place.put(b"2", &two).await.unwrap();
    assert!(place.folder.rename(&one, &two).await.is_err());
    place.folder.rename(&one, &three).await.unwrap();
    assert_eq!(std::fs::read(place.on_disk(&two)).unwrap(), b"2");
    assert_eq!(std::fs::read(place.on_disk(&three)).unwrap(), b"1");
    assert_eq!(place.folder.stat(&one).await.unwrap(), None);
}

async fn what_is_not_there_is_said_so(place: &Place<'_>) {
    let nothing = place.in_pick("nothing");
    assert_eq!(place.folder.stat(&nothing).await.unwrap(), None);
    assert_eq!(place.folder.digest(&nothing).await.unwrap(), None);
    let missing = place.folder.download(&nothing, &mut Vec::new()).await;
    let missing = missing.unwrap_err();
    assert!(matches!(missing, Error::Missing { .. }), "{missing:?}");
    assert_eq!(missing.disposition(), Disposition::Hold);
    assert!(place.folder.remove(&nothing).await.is_err());
    assert!(place.folder.list(&nothing).await.is_err());
}

fn sha256(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

pub(crate) fn path(text: &str) -> RemotePath {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_directory_keeps_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DirectoryFolder::new(dir.path().join("root"));
    for made in ["root", "root/drop", "root/pick"] {
        std::fs::create_dir(dir.path().join(made)).unwrap();
    }
    let made = path("pick/made");
    folder.make_dir(&made).await.unwrap();
    folder.make_dir(&made).await.unwrap();
    check(Place {
        folder: &folder,
        disk: dir.path().join("root"),
        drop: path("drop"),
        pick: path("pick"),
        scratch: dir.path().to_owned(),
    })
    .await;
}

#[tokio::test]
async fn a_directory_follows_no_link() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir_all(root.join("real")).unwrap();
    put(&dir.path().join("secret"), b"secret");
    put(&root.join("real/file"), b"x");
    std::os::unix::fs::symlink(dir.path(), root.join("up")).unwrap();
    std::os::unix::fs::symlink("real", root.join("beside")).unwrap();
    let folder = DirectoryFolder::new(root);
    for reach in ["up/secret", "beside/file"] {
        let got = folder.download(&path(reach), &mut Vec::new()).await;
        assert!(got.is_err(), "{reach}");
        assert_eq!(folder.stat(&path(reach)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn our_server_keeps_the_contract_for_a_sender() {
    let house = House::start().await;
    let folder = house.folder("city").await;
    check(Place {
        folder: &folder,
        disk: house.on_disk("city"),
        drop: path("inbox"),
        pick: path("receipts"),
        scratch: house.dir.path().to_owned(),
    })
    .await;
    house.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_server_keeps_the_contract_for_a_print_house() {
    let house = House::start().await;
    let folder = house.folder("print").await;
    std::fs::create_dir(house.on_disk("print/pickup/2026")).unwrap();
    check(Place {
        folder: &folder,
        disk: house.on_disk("print"),
        drop: path("feedback"),
        pick: path("pickup/2026"),
        scratch: house.dir.path().to_owned(),
    })
    .await;
    house.server.stop().await;
}
