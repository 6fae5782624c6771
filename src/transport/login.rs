use std::{
    fs,
    io::Read,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Interactive},
    keys::{
        self, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey,
        agent::{AgentIdentity, client::AgentClient},
    },
};
use rustix::process::getuid;
use tokio::time::timeout;

use super::{Error, SftpSettings, host_key::HostKeyCheck};
use crate::domain::Private;

/// How we show who we are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// An unencrypted private key: Ed25519, ECDSA, or RSA (with SHA-2 signatures only).
    Key(PathBuf),
    /// A private key, and a file that holds the passphrase it is encrypted with.
    EncryptedKey { key: PathBuf, passphrase: PathBuf },
    /// The agent behind `SSH_AUTH_SOCK`: with all of its keys, or only with the one whose public
    /// half is in this file.
    Agent { public_key: Option<PathBuf> },
    /// A file that holds the password; a line end behind it is not part of it. Where the server
    /// has only `keyboard-interactive` for passwords, that is answered with it.
    PasswordFile(PathBuf),
    /// One after the other: until the server is content, as some ask for more than one.
    InOrder(Vec<Login>),
}

type Ssh = Handle<HostKeyCheck>;

pub(super) async fn log_in(ssh: &mut Ssh, settings: &SftpSettings) -> Result<(), Error> {
    let one = [settings.login.clone()];
    let ways = match &settings.login {
        Login::InOrder(ways) => ways.as_slice(),
        Login::Key(_)
        | Login::EncryptedKey { .. }
        | Login::Agent { .. }
        | Login::PasswordFile(_) => &one,
    };
    let mut refused = Refused::default();
    for way in ways {
        match try_way(ssh, settings, way).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure {
                remaining_methods,
                partial_success,
            } => {
                if remaining_methods.is_empty() && !partial_success && is_over(ssh).await {
                    return Err(connect_error(settings, russh::Error::Disconnect));
                }
                refused.note(&remaining_methods, partial_success);
            }
        }
    }
    Err(refused.error(settings))
}

/// A connection that breaks during the login: the SSH library tells that as a refusal after which
/// no method is left.
async fn is_over(ssh: &mut Ssh) -> bool {
    timeout(Duration::from_secs(1), ssh).await.is_ok()
}

/// What the server said last.
#[derive(Default)]
struct Refused {
    offers: Vec<&'static str>,
    was_one_taken: bool,
}

impl Refused {
    fn note(&mut self, offers: &MethodSet, was_taken: bool) {
        self.offers = offers.iter().map(<&'static str>::from).collect();
        self.was_one_taken |= was_taken;
    }

    fn error(self, settings: &SftpSettings) -> Error {
        let offers = if self.offers.is_empty() {
            "nothing further".to_owned()
        } else {
            self.offers.join(", ")
        };
        let told = if self.was_one_taken {
            format!("it took one way of logging in, and asks for one more of: {offers}")
        } else {
            format!("it offers: {offers}")
        };
        Error::LoginRefused {
            server: settings.server(),
            user: settings.user.clone(),
            told,
        }
    }
}

async fn try_way(ssh: &mut Ssh, settings: &SftpSettings, way: &Login) -> Result<AuthResult, Error> {
    let user = settings.user.as_str();
    match way {
        Login::Key(path) => with_key(ssh, settings, path, None).await,
        Login::EncryptedKey { key, passphrase } => {
            let passphrase = secret(passphrase)?;
            with_key(ssh, settings, key, Some(passphrase)).await
        }
        Login::Agent { public_key } => with_agent(ssh, settings, public_key.as_deref()).await,
        Login::PasswordFile(path) => {
            let password = secret(path)?;
            let answer = ssh.authenticate_password(user, password.expose()).await;
            let answer = answer.map_err(|source| connect_error(settings, source))?;
            if asks_for_password_otherwise(&answer) {
                interactively(ssh, settings, &password).await
            } else {
                Ok(answer)
            }
        }
        // The settings make no such thing.
        Login::InOrder(_) => Ok(AuthResult::Failure {
            remaining_methods: MethodSet::empty(),
            partial_success: false,
        }),
    }
}

async fn with_key(
    ssh: &mut Ssh,
    settings: &SftpSettings,
    path: &Path,
    passphrase: Option<Private<String>>,
) -> Result<AuthResult, Error> {
    let file = path.to_owned();
    // Opening an encrypted key is made to cost time.
    let key = tokio::task::spawn_blocking(move || private_key(&file, passphrase.as_ref())).await;
    let key = key.map_err(|_| Error::PrivateKey {
        path: path.to_owned(),
        source: keys::Error::CouldNotReadKey,
    })??;
    // Every server since OpenSSH 7.2 takes this; without it an RSA key would sign with SHA-1.
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), Some(HashAlg::Sha512));
    let answer = ssh.authenticate_publickey(&settings.user, key).await;
    answer.map_err(|source| connect_error(settings, source))
}

fn private_key(path: &Path, passphrase: Option<&Private<String>>) -> Result<PrivateKey, Error> {
    let unreadable = |source| Error::PrivateKey {
        path: path.to_owned(),
        source,
    };
    let mut file = fs::File::open(path).map_err(|error| unreadable(error.into()))?;
    let found = file.metadata().map_err(|error| unreadable(error.into()))?;
    // As OpenSSH: a file of somebody else's is for them to protect.
    if found.uid() == getuid().as_raw() && found.mode() & 0o077 != 0 {
        return Err(Error::KeyOpenToOthers {
            path: path.to_owned(),
            mode: found.mode() & 0o777,
        });
    }
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    read.map_err(|error| unreadable(error.into()))?;
    let passphrase = passphrase.map(|secret| secret.expose().as_str());
    match keys::decode_secret_key(&text, passphrase) {
        Err(keys::Error::KeyIsEncrypted) => Err(Error::KeyEncrypted {
            path: path.to_owned(),
        }),
        key => key.map_err(unreadable),
    }
}

