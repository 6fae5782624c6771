use std::{
    fmt,
    fs::{self, DirBuilder, File},
    io::{self, BufWriter, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::Error;
use crate::crash_points::around;

/// The name of a spooled file: a relative path of our own making, such as `batches/3fa9….zip`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpoolKey(pub(super) String);

impl SpoolKey {
    /// `folder` and `name` are ours: letters, digits, `-`, `_` and `.`; never a sender's words.
    pub fn new(folder: &str, name: impl fmt::Display) -> Self {
        Self(format!("{folder}/{name}"))
    }
}

impl SpoolKey {
    /// Without its folder.
    pub(super) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl fmt::Display for SpoolKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file that stands in the spool, complete and synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpooledFile {
    pub key: SpoolKey,
    pub bytes: u64,
    /// SHA-256 in lower-case hex.
    pub sha256: String,
}

/// The folder of files that rows point to. Files appear whole or not at all and never change.
pub struct Spool {
    root: PathBuf,
}

impl Spool {
    /// Opens a folder as a spool, making what is missing. Nobody else may write in it.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let temporary = root.join("temporary");
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&temporary);
        made.map_err(failed("make", &temporary))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Begins a file under a temporary name; it counts only once [`NewSpoolFile::keep`] returns.
    pub fn begin(&self) -> Result<NewSpoolFile, Error> {
        let folder = self.root.join("temporary");
        let file = around("write", "spool: begin", || NamedTempFile::new_in(&folder))
            .map_err(failed("begin a file in", &folder))?;
        Ok(NewSpoolFile {
            root: self.root.clone(),
            out: BufWriter::with_capacity(256 * 1024, file),
            digest: Sha256::new(),
            bytes: 0,
        })
    }

    /// What the spool's disk has left for us, in bytes.
    pub fn free_bytes(&self) -> Result<u64, Error> {
        let found = rustix::fs::statvfs(&self.root);
        let disk =
            found.map_err(|error| failed("look at the disk of", &self.root)(error.into()))?;
        Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
    }

    /// Maps a spooled file for reading.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where it is not there.
    pub fn map(&self, key: &SpoolKey) -> Result<MappedFile, Error> {
        let path = self.path(key);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(Error::Missing { path });
            }
            opened => opened.map_err(failed("open", &path))?,
        };
        MappedFile::new(&file).map_err(failed("map", &path))
    }

    /// As [`Spool::map`], after comparing the file with the digest that was recorded for it.
    ///
    /// # Errors
    ///
    /// [`Error::Damaged`] where the disk has changed it since.
    pub fn map_checked(&self, key: &SpoolKey, sha256: &str) -> Result<MappedFile, Error> {
        let file = self.map(key)?;
        if hex(&Sha256::digest(file.as_ref())) == sha256 {
            Ok(file)
        } else {
            Err(Error::Damaged {
                path: self.path(key),
            })
        }
    }

    /// Where a spooled file stands, for a room that hands it to somebody.
    pub fn path(&self, key: &SpoolKey) -> PathBuf {
        self.root.join(&key.0)
    }

    /// Gives a file a second name; the first one can then be removed once the row names the second.
    pub(super) fn copy_name(&self, from: &SpoolKey, to: &SpoolKey) -> Result<(), Error> {
        let (from, to) = (self.path(from), self.path(to));
        let folder = to.parent().unwrap_or(&self.root);
        let keep = failed("keep", &to);
        fs::create_dir_all(folder).map_err(&keep)?;
        match around("link", "spool: second name", || fs::hard_link(&from, &to)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(keep(error)),
            _ => {}
        }
        sync_folder(folder).map_err(&keep)
    }

    /// The folder that the spool is a part of.
    pub(super) fn data_folder(&self) -> &Path {
        self.root.parent().unwrap_or(&self.root)
    }

    pub fn contains(&self, key: &SpoolKey) -> bool {
        self.path(key).exists()
    }

    /// Removes a file that no row names any more. One that is gone already is fine.
    pub fn remove(&self, key: &SpoolKey) -> Result<(), Error> {
        let path = self.path(key);
        match around("remove", "spool: remove", || fs::remove_file(&path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// All files below a folder of the spool.
    pub(super) fn keys_in(&self, folder: &str) -> Result<Vec<SpoolKey>, Error> {
        let path = self.root.join(folder);
        let entries = match fs::read_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed("list", &path))?,
        };
        let mut keys = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed("list", &path))?;
            keys.push(SpoolKey::new(folder, entry.file_name().to_string_lossy()));
        }
        Ok(keys)
    }
}

