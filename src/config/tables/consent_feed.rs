use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{account::AccountTable, name::usable_name, place::PlaceTables, site::Site};
use crate::{
    config::{ConsentFeedConfig, FolderConfig, key_path::KeyPath, problem::Problems},
    consents::{How, MOST_MISSING},
    domain::SenderId,
};

/// A party that brings files of consents, such as a customer register: whoever can write there can change
/// the register. Without `directory` it has an account on the embedded server, for this and nothing else.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ConsentFeedTable {
    account: Option<AccountTable>,
    /// Folder on this machine; files `*.csv` in its `inbox` are taken, answers go into its `receipts`.
    directory: Option<PathBuf>,
    /// Whether each file has all consents: who is not in it has withdrawn. At most one feed may. Otherwise
    /// a file changes what its rows say, and nothing else.
    full: bool,
    /// For `full`: a file is refused that lacks more of the consents than this.
    #[schemars(range(max = 100))]
    most_withdrawn_percent: u8,
    /// A file is taken once it has not been changed for so long. Default: 60 with `directory`; the embedded
    /// server shows a file only when it is whole.
    #[schemars(range(max = 86_400))]
    settle_secs: Option<u32>,
    /// How often it is looked into. Default: `poll_interval_secs` of the whole.
    #[schemars(range(min = 1))]
    poll_interval_secs: Option<u32>,
}

/// Where `directory` says where the files are.
const SETTLE_SECS: u32 = 60;

impl Default for ConsentFeedTable {
    fn default() -> Self {
        Self {
            account: None,
            directory: None,
            full: false,
            most_withdrawn_percent: MOST_MISSING,
            settle_secs: None,
            poll_interval_secs: None,
        }
    }
}

pub(super) fn read(
    tables: BTreeMap<String, ConsentFeedTable>,
    at: &KeyPath,
    site: &Site,
    problems: &mut Problems,
) -> Vec<ConsentFeedConfig> {
    let full: Vec<_> = tables.iter().filter(|(_, table)| table.full).collect();
    if let [(first, _), others @ ..] = full.as_slice() {
        for (name, _) in others {
            let message = format!(
                "is true for `consent_feeds.{first}` too: each would withdraw the other's consents"
            );
            problems.add(&at.key(name).key("full"), message);
        }
    }
    let feeds = tables.into_iter();
    feeds
        .filter_map(|(name, table)| table.read(&name, &at.key(&name), site, problems))
        .collect()
}

impl ConsentFeedTable {
    fn read(
        self,
        name: &str,
        at: &KeyPath,
        site: &Site,
        problems: &mut Problems,
    ) -> Option<ConsentFeedConfig> {
        let id = usable_name::<SenderId>(name, "customer-register", at, problems);
        let places = PlaceTables {
            account: self.account,
            directory: self.directory,
            sftp: None,
        };
        let place = places.read(at, site, problems);
        let settle_secs = match place.folder {
            FolderConfig::Embedded => 0,
            FolderConfig::Directory(_) | FolderConfig::Sftp(_) => SETTLE_SECS,
        };
        let every = self.poll_interval_secs.unwrap_or(site.poll_interval_secs);
        Some(ConsentFeedConfig {
            name: id?.to_string(),
            folder: place.folder,
            account: place.account,
            how: How {
                is_full: self.full,
                most_missing_percent: self.most_withdrawn_percent,
            },
            settle: SignedDuration::from_secs(self.settle_secs.unwrap_or(settle_secs).into()),
            every: Duration::from_secs(every.into()),
        })
    }
}
