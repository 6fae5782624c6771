use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
    sync::Arc,
    time::Instant,
};

use russh_sftp::protocol::FileAttributes;
use rustix::{
    fs::{
        AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, StatVfs, fstat, fstatvfs,
        linkat, mkdirat, openat2, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{
    account::KnownAccount,
    folder::Folder,
    lately::Lately,
    ledger::{Ledger, Ledgers},
    listing::{Listing, attributes, folder_attributes},
    refusal::Refusal,
    sealer::Sealer,
    settings::Settings,
    staging::{self, Staging},
    virtual_path::VirtualPath,
};

/// One account's home, seen through a directory handle.
///
/// Every path is resolved by the kernel below that handle, and a symbolic link in it is an
/// error (`openat2(2)`: `RESOLVE_BENEATH`, `RESOLVE_NO_SYMLINKS`), so what an operator links into
/// a home by mistake stays unreachable.
pub(super) struct Jail {
    home: OwnedFd,
    pub(super) staging: Arc<Staging>,
    pub(super) account: Arc<KnownAccount>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) sealer: Sealer,
    pub(super) lately: Arc<Lately>,
    pub(super) settings: Arc<Settings>,
}

/// What a client's path means for its account.
pub(super) enum Place {
    Top,
    /// One of the account's folders.
    Folder(Folder),
    /// Something in it.
    Below(Folder),
}

impl Jail {
    /// Makes the home of `account`, and removes what nobody can go on with uploading.
    pub(super) fn prepare(
        settings: &Settings,
        account: &Arc<KnownAccount>,
        ledgers: &Ledgers,
    ) -> io::Result<()> {
        let (root, name) = (&settings.root, account.account.name.as_str());
        let top = open_below(CWD, root, OFlags::DIRECTORY, ResolveFlags::empty())?;
        make_folder(top.as_fd(), name)?;
        let home = beneath(top.as_fd(), name, OFlags::DIRECTORY)?;
        for folder in account.account.role.folders() {
            make_folder(home.as_fd(), folder.name())?;
            beneath(home.as_fd(), folder.name(), OFlags::DIRECTORY)?;
        }
        let settings = Arc::new(settings.clone());
        let jail = Self::open(&settings, Arc::clone(account), ledgers)?;
        let is_same_boot = staging::is_same_boot(root, name);
        // Noted after it: what is left by a sweep that failed, or was cut off, is swept the next time.
        if jail.sweep(is_same_boot) && !is_same_boot {
            staging::note_boot(root, name)?;
        }
        Ok(())
    }

    pub(super) fn open(
        settings: &Arc<Settings>,
        account: Arc<KnownAccount>,
        ledgers: &Ledgers,
    ) -> io::Result<Self> {
        let (root, name) = (&settings.root, account.account.name.as_str());
        let top = open_below(CWD, root, OFlags::DIRECTORY, ResolveFlags::empty())?;
        Ok(Self {
            home: beneath(top.as_fd(), name, OFlags::DIRECTORY)?,
            staging: Arc::new(Staging::open(root, name)?),
            ledger: ledgers.of(name),
            sealer: ledgers.sealer.clone(),
            lately: Arc::default(),
            settings: Arc::clone(settings),
            account,
        })
    }

    pub(super) fn stat(&self, path: &VirtualPath) -> Result<FileAttributes, Refusal> {
        if let Place::Top = self.place(path)? {
            return Ok(folder_attributes());
        }
        let found = match self.open_at(path, OFlags::PATH) {
            Ok(found) => fstat(found)?,
            Err(Refusal::Missing) => {
                let Some(partial) = self.partial(path)? else {
                    let sent = self.lately.find(path, Instant::now());
                    return sent.ok_or(Refusal::Missing);
                };
                partial.found
            }
            Err(refusal) => return Err(refusal),
        };
        attributes(&found).ok_or(Refusal::Missing)
    }

    pub(super) fn open_file(&self, path: &VirtualPath) -> Result<File, Refusal> {
        let Place::Below(_) = self.place(path)? else {
            return Err(Refusal::Denied("this is a folder"));
        };
        // NONBLOCK: a pipe that somebody put here must not hold the session.
        let file = match self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Err(Refusal::Missing) if self.partial(path)?.is_some() => {
                let name = path.components().last().ok_or(Refusal::Missing)?;
                return self.staging.open_to_read(name);
            }
            opened => opened?,
        };
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
        let unfinished = match self.place(path)? {
            Place::Folder(own) if own.takes_uploads() => Some(self.staging.folder()),
            Place::Top | Place::Folder(_) | Place::Below(_) => None,
        };
        Listing::of(folder, unfinished)
    }

    /// Removes a file, and says how many bytes it had. When this returns, that is durable.
    pub(super) fn remove(&self, path: &VirtualPath) -> Result<u64, Refusal> {
        let Place::Below(folder) = self.place(path)? else {
            return Err(Refusal::Denied("this folder cannot be removed"));
        };
        if folder.takes_uploads() {
            return self.remove_upload(path);
        }
        let (parent, name) = parent_and_name(path).ok_or(Refusal::Missing)?;
        let parent = beneath(self.home.as_fd(), &parent, OFlags::DIRECTORY)?;
        let standing = statat(&parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(standing.st_mode) != FileType::RegularFile {
            return Err(Refusal::Denied("this is not a file"));
        }
        unlinkat(&parent, name, AtFlags::empty())?;
        self.sealer.sync_folder(&parent)?;
        Ok(u64::try_from(standing.st_size).unwrap_or(0))
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
        self.sealer.sync_folder(&parent)?;
        Ok(())
    }

    pub(super) fn file_system(&self) -> Result<StatVfs, Refusal> {
        Ok(fstatvfs(&self.home)?)
    }

    pub(super) fn place(&self, path: &VirtualPath) -> Result<Place, Refusal> {
        let Some((first, rest)) = path.components().split_first() else {
            return Ok(Place::Top);
        };
        let mut folders = self.account.account.role.folders().iter();
        let folder = *folders
            .find(|folder| folder.name() == first)
            .ok_or(Refusal::Missing)?;
        Ok(if rest.is_empty() {
            Place::Folder(folder)
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

    pub(super) fn own_folder(&self, folder: Folder, flags: OFlags) -> Result<OwnedFd, Refusal> {
        Ok(beneath(self.home.as_fd(), folder.name(), flags)?)
    }
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
