use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;

use super::{
    Completeness, Error, Settings,
    headroom::{Headroom, Reservation},
};
use crate::{
    crash_points::around_remote,
    domain::SenderId,
    store::{Arrival, NewBatch, Received, SeenFile, SpoolKey, SpooledFile, Store},
    telemetry::meters,
    transport::{self, RemoteFile, RemoteFolder, RemotePath},
};

/// Where one file at a time is taken; several at once share it.
pub(super) struct Desk {
    pub(super) store: Arc<Store>,
    pub(super) folder: Arc<dyn RemoteFolder>,
    pub(super) settings: Settings,
    pub(super) headroom: Arc<Headroom>,
    /// The folders of our own have been made on the other side.
    has_folders: AtomicBool,
}

/// What became of a file that was to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Batch(Received),
    /// It was gone, or known.
    Nothing,
    /// It is still, and does not end as a ZIP does.
    Unended,
}

impl Desk {
    pub(super) fn new(
        store: Arc<Store>,
        folder: Arc<dyn RemoteFolder>,
        settings: Settings,
        headroom: Arc<Headroom>,
    ) -> Self {
        Self {
            store,
            folder,
            settings,
            headroom,
            has_folders: AtomicBool::new(false),
        }
    }

    /// Takes one finished file.
    pub(super) async fn take(
        &self,
        file: &RemoteFile,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let path = self.path_in_inbox(&file.name)?;
        if self.wants_zip_end() && !self.has_zip_end(&path, file.bytes).await? {
            return Ok(Taken::Unended);
        }
        if self.settings.is_read_only() {
            return self.take_as_it_stands(file, room, now).await;
        }
        let Settings { sender, place, .. } = &self.settings;
        let arrival = self.store.begin_arrival(sender, place, &file.name, now)?;
        match self.claim(&arrival).await {
            Ok(()) => self.copy_in(&arrival, Some(file), room, now).await,
            // The server has said that nothing was done.
            Err(error @ Error::ClaimDenied { .. }) => {
                self.store.end_arrival(&arrival)?;
                Err(error)
            }
            Err(error) if error.is_missing() => self.look_again(&arrival, room, now).await,
            Err(error) => Err(error),
        }
    }

    /// A file was not there to be claimed: its sender or another house was faster, or the answer to
    /// our own claim was lost.
    async fn look_again(
        &self,
        arrival: &Arrival,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let original = self.path_in_inbox(&arrival.file_name)?;
        let claimed = self.claimed_path(arrival)?;
        if self.stat(&claimed).await?.is_none() && self.stat(&original).await?.is_none() {
            self.store.end_arrival(arrival)?;
            return Ok(Taken::Nothing);
        }
        self.resume(arrival, true, room, now).await
    }

    /// Takes a file where nothing may be changed: it is known from the transaction on that records
    /// its batch.
    async fn take_as_it_stands(
        &self,
        file: &RemoteFile,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let path = self.path_in_inbox(&file.name)?;
        let copy = around_remote("inbox: copy", self.copy(&path, file, room)).await?;
        let seen = SeenFile {
            place: &self.settings.place,
            file_name: &file.name,
            bytes: file.bytes,
            modified: file.modified,
        };
        let known = self.store.known_file(&seen)?;
        if let Some(known) = known.filter(|known| known.sha256 == copy.sha256()) {
            // The same bytes with another time: nothing new has come.
            self.store
                .know_file_again(&seen, &known.sha256, known.batch)?;
            return Ok(Taken::Nothing);
        }
        let key = spool_key(&self.settings.sender, &copy.sha256());
        let new = new_batch(&self.settings.sender, &file.name, copy.keep(&key)?, now);
        let received = self.store.receive_known(&new, &seen)?;
        count(received, &new);
        Ok(Taken::Batch(received))
    }

    /// Moves the file out of the sender's reach: nobody else can take or change it from here.
    pub(super) async fn claim(&self, arrival: &Arrival) -> Result<(), Error> {
        let from = self.path_in_inbox(&arrival.file_name)?;
        let to = self.claimed_path(arrival)?;
        let taking = &self.settings.taking;
        if !self.has_folders.load(Ordering::Relaxed) {
            self.make_dirs(taking).await.map_err(denied(&from))?;
        }
        let renamed = around_remote("inbox: claim", self.folder.rename(&from, &to)).await;
        if let Err(error) = renamed {
            self.has_folders.store(false, Ordering::Relaxed);
            return Err(denied(&from)(remote("claim", &from)(error)));
        }
        self.has_folders.store(true, Ordering::Relaxed);
        // At once: later it could be the marker of the next file of this name.
        self.remove_marker(arrival).await
    }

