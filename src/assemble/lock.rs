use std::{
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

use rustix::fs::{FlockOperation, flock};

use super::Error;

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
        let file = File::create(folder.join("kuori.lock")).map_err(failed)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| Error::InUse {
            folder: folder.to_owned(),
        })?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        assert!(matches!(
            Lock::take(folder.path()),
            Err(Error::InUse { .. })
        ));
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
