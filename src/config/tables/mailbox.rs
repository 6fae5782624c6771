use std::{path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::site::Site;
use crate::{config::MailboxConfig, pipeline::ReadSettings};

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
    /// How often it is looked which messages have been read: moved to `cur`, with the flag `S`. Their senders
    /// are told in delivery reports.
    #[schemars(range(min = 1))]
    read_look_secs: u32,
    /// Days after its delivery in which it is looked whether a message has been read; 0: never. One that
    /// goes on paper unless it is read is looked at until then.
    read_look_days: u16,
    /// The most messages in one look. Where more are unread, they take turns.
    #[schemars(range(min = 1))]
    read_looks_at_once: u32,
}

impl Default for MaildirTable {
    fn default() -> Self {
        let reads = ReadSettings::default();
        Self {
            folder: PathBuf::from("mailboxes"),
            read_look_secs: u32::try_from(reads.every.as_secs()).unwrap_or(u32::MAX),
            read_look_days: reads.days,
            read_looks_at_once: reads.at_once,
        }
    }
}

impl MailboxTable {
    pub(super) fn reads(&self) -> ReadSettings {
        ReadSettings {
            every: Duration::from_secs(self.maildir.read_look_secs.into()),
            days: self.maildir.read_look_days,
            at_once: self.maildir.read_looks_at_once,
        }
    }

    pub(super) fn read(self, site: &Site) -> MailboxConfig {
        MailboxConfig::Maildir {
            folder: site.path(&self.maildir.folder),
        }
    }
}
