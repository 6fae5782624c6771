use std::{
    ffi::CStr,
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, Mode, OFlags, RenameFlags, Stat, chmodat, fchmod, mkdirat,
        openat, renameat_with, statat, unlinkat,
    },
    io::Errno,
};

use super::{jail::rename_without_replacing, refusal::Refusal};
use crate::crash_points::around;

/// Name of the folder of all staging folders; no account can be called so.
const STAGING: &str = ".staging";

/// Changes at every start of the machine (`proc_sys_kernel(5)`).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The folder of an account's unfinished uploads. Each lies there under the name that its sender
/// gave it, so that the sender can be shown it, and go on with it after any kind of break.
///
/// It is no part of the account's home: what the poller sees is finished.
pub(super) struct Staging {
    folder: OwnedFd,
}

/// How far an upload has come; kept in the mode of its file, as Postfix marks a whole message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Somebody writes it, or did when the process ended.
    BeingWritten,
    /// It broke off. All that is there is durable, so that going on at its end is safe.
    AtRest,
    /// Its sender closed it, and is going to rename it.
    Whole,
}

/// A file in the staging folder.
pub(super) struct Partial {
    pub(super) stage: Stage,
    pub(super) found: Stat,
}

impl Staging {
    /// Opens the staging folder of `account`, which is made where it is missing.
    pub(super) fn open(root: &Path, account: &str) -> Result<Self, Errno> {
        let all = root.join(STAGING);
        make(&all)?;
        let path = all.join(account);
        make(&path)?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(CWD, &path, flags, Mode::empty())?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &OwnedFd {
        &self.folder
    }

    /// What lies here under `name`; a thing that is no file is nothing.
    pub(super) fn find(&self, name: &str) -> Result<Option<Partial>, Refusal> {
        match statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile => {
                let stage = Stage::of(found.st_mode);
                Ok(Some(Partial { stage, found }))
            }
            Ok(_) | Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn create(&self, name: &str) -> Result<File, Refusal> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Stage::BeingWritten.mode();
        let file = around("write", "sftp_server: begin", || {
            openat(&self.folder, name, flags, mode)
        })?;
        Ok(File::from(file))
    }

    pub(super) fn open_to_write(&self, name: &str) -> Result<File, Refusal> {
        // Its file may be write-protected by its stage, which is over in any case.
        chmodat(
            &self.folder,
            name,
            Stage::BeingWritten.mode(),
            AtFlags::empty(),
        )?;
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, name, flags, Mode::empty())?;
        Ok(File::from(file))
    }

