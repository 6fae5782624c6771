//! A local file on its way to a new remote one.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;
use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    connection::Connection,
    digest::{DigestWriter, FileDigest},
    reading::{QUICK_BYTES, Stopped},
    wire::{Kind, Pending, RemoteHandle, SftpFailure},
};

/// A local file, read and digested a little ahead of who sends it.
pub(super) enum Source {
    /// A small one, which is read in less time than another thread takes to wake up.
    Whole {
        chunks: VecDeque<Bytes>,
        digest: FileDigest,
    },
    Ahead {
        chunks: mpsc::Receiver<Bytes>,
        reader: JoinHandle<io::Result<FileDigest>>,
    },
}

/// Chunks that are read ahead.
const AHEAD: usize = 2;

impl Source {
    pub(super) fn open(path: &Path, chunk_bytes: usize) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        if bytes <= QUICK_BYTES as u64 {
            let mut chunks = VecDeque::new();
            let digest = read_chunks(file, bytes, chunk_bytes, |data| {
                chunks.push_back(data);
                Ok(())
            })?;
            return Ok(Self::Whole { chunks, digest });
        }
        let (to, chunks) = mpsc::channel(AHEAD);
        let send = move |data| {
            let sent = to.blocking_send(data);
            sent.map_err(|_| io::Error::other("the upload was given up"))
        };
        let read = move || read_chunks(file, bytes, chunk_bytes, send);
        let reader = tokio::task::spawn_blocking(read);
        Ok(Self::Ahead { chunks, reader })
    }

    async fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Whole { chunks, .. } => chunks.pop_front(),
            Self::Ahead { chunks, .. } => chunks.recv().await,
        }
    }

    async fn finish(self) -> io::Result<FileDigest> {
        match self {
            Self::Whole { digest, .. } => Ok(digest),
            Self::Ahead { reader, .. } => reader.await.map_err(io::Error::other)?,
        }
    }

    /// What the rest of it is, when it is not sent.
    pub(super) async fn digest(mut self) -> io::Result<FileDigest> {
        while self.next().await.is_some() {}
        self.finish().await
    }
}

/// Hands `file`, of `bytes` when it was looked at, on to its end.
fn read_chunks(
    mut file: File,
    bytes: u64,
    len: usize,
    mut hand_on: impl FnMut(Bytes) -> io::Result<()>,
) -> io::Result<FileDigest> {
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
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
        hand_on(data.into())?;
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
        // Answers come together, mostly in order: once the last is there, none of the others is
        // waited for.
        let closed = self.closed.done().await;
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
        closed?;
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
    while let Some(data) = source.next().await {
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
