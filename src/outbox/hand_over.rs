use std::{collections::HashMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::Error;
use crate::{
    domain::Disposition,
    store::{self, Outgoing, OutgoingFile, OutgoingState, Place, Store},
    telemetry,
    transport::{self, ReadBack, RemoteFolder, RemotePath},
};

/// How long one hand-over may take before another worker may try it.
const LEASE: SignedDuration = SignedDuration::from_hours(1);
/// Between two tries to reach a store that is busy or full.
const STORE_WAIT: std::time::Duration = std::time::Duration::from_secs(1);
const FIRST_WAIT_SECS: i64 = 5;
const LONGEST_WAIT_SECS: i64 = 900;

/// The folder of each place.
pub type Places = HashMap<Place, Arc<dyn RemoteFolder>>;

/// Hands over, one thing after the other, oldest first.
pub struct Outbox {
    store: Arc<Store>,
    places: Places,
}

impl Outbox {
    pub fn new(store: Arc<Store>, places: Places) -> Self {
        Self { store, places }
    }

    /// Hands over what has been due longest. Returns `false` where nothing is due.
    ///
    /// A failure is recorded on the row, which comes due again later; only a failing store is an
    /// error here.
    pub async fn hand_over_next(&self, now: Timestamp) -> Result<bool, Error> {
        let lease = now.saturating_add(LEASE).unwrap_or(now);
        let Some(outgoing) = self.store.claim_due_outgoing(now, lease)? else {
            return Ok(false);
        };
        match self.hand_over(&outgoing).await {
            Ok(()) => patiently(|| self.store.record_handed_over(&outgoing, now)).await?,
            Err(error) => patiently(|| self.put_off(&outgoing, &error, now)).await?,
        }
        Ok(true)
    }

    async fn hand_over(&self, outgoing: &Outgoing) -> Result<(), Error> {
        let folder = self.folder(&outgoing.place)?;
        let Some((marker, files)) = outgoing.files.split_last() else {
            return Ok(());
        };
        if outgoing.state == OutgoingState::HandingOver && outgoing.bundle.is_some() {
            // Only the marker: a file that is taken between the look and the upload must not stand
            // there again, and without a folder the marker is put off to the next look.
            if self.was_taken(folder, outgoing, files).await? {
                return Ok(());
            }
        } else {
            for file in &outgoing.files {
                self.make_folder(folder, outgoing, file).await?;
            }
            for file in files {
                self.upload(folder, outgoing, file).await?;
            }
            self.store.intend_marker(outgoing)?;
        }
        self.upload(folder, outgoing, marker).await
    }

    /// Whether the other side has acted since the intent to place the marker was recorded: all files
    /// stood there then, so one that is gone was taken, and the marker was seen. That it is gone
    /// is believed only where the folder at the top of its path can be listed.
    ///
    /// Not asked of receipts: a sender may take each of its files as it comes, and sending all of them
    /// once more does no harm.
    async fn was_taken(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
        files: &[OutgoingFile],
    ) -> Result<bool, Error> {
        for file in files {
            let path = remote_path(&file.path)?;
            let standing = folder.stat(&path).await;
            if standing.map_err(failed(outgoing, file))?.is_none() {
                // With the whole place away (a mount is missing), nothing was taken from it.
                let listed = folder.list(&path.top()).await;
                listed.map_err(failed(outgoing, file))?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn make_folder(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
        file: &OutgoingFile,
    ) -> Result<(), Error> {
        let parent = remote_path(&file.path)?.parent();
        let made = folder.make_dir(&parent).await;
        made.map_err(failed(outgoing, file))
    }

    async fn upload(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
        file: &OutgoingFile,
    ) -> Result<(), Error> {
        let to = remote_path(&file.path)?;
        let from = self.store.spool().path(&file.file.key);
        let uploaded = folder.upload(&from, &to, ReadBack::Size).await;
        let sent = uploaded.map_err(failed(outgoing, file))?.digest;
        if sent.bytes != file.file.bytes || sent.sha256_hex() != file.file.sha256 {
            return Err(Error::Damaged {
                path: file.path.clone(),
            });
        }
        Ok(())
    }

    fn folder(&self, place: &Place) -> Result<&Arc<dyn RemoteFolder>, Error> {
        self.places
            .get(place)
            .ok_or_else(|| Error::NoFolder(place.clone()))
    }

    fn put_off(
        &self,
        outgoing: &Outgoing,
        error: &Error,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let doubled = FIRST_WAIT_SECS << outgoing.attempts.min(16);
        let wait = SignedDuration::from_secs(doubled.min(LONGEST_WAIT_SECS));
        let at = now.saturating_add(wait).unwrap_or(now);
        let told = telemetry::with_causes(error);
        tracing::warn!(batch = %outgoing.batch, place = %outgoing.place, error = told, "not handed over");
        self.store.retry_outgoing(outgoing, &told, at)
    }
}

fn failed(outgoing: &Outgoing, file: &OutgoingFile) -> impl FnOnce(transport::Error) -> Error {
    let (path, place) = (file.path.clone(), outgoing.place.clone());
    move |source| Error::Upload {
        path,
        place,
        source,
    }
}

/// Asks the store until it answers or fails for good: the row is claimed, and unless its outcome is
/// recorded nobody comes back to it before its lease ends.
async fn patiently(ask: impl Fn() -> Result<(), store::Error>) -> Result<(), store::Error> {
    loop {
        match ask() {
            Err(error) if error.disposition() == Disposition::Retry => {
                let error = telemetry::with_causes(&error);
                tracing::warn!(error, "the store does not work; asked again");
                tokio::time::sleep(STORE_WAIT).await;
            }
            answered => return answered,
        }
    }
}

fn remote_path(path: &str) -> Result<RemotePath, Error> {
    path.parse().map_err(|source| Error::Path {
        path: path.to_owned(),
        source,
    })
}
