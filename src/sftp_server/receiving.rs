//! What an account may do in the folder that it fills.

use std::{
    os::fd::OwnedFd,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use russh_sftp::protocol::OpenFlags;
use rustix::{
    fs::{AtFlags, FileType, OFlags, Stat, statat, unlinkat},
    io::Errno,
};

use super::{
    folder::is_temporary,
    jail::{Jail, Place, rename_without_replacing},
    refusal::Refusal,
    staging::{Partial, Stage},
    upload::{Allowance, Destination, Upload},
    usage::{Bounds, Places, Total},
    virtual_path::VirtualPath,
};
use crate::crash_points::around;

/// Where the poller, here as on anybody's server, puts what it takes.
const CLAIMS: &str = ".kuori";

impl Jail {
    /// Starts an upload, or goes on with one that broke off. The finished file shows when the
    /// upload is committed; until then its sender alone sees it.
    pub(super) fn start_upload(
        &self,
        path: &VirtualPath,
        flags: OpenFlags,
    ) -> Result<Upload, Refusal> {
        let (folder, name) = self.upload_place(path)?;
        match standing(&folder, name)? {
            Some(_) if !is_temporary(name) => return Err(Refusal::Taken),
            // A second link would let its writer reach the same file elsewhere.
            Some(found) if is_file(&found) && found.st_nlink == 1 => {
                self.staging.take_in(&folder, name)?;
            }
            Some(_) => return Err(Refusal::Taken),
            None => {}
        }
        let allowance = self.allowance();
        let places = Places {
            folder: &folder,
            staging: &self.staging,
        };
        let writer = self
            .ledger
            .begin(name, flags, self.silence(), allowance.bounds, places)?;
        let destination = Destination {
            folder,
            name: name.to_owned(),
            path: path.clone(),
            staging: Arc::clone(&self.staging),
            lately: Arc::clone(&self.lately),
        };
        let books = (Arc::clone(&self.ledger), self.sealer.clone());
        let append = flags.contains(OpenFlags::APPEND);
        Ok(Upload::new(writer, destination, allowance, books, append))
    }

    /// Renames within an upload folder, never over a file that is there. When this returns, the
    /// new name is durable.
    pub(super) fn rename(&self, from: &VirtualPath, to: &VirtualPath) -> Result<(), Refusal> {
        let (folder, old) = self.upload_place(from)?;
        let (target, new) = self.upload_place(to)?;
        if standing(&target, new)?.is_some() {
            return Err(Refusal::Taken);
        }
        let moved = self.stat(from).ok();
        match standing(&folder, old)? {
            Some(found) if !is_file(&found) => return Err(Refusal::Missing),
            Some(_) if is_temporary(new) && !is_temporary(old) => {
                return Err(Refusal::Denied(
                    "a file that was received cannot become an unfinished one",
                ));
            }
            Some(_) => around("rename", "sftp_server: received", || {
                rename_without_replacing(&folder, Path::new(old), &target, new)
            })?,
            None => self.rename_partial(old, &target, new)?,
        }
        self.sealer.sync_folder(&target)?;
        self.lately.forget(from);
        if let Some(moved) = moved.filter(|_| !is_temporary(new)) {
            self.lately.note(to, moved, Instant::now());
        }
        Ok(())
    }

    /// Removes an unfinished file. What was received is ours to take.
    pub(super) fn remove_upload(&self, path: &VirtualPath) -> Result<u64, Refusal> {
        let (folder, name) = self.upload_place(path)?;
        let Some(found) = standing(&folder, name)? else {
            return self.remove_partial(name);
        };
        if !is_file(&found) {
            return Err(Refusal::Denied("this is not a file"));
        }
        if !is_temporary(name) {
            return Err(Refusal::Denied(
                "a file that was received cannot be removed",
            ));
        }
        around("remove", "sftp_server: received", || {
            unlinkat(&folder, name, AtFlags::empty())
        })?;
        self.sealer.sync_folder(&folder)?;
        let bytes = u64::try_from(found.st_size).unwrap_or(0);
        self.ledger.forget(Total { files: 1, bytes });
        Ok(bytes)
    }

    /// Sets the size of an unfinished file that nobody writes.
    pub(super) fn set_size(&self, path: &VirtualPath, bytes: u64) -> Result<(), Refusal> {
        if self.stat(path)?.size == Some(bytes) {
            return Ok(());
        }
        let received = Refusal::Denied("a file that was received cannot be changed");
        let Some(partial) = self.partial(path)? else {
            return Err(received);
        };
        let upload = self.start_upload(path, OpenFlags::WRITE)?;
        // A refusal leaves what was there: a file that its sender has closed is not lost by it.
        let set = upload.resize(bytes);
        if partial.stage == Stage::Whole {
            upload.commit()?;
        } else {
            upload.break_off();
        }
        set
    }

    /// The upload that `path` names, if it is one that is not finished.
    pub(super) fn partial(&self, path: &VirtualPath) -> Result<Option<Partial>, Refusal> {
        match self.place(path) {
            Ok(Place::Below(folder)) if folder.takes_uploads() => {}
            _ => return Ok(None),
        }
        let [_, name] = path.components() else {
            return Ok(None);
        };
        self.staging.find(name)
    }

    /// What the account has used of its quota, and its bounds.
    pub(super) fn usage(&self) -> Result<(Total, Bounds), Refusal> {
        let folders = self.account.account.role.folders().iter();
        let upload = folders.copied().find(|folder| folder.takes_uploads());
        let folder = self.own_folder(upload.ok_or(Refusal::Missing)?, OFlags::DIRECTORY)?;
        let places = Places {
            folder: &folder,
            staging: &self.staging,
        };
        Ok((self.ledger.used(places)?, self.allowance().bounds))
    }

    /// Removes what broke off so long ago that nobody will go on with it. Says whether all of it is
    /// gone.
    pub(super) fn sweep(&self, is_same_boot: bool) -> bool {
        let keep = Duration::from_hours(self.settings.keep_partial_hours.into());
        let swept = self
            .ledger
            .while_known(|is_open| self.staging.sweep(keep, is_same_boot, is_open));
        let account = &self.account.account.name;
        match &swept {
            Ok(0) => {}
            Ok(files) => tracing::info!(%account, files, "removed uploads that broke off long ago"),
            Err(error) => tracing::warn!(%account, %error, "cannot clear broken uploads away"),
        }
        swept.is_ok()
    }

    fn rename_partial(&self, old: &str, target: &OwnedFd, new: &str) -> Result<(), Refusal> {
        let partial = self.staging.find(old)?.ok_or(Refusal::Missing)?;
        self.ledger.while_idle(old, self.silence(), || {
            if partial.stage != Stage::Whole {
                return Err(Refusal::Unfinished);
            }
            if is_temporary(new) {
                self.staging.rename(old, new)?;
            } else {
                self.staging.move_out(old, target, new)?;
            }
            Ok(Total::default())
        })?;
        if is_temporary(new) {
            self.sealer.sync_folder(self.staging.folder())?;
            return Ok(());
        }
        // An earlier try under the final name is of no use any more.
        match self.remove_partial(new) {
            Ok(_) | Err(Refusal::Missing | Refusal::Busy) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    fn remove_partial(&self, name: &str) -> Result<u64, Refusal> {
        let mut bytes = 0;
        self.ledger.while_idle(name, self.silence(), || {
            bytes = self.staging.find(name)?.ok_or(Refusal::Missing)?.bytes();
            self.staging.remove(name)?;
            Ok(Total { files: 1, bytes })
        })?;
        self.sealer.sync_folder(self.staging.folder())?;
        Ok(bytes)
    }

    /// The upload folder that `path` lies in, open, and the name in it.
    fn upload_place<'p>(&self, path: &'p VirtualPath) -> Result<(OwnedFd, &'p str), Refusal> {
        match self.place(path) {
            Ok(Place::Below(folder)) if folder.takes_uploads() => {
                let [_, name] = path.components() else {
                    return Err(Refusal::Denied("this folder has no subfolders"));
                };
                if name == CLAIMS {
                    return Err(Refusal::Denied("this name is the server's own"));
                }
                Ok((self.own_folder(folder, OFlags::DIRECTORY)?, name))
            }
            // Many senders try the top first: say where it is instead.
            Ok(_) | Err(Refusal::Missing) => Err(Refusal::Denied(
                "files can be put into the upload folder only: `inbox` or `feedback`",
            )),
            Err(refusal) => Err(refusal),
        }
    }

    fn allowance(&self) -> Allowance {
        let account = &self.account.account;
        Allowance {
            bounds: Bounds {
                bytes: account.quota_bytes,
                files: account.quota_files,
                entries: self.settings.max_folder_entries,
            },
            max_file_bytes: self.settings.max_file_bytes,
            keeps_partials: self.settings.keep_partial_hours > 0,
        }
    }

    fn silence(&self) -> Duration {
        Duration::from_secs(self.settings.takeover_secs)
    }
}

fn standing(folder: &OwnedFd, name: &str) -> Result<Option<Stat>, Refusal> {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(found)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}
