use std::{io, path::PathBuf};

use jiff::Timestamp;

use crate::{
    domain::{PrintHouseId, ServiceName},
    inbox, mailbox, monitor, outbox, pipeline, sftp_server, signing, store, transport,
};

/// Why the house cannot be built, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("another kuori works in `{folder}`{}", told(*.process))]
    InUse {
        folder: PathBuf,
        /// Its number, as far as it has said so.
        process: Option<u32>,
    },
    #[error("the house was restored from a backup of {moment}, and may not go on yet")]
    Restored { moment: Timestamp },
    #[error("cannot use the folder `{folder}`")]
    Folder { folder: PathBuf, source: io::Error },
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
    #[error("cannot set up the mailbox service `{name}`")]
    Service {
        name: ServiceName,
        source: mailbox::suomifi::Error,
    },
    #[error(
        "cannot read the password of the printing service `{name}` from `{path}`: see \
         `print_houses.{name}.suomifi.password_file`"
    )]
    PostalPassword {
        name: PrintHouseId,
        path: PathBuf,
        source: io::Error,
    },
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

/// `: process 4711`
fn told(id: Option<u32>) -> String {
    id.map_or_else(String::new, |id| format!(": process {id}"))
}

impl Error {
    /// Whether receipts are to be signed with a key that is not there.
    pub fn lacks_signing_key(&self) -> bool {
        matches!(self, Self::Signing(signing::Error::Read { .. }))
    }

    /// Whether the mailboxes are not those that the house has delivered into.
    pub fn lacks_mailboxes(&self) -> bool {
        matches!(self, Self::Mailbox(mailbox::Error::Elsewhere { .. }))
    }
}
