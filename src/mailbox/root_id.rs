use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    Error,
    folder_key::{random_bytes, read_or_make},
};
use crate::crash_points::around;

/// The file's name in the root.
const NAME: &str = "mailboxes.id";

/// What tells the mailboxes of a house from all others: a random id, which stands in their root and in
/// a file of the house's. What lies there without it, or with another one, is something else: the folder
/// below a disk that is not mounted, or another disk.
#[derive(Debug)]
pub(super) struct RootId {
    id: Vec<u8>,
    /// The house's file.
    known: PathBuf,
}

impl RootId {
    /// The id that the house has delivered under; `None` where it has none yet.
    pub(super) fn known(path: &Path) -> Result<Option<Self>, Error> {
        match fs::read(path) {
            Ok(id) => Ok(Some(Self {
                id,
                known: path.to_owned(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(unusable(path, source)),
        }
    }

    /// From now on, the mailboxes that lie there are the house's. They get an id where they have none.
    ///
    /// Theirs is durable before the house's: the other way round, a power cut between the two would have
    /// the house look for mailboxes that are nowhere.
    pub(super) fn adopt(root: &Path, known: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Root {
            root: root.to_owned(),
            source,
        };
        let theirs = read_or_make(&root.join(NAME), random_id).map_err(failed)?;
        // With the folders that lead to the root, which may be as new.
        let synced = around("sync", "mailbox: root", || {
            rustix::fs::syncfs(File::open(root)?).map_err(io::Error::from)
        });
        synced.map_err(failed)?;
        let id = read_or_make(known, || Ok(theirs)).map_err(|source| unusable(known, source))?;
        let known = known.to_owned();
        let adopted = Self { id, known };
        adopted.check(root)?;
        Ok(adopted)
    }

    /// Whether the mailboxes that lie there now are the house's. It costs the reading of a small file.
    ///
    /// # Errors
    ///
    /// [`Error::Elsewhere`] where they are not.
    pub(super) fn check(&self, root: &Path) -> Result<(), Error> {
        match fs::read(root.join(NAME)) {
            Ok(id) if id == self.id => Ok(()),
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(Error::Root {
                root: root.to_owned(),
                source,
            }),
            _ => Err(Error::Elsewhere {
                root: root.to_owned(),
                known: self.known.clone(),
            }),
        }
    }
}

fn unusable(path: &Path, source: io::Error) -> Error {
    Error::Known {
        path: path.to_owned(),
        source,
    }
}

/// 64 hexadecimal digits, a line, so that people can compare the two files.
fn random_id() -> io::Result<Vec<u8>> {
    let digits = blake3::hash(&random_bytes()?).to_hex();
    Ok(format!("{digits}\n").into_bytes())
}
