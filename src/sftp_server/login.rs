use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
};

use russh::{
    Channel, ChannelId, ChannelMsg, Pty,
    client::GexParams,
    kex::dh::groups::DhGroup,
    keys::{Algorithm, HashAlg, PublicKey},
    server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};

use super::{
    account::{Credential, KnownAccount},
    algorithms::{group, methods},
    audit::{self, Audit},
    connection::Visitor,
    count::Taken,
    jail::Jail,
    requests::Requests,
    session,
    shared::Shared,
};

/// One connection as the SSH library sees it: who logs in, and the SFTP sessions they open.
///
/// Whatever is not named here (forwarding, X11, agent, shell, commands) is refused.
pub(super) struct Login {
    shared: Arc<Shared>,
    visitor: Visitor,
    /// Given back at the login.
    waiting: Option<Taken>,
    places_taken: Option<(Taken, Taken)>,
    tries_left: usize,
    /// Channels on which SFTP was not asked for yet.
    channels: HashMap<ChannelId, (Asked, OwnedSemaphorePermit)>,
    channels_left: usize,
    /// One permit a channel, from its opening to the end of its session.
    places: Arc<Semaphore>,
}

/// The channel once SFTP was asked for on it; see [`until_sftp_is_asked_for`].
type Asked = JoinHandle<Option<Channel<Msg>>>;

/// Somebody who is logged in.
pub(super) struct Guest {
    pub(super) account: Arc<KnownAccount>,
    pub(super) credential: Credential,
    pub(super) address: SocketAddr,
    audit: Audit,
}

impl Guest {
    pub(super) fn name(&self) -> &str {
        &self.account.account.name
    }
}

impl Login {
    pub(super) fn new(shared: Arc<Shared>, visitor: Visitor, waiting: Taken) -> Self {
        let places = Semaphore::new(visitor.settings.max_sessions_per_connection);
        Self {
            shared,
            waiting: Some(waiting),
            places_taken: None,
            tries_left: visitor.settings.login_tries,
            channels: HashMap::new(),
            channels_left: visitor.settings.max_channels_per_connection,
            visitor,
            places: Arc::new(places),
        }
    }