fn asks_for_password_otherwise(answer: &AuthResult) -> bool {
    match answer {
        AuthResult::Success => false,
        AuthResult::Failure {
            remaining_methods, ..
        } => {
            let offers = |method| remaining_methods.contains(&method);
            offers(MethodKind::KeyboardInteractive) && !offers(MethodKind::Password)
        }
    }
}

/// Rounds of questions; one is the rule, some servers add an empty one.
const MOST_ROUNDS: usize = 5;

async fn interactively(
    ssh: &mut Ssh,
    settings: &SftpSettings,
    password: &Private<String>,
) -> Result<AuthResult, Error> {
    let failed = |source| connect_error(settings, source);
    let user = settings.user.as_str();
    let started = ssh
        .authenticate_keyboard_interactive_start(user, None)
        .await;
    let mut answer = started.map_err(failed)?;
    let mut was_told = false;
    for _ in 0..MOST_ROUNDS {
        let prompts = match answer {
            Interactive::Success => return Ok(AuthResult::Success),
            Interactive::Failure {
                remaining_methods,
                partial_success,
            } => {
                return Ok(AuthResult::Failure {
                    remaining_methods,
                    partial_success,
                });
            }
            Interactive::InfoRequest { prompts, .. } => prompts,
        };
        let answers = match prompts.as_slice() {
            [] => Vec::new(),
            [one] if !one.echo && !was_told => vec![password.expose().clone()],
            // A code, or the password once more: we have no other answer.
            _ => break,
        };
        was_told |= !answers.is_empty();
        let responded = ssh.authenticate_keyboard_interactive_respond(answers);
        answer = responded.await.map_err(failed)?;
    }
    Err(Error::LoginRefused {
        server: settings.server(),
        user: settings.user.clone(),
        told: "it asks questions that a password does not answer".to_owned(),
    })
}

async fn with_agent(
    ssh: &mut Ssh,
    settings: &SftpSettings,
    only: Option<&Path>,
) -> Result<AuthResult, Error> {
    let no_agent = |source| Error::Agent { source };
    let mut agent = AgentClient::connect_env().await.map_err(no_agent)?;
    let keys = agent.request_identities().await.map_err(no_agent)?;
    let only = only.map(public_key).transpose()?;
    let mut last = None;
    for key in keys {
        let AgentIdentity::PublicKey { key, .. } = key else {
            continue;
        };
        if only
            .as_ref()
            .is_some_and(|only| only.key_data() != key.key_data())
        {
            continue;
        }
        let hash = key.algorithm().is_rsa().then_some(HashAlg::Sha512);
        let user = settings.user.as_str();
        let answer = ssh.authenticate_publickey_with(user, key, hash, &mut agent);
        // A key that the agent does not sign with is as one that the server does not take.
        let Ok(answer) = answer.await else { continue };
        let is_decided = match &answer {
            AuthResult::Success => true,
            AuthResult::Failure {
                partial_success, ..
            } => *partial_success,
        };
        last = Some(answer);
        if is_decided {
            break;
        }
    }
    last.ok_or(Error::NoAgentKey)
}

fn public_key(path: &Path) -> Result<PublicKey, Error> {
    keys::load_public_key(path).map_err(|source| Error::PrivateKey {
        path: path.to_owned(),
        source,
    })
}

fn secret(path: &Path) -> Result<Private<String>, Error> {
    let text = fs::read_to_string(path).map_err(|source| Error::PasswordFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(Private::from(text.trim_end_matches(['\r', '\n'])))
}

fn connect_error(settings: &SftpSettings, source: russh::Error) -> Error {
    Error::Connect {
        server: settings.server(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::fs::PermissionsExt};

    use russh::keys::{Algorithm, key::safe_rng, ssh_key::LineEnding};

    use super::*;

    fn key_file(mode: u32, passphrase: Option<&str>) -> tempfile::NamedTempFile {
        let mut key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        if let Some(passphrase) = passphrase {
            key = key.encrypt(&mut safe_rng(), passphrase).unwrap();
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let text = key.to_openssh(LineEnding::LF).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let mode = fs::Permissions::from_mode(mode);
        file.as_file().set_permissions(mode).unwrap();
        file
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_to_type() {
        for mode in [0o640, 0o604, 0o620] {
            let file = key_file(mode, None);
            let error = private_key(file.path(), None).unwrap_err().to_string();
            assert!(error.contains("chmod 600"), "{error}");
        }
        let file = key_file(0o400, None);
        assert!(private_key(file.path(), None).is_ok());
    }

    #[test]
    fn an_encrypted_key_needs_its_passphrase() {
        let file = key_file(0o600, Some("open sesame"));
        let error = private_key(file.path(), None).unwrap_err();
        assert!(matches!(error, Error::KeyEncrypted { .. }), "{error:?}");
        let right = Private::from("open sesame");
        assert!(private_key(file.path(), Some(&right)).is_ok());
        let wrong = Private::from("open");
        let error = private_key(file.path(), Some(&wrong)).unwrap_err();
        assert!(matches!(error, Error::PrivateKey { .. }), "{error:?}");
    }
}
