//! Every point between the house and a folder elsewhere, one after the other, as the last thing
//! that happened before a crash, or as a call that failed: files are taken once and handed over
//! once.

mod bundles;
mod mailboxes;
mod print_house;
mod receipts;
mod taking;

use std::{
    future::pending,
    io::{self, Write},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kuori::transport::{
    Action, Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath, Uploaded,
};
use tokio::sync::Notify;

use self::print_house::{Clears, PrintHouse};
use crate::hub::{Hub, now};

/// What happens at the chosen call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The program ends before the other side hears of the call.
    StopsBefore,
    /// The program ends when the other side has done what was asked; of a download, half.
    StopsAfter,
    FailsBefore,
    /// The other side has done what was asked, and its answer is lost.
    FailsAfter,
}

pub(crate) const TROUBLES: [Trouble; 4] = [
    Trouble::StopsBefore,
    Trouble::StopsAfter,
    Trouble::FailsBefore,
    Trouble::FailsAfter,
];

/// A folder that makes trouble at its `at`-th call, and none before or after.
pub(crate) struct ChaosFolder {
    inner: Arc<dyn RemoteFolder>,
    trouble: Trouble,
    at: u32,
    calls: AtomicU32,
    stopped: Notify,
    /// A print house that takes a bundle away once its marker stands there.
    print_house: Option<PrintHouse>,
}

impl ChaosFolder {
    pub(crate) fn new(inner: Arc<dyn RemoteFolder>, trouble: Trouble, at: u32) -> Self {
        Self {
            inner,
            trouble,
            at,
            calls: AtomicU32::new(0),
            stopped: Notify::new(),
            print_house: None,
        }
    }

    /// Whether the chosen call was made.
    pub(crate) fn has_struck(&self) -> bool {
        self.calls.load(Ordering::SeqCst) >= self.at
    }

    /// Does work to its end, or drops it where the program would have ended.
    pub(crate) async fn until_stopped<T>(&self, work: impl Future<Output = T>) {
        tokio::select! {
            _ = work => {}
            () = self.stopped.notified() => {}
        }
    }

    /// Counts a call; returns whether it is the chosen one.
    async fn before(&self) -> Result<bool, Error> {
        let is_chosen = self.calls.fetch_add(1, Ordering::SeqCst) + 1 == self.at;
        match self.trouble {
            Trouble::StopsBefore if is_chosen => self.stop().await,
            Trouble::FailsBefore if is_chosen => Err(lost()),
            _ => Ok(is_chosen),
        }
    }

    async fn after<T>(&self, is_chosen: bool, done: Result<T, Error>) -> Result<T, Error> {
        match self.trouble {
            Trouble::StopsAfter if is_chosen => self.stop().await,
            Trouble::FailsAfter if is_chosen => Err(lost()),
            _ => done,
        }
    }

    fn let_print_house_look(&self, when: impl FnOnce(Clears) -> bool) {
        if let Some(print_house) = &self.print_house
            && when(print_house.clears)
        {
            print_house.take_bundles();
        }
    }

    async fn stop<T>(&self) -> T {
        self.stopped.notify_one();
        pending().await
    }
}

fn lost() -> Error {
    Error::Io {
        action: Action::Stat,
        path: RemotePath::root(),
        source: io::ErrorKind::ConnectionReset.into(),
    }
}

#[async_trait]
impl RemoteFolder for ChaosFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.list(folder).await).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.stat(path).await).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        let is_chosen = self.before().await?;
        if !is_chosen {
            return self.inner.read_from(path, offset, to).await;
        }
        let mut whole = Vec::new();
        let done = self.inner.read_from(path, offset, &mut whole).await;
        to.write_all(&whole[..whole.len() / 2]).unwrap();
        self.after(is_chosen, done).await
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let is_chosen = self.before().await?;
        self.let_print_house_look(|clears| clears == Clears::BeforeTheNextWrite);
        let done = self.inner.upload(from, to, read_back).await;
        self.let_print_house_look(|clears| clears != Clears::BeforeTheNextWrite);
        self.after(is_chosen, done).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.rename(from, to).await)
            .await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.remove(path).await).await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        let is_chosen = self.before().await?;
        self.let_print_house_look(|clears| clears == Clears::BeforeTheNextWrite);
        self.after(is_chosen, self.inner.make_dir(path).await).await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        let is_chosen = self.before().await?;
        self.after(is_chosen, self.inner.digest(path).await).await
    }
}

/// What a start does before anything else.
pub(crate) fn start_again(hub: &Hub) {
    hub.store.release_leases().unwrap();
    hub.store.sweep().unwrap();
}

/// Late enough for everything that was put off.
pub(crate) fn later() -> Timestamp {
    now() + SignedDuration::from_hours(2)
}
