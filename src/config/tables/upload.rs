use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{key_path::KeyPath, problem::Problems},
    inbox::{Completeness, Settings},
};

/// How a finished upload is told from a growing one.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UploadTable {
    /// What shows that a file is whole. Default: `renamed` on the embedded server, which shows a file
    /// only when it is whole, and `settled` elsewhere.
    complete_when: Option<CompleteWhen>,
    /// For `settled`: how long size and time must have been the same. Default: 30.
    #[schemars(range(min = 1))]
    settle_secs: Option<u32>,
    /// For `marker`: what the marker's name has behind the file's. Default: `.ok`.
    #[schemars(length(min = 1))]
    marker_ending: Option<String>,
    /// Endings of uploads in progress besides those known: `.part`, `.partial`, `.filepart`,
    /// `.temppi`, `.tmp`, `.temp`, `.crdownload`. Names with a leading dot are never taken.
    unfinished_endings: Vec<String>,
}

/// What shows that a file is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum CompleteWhen {
    /// It appears under its final name only when it is whole.
    Renamed,
    /// Its size and time have not changed for `settle_secs`.
    Settled,
    /// A file of the same name with `marker_ending` stands beside it.
    Marker,
}

/// How a finished upload is told from a growing one.
pub(super) struct Upload {
    pub(super) completeness: Completeness,
    pub(super) unfinished_endings: Vec<String>,
}

const SETTLE_SECS: u32 = 30;
const MARKER_ENDING: &str = ".ok";

impl UploadTable {
    pub(super) fn read(&self, is_embedded: bool, at: &KeyPath, problems: &mut Problems) -> Upload {
        let when = self.complete_when.unwrap_or(if is_embedded {
            CompleteWhen::Renamed
        } else {
            CompleteWhen::Settled
        });
        if self.settle_secs.is_some() && when != CompleteWhen::Settled {
            let message = "has no effect unless `complete_when` is `settled`";
            problems.add(&at.key("settle_secs"), message);
        }
        if self.marker_ending.is_some() && when != CompleteWhen::Marker {
            let message = "has no effect unless `complete_when` is `marker`";
            problems.add(&at.key("marker_ending"), message);
        }
        Upload {
            completeness: match when {
                CompleteWhen::Renamed => Completeness::ByName,
                CompleteWhen::Settled => Completeness::Settled {
                    settle_secs: self.settle_secs.unwrap_or(SETTLE_SECS),
                },
                CompleteWhen::Marker => Completeness::Marker {
                    ending: self
                        .marker_ending
                        .as_deref()
                        .unwrap_or(MARKER_ENDING)
                        .to_owned(),
                },
            },
            unfinished_endings: endings(&self.unfinished_endings, at, problems),
        }
    }
}

/// The known endings and those of the settings, in lower case.
fn endings(further: &[String], at: &KeyPath, problems: &mut Problems) -> Vec<String> {
    let mut endings = Settings::known_unfinished_endings();
    for (index, ending) in further.iter().enumerate() {
        let ending = ending.to_lowercase();
        if ending.is_empty() || ".zip".ends_with(&ending) {
            let at = at.key("unfinished_endings").element(index);
            problems.add(&at, "would leave every ZIP untaken");
        } else if !endings.contains(&ending) {
            endings.push(ending);
        }
    }
    endings
}
