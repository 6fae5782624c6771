use std::{fs, io, io::Write, os::unix::fs::PermissionsExt, path::Path};

use russh::keys::{Algorithm, EcdsaCurve, PrivateKey, key::safe_rng, ssh_key::LineEnding};

use super::Error;
use crate::crash_points::around;

/// Old Java clients (`JSch` 0.1.55) know no Ed25519, so there is an ECDSA key beside it. RSA is
/// left out: the crate that would sign with it leaks timing (RUSTSEC-2023-0071).
const KEYS: [(&str, Algorithm); 2] = [
    ("ssh_host_ed25519_key", Algorithm::Ed25519),
    (
        "ssh_host_ecdsa_key",
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
    ),
];

/// Reads the host keys in `folder`, and makes those that are not there, with mode 0600.
pub(super) fn load_or_make(folder: &Path) -> Result<Vec<PrivateKey>, Error> {
    fs::create_dir_all(folder).map_err(|source| Error::Folder {
        path: folder.to_owned(),
        source,
    })?;
    KEYS.into_iter()
        .map(|(name, algorithm)| {
            let path = folder.join(name);
            if !path.exists() {
                make(folder, &path, algorithm)?;
            }
            load(&path)
        })
        .collect()
}

fn load(path: &Path) -> Result<PrivateKey, Error> {
    let mode = fs::metadata(path)
        .map_err(|source| Error::StoreHostKey {
            path: path.to_owned(),
            source,
        })?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(Error::HostKeyOpen {
            path: path.to_owned(),
        });
    }
    PrivateKey::read_openssh_file(path).map_err(|source| Error::HostKey {
        path: path.to_owned(),
        source,
    })
}

fn make(folder: &Path, path: &Path, algorithm: Algorithm) -> Result<(), Error> {
    let text = PrivateKey::random(&mut safe_rng(), algorithm)
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|source| Error::HostKey {
            path: path.to_owned(),
            source,
        })?;
    store(folder, path, text.as_bytes()).map_err(|source| Error::StoreHostKey {
        path: path.to_owned(),
        source,
    })
}

/// A temporary file has mode 0600, and appears under its name only when it is whole.
fn store(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    around("sync", "sftp_server: host key", || {
        file.as_file().sync_all()
    })?;
    around("rename", "sftp_server: host key", || {
        file.persist_noclobber(path)
    })?;
    around("sync", "sftp_server: folder of the host key", || {
        fs::File::open(folder)?.sync_all()
    })
}
