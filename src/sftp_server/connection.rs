use std::{
    convert::Infallible,
    io,
    net::{Shutdown, SocketAddr, TcpStream as StdTcpStream},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use russh::{Disconnect, server};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    audit,
    count::{Counted, Taken},
    in_hand::InHand,
    login::{Guest, Login},
    settings::Settings,
    shared::Shared,
};

/// What a client gets to take our last answers when the server stops.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a connection takes up until somebody is logged in on it.
pub(super) struct Places {
    pub(super) counted: Counted,
    pub(super) waiting: Taken,
}

/// What a connection and its handler both know.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) address: SocketAddr,
    pub(super) settings: Arc<Settings>,
    /// Set once somebody is logged in.
    pub(super) guest: Arc<OnceLock<Guest>>,
    /// A login was refused, and counted.
    pub(super) was_refused: Arc<AtomicBool>,
    pub(super) in_hand: InHand,
    /// Turns true when the connection is closed from here: its sessions end where they are.
    pub(super) over: watch::Sender<bool>,
    /// Cloned into each session's thread, so that the connection can wait for all of them.
    pub(super) alive: mpsc::Sender<Infallible>,
}

/// Serves one connection until it ends, fails to log in within its time, is welcome no more, or
/// `stop` changes. Returns when its sessions have put away what they had open.
pub(super) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    address: SocketAddr,
    places: Places,
    mut stop: watch::Receiver<bool>,
) {
    let (alive, mut all_gone) = mpsc::channel(1);
    let rules = shared.rules();
    let visitor = Visitor {
        address,
        settings: Arc::clone(&rules.settings),
        guest: Arc::default(),
        was_refused: Arc::default(),
        in_hand: InHand::default(),
        over: watch::Sender::new(false),
        alive,
    };
    let Places { counted, waiting } = places;
    let over = visitor.over.clone();
    let login = Login::new(Arc::clone(&shared), visitor.clone(), waiting);
    let served = Connection::serve(&shared, socket, (visitor, login), &mut stop).await;
    if let Err(error) = served {
        tracing::debug!(%address, %error, "a connection broke off");
    }
    let is_stopping = tokio::select! {
        _ = all_gone.recv() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if is_stopping {
        over.send_replace(true);
        let _ = all_gone.recv().await;
    }
    drop(counted);
}

struct Connection<'a> {
    shared: &'a Shared,
    session: server::RunningSession<Login>,
    /// A second handle on the socket. Asking the SSH library to disconnect is not enough: a
    /// client that stalls in the key exchange would keep it from listening.
    closer: StdTcpStream,
    visitor: Visitor,
}

/// Why a connection is closed that its client would keep.
enum Closing {
    LoginTooLate,
    /// The account, its key or its terms changed.
    NotWelcome,
    Stopping,
}

impl<'a> Connection<'a> {
    async fn serve(
        shared: &'a Shared,
        socket: TcpStream,
        (visitor, login): (Visitor, Login),
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), russh::Error> {
        let deadline = Instant::now() + Duration::from_secs(visitor.settings.login_time_secs);
        let (socket, closer) = split_off_closer(socket)?;
        let ssh = Arc::clone(&shared.rules().ssh);
        let session = tokio::select! {
            session = server::run_stream(ssh, socket, login) => session?,
            () = sleep_until(deadline) => {
                audit::login_refused("", visitor.address, "no greeting in time");
                return Ok(());
            }
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let mut connection = Self {
            shared,
            session,
            closer,
            visitor,
        };
        connection.serve_greeted(deadline, stop).await
    }

    async fn serve_greeted(
        &mut self,
        deadline: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), russh::Error> {
        let ended = tokio::select! {
            ended = &mut self.session => Ok(ended),
            closing = closing(self.shared, &self.visitor, deadline, stop) => Err(closing),
        };
        let is_over = matches!(ended, Err(Closing::Stopping));
        let ended = match ended {
            Ok(ended) => ended,
            Err(closing) => self.close(&closing).await,
        };
        if !is_over {
            self.count_failure();
        }
        ended
    }

    /// A stranger who makes us exchange keys for nothing costs as much as one who guesses.
    fn count_failure(&self) {
        let Visitor {
            guest, was_refused, ..
        } = &self.visitor;
        if guest.get().is_none() && !was_refused.load(Ordering::Acquire) {
            self.shared.failed(self.visitor.address);
        }
    }

    async fn close(&mut self, closing: &Closing) -> Result<(), russh::Error> {
        match closing {
            Closing::LoginTooLate => {
                audit::login_refused("", self.visitor.address, "no login in time");
            }
            Closing::NotWelcome => {
                if let Some(guest) = self.visitor.guest.get() {
                    audit::sent_away(guest.name(), self.visitor.address);
                }
            }
            Closing::Stopping => {
                let grace = Duration::from_secs(self.visitor.settings.stop_grace_secs);
                tokio::select! {
                    () = self.visitor.in_hand.finish() => {}
                    () = sleep(grace) => {}
                    ended = &mut self.session => return ended,
                }
                if let Ok(ended) = timeout(GOODBYE, self.say_goodbye()).await {
                    return ended;
                }
            }
        }
        let _ = self.closer.shutdown(Shutdown::Both);
        self.visitor.over.send_replace(true);
        (&mut self.session).await
    }

    /// Ends the connection behind the answers that are on their way: a client that does not hear
    /// that we have its file sends it again.
    async fn say_goodbye(&mut self) -> Result<(), russh::Error> {
        let session = self.session.handle();
        let told = session.disconnect(
            Disconnect::ByApplication,
            "the server is stopping".to_owned(),
            "en".to_owned(),
        );
        told.await?;
        (&mut self.session).await
    }
}

/// Waits until there is a reason to close the connection.
async fn closing(
    shared: &Shared,
    visitor: &Visitor,
    deadline: Instant,
    stop: &mut watch::Receiver<bool>,
) -> Closing {
    let mut changes = shared.changes();
    // There may have been one since the connection came.
    changes.mark_changed();
    let mut too_late = std::pin::pin!(sleep_until(deadline));
    let mut is_in = false;
    loop {
        tokio::select! {
            () = &mut too_late, if !is_in => {
                // One whose account changed during the login is no guest.
                if !visitor.guest.get().is_some_and(|guest| shared.is_welcome(guest)) {
                    return Closing::LoginTooLate;
                }
                is_in = true;
            }
            _ = stop.wait_for(|stop| *stop) => return Closing::Stopping,
            _ = changes.changed() => {
                if visitor.guest.get().is_some_and(|guest| !shared.is_welcome(guest)) {
                    return Closing::NotWelcome;
                }
            }
        }
    }
}

fn split_off_closer(socket: TcpStream) -> io::Result<(TcpStream, StdTcpStream)> {
    let socket = socket.into_std()?;
    let closer = socket.try_clone()?;
    Ok((TcpStream::from_std(socket)?, closer))
}
