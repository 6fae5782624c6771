use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
};

use super::Error;
use crate::{crash_points::around, domain::RecipientId};

const KEY_BYTES: usize = 32;

/// The secret that turns a recipient's id into the name of their folder.
///
/// There are few enough identity codes to try them all against a plain digest, so the digest is
/// keyed. Whoever loses the key loses the way from recipients to their folders: back it up.
#[derive(Clone)]
pub struct FolderKey([u8; KEY_BYTES]);

impl FolderKey {
    /// Reads the key, or makes one from the system's random numbers where there is no such file.
    ///
    /// The file holds 32 bytes and is made with mode 0600.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = read_or_make(path, random_bytes).map_err(|source| Error::Key {
            path: path.to_owned(),
            source,
        })?;
        let key = bytes.as_slice().try_into().map_err(|_| Error::KeyLength {
            path: path.to_owned(),
            bytes: bytes.len(),
        });
        key.map(Self)
    }

    /// 32 hexadecimal digits: the first half of the keyed BLAKE3 of the recipient's id.
    pub(super) fn folder_name(&self, recipient: &RecipientId) -> String {
        self.digest(recipient.expose())
    }

    /// Tells this key from another one and gives nothing of it away.
    pub(super) fn check_value(&self) -> String {
        self.digest("which folder key these mailboxes were made with")
    }

    fn digest(&self, text: &str) -> String {
        let mut hex = blake3::keyed_hash(&self.0, text.as_bytes())
            .to_hex()
            .to_string();
        hex.truncate(32);
        hex
    }
}

impl From<[u8; KEY_BYTES]> for FolderKey {
    fn from(key: [u8; KEY_BYTES]) -> Self {
        Self(key)
    }
}

impl fmt::Debug for FolderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Reads a small file; where there is none, makes it durably first, with mode 0600.
///
/// Two processes that make it at once both read what the first one made.
pub(super) fn read_or_make(
    path: &Path,
    content: impl FnOnce() -> io::Result<Vec<u8>>,
) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        read => return read,
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    draft.write_all(&content()?)?;
    around("sync", "mailbox: key", || draft.as_file().sync_all())?;
    match around("rename", "mailbox: key", || draft.persist_noclobber(path)) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(error.error);
        }
        _ => around("sync", "mailbox: folder of the key", || {
            File::open(folder)?.sync_all()
        })?,
    }
    fs::read(path)
}

/// As many as a key has.
pub(super) fn random_bytes() -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; KEY_BYTES];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}
