use std::path::Path;

use russh::keys::{Algorithm, PrivateKey, key::safe_rng, ssh_key::LineEnding};

use super::Error;

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
        key.write_openssh_file(path, LineEnding::LF)
            .map_err(failed)?;
        key
    };
    key.set_comment(comment);
    key.public_key().to_openssh().map_err(failed)
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
