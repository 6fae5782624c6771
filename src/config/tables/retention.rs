use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    config::{RetentionConfig, key_path::KeyPath, problem::Problems},
    pipeline::Retention,
};

/// How long what senders have sent is kept, counted from the last thing that happened to its batch.
/// What is not at its end is kept whatever its age. A sender's own table goes before this one.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RetentionTable {
    /// Days that the sender's file and the files of its bundles are kept; 0 for good.
    #[schemars(range(max = 36500))]
    payload_days: u32,
    /// Days that names, addresses, identity codes and subjects of its messages are kept; 0 for good.
    /// Not fewer than `payload_days`.
    #[schemars(range(max = 36500))]
    rows_days: u32,
    /// Days that a sender's letter ids are kept; 0 for good. A letter that comes again after that is
    /// sent again.
    #[schemars(range(max = 36500))]
    letter_id_days: u32,
    /// The hour, by the clocks of `time_zone`, at which what is too old is removed.
    #[schemars(range(min = 0, max = 23))]
    purge_hour: i8,
}

impl Default for RetentionTable {
    fn default() -> Self {
        let Retention {
            payload_days,
            rows_days,
            letter_id_days,
        } = Retention::default();
        Self {
            payload_days,
            rows_days,
            letter_id_days,
            purge_hour: 3,
        }
    }
}

impl RetentionTable {
    pub(super) fn read(self, at: &KeyPath, problems: &mut Problems) -> RetentionConfig {
        let retention = Retention {
            payload_days: self.payload_days,
            rows_days: self.rows_days,
            letter_id_days: self.letter_id_days,
        };
        check(retention, at, problems);
        RetentionConfig {
            retention,
            purge_hour: self.purge_hour,
        }
    }
}

/// How long what this sender has sent is kept. Default of each key: that of `[retention]`.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "units are in the names of keys")]
pub(super) struct SenderRetentionTable {
    /// Days that the sender's file and the files of its bundles are kept; 0 for good.
    #[schemars(range(max = 36500))]
    payload_days: Option<u32>,
    /// Days that names, addresses, identity codes and subjects of its messages are kept; 0 for good.
    #[schemars(range(max = 36500))]
    rows_days: Option<u32>,
    /// Days that the sender's letter ids are kept; 0 for good.
    #[schemars(range(max = 36500))]
    letter_id_days: Option<u32>,
}

impl SenderRetentionTable {
    pub(super) fn read(self, site: Retention, at: &KeyPath, problems: &mut Problems) -> Retention {
        let retention = Retention {
            payload_days: self.payload_days.unwrap_or(site.payload_days),
            rows_days: self.rows_days.unwrap_or(site.rows_days),
            letter_id_days: self.letter_id_days.unwrap_or(site.letter_id_days),
        };
        check(retention, at, problems);
        retention
    }
}

/// Rows that forget who a letter was for, while the letter is kept, protect nobody.
fn check(retention: Retention, at: &KeyPath, problems: &mut Problems) {
    let for_good = |days: u32| if days == 0 { u32::MAX } else { days };
    if for_good(retention.rows_days) < for_good(retention.payload_days) {
        let message = format!(
            "must be at least `payload_days`, {}",
            retention.payload_days
        );
        problems.add(&at.key("rows_days"), message);
    }
}
