use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{
    Completeness, Settings,
    names::{is_batch, is_marker_of, is_unfinished},
    sightings::{Moment, Sightings, Stillness},
};
use crate::{
    store::{FileWait, KnownFile},
    transport::RemoteFile,
};

/// Decides what is to be done with each file of a listing.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    /// All names that are listed.
    pub(super) names: &'a HashSet<&'a str>,
    /// What was taken already and stays where it stands.
    pub(super) known: &'a HashMap<String, KnownFile>,
    pub(super) now: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is to be taken.
    Due,
    /// It is a marker, or known: nobody has to hear of it.
    Ignored,
    Waits(Wait),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) what: FileWait,
    pub(super) detail: Option<String>,
    pub(super) until: Option<Timestamp>,
}

impl From<FileWait> for Judgement {
    fn from(what: FileWait) -> Self {
        Self::Waits(Wait {
            what,
            detail: None,
            until: None,
        })
    }
}

impl Judge<'_> {
    pub(super) fn judge(&self, file: &RemoteFile, sightings: &mut Sightings) -> Judgement {
        let Settings {
            unfinished_endings,
            take_names,
            max_file_bytes,
            ..
        } = self.settings;
        sightings.see(file, self.now);
        if self.is_marker(file) || self.is_known(file) {
            Judgement::Ignored
        } else if is_unfinished(&file.name, unfinished_endings) {
            FileWait::Unfinished.into()
        } else if !is_batch(&file.name, file.bytes, take_names) {
            FileWait::Name.into()
        } else if file.bytes > *max_file_bytes {
            Judgement::Waits(Wait {
                what: FileWait::TooLarge,
                detail: Some(max_file_bytes.to_string()),
                until: None,
            })
        } else {
            self.judge_completeness(file, sightings)
        }
    }

    fn is_marker(&self, file: &RemoteFile) -> bool {
        match &self.settings.completeness {
            Completeness::Marker { ending } => is_marker_of(&file.name, ending, self.names),
            Completeness::ByName | Completeness::Settled { .. } => {
                file.bytes == 0 && is_marker_of(&file.name, ".ok", self.names)
            }
        }
    }

    /// Only a file of the same size and time is the one that was taken.
    fn is_known(&self, file: &RemoteFile) -> bool {
        self.known
            .get(&file.name)
            .is_some_and(|known| (known.bytes, known.modified) == (file.bytes, file.modified))
    }

    fn judge_completeness(&self, file: &RemoteFile, sightings: &Sightings) -> Judgement {
        match &self.settings.completeness {
            Completeness::ByName => Judgement::Due,
            Completeness::Settled { settle_secs } => {
                match sightings.stillness(&file.name, *settle_secs, self.now) {
                    Stillness::Still => Judgement::Due,
                    Stillness::Unended => FileWait::NoZipEnd.into(),
                    Stillness::Grows => FileWait::Grows.into(),
                    Stillness::Settles { until } => Judgement::Waits(Wait {
                        what: FileWait::Settles,
                        detail: None,
                        until: Some(until),
                    }),
                }
            }
            Completeness::Marker { ending } => {
                let marker = format!("{}{ending}", file.name);
                if self.names.contains(marker.as_str()) {
                    return Judgement::Due;
                }
                Judgement::Waits(Wait {
                    what: FileWait::Marker,
                    detail: Some(marker),
                    until: None,
                })
            }
        }
    }
}
