use std::{
    collections::VecDeque,
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use super::folder_sync::FolderSync;
use crate::crash_points::around;

/// How long a thread that has nothing to do stays.
const IDLE: Duration = Duration::from_secs(10);

/// Its deepest work is a system call.
const STACK_BYTES: usize = 256 * 1024;

type Deed = Box<dyn FnOnce() + Send>;

/// Does what has to wait for the disk, so that a session goes on meanwhile.
///
/// Files that are closed together are synced by several threads at once: the file system writes
/// its journal once for all of them. The threads are made when they are wanted, up to a bound, and
/// serve all sessions.
#[derive(Clone)]
pub(super) struct Sealer(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
    max_threads: usize,
    folders: FolderSync,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Deed>,
    threads: usize,
    idle: usize,
}

impl Sealer {
    pub(super) fn new(max_threads: usize) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            arrived: Condvar::new(),
            max_threads: max_threads.max(1),
            folders: FolderSync::default(),
        }))
    }

    pub(super) fn submit(&self, deed: impl FnOnce() + Send + 'static) {
        let mut queue = self.0.lock();
        queue.waiting.push_back(Box::new(deed));
        if queue.waiting.len() <= queue.idle || queue.threads >= self.0.max_threads {
            self.0.arrived.notify_one();
            return;
        }
        queue.threads += 1;
        drop(queue);
        let shared = Arc::clone(&self.0);
        let started = thread::Builder::new()
            .name("sftp-sealer".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || shared.work());
        if let Err(error) = started {
            tracing::error!(%error, "cannot start a thread");
            self.0.do_without_a_new_thread();
        }
    }

    /// Makes the names in `folder` durable; see [`FolderSync::sync`].
    pub(super) fn sync_folder(&self, folder: impl AsFd) -> rustix::io::Result<()> {
        around("sync", "sftp_server: folder", || {
            self.0.folders.sync(folder)
        })
    }
}

impl Shared {
    fn work(&self) {
        while let Some(deed) = self.next() {
            if catch_unwind(AssertUnwindSafe(deed)).is_err() {
                tracing::error!("a deed of the SFTP server panicked");
            }
        }
    }

    fn do_without_a_new_thread(&self) {
        let mut queue = self.lock();
        queue.threads -= 1;
        // The threads that are there will come to it; where there is none, the caller does it.
        let deed = (queue.threads == 0).then(|| queue.waiting.pop_front());
        drop(queue);
        if let Some(Some(deed)) = deed {
            deed();
        }
    }

    /// The next deed, or `None` when this thread may go.
    fn next(&self) -> Option<Deed> {
        let mut queue = self.lock();
        if queue.waiting.is_empty() {
            queue.idle += 1;
            let idle = |queue: &mut Queue| queue.waiting.is_empty();
            let waited = self.arrived.wait_timeout_while(queue, IDLE, idle);
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
            queue.idle -= 1;
        }
        let deed = queue.waiting.pop_front();
        if deed.is_none() {
            queue.threads -= 1;
        }
        deed
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    };

    use super::*;

    #[test]
    fn as_many_deeds_as_threads_are_done_at_once_and_no_more() {
        let sealer = Sealer::new(3);
        let together = Arc::new(Barrier::new(4));
        let (done, count) = mpsc::channel();
        let most = Arc::new(AtomicUsize::new(0));
        let running = Arc::new(AtomicUsize::new(0));
        for n in 0..9 {
            let (together, done) = (Arc::clone(&together), done.clone());
            let (most, running) = (Arc::clone(&most), Arc::clone(&running));
            sealer.submit(move || {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if n < 3 {
                    together.wait();
                }
                running.fetch_sub(1, Ordering::SeqCst);
                done.send(n).unwrap();
            });
        }
        together.wait();
        assert_eq!(count.iter().take(9).count(), 9);
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn a_deed_that_panics_does_not_stop_the_others() {
        let sealer = Sealer::new(1);
        let (done, all) = mpsc::channel();
        sealer.submit(|| panic!("on purpose"));
        sealer.submit(move || done.send(()).unwrap());
        all.recv().unwrap();
    }
}
