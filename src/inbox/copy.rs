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
    transport::{self, RemoteFile, RemotePath},
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
        let mut in_vain = 0;
        let mut broke = false;
        loop {
            let before = file.bytes();
            let mut to = Incoming {
                file: &mut file,
                left: expected.bytes.saturating_sub(before),
                room,
            };
            let Err(error) = self.folder.read_from(from, before, &mut to).await else {
                break;
            };
            in_vain = if file.bytes() > before {
                0
            } else {
                in_vain + 1
            };
            let goes_on = file.bytes() > 0 && can_go_on(&error) && in_vain < VAIN_TRIES;
            if !goes_on {
                return Err(remote("read", from)(error));
            }
            broke = true;
            self.wait(in_vain + 1).await;
            self.compare(from, expected).await?;
        }
        if file.bytes() != expected.bytes {
            return Err(Error::SizeDiffers {
                path: from.clone(),
                listed: expected.bytes,
                taken: file.bytes(),
            });
        }
        self.compare(from, expected).await?;
        if broke {
            self.compare_digest(from, &file).await?;
        }
        Ok(file)
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

    async fn compare_digest(&self, path: &RemotePath, file: &NewSpoolFile) -> Result<(), Error> {
        let there = self.folder.digest(path).await;
        let there = there.map_err(remote("read", path))?;
        if there.is_some_and(|digest| digest.sha256_hex() == file.sha256()) {
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

/// A copy on its way in: never more bytes than the file had, and its room told of each.
struct Incoming<'a> {
    file: &'a mut NewSpoolFile,
    left: u64,
    room: &'a Reservation,
}

impl Write for Incoming<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let bytes = buffer.len() as u64;
        if bytes > self.left {
            return Err(io::Error::other("the file has grown"));
        }
        self.file.write_all(buffer)?;
        self.left -= bytes;
        self.room.came(bytes);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
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
