use std::{collections::HashMap, fs::File, time::Instant};

use super::{
    count::{Count, Taken},
    listing::Listing,
    refusal::Refusal,
    settings::Settings,
    upload::Upload,
    virtual_path::VirtualPath,
};

/// What a client has open.
pub(super) enum Open {
    Download(Download),
    Upload(Upload),
    Listing(Listing),
}

pub(super) struct Download {
    pub(super) file: File,
    pub(super) path: VirtualPath,
    /// Bytes handed out so far, for the audit.
    pub(super) bytes: u64,
    pub(super) started: Instant,
}

/// The open handles of one session, within a bound. A name is never used twice, so a late
/// request for a closed handle cannot hit another file.
pub(super) struct Handles {
    open: HashMap<String, (Open, Taken)>,
    next: u64,
    max: usize,
    /// What all sessions of the account have open: an open upload takes two descriptors of the
    /// process, and without them neither the poller nor the store gets on.
    of_account: Count,
    max_of_account: usize,
}

impl Handles {
    pub(super) fn new(settings: &Settings, of_account: Count) -> Self {
        Self {
            open: HashMap::new(),
            next: 0,
            max: settings.max_handles,
            of_account,
            max_of_account: settings.max_handles_per_account,
        }
    }

    pub(super) fn check_room(&self) -> Result<(), Refusal> {
        if self.open.len() >= self.max || self.of_account.is_full(self.max_of_account) {
            return Err(Refusal::TooManyHandles);
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, open: Open) -> Result<String, Refusal> {
        self.check_room()?;
        let place = self.of_account.take(self.max_of_account);
        let place = place.ok_or(Refusal::TooManyHandles)?;
        self.next += 1;
        let name = self.next.to_string();
        self.open.insert(name.clone(), (open, place));
        Ok(name)
    }

    pub(super) fn get(&mut self, name: &str) -> Result<&mut Open, Refusal> {
        let found = self.open.get_mut(name).map(|(open, _)| open);
        found.ok_or(Refusal::Handle)
    }

    pub(super) fn upload(&mut self, name: &str) -> Result<&mut Upload, Refusal> {
        match self.get(name)? {
            Open::Upload(upload) => Ok(upload),
            Open::Download(_) | Open::Listing(_) => {
                Err(Refusal::Denied("the file is open for reading"))
            }
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<Open, Refusal> {
        let found = self.open.remove(name).map(|(open, _)| open);
        found.ok_or(Refusal::Handle)
    }

    /// What is still open when the session ends.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Open> + '_ {
        self.open.drain().map(|(_, (open, _))| open)
    }
}
