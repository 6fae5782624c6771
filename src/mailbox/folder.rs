use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use jiff::Timestamp;

use super::{Delivery, DeliveryId, FolderKey, Look, mark};
use crate::{crash_points::around, domain::RecipientId};

/// One recipient's Maildir: `tmp`, `new` and `cur` (D. J. Bernstein, "Using maildir format").
pub(super) struct Folder(PathBuf);

impl Folder {
    /// `<root>/3f/3f…`: 256 shards, so that a million recipients are 4,000 folders in each.
    pub(super) fn of(root: &Path, key: &FolderKey, recipient: &RecipientId) -> Self {
        let name = key.folder_name(recipient);
        let shard = name.get(..2).unwrap_or_default();
        Self(root.join(shard).join(&name))
    }

    /// When a message was delivered, or `None` where it lies neither in `new` nor in `cur`. It is
    /// known by its id alone, whatever flags a mail program has given it.
    pub(super) fn delivered_at(&self, id: DeliveryId) -> io::Result<Option<Timestamp>> {
        let id = id.to_string();
        // In this order: a mail program moves messages from `new` to `cur` while we look.
        match written_in(&self.0.join("new"), &id)? {
            None => written_in(&self.0.join("cur"), &id),
            found => Ok(found),
        }
    }

    /// Whether the recipient has read a message, in one look at the folder of read ones where that has
    /// not changed since.
    ///
    /// An error where the whole mailbox is away, of which `new` was there when the message was
    /// delivered: of a disk that is not mounted nobody knows what was read.
    pub(super) fn look(&self, id: DeliveryId, changed: Option<i64>) -> io::Result<Look> {
        let cur = self.0.join("cur");
        let Some(at) = changed_at(&cur)? else {
            fs::metadata(self.0.join("new"))?;
            return Ok(Look::Unread { changed: None });
        };
        let found = mark::of(at);
        if changed == Some(found) {
            return Ok(Look::Unchanged);
        }
        let read = listed_in(&cur, &id.to_string())?.filter(|path| mark::is_read(path));
        let marked_at = match read {
            Some(path) => if_there(fs::symlink_metadata(path))?,
            None => None,
        };
        Ok(match marked_at {
            Some(metadata) => Look::Read {
                at: mark::set_at(&metadata)?,
            },
            None => Look::Unread {
                changed: mark::has_settled(at).then_some(found),
            },
        })
    }

    /// Opens an empty draft in `tmp`, makes the folder at its first use, and overwrites what a
    /// crash left behind under the same name.
    pub(super) fn draft(&self, name: &str) -> io::Result<File> {
        let path = self.0.join("tmp").join(name);
        match open_empty(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                open_empty(&path)
            }
            opened => opened,
        }
    }

    /// Removes the draft of a message that is not to be delivered.
    pub(super) fn discard(&self, id: DeliveryId) -> io::Result<()> {
        let Some(draft) = listed_in(&self.0.join("tmp"), &id.to_string())? else {
            return Ok(());
        };
        if_there(around("remove", "mailbox: draft", || {
            fs::remove_file(draft)
        }))?;
        Ok(())
    }

    /// Shows a finished draft to the recipient. The caller has made its bytes durable.
    pub(super) fn publish(&self, name: &str) -> io::Result<()> {
        match self.show(name) {
            // A crash may have left `tmp` alone of the three.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make()?;
                self.show(name)
            }
            shown => shown,
        }
    }

    fn show(&self, name: &str) -> io::Result<()> {
        let draft = self.0.join("tmp").join(name);
        let shown = self.0.join("new").join(name);
        around("rename", "mailbox: show", || {
            rustix::fs::rename(draft, shown)
        })?;
        Ok(())
    }

    fn make(&self) -> io::Result<()> {
        for place in ["tmp", "new", "cur"] {
            around("write", "mailbox: folder", || {
                private_folder(&self.0.join(place))
            })?;
        }
        Ok(())
    }
}

/// `<created>.<delivery id>.kuori`, the time in Unix seconds: unique, and says nothing about the
/// recipient. The time is there because mail programs expect one and sort by it.
pub(super) fn file_name(delivery: &Delivery) -> String {
    let created = delivery.created.as_second();
    format!("{created}.{}.kuori", delivery.id)
}

/// Makes a folder of mode 0700, with those above it where they are missing.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// When the file was written: a mail program that moves it leaves that time alone.
pub(super) fn written_at(metadata: &fs::Metadata) -> io::Result<Timestamp> {
    Timestamp::try_from(metadata.modified()?).map_err(io::Error::other)
}

fn open_empty(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn written_in(place: &Path, id: &str) -> io::Result<Option<Timestamp>> {
    let Some(path) = path_in(place, id)? else {
        return Ok(None);
    };
    match if_there(fs::symlink_metadata(path))? {
        Some(metadata) => written_at(&metadata).map(Some),
        // A mail program gave it another flag or moved it since: look again.
        None => written_in(place, id),
    }
}

/// A listing may leave out a file that is renamed meanwhile, so one that found nothing counts only
/// if the folder stayed as it was.
fn path_in(place: &Path, id: &str) -> io::Result<Option<PathBuf>> {
    loop {
        let before = changed_at(place)?;
        let found = listed_in(place, id)?;
        if found.is_some() || changed_at(place)? == before {
            return Ok(found);
        }
    }
}

fn listed_in(place: &Path, id: &str) -> io::Result<Option<PathBuf>> {
    let Some(entries) = if_there(fs::read_dir(place))? else {
        return Ok(None);
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| is_message(name, id)) {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn changed_at(place: &Path) -> io::Result<Option<SystemTime>> {
    if_there(fs::metadata(place).and_then(|metadata| metadata.modified()))
}

fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Mail programs append flags (`:2,S`) and sizes (`,S=1234`) and keep what stands before.
fn is_message(file_name: &str, id: &str) -> bool {
    file_name
        .split_once('.')
        .and_then(|(_, rest)| rest.strip_prefix(id))
        .is_some_and(|rest| rest.starts_with(".kuori"))
}
