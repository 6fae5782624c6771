use std::{sync::Arc, thread};

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::phc::Salt};
use tokio::sync::Semaphore;

use super::Error;

/// What is compared where there is no hash, so that an unknown user takes as long as a known one: a
/// hash of the parameters that [`hash_password`] uses, of nothing that anybody knows.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$S3VvcmlLdW9yaUt1b3Jp$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Longest password that is looked at, in bytes.
const MAX_BYTES: usize = 1024;

/// The argon2id hash of a password as a PHC string: 19 MiB, two passes, one lane (OWASP Password
/// Storage Cheat Sheet), and a salt of 16 random bytes.
pub fn hash_password(password: &str) -> Result<String, Error> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(Error::Password)
}

/// A password of 128 random bits, in letters and digits that are not mistaken for others.
pub fn new_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bits = Salt::generate()
        .iter()
        .fold(0, |bits: u128, byte| bits << 8 | u128::from(*byte));
    let mut letter = || {
        let letter = LETTERS.get((bits % 32) as usize).copied().unwrap_or(b'x');
        bits /= 32;
        char::from(letter)
    };
    (0..26).map(|_| letter()).collect()
}

pub(super) fn is_hash(text: &str) -> bool {
    text.starts_with("$argon2id$") && PasswordHash::new(text).is_ok()
}

/// Compares passwords, so many at once: each costs 19 MiB and some hundredths of a second of a core,
/// and half of the cores stay for the rest.
#[derive(Debug)]
pub(super) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl Passwords {
    /// Whether `password` is the one of `hash`; as slow where there is no hash.
    pub(super) async fn is_right(&self, password: &str, hash: Option<&str>) -> bool {
        if password.len() > MAX_BYTES {
            return false;
        }
        let Ok(place) = Arc::clone(&self.0).acquire_owned().await else {
            return false;
        };
        let is_known = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        let password = password.to_owned();
        let compared = tokio::task::spawn_blocking(move || {
            // Held here: the work goes on where the connection that asked for it is gone.
            let _place = place;
            is_of(&password, &hash)
        });
        compared.await.unwrap_or(false) && is_known
    }
}

fn is_of(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|hash| {
        let compared = Argon2::default().verify_password(password.as_bytes(), &hash);
        compared.is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right_and_nobody_s_never() {
        let hash = hash_password("correct horse").unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let passwords = Passwords::default();
        assert!(passwords.is_right("correct horse", Some(&hash)).await);
        assert!(!passwords.is_right("correct hors", Some(&hash)).await);
        assert!(!passwords.is_right("", Some(&hash)).await);
        assert!(!passwords.is_right("correct horse", None).await);
        let long = "a".repeat(MAX_BYTES + 1);
        assert!(!passwords.is_right(&long, Some(&hash)).await);
    }

    #[test]
    fn what_stands_for_nobody_costs_as_much_as_a_hash_of_ours() {
        let ours = hash_password("x").unwrap();
        let cost = |hash: &str| hash.split('$').nth(3).map(str::to_owned);
        assert_eq!(cost(NOBODY), cost(&ours));
        assert!(is_hash(NOBODY) && is_hash(&ours));
        assert!(!is_hash("hunter2"));
    }

    #[test]
    fn made_passwords_differ_and_are_long_enough() {
        let (one, other) = (new_password(), new_password());
        assert_ne!(one, other);
        assert_eq!(one.len(), 26);
    }
}
