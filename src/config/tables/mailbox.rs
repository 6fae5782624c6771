use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::site::Site;
use crate::config::MailboxConfig;

/// Where messages for digital mailboxes go.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct MailboxTable {
    maildir: MaildirTable,
}

/// A Maildir for each recipient, below one folder.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct MaildirTable {
    /// Folder of the mailboxes, on one file system.
    folder: PathBuf,
}

impl Default for MaildirTable {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("mailboxes"),
        }
    }
}

impl MailboxTable {
    pub(super) fn read(self, site: &Site) -> MailboxConfig {
        MailboxConfig::Maildir {
            folder: site.path(&self.maildir.folder),
        }
    }
}
