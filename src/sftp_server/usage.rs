use std::{
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::fs::{AtFlags, Dir, FileType, fstat, statat};

use super::{refusal::Refusal, staging::Staging};

/// A count of a large folder that has not changed may take this part of the time at most.
const REST_BETWEEN_COUNTS: u32 = 10;

/// A folder with fewer files is counted as often as is asked.
const LARGE: u64 = 1000;

/// Files and the bytes in them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// How much may lie in an account's upload folder, finished or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) bytes: Option<u64>,
    pub(super) files: Option<u64>,
    /// What every folder may hold.
    pub(super) entries: u64,
}

/// Where it lies.
#[derive(Clone, Copy)]
pub(super) struct Places<'p> {
    pub(super) folder: &'p OwnedFd,
    pub(super) staging: &'p Staging,
}

/// How much of its quota an account has used.
///
/// What arrives is added; what is taken away by others is not seen. So the figure may be too high
/// and never too low, and before anything is refused for it the folders are counted anew.
#[derive(Debug, Default)]
pub(super) struct Usage {
    total: Total,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    at: Instant,
    took: Duration,
    changed: (i64, i64),
}

impl Usage {
    /// Adds `more`, if there is room for it. `reserved` says how many bytes an upload in hand has
    /// been given, which may not be in its file yet.
    pub(super) fn reserve(
        &mut self,
        more: Total,
        bounds: Bounds,
        places: Places<'_>,
        reserved: impl Fn(&str) -> Option<u64>,
    ) -> Result<(), Refusal> {
        if self.counted.is_none() || self.is_over(more, bounds).is_some() {
            self.count_again(places, reserved)?;
        }
        if let Some(refusal) = self.is_over(more, bounds) {
            return Err(refusal);
        }
        self.total.files += more.files;
        self.total.bytes += more.bytes;
        Ok(())
    }

    pub(super) fn give_back(&mut self, less: Total) {
        self.total.files = self.total.files.saturating_sub(less.files);
        self.total.bytes = self.total.bytes.saturating_sub(less.bytes);
    }

    pub(super) fn total(
        &mut self,
        places: Places<'_>,
        reserved: impl Fn(&str) -> Option<u64>,
    ) -> Result<Total, Refusal> {
        self.count_again(places, reserved)?;
        Ok(self.total)
    }

    fn is_over(&self, more: Total, bounds: Bounds) -> Option<Refusal> {
        let files = self.total.files.saturating_add(more.files);
        let bytes = self.total.bytes.saturating_add(more.bytes);
        let over = |bound: Option<u64>, wanted: u64, more: u64| {
            more > 0 && bound.is_some_and(|bound| wanted > bound)
        };
        if over(bounds.bytes, bytes, more.bytes) || over(bounds.files, files, more.files) {
            return Some(Refusal::Quota);
        }
        (more.files > 0 && files > bounds.entries).then_some(Refusal::FolderFull)
    }

    /// Counts the folders, unless that was just done.
    fn count_again(
        &mut self,
        places: Places<'_>,
        reserved: impl Fn(&str) -> Option<u64>,
    ) -> Result<(), Refusal> {
        let found = fstat(places.folder)?;
        let changed = (
            found.st_mtime,
            i64::try_from(found.st_mtime_nsec).unwrap_or(0),
        );
        if self
            .counted
            .as_ref()
            .is_some_and(|last| self.total.files >= LARGE && last.holds(changed))
        {
            return Ok(());
        }
        let at = Instant::now();
        let lying = count(places.folder, |_| None)?;
        let staged = count(places.staging.folder(), reserved)?;
        self.total = Total {
            files: lying.files + staged.files,
            bytes: lying.bytes + staged.bytes,
        };
        self.counted = Some(Counted {
            at: Instant::now(),
            took: at.elapsed(),
            changed,
        });
        Ok(())
    }
}

impl Counted {
    fn holds(&self, changed: (i64, i64)) -> bool {
        let age = self.at.elapsed();
        let is_unchanged = self.changed == changed && age < self.took * REST_BETWEEN_COUNTS;
        is_unchanged || age < self.took
    }
}

