use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;

use super::{Error, Settings};
use crate::{
    crash_points::around_remote,
    domain::Disposition,
    store::{self, Outgoing, OutgoingFile, OutgoingState, Place, Store, Trouble},
    telemetry::{self, OnceAMinute, meters},
    transport::{self, ReadBack, RemoteFolder, RemotePath},
};

/// Between two tries to reach a store that is busy or full.
const STORE_WAIT: std::time::Duration = std::time::Duration::from_secs(1);

/// The folder of each place.
pub type Places = HashMap<Place, Arc<dyn RemoteFolder>>;

/// Hands over what is due: to each place the oldest first.
pub struct Outbox {
    pub(super) store: Arc<Store>,
    places: Places,
    pub(super) settings: Settings,
}

impl Outbox {
    pub fn new(store: Arc<Store>, places: Places, settings: Settings) -> Self {
        Self {
            store,
            places,
            settings,
        }
    }

    /// Hands over what has been due longest. Returns `false` where nothing is due.
    ///
    /// A failure is recorded on the row, or on its place, and it comes due again later, or is held;
    /// only a failing store is an error here.
    pub async fn hand_over_next(&self, now: Timestamp) -> Result<bool, Error> {
        match self.claim(&[], now)? {
            Some(outgoing) => {
                self.hand_over_claimed(&outgoing, &move || now).await?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Takes what has been due longest and does not go to a place that is full.
    pub(super) fn claim(&self, full: &[&Place], now: Timestamp) -> Result<Option<Outgoing>, Error> {
        let lease = now.saturating_add(self.settings.lease).unwrap_or(now);
        Ok(self.store.claim_due_outgoing_but(full, now, lease)?)
    }

    /// Hands over what is claimed, keeping the claim meanwhile, and records what became of it.
    pub(super) async fn hand_over_claimed(
        &self,
        outgoing: &Outgoing,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> Result<(), Error> {
        let done = tokio::select! {
            done = self.bring_or_remove(outgoing) => done,
            never = self.keep_claim(outgoing, clock) => match never {},
        };
        match done {
            Ok(()) => patiently(|| self.record(outgoing, clock())).await?,
            Err(Error::Store(store::Error::LeaseLost(batch))) => {
                let (what, place) = (outgoing.what(), &outgoing.place);
                tracing::warn!(%batch, what, %place, "taken away meanwhile: it does not go");
            }
            Err(error) => patiently(|| self.put_off(outgoing, &error, clock())).await?,
        }
        Ok(())
    }

    async fn bring_or_remove(&self, outgoing: &Outgoing) -> Result<(), Error> {
        match outgoing.state {
            OutgoingState::Withdrawn => self.remove(outgoing).await,
            OutgoingState::Due | OutgoingState::HandingOver | OutgoingState::HandedOver => {
                self.bring(outgoing).await
            }
        }
    }

    async fn keep_claim(
        &self,
        outgoing: &Outgoing,
        clock: &(dyn Fn() -> Timestamp + Send + Sync),
    ) -> std::convert::Infallible {
        let lease = self.settings.lease;
        loop {
            tokio::time::sleep(lease.unsigned_abs() / 3).await;
            let now = clock();
            let until = now.saturating_add(lease).unwrap_or(now);
            if let Err(error) = self.store.renew_outgoing(outgoing, until) {
                let error = telemetry::with_causes(&error);
                tracing::warn!(error, "a claim is not renewed; it is tried again");
            }
        }
    }

    async fn bring(&self, outgoing: &Outgoing) -> Result<(), Error> {
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
            self.make_folders(folder, outgoing).await?;
            for file in files {
                around_remote("outbox: file", self.upload(folder, outgoing, file)).await?;
            }
            // Receipts have none: their last file is one like the others.
            if outgoing.bundle.is_some() {
                self.store.intend_marker(outgoing)?;
            }
        }
        around_remote("outbox: marker", self.upload(folder, outgoing, marker)).await
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

    /// Makes the folder that files stand in; where the one above it is missing too, a mount may be.
    async fn make_folders(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
    ) -> Result<(), Error> {
        let mut made = RemotePath::root();
        for file in &outgoing.files {
            let path = remote_path(&file.path)?;
            let parent = path.parent();
            if parent != made {
                let done = around_remote("outbox: folder", folder.make_dir(&parent)).await;
                done.map_err(failed(outgoing, file))?;
                made = parent;
            }
        }
        Ok(())
    }

    async fn upload(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
        file: &OutgoingFile,
    ) -> Result<(), Error> {
        let to = remote_path(&file.path)?;
        self.check_spooled(file).await?;
        let from = self.store.spool().path(&file.file.key);
        let uploaded = folder.upload(&from, &to, self.read_back(outgoing)).await;
        let sent = match uploaded {
            Ok(uploaded) => uploaded.digest,
            Err(transport::Error::Taken { path }) => {
                return Err(self.taken(folder, outgoing, &path).await);
            }
            Err(error) => return Err(failed(outgoing, file)(error)),
        };
        if sent.bytes != file.file.bytes || sent.sha256_hex() != file.file.sha256 {
            return Err(Error::Changed {
                path: file.path.clone(),
            });
        }
        Ok(())
    }

    /// A damaged file gets no name elsewhere: its digest is compared before a byte of it is sent.
    async fn check_spooled(&self, file: &OutgoingFile) -> Result<(), Error> {
        let (store, spooled) = (Arc::clone(&self.store), file.file.clone());
        let check = move || {
            let mapped = store.spool().map_checked(&spooled.key, &spooled.sha256);
            mapped.map(drop)
        };
        let checked = match tokio::task::spawn_blocking(check).await {
            Ok(checked) => checked,
            // Only a panic or the program's end; what was sent is compared too.
            Err(_) => Ok(()),
        };
        checked.map_err(|source| match source {
            store::Error::Damaged { .. } => Error::Damaged {
                path: file.path.clone(),
                source,
            },
            unreadable => Error::Store(unreadable),
        })
    }

    /// Receipts are small and sent again when asked for.
    fn read_back(&self, outgoing: &Outgoing) -> ReadBack {
        match outgoing.bundle {
            Some(_) => self.settings.of(&outgoing.place).read_back,
            None => ReadBack::Size,
        }
    }

    async fn taken(
        &self,
        folder: &Arc<dyn RemoteFolder>,
        outgoing: &Outgoing,
        path: &RemotePath,
    ) -> Error {
        Error::Taken {
            path: path.to_string(),
            place: outgoing.place.clone(),
            // Only to tell more.
            found: folder.stat(path).await.ok().flatten(),
        }
    }

    pub(super) fn folder(&self, place: &Place) -> Result<&Arc<dyn RemoteFolder>, Error> {
        self.places
            .get(place)
            .ok_or_else(|| Error::NoFolder(place.clone()))
    }

    fn record(&self, outgoing: &Outgoing, now: Timestamp) -> Result<(), store::Error> {
        match outgoing.state {
            OutgoingState::Withdrawn => self.store.record_removed(outgoing, now),
            OutgoingState::Due | OutgoingState::HandingOver | OutgoingState::HandedOver => {
                let pickup = self.settings.of(&outgoing.place).pickup;
                let handed_over = self.store.record_handed_over(outgoing, pickup.wanted, now);
                handed_over.inspect(|()| self.count(outgoing))
            }
        }
    }

    fn count(&self, outgoing: &Outgoing) {
        count(outgoing, "done");
        let bytes = outgoing.files.iter().map(|file| file.file.bytes).sum();
        meters::HANDED_OVER_BYTES.add(&[&outgoing.place.to_string()], bytes);
        // Only a number is lost where the store does not answer: the hand-over is recorded.
        let bundle = outgoing.bundle.and_then(|id| self.store.bundle(id).ok());
        if let Some(bundle) = bundle {
            meters::MESSAGES.add(&["handed-over"], bundle.letters.into());
        }
    }

    /// What can pass is tried again, and what cannot waits for an operator. Where it is the place
    /// that fails, it is not asked by each of its rows.
    fn put_off(
        &self,
        outgoing: &Outgoing,
        error: &Error,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let told = telemetry::with_causes(error);
        let is_held = error.disposition() != Disposition::Retry;
        let (what, place) = (outgoing.what(), &outgoing.place);
        count(outgoing, if is_held { "held" } else { "put-off" });
        if is_held {
            tracing::error!(batch = %outgoing.batch, what, %place, error = told, "held");
        } else {
            tracing::warn!(batch = %outgoing.batch, what, %place, error = told, "not handed over");
        }
        if error.is_of_place() {
            let attempts = self.store.place_attempts(place)?.saturating_add(1);
            let trouble = Trouble {
                error: &told,
                now,
                next_try: (!is_held).then(|| self.next_try(attempts, now)),
            };
            self.store.put_place_off(outgoing, trouble)
        } else if is_held {
            self.store.hold_outgoing(outgoing, &told, now)
        } else {
            let at = self.next_try(outgoing.attempts, now);
            self.store.retry_outgoing(outgoing, &told, at)
        }
    }

    fn next_try(&self, attempts: u32, now: Timestamp) -> Timestamp {
        let wait = self.settings.back_off.wait(attempts, fastrand::f64());
        now.saturating_add(wait).unwrap_or(now)
    }
}

fn count(outgoing: &Outgoing, outcome: &str) {
    let place = outgoing.place.to_string();
    meters::HAND_OVERS.one(&[&place, outgoing.kind.as_str(), outcome]);
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
pub(super) async fn patiently(
    ask: impl Fn() -> Result<(), store::Error>,
) -> Result<(), store::Error> {
    let telling = OnceAMinute::default();
    loop {
        match ask() {
            Err(error) if error.disposition() == Disposition::Retry => {
                if telling.is_due() {
                    let error = telemetry::with_causes(&error);
                    tracing::warn!(error, "the store does not work; asked again");
                }
                tokio::time::sleep(STORE_WAIT).await;
            }
            answered => return answered,
        }
    }
}

pub(super) fn remote_path(path: &str) -> Result<RemotePath, Error> {
    path.parse().map_err(|source| Error::Path {
        path: path.to_owned(),
        source,
    })
}
