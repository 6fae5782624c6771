use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::{
    Completeness, Error, Settings,
    completeness::Sightings,
    names::{is_marker_of, is_unfinished},
};
use crate::{
    store::{Received, Store},
    telemetry,
    transport::{RemoteFile, RemoteFolder},
};

/// One inbox and what has been seen in it.
pub struct Inbox {
    pub(super) store: Arc<Store>,
    pub(super) folder: Arc<dyn RemoteFolder>,
    pub(super) settings: Settings,
    sightings: Mutex<Sightings>,
}

impl Inbox {
    pub fn new(store: Arc<Store>, folder: Arc<dyn RemoteFolder>, settings: Settings) -> Self {
        Self {
            store,
            folder,
            settings,
            sightings: Mutex::default(),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Finishes what a crash interrupted, then takes every finished file. A file that cannot be
    /// taken is logged and stays; the others are taken.
    pub async fn poll(&self, now: Timestamp) -> Result<Vec<Received>, Error> {
        let mut received = self.resume(now).await?;
        // What could not be taken yet has its intent already; a second one would never end.
        let begun = self.store.arrivals(&self.settings.place)?;
        let is_new = |file: &RemoteFile| begun.iter().all(|known| known.file_name != file.name);
        for file in self.finished_files(now).await?.into_iter().filter(is_new) {
            match self.take(&file, now).await {
                Ok(batch) => received.push(batch),
                Err(error) => {
                    tracing::warn!(
                        inbox = self.settings.place,
                        error = telemetry::with_causes(&error),
                        "not taken"
                    );
                }
            }
        }
        Ok(received)
    }

    async fn finished_files(&self, now: Timestamp) -> Result<Vec<RemoteFile>, Error> {
        let path = &self.settings.folder;
        let listed = self
            .folder
            .list(path)
            .await
            .map_err(|source| Error::Remote {
                doing: "list",
                path: path.clone(),
                source,
            })?;
        let mut sightings = self
            .sightings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sightings.keep_only(&listed.files);
        let names: Vec<_> = listed.files.iter().map(|file| file.name.as_str()).collect();
        let is_finished = |file: &&RemoteFile| {
            !is_unfinished(&file.name, &self.settings.unfinished_endings)
                && self.is_complete(file, &names, &mut sightings, now)
        };
        Ok(listed.files.iter().filter(is_finished).cloned().collect())
    }

    fn is_complete(
        &self,
        file: &RemoteFile,
        names: &[&str],
        sightings: &mut Sightings,
        now: Timestamp,
    ) -> bool {
        match &self.settings.completeness {
            Completeness::ByName => true,
            Completeness::Settled { settle_secs } => sightings.is_settled(file, *settle_secs, now),
            Completeness::Marker { ending } => {
                let marker = format!("{}{ending}", file.name);
                names.contains(&marker.as_str()) && !is_marker_of(&file.name, ending, names)
            }
        }
    }
}
