use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use russh_sftp::protocol::OpenFlags;

use super::{
    backlog::Backlog,
    count::Count,
    pace::Pace,
    refusal::Refusal,
    sealer::Sealer,
    settings::Settings,
    usage::{Bounds, Places, Total, Usage},
    writer::Writer,
};

/// What all sessions share. It outlives changes of the accounts: a session of the old account may
/// still be putting its uploads away when the new one begins.
#[derive(Clone)]
pub(super) struct Ledgers {
    by_account: Arc<Mutex<HashMap<String, Arc<Ledger>>>>,
    pub(super) sealer: Sealer,
    pub(super) backlog: Arc<Backlog>,
}

/// What the sessions of one account share: which uploads are in hand, what the account has used of
/// its quota, how fast it may go on, and how much it may have open.
#[derive(Default)]
pub(super) struct Ledger {
    state: Mutex<State>,
    /// Of bytes from the client, and of bytes to it.
    pub(super) up: Pace,
    pub(super) down: Pace,
    pub(super) open_handles: Count,
}

/// Uploads and usage are under one lock, so that of two sessions only one gets the last byte.
#[derive(Default)]
struct State {
    open: HashMap<String, InHand>,
    usage: Usage,
}

struct InHand {
    writer: Arc<Writer>,
    /// The bytes it has been given; its file may not have them yet.
    reserved: u64,
}

impl Ledgers {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            by_account: Arc::default(),
            sealer: Sealer::new(settings.sync_threads),
            backlog: Arc::new(Backlog::new(settings.max_backlog_bytes_in_all)),
        }
    }

    pub(super) fn of(&self, account: &str) -> Arc<Ledger> {
        let mut ledgers = self
            .by_account
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(ledgers.entry(account.to_owned()).or_default())
    }
}

impl Ledger {
    /// Opens `name` in the staging folder for writing, anew or where it broke off.
    pub(super) fn begin(
        &self,
        name: &str,
        flags: OpenFlags,
        silence: Duration,
        bounds: Bounds,
        places: Places<'_>,
    ) -> Result<Arc<Writer>, Refusal> {
        let mut state = self.lock();
        state.clear_the_way(name, silence)?;
        let standing = places.staging.find(name)?;
        let writer = match standing {
            Some(_) if flags.contains(OpenFlags::EXCLUDE) => return Err(Refusal::Unfinished),
            None if !flags.contains(OpenFlags::CREATE) => return Err(Refusal::Missing),
            Some(partial) if flags.contains(OpenFlags::TRUNCATE) => {
                let file = places.staging.open_to_write(name)?;
                file.set_len(0)?;
                state.usage.give_back(Total {
                    files: 0,
                    bytes: partial.bytes(),
                });
                Writer::new(file, 0)
            }
            Some(partial) => Writer::new(places.staging.open_to_write(name)?, partial.bytes()),
            None => {
                state.reserve_file(bounds, places)?;
                let created = places.staging.create(name);
                Writer::new(created.inspect_err(|_| state.usage.give_back(ONE_FILE))?, 0)
            }
        };
        let writer = Arc::new(writer);
        let in_hand = InHand {
            reserved: writer.bytes(),
            writer: Arc::clone(&writer),
        };
        state.open.insert(name.to_owned(), in_hand);
        Ok(writer)
    }

    /// Gives the upload in hand called `name` room for `bytes` in all.
    pub(super) fn resize(
        &self,
        name: &str,
        bytes: u64,
        bounds: Bounds,
        places: Places<'_>,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        let before = state.open.get(name).map_or(0, |upload| upload.reserved);
        if bytes > before {
            let more = Total {
                files: 0,
                bytes: bytes - before,
            };
            state.reserve(more, bounds, places)?;
        } else {
            state.usage.give_back(Total {
                files: 0,
                bytes: before - bytes,
            });
        }
        if let Some(upload) = state.open.get_mut(name) {
            upload.reserved = bytes;
        }
        Ok(())
    }

    /// Does `deed`, which puts the file elsewhere or leaves it, and strikes the upload off.
    pub(super) fn finish(
        &self,
        name: &str,
        writer: &Arc<Writer>,
        deed: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !state.has(name, writer) {
            return Err(Refusal::TakenOver);
        }
        deed()?;
        state.open.remove(name);
        Ok(())
    }

    /// Removes the file of an upload that nobody can go on with.
    pub(super) fn discard(
        &self,
        name: &str,
        writer: &Arc<Writer>,
        places: Places<'_>,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        if !state.has(name, writer) {
            return Ok(());
        }
        let upload = state.open.remove(name);
        state.usage.give_back(Total {
            files: 1,
            bytes: upload.map_or(0, |upload| upload.reserved),
        });
        places.staging.remove(name)
    }

    /// Does `deed` while nobody writes `name`. It says what is no longer there.
    pub(super) fn while_idle(
        &self,
        name: &str,
        silence: Duration,
        deed: impl FnOnce() -> Result<Total, Refusal>,
    ) -> Result<(), Refusal> {
        let mut state = self.lock();
        state.clear_the_way(name, silence)?;
        let gone = deed()?;
        state.usage.give_back(gone);
        Ok(())
    }

    /// Does `deed`, which is told whether a name is being written, while none begins to be.
    pub(super) fn while_known<T>(&self, deed: impl FnOnce(&dyn Fn(&str) -> bool) -> T) -> T {
        let state = self.lock();
        deed(&|name| state.open.contains_key(name))
    }

    /// A file that was received is gone.
    pub(super) fn forget(&self, gone: Total) {
        self.lock().usage.give_back(gone);
    }

    pub(super) fn used(&self, places: Places<'_>) -> Result<Total, Refusal> {
        let State { open, usage } = &mut *self.lock();
        usage.total(places, |name| open.get(name).map(|upload| upload.reserved))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const ONE_FILE: Total = Total { files: 1, bytes: 0 };

impl State {
    fn has(&self, name: &str, writer: &Arc<Writer>) -> bool {
        let found = self.open.get(name);
        found.is_some_and(|upload| Arc::ptr_eq(&upload.writer, writer))
    }

    /// Two connections never write one name. A connection that has been silent for long is most
    /// likely dead, without anybody having heard of it: it loses its upload to the next one.
    fn clear_the_way(&mut self, name: &str, silence: Duration) -> Result<(), Refusal> {
        let Some(upload) = self.open.get(name) else {
            return Ok(());
        };
        if !upload.writer.give_up(silence) {
            return Err(Refusal::Busy);
        }
        self.open.remove(name);
        Ok(())
    }

    fn reserve(&mut self, more: Total, bounds: Bounds, places: Places<'_>) -> Result<(), Refusal> {
        let open = &self.open;
        let reserved = |name: &str| open.get(name).map(|upload| upload.reserved);
        self.usage.reserve(more, bounds, places, reserved)
    }

    /// A file for which there would not be one byte is refused at once.
    fn reserve_file(&mut self, bounds: Bounds, places: Places<'_>) -> Result<(), Refusal> {
        self.reserve(Total { files: 1, bytes: 1 }, bounds, places)?;
        self.usage.give_back(Total { files: 0, bytes: 1 });
        Ok(())
    }
}
