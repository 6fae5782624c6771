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
        let mut received = Vec::new();
        for arrival in self.store.arrivals(&self.settings.place)? {
            match self.resume_one(&arrival, now).await {
                Ok(batch) => received.extend(batch),
                Err(error) => {
                    let (arrival, error) = (arrival.id, telemetry::with_causes(&error));
                    tracing::warn!(arrival, error, "cannot go on with a file");
                }
            }
        }
        Ok(received)
    }

    async fn resume_one(
        &self,
        arrival: &Arrival,
        now: Timestamp,
    ) -> Result<Option<Received>, Error> {
        if arrival.state == ArrivalState::Recorded {
            self.remove_claimed(arrival).await?;
            return Ok(None);
        }
        let claimed = self.claimed_path(arrival)?;
        if self.stat(&claimed).await?.is_none() {
            let original = self.original_path(arrival)?;
            if self.stat(&original).await?.is_none() {
                tracing::warn!(
                    arrival = arrival.id,
                    "the file was removed before it was taken"
                );
                self.store.end_arrival(arrival)?;
                return Ok(None);
            }
            self.claim(arrival).await?;
        }
        self.copy_in(arrival, now).await.map(Some)
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
            .map_err(remote("claim", &from))
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
        self.remove_marker(arrival).await?;
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
