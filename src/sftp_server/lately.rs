use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use russh_sftp::protocol::FileAttributes;

use super::virtual_path::VirtualPath;

/// Long enough for what a client asks behind its upload, over a slow line.
const KEPT: Duration = Duration::from_secs(10);

/// Files that are remembered of one session; the oldest go first.
const MAX_FILES: usize = 1000;

/// The files that a session sent a moment ago. Other sessions see what is there: whoever comes to
/// send a file again must not take the memory of it for the file.
///
/// Many clients look at a file once more when they have sent it, or set its time (rclone, paramiko,
/// `WinSCP`), and call the upload failed where it is gone. The poller may have taken it by then.
#[derive(Debug, Default)]
pub(super) struct Lately(Mutex<VecDeque<Sent>>);

#[derive(Debug)]
struct Sent {
    at: Instant,
    path: VirtualPath,
    attributes: FileAttributes,
}

impl Lately {
    pub(super) fn note(&self, path: &VirtualPath, attributes: FileAttributes, now: Instant) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|sent| !sent.is_over(now) && sent.path != *path);
        if sent.len() >= MAX_FILES {
            sent.pop_front();
        }
        sent.push_back(Sent {
            at: now,
            path: path.clone(),
            attributes,
        });
    }

    /// Its sender calls it something else now.
    pub(super) fn forget(&self, path: &VirtualPath) {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.retain(|sent| sent.path != *path);
    }

    /// What was received as `path`, whether it still lies there or not.
    pub(super) fn find(&self, path: &VirtualPath, now: Instant) -> Option<FileAttributes> {
        let sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = sent.iter().find(|sent| sent.path == *path);
        let found = found.filter(|sent| !sent.is_over(now))?;
        Some(found.attributes.clone())
    }
}

impl Sent {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) >= KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> VirtualPath {
        VirtualPath::parse(text).unwrap()
    }

    fn of_size(bytes: u64) -> FileAttributes {
        FileAttributes {
            size: Some(bytes),
            ..FileAttributes::empty()
        }
    }

    #[test]
    fn a_file_is_remembered_for_its_time_as_it_was_sent_last() {
        let (lately, now) = (Lately::default(), Instant::now());
        let size = |at| {
            lately
                .find(&path("inbox/a"), at)
                .and_then(|found| found.size)
        };
        lately.note(&path("inbox/a"), of_size(1), now);
        lately.note(&path("inbox/a"), of_size(2), now);
        assert_eq!(size(now + KEPT / 2), Some(2));
        assert_eq!(size(now + KEPT), None);
        lately.forget(&path("inbox/a"));
        assert_eq!(size(now), None);
    }

    #[test]
    fn so_many_are_remembered_and_no_more() {
        let (lately, now) = (Lately::default(), Instant::now());
        for n in 0..=MAX_FILES {
            lately.note(&path(&format!("inbox/{n}")), of_size(1), now);
        }
        assert!(lately.find(&path("inbox/0"), now).is_none());
        assert!(lately.find(&path("inbox/1"), now).is_some());
    }
}
