use std::{
    collections::HashMap,
    os::fd::AsFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use rustix::fs::{fstat, fsync};

/// Makes the names in a folder durable, once for all who wait for it at the same moment.
///
/// Sixteen files that are closed together cost one sync of their folder, not sixteen.
#[derive(Debug, Default)]
pub(super) struct FolderSync {
    /// By device and inode: two handles may be on one folder. Only folders somebody waits for.
    folders: Mutex<HashMap<(u64, u64), Arc<Turns>>>,
}

#[derive(Debug, Default)]
struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

/// The syncs of one folder, numbered from 1.
#[derive(Debug, Default)]
struct State {
    started: u64,
    /// The latest one that went well.
    done: u64,
    is_running: bool,
}

impl FolderSync {
    /// Returns when a sync of `folder` that began after this call is over.
    pub(super) fn sync(&self, folder: impl AsFd) -> rustix::io::Result<()> {
        let found = fstat(&folder)?;
        let key = (found.st_dev, found.st_ino);
        let turns = Arc::clone(self.lock().entry(key).or_default());
        let synced = turns.sync(folder);
        drop(turns);
        let mut folders = self.lock();
        if folders
            .get(&key)
            .is_some_and(|turns| Arc::strong_count(turns) == 1)
        {
            folders.remove(&key);
        }
        synced
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(u64, u64), Arc<Turns>>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    fn sync(&self, folder: impl AsFd) -> rustix::io::Result<()> {
        let mut state = self.lock();
        // One that runs already may have begun before our name was there.
        let wanted = state.started + 1;
        while state.done < wanted {
            if state.is_running {
                let woken = self.changed.wait(state);
                state = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_running = true;
            state.started += 1;
            let ours = state.started;
            drop(state);
            let synced = fsync(&folder);
            state = self.lock();
            state.is_running = false;
            // After a failure each of those who wait tries it with its own handle.
            if synced.is_ok() {
                state.done = ours;
            }
            self.changed.notify_all();
            synced?;
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::pipe, thread};

    use super::*;

    #[test]
    fn all_who_ask_at_once_are_answered_and_nothing_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let syncs = FolderSync::default();
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| syncs.sync(File::open(dir.path()).unwrap()).unwrap());
            }
        });
        assert!(syncs.lock().is_empty());
    }

    #[test]
    fn a_failure_is_told_and_the_next_one_tries_again() {
        let (unsyncable, _writer) = pipe().unwrap();
        let syncs = FolderSync::default();
        assert!(syncs.sync(&unsyncable).is_err());
        assert!(syncs.sync(&unsyncable).is_err());
    }
}
