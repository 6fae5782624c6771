use std::{
    os::{fd::OwnedFd, unix::fs::FileExt},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use russh_sftp::protocol::FileAttributes;
use rustix::fs::fstat;

use super::{
    folder::is_temporary,
    in_hand::OneInHand,
    lately::Lately,
    ledger::Ledger,
    listing,
    refusal::Refusal,
    sealer::Sealer,
    staging::{Stage, Staging},
    usage::{Bounds, Places},
    virtual_path::VirtualPath,
    writer::{Sync, Writer, Writing},
};

/// Bytes after which the disk is asked to begin, so that the close of a large file is short.
const FLUSH_BYTES: u64 = 32 * 1024 * 1024;

/// Where an upload will show, and where it lies until then.
pub(super) struct Destination {
    pub(super) folder: OwnedFd,
    pub(super) name: String,
    pub(super) path: VirtualPath,
    pub(super) staging: Arc<Staging>,
    /// Where its session looks for it when it was taken away.
    pub(super) lately: Arc<Lately>,
}

/// What uploads may have.
#[derive(Clone, Copy)]
pub(super) struct Allowance {
    pub(super) bounds: Bounds,
    pub(super) max_file_bytes: u64,
    pub(super) keeps_partials: bool,
}

/// What lies behind the answer to a close.
#[derive(Debug)]
pub(super) struct Receipt {
    pub(super) bytes: u64,
    /// SHA-256 in hex.
    pub(super) sha256: String,
    pub(super) took: Duration,
}

/// Whether an upload failed for the first time: a client goes on writing for a while, and one line
/// a file in the log is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IsFirst(pub(super) bool);

/// A file on its way in, open in one session.
pub(super) struct Upload {
    writer: Arc<Writer>,
    destination: Destination,
    allowance: Allowance,
    ledger: Arc<Ledger>,
    sealer: Sealer,
    append: bool,
    resumed_at: u64,
    started: Instant,
    in_hand: Option<OneInHand>,
    /// Why something that the client wrote is not in the file. It may close it all the same
    /// (curl, lftp and paramiko do), and must not hear that we have the file.
    failure: Mutex<Option<Refusal>>,
}

impl Upload {
    /// `writer` was begun in `ledger` under the destination's name.
    pub(super) fn new(
        writer: Arc<Writer>,
        destination: Destination,
        allowance: Allowance,
        (ledger, sealer): (Arc<Ledger>, Sealer),
        append: bool,
    ) -> Self {
        Self {
            resumed_at: writer.bytes(),
            writer,
            destination,
            allowance,
            ledger,
            sealer,
            append,
            started: Instant::now(),
            in_hand: None,
            failure: Mutex::default(),
        }
    }

    /// Keeps a server that stops waiting for this upload, within its time.
    pub(super) fn hold(&mut self, in_hand: OneInHand) {
        self.in_hand = Some(in_hand);
    }

    /// Who answers the close lets go of it, once the answer is sent.
    pub(super) fn let_go(&mut self) -> Option<OneInHand> {
        self.in_hand.take()
    }

    pub(super) fn path(&self) -> &VirtualPath {
        &self.destination.path
    }

    /// The bytes that were there when it was opened.
    pub(super) fn resumed_at(&self) -> u64 {
        self.resumed_at
    }

    pub(super) fn writer(&self) -> &Arc<Writer> {
        &self.writer
    }

    pub(super) fn attributes(&self) -> Result<FileAttributes, Refusal> {
        listing::attributes(&fstat(self.writer.file())?).ok_or(Refusal::Missing)
    }

    /// Writes `data`. After a failure the file cannot be committed any more; the first is said to
    /// be that.
    pub(super) fn write(&self, offset: u64, data: &[u8]) -> Result<(), (Refusal, IsFirst)> {
        let written = self.write_at(offset, data);
        written.map_err(|refusal| {
            let is_first = self.fail(&refusal);
            (refusal, is_first)
        })
    }

    pub(super) fn set_size(&self, bytes: u64) -> Result<(), Refusal> {
        self.resize(bytes).inspect_err(|refusal| {
            self.fail(refusal);
        })
    }

    /// Makes the file durable under its name, with the names of all that are closed meanwhile.
    /// When this returns, the client may be told that we have the file.
    pub(super) fn commit(self) -> Result<Receipt, Refusal> {
        let sealed = self.seal();
        if let Err(refusal) = &sealed
            && !matches!(refusal, Refusal::TakenOver)
        {
            // What could not be stored or made durable may have holes: nobody may go on at its end.
            self.ledger
                .discard(&self.destination.name, &self.writer, self.places())?;
        }
        sealed
    }

    /// The session is over, and the file was not closed: it stays for its sender to go on with.
    /// Says how many bytes it has.
    pub(super) fn break_off(self) -> u64 {
        let bytes = self.writer.bytes();
        if let Err(error) = self.put_aside(bytes)
            && !matches!(error, Refusal::TakenOver)
        {
            tracing::error!(%error, "cannot put a broken upload aside");
        }
        bytes
    }

    fn write_at(&self, offset: u64, data: &[u8]) -> Result<(), Refusal> {
        let mut writing = self.writer.write()?;
        if data.is_empty() {
            return Ok(());
        }
        let offset = if self.append { writing.bytes } else { offset };
        let end = offset.checked_add(data.len() as u64);
        let end = end.ok_or(Refusal::TooLarge)?;
        self.make_room(&writing, end)?;
        if let Err(error) = self.writer.file().write_all_at(data, offset) {
            // A part of it may be there.
            self.count_as_found(&mut writing)?;
            return Err(error.into());
        }
        writing.bytes = writing.bytes.max(end);
        writing.digest.wrote(offset, data);
        self.flush_ahead(&mut writing);
        Ok(())
    }

    /// As [`Upload::set_size`], and what is there already can be committed where it is refused.
    pub(super) fn resize(&self, bytes: u64) -> Result<(), Refusal> {
        let mut writing = self.writer.write()?;
        self.make_room(&writing, bytes)?;
        let set = self.writer.file().set_len(bytes);
        self.count_as_found(&mut writing)?;
        writing.digest.was_cut_to(bytes);
        Ok(set?)
    }

    fn seal(&self) -> Result<Receipt, Refusal> {
        let writing = self.writer.seal()?;
        if let Some(refusal) = self.failure().take() {
            return Err(refusal);
        }
        let (bytes, digest) = (writing.bytes, writing.digest.clone());
        drop(writing);
        // Before the file shows: from then on nothing of this may fail.
        let sha256 = digest.finish(self.writer.file(), bytes)?;
        let name = &self.destination.name;
        if is_temporary(name) {
            Stage::Whole.mark(self.writer.file())?;
            self.writer.sync(Sync::All)?;
            self.sealer.sync_folder(self.destination.staging.folder())?;
            self.ledger.finish(name, &self.writer, || Ok(()))?;
        } else {
            self.writer.sync(Sync::Data)?;
            let Destination {
                staging, folder, ..
            } = &self.destination;
            let show = || staging.move_out(name, folder, name);
            let found = self.attributes()?;
            self.ledger.finish(name, &self.writer, show)?;
            self.sealer.sync_folder(folder)?;
            let lately = &self.destination.lately;
            lately.note(self.path(), found, Instant::now());
        }
        Ok(Receipt {
            bytes,
            sha256,
            took: self.started.elapsed(),
        })
    }

    fn put_aside(self, bytes: u64) -> Result<(), Refusal> {
        let name = &self.destination.name;
        if bytes == 0 || !self.allowance.keeps_partials {
            return self.ledger.discard(name, &self.writer, self.places());
        }
        self.ledger.finish(name, &self.writer, || Ok(()))?;
        let (writer, ledger) = (self.writer, self.ledger);
        let (name, staging) = (self.destination.name, self.destination.staging);
        self.sealer.submit(move || {
            let rested = writer.sync(Sync::Data).and_then(|()| {
                ledger.while_known(|is_open| rest(&name, &writer, &staging, is_open))
            });
            if let Err(error) = rested {
                tracing::error!(%error, "cannot make a broken upload durable");
            }
        });
        Ok(())
    }

    /// Keeps the first refusal, and says whether this was it.
    fn fail(&self, refusal: &Refusal) -> IsFirst {
        let mut failure = self.failure();
        let is_first = failure.is_none();
        failure.get_or_insert_with(|| refusal.at_close());
        IsFirst(is_first)
    }

    fn failure(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn places(&self) -> Places<'_> {
        Places {
            folder: &self.destination.folder,
            staging: &self.destination.staging,
        }
    }

    fn make_room(&self, writing: &Writing, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.allowance.max_file_bytes {
            return Err(Refusal::TooLarge);
        }
        if bytes <= writing.bytes {
            return Ok(());
        }
        self.count(bytes)
    }

    fn count(&self, bytes: u64) -> Result<(), Refusal> {
        let bounds = self.allowance.bounds;
        self.ledger
            .resize(&self.destination.name, bytes, bounds, self.places())
    }

    fn count_as_found(&self, writing: &mut Writing) -> Result<(), Refusal> {
        writing.bytes = self.writer.file().metadata()?.len();
        self.count(writing.bytes)
    }

    fn flush_ahead(&self, writing: &mut Writing) {
        if writing.bytes.saturating_sub(writing.flushed) < FLUSH_BYTES {
            return;
        }
        writing.flushed = writing.bytes;
        let writer = Arc::clone(&self.writer);
        self.sealer.submit(move || {
            // A failure is told at the close.
            let _ = writer.sync(Sync::Data);
        });
    }
}

/// Marks a broken upload as one to go on with, unless somebody does already, or has.
fn rest(
    name: &str,
    writer: &Writer,
    staging: &Staging,
    is_open: &dyn Fn(&str) -> bool,
) -> Result<(), Refusal> {
    let standing = staging.find(name)?;
    let is_unmarked = standing.is_some_and(|partial| partial.stage == Stage::BeingWritten);
    if is_open(name) || !is_unmarked {
        return Ok(());
    }
    Stage::AtRest.mark(writer.file())
}
