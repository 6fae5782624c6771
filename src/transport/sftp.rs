use std::{fs::File, io, io::Write, path::Path, sync::Arc};

use async_trait::async_trait;
use jiff::Timestamp;
use russh_sftp::{
    client::error::Error as SftpError,
    protocol::{FileAttributes, Name, StatusCode},
};
use tokio::sync::Mutex;

use super::{
    Action, Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath,
    SftpSettings, Uploaded,
    connection::Connection,
    remote_handle::RemoteHandle,
    transfer::{self, Stopped},
};

/// A folder on an SFTP server. One connection serves all uses of it, and is made anew when it
/// broke; a call is not tried again, for only the caller knows what was done before it.
pub struct SftpFolder {
    settings: SftpSettings,
    connection: Mutex<Option<Arc<Connection>>>,
}

impl SftpFolder {
    /// Connects at the first use: a server that is away for a while stops nobody from starting.
    pub fn new(settings: SftpSettings) -> Self {
        Self {
            settings,
            connection: Mutex::default(),
        }
    }

    /// Connects at once, to learn whether the settings are right.
    pub async fn connect(settings: SftpSettings) -> Result<Self, Error> {
        let folder = Self::new(settings);
        folder.connection().await?;
        Ok(folder)
    }

    async fn connection(&self) -> Result<Arc<Connection>, Error> {
        let mut connection = self.connection.lock().await;
        if let Some(usable) = connection.as_ref().filter(|open| open.is_usable()) {
            return Ok(Arc::clone(usable));
        }
        let opened = Arc::new(Connection::open(&self.settings).await?);
        Ok(Arc::clone(connection.insert(opened)))
    }

    /// `path` as the server names it.
    fn full(&self, path: &RemotePath) -> String {
        match (self.settings.root.trim_end_matches('/'), path.as_str()) {
            ("", "") if self.settings.root.is_empty() => ".".to_owned(),
            ("", path) if self.settings.root.is_empty() => path.to_owned(),
            (root, "") => format!("{root}/."),
            (root, path) => format!("{root}/{path}"),
        }
    }

    async fn list_entries(
        &self,
        connection: &Arc<Connection>,
        folder: &RemotePath,
    ) -> Result<Listing, SftpError> {
        let handle = RemoteHandle::open_folder(connection, &self.full(folder)).await?;
        let mut listing = Listing::default();
        let read = loop {
            match connection.sftp.readdir(&**handle.name()).await {
                Ok(batch) => add_files(&mut listing, folder, batch),
                Err(SftpError::Status(status)) if status.status_code == StatusCode::Eof => {
                    break Ok(());
                }
                Err(error) => break Err(error),
            }
        };
        let closed = handle.close().await;
        read?;
        closed?;
        Ok(listing)
    }

    async fn upload_new(
        &self,
        connection: &Arc<Connection>,
        file: &File,
        local: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let temporary = temporary_beside(to)?;
        self.remove_leftover(connection, &temporary).await?;
        let full = self.full(&temporary);
        let sent = transfer::upload(connection, &full, self.settings.in_flight, file).await;
        let digest = sent.map_err(|stopped| match stopped {
            Stopped::Local(source) => Error::Local {
                path: local.to_owned(),
                source,
            },
            other => stopped_by(connection, Action::Upload, &temporary, other),
        })?;
        let found = self.stat(&temporary).await?.map_or(0, |file| file.bytes);
        if found != digest.bytes {
            return Err(Error::SizeDiffers {
                path: temporary,
                expected: digest.bytes,
                found,
            });
        }
        if read_back == ReadBack::Digest && self.digest(&temporary).await? != Some(digest) {
            return Err(Error::DigestDiffers { path: temporary });
        }
        self.settle(&temporary, to, digest).await
    }

    /// Gives the uploaded file its name. If that fails somebody else may have been faster, or an
    /// earlier answer was lost: what stands there decides.
    async fn settle(
        &self,
        temporary: &RemotePath,
        to: &RemotePath,
        digest: FileDigest,
    ) -> Result<Uploaded, Error> {
        let Err(error) = self.rename(temporary, to).await else {
            return Ok(Uploaded {
                digest,
                was_there: false,
            });
        };
        match self.digest(to).await? {
            Some(standing) if standing == digest => {
                self.remove(temporary).await?;
                Ok(Uploaded {
                    digest,
                    was_there: true,
                })
            }
            Some(_) => Err(Error::Taken { path: to.clone() }),
            None => Err(error),
        }
    }

    async fn remove_leftover(
        &self,
        connection: &Connection,
        temporary: &RemotePath,
    ) -> Result<(), Error> {
        match connection.sftp.remove(self.full(temporary)).await {
            // That it is not there is the rule; whether a refusal matters, the upload will show.
            Ok(_) | Err(SftpError::Status(_)) => Ok(()),
            Err(error) => Err(failed(connection, Action::Upload, temporary, error)),
        }
    }
}

