//! The bytes of one file over an SFTP session, several requests at a time.
//!
//! The crate's own `File` is not used: it takes the length of the first short reply for the
//! chunk size, asks past the end of small files, and loses write errors when it is dropped.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Write},
    sync::Arc,
};

use russh_sftp::{
    client::error::Error as SftpError,
    protocol::{OpenFlags, StatusCode},
};
use tokio::task::JoinHandle;

use super::{
    connection::Connection,
    digest::{DigestWriter, FileDigest},
    remote_handle::RemoteHandle,
};

/// What stopped a transfer, and on which side.
#[derive(Debug)]
pub(super) enum Stopped {
    Remote(SftpError),
    Local(io::Error),
    /// The file has another size than at the start.
    Changed {
        expected: u64,
        found: u64,
    },
}

impl From<SftpError> for Stopped {
    fn from(error: SftpError) -> Self {
        Self::Remote(error)
    }
}

/// Reads the file at `path` (as the server names it) from `offset` on into `to`, in order.
pub(super) async fn read_from(
    connection: &Arc<Connection>,
    path: &str,
    offset: u64,
    in_flight: usize,
    to: &mut (dyn Write + Send),
) -> Result<u64, Stopped> {
    let file = RemoteHandle::open_file(connection, path, OpenFlags::READ).await?;
    let read = read_all(connection, file.name(), offset, in_flight, to).await;
    let closed = file.close().await;
    let bytes = read?;
    closed?;
    Ok(bytes)
}

/// Creates the file at `path`, which must not be there, and writes `from` to it: synced where the
/// server offers that, and closed without an error.
pub(super) async fn upload(
    connection: &Arc<Connection>,
    path: &str,
    in_flight: usize,
    from: &File,
) -> Result<FileDigest, Stopped> {
    let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::EXCLUDE;
    let file = RemoteHandle::open_file(connection, path, flags).await?;
    let mut written = write_all(connection, file.name(), in_flight, from).await;
    if connection.has_fsync && written.is_ok() {
        let synced = connection.sftp.fsync(&**file.name()).await;
        written = synced.map_err(Stopped::from).and(written);
    }
    let closed = file.close().await;
    let digest = written?;
    closed?;
    Ok(digest)
}

async fn read_all(
    connection: &Arc<Connection>,
    handle: &Arc<str>,
    start: u64,
    in_flight: usize,
    to: &mut (dyn Write + Send),
) -> Result<u64, Stopped> {
    let expected = size_of(connection, handle).await?;
    if start > expected {
        return Err(Stopped::Changed {
            expected: start,
            found: expected,
        });
    }
    let mut bytes = 0;
    let mut chunks = chunks(start, expected, connection.chunk_bytes);
    let mut reads: VecDeque<JoinHandle<Result<Vec<u8>, SftpError>>> = VecDeque::new();
    loop {
        while reads.len() < in_flight.max(1)
            && let Some((offset, len)) = chunks.next()
        {
            let (connection, handle) = (Arc::clone(connection), Arc::clone(handle));
            reads.push_back(tokio::spawn(async move {
                read_chunk(&connection, &handle, offset, len).await
            }));
        }
        let Some(read) = reads.pop_front() else { break };
        let data = settled(read).await?;
        to.write_all(&data).map_err(Stopped::Local)?;
        bytes += data.len() as u64;
    }
    to.flush().map_err(Stopped::Local)?;
    let found = size_of(connection, handle).await?;
    if start + bytes != expected || found != expected {
        return Err(Stopped::Changed { expected, found });
    }
    Ok(bytes)
}

/// Reads `len` bytes, in as many replies as the server makes of them; fewer at the end.
async fn read_chunk(
    connection: &Connection,
    handle: &str,
    offset: u64,
    len: usize,
) -> Result<Vec<u8>, SftpError> {
    let mut data = Vec::new();
    while data.len() < len {
        let missing = u32::try_from(len - data.len()).unwrap_or(u32::MAX);
        let at = offset + data.len() as u64;
        match connection.sftp.read(handle, at, missing).await {
            Ok(reply) if reply.data.is_empty() => break,
            Ok(reply) if data.is_empty() => data = reply.data,
            Ok(reply) => data.extend(reply.data),
            Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(data)
}

async fn write_all(
    connection: &Arc<Connection>,
    handle: &Arc<str>,
    in_flight: usize,
    from: &File,
) -> Result<FileDigest, Stopped> {
    let mut digest = DigestWriter::new(io::sink());
    let mut writes: VecDeque<JoinHandle<Result<(), SftpError>>> = VecDeque::new();
    let mut offset = 0;
    loop {
        let data = next_chunk(from, connection.chunk_bytes).map_err(Stopped::Local)?;
        if data.is_empty() {
            break;
        }
        digest.write_all(&data).map_err(Stopped::Local)?;
        let (at, len) = (offset, data.len() as u64);
        let (connection, handle) = (Arc::clone(connection), Arc::clone(handle));
        writes.push_back(tokio::spawn(async move {
            let written = connection.sftp.write(&*handle, at, data).await;
            written.map(|_| ())
        }));
        offset += len;
        while writes.len() >= in_flight.max(1)
            && let Some(write) = writes.pop_front()
        {
            settled(write).await?;
        }
    }
    for write in writes {
        settled(write).await?;
    }
    Ok(digest.finish())
}

fn next_chunk(from: &File, len: usize) -> io::Result<Vec<u8>> {
    let mut data = Vec::with_capacity(len);
    from.take(len as u64).read_to_end(&mut data)?;
    Ok(data)
}

async fn size_of(connection: &Connection, handle: &str) -> Result<u64, SftpError> {
    let attributes = connection.sftp.fstat(handle).await?.attrs;
    attributes
        .size
        .ok_or_else(|| SftpError::UnexpectedBehavior("the server tells no size".to_owned()))
}

/// Offsets and lengths that cover the bytes from `start` to `end`.
fn chunks(start: u64, end: u64, chunk_bytes: usize) -> impl Iterator<Item = (u64, usize)> {
    let mut offset = start;
    std::iter::from_fn(move || {
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let len = left.min(chunk_bytes);
        let chunk = (len > 0).then_some((offset, len));
        offset += len as u64;
        chunk
    })
}

/// Waits for one request.
async fn settled<T>(request: JoinHandle<Result<T, SftpError>>) -> Result<T, Stopped> {
    match request.await {
        Ok(answer) => Ok(answer?),
        Err(lost) => Err(SftpError::UnexpectedBehavior(lost.to_string()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_the_file_once() {
        let cut = |bytes| chunks(0, bytes, 4).collect::<Vec<_>>();
        assert_eq!(cut(0), []);
        assert_eq!(cut(4), [(0, 4)]);
        assert_eq!(cut(9), [(0, 4), (4, 4), (8, 1)]);
        assert_eq!(chunks(7, 9, 4).collect::<Vec<_>>(), [(7, 2)]);
    }
}
