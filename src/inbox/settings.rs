use jiff::SignedDuration;

use super::Completeness;
use crate::{
    domain::{BackOff, SenderId},
    transport::{InvalidPath, RemotePath},
};

/// One inbox: whose it is, where it is, when a file in it is finished, and how it is taken.
#[derive(Debug, Clone)]
pub struct Settings {
    pub sender: SenderId,
    /// Its name in rows and logs.
    pub place: String,
    /// The folder that the sender writes to.
    pub folder: RemotePath,
    /// Where claimed files wait to be copied; on the same file system as `folder`.
    pub taking: RemotePath,
    pub completeness: Completeness,
    /// Endings of uploads in progress, in lower case, besides dot-files.
    pub unfinished_endings: Vec<String>,
    /// Patterns of names that are taken: `*` is any number of characters, `?` one.
    pub take_names: Vec<String>,
    /// A larger file stays where it is.
    pub max_file_bytes: u64,
    pub way: Way,
    /// A file that is not finished after this long is told.
    pub stuck_minutes: u32,
    /// How many files are taken at once.
    pub files_at_once: usize,
    /// Of these, no more than half are as large as this.
    pub large_file_bytes: u64,
    pub poll_interval_secs: u32,
    /// How long one look may take.
    pub look_timeout_secs: u32,
    /// Between tries while the other side is away, and before a broken copy goes on.
    pub back_off: BackOff,
}

/// What becomes of a file on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is renamed before it is read, so that nobody else takes it.
    Claim { afterwards: Afterwards },
    /// Nothing there is changed: what was taken is remembered here, and forgotten this long after
    /// it was last listed.
    ReadOnly { forget_days: u32 },
}

/// What becomes of a claimed file once it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Afterwards {
    Remove,
    /// It is moved to `folder`, and removed after `keep_days`; `None` is never.
    Keep {
        folder: RemotePath,
        keep_days: Option<u32>,
    },
}

impl Settings {
    /// The folder `inbox`, into which files come by their final names when they are whole.
    ///
    /// # Errors
    ///
    /// None: the paths are our own.
    pub fn new(sender: SenderId, place: String) -> Result<Self, InvalidPath> {
        Ok(Self {
            sender,
            place,
            folder: "inbox".parse()?,
            taking: ".kuori/taking".parse()?,
            completeness: Completeness::ByName,
            unfinished_endings: Self::known_unfinished_endings(),
            take_names: Self::usual_names(),
            max_file_bytes: 64 << 30,
            way: Way::Claim {
                afterwards: Afterwards::Remove,
            },
            stuck_minutes: 60,
            files_at_once: 8,
            large_file_bytes: 64 << 20,
            poll_interval_secs: 5,
            look_timeout_secs: 300,
            back_off: BackOff {
                first: SignedDuration::from_secs(5),
                longest: SignedDuration::from_mins(5),
            },
        })
    }

    /// Endings that senders are known to use while a file grows: Koha, OPH, WinSCP, browsers.
    pub fn known_unfinished_endings() -> Vec<String> {
        let known = [
            ".part",
            ".partial",
            ".filepart",
            ".temppi",
            ".tmp",
            ".temp",
            ".crdownload",
        ];
        known.map(str::to_owned).to_vec()
    }

    /// ZIPs, and what OPH renames its finished ZIP to.
    pub fn usual_names() -> Vec<String> {
        ["*.zip", "*.ok"].map(str::to_owned).to_vec()
    }

    pub(super) fn is_read_only(&self) -> bool {
        matches!(self.way, Way::ReadOnly { .. })
    }

    /// How many of the files that are taken at once may be large.
    pub(super) fn large_at_once(&self) -> usize {
        (self.files_at_once / 2).max(1)
    }
}
