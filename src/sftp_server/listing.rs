use std::{os::fd::OwnedFd, vec};

use russh_sftp::protocol::FileAttributes;
use rustix::fs::{AtFlags, Dir, FileType, Stat, statat};

use super::{folder::Folder, refusal::Refusal, virtual_path::VirtualPath};

/// Entries in one answer to a listing; with names of 255 bytes they fit into 64 KiB.
const ENTRIES_IN_A_BATCH: usize = 100;

/// A folder that is being listed. Only files and folders show: no links, no odd names.
pub(super) enum Listing {
    Top(vec::IntoIter<Folder>),
    Folder(FolderListing),
}

/// One folder, and after it the unfinished uploads that belong into it.
pub(super) struct FolderListing {
    folder: OwnedFd,
    entries: Dir,
    unfinished: Option<Dir>,
}

impl Listing {
    pub(super) fn of(folder: OwnedFd, unfinished: Option<&OwnedFd>) -> Result<Self, Refusal> {
        Ok(Self::Folder(FolderListing {
            entries: Dir::read_from(&folder)?,
            unfinished: unfinished.map(Dir::read_from).transpose()?,
            folder,
        }))
    }

    /// The next entries; none are left when the vector is empty.
    pub(super) fn next_batch(&mut self) -> Result<Vec<(String, FileAttributes)>, Refusal> {
        match self {
            Self::Top(folders) => Ok(folders
                .map(|folder| (folder.name().to_owned(), folder_attributes()))
                .collect()),
            Self::Folder(listing) => listing.next_batch(),
        }
    }
}

impl FolderListing {
    fn next_batch(&mut self) -> Result<Vec<(String, FileAttributes)>, Refusal> {
        let finished = next_entries(&mut self.entries, |_| true)?;
        let Some(unfinished) = self.unfinished.as_mut().filter(|_| finished.is_empty()) else {
            return Ok(finished);
        };
        // One that was finished since the folder was read has shown, or is not known yet.
        let folder = &self.folder;
        next_entries(unfinished, |name| {
            statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).is_err()
        })
    }
}

fn next_entries(
    dir: &mut Dir,
    shows: impl Fn(&str) -> bool,
) -> Result<Vec<(String, FileAttributes)>, Refusal> {
    let mut entries = Vec::new();
    while entries.len() < ENTRIES_IN_A_BATCH {
        let Some(entry) = dir.read() else { break };
        let entry = entry?;
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if name == "." || name == ".." || VirtualPath::parse(name).is_err() || !shows(name) {
            continue;
        }
        // It may have been taken since the folder was read.
        let Ok(found) = statat(dir.fd()?, name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        entries.extend(attributes(&found).map(|attributes| (name.to_owned(), attributes)));
    }
    Ok(entries)
}

/// The attributes that clients get of a file or folder: owner and mode are the same for all.
pub(super) fn attributes(found: &Stat) -> Option<FileAttributes> {
    let mode = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => 0o100_600,
        FileType::Directory => 0o040_700,
        _ => return None,
    };
    let modified = u32::try_from(found.st_mtime).unwrap_or(0);
    Some(FileAttributes {
        size: u64::try_from(found.st_size).ok(),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(mode),
        atime: Some(modified),
        mtime: Some(modified),
        user: None,
        group: None,
    })
}

pub(super) fn folder_attributes() -> FileAttributes {
    FileAttributes {
        size: Some(0),
        uid: Some(0),
        gid: Some(0),
        permissions: Some(0o040_700),
        atime: Some(0),
        mtime: Some(0),
        user: None,
        group: None,
    }
}
