use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::sync::OwnedSemaphorePermit;

use super::{
    Action, Error, FileDigest, Listing, ReadBack, RemoteFile, RemoteFolder, RemotePath,
    SftpServers, SftpSettings, Uploaded,
    connection::Connection,
    digest::DigestWriter,
    listing::{self, NotListed},
    reading::{self, Stopped},
    remote_server::RemoteServer,
    sending::{self, Sent, Source},
    wire::{Attributes, CREATE_NEW, Field, Kind, Pending, RemoteHandle, SftpFailure},
};
use crate::crash_points::around_remote;

/// A folder on an SFTP server. One connection serves all uses of it, and is made anew when it
/// broke; a call is not tried again, for only the caller knows what was done before it.
pub struct SftpFolder {
    server: Arc<RemoteServer>,
    root: String,
}

impl SftpFolder {
    /// Connects at the first use: a server that is away for a while stops nobody from starting.
    pub fn new(settings: SftpSettings) -> Self {
        Self {
            root: settings.root.clone(),
            server: Arc::new(RemoteServer::new(settings)),
        }
    }

    /// As [`SftpFolder::new`], on the connection that others of `servers` use as well.
    pub fn on(servers: &SftpServers, settings: &SftpSettings) -> Self {
        Self {
            server: servers.server(settings),
            root: settings.root.clone(),
        }
    }

    /// Connects at once, to learn whether the settings are right.
    pub async fn connect(settings: SftpSettings) -> Result<Self, Error> {
        let folder = Self::new(settings);
        folder.server.connection().await?;
        Ok(folder)
    }

    /// The extensions of the protocol that the server offers, by name.
    pub async fn offers(&self) -> Result<Vec<String>, Error> {
        let connection = self.server.connection().await?;
        Ok(connection.offers().to_vec())
    }

    async fn call(&self) -> Result<Call<'_>, Error> {
        let connection = self.server.connection().await?;
        let turn = connection.turn().await;
        Ok(Call {
            connection,
            root: &self.root,
            _turn: turn,
        })
    }
}

#[async_trait]
impl RemoteFolder for SftpFolder {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        self.call().await?.list(folder).await
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        self.call().await?.stat(path).await
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        self.call().await?.read_from(path, offset, to).await
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        self.call().await?.upload(from, to, read_back).await
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        self.call().await?.rename(from, to).await
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        self.call().await?.remove(path).await
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        self.call().await?.make_dir(path).await
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        self.call().await?.digest(path).await
    }
}

