use std::{
    borrow::Cow,
    collections::HashMap,
    fs,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use russh::{
    MethodKind, MethodSet, Preferred, SshId, cipher, compression,
    keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey},
    server,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{
    Account, Error, Settings,
    account::KnownAccount,
    connection::{self, Shared},
    host_keys,
    jail::Jail,
};

/// Messages of up to 32 KiB that the SSH library holds for a session before it stops reading from
/// the network: what a client that is faster than our disk costs in memory.
const CHANNEL_BUFFER_MESSAGES: usize = 128;

/// The running server. Dropping it stops it as well, without waiting.
#[derive(Debug)]
pub struct Server {
    local_addr: SocketAddr,
    fingerprints: Vec<String>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Makes the host keys and the accounts' folders where they are missing, and listens.
    pub async fn start(settings: Settings, accounts: Vec<Account>) -> Result<Self, Error> {
        let keys = host_keys::load_or_make(&settings.host_keys)?;
        let fingerprints = keys
            .iter()
            .map(|key| key.fingerprint(HashAlg::Sha256).to_string())
            .collect();
        let accounts = known_accounts(&settings, accounts)?;
        let listening = |source| Error::Listen {
            address: settings.listen,
            source,
        };
        let listener = TcpListener::bind(settings.listen)
            .await
            .map_err(listening)?;
        let local_addr = listener.local_addr().map_err(listening)?;
        let shared = Arc::new(Shared {
            ssh: Arc::new(ssh_config(&settings, keys)),
            settings: Arc::new(settings),
            accounts,
        });
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            local_addr,
            fingerprints,
            stop,
            accepting: tokio::spawn(accept_all(listener, shared, stopped)),
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// SHA-256 fingerprints of the host keys, as `ssh-keygen -l` prints them: what a client
    /// pins.
    pub fn fingerprints(&self) -> Vec<String> {
        self.fingerprints.clone()
    }

    /// Closes every connection and returns when their sessions are over. What was not closed by
    /// its client did not arrive.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let _ = (&mut self.accepting).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
    }
}

fn known_accounts(
    settings: &Settings,
    accounts: Vec<Account>,
) -> Result<HashMap<String, Arc<KnownAccount>>, Error> {
    let making = |source| Error::Folder {
        path: settings.root.clone(),
        source,
    };
    fs::create_dir_all(&settings.root).map_err(making)?;
    let mut known = HashMap::new();
    for account in accounts {
        let account = KnownAccount::new(account, settings.max_connections_per_account)?;
        Jail::prepare(&settings.root, &account).map_err(making)?;
        let name = account.account.name.clone();
        if known.insert(name.clone(), Arc::new(account)).is_some() {
            return Err(Error::AccountTwice { name });
        }
    }
    Ok(known)
}

fn ssh_config(settings: &Settings, keys: Vec<PrivateKey>) -> server::Config {
    server::Config {
        server_id: SshId::Standard(Cow::Borrowed("SSH-2.0-Kuori")),
        methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
        // Every client asks first, with the method `none`, which methods there are.
        auth_rejection_time_initial: Some(Duration::ZERO),
        // That question counts as a try here; `Login` counts the others.
        max_auth_attempts: settings.login_tries.saturating_add(1),
        keys,
        channel_buffer_size: CHANNEL_BUFFER_MESSAGES,
        preferred: preferred(),
        inactivity_timeout: Some(Duration::from_secs(settings.idle_secs)),
        nodelay: true,
        ..server::Config::default()
    }
}

/// OpenSSH's defaults, with AES-GCM first: it costs a third less where the processor has AES.
/// No CBC, no SHA-1, no compression.
fn preferred() -> Preferred {
    Preferred {
        key: Cow::Borrowed(&[
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
        ]),
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

async fn accept_all(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(shared.settings.max_connections));
    let addresses = Arc::new(Addresses::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Some((socket, address)) = usable(accepted).await else {
            continue;
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tracing::warn!(target: "audit", event = "connection refused", %address,
                reason = "too many connections");
            continue;
        };
        let max = shared.settings.max_connections_per_address;
        let Some(counted) = addresses.count(address.ip().to_canonical(), max) else {
            tracing::warn!(target: "audit", event = "connection refused", %address,
                reason = "too many connections from this address");
            continue;
        };
        let serving = connection::serve(Arc::clone(&shared), socket, address, stop.clone());
        connections.spawn(async move {
            serving.await;
            drop((place, counted));
        });
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn usable(
    accepted: std::io::Result<(TcpStream, SocketAddr)>,
) -> Option<(TcpStream, SocketAddr)> {
    match accepted {
        Ok((socket, address)) => socket.set_nodelay(true).ok().map(|()| (socket, address)),
        Err(error) => {
            // Out of descriptors, most likely: trying again at once would only spin.
            tracing::warn!(%error, "cannot accept a connection");
            sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

/// Open connections by address.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

impl Addresses {
    fn count(self: &Arc<Self>, address: IpAddr, max: usize) -> Option<Counted> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = open.entry(address).or_default();
        if *connections >= max {
            return None;
        }
        *connections += 1;
        Some(Counted {
            addresses: Arc::clone(self),
            address,
        })
    }
}

/// One connection in the count; dropping it takes it out.
struct Counted {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = self
            .addresses
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = open.get_mut(&self.address) {
            *connections -= 1;
            if *connections == 0 {
                open.remove(&self.address);
            }
        }
    }
}
