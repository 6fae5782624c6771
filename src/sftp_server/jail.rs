use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::Arc,
};

use russh_sftp::protocol::{FileAttributes, OpenFlags};
use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, ResolveFlags, StatVfs, fstat,
        fstatvfs, linkat, mkdirat, openat2, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{
    account::KnownAccount,
    folder::{Folder, OURS, is_temporary},
    listing::{Listing, attributes, folder_attributes},
    refusal::Refusal,
    upload::{Destination, Upload},
    virtual_path::VirtualPath,
};

/// Name of the folder for unfinished uploads; no account can be called so.
const STAGING: &str = ".staging";

/// One account's home, seen through a directory handle.
///
/// Every path is resolved by the kernel below that handle, and a symbolic link in it is an
/// error (`openat2(2)`: `RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS`), so what an operator links into
/// a home by mistake stays unreachable.
pub(super) struct Jail {
    home: OwnedFd,
    staging: PathBuf,
    account: Arc<KnownAccount>,
    max_file_bytes: u64,
}

/// What a client's path means for its account.
enum Place {
    Top,
    /// One of the account's folders.
    Folder,
    /// Something in it.
    Below(Folder),
}

impl Jail {
    /// Makes the home of `account` below `root`, and removes what a crash left half uploaded.
    pub(super) fn prepare(root: &Path, account: &KnownAccount) -> io::Result<()> {
        let name = account.account.name.as_str();
        let staging = root.join(STAGING).join(name);
        fs::create_dir_all(&staging)?;
        for leftover in fs::read_dir(&staging)? {
            fs::remove_file(leftover?.path())?;
        }
        let top = open_below(CWD, root, OFlags::DIRECTORY, ResolveFlags::empty())?;
        make_folder(top.as_fd(), name)?;
        let home = beneath(top.as_fd(), name, OFlags::DIRECTORY)?;
        for folder in account.account.role.folders() {
            make_folder(home.as_fd(), folder.name())?;
            beneath(home.as_fd(), folder.name(), OFlags::DIRECTORY)?;
        }
        Ok(())
    }

    pub(super) fn open(
        root: &Path,
        account: Arc<KnownAccount>,
        max_file_bytes: u64,
    ) -> io::Result<Self> {
        let name = account.account.name.as_str();
        let top = open_below(CWD, root, OFlags::DIRECTORY, ResolveFlags::empty())?;
        Ok(Self {
            home: beneath(top.as_fd(), name, OFlags::DIRECTORY)?,
            staging: root.join(STAGING).join(name),
            account,
            max_file_bytes,
        })
    }

    pub(super) fn stat(&self, path: &VirtualPath) -> Result<FileAttributes, Refusal> {
        if let Place::Top = self.place(path)? {
            return Ok(folder_attributes());
        }
        let found = fstat(self.open_at(path, OFlags::PATH)?)?;
        attributes(&found).ok_or(Refusal::Missing)
    }

