use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use super::Error;
use crate::{crash_points::around, domain::Private};

/// The service takes none that is shorter.
const SHORTEST: usize = 32;
const LONGEST: usize = 256;
/// Of those that are made here.
const MADE: usize = 48;
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"23456789";
/// Those that need no escape in JSON, shells or TOML.
const SYMBOLS: &[u8] = b"-_.+=:@%,~^";

/// The file that holds a password, and beside it, while the password is being changed, the one that
/// holds the next: `<file>.new`.
pub(super) struct PasswordFile {
    path: PathBuf,
}

/// What the files hold.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Passwords {
    pub(super) current: Private<String>,
    /// To which it was to be changed, where nobody knows whether it was.
    pub(super) next: Option<Private<String>>,
}

/// Only its owner changes the password; the system lets go of it when the process ends.
pub(super) struct ChangeLock {
    _file: File,
}

impl PasswordFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    pub(super) fn read(&self) -> Result<Passwords, Error> {
        let current = content(&self.path);
        let current = current.map_err(|error| self.failed("read", error))?;
        let next = match content(&self.beside(".new")) {
            Ok(next) => Some(next),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.failed("read the one beside", error)),
        };
        Ok(Passwords { current, next })
    }

    /// Whether others than its owner and group can read it.
    pub(super) fn is_open_to_all(&self) -> Result<bool, Error> {
        let metadata = fs::metadata(&self.path);
        let metadata = metadata.map_err(|error| self.failed("look at", error))?;
        Ok(metadata.mode() & 0o004 != 0)
    }

    /// # Errors
    ///
    /// Where another process is changing the password.
    pub(super) fn lock(&self) -> Result<ChangeLock, Error> {
        let opened = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.beside(".lock"));
        let file = opened.map_err(|error| self.failed("lock", error))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(ChangeLock { _file: file }),
            Err(Errno::WOULDBLOCK) => {
                let error = io::Error::other("another process is changing the password");
                Err(self.failed("lock", error))
            }
            Err(error) => Err(self.failed("lock", error.into())),
        }
    }

    /// Durable, so that a password that the service may have taken is never lost.
    pub(super) fn keep_next(&self, next: &Private<String>) -> Result<(), Error> {
        let path = self.target().map_err(|error| self.failed("find", error))?;
        let kept = keep(&path, &beside(&path, ".new"), next);
        kept.map_err(|error| self.failed("write the new one beside", error))
    }

    /// The next password is the password. Another process may have seen that as well.
    pub(super) fn take_over(&self, next: &Private<String>) -> Result<(), Error> {
        let path = self.target().map_err(|error| self.failed("find", error))?;
        #[expect(clippy::disallowed_methods, reason = "the folder is synced below")]
        let renamed = around("rename", "suomifi: password", || {
            fs::rename(beside(&path, ".new"), &path)
        });
        match renamed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let is_there = content(&path).is_ok_and(|current| current == *next);
                if !is_there {
                    return Err(self.failed("replace", error));
                }
            }
            Err(error) => return Err(self.failed("replace", error)),
            Ok(()) => {}
        }
        sync_folder(&path).map_err(|error| self.failed("sync the folder of", error))
    }

    /// The next password was refused.
    pub(super) fn drop_next(&self) -> Result<(), Error> {
        let path = self.target().map_err(|error| self.failed("find", error))?;
        let removed = around("remove", "suomifi: new password", || {
            fs::remove_file(beside(&path, ".new"))
        });
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove the one beside", error))
            }
            _ => Ok(()),
        }
    }

    /// Where the file is, if its path is a link.
    fn target(&self) -> io::Result<PathBuf> {
        fs::canonicalize(&self.path)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let path = self.target().unwrap_or_else(|_| self.path.clone());
        beside(&path, ending)
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> Error {
        Error::PasswordFile {
            doing,
            path: self.path.clone(),
            source,
        }
    }
}