fn count(folder: impl AsFd, reserved: impl Fn(&str) -> Option<u64>) -> Result<Total, Refusal> {
    let mut total = Total::default();
    let mut dir = Dir::read_from(&folder)?;
    while let Some(entry) = dir.read() {
        let entry = entry?;
        let found = statat(&folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW);
        let Ok(found) = found else { continue };
        if FileType::from_raw_mode(found.st_mode) == FileType::RegularFile {
            let reserved = entry.file_name().to_str().ok().and_then(&reserved);
            let bytes = reserved.or_else(|| u64::try_from(found.st_size).ok());
            total.files += 1;
            total.bytes += bytes.unwrap_or(0);
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use std::{fs, fs::File, io::Write};

    use super::*;

    const NONE: fn(&str) -> Option<u64> = |_| None;

    struct Ground {
        dir: tempfile::TempDir,
        folder: OwnedFd,
        staging: Staging,
    }

    impl Ground {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("inbox")).unwrap();
            Self {
                folder: File::open(dir.path().join("inbox")).unwrap().into(),
                staging: Staging::open(dir.path(), "city").unwrap(),
                dir,
            }
        }

        fn places(&self) -> Places<'_> {
            Places {
                folder: &self.folder,
                staging: &self.staging,
            }
        }

        fn put(&self, name: &str, bytes: usize) {
            let mut file = File::create(self.dir.path().join("inbox").join(name)).unwrap();
            file.write_all(&vec![0; bytes]).unwrap();
        }
    }

    fn bounds(bytes: u64, files: u64) -> Bounds {
        Bounds {
            bytes: Some(bytes),
            files: Some(files),
            entries: 100,
        }
    }

    fn bytes(bytes: u64) -> Total {
        Total { files: 0, bytes }
    }

    #[test]
    fn what_lies_there_counts_and_the_last_byte_fits() {
        let ground = Ground::new();
        ground.put("a", 6);
        let (mut usage, bounds) = (Usage::default(), bounds(10, 5));
        assert!(
            usage
                .reserve(bytes(4), bounds, ground.places(), NONE)
                .is_ok()
        );
        let mut usage = Usage::default();
        let past = usage.reserve(bytes(5), bounds, ground.places(), NONE);
        assert!(matches!(past, Err(Refusal::Quota)));
    }

    #[test]
    fn what_was_given_out_counts_before_it_is_written() {
        let ground = Ground::new();
        ground.staging.create("b").unwrap();
        let (mut usage, bounds) = (Usage::default(), bounds(10, 5));
        let reserved = |name: &str| (name == "b").then_some(8);
        assert!(
            usage
                .reserve(bytes(3), bounds, ground.places(), reserved)
                .is_err()
        );
        assert!(
            usage
                .reserve(bytes(2), bounds, ground.places(), reserved)
                .is_ok()
        );
    }

    #[test]
    fn what_others_took_away_is_noticed_before_a_refusal() {
        let ground = Ground::new();
        ground.put("a", 6);
        let (mut usage, bounds) = (Usage::default(), bounds(10, 1));
        let one = Total { files: 1, bytes: 0 };
        assert!(usage.reserve(one, bounds, ground.places(), NONE).is_err());
        fs::remove_file(ground.dir.path().join("inbox/a")).unwrap();
        assert!(usage.reserve(one, bounds, ground.places(), NONE).is_ok());
    }

    #[test]
    fn a_folder_that_is_full_is_told_from_a_quota() {
        let ground = Ground::new();
        ground.put("a", 1);
        let bounds = Bounds {
            bytes: None,
            files: None,
            entries: 1,
        };
        let one = Total { files: 1, bytes: 0 };
        let refused = Usage::default().reserve(one, bounds, ground.places(), NONE);
        assert!(matches!(refused, Err(Refusal::FolderFull)));
        let more = Usage::default().reserve(bytes(9), bounds, ground.places(), NONE);
        assert!(more.is_ok());
    }
}
