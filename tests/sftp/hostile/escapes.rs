//! Paths that lead out, names that mislead, in every request that has a path.

use std::{
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::{
    bytes::Packet,
    canary::{Canaries, NAME},
    panics,
    wire::{Reply, Wire, a_good_client_works, kind, open},
};
use crate::sftp::house::{House, put};

/// Where a path starts.
const STARTS: [&str; 5] = ["", "/", "inbox/", "/receipts//", "./inbox/../"];

/// Of a file with two names, one of them in the upload folder.
const SHARED: &[u8] = b"shared";

/// How it ends.
const ENDS: [&str; 4] = ["", "/", "/.", "/.."];

#[tokio::test]
async fn no_path_in_any_request_leads_out_of_the_home() {
    let house = House::start().await;
    let canaries = Canaries::in_house(&house);
    plant(&house, canaries.outside());
    let mut asked = 0;
    let mut wire = Wire::greeted(&house, "city").await;
    for path in paths(canaries.outside()) {
        put(&house.on_disk("city/inbox/own.tmp"), b"own");
        let requests = requests_with(&path);
        asked += requests.len();
        if !all_answered(&mut wire, &requests).await {
            wire = Wire::greeted(&house, "city").await;
        }
    }
    assert!(asked > 20_000, "{asked}");
    canaries.assert_unharmed();
    assert_shared_file_is_as_it_was(&house);
    assert_eq!(panics::seen(), Vec::<String>::new());
    a_good_client_works(&house, "after.zip").await;
}

#[tokio::test]
async fn no_flags_of_open_lead_out_of_the_home() {
    let house = House::start().await;
    let canaries = Canaries::in_house(&house);
    plant(&house, canaries.outside());
    let mut wire = Wire::greeted(&house, "city").await;
    for path in [
        "inbox/link.tmp",
        "inbox/linked-folder/x.tmp",
        "inbox/hard.tmp",
        "inbox/pipe.tmp",
        "inbox/device.tmp",
        "receipts/linked-folder/canary-name.tmp",
        "../other/inbox/canary-name.tmp",
        "inbox",
        "",
    ] {
        let requests = (0..128).map(|flags| opening(path.as_bytes(), flags));
        let requests: Vec<_> = requests.collect();
        if !all_answered(&mut wire, &requests).await {
            wire = Wire::greeted(&house, "city").await;
        }
    }
    canaries.assert_unharmed();
    assert_shared_file_is_as_it_was(&house);
    assert_eq!(panics::seen(), Vec::<String>::new());
}

/// What an operator may put into a home by mistake, and a client would like to have there.
fn plant(house: &House, outside: &Path) {
    let canary = outside.join(format!("{NAME}.zip"));
    for folder in ["inbox", "receipts"] {
        let place = |name: &str| house.on_disk(&format!("city/{folder}/{name}"));
        symlink(&canary, place("link")).unwrap();
        symlink(&canary, place("link.tmp")).unwrap();
        symlink(outside, place("linked-folder")).unwrap();
        symlink("..", place("up")).unwrap();
        symlink("/", place("top")).unwrap();
        symlink("no-such-file", place("dangling.tmp")).unwrap();
        node(&place("pipe"), FileType::Fifo);
        node(&place("pipe.tmp"), FileType::Fifo);
        node(&place("device.tmp"), FileType::CharacterDevice);
    }
    // Its content may be replaced under this name, never in the file that others share.
    put(&house.dir.path().join("shared"), SHARED);
    fs::hard_link(
        house.dir.path().join("shared"),
        house.on_disk("city/inbox/hard.tmp"),
    )
    .unwrap();
}

fn assert_shared_file_is_as_it_was(house: &House) {
    assert_eq!(fs::read(house.dir.path().join("shared")).unwrap(), SHARED);
}

/// A device needs more rights than a test may have.
fn node(path: &Path, kind: FileType) {
    let null = makedev(1, 3);
    let _ = mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, null);
}

fn paths(outside: &Path) -> Vec<Vec<u8>> {
    let mut paths = Vec::new();
    for start in STARTS {
        for reach in reaches(outside) {
            for end in ENDS {
                paths.push([start.as_bytes(), &reach, end.as_bytes()].concat());
            }
        }
    }
    paths
}

fn reaches(outside: &Path) -> Vec<Vec<u8>> {
    let absolute = outside.as_os_str().as_bytes();
    let mut reaches: Vec<Vec<u8>> = REACHES
        .iter()
        .map(|reach| reach.as_bytes().to_vec())
        .collect();
    reaches.push(absolute.to_vec());
    reaches.push([absolute, b"/canary-name.zip"].concat());
    reaches.push([b"/proc/self/root", absolute].concat());
    reaches.push(b"\xff\xfe.zip".to_vec());
    reaches.push(b"J\xf6rg.zip".to_vec());
    reaches.push(b"\xc0\xae\xc0\xae/other".to_vec());
    reaches.push((0..=255).collect());
    for length in [255, 256, 4096, 32_768] {
        reaches.push(vec![b'a'; length]);
    }
    reaches.push(b"a/".repeat(2000));
    reaches.push([b"../".repeat(64), b"etc/passwd".to_vec()].concat());
    reaches
}

