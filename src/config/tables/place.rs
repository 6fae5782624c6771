use std::path::PathBuf;

use super::{account::AccountTable, sftp::SftpTable, site::Site};
use crate::config::{AccountConfig, FolderConfig, key_path::KeyPath, problem::Problems};

/// The three keys of a sender or print house that say where its folders are; at most one is given.
pub(super) struct PlaceTables {
    pub(super) account: Option<AccountTable>,
    pub(super) directory: Option<PathBuf>,
    pub(super) sftp: Option<SftpTable>,
}

/// Where the folders are, and who may log in there if it is our own server.
pub(super) struct Place {
    pub(super) folder: FolderConfig,
    pub(super) account: AccountConfig,
}

impl PlaceTables {
    pub(super) fn read(self, at: &KeyPath, site: &Site, problems: &mut Problems) -> Place {
        self.at_most_one(at, problems);
        let account = self.account.unwrap_or_default();
        let account = account.read(&at.key("account"), problems);
        let folder = match (self.sftp, self.directory) {
            (Some(sftp), _) => {
                let settings = sftp.read(&at.key("sftp"), site, problems);
                settings.map_or(FolderConfig::Embedded, FolderConfig::Sftp)
            }
            (None, Some(directory)) => FolderConfig::Directory(site.path(&directory)),
            (None, None) => {
                let elsewhere = ["directory", "sftp"].map(|key| problems.was_written(&at.key(key)));
                if !site.has_server && elsewhere == [false, false] {
                    let message = "needs `directory` or `sftp`, as `server.enabled` is false";
                    problems.add(at, message);
                }
                FolderConfig::Embedded
            }
        };
        Place { folder, account }
    }

    /// Of a party that has no folder, because of another key.
    pub(super) fn none(self, at: &KeyPath, because: &str, problems: &mut Problems) -> Place {
        for (given, is_given) in self.given() {
            if is_given {
                let message = format!("is given beside `{because}`; keep one of the two");
                problems.add(&at.key(given), message);
            }
        }
        Place {
            folder: FolderConfig::Embedded,
            account: AccountConfig::default(),
        }
    }

    fn at_most_one(&self, at: &KeyPath, problems: &mut Problems) {
        let given = self.given();
        let mut given = given.iter().filter(|(_, is_given)| *is_given);
        if let Some((first, _)) = given.next() {
            for (other, _) in given {
                let message = format!("is given beside `{first}`; keep one of the two");
                problems.add(&at.key(other), message);
            }
        }
    }

    fn given(&self) -> [(&'static str, bool); 3] {
        [
            ("account", self.account.is_some()),
            ("directory", self.directory.is_some()),
            ("sftp", self.sftp.is_some()),
        ]
    }
}