    pub(super) fn open_to_read(&self, name: &str) -> Result<File, Refusal> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.folder, name, flags, Mode::empty())?;
        Ok(File::from(file))
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Refusal> {
        Ok(around("remove", "sftp_server: unfinished", || {
            unlinkat(&self.folder, name, AtFlags::empty())
        })?)
    }

    pub(super) fn rename(&self, old: &str, new: &str) -> Result<(), Refusal> {
        Ok(around("rename", "sftp_server: unfinished", || {
            rename_without_replacing(&self.folder, Path::new(old), &self.folder, new)
        })?)
    }

    /// Moves the file out to `target`, where nothing may be called `new`.
    pub(super) fn move_out(&self, old: &str, target: &OwnedFd, new: &str) -> Result<(), Refusal> {
        around("rename", "sftp_server: show", || {
            rename_without_replacing(&self.folder, Path::new(old), target, new)
        })?;
        // The mark has done its work; nothing depends on whether this is durable.
        let _ = chmodat(target, new, Stage::BeingWritten.mode(), AtFlags::empty());
        Ok(())
    }

    /// Takes in an unfinished file that lies in the upload folder itself, as all of them did in
    /// earlier versions. What lies there was closed.
    pub(super) fn take_in(&self, folder: &OwnedFd, name: &str) -> Result<(), Refusal> {
        chmodat(folder, name, Stage::Whole.mode(), AtFlags::empty())?;
        let without = RenameFlags::NOREPLACE;
        Ok(around("rename", "sftp_server: take in", || {
            renameat_with(folder, name, &self.folder, name, without)
        })?)
    }

    /// Removes what nobody can or will go on with: what broke off more than `keep` ago; and after
    /// a start of the machine what nobody knows to be durable, for going on at the end of a file
    /// that has lost its middle would make a damaged one. Says how many it removed.
    pub(super) fn sweep(
        &self,
        keep: Duration,
        is_same_boot: bool,
        is_open: impl Fn(&str) -> bool,
    ) -> Result<usize, Refusal> {
        let mut removed = 0;
        let mut dir = Dir::read_from(&self.folder)?;
        while let Some(entry) = dir.read() {
            let entry = entry?;
            let Some(name) = file_name(entry.file_name()).filter(|name| !is_open(name)) else {
                continue;
            };
            let Some(partial) = self.find(name)? else {
                continue;
            };
            if partial.is_of_no_use(keep, is_same_boot) {
                self.remove(name)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Stage {
    fn of(mode: u32) -> Self {
        match mode & 0o700 {
            0o500 => Self::Whole,
            0o400 => Self::AtRest,
            _ => Self::BeingWritten,
        }
    }

    fn mode(self) -> Mode {
        match self {
            Self::BeingWritten => Mode::RUSR | Mode::WUSR,
            Self::AtRest => Mode::RUSR,
            Self::Whole => Mode::RUSR | Mode::XUSR,
        }
    }

    pub(super) fn mark(self, file: &File) -> Result<(), Refusal> {
        Ok(around("write", "sftp_server: stage", || {
            fchmod(file, self.mode())
        })?)
    }
}

impl Partial {
    pub(super) fn bytes(&self) -> u64 {
        u64::try_from(self.found.st_size).unwrap_or(0)
    }

    fn is_of_no_use(&self, keep: Duration, is_same_boot: bool) -> bool {
        let modified = u64::try_from(self.found.st_mtime).unwrap_or(0);
        let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        let is_old = modified.elapsed().is_ok_and(|age| age >= keep);
        match self.stage {
            Stage::Whole => false,
            Stage::AtRest => is_old,
            Stage::BeingWritten => is_old || !is_same_boot,
        }
    }
}

/// Whether the machine has not been started since [`note_boot`]; what was written before, and not
/// synced, may be lost otherwise.
pub(super) fn is_same_boot(root: &Path, account: &str) -> bool {
    let noted = std::fs::read(boot_note(root, account)).ok();
    noted.is_some() && noted == std::fs::read(BOOT_ID).ok()
}

/// Notes that what `account` had before this start of the machine was cleared away.
pub(super) fn note_boot(root: &Path, account: &str) -> io::Result<()> {
    let Ok(now) = std::fs::read(BOOT_ID) else {
        return Ok(());
    };
    let mut file = File::create(boot_note(root, account))?;
    file.write_all(&now)?;
    around("sync", "sftp_server: boot note", || file.sync_all())
}

fn boot_note(root: &Path, account: &str) -> PathBuf {
    root.join(STAGING).join(format!(".boot-{account}"))
}

fn file_name(name: &CStr) -> Option<&str> {
    name.to_str()
        .ok()
        .filter(|name| *name != "." && *name != "..")
}

fn make(path: &Path) -> Result<(), Errno> {
    match mkdirat(CWD, path, Mode::RWXU) {
        Err(Errno::EXIST) => Ok(()),
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_hours(24);

    fn staging_with(stage: Stage) -> (tempfile::TempDir, Staging) {
        let dir = tempfile::tempdir().unwrap();
        let staging = Staging::open(dir.path(), "city").unwrap();
        stage.mark(&staging.create("a.zip").unwrap()).unwrap();
        (dir, staging)
    }

    fn swept(stage: Stage, keep: Duration, is_same_boot: bool) -> usize {
        let (_dir, staging) = staging_with(stage);
        let removed = staging.sweep(keep, is_same_boot, |_| false).unwrap();
        assert_eq!(staging.find("a.zip").unwrap().is_none(), removed == 1);
        removed
    }

    #[test]
    fn a_broken_upload_is_kept_for_its_time_and_no_longer() {
        assert_eq!(swept(Stage::AtRest, DAY, false), 0);
        assert_eq!(swept(Stage::AtRest, Duration::ZERO, false), 1);
    }

    #[test]
    fn what_may_have_lost_its_middle_goes_and_what_was_closed_stays() {
        assert_eq!(swept(Stage::BeingWritten, DAY, true), 0);
        assert_eq!(swept(Stage::BeingWritten, DAY, false), 1);
        assert_eq!(swept(Stage::Whole, Duration::ZERO, false), 0);
    }

    #[test]
    fn what_is_being_written_is_left_alone() {
        let (_dir, staging) = staging_with(Stage::BeingWritten);
        let removed = staging.sweep(Duration::ZERO, false, |name| name == "a.zip");
        assert_eq!(removed.unwrap(), 0);
    }

    #[test]
    fn the_second_start_on_the_same_boot_is_known() {
        let dir = tempfile::tempdir().unwrap();
        Staging::open(dir.path(), "city").unwrap();
        // Asking is not clearing away.
        assert!(!is_same_boot(dir.path(), "city"));
        assert!(!is_same_boot(dir.path(), "city"));
        note_boot(dir.path(), "city").unwrap();
        assert!(is_same_boot(dir.path(), "city"));
    }
}
