use std::{fs, net::SocketAddr, path::Path};

use super::Error;
use crate::transport::{
    HostKey, Login, ReadBack, RemoteFolder, RemotePath, SftpFolder, SftpSettings, make_key_pair,
};

/// A sender or a print house as it sits at the other end of the line: logs in to an SFTP server
/// with a key and a pinned host key, uploads and fetches. For `kuori demo` and for tests.
pub struct Party {
    name: String,
    folder: SftpFolder,
}

impl Party {
    /// Makes the party's key pair, or finds it, and returns the public key for its account.
    pub fn make_key(name: &str, key: &Path) -> Result<String, Error> {
        make_key_pair(key, name).map_err(|source| connect(name, source))
    }

    /// Logs in. `fingerprints` are those of the host keys that the server may show.
    pub async fn log_in(
        name: &str,
        key: &Path,
        server: SocketAddr,
        fingerprints: Vec<String>,
    ) -> Result<Self, Error> {
        let settings = SftpSettings {
            host: server.ip().to_string(),
            port: server.port(),
            user: name.to_owned(),
            login: Login::Key(key.to_owned()),
            host_key: HostKey::Fingerprints(fingerprints),
            ..SftpSettings::default()
        };
        let folder = SftpFolder::connect(settings)
            .await
            .map_err(|source| connect(name, source))?;
        Ok(Self {
            name: name.to_owned(),
            folder,
        })
    }

    /// Uploads a file under a temporary name and renames it.
    pub async fn upload(&self, from: &Path, to: &str) -> Result<(), Error> {
        let uploaded = self.folder.upload(from, &path(to)?, ReadBack::Size).await;
        uploaded
            .map(drop)
            .map_err(|source| connect(&self.name, source))
    }

    /// Whether no file stands in a folder.
    pub async fn finds_empty(&self, folder: &str) -> Result<bool, Error> {
        let listed = self.folder.list(&path(folder)?).await;
        let listed = listed.map_err(|source| connect(&self.name, source))?;
        Ok(listed.files.is_empty())
    }

    /// Fetches every file of a folder into a local one, and returns their names, sorted.
    pub async fn fetch(&self, from: &str, to: &Path) -> Result<Vec<String>, Error> {
        let failed = |source| Error::Folder {
            folder: to.to_owned(),
            source,
        };
        fs::create_dir_all(to).map_err(failed)?;
        let from = path(from)?;
        let listing = self
            .folder
            .list(&from)
            .await
            .map_err(|source| connect(&self.name, source))?;
        let mut names: Vec<_> = listing.files.into_iter().map(|file| file.name).collect();
        names.sort();
        for name in &names {
            let mut file = fs::File::create(to.join(name)).map_err(failed)?;
            let path = path(&format!("{from}/{name}"))?;
            let fetched = self.folder.download(&path, &mut file).await;
            fetched.map_err(|source| connect(&self.name, source))?;
        }
        Ok(names)
    }
}

fn path(path: &str) -> Result<RemotePath, Error> {
    path.parse().map_err(|source| Error::Path {
        path: path.to_owned(),
        source,
    })
}

fn connect(name: &str, source: crate::transport::Error) -> Error {
    Error::Connect {
        place: name.to_owned(),
        source,
    }
}
