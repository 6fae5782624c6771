use std::{
    fs::{DirBuilder, File},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    process, thread,
    time::{Duration, Instant},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::Error;

/// [`is_taken`] has the lock for less than this.
const LOOK: Duration = Duration::from_millis(200);

/// Holds the data folder: the system lets go of it when the process ends, however it ends.
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the folder, making it where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::InUse`] where another process has it.
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Folder {
            folder: folder.to_owned(),
            source,
        };
        // Everything below may hold personal data.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(failed)?;
        let path = folder.join("kuori.lock");
        let opened = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path);
        let mut file = opened.map_err(failed)?;
        let since = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => break,
                Err(Errno::WOULDBLOCK) if since.elapsed() < LOOK => thread::sleep(LOOK / 20),
                Err(Errno::WOULDBLOCK) => {
                    return Err(Error::InUse {
                        folder: folder.to_owned(),
                        process: holder(&mut file),
                    });
                }
                // A file system that has no locks: nobody can know who else works there.
                Err(error) => return Err(failed(error.into())),
            }
        }
        sign(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Whether a process has the folder. One that is just taking it waits until this has looked.
pub(super) fn is_taken(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join("kuori.lock")) else {
        return false;
    };
    let looked = flock(&file, FlockOperation::NonBlockingLockShared);
    looked == Err(Errno::WOULDBLOCK)
}

/// Says who has the folder, for the one who comes second. The lock itself is the system's.
fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    writeln!(file, "{}", process::id())
}

/// `None` in the moment before it has signed.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        let second = Lock::take(folder.path()).err().unwrap();
        let holder = Some(process::id());
        assert!(matches!(second, Error::InUse { process, .. } if process == holder));
        assert!(is_taken(folder.path()));
        drop(first);
        // A child that another test starts has the file open for a moment, from its fork to its exec.
        let since = std::time::Instant::now();
        while Lock::take(folder.path()).is_err() {
            assert!(since.elapsed().as_secs() < 60, "nobody lets go");
            std::thread::yield_now();
        }
    }
}