    pub(super) fn open_file(&self, path: &VirtualPath) -> Result<File, Refusal> {
        let Place::Below(_) = self.place(path)? else {
            return Err(Refusal::Denied("this is a folder"));
        };
        // NONBLOCK: a pipe that somebody put here must not hold the session.
        let file = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK)?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(Refusal::Denied("this is not a file"));
        }
        Ok(File::from(file))
    }

    pub(super) fn list(&self, path: &VirtualPath) -> Result<Listing, Refusal> {
        if let Place::Top = self.place(path)? {
            let folders = self.account.account.role.folders().to_vec();
            return Ok(Listing::Top(folders.into_iter()));
        }
        let folder = self.open_at(path, OFlags::DIRECTORY)?;
        Ok(Listing::Folder(Dir::new(folder)?))
    }

    /// Starts an upload that shows under `path` only when it is committed.
    pub(super) fn start_upload(
        &self,
        path: &VirtualPath,
        flags: OpenFlags,
    ) -> Result<Upload, Refusal> {
        let (folder, name) = self.upload_place(path)?;
        let standing = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW);
        match standing {
            Ok(_) if flags.contains(OpenFlags::EXCLUDE) || !is_temporary(name) => {
                return Err(Refusal::Taken);
            }
            Ok(_) if !flags.contains(OpenFlags::TRUNCATE) => {
                return Err(Refusal::Unsupported(
                    "an upload cannot be resumed; send it again from the start",
                ));
            }
            Err(_) if !flags.contains(OpenFlags::CREATE) => return Err(Refusal::Missing),
            Ok(_) | Err(_) => {}
        }
        let max_bytes = self.room_for_upload(&folder)?;
        let destination = Destination {
            folder,
            name: name.to_owned(),
            path: path.clone(),
        };
        Upload::start(
            &self.staging,
            destination,
            flags.contains(OpenFlags::APPEND),
            max_bytes,
        )
    }

    /// Renames within an upload folder, never over a file that is there.
    pub(super) fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), Refusal> {
        let (source, old) = self.upload_place(from)?;
        let (target, new) = self.upload_place(to)?;
        if !is_temporary(old) && is_temporary(new) {
            // Under such a name it could be overwritten and removed.
            return Err(Refusal::Denied(
                "a file that was received cannot be changed",
            ));
        }
        let standing = statat(&source, old, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(standing.st_mode) != FileType::RegularFile {
            return Err(Refusal::Missing);
        }
        rename_without_replacing(&source, Path::new(old), &target, new)?;
        rustix::fs::fsync(&target)?;
        Ok(())
    }

    pub(super) fn remove(&self, path: &VirtualPath) -> Result<(), Refusal> {
        let Place::Below(folder) = self.place(path)? else {
            return Err(Refusal::Denied("this folder cannot be removed"));
        };
        let (parent, name) = parent_and_name(path).ok_or(Refusal::Missing)?;
        if !folder.allows_removal_of(name) {
            return Err(Refusal::Denied(
                "a file that was received cannot be removed",
            ));
        }
        let parent = beneath(self.home.as_fd(), &parent, OFlags::DIRECTORY)?;
        let standing = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(standing.st_mode) != FileType::RegularFile {
            return Err(Refusal::Denied("this is not a file"));
        }
        unlinkat(&parent, name, AtFlags::empty())?;
        rustix::fs::fsync(&parent)?;
        Ok(())
    }

    /// Removes an empty folder inside one that we fill: a bundle's, once its files are picked up.
    pub(super) fn remove_folder(&self, path: &VirtualPath) -> Result<(), Refusal> {
        let Place::Below(folder) = self.place(path)? else {
            return Err(Refusal::Denied("this folder cannot be removed"));
        };
        let (parent, name) = parent_and_name(path).ok_or(Refusal::Missing)?;
        if folder.takes_uploads() {
            return Err(Refusal::Denied("there are no folders to remove here"));
        }
        let parent = beneath(self.home.as_fd(), &parent, OFlags::DIRECTORY)?;
        unlinkat(&parent, name, AtFlags::REMOVEDIR)?;
        rustix::fs::fsync(&parent)?;
        Ok(())
    }

    pub(super) fn file_system(&self) -> Result<StatVfs, Refusal> {
        Ok(fstatvfs(&self.home)?)
    }

    fn place(&self, path: &VirtualPath) -> Result<Place, Refusal> {
        let Some((first, rest)) = path.components().split_first() else {
            return Ok(Place::Top);
        };
        let mut folders = self.account.account.role.folders().iter();
        let folder = *folders
            .find(|folder| folder.name() == first)
            .ok_or(Refusal::Missing)?;
        if folder.takes_uploads() && rest.first().is_some_and(|name| name == OURS) {
            return Err(Refusal::Denied("`.kuori` is the server's own folder"));
        }
        Ok(if rest.is_empty() {
            Place::Folder
        } else {
            Place::Below(folder)
        })
    }

    fn open_at(&self, path: &VirtualPath, flags: OFlags) -> Result<OwnedFd, Refusal> {
        Ok(beneath(
            self.home.as_fd(),
            &path.components().join("/"),
            flags,
        )?)
    }

    /// The upload folder that `path` lies in, open, and the name in it.
    fn upload_place<'p>(&self, path: &'p VirtualPath) -> Result<(OwnedFd, &'p str), Refusal> {
        match self.place(path) {
            Ok(Place::Below(folder)) if folder.takes_uploads() => {
                let [_, name] = path.components() else {
                    return Err(Refusal::Denied("this folder has no subfolders"));
                };
                let folder = beneath(self.home.as_fd(), folder.name(), OFlags::DIRECTORY)?;
                Ok((folder, name))
            }
            // Many senders try the top first: say where it is instead.
            Ok(_) | Err(Refusal::Missing) => Err(Refusal::Denied(
                "files can be put into the upload folder only: `inbox` or `feedback`",
            )),
            Err(refusal) => Err(refusal),
        }
    }

    /// How many bytes a new file may have: what the quota leaves, within the limit of a file.
    fn room_for_upload(&self, folder: &OwnedFd) -> Result<u64, Refusal> {
        let account = &self.account.account;
        if account.quota_bytes.is_none() && account.quota_files.is_none() {
            return Ok(self.max_file_bytes);
        }
        let staging = open_below(CWD, &self.staging, OFlags::DIRECTORY, ResolveFlags::empty())?;
        let (lying, staged) = (usage(folder)?, usage(&staging)?);
        let left = |quota: Option<u64>, used: u64| quota.unwrap_or(u64::MAX).saturating_sub(used);
        let bytes = left(account.quota_bytes, lying.bytes + staged.bytes);
        let files = left(account.quota_files, lying.files + staged.files);
        if bytes == 0 || files == 0 {
            return Err(Refusal::Quota);
        }
        Ok(bytes.min(self.max_file_bytes))
    }
}

