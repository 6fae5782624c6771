use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use russh::{
    Preferred, SshId, cipher, client, compression,
    keys::{self, Algorithm, EcdsaCurve, HashAlg, PrivateKeyWithHashAlg},
};
use russh_sftp::{
    client::{Config as SftpConfig, RawSftpSession, error::Error as SftpError},
    extensions,
};
use tokio::time::timeout;

use super::{
    Error, HostKey,
    digest::CHUNK_BYTES,
    host_key::{CheckError, HostKeyCheck, Pins},
};
use crate::domain::Private;

/// How we show who we are.
#[derive(Debug, Clone)]
pub enum Login {
    /// An unencrypted private key: Ed25519, ECDSA, or RSA (with SHA-2 signatures only).
    Key(PathBuf),
    /// A file that holds the password; a line end behind it is not part of it.
    PasswordFile(PathBuf),
}

/// An SFTP server and how to use it.
#[derive(Debug, Clone)]
pub struct SftpSettings {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub login: Login,
    pub host_key: HostKey,
    /// Folder on the server that paths are relative to; empty is where the login lands.
    pub root: String,
    /// From the first packet to the start of the SFTP service.
    pub connect_timeout_secs: u64,
    /// For one request, from when it is queued: behind others it waits for their data, so
    /// `in_flight` times 255 KiB must pass in this time on the slowest line.
    pub request_timeout_secs: u64,
    pub keepalive_secs: u64,
    /// Reads or writes of one file that are under way at once.
    pub in_flight: usize,
    /// What the server may send before we take it; bounds the rate on a long line.
    pub window_bytes: u32,
}

impl Default for SftpSettings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 22,
            user: "kuori".to_owned(),
            login: Login::Key(PathBuf::from("id_ed25519")),
            host_key: HostKey::Fingerprints(Vec::new()),
            root: String::new(),
            connect_timeout_secs: 20,
            request_timeout_secs: 90,
            keepalive_secs: 15,
            in_flight: 16,
            window_bytes: 16 * 1024 * 1024,
        }
    }
}

