use std::{
    collections::HashMap,
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use russh::{
    Channel, ChannelId, Pty,
    keys::{Algorithm, HashAlg},
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{
    account::KnownAccount,
    audit::{self, Audit},
    connection::Shared,
    jail::Jail,
    requests::Requests,
    session,
};

/// One connection as the SSH library sees it: who logs in, and the SFTP sessions they open.
///
/// Whatever is not named here (forwarding, X11, agent, shell, commands) is refused.
pub(super) struct Login {
    shared: Arc<Shared>,
    address: SocketAddr,
    logged_in: Arc<AtomicBool>,
    /// Cloned into each session's thread, so that the connection can wait for all of them.
    alive: mpsc::Sender<Infallible>,
    user: Option<User>,
    tries_left: usize,
    /// Channels on which nothing was asked for yet.
    channels: HashMap<ChannelId, (Channel<Msg>, OwnedSemaphorePermit)>,
    /// One permit a channel, from its opening to the end of its session.
    places: Arc<Semaphore>,
}

struct User {
    account: Arc<KnownAccount>,
    audit: Audit,
    _connection: OwnedSemaphorePermit,
}

impl Login {
    pub(super) fn new(
        shared: Arc<Shared>,
        address: SocketAddr,
        logged_in: Arc<AtomicBool>,
        alive: mpsc::Sender<Infallible>,
    ) -> Self {
        let tries_left = shared.settings.login_tries;
        let places = Semaphore::new(shared.settings.max_sessions_per_connection);
        Self {
            shared,
            address,
            logged_in,
            alive,
            user: None,
            tries_left,
            channels: HashMap::new(),
            places: Arc::new(places),
        }
    }

    fn account(
        &self,
        user: &str,
        key: &russh::keys::PublicKey,
        algorithm: &Algorithm,
    ) -> Option<Arc<KnownAccount>> {
        // SHA-1 signatures can be forged for money (RFC 9142, section 3.1).
        if matches!(algorithm, Algorithm::Rsa { hash: None }) || self.tries_left == 0 {
            return None;
        }
        let account = self.shared.accounts.get(user)?;
        account.has_key(key).then(|| Arc::clone(account))
    }

    fn refuse(&mut self, user: &str, reason: &str) -> Auth {
        self.tries_left = self.tries_left.saturating_sub(1);
        audit::login_refused(user, self.address, reason);
        Auth::reject()
    }

    /// Starts the SFTP session of `channel` on a thread of its own.
    fn start_session(&mut self, channel: ChannelId) -> Option<()> {
        let user = self.user.as_ref()?;
        let settings = Arc::clone(&self.shared.settings);
        let jail = Jail::open(
            &settings.root,
            Arc::clone(&user.account),
            settings.max_file_bytes,
        );
        let jail = jail
            .inspect_err(|error| tracing::error!(%error, "cannot open the account's home"))
            .ok()?;
        let requests = Requests::new(jail, user.audit.clone(), Arc::clone(&settings));
        let (channel, place) = self.channels.remove(&channel)?;
        let channel = session::Channel::new(channel, &settings);
        let (runtime, alive) = (tokio::runtime::Handle::current(), self.alive.clone());
        let served = move || {
            if let Err(reason) = runtime.block_on(session::serve(channel, requests)) {
                tracing::debug!(%reason, "an SFTP session broke off");
            }
            drop((place, alive));
        };
        std::thread::Builder::new()
            .name("sftp-session".to_owned())
            .spawn(served)
            .inspect_err(|error| tracing::error!(%error, "cannot start a thread"))
            .ok()?;
        Some(())
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(
            match self.account(user, offer.public_key, offer.algorithm) {
                Some(_) => Auth::Accept,
                None => self.refuse(user, "unknown user or key"),
            },
        )
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let Some(account) = self.account(user, key.public_key, key.algorithm) else {
            return Ok(self.refuse(user, "unknown user or key"));
        };
        let Ok(connection) = Arc::clone(&account.connections).try_acquire_owned() else {
            return Ok(self.refuse(user, "too many connections of this account"));
        };
        let audit = Audit {
            account: account.account.name.clone(),
            address: self.address,
        };
        audit.login(&key.public_key.fingerprint(HashAlg::Sha256));
        self.user = Some(User {
            account,
            audit,
            _connection: connection,
        });
        self.logged_in.store(true, Ordering::Release);
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Dropping the reply refuses the channel.
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            self.channels.insert(channel.id(), (channel, place));
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(
        &mut self,
        channel: ChannelId,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // One that never asked for a session: its place is free again.
        self.channels.remove(&channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        if name == "sftp" && self.start_session(channel).is_some() {
            session.channel_success(channel)
        } else {
            session.channel_failure(channel)
        }
    }

    async fn shell_request(
        &mut self,
        channel: ChannelId,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _command: &[u8],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn pty_request(
        &mut self,
        channel: ChannelId,
        _term: &str,
        _columns: u32,
        _rows: u32,
        _width: u32,
        _height: u32,
        _modes: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }

    async fn env_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        _value: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_failure(channel)
    }
}