    /// Copies a claimed file, records it and puts it away. `listed` is what it was like before it
    /// was claimed, where that is known.
    pub(super) async fn copy_in(
        &self,
        arrival: &Arrival,
        listed: Option<&RemoteFile>,
        room: &Reservation,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let claimed = self.claimed_path(arrival)?;
        let Some(found) = self.stat(&claimed).await? else {
            return Err(Error::Changed { path: claimed });
        };
        // Who had it open when it was claimed can still write to it.
        let is_as_listed =
            listed.is_some_and(|file| (file.bytes, file.modified) == (found.bytes, found.modified));
        if !is_as_listed && self.wants_zip_end() && !self.has_zip_end(&claimed, found.bytes).await?
        {
            let path = self.path_in_inbox(&arrival.file_name)?;
            return Err(Error::GrowsAgain { path });
        }
        let copy = around_remote("inbox: copy", self.copy(&claimed, &found, room)).await?;
        let key = spool_key(&arrival.sender, &copy.sha256());
        let file = copy.keep(&key)?;
        let new = new_batch(&arrival.sender, &arrival.file_name, file, now);
        let received = self.store.receive(&new, Some(arrival.id))?;
        count(received, &new);
        self.put_away(arrival).await?;
        Ok(Taken::Batch(received))
    }

    pub(super) async fn remove_marker(&self, arrival: &Arrival) -> Result<(), Error> {
        let Some(marker) = self.marker(arrival)? else {
            return Ok(());
        };
        if self.stat(&marker).await?.is_some() {
            let removed = around_remote("inbox: marker", self.folder.remove(&marker)).await;
            removed.map_err(remote("remove", &marker))?;
        }
        Ok(())
    }

    /// Whether a marker is wanted and not there.
    pub(super) async fn lacks_marker(&self, arrival: &Arrival) -> Result<bool, Error> {
        match self.marker(arrival)? {
            Some(marker) => Ok(self.stat(&marker).await?.is_none()),
            None => Ok(false),
        }
    }

    fn marker(&self, arrival: &Arrival) -> Result<Option<RemotePath>, Error> {
        match &self.settings.completeness {
            Completeness::Marker { ending } => {
                let name = format!("{}{ending}", arrival.file_name);
                self.path_in_inbox(&name).map(Some)
            }
            Completeness::ByName | Completeness::Settled { .. } => Ok(None),
        }
    }

    /// Makes a folder and those that it stands in.
    pub(super) async fn make_dirs(&self, path: &RemotePath) -> Result<(), Error> {
        let mut made = RemotePath::root();
        for name in path.as_str().split('/').filter(|name| !name.is_empty()) {
            made = join(&made, name)?;
            self.folder
                .make_dir(&made)
                .await
                .map_err(remote("make", &made))?;
        }
        Ok(())
    }

    pub(super) async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        self.folder
            .stat(path)
            .await
            .map_err(remote("look at", path))
    }

    pub(super) fn claimed_path(&self, arrival: &Arrival) -> Result<RemotePath, Error> {
        join(&self.settings.taking, &arrival.claimed_name())
    }

    pub(super) fn path_in_inbox(&self, name: &str) -> Result<RemotePath, Error> {
        join(&self.settings.folder, name)
    }

    fn wants_zip_end(&self) -> bool {
        matches!(self.settings.completeness, Completeness::Settled { .. })
    }
}

fn spool_key(sender: &SenderId, sha256: &str) -> SpoolKey {
    SpoolKey::new("batches", format!("{sender}-{sha256}.zip"))
}

fn count(received: Received, new: &NewBatch) {
    let sender = new.sender.as_str();
    match received {
        Received::New(_) => {
            meters::BATCHES_RECEIVED.one(&[sender, "new"]);
            meters::RECEIVED_BYTES.add(&[sender], new.file.bytes);
        }
        Received::Again(_) => meters::BATCHES_RECEIVED.one(&[sender, "again"]),
    }
}

fn new_batch(sender: &SenderId, name: &str, file: SpooledFile, now: Timestamp) -> NewBatch {
    NewBatch {
        sender: sender.clone(),
        file_name: name.to_owned(),
        file,
        received_at: now,
    }
}

pub(super) fn join(folder: &RemotePath, name: &str) -> Result<RemotePath, Error> {
    folder.join(name).map_err(|source| Error::Name {
        name: name.to_owned(),
        source,
    })
}

pub(super) fn remote(
    doing: &'static str,
    path: &RemotePath,
) -> impl FnOnce(transport::Error) -> Error {
    let path = path.clone();
    move |source| Error::Remote {
        doing,
        path,
        source,
    }
}

/// A claim that the server does not allow is told as one.
fn denied(file: &RemotePath) -> impl FnOnce(Error) -> Error {
    let path = file.clone();
    move |error| match error {
        Error::Remote { source, .. } if source.is_denied() => Error::ClaimDenied { path, source },
        error => error,
    }
}