impl SftpSettings {
    pub(super) fn server(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// A logged-in connection with its SFTP session.
pub(super) struct Connection {
    pub(super) sftp: RawSftpSession,
    /// Bytes of one read or write.
    pub(super) chunk_bytes: usize,
    pub(super) has_fsync: bool,
    ssh: client::Handle<HostKeyCheck>,
    broken: AtomicBool,
}

impl Connection {
    pub(super) async fn open(settings: &SftpSettings) -> Result<Self, Error> {
        let time = Duration::from_secs(settings.connect_timeout_secs);
        let opened = timeout(time, Self::open_untimed(settings)).await;
        opened.unwrap_or_else(|_| {
            Err(Error::ConnectTimeout {
                server: settings.server(),
            })
        })
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.broken.load(Ordering::Acquire) && !self.ssh.is_closed()
    }

    /// Takes note of an error after which this connection is not used any more.
    pub(super) fn note(&self, error: &SftpError) {
        if !matches!(error, SftpError::Status(_) | SftpError::Limited(_)) {
            self.broken.store(true, Ordering::Release);
        }
    }

    async fn open_untimed(settings: &SftpSettings) -> Result<Self, Error> {
        let mut ssh = greet(settings).await?;
        log_in(&mut ssh, settings).await?;
        start_sftp(ssh, settings).await
    }
}

async fn greet(settings: &SftpSettings) -> Result<client::Handle<HostKeyCheck>, Error> {
    let pins = Pins::load(settings)?;
    let config = ssh_config(settings, &pins);
    let check = HostKeyCheck {
        server: settings.server(),
        pins,
    };
    let address = (settings.host.as_str(), settings.port);
    client::connect(Arc::new(config), address, check)
        .await
        .map_err(|error| match error {
            CheckError::Ssh(source) => connect_error(settings, source),
            CheckError::Refused(refused) => refused,
        })
}

async fn log_in(
    ssh: &mut client::Handle<HostKeyCheck>,
    settings: &SftpSettings,
) -> Result<(), Error> {
    let user = settings.user.as_str();
    let answer = match &settings.login {
        Login::Key(path) => {
            let key = private_key(path)?;
            ssh.authenticate_publickey(user, key).await
        }
        Login::PasswordFile(path) => {
            let password = password(path)?;
            ssh.authenticate_password(user, password.expose().as_str())
                .await
        }
    };
    let answer = answer.map_err(|source| connect_error(settings, source))?;
    if answer.success() {
        Ok(())
    } else {
        Err(Error::LoginRefused {
            server: settings.server(),
            user: settings.user.clone(),
        })
    }
}

async fn start_sftp(
    ssh: client::Handle<HostKeyCheck>,
    settings: &SftpSettings,
) -> Result<Connection, Error> {
    let failed = |source| connect_error(settings, source);
    let channel = ssh.channel_open_session().await.map_err(failed)?;
    channel
        .request_subsystem(true, "sftp")
        .await
        .map_err(failed)?;
    let config = SftpConfig {
        request_timeout_secs: settings.request_timeout_secs,
        ..SftpConfig::default()
    };
    let sftp = RawSftpSession::new_with_config(channel.into_stream(), config);
    let no_sftp = |source| Error::NoSftp {
        server: settings.server(),
        source,
    };
    let offered = sftp.init().await.map_err(no_sftp)?.extensions;
    let chunk_bytes = if offered.contains_key(extensions::LIMITS) {
        largest_chunk(&sftp).await.map_err(no_sftp)?
    } else {
        LEAST_CHUNK_BYTES
    };
    Ok(Connection {
        sftp,
        chunk_bytes,
        has_fsync: offered.contains_key(extensions::FSYNC),
        ssh,
        broken: AtomicBool::new(false),
    })
}

/// What every server takes (draft-ietf-secsh-filexfer-02, section 3).
const LEAST_CHUNK_BYTES: usize = 32 * 1024;

async fn largest_chunk(sftp: &RawSftpSession) -> Result<usize, SftpError> {
    let limits = sftp.limits().await?;
    let stated = [limits.max_read_len, limits.max_write_len]
        .into_iter()
        .filter(|&limit| limit > 0)
        .min();
    let stated = stated.and_then(|limit| usize::try_from(limit).ok());
    Ok(stated.map_or(LEAST_CHUNK_BYTES, |limit| limit.min(CHUNK_BYTES)))
}

fn ssh_config(settings: &SftpSettings, pins: &Pins) -> client::Config {
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Kuori")),
        window_size: settings.window_bytes,
        channel_buffer_size: 1000,
        preferred: preferred(pins),
        keepalive_interval: Some(Duration::from_secs(settings.keepalive_secs)),
        nodelay: true,
        ..client::Config::default()
    }
}

/// OpenSSH's defaults, with AES-GCM first: it costs a third less where the processor has AES.
/// No SHA-1, no compression.
fn preferred(pins: &Pins) -> Preferred {
    let host_keys = [
        Algorithm::Ed25519,
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP256,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP384,
        },
        Algorithm::Ecdsa {
            curve: EcdsaCurve::NistP521,
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha512),
        },
        Algorithm::Rsa {
            hash: Some(HashAlg::Sha256),
        },
    ];
    Preferred {
        key: Cow::Owned(pins.algorithms(&host_keys)),
        cipher: Cow::Borrowed(&[
            cipher::AES_256_GCM,
            cipher::AES_128_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyWithHashAlg, Error> {
    let key = keys::load_secret_key(path, None).map_err(|source| Error::PrivateKey {
        path: path.to_owned(),
        source,
    })?;
    // Every server since OpenSSH 7.2 takes this; without it an RSA key would sign with SHA-1.
    Ok(PrivateKeyWithHashAlg::new(
        Arc::new(key),
        Some(HashAlg::Sha512),
    ))
}

fn password(path: &Path) -> Result<Private<String>, Error> {
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
