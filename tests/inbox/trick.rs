use std::{
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use kuori::transport::{
    Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath, Uploaded,
};

type Answer = dyn Fn(&str, &RemotePath) -> Result<(), Error> + Send + Sync;

/// A folder that something happens in before it answers: `trick` hears of each call by its name and
/// path, and may refuse it. Reads give no more than `cut_at` bytes and then break, while that is set.
pub(crate) struct TrickFolder {
    inner: Arc<dyn RemoteFolder>,
    trick: Box<Answer>,
    pub(crate) cut_at: Mutex<Option<usize>>,
    /// Calls of this name never end; reads, of files with at least so many bytes.
    pub(crate) hangs: Mutex<Option<(&'static str, u64)>>,
    /// Offset and bytes of each read.
    pub(crate) reads: Mutex<Vec<(u64, usize)>>,
}

impl TrickFolder {
    pub(crate) fn new(
        inner: Arc<dyn RemoteFolder>,
        trick: impl Fn(&str, &RemotePath) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner,
            trick: Box::new(trick),
            cut_at: Mutex::default(),
            hangs: Mutex::default(),
            reads: Mutex::default(),
        })
    }

    async fn hang(&self, call: &str, bytes: u64) {
        let hangs = *self.hangs.lock().unwrap();
        if hangs.is_some_and(|(of, from)| of == call && bytes >= from) {
            std::future::pending::<()>().await;
        }
    }
}

pub(crate) fn error(kind: io::ErrorKind) -> Error {
    Error::Io {
        action: kuori::transport::Action::List,
        path: RemotePath::root(),
        source: kind.into(),
    }
}

#[async_trait]
impl RemoteFolder for TrickFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        (self.trick)("list", folder)?;
        self.hang("list", 0).await;
        self.inner.list(folder).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        (self.trick)("stat", path)?;
        self.inner.stat(path).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        (self.trick)("read", path)?;
        let mut whole = Vec::new();
        self.inner.read_from(path, offset, &mut whole).await?;
        self.hang("read", whole.len() as u64).await;
        let cut = *self.cut_at.lock().unwrap();
        let sent = cut.unwrap_or(whole.len()).min(whole.len());
        self.reads.lock().unwrap().push((offset, sent));
        to.write_all(&whole[..sent])
            .map_err(|source| Error::Write {
                path: path.clone(),
                source,
            })?;
        if sent < whole.len() {
            return Err(error(io::ErrorKind::ConnectionReset));
        }
        Ok(sent as u64)
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        self.inner.upload(from, to, read_back).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        (self.trick)("rename", from)?;
        self.inner.rename(from, to).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        (self.trick)("remove", path)?;
        self.inner.remove(path).await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        (self.trick)("make", path)?;
        self.inner.make_dir(path).await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        (self.trick)("digest", path)?;
        self.inner.digest(path).await
    }
}
