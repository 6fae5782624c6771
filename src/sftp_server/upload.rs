use std::{
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    path::Path,
};

use rustix::fs::{CWD, renameat};
use tempfile::NamedTempFile;

use super::{
    folder::is_temporary, in_hand::OneInHand, jail::rename_without_replacing, refusal::Refusal,
    virtual_path::VirtualPath,
};

/// Where an upload will show.
pub(super) struct Destination {
    pub(super) folder: OwnedFd,
    pub(super) name: String,
    pub(super) path: VirtualPath,
}

/// A file on its way in. It lies in the staging folder, and is removed from there when this
/// value is dropped before it was committed: a connection that dies leaves nothing.
pub(super) struct Upload {
    staged: NamedTempFile,
    destination: Destination,
    append: bool,
    max_bytes: u64,
    in_hand: Option<OneInHand>,
}

impl Upload {
    pub(super) fn start(
        staging: &Path,
        destination: Destination,
        append: bool,
        max_bytes: u64,
    ) -> Result<Self, Refusal> {
        let staged = tempfile::Builder::new()
            .prefix("upload-")
            .tempfile_in(staging)?;
        Ok(Self {
            staged,
            destination,
            append,
            max_bytes,
            in_hand: None,
        })
    }

    /// Keeps its place among the uploads that a stop waits for.
    pub(super) fn hold(&mut self, in_hand: OneInHand) {
        self.in_hand = Some(in_hand);
    }

    pub(super) fn path(&self) -> &VirtualPath {
        &self.destination.path
    }

    pub(super) fn file(&self) -> &File {
        self.staged.as_file()
    }

    pub(super) fn write(&self, offset: u64, data: &[u8]) -> Result<(), Refusal> {
        let offset = if self.append {
            self.file().metadata()?.len()
        } else {
            offset
        };
        self.check_size(offset.checked_add(data.len() as u64))?;
        Ok(self.file().write_all_at(data, offset)?)
    }

    pub(super) fn set_size(&self, bytes: u64) -> Result<(), Refusal> {
        self.check_size(Some(bytes))?;
        Ok(self.file().set_len(bytes)?)
    }

    pub(super) fn sync(&self) -> Result<(), Refusal> {
        Ok(self.file().sync_all()?)
    }

    /// Makes the file durable under its name, and says how many bytes it has. When this
    /// returns, the client may be told that we have the file.
    pub(super) fn commit(self) -> Result<u64, Refusal> {
        self.sync()?;
        let bytes = self.file().metadata()?.len();
        let folder = self.destination.folder.try_clone()?;
        self.show()?;
        rustix::fs::fsync(folder)?;
        Ok(bytes)
    }

    fn show(self) -> Result<(), Refusal> {
        let Destination { folder, name, .. } = &self.destination;
        let staged = self.staged.path();
        // An unfinished file of the client's own may be sent again; a finished one may not.
        if is_temporary(name) {
            renameat(CWD, staged, folder, name)?;
        } else {
            rename_without_replacing(CWD, staged, folder, name)?;
        }
        let moved = self.staged.into_temp_path().keep();
        moved.map_err(io::Error::from)?;
        Ok(())
    }

    fn check_size(&self, end: Option<u64>) -> Result<(), Refusal> {
        match end {
            Some(end) if end <= self.max_bytes => Ok(()),
            _ => Err(Refusal::Quota),
        }
    }
}
