//! The bytes of one remote file, several requests at a time.

use std::{
    collections::VecDeque,
    io::{self, Write},
};

use tokio::runtime::{Handle, RuntimeFlavor};

use super::{
    connection::Connection,
    pace::Pace,
    wire::{Held, Kind, Pending, READ, RemoteHandle, Reply, Segments, SftpFailure, StatusCode},
};

/// What stopped a transfer, and on which side.
#[derive(Debug)]
pub(super) enum Stopped {
    Remote(SftpFailure),
    Local(io::Error),
    /// The file has another size than at the start.
    Changed {
        expected: u64,
        found: u64,
    },
}

impl From<SftpFailure> for Stopped {
    fn from(failure: SftpFailure) -> Self {
        Self::Remote(failure)
    }
}

/// Reads the file at `path` (as the server names it) from `offset` on into `to`, in order.
pub(super) async fn read_from(
    connection: &Connection,
    path: &str,
    offset: u64,
    to: &mut (dyn Write + Send),
) -> Result<u64, Stopped> {
    let file = connection.wire.open_file(path, READ).await?;
    let mut reading = Reading::start(&file, connection, offset).await?;
    let end = reading.end;
    while let Some(batch) = reading.next().await? {
        batch.write_to(to).map_err(Stopped::Local)?;
    }
    to.flush().map_err(Stopped::Local)?;
    if !reading.is_end_seen {
        let held = file.wire().turn(1).await?;
        let beyond = file.read(end, 1, held);
        let found = size_of(file.send(Kind::Fstat)).await?;
        if found != end {
            return Err(Stopped::Changed {
                expected: end,
                found,
            });
        }
        nothing_follows(beyond, end).await?;
    }
    Ok(end - offset)
}

/// Some servers tell a size that is not true, always the same: only a read past the end shows it.
async fn nothing_follows(beyond: Pending, end: u64) -> Result<(), Stopped> {
    match beyond.answer().await {
        Ok(answer) => match answer.reply {
            Reply::Data(data) if !data.is_empty() => Err(Stopped::Changed {
                expected: end,
                found: end + data.len() as u64,
            }),
            _ => Ok(()),
        },
        // The end, or a server's own way to say that there is nothing.
        Err(SftpFailure::Refused { .. }) => Ok(()),
        Err(failure) => Err(failure.into()),
    }
}

async fn size_of(attributes: Pending) -> Result<u64, SftpFailure> {
    let found = attributes.attributes().await?;
    found.bytes.ok_or(SftpFailure::Protocol {
        what: "attributes of a file without its size",
    })
}

struct Reading<'f> {
    file: &'f RemoteHandle,
    asked: VecDeque<Asked>,
    pace: Pace,
    chunk_bytes: usize,
    /// Up to here the file was handed out, asked for, and goes on.
    written: u64,
    next: u64,
    end: u64,
    /// The first answer reached the end, before the size was asked for.
    is_end_seen: bool,
}

struct Asked {
    pending: Pending,
    bytes: usize,
}

impl<'f> Reading<'f> {
    /// Asks for the size and the first chunk at once: of a small file that is all.
    async fn start(
        file: &'f RemoteHandle,
        connection: &Connection,
        offset: u64,
    ) -> Result<Self, Stopped> {
        let chunk_bytes = connection.read_bytes;
        let held = file.wire().turn(chunk_bytes).await?;
        let first = file.read(offset, request_length(chunk_bytes), held);
        let end = size_of(file.send(Kind::Fstat)).await?;
        if offset > end {
            return Err(Stopped::Changed {
                expected: offset,
                found: end,
            });
        }
        let bytes = at_most(end - offset, chunk_bytes);
        let mut asked = VecDeque::new();
        if bytes == 0 {
            nothing_follows(first, end).await?;
        } else {
            asked.push_back(Asked {
                pending: first,
                bytes,
            });
        }
        Ok(Self {
            file,
            asked,
            pace: connection.pace(chunk_bytes),
            chunk_bytes,
            written: offset,
            next: offset + bytes as u64,
            end,
            is_end_seen: bytes as u64 == end - offset && bytes < chunk_bytes,
        })
    }

    /// What has arrived next; `None` at the end.
    async fn next(&mut self) -> Result<Option<Batch>, Stopped> {
        self.ask_for_more().await?;
        let mut batch = Batch::default();
        while let Some(asked) = self.asked.pop_front() {
            self.take(asked, &mut batch).await?;
            let is_next_there = self
                .asked
                .front()
                .is_some_and(|next| next.pending.is_answered());
            if !is_next_there || batch.bytes >= BATCH_BYTES {
                return Ok(Some(batch));
            }
        }
        Ok((batch.bytes > 0).then_some(batch))
    }

    async fn ask_for_more(&mut self) -> Result<(), SftpFailure> {
        while self.asked.len() < self.pace.in_flight() && self.next < self.end {
            let bytes = at_most(self.end - self.next, self.chunk_bytes);
            let wire = self.file.wire();
            let held = match wire.turn_now(bytes) {
                Some(held) => held,
                // What is asked for already has to be used first: others wait for its turn.
                None if !self.asked.is_empty() => break,
                None => wire.turn(bytes).await?,
            };
            let pending = self.file.read(self.next, request_length(bytes), held);
            self.asked.push_back(Asked { pending, bytes });
            self.next += bytes as u64;
        }
        Ok(())
    }

    /// A server may answer with less than was asked for; then the rest is asked for.
    async fn take(&mut self, asked: Asked, batch: &mut Batch) -> Result<(), Stopped> {
        let answer = match asked.pending.answer().await {
            Err(failure) if failure.code() == Some(StatusCode::EndOfFile) => {
                return Err(self.changed());
            }
            answer => answer?,
        };
        let Reply::Data(data) = answer.reply else {
            return Err(Stopped::Remote(SftpFailure::Protocol {
                what: "no data where they were asked for",
            }));
        };
        let got = data.len();
        if got == 0 || got > asked.bytes {
            return Err(self.changed());
        }
        self.pace.passed(got);
        self.written += got as u64;
        let missing = asked.bytes - got;
        let held = if missing > 0 {
            self.is_end_seen = false;
            let length = request_length(missing);
            let pending = self.file.read(self.written, length, answer.held);
            self.asked.push_front(Asked {
                pending,
                bytes: missing,
            });
            Held::default()
        } else {
            answer.held
        };
        batch.push(data, held);
        Ok(())
    }

    fn changed(&self) -> Stopped {
        Stopped::Changed {
            expected: self.end,
            found: self.written,
        }
    }
}

/// Bytes that are written in one go.
const BATCH_BYTES: usize = 1024 * 1024;
/// Fewer are read or written, and digested, in less time than it takes to move out of the way.
pub(super) const QUICK_BYTES: usize = 64 * 1024;

#[derive(Default)]
struct Batch {
    data: Vec<Segments>,
    bytes: usize,
    /// Given back when the data are written.
    held: Vec<Held>,
}

impl Batch {
    fn push(&mut self, data: Segments, held: Held) {
        self.bytes += data.len();
        self.data.push(data);
        self.held.push(held);
    }

    fn write_to(&self, to: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut parts = self.data.iter().flat_map(Segments::parts);
        let mut write = || parts.try_for_each(|part| to.write_all(part));
        let may_move = self.bytes > QUICK_BYTES
            && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread;
        if may_move {
            // Whoever drives the connection goes on meanwhile.
            tokio::task::block_in_place(write)
        } else {
            write()
        }
    }
}

fn at_most(left: u64, bytes: usize) -> usize {
    usize::try_from(left).map_or(bytes, |left| left.min(bytes))
}

fn request_length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
