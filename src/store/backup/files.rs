//! Files of a backup: copied, or linked where they never change.

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::store::Error;

pub(super) fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Backup {
        doing,
        path: path.clone(),
        source,
    }
}

/// A folder, and those above it, for its owner alone.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(failed("make", path))
}

/// A file that is not there yet, for its owner alone.
pub(super) fn new_file(path: &Path) -> Result<File, Error> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    opened.map_err(failed("make", path))
}

/// Bytes and SHA-256, in lower-case hex, of what was copied.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(u64, String), Error> {
    let mut source = File::open(from).map_err(failed("read", from))?;
    let mut target = new_file(to)?;
    pump(&mut source, &mut target).map_err(failed("write", to))
}

pub(super) fn digest_of_file(path: &Path) -> Result<(u64, String), Error> {
    let read = failed("read", path);
    let mut file = File::open(path).map_err(&read)?;
    pump(&mut file, &mut io::sink()).map_err(read)
}

pub(super) fn digest_of(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<(u64, String)> {
    let mut buffer = vec![0; 1 << 20];
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    loop {
        let read = from.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok((bytes, hex(&digest.finalize())));
        };
        digest.update(piece);
        to.write_all(piece)?;
        bytes += piece.len() as u64;
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Gives a file that never changes a second name. `false` where that cannot be: another disk, or too
/// many names.
pub(super) fn link(from: &Path, to: &Path) -> Result<bool, Error> {
    if let Some(folder) = to.parent() {
        make_folder(folder)?;
    }
    match fs::hard_link(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(failed("link", from)(error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(failed("link", to)(error))
        }
        Err(_) => Ok(false),
    }
}

/// Whether both are on one disk, so that a file can have a name in both.
pub(super) fn share_a_disk(one: &Path, other: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    device(one).is_some_and(|found| device(other) == Some(found))
}

/// Everything written below the disk of `folder` is on it when this returns.
pub(super) fn sync_disk(folder: &Path) -> Result<(), Error> {
    let sync = failed("sync", folder);
    let opened = File::open(folder).map_err(&sync)?;
    rustix::fs::syncfs(&opened).map_err(|error| sync(error.into()))
}

pub(super) fn free_bytes(folder: &Path) -> Result<u64, Error> {
    let disk = rustix::fs::statvfs(folder)
        .map_err(|error| failed("look at the disk of", folder)(error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether there is nothing of that name, or a folder with nothing in it.
pub(super) fn is_vacant(path: &Path) -> Result<bool, Error> {
    match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(failed("list", path)(error)),
        Ok(mut entries) => Ok(entries.next().is_none()),
    }
}

/// Moves a finished folder to its name, in place of an empty one at most.
pub(super) fn put_in_place(made: &Path, to: &Path) -> Result<(), Error> {
    let rename = failed("rename", to);
    sync_disk(made)?;
    rustix::fs::rename(made, to).map_err(|error| rename(error.into()))?;
    let above = to.parent().filter(|above| !above.as_os_str().is_empty());
    let above = File::open(above.unwrap_or(Path::new("."))).map_err(&rename)?;
    above.sync_all().map_err(rename)
}
