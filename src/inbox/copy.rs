use std::{
    io::{self, Write},
    time::Duration,
};

use super::{
    Error,
    desk::{Desk, remote},
    headroom::Reservation,
    zip_end::{TAIL_BYTES, is_zip_end},
};
use crate::{
    domain::{BackOff, Disposition},
    store::NewSpoolFile,
    transport::{self, DigestWriter, RemoteFile, RemotePath},
};

/// How often a copy that broke goes on without a byte more than before.
const VAIN_TRIES: u32 = 5;

impl Desk {
    /// Copies a file that is as `expected` before and after. A copy that breaks goes on where it
    /// stopped, and is then compared as a whole.
    pub(super) async fn copy(
        &self,
        from: &RemotePath,
        expected: &RemoteFile,
        room: &Reservation,
    ) -> Result<NewSpoolFile, Error> {
        let mut file = self.store.spool().begin()?;
        let mut to = Incoming::new(&mut file, expected.bytes, Some(room));
        let broke = self.read_whole(from, expected, &mut to).await?;
        if to.bytes != expected.bytes {
            return Err(Error::SizeDiffers {
                path: from.clone(),
                listed: expected.bytes,
                taken: to.bytes,
            });
        }
        self.compare(from, expected).await?;
        if broke {
            self.compare_digest(from, expected, &file).await?;
        }
        Ok(file)
    }

    /// Reads to the end of the file, and goes on where that breaks. Returns whether it broke.
    async fn read_whole(
        &self,
        from: &RemotePath,
        expected: &RemoteFile,
        to: &mut Incoming<'_>,
    ) -> Result<bool, Error> {
        let mut in_vain = 0;
        let mut broke = false;
        loop {
            let before = to.bytes;
            let Err(error) = self.folder.read_from(from, before, to).await else {
                return Ok(broke);
            };
            in_vain = if to.bytes > before { 0 } else { in_vain + 1 };
            let goes_on = to.bytes > 0 && can_go_on(&error) && in_vain < VAIN_TRIES;
            if !goes_on {
                return Err(remote("read", from)(error));
            }
            broke = true;
            self.wait(in_vain + 1).await;
            self.compare(from, expected).await?;
        }
    }

    /// Whether the file ends as a ZIP does.
    pub(super) async fn has_zip_end(&self, path: &RemotePath, bytes: u64) -> Result<bool, Error> {
        let from = bytes.saturating_sub(TAIL_BYTES);
        let mut tail = Tail(Vec::new());
        match self.folder.read_from(path, from, &mut tail).await {
            Ok(_) => Ok(is_zip_end(&tail.0, bytes)),
            // It has grown, or shrunk.
            Err(transport::Error::Write { .. } | transport::Error::SizeDiffers { .. }) => Ok(false),
            Err(error) => Err(remote("read the end of", path)(error)),
        }
    }

    async fn compare(&self, path: &RemotePath, expected: &RemoteFile) -> Result<(), Error> {
        let found = self.stat(path).await?;
        let is_same = found
            .is_some_and(|file| (file.bytes, file.modified) == (expected.bytes, expected.modified));
        if is_same {
            Ok(())
        } else {
            Err(Error::Changed { path: path.clone() })
        }
    }

    /// Reads it all once more. Over a line that breaks often that goes on as the copy did, or it
    /// would never come to an end.
    async fn compare_digest(
        &self,
        path: &RemotePath,
        expected: &RemoteFile,
        file: &NewSpoolFile,
    ) -> Result<(), Error> {
        let mut there = DigestWriter::new(io::sink());
        let mut to = Incoming::new(&mut there, expected.bytes, None);
        self.read_whole(path, expected, &mut to).await?;
        if there.finish().sha256_hex() == file.sha256() {
            Ok(())
        } else {
            Err(Error::DigestDiffers { path: path.clone() })
        }
    }

    async fn wait(&self, attempts: u32) {
        tokio::time::sleep(wait(&self.settings.back_off, attempts)).await;
    }
}

/// At least half of the bound, so that nobody is asked again at once.
pub(super) fn wait(back_off: &BackOff, attempts: u32) -> Duration {
    let draw = 0.5 + fastrand::f64() / 2.0;
    Duration::try_from(back_off.wait(attempts, draw)).unwrap_or_default()
}

/// What the disk here refuses, and what the other side will refuse again, does not get better by
/// going on.
fn can_go_on(error: &transport::Error) -> bool {
    !matches!(error, transport::Error::Write { .. }) && error.disposition() == Disposition::Retry
}

/// A file on its way in: never more bytes than it had, and its room told of each.
struct Incoming<'a> {
    to: &'a mut (dyn Write + Send),
    bytes: u64,
    most: u64,
    room: Option<&'a Reservation>,
}

impl<'a> Incoming<'a> {
    fn new(to: &'a mut (dyn Write + Send), most: u64, room: Option<&'a Reservation>) -> Self {
        Self {
            to,
            bytes: 0,
            most,
            room,
        }
    }
}

impl Write for Incoming<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let bytes = buffer.len() as u64;
        if self.bytes + bytes > self.most {
            return Err(io::Error::other("the file has grown"));
        }
        self.to.write_all(buffer)?;
        self.bytes += bytes;
        if let Some(room) = self.room {
            room.came(bytes);
        }
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The last bytes of a file, and no more of one that grows.
struct Tail(Vec<u8>);

impl Write for Tail {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if (self.0.len() + buffer.len()) as u64 > TAIL_BYTES {
            return Err(io::Error::other("the file has grown"));
        }
        self.0.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