fn content(path: &Path) -> io::Result<Private<String>> {
    let text = fs::read_to_string(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty"));
    }
    Ok(Private::new(password.to_owned()))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

/// Writes `next` as the file `to`, which whoever may read `path` may read.
fn keep(path: &Path, to: &Path, next: &Private<String>) -> io::Result<()> {
    let like = fs::metadata(path)?;
    let mut draft = tempfile::NamedTempFile::new_in(folder_of(path))?;
    writeln!(draft, "{}", next.expose())?;
    let mode = Permissions::from_mode(like.mode() & 0o660);
    draft.as_file().set_permissions(mode)?;
    let own = draft.as_file().metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        fchown(draft.as_file(), Some(like.uid()), Some(like.gid()))?;
    }
    around("sync", "suomifi: new password", || {
        draft.as_file().sync_all()
    })?;
    around("rename", "suomifi: new password", || draft.persist(to))?;
    sync_folder(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    around("sync", "suomifi: folder of the password", || {
        File::open(folder_of(path))?.sync_all()
    })
}

fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// What the service's description asks of a password, and what our file can hold.
///
/// # Errors
///
/// [`Error::Password`], which says what it lacks.
pub(super) fn check(password: &Private<String>) -> Result<(), Error> {
    let text = password.expose();
    let has = |wanted: fn(&u8) -> bool| text.bytes().any(|c| wanted(&c));
    let what = if text.chars().count() < SHORTEST {
        "it has less than 32 characters"
    } else if text.len() > LONGEST {
        "it has more than 256 bytes"
    } else if text.contains('\\') {
        "it has a backslash"
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "it has a space or a control character"
    } else if !has(u8::is_ascii_lowercase) {
        "it has no lower-case letter"
    } else if !has(u8::is_ascii_uppercase) {
        "it has no upper-case letter"
    } else if !has(u8::is_ascii_digit) {
        "it has no digit"
    } else if !has(u8::is_ascii_punctuation) {
        "it has no symbol"
    } else {
        return Ok(());
    };
    Err(Error::Password { what })
}

/// A password that the service takes, of some 280 random bits.
pub fn random_password() -> io::Result<Private<String>> {
    let all = [LOWER, UPPER, DIGITS, SYMBOLS].concat();
    let mut random = File::open("/dev/urandom")?;
    loop {
        let mut text = String::with_capacity(MADE);
        while text.len() < MADE {
            let mut byte = [0];
            random.read_exact(&mut byte)?;
            // A byte past the end is drawn again, so that each character is as likely.
            let drawn = all.get(usize::from(byte[0] & 0x7f));
            text.extend(drawn.map(|c| char::from(*c)));
        }
        let password = Private::new(text);
        if check(&password).is_ok() {
            return Ok(password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_held_to_the_rules_of_the_service() {
        let long = "aB3-".repeat(8);
        let told = |text: &str| match check(&text.into()) {
            Ok(()) => "taken",
            Err(Error::Password { what }) => what,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(told(&long), "taken");
        assert_eq!(told(&long[1..]), "it has less than 32 characters");
        assert_eq!(told(&"aB3-".repeat(64)), "taken");
        assert_eq!(
            told(&("aB3-".repeat(64) + "x")),
            "it has more than 256 bytes"
        );
        assert_eq!(told(&(long.clone() + "\\")), "it has a backslash");
        assert_eq!(
            told(&(long.clone() + "\n")),
            "it has a space or a control character"
        );
        assert_eq!(told(&long.to_uppercase()), "it has no lower-case letter");
        assert_eq!(told(&long.to_lowercase()), "it has no upper-case letter");
        assert_eq!(told(&long.replace('3', "x")), "it has no digit");
        assert_eq!(told(&long.replace('-', "x")), "it has no symbol");
    }

    #[test]
    fn passwords_that_are_made_are_good_and_never_the_same() {
        let made: Vec<_> = (0..50).map(|_| random_password().unwrap()).collect();
        for (index, one) in made.iter().enumerate() {
            assert!(check(one).is_ok());
            assert!(!made[..index].contains(one));
        }
    }

    #[test]
    fn a_new_password_stands_beside_the_old_one_until_it_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        File::create(&path).unwrap().write_all(b"old\r\n").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let file = PasswordFile::new(&path);
        let next = Private::from("new");
        file.keep_next(&next).unwrap();
        let both = file.read().unwrap();
        assert_eq!(both.current.expose(), "old");
        assert_eq!(both.next, Some(next.clone()));
        file.take_over(&next).unwrap();
        // Somebody else may have done it first.
        file.take_over(&next).unwrap();
        assert!(file.take_over(&"other".into()).is_err());
        let one = file.read().unwrap();
        assert_eq!((one.current.expose().as_str(), one.next), ("new", None));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640);
        let lock = file.lock().unwrap();
        assert!(file.lock().is_err());
        drop(lock);
        assert!(file.lock().is_ok());
    }
}
