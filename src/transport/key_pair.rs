use std::{fs::File, io, io::Write, path::Path};

use russh::keys::{Algorithm, PrivateKey, key::safe_rng, ssh_key::LineEnding};

use super::Error;
use crate::crash_points::around;

/// Makes an Ed25519 key pair for logging in: the private key at `path` with mode 0600, the public
/// one returned as a line of `authorized_keys`. A key that stands there already is read instead.
pub fn make_key_pair(path: &Path, comment: &str) -> Result<String, Error> {
    let failed = |source| Error::MakeKey {
        path: path.to_owned(),
        source,
    };
    let mut key = if path.exists() {
        PrivateKey::read_openssh_file(path).map_err(failed)?
    } else {
        let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(failed)?;
        let text = key.to_openssh(LineEnding::LF).map_err(failed)?;
        store(path, text.as_bytes()).map_err(|error| failed(error.into()))?;
        key
    };
    key.set_comment(comment);
    key.public_key().to_openssh().map_err(failed)
}

/// A temporary file has mode 0600, and appears under its name only when it is whole.
fn store(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    around("sync", "transport: key", || file.as_file().sync_all())?;
    around("rename", "transport: key", || file.persist_noclobber(path))?;
    around("sync", "transport: folder of the key", || {
        File::open(folder)?.sync_all()
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_pair_is_made_once_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("id");
        let public = make_key_pair(&path, "demo").unwrap();
        assert!(
            public.starts_with("ssh-ed25519 ") && public.ends_with(" demo"),
            "{public}"
        );
        assert_eq!(make_key_pair(&path, "demo").unwrap(), public);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