const REACHES: [&str; 44] = [
    "",
    ".",
    "..",
    "...",
    ".. ",
    "../..",
    "../other/inbox/canary-name.zip",
    "../../other/inbox/canary-name.tmp",
    "../../../outside/canary-name.zip",
    "../../outside/folder",
    "../.staging",
    "../.staging/other",
    ".staging/city",
    "../../host-keys/ssh_host_ed25519_key",
    "other",
    "other/inbox",
    "print/pickup/canary-name.zip",
    "link",
    "link.tmp",
    "link/x",
    "linked-folder",
    "linked-folder/canary-name.zip",
    "linked-folder/canary-name.tmp",
    "linked-folder/new.tmp",
    "linked-folder/../new.zip",
    "up/other/inbox/canary-name.zip",
    "up/receipts",
    "top/etc/passwd",
    "dangling.tmp",
    "pipe",
    "pipe.tmp",
    "device.tmp",
    "hard.tmp",
    "/dev/null",
    "etc/passwd",
    "\0",
    "canary-name.zip\0.tmp",
    "..\0/other",
    "a\nb",
    "..\\other\\inbox",
    "C:\\windows",
    "~other",
    "\u{2025}/\u{2024}\u{2024}/\u{ff0e}\u{ff0e}\u{ff0f}other",
    "..%2f..%2fother",
];

/// Every request that has a path, with `path` in each place for one.
fn requests_with(path: &[u8]) -> Vec<Asked> {
    let flags = [
        open::READ,
        open::WRITE,
        open::WRITE | open::CREATE | open::TRUNCATE,
        open::WRITE | open::CREATE | open::EXCLUDE,
        open::APPEND | open::CREATE,
        open::READ | open::WRITE | open::CREATE,
        63,
    ];
    let mut all: Vec<_> = flags.iter().map(|flags| opening(path, *flags)).collect();
    let one = |kind| (kind, Packet::empty().string(path));
    all.extend(
        [
            kind::OPENDIR,
            kind::STAT,
            kind::LSTAT,
            kind::REALPATH,
            kind::READLINK,
            kind::REMOVE,
            kind::RMDIR,
        ]
        .map(one),
    );
    all.push((kind::MKDIR, one(0).1.u32(0)));
    all.push((kind::SETSTAT, one(0).1.u32(1).u64(0)));
    all.push((kind::SETSTAT, one(0).1.u32(4).u32(0o777)));
    all.push((kind::SETSTAT, one(0).1.u32(8).u32(1).u32(1)));
    for two in [kind::RENAME, kind::SYMLINK] {
        all.push((two, one(0).1.string("inbox/moved.tmp")));
        all.push((two, Packet::empty().string("inbox/own.tmp").string(path)));
    }
    for extension in EXTENSIONS {
        let extended = Packet::empty().string(extension);
        all.push((kind::EXTENDED, extended.clone().string(path)));
        all.push((
            kind::EXTENDED,
            extended.clone().string(path).string("inbox/moved.tmp"),
        ));
        all.push((
            kind::EXTENDED,
            extended.string("inbox/own.tmp").string(path),
        ));
    }
    all
}

const EXTENSIONS: [&str; 12] = [
    "posix-rename@openssh.com",
    "hardlink@openssh.com",
    "statvfs@openssh.com",
    "lsetstat@openssh.com",
    "expand-path@openssh.com",
    "home-directory",
    "copy-file",
    "copy-data",
    "fsync@openssh.com",
    "space-available",
    "check-file-name",
    "md5-hash",
];

type Asked = (u8, Packet);

fn opening(path: &[u8], flags: u32) -> Asked {
    (kind::OPEN, Packet::empty().string(path).u32(flags).u32(0))
}

/// Asks all at once and uses what was opened. Whether the session still stands then.
async fn all_answered(wire: &mut Wire, requests: &[Asked]) -> bool {
    for some in requests.chunks(32) {
        let mut bytes = Vec::new();
        for (kind, fields) in some {
            bytes.extend(wire.request(*kind, fields).1);
        }
        wire.send(&bytes).await;
        let mut opened = Vec::new();
        for (_, fields) in some {
            let Some(reply) = wire.reply().await else {
                return false;
            };
            Canaries::assert_silent(&fields.clone().payload(), &reply.rest);
            opened.extend(reply.handle());
        }
        for handle in opened {
            if use_up(wire, &handle).await.is_none() {
                return false;
            }
        }
    }
    true
}

/// Reads, lists, writes, asks for attributes and closes; no answer may tell what is outside.
async fn use_up(wire: &mut Wire, handle: &[u8]) -> Option<()> {
    let replies: [Reply; 6] = [
        wire.on_handle(kind::FSTAT, handle).await?,
        wire.read(handle, 0, 1000).await?,
        wire.on_handle(kind::READDIR, handle).await?,
        wire.write(handle, 0, b"written").await?,
        wire.ask(kind::FSETSTAT, Packet::empty().string(handle).u32(1).u64(3))
            .await?,
        wire.on_handle(kind::CLOSE, handle).await?,
    ];
    for reply in replies {
        Canaries::assert_silent(b"", &reply.rest);
    }
    Some(())
}
