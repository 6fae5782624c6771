use std::{
    borrow::Cow,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use russh::{
    Preferred, client,
    keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate},
};
use tokio::time::timeout;

use super::Error;

/// A key that a server shows for itself. Nothing vouches for it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownKey {
    /// As `ssh-ed25519`.
    pub algorithm: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// A line of a `known_hosts` file, without its end.
    pub known_hosts_line: String,
}

/// Asks a server for its host keys, one of each kind that we would take, and goes away again
/// without logging in.
pub async fn show_host_keys(host: &str, port: u16, time: Duration) -> Result<Vec<ShownKey>, Error> {
    let mut shown = Vec::new();
    let mut first_error = None;
    for algorithm in kinds() {
        match timeout(time, ask_for(host, port, algorithm)).await {
            Ok(Ok(key)) => shown.push(key),
            Ok(Err(error)) => {
                first_error.get_or_insert(error);
            }
            Err(_) => {
                let server = format!("{host}:{port}");
                return Err(Error::ConnectTimeout { server });
            }
        }
    }
    match first_error {
        Some(error) if shown.is_empty() => Err(error),
        _ => Ok(shown.into_iter().flatten().collect()),
    }
}

fn kinds() -> [Algorithm; 3] {
    let curve = EcdsaCurve::NistP256;
    let hash = Some(HashAlg::Sha512);
    [
        Algorithm::Ed25519,
        Algorithm::Ecdsa { curve },
        Algorithm::Rsa { hash },
    ]
}

/// `None` where the server has no key of this kind.
async fn ask_for(host: &str, port: u16, kind: Algorithm) -> Result<Option<ShownKey>, Error> {
    let config = client::Config {
        preferred: Preferred {
            key: Cow::Owned(vec![kind]),
            ..Preferred::DEFAULT
        },
        ..client::Config::default()
    };
    let seen = Arc::new(Mutex::new(None));
    let look = Look(Arc::clone(&seen));
    // It ends in our own refusal.
    let ended = client::connect(Arc::new(config), (host, port), look).await;
    let key = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (key, ended) {
        (Some(key), _) => Ok(shown(host, port, &key)),
        (None, Err(russh::Error::NoCommonAlgo { .. }) | Ok(_)) => Ok(None),
        (None, Err(source)) => Err(Error::Connect {
            server: format!("{host}:{port}"),
            source,
        }),
    }
}

fn shown(host: &str, port: u16, key: &PublicKey) -> Option<ShownKey> {
    let line = key.to_openssh().ok()?;
    let mut words = line.split(' ');
    let (algorithm, base64) = (words.next()?.to_owned(), words.next()?);
    let host = if port == 22 {
        host.to_owned()
    } else {
        format!("[{host}]:{port}")
    };
    Some(ShownKey {
        known_hosts_line: format!("{host} {algorithm} {base64}"),
        fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        algorithm,
    })
}

struct Look(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for Look {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = shown {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        }
        Ok(false)
    }
}
