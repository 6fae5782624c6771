use std::{collections::BTreeSet, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    name::usable_name,
    place::PlaceTables,
    sftp::SftpTable,
    site::Site,
    upload::{Upload, UploadTable},
};
use crate::{
    config::{FolderConfig, InboxConfig, key_path::KeyPath, problem::Problems},
    domain::SenderId,
    transport::RemotePath,
};

/// One more folder that a sender's batches come from: `[[senders.example-city.inboxes]]`. Receipts go
/// to the sender's own place.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FurtherInboxTable {
    /// Tells it from the sender's other inboxes, in rows and logs: 1 to 40 of a-z, 0-9 and `-`.
    #[schemars(required, length(min = 1))]
    name: Option<String>,
    /// Folder on this machine that holds `folder`.
    directory: Option<PathBuf>,
    sftp: Option<SftpTable>,
    /// The folder below `directory`, or below the `folder` of `sftp`, that the batches are in; empty is
    /// that one itself. Default: `inbox`.
    folder: Option<String>,
    #[serde(default)]
    upload: UploadTable,
}

/// One that is read, and waits for the name of its sender.
pub(super) struct FurtherInbox {
    index: usize,
    name: String,
    folder: FolderConfig,
    path: String,
    upload: Upload,
}

pub(super) fn read(
    tables: Vec<FurtherInboxTable>,
    at: &KeyPath,
    site: &Site,
    problems: &mut Problems,
) -> Vec<FurtherInbox> {
    let mut names = BTreeSet::new();
    let mut read = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        let at = at.key("inboxes").element(index);
        let Some(inbox) = table.read(index, &at, site, problems) else {
            continue;
        };
        if names.insert(inbox.name.clone()) {
            read.push(inbox);
        } else {
            let message = format!("repeats the name {:?}", inbox.name);
            problems.add(&at.key("name"), message);
        }
    }
    read
}

impl FurtherInboxTable {
    fn read(
        self,
        index: usize,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<FurtherInbox> {
        if self.directory.is_none() && self.sftp.is_none() {
            problems.add(at, "needs `directory` or `sftp`");
            return None;
        }
        let places = PlaceTables {
            account: None,
            directory: self.directory,
            sftp: self.sftp,
        };
        let name = usable_name::<SenderId>(&self.name?, "portal", &at.key("name"), problems)?;
        let path = self.folder.unwrap_or_else(|| "inbox".to_owned());
        if path.parse::<RemotePath>().is_err() {
            let message = "must be a path below that of the place, such as `out/letters`";
            problems.add(&at.key("folder"), message);
            return None;
        }
        let upload = self.upload;
        Some(FurtherInbox {
            index,
            name: name.to_string(),
            folder: places.read(at, site, problems).folder,
            upload: upload.read(false, &path, &at.key("upload"), problems),
            path,
        })
    }
}

impl FurtherInbox {
    pub(super) fn of(self, sender: &SenderId, site: &Site) -> Option<InboxConfig> {
        let place = format!("{sender}/{}", self.name);
        Some(InboxConfig {
            index: self.index,
            settings: self.upload.inbox(sender, place, &self.path, site)?,
            folder: self.folder,
        })
    }
}
