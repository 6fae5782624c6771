use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::MappedFile;

/// Bytes that stand still while a command looks at them.
pub enum ScratchBytes {
    Memory(Vec<u8>),
    File(MappedFile),
}

impl AsRef<[u8]> for ScratchBytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Memory(bytes) => bytes,
            Self::File(bytes) => bytes.as_ref(),
        }
    }
}

/// A place for what is needed only while one command runs. Its files have no name, so that the
/// system takes them away when the program ends, however it ends.
#[derive(Debug, Clone)]
pub struct Scratch {
    folder: PathBuf,
    /// What is no larger stays in memory.
    max_memory_bytes: u64,
}

impl Scratch {
    pub const MAX_MEMORY_BYTES: u64 = 16 << 20;

    /// Files go into `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            max_memory_bytes: Self::MAX_MEMORY_BYTES,
        }
    }

    /// Reads `content` to its end: into memory where it is small, else into a file.
    pub fn keep(&self, content: &mut dyn Read) -> io::Result<ScratchBytes> {
        let mut bytes = Vec::new();
        content
            .take(self.max_memory_bytes + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 <= self.max_memory_bytes {
            return Ok(ScratchBytes::Memory(bytes));
        }
        let mut file = tempfile::tempfile_in(&self.folder)?;
        file.write_all(&bytes)?;
        drop(bytes);
        io::copy(content, &mut file)?;
        Ok(ScratchBytes::File(MappedFile::new(&file)?))
    }

    /// As [`Scratch::keep`], for a file that others may write to. Where the file system can share
    /// blocks (btrfs, XFS), nothing is copied.
    pub fn keep_file(&self, file: &mut File, path: &Path) -> io::Result<ScratchBytes> {
        let metadata = file.metadata()?;
        let is_large = metadata.is_file() && metadata.len() > self.max_memory_bytes;
        if !is_large {
            return self.keep(file);
        }
        if let Ok(twin) = twin(file, path) {
            return Ok(ScratchBytes::File(MappedFile::new(&twin)?));
        }
        file.rewind()?;
        let mut copy = tempfile::tempfile_in(&self.folder)?;
        // Both are plain files: the kernel copies, and nothing passes through here.
        io::copy(file, &mut copy)?;
        Ok(ScratchBytes::File(MappedFile::new(&copy)?))
    }
}

/// A file without a name that shares its blocks with `file` until one of them changes. Blocks are
/// shared on one file system only, so it stands where `file` does.
fn twin(file: &File, path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let unnamed = rustix::fs::OFlags::TMPFILE.bits();
    let twin = File::options()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(unnamed.cast_signed())
        .open(folder.unwrap_or(Path::new(".")))?;
    rustix::fs::ioctl_ficlone(twin.as_fd(), file.as_fd())?;
    Ok(twin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(folder: &Path) -> Scratch {
        Scratch {
            folder: folder.to_owned(),
            max_memory_bytes: 4,
        }
    }

    fn kept_in_memory(bytes: &ScratchBytes) -> bool {
        matches!(bytes, ScratchBytes::Memory(_))
    }

    #[test]
    fn what_is_small_stays_in_memory_and_one_byte_more_goes_into_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let scratch = small(folder.path());
        let four = scratch.keep(&mut &b"four"[..]).unwrap();
        let fives = scratch.keep(&mut &b"fives"[..]).unwrap();
        assert!(kept_in_memory(&four) && !kept_in_memory(&fives));
        assert_eq!(
            (four.as_ref(), fives.as_ref()),
            (&b"four"[..], &b"fives"[..])
        );
    }

    #[test]
    fn no_file_of_it_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let _kept = small(folder.path()).keep(&mut &b"fives"[..]).unwrap();
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_changes_after_it_was_kept_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("batch.zip");
        let mut file = File::create_new(&path).unwrap();
        file.write_all(b"as it was").unwrap();
        let mut read = File::open(&path).unwrap();
        let kept = small(folder.path()).keep_file(&mut read, &path).unwrap();
        file.set_len(0).unwrap();
        assert_eq!(kept.as_ref(), b"as it was");
    }
}
