use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Error, accounts::joined};
use crate::{
    config::Config,
    pipeline::Clock,
    sftp_server::{Account, Server},
    store::{AccountLogin, AccountVisit, Store},
    telemetry,
};

/// How often commands' changes of accounts are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The embedded server, and who may come in: the accounts of the settings, with what commands have
/// changed in the store.
pub(super) struct Doors {
    server: Server,
    store: Arc<Store>,
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    of_settings: Vec<Account>,
    /// The store's count when the accounts were last read.
    changes: u64,
    /// When the first of the keys ends.
    next_end: Option<Timestamp>,
}

impl Doors {
    /// Opens the embedded server where the settings want one.
    pub(super) async fn open(
        config: &Config,
        store: &Arc<Store>,
        clock: &Clock,
    ) -> Result<Option<Self>, Error> {
        let Some(server) = &config.server else {
            return Ok(None);
        };
        let of_settings = config.accounts();
        let changes = store.account_changes()?;
        let (accounts, next_end) = joined(&of_settings, &store.accounts()?, clock.now());
        let server = Server::start(server.settings.clone(), accounts).await;
        Ok(Some(Self {
            server: server.map_err(Error::Server)?,
            store: Arc::clone(store),
            clock: clock.clone(),
            state: Mutex::new(State {
                of_settings,
                changes,
                next_end,
            }),
        }))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub(super) fn fingerprints(&self) -> Vec<String> {
        self.server.fingerprints()
    }

    /// Those to whom nothing opens: no key, no password.
    pub(super) fn accounts_without_key(&self) -> Result<Vec<String>, Error> {
        let of_settings = self.lock().of_settings.clone();
        let (accounts, _) = joined(&of_settings, &self.store.accounts()?, self.clock.now());
        let is_shut =
            |account: &Account| account.public_keys.is_empty() && account.password_hash.is_none();
        let shut = accounts.into_iter().filter(is_shut);
        Ok(shut.map(|account| account.name).collect())
    }

    /// Takes over accounts, limits and host keys of other settings; connections stay where nothing
    /// changed for them.
    pub(super) fn take_over(&self, config: &Config) -> Result<(), Error> {
        let Some(server) = &config.server else {
            return Ok(());
        };
        let before = self.fingerprints();
        self.server.reload_host_keys().map_err(Error::Server)?;
        let mut new = self.fingerprints();
        new.retain(|fingerprint| !before.contains(fingerprint));
        for fingerprint in new {
            tracing::warn!(
                fingerprint,
                "new host key: clients that pin the old one stay out"
            );
        }
        let before = std::mem::replace(&mut self.lock().of_settings, config.accounts());
        self.refresh()
            .inspect_err(|_| self.lock().of_settings = before)?;
        let settings = &server.settings;
        self.server.set_settings(settings).map_err(Error::Server)
    }

    /// Follows the store until `stop` turns true.
    pub(super) async fn keep(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            if let Err(error) = self.look() {
                tracing::error!(error = telemetry::with_causes(&error), "accounts");
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }

    pub(super) async fn close(self) {
        self.server.stop().await;
    }

    fn look(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.note_visits(now)?;
        let changes = self.store.account_changes()?;
        let is_due = {
            let state = self.lock();
            state.changes != changes || state.next_end.is_some_and(|end| end <= now)
        };
        if is_due {
            self.refresh()?;
            tracing::info!("accounts were changed by a command");
        }
        Ok(())
    }

    fn refresh(&self) -> Result<(), Error> {
        let changes = self.store.account_changes()?;
        let rows = self.store.accounts()?;
        let mut state = self.lock();
        let (accounts, next_end) = joined(&state.of_settings, &rows, self.clock.now());
        // Noted first: where one of them cannot be used, that is said once, not each second.
        state.changes = changes;
        state.next_end = next_end;
        self.server.set_accounts(accounts).map_err(Error::Server)
    }

    fn note_visits(&self, now: Timestamp) -> Result<(), Error> {
        let visits: Vec<_> = self.server.take_visits().into_iter().collect();
        if visits.is_empty() {
            return Ok(());
        }
        let visit = |(account, visit): (String, crate::sftp_server::Visit)| AccountVisit {
            account,
            login: visit.login.map(|(from, by)| AccountLogin {
                at: now,
                from: from.to_string(),
                by,
            }),
            refused: visit.refused,
            refused_from: visit.refused_from.map(|from| from.to_string()),
        };
        let visits: Vec<_> = visits.into_iter().map(visit).collect();
        Ok(self.store.note_account_visits(&visits, now)?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
