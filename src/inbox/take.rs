use jiff::Timestamp;

use super::{Completeness, Error, Inbox};
use crate::{
    store::{Arrival, ArrivalState, NewBatch, NewSpoolFile, Received, SpoolKey},
    telemetry,
    transport::{self, RemoteFile, RemotePath},
};

impl Inbox {
    /// Takes one finished file.
    pub(super) async fn take(&self, file: &RemoteFile, now: Timestamp) -> Result<Received, Error> {
        let Self {
            store, settings, ..
        } = self;
        let arrival = store.begin_arrival(&settings.sender, &settings.place, &file.name, now)?;
        self.claim(&arrival).await?;
        self.copy_in(&arrival, now).await
    }

    /// Goes on with files that were being taken when the daemon stopped.
    pub(super) async fn resume(&self, now: Timestamp) -> Result<Vec<Received>, Error> {
        let claimed = self.list_claimed().await;
        let arrivals = self.store.arrivals(&self.settings.place)?;
        let mut received = Vec::new();
        for arrival in &arrivals {
            match self.resume_one(arrival, claimed.is_some(), now).await {
                Ok(batch) => received.extend(batch),
                Err(error) => {
                    let (arrival, error) = (arrival.id, telemetry::with_causes(&error));
                    tracing::warn!(arrival, error, "cannot go on with a file");
                }
            }
        }
        // Another sender's too: by hand, several may have been processed in one folder.
        let known = self.store.arrival_ids()?;
        let is_orphan = |id: &i64| !known.contains(id);
        for orphan in claimed.into_iter().flatten().filter(is_orphan) {
            match self.adopt(orphan, now).await {
                Ok(batch) => received.extend(batch),
                Err(error) => {
                    let error = telemetry::with_causes(&error);
                    tracing::warn!(orphan, error, "cannot adopt a claimed file");
                }
            }
        }
        Ok(received)
    }

    /// The ids that claimed files are named by; `None` where the folder cannot be listed, or is not
    /// there yet.
    async fn list_claimed(&self) -> Option<Vec<i64>> {
        let taking = &self.settings.taking;
        match self.folder.list(taking).await {
            Ok(listed) => {
                let ids = listed
                    .files
                    .iter()
                    .filter_map(|file| file.name.parse().ok());
                Some(ids.collect())
            }
            Err(transport::Error::Missing { .. }) => None,
            Err(error) => {
                let error = telemetry::with_causes(&error);
                tracing::warn!(
                    inbox = self.settings.place,
                    error,
                    "cannot look for claimed files"
                );
                None
            }
        }
    }

    /// Takes a claimed file whose row is lost, as after a restored backup; its name went with the row.
    async fn adopt(&self, orphan: i64, now: Timestamp) -> Result<Option<Received>, Error> {
        let Self {
            store, settings, ..
        } = self;
        let from = join(&settings.taking, &orphan.to_string())?;
        if self.stat(&from).await?.is_none() {
            return Ok(None);
        }
        tracing::warn!(inbox = settings.place, file = %from, "a claimed file has no row: it is taken again");
        let name = format!("recovered-{orphan}.zip");
        let arrival = store.begin_arrival(&settings.sender, &settings.place, &name, now)?;
        let to = self.claimed_path(&arrival)?;
        // Ids may start again with a restored backup: what stands there already is an orphan too.
        if self.stat(&to).await?.is_none() {
            self.folder
                .rename(&from, &to)
                .await
                .map_err(remote("adopt", &from))?;
        }
        self.copy_in(&arrival, now).await.map(Some)
    }

    async fn resume_one(
        &self,
        arrival: &Arrival,
        claimed_are_known: bool,
        now: Timestamp,
    ) -> Result<Option<Received>, Error> {
        if arrival.state == ArrivalState::Recorded {
            self.remove_claimed(arrival).await?;
            return Ok(None);
        }
        let is_claimed = self.stat(&self.claimed_path(arrival)?).await?.is_some();
        let is_original_there = self.stat(&self.original_path(arrival)?).await?.is_some();
        match (is_claimed, is_original_there) {
            // The sender has put another file of the name there: a marker is that one's.
            (true, true) => {}
            (true, false) => self.remove_marker(arrival).await?,
            (false, true) => self.claim(arrival).await?,
            (false, false) => return self.end_removed(arrival, claimed_are_known),
        }
        self.copy_in(arrival, now).await.map(Some)
    }

