//! What lies outside an account's home and must stay as it is, unread and unnamed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use crate::sftp::house::{House, put};

/// In the content of every file outside.
pub(crate) const CONTENT: &[u8] = b"KUORI-CANARY-CONTENT";

/// In the name of every file outside.
pub(crate) const NAME: &str = "canary-name";

/// A tree beside the server's root, the homes of the others, and their staging folders.
pub(crate) struct Canaries {
    outside: PathBuf,
    before: BTreeMap<PathBuf, Seen>,
    atimes_tell: bool,
    watched: Vec<PathBuf>,
}

/// What a file or folder is like, without its content: looking at that would be reading.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    mode: u32,
    bytes: u64,
    changed: (i64, i64),
    read: Option<i64>,
}

impl Canaries {
    pub(crate) fn in_house(house: &House) -> Self {
        let outside = house.dir.path().join("outside");
        fs::create_dir_all(outside.join("folder")).unwrap();
        for place in [
            "outside",
            "outside/folder",
            "root/other/inbox",
            "root/print/pickup",
        ] {
            let place = house.dir.path().join(place);
            put(&place.join(format!("{NAME}.zip")), CONTENT);
            put(&place.join(format!("{NAME}.tmp")), CONTENT);
        }
        let watched = ["outside", "root/other", "root/print", "host-keys"];
        let mut canaries = Self {
            atimes_tell: atimes_tell(&house.dir.path().join("probe")),
            outside,
            before: BTreeMap::new(),
            watched: watched.map(|place| house.dir.path().join(place)).into(),
        };
        for path in canaries.files() {
            make_old(&path);
        }
        canaries.before = canaries.seen();
        canaries
    }

    pub(crate) fn outside(&self) -> &Path {
        &self.outside
    }

    /// # Panics
    ///
    /// Where anything outside is not as it was.
    pub(crate) fn assert_unharmed(&self) {
        assert_eq!(self.seen(), self.before);
        for file in self.files() {
            if file.to_string_lossy().contains(NAME) {
                assert!(fs::read(&file).unwrap() == CONTENT, "{}", file.display());
                make_old(&file);
            }
        }
    }

    /// # Panics
    ///
    /// Where a reply holds what is outside, and not because the request named it.
    pub(crate) fn assert_silent(request: &[u8], reply: &[u8]) {
        let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|at| at == part);
        assert!(!holds(reply, CONTENT), "content: {request:?} got {reply:?}");
        let named = holds(reply, NAME.as_bytes()) && !holds(request, NAME.as_bytes());
        assert!(!named, "name: {request:?} got {reply:?}");
    }

    fn seen(&self) -> BTreeMap<PathBuf, Seen> {
        let mut all = BTreeMap::new();
        for top in &self.watched {
            walk(top, &mut |path| {
                let found = fs::symlink_metadata(path).unwrap();
                let seen = Seen {
                    mode: found.mode(),
                    bytes: found.len(),
                    changed: (found.mtime(), found.mtime_nsec()),
                    read: (self.atimes_tell && found.is_file()).then(|| found.atime()),
                };
                all.insert(path.to_owned(), seen);
            });
        }
        all
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for top in &self.watched {
            walk(top, &mut |path| {
                if path.is_file() {
                    files.push(path.to_owned());
                }
            });
        }
        files
    }
}

fn walk(top: &Path, visit: &mut impl FnMut(&Path)) {
    visit(top);
    for entry in fs::read_dir(top).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

/// Read last before it was written last: then even a file system that notes few reads notes one.
fn make_old(path: &Path) {
    let changed = fs::metadata(path).unwrap();
    let at = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
    let times = Timestamps {
        last_access: at(1_000_000_000),
        last_modification: at(changed.mtime()),
    };
    utimensat(CWD, path, &times, AtFlags::empty()).unwrap();
}

fn atimes_tell(probe: &Path) -> bool {
    put(probe, b"probe");
    make_old(probe);
    fs::read(probe).unwrap();
    let read = fs::metadata(probe).unwrap().accessed().unwrap();
    let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_001);
    read > long_ago
}
