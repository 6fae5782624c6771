use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::pipeline::Retention;

/// What the tables need to know of each other.
pub(super) struct Site {
    pub(super) data_folder: PathBuf,
    /// The embedded SFTP server is switched on.
    pub(super) has_server: bool,
    /// How often inboxes are looked into that do not say it themselves.
    pub(super) poll_interval_secs: u32,
    /// How long what is sent is kept where a sender's table says nothing.
    pub(super) retention: Retention,
    /// Their names, as written.
    pub(super) print_houses: BTreeSet<String>,
    /// Those of them that are services of Suomi.fi Messages.
    pub(super) service_print_houses: BTreeSet<String>,
    /// The names of mailbox services, as written.
    pub(super) services: BTreeSet<String>,
}

impl Site {
    pub(super) fn path(&self, given: &Path) -> PathBuf {
        self.data_folder.join(given)
    }
}