    /// Ends an arrival whose file is nowhere, unless nothing can be seen there at all.
    fn end_removed(
        &self,
        arrival: &Arrival,
        claimed_are_known: bool,
    ) -> Result<Option<Received>, Error> {
        if claimed_are_known {
            tracing::warn!(
                arrival = arrival.id,
                "the file was removed before it was taken"
            );
            self.store.end_arrival(arrival)?;
        }
        Ok(None)
    }

    /// Moves the file out of the sender's reach: nobody else can take or change it from here.
    async fn claim(&self, arrival: &Arrival) -> Result<(), Error> {
        let taking = &self.settings.taking;
        self.folder
            .make_dir(&taking.parent())
            .await
            .map_err(remote("make", taking))?;
        self.folder
            .make_dir(taking)
            .await
            .map_err(remote("make", taking))?;
        let from = self.original_path(arrival)?;
        let to = self.claimed_path(arrival)?;
        self.folder
            .rename(&from, &to)
            .await
            .map_err(remote("claim", &from))?;
        // At once: later it could be the marker of the next file of this name.
        self.remove_marker(arrival).await
    }

    async fn copy_in(&self, arrival: &Arrival, now: Timestamp) -> Result<Received, Error> {
        let claimed = self.claimed_path(arrival)?;
        let file = self.copy(&claimed).await?;
        let key = SpoolKey::new(
            "batches",
            format!("{}-{}.zip", arrival.sender, file.sha256()),
        );
        let new = NewBatch {
            sender: arrival.sender.clone(),
            file_name: arrival.file_name.clone(),
            file: file.keep(&key)?,
            received_at: now,
        };
        let received = self.store.receive(&new, Some(arrival.id))?;
        self.remove_claimed(arrival).await?;
        Ok(received)
    }

    async fn copy(&self, from: &RemotePath) -> Result<NewSpoolFile, Error> {
        let listed = self.stat(from).await?.map_or(0, |file| file.bytes);
        let mut file = self.store.spool().begin()?;
        let downloaded = self.folder.download(from, &mut file).await;
        let taken = downloaded.map_err(remote("read", from))?.bytes;
        if listed != taken {
            return Err(Error::SizeDiffers {
                path: from.clone(),
                listed,
                taken,
            });
        }
        Ok(file)
    }

    async fn remove_claimed(&self, arrival: &Arrival) -> Result<(), Error> {
        let claimed = self.claimed_path(arrival)?;
        if self.stat(&claimed).await?.is_some() {
            self.folder
                .remove(&claimed)
                .await
                .map_err(remote("remove", &claimed))?;
        }
        Ok(self.store.end_arrival(arrival)?)
    }

    async fn remove_marker(&self, arrival: &Arrival) -> Result<(), Error> {
        let Completeness::Marker { ending } = &self.settings.completeness else {
            return Ok(());
        };
        let marker = self.path_in_inbox(&format!("{}{ending}", arrival.file_name))?;
        if self.stat(&marker).await?.is_some() {
            self.folder
                .remove(&marker)
                .await
                .map_err(remote("remove", &marker))?;
        }
        Ok(())
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        self.folder
            .stat(path)
            .await
            .map_err(remote("look at", path))
    }

    fn original_path(&self, arrival: &Arrival) -> Result<RemotePath, Error> {
        self.path_in_inbox(&arrival.file_name)
    }

    fn claimed_path(&self, arrival: &Arrival) -> Result<RemotePath, Error> {
        join(&self.settings.taking, &arrival.id.to_string())
    }

    fn path_in_inbox(&self, name: &str) -> Result<RemotePath, Error> {
        join(&self.settings.folder, name)
    }
}

fn join(folder: &RemotePath, name: &str) -> Result<RemotePath, Error> {
    folder.join(name).map_err(|source| Error::Name {
        name: name.to_owned(),
        source,
    })
}

fn remote(doing: &'static str, path: &RemotePath) -> impl FnOnce(transport::Error) -> Error {
    let path = path.clone();
    move |source| Error::Remote {
        doing,
        path,
        source,
    }
}
