use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use russh::{
    Preferred, SshId, cipher, client, compression,
    keys::{Algorithm, EcdsaCurve, HashAlg},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::{
    Error, SftpSettings,
    digest::CHUNK_BYTES,
    host_key::{CheckError, HostKeyCheck, Pins},
    login::log_in,
    pace::Pace,
    wire::{Bounds, Field, Kind, SftpFailure, Wire},
};

/// A logged-in connection with its SFTP session.
pub(super) struct Connection {
    pub(super) wire: Wire,
    /// Bytes of one read.
    pub(super) read_bytes: usize,
    /// Bytes of one write.
    pub(super) write_bytes: usize,
    pub(super) has_fsync: bool,
    pub(super) max_folder_entries: usize,
    in_flight: usize,
    round_trip: Duration,
    offers: Vec<String>,
    calls: Arc<Semaphore>,
    ssh: client::Handle<HostKeyCheck>,
}

/// Calls that are under way on one connection at once; more wait.
const CALLS_AT_ONCE: usize = 256;

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
        self.wire.is_usable() && !self.ssh.is_closed()
    }

    /// The extensions of the protocol that the server offers.
    pub(super) fn offers(&self) -> &[String] {
        &self.offers
    }

    pub(super) fn pace(&self, chunk_bytes: usize) -> Pace {
        Pace::new(self.in_flight, chunk_bytes, self.round_trip)
    }

    /// Waits until one more call may be under way.
    pub(super) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.calls).acquire_owned().await.ok()
    }

    async fn open_untimed(settings: &SftpSettings) -> Result<Self, Error> {
        let mut ssh = greet(settings).await?;
        log_in(&mut ssh, settings).await?;
        start_sftp(ssh, settings).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.wire.end();
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
    let bounds = Bounds {
        bytes: settings.window_bytes,
        silence: Duration::from_secs(settings.request_timeout_secs),
    };
    let (from, to) = channel.split();
    let no_sftp = |source| Error::NoSftp {
        server: settings.server(),
        source,
    };
    let (wire, offers) = Wire::start(from, to, bounds).await.map_err(no_sftp)?;
    let asked = Instant::now();
    let limits = Limits::ask(&wire, &offers).await.map_err(no_sftp)?;
    wire.limit_handles(limits.handles);
    Ok(Connection {
        wire,
        read_bytes: limits.read_bytes,
        write_bytes: limits.write_bytes,
        has_fsync: offers.iter().any(|name| name == "fsync@openssh.com"),
        max_folder_entries: settings.max_folder_entries,
        in_flight: settings.in_flight,
        round_trip: asked.elapsed(),
        offers,
        calls: Arc::new(Semaphore::new(CALLS_AT_ONCE)),
        ssh,
    })
}

/// What the server takes in one request, and how many handles it gives out.
struct Limits {
    read_bytes: usize,
    write_bytes: usize,
    handles: usize,
}

impl Limits {
    /// Asks, also for how long an answer takes.
    async fn ask(wire: &Wire, offers: &[String]) -> Result<Self, SftpFailure> {
        const LIMITS: &[u8] = b"limits@openssh.com";
        if !offers.iter().any(|name| name.as_bytes() == LIMITS) {
            wire.send(Kind::Lstat, &[Field::Text(b".")])
                .answer()
                .await
                .ok();
            return Ok(Self::least());
        }
        let asked = wire.send(Kind::Extended, &[Field::Text(LIMITS)]);
        let mut told = asked.extended().await?;
        let _packet_bytes = told.u64()?;
        let (read, write, handles) = (told.u64()?, told.u64()?, told.u64()?);
        let least = Self::least();
        Ok(Self {
            read_bytes: chunk(read).unwrap_or(least.read_bytes),
            write_bytes: chunk(write).unwrap_or(least.write_bytes),
            handles: usize::try_from(handles)
                .ok()
                .filter(|&handles| handles > 0)
                .unwrap_or(least.handles),
        })
    }

    /// What every server takes (draft-ietf-secsh-filexfer-02, section 3).
    fn least() -> Self {
        Self {
            read_bytes: 32 * 1024,
            write_bytes: 32 * 1024,
            handles: usize::MAX,
        }
    }
}

fn chunk(stated: u64) -> Option<usize> {
    let stated = usize::try_from(stated).unwrap_or(usize::MAX);
    (stated > 0).then_some(stated.min(CHUNK_BYTES))
}

/// Longest message of data that a server may send: fewer of them cost less, and the SSH library
/// complains of more.
const MAX_MESSAGE_BYTES: u32 = 65_535;

fn ssh_config(settings: &SftpSettings, pins: &Pins) -> client::Config {
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Kuori")),
        window_size: settings.window_bytes,
        maximum_packet_size: MAX_MESSAGE_BYTES,
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

fn connect_error(settings: &SftpSettings, source: russh::Error) -> Error {
    Error::Connect {
        server: settings.server(),
        source,
    }
}
