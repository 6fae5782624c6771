use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{Shutdown, SocketAddr, TcpStream as StdTcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use russh::server;
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{Instant, sleep_until},
};

use super::{account::KnownAccount, audit, login::Login, settings::Settings};

/// What all connections use.
pub(super) struct Shared {
    pub(super) settings: Arc<Settings>,
    pub(super) ssh: Arc<server::Config>,
    pub(super) accounts: HashMap<String, Arc<KnownAccount>>,
}

/// Serves one connection until it ends, fails to log in within its time, or `stop` changes.
/// Returns when its sessions have put away what they had open.
pub(super) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    address: SocketAddr,
    mut stop: watch::Receiver<bool>,
) {
    let (alive, mut all_gone) = mpsc::channel(1);
    let served = Connection::serve(shared, socket, address, alive, &mut stop).await;
    if let Err(error) = served {
        tracing::debug!(%address, %error, "a connection broke off");
    }
    let _ = all_gone.recv().await;
}

struct Connection {
    session: server::RunningSession<Login>,
    /// A second handle on the socket. Asking the SSH library to disconnect is not enough: a
    /// client that stalls in the key exchange would keep it from listening.
    closer: StdTcpStream,
    address: SocketAddr,
    logged_in: Arc<AtomicBool>,
}

impl Connection {
    async fn serve(
        shared: Arc<Shared>,
        socket: TcpStream,
        address: SocketAddr,
        alive: mpsc::Sender<Infallible>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), russh::Error> {
        let deadline = Instant::now() + Duration::from_secs(shared.settings.login_time_secs);
        let (socket, closer) = split_off_closer(socket)?;
        let logged_in = Arc::new(AtomicBool::new(false));
        let ssh = Arc::clone(&shared.ssh);
        let login = Login::new(shared, address, Arc::clone(&logged_in), alive);
        let session = tokio::select! {
            session = server::run_stream(ssh, socket, login) => session?,
            () = sleep_until(deadline) => {
                audit::login_refused("", address, "no greeting in time");
                return Ok(());
            }
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let mut connection = Self {
            session,
            closer,
            address,
            logged_in,
        };
        connection.watch(deadline, stop).await
    }

    async fn watch(
        &mut self,
        deadline: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), russh::Error> {
        tokio::select! {
            ended = &mut self.session => return ended,
            () = sleep_until(deadline) => self.close_unless_logged_in(),
            _ = stop.wait_for(|stop| *stop) => {}
        }
        tokio::select! {
            ended = &mut self.session => return ended,
            _ = stop.wait_for(|stop| *stop) => {}
        }
        let _ = self.closer.shutdown(Shutdown::Both);
        (&mut self.session).await
    }

    fn close_unless_logged_in(&self) {
        if !self.logged_in.load(Ordering::Acquire) {
            audit::login_refused("", self.address, "no login in time");
            let _ = self.closer.shutdown(Shutdown::Both);
        }
    }
}

fn split_off_closer(socket: TcpStream) -> io::Result<(TcpStream, StdTcpStream)> {
    let socket = socket.into_std()?;
    let closer = socket.try_clone()?;
    Ok((TcpStream::from_std(socket)?, closer))
}
