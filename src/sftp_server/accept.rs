use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use russh::keys::HashAlg;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet, spawn_blocking},
    time::{Instant, interval_at, sleep},
};

use super::{
    Account, Error, Settings, Visit, audit,
    connection::{self, Places},
    count::Source,
    shared::Shared,
};

/// How often uploads that broke off long ago are looked for; it is done at a start too.
const BETWEEN_SWEEPS: Duration = Duration::from_hours(1);

/// The running server. Dropping it stops it as well, without waiting.
pub struct Server {
    local_addr: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Makes the host keys and the accounts' folders where they are missing, and listens.
    pub async fn start(settings: Settings, accounts: Vec<Account>) -> Result<Self, Error> {
        let address = settings.listen;
        let shared = Arc::new(Shared::new(settings, accounts)?);
        let listening = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listening)?;
        let local_addr = listener.local_addr().map_err(listening)?;
        let (stop, stopped) = watch::channel(false);
        Ok(Self {
            local_addr,
            stop,
            accepting: tokio::spawn(accept_all(listener, Arc::clone(&shared), stopped)),
            shared,
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// SHA-256 fingerprints of the host keys, as `ssh-keygen -l` prints them: what a client
    /// pins.
    pub fn fingerprints(&self) -> Vec<String> {
        let rules = self.shared.rules();
        let fingerprint =
            |key: &russh::keys::PrivateKey| key.fingerprint(HashAlg::Sha256).to_string();
        rules.keys().iter().map(fingerprint).collect()
    }

    /// From now on these may log in. Who is logged in to an account that is gone, by a key or
    /// password that it has no more, or to other terms, loses the connection; the others notice
    /// nothing.
    ///
    /// # Errors
    ///
    /// Where one account is wrong, nothing is changed.
    pub fn set_accounts(&self, accounts: Vec<Account>) -> Result<(), Error> {
        self.shared.set_accounts(accounts)
    }

    /// New limits, for connections from now on. Some stay as they were: see
    /// [`Settings::keep_what_takes_a_restart`].
    pub fn set_settings(&self, settings: &Settings) -> Result<(), Error> {
        self.shared.set_settings(settings)
    }

    /// Reads the host keys again, for connections from now on.
    pub fn reload_host_keys(&self) -> Result<(), Error> {
        self.shared.reload_host_keys()
    }

    /// Who came since the last call, by account.
    pub fn take_visits(&self) -> BTreeMap<String, Visit> {
        self.shared.visits.take()
    }

    /// Takes no more connections, waits for the uploads in hand, so long as the settings allow, and
    /// returns when all sessions are over. What was not closed by its client did not arrive.
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

async fn accept_all(listener: TcpListener, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let mut sweeps = interval_at(Instant::now() + BETWEEN_SWEEPS, BETWEEN_SWEEPS);
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            _ = sweeps.tick() => {
                let shared = Arc::clone(&shared);
                drop(spawn_blocking(move || shared.sweep()));
                continue;
            }
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Some((socket, address)) = usable(accepted).await else {
            continue;
        };
        match place(&shared, address) {
            Ok(places) => {
                let shared = Arc::clone(&shared);
                connections.spawn(connection::serve(
                    shared,
                    socket,
                    address,
                    places,
                    stop.clone(),
                ));
            }
            Err(reason) => audit::connection_refused(address, reason),
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A place for a connection on which nobody is logged in yet. From where somebody has logged in
/// lately, twice as many come in: a flood from elsewhere does not keep them out.
fn place(shared: &Shared, address: SocketAddr) -> Result<Places, &'static str> {
    let (settings, source) = (
        Arc::clone(&shared.rules().settings),
        Source::from(address.ip()),
    );
    if shared.is_shut_out(source) {
        return Err("too many failed logins from this address");
    }
    if shared.logged_in.is_full(settings.max_connections) {
        return Err("too many connections");
    }
    let max = settings.max_connections_per_address;
    let counted = shared.sources.take(source, max);
    let counted = counted.ok_or("too many connections from this address")?;
    let max = settings.max_connections_before_login;
    let max = if shared.is_known_well(source) {
        max.saturating_mul(2)
    } else {
        max
    };
    let waiting = shared.before_login.take(max);
    let waiting = waiting.ok_or("too many connections on which nobody is logged in")?;
    Ok(Places { counted, waiting })
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
