use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::{Duration, Instant},
};

use russh::{keys::PrivateKey, server};
use tokio::sync::watch;

use super::{
    Account, Error, Settings,
    account::KnownAccount,
    algorithms::{Wanted, ssh_config},
    audit,
    count::{BySource, Count, Source},
    host_keys,
    jail::Jail,
    ledger::Ledgers,
    login::Guest,
    password::Passwords,
    penalties::{Allowed, Penalties},
    visits::Visits,
};

/// What all connections use.
pub(super) struct Shared {
    rules: RwLock<Arc<Rules>>,
    /// Changes with the rules.
    changes: watch::Sender<u64>,
    /// Held while new rules are made from the old ones.
    changing: Mutex<()>,
    pub(super) logged_in: Count,
    pub(super) before_login: Count,
    pub(super) sources: Arc<BySource>,
    pub(super) penalties: Penalties,
    pub(super) passwords: Passwords,
    pub(super) visits: Visits,
    /// They outlive changes of the accounts, as do the sessions that use them.
    pub(super) ledgers: Ledgers,
}

/// What holds at one moment. A connection keeps the settings it began with; accounts are looked up
/// at each try.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) settings: Arc<Settings>,
    pub(super) ssh: Arc<server::Config>,
    pub(super) accounts: HashMap<String, Arc<KnownAccount>>,
    pub(super) wanted: Wanted,
    keys: Vec<PrivateKey>,
}

impl Shared {
    pub(super) fn new(settings: Settings, accounts: Vec<Account>) -> Result<Self, Error> {
        let keys = host_keys::load_or_make(&settings.host_keys)?;
        let ledgers = Ledgers::new(&settings);
        let accounts = known_accounts(&settings, accounts, &HashMap::new(), &ledgers)?;
        let rules = Rules::new(settings, keys, accounts);
        Ok(Self {
            rules: RwLock::new(Arc::new(rules)),
            changes: watch::Sender::new(0),
            changing: Mutex::default(),
            logged_in: Count::default(),
            before_login: Count::default(),
            sources: Arc::default(),
            penalties: Penalties::default(),
            passwords: Passwords::default(),
            visits: Visits::default(),
            ledgers,
        })
    }

    pub(super) fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub(super) fn set_accounts(&self, accounts: Vec<Account>) -> Result<(), Error> {
        self.change(|old| {
            let accounts = known_accounts(&old.settings, accounts, &old.accounts, &self.ledgers)?;
            let settings = Settings::clone(&old.settings);
            Ok(Rules::new(settings, old.keys.clone(), accounts))
        })
    }

    /// Some stay what they were: see [`Settings::keep_what_takes_a_restart`].
    pub(super) fn set_settings(&self, settings: &Settings) -> Result<(), Error> {
        self.change(|old| {
            let mut settings = settings.clone();
            settings.keep_what_takes_a_restart(&old.settings);
            Ok(Rules::new(settings, old.keys.clone(), old.accounts.clone()))
        })
    }

    pub(super) fn reload_host_keys(&self) -> Result<(), Error> {
        self.change(|old| {
            let keys = host_keys::load_or_make(&old.settings.host_keys)?;
            let settings = Settings::clone(&old.settings);
            Ok(Rules::new(settings, keys, old.accounts.clone()))
        })
    }

    fn change(&self, make: impl FnOnce(&Rules) -> Result<Rules, Error>) -> Result<(), Error> {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let newer = Arc::new(make(&self.rules())?);
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = newer;
        self.changes.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Whether one who is logged in could log in so again, to the same terms.
    pub(super) fn is_welcome(&self, guest: &Guest) -> bool {
        let rules = self.rules();
        rules.accounts.get(guest.name()).is_some_and(|newer| {
            newer.takes(&guest.credential)
                && newer.is_allowed_from(guest.address.ip())
                && guest.account.has_terms_of(newer)
        })
    }

    /// Removes uploads that broke off long ago, of whoever has not come back.
    pub(super) fn sweep(&self) {
        let rules = self.rules();
        for account in rules.accounts.values() {
            if let Ok(jail) = Jail::open(&rules.settings, Arc::clone(account), &self.ledgers) {
                let _ = jail.sweep(true);
            }
        }
    }

    /// Notes a failed login, and tells the operator where it is one too many.
    pub(super) fn failed(&self, address: SocketAddr) {
        let allowed = self.rules().allowed();
        let source = Source::from(address.ip());
        if self.penalties.failed(source, allowed, Instant::now()) {
            audit::shut_out(address, allowed.window);
        }
    }

    pub(super) fn succeeded(&self, address: SocketAddr) {
        let window = self.rules().allowed().window;
        let source = Source::from(address.ip());
        self.penalties.succeeded(source, window, Instant::now());
    }

    pub(super) fn is_shut_out(&self, source: Source) -> bool {
        let allowed = self.rules().allowed();
        self.penalties.is_shut_out(source, allowed, Instant::now())
    }

    pub(super) fn is_known_well(&self, source: Source) -> bool {
        self.penalties.is_good(source, Instant::now())
    }
}

impl Rules {
    fn new(
        settings: Settings,
        keys: Vec<PrivateKey>,
        accounts: HashMap<String, Arc<KnownAccount>>,
    ) -> Self {
        let any = |wants: fn(&Account) -> bool| accounts.values().any(|a| wants(&a.account));
        let wanted = Wanted {
            passwords: any(|account| account.password_hash.is_some()),
            sha1_rsa: any(|account| account.allows_sha1_rsa),
        };
        Self {
            ssh: Arc::new(ssh_config(&settings, keys.clone(), wanted)),
            settings: Arc::new(settings),
            accounts,
            wanted,
            keys,
        }
    }

    pub(super) fn keys(&self) -> &[PrivateKey] {
        &self.keys
    }

    fn allowed(&self) -> Allowed {
        Allowed {
            failures: self.settings.login_failures_per_address,
            window: Duration::from_secs(self.settings.login_failure_window_secs),
        }
    }
}

/// Checks `accounts` and makes the homes of those that are new; the others may have uploads in hand.
fn known_accounts(
    settings: &Settings,
    accounts: Vec<Account>,
    old: &HashMap<String, Arc<KnownAccount>>,
    ledgers: &Ledgers,
) -> Result<HashMap<String, Arc<KnownAccount>>, Error> {
    let making = |source| Error::Folder {
        path: settings.root.clone(),
        source,
    };
    fs::create_dir_all(&settings.root).map_err(making)?;
    let mut known = HashMap::new();
    for account in accounts {
        let name = account.name.clone();
        let before = old.get(&name);
        let account = match before {
            Some(same) if same.account == account => Arc::clone(same),
            Some(older) => Arc::new(older.replaced_by(KnownAccount::new(account)?)),
            None => Arc::new(KnownAccount::new(account)?),
        };
        if before.is_none_or(|older| older.account.role != account.account.role) {
            Jail::prepare(settings, &account, ledgers).map_err(making)?;
        }
        if known.insert(name.clone(), account).is_some() {
            return Err(Error::AccountTwice { name });
        }
    }
    Ok(known)
}
