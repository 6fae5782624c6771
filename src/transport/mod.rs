//! Folders elsewhere: a directory or an SFTP server, under one contract.
//!
//! In: settings of a place, paths below it, local files to put there. Out: listings, files with
//! their length and SHA-256, and the assurance that an uploaded file stands there whole.
//!
//! This room does not know what is in a file, when a remote file is complete, or when to try
//! again: [`Error::disposition`] says whether that can help.

mod connection;
mod digest;
mod directory;
mod error;
mod host_key;
mod key_pair;
mod listing;
mod login;
mod pace;
mod path;
mod reading;
mod remote_server;
mod sending;
mod sftp;
mod sftp_settings;
mod shown_keys;
mod wire;

use std::{io::Write, path::Path};

use async_trait::async_trait;

pub use digest::{DigestWriter, FileDigest};
pub use directory::DirectoryFolder;
pub use error::{Action, Error};
pub use host_key::HostKey;
pub use key_pair::make_key_pair;
pub use login::Login;
pub use path::{InvalidPath, RemotePath};
pub use remote_server::SftpServers;
pub use sftp::SftpFolder;
pub use sftp_settings::SftpSettings;
pub use shown_keys::{ShownKey, show_host_keys};
pub use wire::{SftpFailure, StatusCode};

/// A folder that somebody else may write to as well. No method follows a symbolic link.
#[async_trait]
pub trait RemoteFolder: Send + Sync {
    /// The files in `folder`, in no order; folders and links are not files.
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error>;

    /// `None` where no file stands.
    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error>;

    /// Reads the file's bytes from `offset` on into `to`, in order, and returns how many there
    /// were: none at its end, and [`Error::SizeDiffers`] past it. After an error `to` has a part
    /// of them: a call with a later offset goes on.
    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error>;

    /// Writes the whole file to `to`. After an error `to` has a part of it.
    async fn download(
        &self,
        from: &RemotePath,
        to: &mut (dyn Write + Send),
    ) -> Result<Downloaded, Error> {
        let mut to = DigestWriter::new(to);
        self.read_from(from, 0, &mut to).await?;
        Ok(to.finish())
    }

    /// Puts the local file `from` at `to`: under a temporary name beside it, synced where the
    /// other side offers that, read back as far as `read_back` says, and renamed without
    /// replacing anything.
    ///
    /// It can be called again: a file at `to` with the same size and digest is success. One
    /// with other contents is [`Error::Taken`].
    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error>;

    /// Renames within the place, without replacing.
    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error>;

    async fn remove(&self, path: &RemotePath) -> Result<(), Error>;

    /// Makes one folder; one that is there already is success.
    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error>;

    /// Reads the whole file for its digest; `None` where no file stands.
    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error>;
}

/// How much of an uploaded file is read back before it gets its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReadBack {
    /// How long it is.
    #[default]
    Size,
    /// All of it, for its SHA-256.
    Digest,
}

/// What a folder holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub files: Vec<RemoteFile>,
    /// Names that we can neither use nor write into a log as they are, in escaped form: control
    /// characters, separators, or not UTF-8.
    pub odd_names: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFile {
    /// One component, usable with [`RemotePath::join`].
    pub name: String,
    pub bytes: u64,
    /// By the other side's clock, in whole seconds; not every server tells it.
    pub modified: Option<jiff::Timestamp>,
}

/// What was read.
pub type Downloaded = FileDigest;

/// What stands there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uploaded {
    pub digest: FileDigest,
    /// Nothing was sent: the same file stood there.
    pub was_there: bool,
}
