//! What mail programs write on a Maildir's messages, and when.

use std::{
    fs::Metadata,
    io,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, SystemTime},
};

use jiff::Timestamp;

/// File systems count time in steps, the coarsest of two seconds: within one, a folder can change again
/// and keep its time.
const STEP: Duration = Duration::from_secs(2);

/// Whether a file name of `cur` carries the flag `S`, seen (D. J. Bernstein, "Using maildir format").
///
/// What was thrown away unread (`T` alone) was not read.
pub(super) fn is_read(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.rsplit_once(":2,"))
        .is_some_and(|(_, flags)| flags.contains('S'))
}

/// A flag is set by a rename, which is the last change of the file's entry.
pub(super) fn set_at(metadata: &Metadata) -> io::Result<Timestamp> {
    let nanoseconds = i32::try_from(metadata.ctime_nsec()).unwrap_or_default();
    Timestamp::new(metadata.ctime(), nanoseconds).map_err(io::Error::other)
}

/// A folder's time of change as a number, in nanoseconds since 1970; good until 2262.
pub(super) fn of(changed: SystemTime) -> i64 {
    let since = changed.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    })
}

/// Whether a change that comes now gives the folder another time.
pub(super) fn has_settled(changed: SystemTime) -> bool {
    changed.elapsed().is_ok_and(|age| age > STEP)
}
