use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::site::Site;
use crate::{
    config::{key_path::KeyPath, problem::Problems},
    domain::SenderId,
    inbox::{Afterwards, Completeness, Settings, Way},
    transport::RemotePath,
};

/// Which files are taken from an inbox, when a file there is finished, and what becomes of it.
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
    /// Names that are taken: `*` stands for any characters, `?` for one; large and small letters are
    /// the same. Default: `*.zip` and `*.ok`; an empty `.ok` is never taken.
    #[schemars(length(min = 1))]
    take_names: Option<Vec<String>>,
    /// A larger file stays where it is, and is told. Default: 68,719,476,736 (64 GiB).
    #[schemars(range(min = 1))]
    max_file_bytes: Option<u64>,
    /// What is done with a file on the other side. Default: `claim`.
    taking: Option<TakingName>,
    /// For `claim`: folder beside the inbox that recorded files are moved to, under names that begin
    /// with the time. Default: they are removed.
    #[schemars(length(min = 1))]
    done_folder: Option<String>,
    /// How long files stay in `done_folder`. Default: until somebody else removes them.
    #[schemars(range(min = 1))]
    done_keep_days: Option<u32>,
    /// For `read-only`: how long a file is remembered that is no longer there. Default: 30.
    #[schemars(range(min = 1))]
    forget_days: Option<u32>,
    /// A file that is not finished after this long is told. Default: 60.
    #[schemars(range(min = 1))]
    stuck_minutes: Option<u32>,
    /// How many files are taken at once. With 1 they are taken strictly in the order of their times,
    /// then names; with more, a later one may be done first. Default: 8.
    #[schemars(range(min = 1, max = 64))]
    files_at_once: Option<usize>,
    /// How often this inbox is looked into. Default: `poll_interval_secs` of the whole.
    #[schemars(range(min = 1))]
    poll_interval_secs: Option<u32>,
    /// How long one look may take; a slower one failed, and is tried again. Default: 300.
    #[schemars(range(min = 1))]
    look_timeout_secs: Option<u32>,
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

/// What is done with a file on the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum TakingName {
    /// It is renamed into `.kuori/taking`, read, and removed.
    Claim,
    /// Nothing there is changed; what was taken is remembered here by name, size and time.
    ReadOnly,
}

/// An upload table that is read, and waits for its inbox.
pub(super) struct Upload {
    completeness: Completeness,
    unfinished_endings: Vec<String>,
    take_names: Vec<String>,
    way: Way,
    max_file_bytes: Option<u64>,
    stuck_minutes: Option<u32>,
    files_at_once: Option<usize>,
    poll_interval_secs: Option<u32>,
    look_timeout_secs: Option<u32>,
}

const SETTLE_SECS: u32 = 30;
const MARKER_ENDING: &str = ".ok";
const FORGET_DAYS: u32 = 30;

impl Upload {
    /// The settings of the inbox in `folder`, a path that can be used.
    pub(super) fn inbox(
        self,
        sender: &SenderId,
        place: String,
        folder: &str,
        site: &Site,
    ) -> Option<Settings> {
        let usual = Settings::new(sender.clone(), place).ok()?;
        Some(Settings {
            folder: folder.parse().ok()?,
            completeness: self.completeness,
            unfinished_endings: self.unfinished_endings,
            take_names: self.take_names,
            way: self.way,
            max_file_bytes: self.max_file_bytes.unwrap_or(usual.max_file_bytes),
            stuck_minutes: self.stuck_minutes.unwrap_or(usual.stuck_minutes),
            files_at_once: self.files_at_once.unwrap_or(usual.files_at_once),
            poll_interval_secs: self.poll_interval_secs.unwrap_or(site.poll_interval_secs),
            look_timeout_secs: self.look_timeout_secs.unwrap_or(usual.look_timeout_secs),
            ..usual
        })
    }
}

impl UploadTable {
    /// `folder` is the inbox's.
    pub(super) fn read(
        &self,
        is_embedded: bool,
        folder: &str,
        at: &KeyPath,
        problems: &mut Problems,
    ) -> Upload {
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
            take_names: self
                .take_names
                .clone()
                .unwrap_or_else(Settings::usual_names),
            way: self.way(folder, at, problems),
            max_file_bytes: self.max_file_bytes,
            stuck_minutes: self.stuck_minutes,
            files_at_once: self.files_at_once,
            poll_interval_secs: self.poll_interval_secs,
            look_timeout_secs: self.look_timeout_secs,
        }
    }

    fn way(&self, inbox: &str, at: &KeyPath, problems: &mut Problems) -> Way {
        let taking = self.taking.unwrap_or(TakingName::Claim);
        let without = |key: &str, is_given: bool, needs: &str, problems: &mut Problems| {
            if is_given {
                let message = format!("has no effect {needs}");
                problems.add(&at.key(key), message);
            }
        };
        if taking == TakingName::ReadOnly {
            let needs = "with `taking = \"read-only\"`";
            without("done_folder", self.done_folder.is_some(), needs, problems);
            without(
                "done_keep_days",
                self.done_keep_days.is_some(),
                needs,
                problems,
            );
            return Way::ReadOnly {
                forget_days: self.forget_days.unwrap_or(FORGET_DAYS),
            };
        }
        let needs = "without `taking = \"read-only\"`";
        without("forget_days", self.forget_days.is_some(), needs, problems);
        let Some(folder) = &self.done_folder else {
            let needs = "without `done_folder`";
            without(
                "done_keep_days",
                self.done_keep_days.is_some(),
                needs,
                problems,
            );
            return Way::Claim {
                afterwards: Afterwards::Remove,
            };
        };
        Way::Claim {
            afterwards: Afterwards::Keep {
                folder: done_folder(folder, inbox, at, problems),
                keep_days: self.done_keep_days,
            },
        }
    }
}

/// A folder below the place that is none of ours.
fn done_folder(given: &str, inbox: &str, at: &KeyPath, problems: &mut Problems) -> RemotePath {
    let at = at.key("done_folder");
    let Ok(folder) = given.parse::<RemotePath>() else {
        problems.add(
            &at,
            "must be a path below that of the place, such as `done`",
        );
        return RemotePath::root();
    };
    let is_ours = folder.top().as_str() == ".kuori" || folder.as_str() == "receipts";
    if is_ours || folder.as_str() == inbox {
        problems.add(&at, "must be a folder of its own, such as `done`");
    }
    folder
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
