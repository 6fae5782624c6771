use std::{io, path::PathBuf};

use crate::{inbox, mailbox, monitor, outbox, pipeline, sftp_server, signing, store, transport};

/// Why the house cannot be built, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("another kuori works in `{folder}`")]
    InUse { folder: PathBuf },
    #[error("cannot use the folder `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
    #[error("the spool lacks files that rows name ({count}), the first is `{first}`")]
    FilesMissing { count: usize, first: String },
    #[error("cannot reach the folder of `{place}`")]
    Connect {
        place: String,
        source: transport::Error,
    },
    #[error("`{path}` is not a path that can be used")]
    Path {
        path: String,
        source: transport::InvalidPath,
    },
    #[error("cannot start the embedded SFTP server")]
    Server(#[source] sftp_server::Error),
    #[error("cannot open the monitor's address")]
    Monitor(#[from] monitor::Error),
    #[error("cannot open the mailboxes")]
    Mailbox(#[source] mailbox::Error),
    #[error("cannot tell which program the second reader is")]
    SecondReader(#[source] io::Error),
    #[error("receipts are to be signed")]
    Signing(#[from] signing::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Inbox(#[from] inbox::Error),
    #[error(transparent)]
    Outbox(#[from] outbox::Error),
    #[error(transparent)]
    Pipeline(#[from] pipeline::Error),
}

impl Error {
    /// Whether receipts are to be signed with a key that is not there.
    pub fn lacks_signing_key(&self) -> bool {
        matches!(self, Self::Signing(signing::Error::Read { .. }))
    }
}