#[derive(Default)]
struct Usage {
    files: u64,
    bytes: u64,
}

fn usage(folder: &OwnedFd) -> Result<Usage, Refusal> {
    let mut usage = Usage::default();
    let mut dir = Dir::read_from(folder)?;
    while let Some(entry) = dir.read() {
        let found = statat(folder, entry?.file_name(), AtFlags::SYMLINK_NOFOLLOW);
        let Ok(found) = found else { continue };
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
            usage.files += 1;
            usage.bytes += u64::try_from(found.st_size).unwrap_or(0);
        }
    }
    Ok(usage)
}

/// Fails with `EXIST` where `new` is there.
pub(super) fn rename_without_replacing(
    source: impl AsFd,
    old: &Path,
    target: impl AsFd,
    new: &str,
) -> rustix::io::Result<()> {
    match renameat_with(&source, old, &target, new, RenameFlags::NOREPLACE) {
        // Some network file systems lack the flag; a link does not replace either.
        Err(Errno::INVAL) => {
            linkat(&source, old, &target, new, AtFlags::empty())?;
            unlinkat(source, old, AtFlags::empty())
        }
        renamed => renamed,
    }
}

fn parent_and_name(path: &VirtualPath) -> Option<(String, &str)> {
    let (name, parents) = path.components().split_last()?;
    Some((parents.join("/"), name))
}

fn make_folder(parent: impl AsFd, name: &str) -> rustix::io::Result<()> {
    match mkdirat(parent, name, Mode::RWXU) {
        Err(Errno::EXIST) => Ok(()),
        made => made,
    }
}

fn beneath(top: impl AsFd, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    open_below(top, Path::new(path), flags, within)
}

fn open_below(
    top: impl AsFd,
    path: &Path,
    flags: OFlags,
    within: ResolveFlags,
) -> rustix::io::Result<OwnedFd> {
    openat2(top, path, flags | OFlags::CLOEXEC, Mode::empty(), within)
}
