//! A folder that counts who is in it, waits at its door, and fails as it is told.

use std::{
    io::Write,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use kuori::transport::{
    Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath, Uploaded,
};
use tokio::sync::Semaphore;

/// What an upload to a path fails with.
type Failure = fn(&RemotePath) -> Error;

pub(super) struct Doorman {
    inner: Arc<dyn RemoteFolder>,
    /// An upload needs one of these.
    pub(super) door: Semaphore,
    /// What every upload gets, while there is something.
    pub(super) failure: Mutex<Option<Failure>>,
    inside: AtomicUsize,
    pub(super) most: AtomicUsize,
    /// Paths in the order in which uploads were begun.
    pub(super) begun: Mutex<Vec<String>>,
    /// How much of them was to be read back.
    pub(super) read_back: Mutex<Vec<ReadBack>>,
}

impl Doorman {
    pub(super) fn new(inner: Arc<dyn RemoteFolder>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            door: Semaphore::new(Semaphore::MAX_PERMITS),
            failure: Mutex::default(),
            inside: AtomicUsize::default(),
            most: AtomicUsize::default(),
            begun: Mutex::default(),
            read_back: Mutex::default(),
        })
    }

    /// One whose door is shut.
    pub(super) fn shut(inner: Arc<dyn RemoteFolder>) -> Arc<Self> {
        let doorman = Self::new(inner);
        doorman.door.forget_permits(Semaphore::MAX_PERMITS);
        doorman
    }

    pub(super) fn fail(&self, failure: Option<Failure>) {
        *self.failure.lock().unwrap() = failure;
    }

    pub(super) fn begun(&self) -> Vec<String> {
        self.begun.lock().unwrap().clone()
    }
}

#[async_trait]
impl RemoteFolder for Doorman {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        self.inner.list(folder).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        self.inner.stat(path).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        self.inner.read_from(path, offset, to).await
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        self.begun.lock().unwrap().push(to.to_string());
        self.read_back.lock().unwrap().push(read_back);
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(inside, Ordering::SeqCst);
        let let_in = self.door.acquire().await.unwrap();
        let failure = *self.failure.lock().unwrap();
        let done = match failure {
            Some(failure) => Err(failure(to)),
            None => self.inner.upload(from, to, read_back).await,
        };
        drop(let_in);
        self.inside.fetch_sub(1, Ordering::SeqCst);
        done
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        self.inner.rename(from, to).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        self.inner.remove(path).await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        self.inner.make_dir(path).await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        self.inner.digest(path).await
    }
}
