use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use super::{
    Completeness, Error, Settings,
    completeness::Sightings,
    names::{is_batch, is_marker_of, is_unfinished},
};
use crate::{
    store::{Received, Store},
    telemetry,
    transport::{Listing, RemoteFile, RemoteFolder},
};

/// One inbox and what has been seen in it.
pub struct Inbox {
    pub(super) store: Arc<Store>,
    pub(super) folder: Arc<dyn RemoteFolder>,
    pub(super) settings: Settings,
    sightings: Mutex<Sightings>,
    /// Names that the operator has been told of: once is enough.
    told: Mutex<HashSet<String>>,
}

impl Inbox {
    pub fn new(store: Arc<Store>, folder: Arc<dyn RemoteFolder>, settings: Settings) -> Self {
        Self {
            store,
            folder,
            settings,
            sightings: Mutex::default(),
            told: Mutex::default(),
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
        self.tell_of_what_is_left(&listed);
        let mut sightings = self
            .sightings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        sightings.keep_only(&listed.files);
        let names: Vec<_> = listed.files.iter().map(|file| file.name.as_str()).collect();
        let is_finished = |file: &&RemoteFile| {
            is_batch(&file.name, file.bytes)
                && !is_unfinished(&file.name, &self.settings.unfinished_endings)
                && self.is_complete(file, &names, &mut sightings, now)
        };
        Ok(listed.files.iter().filter(is_finished).cloned().collect())
    }

    /// Files that can be no batch stay where they are; the operator hears of each once.
    fn tell_of_what_is_left(&self, listed: &Listing) {
        let endings = &self.settings.unfinished_endings;
        let strange = listed.files.iter().filter(|file| {
            file.bytes > 0
                && !is_batch(&file.name, file.bytes)
                && !is_unfinished(&file.name, endings)
        });
        let names = listed
            .odd_names
            .iter()
            .chain(strange.map(|file| &file.name));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if told.insert(name.clone()) {
                let inbox = &self.settings.place;
                tracing::warn!(
                    inbox,
                    name,
                    "left in the inbox: no name of a batch (`*.zip`)"
                );
            }
        }
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