    /// The account of that name, where `takes` says yes to it; else what the audit log is told. The
    /// client hears the same in every case.
    fn account(
        &self,
        user: &str,
        takes: impl FnOnce(&KnownAccount) -> Result<(), &'static str>,
    ) -> Result<Arc<KnownAccount>, &'static str> {
        let known = self.shared.rules().accounts.get(user).map(Arc::clone);
        let known = known.ok_or("unknown user or key")?;
        if known.is_shut() {
            return Err("the account is disabled, or has no key");
        }
        takes(&known)?;
        if !known.is_allowed_from(self.visitor.address.ip()) {
            return Err("the account may not be used from this address");
        }
        Ok(known)
    }

    fn account_with_key(
        &self,
        user: &str,
        key: &PublicKey,
        algorithm: &Algorithm,
    ) -> Result<Arc<KnownAccount>, &'static str> {
        if self.tries_left == 0 {
            return Err("too many tries");
        }
        self.account(user, |known| {
            // SHA-1 signatures can be forged for money (RFC 9142, section 3.1).
            let is_sha1 = matches!(algorithm, Algorithm::Rsa { hash: None });
            if !known.has_key(key) {
                Err("unknown user or key")
            } else if is_sha1 && !known.account.allows_sha1_rsa {
                Err("an RSA signature over SHA-1, which the account does not take")
            } else {
                Ok(())
            }
        })
    }

    async fn account_with_password(
        &self,
        user: &str,
        password: &str,
    ) -> Result<(Arc<KnownAccount>, Credential), &'static str> {
        if !self.shared.rules().wanted.passwords || self.tries_left == 0 {
            return Err("no account has a password, or too many tries");
        }
        // Compared first, and where there is no such account too: every answer takes as long.
        let known = self.shared.rules().accounts.get(user).map(Arc::clone);
        let hash = known.and_then(|known| known.account.password_hash.clone());
        let passwords = &self.shared.passwords;
        let is_right = passwords.is_right(password, hash.as_deref()).await;
        let credential = hash.map(Credential::Password).filter(|_| is_right);
        let credential = credential.ok_or("unknown user or password")?;
        let account = self.account(user, |known| {
            let takes = known.takes(&credential);
            takes.then_some(()).ok_or("unknown user or password")
        })?;
        Ok((account, credential))
    }

    fn refuse(&mut self, user: &str, reason: &str) -> Auth {
        self.tries_left = self.tries_left.saturating_sub(1);
        let address = self.visitor.address;
        audit::login_refused(user, address, reason);
        self.visitor.was_refused.store(true, Ordering::Release);
        self.shared.failed(address);
        let rules = self.shared.rules();
        if rules.accounts.contains_key(user) {
            self.shared.visits.refused(user, address.ip());
        }
        Auth::Reject {
            // Without this the library takes a method off the list once it failed.
            proceed_with_methods: Some(methods(rules.wanted)),
            partial_success: false,
        }
    }

    fn accept(
        &mut self,
        account: Arc<KnownAccount>,
        credential: Credential,
        told: &str,
    ) -> Result<Auth, &'static str> {
        if self.visitor.guest.get().is_some() {
            return Err("the account changed while this connection logged in");
        }
        let settings = &self.visitor.settings;
        let connections = &account.connections;
        let connection = connections.take(settings.max_connections_per_account);
        let connection = connection.ok_or("too many connections of this account")?;
        let place = self.shared.logged_in.take(settings.max_connections);
        let place = place.ok_or("too many connections")?;
        let (name, address) = (account.account.name.clone(), self.visitor.address);
        let guest = Guest {
            audit: Audit {
                account: name.clone(),
                address,
            },
            account,
            credential,
            address,
        };
        let guest = self.visitor.guest.get_or_init(|| guest);
        // The rules may have changed since the account was looked up. The connection is spent then:
        // nobody else may log in on it.
        if !self.shared.is_welcome(guest) {
            return Err("the account changed while this connection logged in");
        }
        guest.audit.login(&told);
        self.places_taken = Some((connection, place));
        self.waiting = None;
        self.shared.succeeded(address);
        let visits = &self.shared.visits;
        visits.login(&name, address.ip(), told.to_owned());
        Ok(Auth::Accept)
    }

    /// Starts the SFTP session of `channel` on a thread of its own.
    fn start_session(&mut self, channel: ChannelId) -> Option<()> {
        let guest = self.visitor.guest.get()?;
        let settings = Arc::clone(&self.visitor.settings);
        let ledgers = &self.shared.ledgers;
        let jail = Jail::open(&settings, Arc::clone(&guest.account), ledgers);
        let jail = jail
            .inspect_err(|error| tracing::error!(%error, "cannot open the account's home"))
            .ok()?;
        let (audit, in_hand) = (guest.audit.clone(), self.visitor.in_hand.clone());
        let requests = Requests::new(jail, audit, Arc::clone(&settings), in_hand);
        let (asked, place) = self.channels.remove(&channel)?;
        let backlog = Arc::clone(&ledgers.backlog);
        let (runtime, alive) = (
            tokio::runtime::Handle::current(),
            self.visitor.alive.clone(),
        );
        let mut over = self.visitor.over.subscribe();
        let served = async move {
            let Ok(Some(channel)) = asked.await else {
                return;
            };
            let channel = session::Channel::new(channel, &settings, &backlog);
            let over = async move { drop(over.wait_for(|over| *over).await) };
            if let Err(reason) = session::serve(channel, requests, over).await {
                tracing::debug!(%reason, "an SFTP session broke off");
            }
        };
        let served = move || {
            runtime.block_on(served);
            drop((place, alive));
        };
        std::thread::Builder::new()
            .name("sftp-session".to_owned())
            .stack_size(session::STACK_BYTES)
            .spawn(served)
            .inspect_err(|error| tracing::error!(%error, "cannot start a thread"))
            .ok()?;
        Some(())
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        let entered = match self.account_with_password(user, password).await {
            Ok((account, credential)) => self.accept(account, credential, "password"),
            Err(reason) => Err(reason),
        };
        Ok(entered.unwrap_or_else(|reason| self.refuse(user, reason)))
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        let known = self.account_with_key(user, offer.public_key, offer.algorithm);
        Ok(match known {
            Ok(_) => Auth::Accept,
            Err(reason) => self.refuse(user, reason),
        })
    }

    async fn auth_publickey(
        &mut self,
        user: &str,
        key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        let known = self.account_with_key(user, key.public_key, key.algorithm);
        let entered = known.and_then(|account| {
            let credential = Credential::Key(key.public_key.clone());
            let told = key.public_key.fingerprint(HashAlg::Sha256).to_string();
            self.accept(account, credential, &told)
        });
        Ok(entered.unwrap_or_else(|reason| self.refuse(user, reason)))
    }

    async fn lookup_dh_gex_group(
        &mut self,
        wanted: &GexParams,
    ) -> Result<Option<DhGroup>, Self::Error> {
        let [min, preferred, max] = [
            wanted.min_group_size(),
            wanted.preferred_group_size(),
            wanted.max_group_size(),
        ];
        Ok(group(min, preferred, max))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Dropping the reply refuses the channel.
        if self.channels_left > 0
            && let Ok(place) = Arc::clone(&self.places).try_acquire_owned()
        {
            self.channels_left -= 1;
            let id = channel.id();
            let asked = tokio::spawn(until_sftp_is_asked_for(channel));
            self.channels.insert(id, (asked, place));
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

    async fn x11_request(
        &mut self,
        channel: ChannelId,
        _single_connection: bool,
        _protocol: &str,
        _cookie: &str,
        _screen: u32,
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

/// Takes what comes before the request for SFTP off the channel's queue. The SSH library waits for
/// room in that queue without end: unread, it would hold the connection for ever, past its
/// client's leaving and our own stop.
async fn until_sftp_is_asked_for(mut channel: Channel<Msg>) -> Option<Channel<Msg>> {
    loop {
        match channel.wait().await? {
            ChannelMsg::RequestSubsystem { name, .. } if name == "sftp" => return Some(channel),
            ChannelMsg::Data { .. } | ChannelMsg::ExtendedData { .. } | ChannelMsg::Close => {
                return None;
            }
            _ => {}
        }
    }
}
