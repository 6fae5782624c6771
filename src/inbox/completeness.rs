use std::collections::HashMap;

use jiff::Timestamp;

use crate::transport::RemoteFile;

/// How a finished upload is told from a growing one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// A file appears under its final name only when it is whole: the embedded server, and senders
    /// who rename.
    ByName,
    /// Size and time have not changed for this long, over at least two looks.
    Settled { settle_secs: u32 },
    /// A file of the same name with this ending stands beside it.
    Marker { ending: String },
}

/// What was seen of files that are not finished yet: since when their size and time are the same.
#[derive(Debug, Default)]
pub(super) struct Sightings(HashMap<String, Sighting>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Sighting {
    bytes: u64,
    modified: Option<Timestamp>,
    since: Timestamp,
}

impl Sightings {
    /// Whether the file has been the same for `settle_secs`; notes what it looks like now.
    pub(super) fn is_settled(
        &mut self,
        file: &RemoteFile,
        settle_secs: u32,
        now: Timestamp,
    ) -> bool {
        let seen = Sighting {
            bytes: file.bytes,
            modified: file.modified,
            since: now,
        };
        let known = self
            .0
            .entry(file.name.clone())
            .or_insert_with(|| seen.clone());
        if (known.bytes, known.modified) != (seen.bytes, seen.modified) {
            *known = seen;
        }
        now.duration_since(known.since).as_secs() >= i64::from(settle_secs)
    }

    /// Forgets files that are gone.
    pub(super) fn keep_only(&mut self, files: &[RemoteFile]) {
        self.0
            .retain(|name, _| files.iter().any(|file| file.name == *name));
    }
}