/// A file on its way into the spool. Dropped without [`NewSpoolFile::keep`], it is gone.
pub struct NewSpoolFile {
    root: PathBuf,
    out: BufWriter<NamedTempFile>,
    digest: Sha256,
    bytes: u64,
}

impl NewSpoolFile {
    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// SHA-256 of what was written so far, in lower-case hex.
    pub fn sha256(&self) -> String {
        hex(&self.digest.clone().finalize())
    }

    /// Syncs the file, gives it its name, and syncs the folder. A file of that name is replaced:
    /// names are made from content or from ids, so it can only be the same again.
    pub fn keep(self, key: &SpoolKey) -> Result<SpooledFile, Error> {
        self.named(key, true)
    }

    /// As [`NewSpoolFile::keep`], without syncing: for a file that can be made again after a crash
    /// and that no row names.
    pub fn keep_for_now(self, key: &SpoolKey) -> Result<SpooledFile, Error> {
        self.named(key, false)
    }

    fn named(self, key: &SpoolKey, durable: bool) -> Result<SpooledFile, Error> {
        let sha256 = self.sha256();
        let path = self.root.join(&key.0);
        let keep = failed("keep", &path);
        let file = around("write", "spool: flush", || self.out.into_inner());
        let file = file.map_err(|e| keep(e.into_error()))?;
        if durable {
            around("sync", "spool: keep", || file.as_file().sync_all()).map_err(&keep)?;
        }
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(&keep)?;
        around("rename", "spool: keep", || file.persist(&path)).map_err(|e| keep(e.error))?;
        if durable {
            sync_folder(folder).map_err(&keep)?;
        }
        Ok(SpooledFile {
            key: key.clone(),
            bytes: self.bytes,
            sha256,
        })
    }
}

impl Write for NewSpoolFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.out.write_all(buffer)?;
        self.digest.update(buffer);
        self.bytes += buffer.len() as u64;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The bytes of a spooled file, paged in by the system as they are read.
pub struct MappedFile(memmap2::Mmap);

impl MappedFile {
    #[allow(unsafe_code)]
    pub(super) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: a mapping is undefined behaviour only if the file changes below it. Spooled files
        // are made under a temporary name, renamed when complete, never written or truncated after,
        // and the spool is closed to everyone but this program. Removing one leaves mappings valid.
        // Scratch files have no name that anybody could open, and are written before they come here.
        let map = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(map))
    }
}

impl AsRef<[u8]> for MappedFile {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = File::open(folder)?;
    around("sync", "spool: folder", || folder.sync_all())
}

fn failed(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Spool {
        doing,
        path: path.clone(),
        source,
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_has_its_bytes_and_digest() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let mut file = spool.begin().unwrap();
        file.write_all(b"abc").unwrap();
        let kept = file.keep(&SpoolKey::new("batches", "a.zip")).unwrap();
        assert_eq!(kept.bytes, 3);
        assert_eq!(
            kept.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(spool.map(&kept.key).unwrap().as_ref(), b"abc");
    }

    #[test]
    fn a_file_that_changed_on_the_disk_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let mut file = spool.begin().unwrap();
        file.write_all(b"abc").unwrap();
        let kept = file.keep(&SpoolKey::new("batches", "a.zip")).unwrap();
        assert!(spool.map_checked(&kept.key, &kept.sha256).is_ok());
        let mut damaged = fs::OpenOptions::new()
            .write(true)
            .open(spool.path(&kept.key))
            .unwrap();
        damaged.write_all(b"x").unwrap();
        let refused = spool.map_checked(&kept.key, &kept.sha256).err().unwrap();
        assert!(matches!(refused, Error::Damaged { .. }));
    }

    #[test]
    fn a_file_that_was_not_kept_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        spool.begin().unwrap().write_all(b"abc").unwrap();
        assert!(spool.keys_in("temporary").unwrap().is_empty());
    }

    #[test]
    fn removing_twice_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path()).unwrap();
        let kept = spool
            .begin()
            .unwrap()
            .keep(&SpoolKey::new("batches", "a.zip"))
            .unwrap();
        spool.remove(&kept.key).unwrap();
        spool.remove(&kept.key).unwrap();
        assert!(!spool.contains(&kept.key));
    }
}