/// One use of the connection.
struct Call<'f> {
    connection: Arc<Connection>,
    root: &'f str,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Call<'_> {
    async fn list(&self, folder: &RemotePath) -> Result<Listing, Error> {
        let listed = listing::list(&self.connection, &self.full(folder), folder).await;
        listed.map_err(|not_listed| match not_listed {
            NotListed::Remote(failure) => self.failed(Action::List, folder, failure),
            NotListed::TooMany => Error::TooManyEntries {
                path: folder.clone(),
                most: self.connection.max_folder_entries,
            },
        })
    }

    async fn stat(&self, path: &RemotePath) -> Result<Option<RemoteFile>, Error> {
        let found = self.looking(path).found().await;
        let found = found.map_err(|failure| self.failed(Action::Stat, path, failure))?;
        Ok(found.and_then(|found| as_file(path, &found)))
    }

    async fn read_from(
        &self,
        path: &RemotePath,
        offset: u64,
        to: &mut (dyn Write + Send),
    ) -> Result<u64, Error> {
        let read = reading::read_from(&self.connection, &self.full(path), offset, to).await;
        read.map_err(|stopped| self.stopped(Action::Download, path, stopped))
    }

    async fn digest(&self, path: &RemotePath) -> Result<Option<FileDigest>, Error> {
        if self.stat(path).await?.is_none() {
            return Ok(None);
        }
        let mut digest = DigestWriter::new(io::sink());
        match self.read_from(path, 0, &mut digest).await {
            Ok(_) => Ok(Some(digest.finish())),
            Err(Error::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn upload(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Uploaded, Error> {
        if let Some(uploaded) = self.upload_once(from, to, read_back).await? {
            return Ok(uploaded);
        }
        let again = self.upload_once(from, to, read_back).await?;
        again.ok_or_else(|| Error::Taken { path: to.clone() })
    }

    /// Nothing where a file of the name stood there, and was gone before it could be compared.
    async fn upload_once(
        &self,
        from: &Path,
        to: &RemotePath,
        read_back: ReadBack,
    ) -> Result<Option<Uploaded>, Error> {
        let local = |source| Error::Local {
            path: from.to_owned(),
            source,
        };
        let temporary = temporary_beside(to)?;
        let source = Source::open(from, self.connection.write_bytes).map_err(local)?;
        let failed = |failure| self.failed(Action::Upload, to, failure);
        let turn = self.connection.wire.handle_turn().await.map_err(failed)?;
        // Both at once: that something stands there already is the exception.
        let standing = self.looking(to);
        let opening = self.opening(&temporary, turn);
        let opened = opening.opened().await;
        if let Some(standing) = standing.found().await.map_err(failed)? {
            let was_made = opened.map(drop).is_ok();
            if was_made {
                self.remove(&temporary).await?;
            }
            let ours = source.digest().await.map_err(local)?;
            return self.same_as(to, &standing, ours).await;
        }
        let file = match opened {
            Ok(file) => file,
            Err(refused) => self.open_again(&temporary, refused).await?,
        };
        let sent = around_remote("sftp: send", self.send(file, source, to)).await;
        let (sent, is_taken) = match sent {
            Ok(sent) => sent,
            Err(stopped) => {
                self.clear_away(&temporary, &stopped).await;
                return Err(match stopped {
                    Stopped::Local(source) => local(source),
                    other => self.stopped(Action::Upload, &temporary, other),
                });
            }
        };
        around_remote(
            "sftp: read back",
            self.read_back(&temporary, &sent, read_back),
        )
        .await?;
        let digest = sent.digest;
        if is_taken {
            let error = Error::Taken { path: to.clone() };
            return self.beside(&temporary, to, digest, error).await.map(Some);
        }
        match self.rename_unseen(&temporary, to).await {
            Ok(()) => Ok(Some(Uploaded {
                digest,
                was_there: false,
            })),
            Err(error) => self.beside(&temporary, to, digest, error).await.map(Some),
        }
    }

    /// Sends a file; where that takes long, looks once more whether its name was taken meanwhile.
    async fn send(
        &self,
        file: RemoteHandle,
        source: Source,
        to: &RemotePath,
    ) -> Result<(Sent, bool), Stopped> {
        let started = Instant::now();
        let sending = sending::send(&self.connection, file, source).await?;
        let standing = (started.elapsed() > LOOK_AGAIN).then(|| self.looking(to));
        let sent = sending.finish().await?;
        let is_taken = match standing {
            Some(standing) => standing.found().await?.is_some(),
            None => false,
        };
        Ok((sent, is_taken))
    }

    /// Creates a file that is not there: nobody's is written over.
    fn opening(&self, path: &RemotePath, turn: super::wire::Held) -> Pending {
        let wire = &self.connection.wire;
        wire.opening(&self.full(path), CREATE_NEW, turn)
    }

    /// What an earlier try left is cleared away.
    async fn open_again(
        &self,
        temporary: &RemotePath,
        refused: SftpFailure,
    ) -> Result<RemoteHandle, Error> {
        let failed = |failure| self.failed(Action::Upload, temporary, failure);
        if refused.code().is_none() {
            return Err(failed(refused));
        }
        let turn = self.connection.wire.handle_turn().await.map_err(failed)?;
        let opened = async {
            let removing = self.asking(Kind::Remove, temporary);
            let opening = self.opening(temporary, turn);
            // That it is not there is the rule; whether a refusal matters, the opening shows.
            removing.done().await.ok();
            opening.opened().await
        };
        around_remote("sftp: begin anew", opened)
            .await
            .map_err(failed)
    }

    /// What did not get there whole would take the room on a full disk from smaller files, until it is
    /// sent again.
    async fn clear_away(&self, temporary: &RemotePath, stopped: &Stopped) {
        let is_connected = match stopped {
            Stopped::Remote(failure) => failure.code().is_some(),
            Stopped::Local(_) | Stopped::Changed { .. } => true,
        };
        if is_connected {
            // The error that is told is that of the upload; the next try clears it away too.
            self.remove(temporary).await.ok();
        }
    }

    async fn read_back(
        &self,
        temporary: &RemotePath,
        sent: &Sent,
        read_back: ReadBack,
    ) -> Result<(), Error> {
        let expected = sent.digest.bytes;
        if sent.told_bytes != Some(expected) {
            let found = self.stat(temporary).await?.map_or(0, |file| file.bytes);
            if found != expected {
                return Err(Error::SizeDiffers {
                    path: temporary.clone(),
                    expected,
                    found,
                });
            }
        }
        if read_back == ReadBack::Digest && self.digest(temporary).await? != Some(sent.digest) {
            return Err(Error::DigestDiffers {
                path: temporary.clone(),
            });
        }
        Ok(())
    }

    /// The uploaded file did not get its name: somebody else may have been faster, or an earlier
    /// answer was lost. What stands there decides.
    async fn beside(
        &self,
        temporary: &RemotePath,
        to: &RemotePath,
        digest: FileDigest,
        error: Error,
    ) -> Result<Uploaded, Error> {
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

    /// Nothing where what stood there is gone.
    async fn same_as(
        &self,
        to: &RemotePath,
        standing: &Attributes,
        ours: FileDigest,
    ) -> Result<Option<Uploaded>, Error> {
        let is_same_size = standing.bytes.is_none_or(|bytes| bytes == ours.bytes);
        if is_same_size {
            match self.digest(to).await? {
                None => return Ok(None),
                Some(theirs) if theirs == ours => {
                    return Ok(Some(Uploaded {
                        digest: ours,
                        was_there: true,
                    }));
                }
                Some(_) => {}
            }
        }
        Err(Error::Taken { path: to.clone() })
    }

    async fn rename(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let failed = |failure| self.failed(Action::Rename, from, failure);
        // The plain rename must not replace (section 6.5), but on some servers it does.
        if self.looking(to).found().await.map_err(failed)?.is_some() {
            return Err(Error::Taken { path: to.clone() });
        }
        self.rename_unseen(from, to).await
    }

    /// Renames to a name that was free a moment ago.
    async fn rename_unseen(&self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let (old, new) = (self.full(from), self.full(to));
        let names = [Field::Text(old.as_bytes()), Field::Text(new.as_bytes())];
        // Not `posix-rename@openssh.com`: that one replaces.
        let renaming = async { self.connection.wire.send(Kind::Rename, &names).done().await };
        let renamed = around_remote("sftp: rename", renaming).await;
        renamed.map_err(|failure| self.failed(Action::Rename, from, failure))
    }

    async fn remove(&self, path: &RemotePath) -> Result<(), Error> {
        let removing = async { self.asking(Kind::Remove, path).done().await };
        let removed = around_remote("sftp: remove", removing).await;
        removed.map_err(|failure| self.failed(Action::Remove, path, failure))
    }

    async fn make_dir(&self, path: &RemotePath) -> Result<(), Error> {
        let full = self.full(path);
        // Without attributes.
        let fields = [Field::Text(full.as_bytes()), Field::U32(0)];
        let making = async {
            self.connection
                .wire
                .send(Kind::MakeDir, &fields)
                .done()
                .await
        };
        let Err(failure) = around_remote("sftp: make a folder", making).await else {
            return Ok(());
        };
        // "It is there already" has no code of its own in this version of the protocol.
        match self.looking(path).found().await {
            Ok(Some(found)) if found.is_folder() => Ok(()),
            _ => Err(self.failed(Action::MakeDir, path, failure)),
        }
    }

    fn looking(&self, path: &RemotePath) -> Pending {
        self.asking(Kind::Lstat, path)
    }

    fn asking(&self, kind: Kind, path: &RemotePath) -> Pending {
        let full = self.full(path);
        self.connection
            .wire
            .send(kind, &[Field::Text(full.as_bytes())])
    }

    /// `path` as the server names it.
    fn full(&self, path: &RemotePath) -> String {
        match (self.root.trim_end_matches('/'), path.as_str()) {
            ("", "") if self.root.is_empty() => ".".to_owned(),
            ("", path) if self.root.is_empty() => path.to_owned(),
            (root, "") => format!("{root}/."),
            (root, path) => format!("{root}/{path}"),
        }
    }

    fn stopped(&self, action: Action, path: &RemotePath, stopped: Stopped) -> Error {
        match stopped {
            Stopped::Remote(failure) => self.failed(action, path, failure),
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

    fn failed(&self, action: Action, path: &RemotePath, failure: SftpFailure) -> Error {
        if matches!(failure, SftpFailure::Protocol { .. }) {
            self.connection.wire.end();
        }
        Error::sftp(action, path, failure)
    }
}

/// A name that was free so short a time ago is taken for free: looking costs as much as a small file.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Both common rules for unfinished files hold for it: a leading dot, and a known ending. Always
/// the same name, so that the next try clears away what the last one left.
fn temporary_beside(to: &RemotePath) -> Result<RemotePath, Error> {
    let name = to.name().unwrap_or_default();
    Ok(to.parent().join(&format!(".{name}.part"))?)
}

/// `None` for what is not a file. A server that tells no mode has only files to show.
fn as_file(path: &RemotePath, found: &Attributes) -> Option<RemoteFile> {
    let is_file = found.is_file().unwrap_or(true);
    let name = path.name().filter(|_| is_file)?;
    Some(listing::file(name, found))
}
