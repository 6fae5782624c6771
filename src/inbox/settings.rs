use super::Completeness;
use crate::{domain::SenderId, transport::RemotePath};

/// One inbox: whose it is, where it is, and when a file in it is finished.
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
}

impl Settings {
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
}
