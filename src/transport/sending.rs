//! A local file on its way to a new remote one.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Write},
    path::PathBuf,
};

use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    connection::Connection,
    digest::{DigestWriter, FileDigest},
    reading::Stopped,
    wire::{Kind, Pending, RemoteHandle, SftpFailure},
};

/// A local file, read and digested where that may block, a little ahead of who sends it.
pub(super) struct Source {
    chunks: mpsc::Receiver<Bytes>,
    reader: JoinHandle<io::Result<FileDigest>>,
}

/// Chunks that are read ahead.
const AHEAD: usize = 2;

impl Source {
    pub(super) fn open(path: PathBuf, chunk_bytes: usize) -> Self {
        let (to, chunks) = mpsc::channel(AHEAD);
        let reader = tokio::task::spawn_blocking(move || read_chunks(&path, chunk_bytes, &to));
        Self { chunks, reader }
    }

    async fn finish(self) -> io::Result<FileDigest> {
        self.reader.await.map_err(io::Error::other)?
    }

    /// What the rest of it is, when it is not sent.
    pub(super) async fn digest(mut self) -> io::Result<FileDigest> {
        while self.chunks.recv().await.is_some() {}
        self.finish().await
    }
}

fn read_chunks(path: &PathBuf, len: usize, to: &mpsc::Sender<Bytes>) -> io::Result<FileDigest> {
    let mut file = File::open(path)?;
    let mut left = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut digest = DigestWriter::new(io::sink());
    loop {
        // One byte more than is known, so that the end shows without another allocation.
        let mut data = Vec::with_capacity(left.saturating_add(1).min(len));
        (&mut file).take(len as u64).read_to_end(&mut data)?;
        if data.is_empty() {
            return Ok(digest.finish());
        }
        left = left.saturating_sub(data.len());
        digest.write_all(&data)?;
        if to.blocking_send(data.into()).is_err() {
            return Err(io::Error::other("the upload was given up"));
        }
    }
}

/// A file that was sent whole, down to its closing, though not all of it is answered yet.
pub(super) struct Sending {
    writes: Vec<Pending>,
    synced: Option<Pending>,
    size: Pending,
    closed: Pending,
    source: Source,
}

/// What stands at the other side once everything was answered.
pub(super) struct Sent {
    pub(super) digest: FileDigest,
    /// The server's word for the size; some tell none of a file that is being written.
    pub(super) told_bytes: Option<u64>,
}

/// Writes `source` to the new file, has it synced where the server offers that, and closes it.
/// Nothing is waited for that the protocol keeps in order anyway.
pub(super) async fn send(
    connection: &Connection,
    file: RemoteHandle,
    mut source: Source,
) -> Result<Sending, Stopped> {
    let writes = write_all(connection, &file, &mut source).await?;
    Ok(Sending {
        writes,
        synced: connection.has_fsync.then(|| file.sync()),
        size: file.send(Kind::Fstat),
        closed: file.close(),
        source,
    })
}

impl Sending {
    pub(super) async fn finish(self) -> Result<Sent, Stopped> {
        for write in self.writes {
            write.done().await?;
        }
        let digest = self.source.finish().await.map_err(Stopped::Local)?;
        if let Some(synced) = self.synced {
            synced.done().await?;
        }
        let told_bytes = match self.size.attributes().await {
            Ok(found) => found.bytes,
            Err(SftpFailure::Refused { .. }) => None,
            Err(failure) => return Err(failure.into()),
        };
        self.closed.done().await?;
        Ok(Sent { digest, told_bytes })
    }
}

/// Returns the writes that are not answered yet.
async fn write_all(
    connection: &Connection,
    file: &RemoteHandle,
    source: &mut Source,
) -> Result<Vec<Pending>, Stopped> {
    let mut pace = connection.pace(connection.write_bytes);
    let mut writes: VecDeque<(Pending, usize)> = VecDeque::new();
    let mut offset = 0;
    while let Some(data) = source.chunks.recv().await {
        let len = data.len();
        let held = file.wire().turn(len).await?;
        writes.push_back((file.write(offset, data, held), len));
        offset += len as u64;
        while writes.len() >= pace.in_flight()
            || writes.front().is_some_and(|(write, _)| write.is_answered())
        {
            let Some((write, len)) = writes.pop_front() else {
                break;
            };
            write.done().await?;
            pace.passed(len);
        }
    }
    Ok(writes.into_iter().map(|(write, _)| write).collect())
}