#[async_trait]
impl RemoteFolder for SftpFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        let connection = self.connection().await?;
        let listed = self.list_entries(&connection, folder).await;
        listed.map_err(|error| failed(&connection, Action::List, folder, error))
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        let connection = self.connection().await?;
        match connection.sftp.lstat(self.full(path)).await {
            Ok(found) => Ok(path.name().and_then(|name| file(name, &found.attrs))),
            Err(SftpError::Status(status)) if status.status_code == StatusCode::NoSuchFile => {
                Ok(None)
            }
            Err(error) => Err(failed(&connection, Action::Stat, path, error)),
        }
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        let connection = self.connection().await?;
        let full = self.full(path);
        transfer::read_from(&connection, &full, offset, self.settings.in_flight, to)
            .await
            .map_err(|stopped| stopped_by(&connection, Action::Download, path, stopped))
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        let local = |source| Error::Local {
            path: from.to_owned(),
            source,
        };
        if let Some(standing) = self.stat(to).await? {
            let ours = FileDigest::of_path(from.to_owned()).await.map_err(local)?;
            let same = standing.bytes == ours.bytes && self.digest(to).await? == Some(ours);
            return if same {
                Ok(Uploaded {
                    digest: ours,
                    was_there: true,
                })
            } else {
                Err(Error::Taken { path: to.clone() })
            };
        }
        let file = File::open(from).map_err(local)?;
        let connection = self.connection().await?;
        self.upload_new(&connection, &file, from, to, read_back)
            .await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let connection = self.connection().await?;
        // Not `posix-rename@openssh.com`: that one replaces.
        let renamed = connection.sftp.rename(self.full(from), self.full(to)).await;
        match renamed {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&connection, Action::Rename, from, error)),
        }
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        let connection = self.connection().await?;
        match connection.sftp.remove(self.full(path)).await {
            Ok(_) => Ok(()),
            Err(error) => Err(failed(&connection, Action::Remove, path, error)),
        }
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        let connection = self.connection().await?;
        let full = self.full(path);
        let made = connection.sftp.mkdir(&*full, FileAttributes::empty()).await;
        let Err(error) = made else { return Ok(()) };
        // "It is there already" has no code of its own in this version of the protocol.
        match connection.sftp.lstat(full).await {
            Ok(found) if found.attrs.is_dir() => Ok(()),
            _ => Err(failed(&connection, Action::MakeDir, path, error)),
        }
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        if self.stat(path).await?.is_none() {
            return Ok(None);
        }
        match self.download(path, &mut io::sink()).await {
            Ok(digest) => Ok(Some(digest)),
            Err(Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Both common rules for unfinished files hold for it: a leading dot, and a known ending. Always
/// the same name, so that the next try clears away what the last one left.
fn temporary_beside(to: &RemotePath) -> Result<RemotePath, Error> {
    let name = to.name().unwrap_or_default();
    Ok(to.parent().join(&format!(".{name}.part"))?)
}

fn add_files(listing: &mut Listing, folder: &RemotePath, batch: Name) {
    for entry in batch.files {
        if entry.filename == "." || entry.filename == ".." {
            continue;
        }
        let Some(found) = file(&entry.filename, &entry.attrs) else {
            continue;
        };
        if folder.join(&entry.filename).is_ok() {
            listing.files.push(found);
        } else {
            let escaped = entry.filename.escape_debug().take(300).collect();
            listing.odd_names.push(escaped);
        }
    }
}

/// `None` for what is not a file. A server that tells no mode has only files to show.
fn file(name: &str, attributes: &FileAttributes) -> Option<RemoteFile> {
    const TYPE: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    let is_file = attributes
        .permissions
        .is_none_or(|mode| mode & TYPE == REGULAR);
    let modified = attributes
        .mtime
        .and_then(|seconds| Timestamp::from_second(i64::from(seconds)).ok());
    is_file.then(|| RemoteFile {
        name: name.to_owned(),
        bytes: attributes.size.unwrap_or(0),
        modified,
    })
}

fn failed(connection: &Connection, action: Action, path: &RemotePath, error: SftpError) -> Error {
    connection.note(&error);
    Error::sftp(action, path, error)
}

fn stopped_by(
    connection: &Connection,
    action: Action,
    path: &RemotePath,
    stopped: Stopped,
) -> Error {
    match stopped {
        Stopped::Remote(error) => failed(connection, action, path, error),
        Stopped::Local(source) => Error::Write {
            path: path.clone(),
            source,
        },
        Stopped::Changed { expected, found } => Error::SizeDiffers {
            path: path.clone(),
            expected,
            found,
        },
    }
}
