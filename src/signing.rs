//! Signs what leaves the house with the site's key, as `ssh-keygen -Y sign` does.
//!
//! Comes in: the file of an Ed25519 key, and bytes. Goes out: a detached signature in the form of
//! OpenSSH's `PROTOCOL.sshsig`, the same for the same bytes, which `ssh-keygen -Y verify` checks. It
//! does not know what the bytes say or who reads them.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use russh::keys::{
    Algorithm, HashAlg, PrivateKey,
    key::safe_rng,
    ssh_key::{self, LineEnding},
};

use crate::{crash_points::around, domain::Disposition};

/// What the signatures of receipts are for: one made for anything else does not fit.
pub const RECEIPTS: &str = "kuori-receipt";

/// Why something could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read the signing key `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("others than the owner can read the signing key `{path}`: `chmod 600` it")]
    Open { path: PathBuf },
    #[error("`{path}` is no OpenSSH private key")]
    Key {
        path: PathBuf,
        source: ssh_key::Error,
    },
    #[error("`{path}` is no Ed25519 key without a passphrase")]
    Kind { path: PathBuf },
    #[error("cannot make the signing key `{path}`")]
    Make { path: PathBuf, source: io::Error },
    #[error("cannot sign")]
    Sign(#[source] ssh_key::Error),
}

impl Error {
    /// A key is mended by somebody who knows what it is for.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Read { .. }
            | Self::Open { .. }
            | Self::Key { .. }
            | Self::Kind { .. }
            | Self::Make { .. }
            | Self::Sign(_) => Disposition::Hold,
        }
    }
}

/// The site's key.
pub struct Signer(PrivateKey);

impl Signer {
    /// Reads a key that nobody but its owner can read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let read = |source| Error::Read {
            path: path.to_owned(),
            source,
        };
        let mode = fs::metadata(path).map_err(read)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(Error::Open {
                path: path.to_owned(),
            });
        }
        let text = fs::read_to_string(path).map_err(read)?;
        let key = PrivateKey::from_openssh(text).map_err(|source| Error::Key {
            path: path.to_owned(),
            source,
        })?;
        if key.is_encrypted() || key.algorithm() != Algorithm::Ed25519 {
            return Err(Error::Kind {
                path: path.to_owned(),
            });
        }
        Ok(Self(key))
    }

    /// As [`Signer::open`]; where there is no file, a new key is made, with mode 0600.
    pub fn open_or_make(path: &Path) -> Result<Self, Error> {
        if !path.exists() {
            make(path).map_err(|source| Error::Make {
                path: path.to_owned(),
                source,
            })?;
        }
        Self::open(path)
    }

    /// The armoured signature of `bytes` for what `namespace` names, such as [`RECEIPTS`].
    pub fn sign(&self, namespace: &str, bytes: &[u8]) -> Result<String, Error> {
        let signed = self.0.sign(namespace, HashAlg::Sha512, bytes);
        signed
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(Error::Sign)
    }

    /// The line of an `allowed_signers` file by which `identity` may sign for `namespace` alone.
    pub fn allowed_signers_line(&self, identity: &str, namespace: &str) -> Result<String, Error> {
        let mut key = self.0.public_key().clone();
        key.set_comment("");
        let key = key.to_openssh().map_err(Error::Sign)?;
        Ok(format!(
            "{identity} namespaces=\"{namespace}\" {}",
            key.trim_end()
        ))
    }
}

/// A temporary file has mode 0600, and appears under its name only when it is whole.
fn make(path: &Path) -> io::Result<()> {
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519)
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(io::Error::other)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    // The first thing in a data folder may be this key: the folder is as private as the daemon makes it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(key.as_bytes())?;
    around("sync", "signing: key", || file.as_file().sync_all())?;
    around("rename", "signing: key", || file.persist_noclobber(path))?;
    around("sync", "signing: folder of the key", || {
        File::open(folder)?.sync_all()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("receipt.key")
    }

    #[test]
    fn a_key_is_made_once_and_signs_the_same_bytes_alike() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            Signer::open(&key(&folder)),
            Err(Error::Read { .. })
        ));
        let made = Signer::open_or_make(&key(&folder)).unwrap();
        let found = Signer::open_or_make(&key(&folder)).unwrap();
        let signature = made.sign(RECEIPTS, b"receipt").unwrap();
        assert_eq!(signature, found.sign(RECEIPTS, b"receipt").unwrap());
        assert!(signature.starts_with("-----BEGIN SSH SIGNATURE-----\n"));
        assert_ne!(signature, found.sign(RECEIPTS, b"another").unwrap());
        assert_ne!(signature, found.sign("file", b"receipt").unwrap());
    }

    #[test]
    fn a_folder_that_is_made_for_a_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("data");
        Signer::open_or_make(&made.join("receipt.key")).unwrap();
        let permissions = fs::metadata(&made).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o700);
    }

    #[test]
    fn the_line_for_the_other_side_names_who_signs_what() {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::open_or_make(&key(&folder)).unwrap();
        let line = signer.allowed_signers_line("kuori", RECEIPTS).unwrap();
        let start = "kuori namespaces=\"kuori-receipt\" ssh-ed25519 AAAA";
        assert!(
            line.starts_with(start) && line.split(' ').count() == 4,
            "{line}"
        );
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_of_another_kind_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = key(&folder);
        Signer::open_or_make(&path).unwrap();
        let open_to_all = fs::Permissions::from_mode(0o644);
        fs::set_permissions(&path, open_to_all).unwrap();
        assert!(matches!(Signer::open(&path), Err(Error::Open { .. })));

        let algorithm = Algorithm::Ecdsa {
            curve: russh::keys::EcdsaCurve::NistP256,
        };
        let other = PrivateKey::random(&mut safe_rng(), algorithm).unwrap();
        let path = folder.path().join("other.key");
        other.write_openssh_file(&path, LineEnding::LF).unwrap();
        assert!(matches!(Signer::open(&path), Err(Error::Kind { .. })));
    }
}
