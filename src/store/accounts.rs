//! Accounts on the embedded server: what commands change, and who came.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Error, Event, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
    events,
};

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountRole {
    Sender,
    PrintHouse,
    /// Brings files of consents.
    ConsentFeed,
}

/// An account as the settings have it.
#[derive(Debug, Clone)]
pub struct AccountOfSettings {
    pub name: String,
    pub role: AccountRole,
    /// Its folders are on the embedded server.
    pub is_served: bool,
    pub keys: Vec<AccountKeyLine>,
}

/// A public key: its fingerprint as `ssh-keygen -l` prints it, and its line as in
/// `authorized_keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKeyLine {
    pub fingerprint: String,
    pub line: String,
}

/// An account as it stands in the store.
#[derive(Debug, Clone)]
pub struct AccountRow {
    pub name: String,
    pub role: AccountRole,
    pub is_served: bool,
    pub disabled_at: Option<Timestamp>,
    pub password_hash: Option<String>,
    /// Beside those of the settings.
    pub addresses: Vec<String>,
    pub keys: Vec<AccountKey>,
    pub login: Option<AccountLogin>,
    /// Refused logins since the last one that was not, and the newest of them.
    pub refused: u32,
    pub last_refused: Option<(Timestamp, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountKey {
    pub key: AccountKeyLine,
    pub in_settings: bool,
    /// When a command added it, and whose; `None` where only the settings have it.
    pub added: Option<(Timestamp, String)>,
    pub valid_until: Option<Timestamp>,
}

impl AccountKey {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| until > now)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLogin {
    pub at: Timestamp,
    pub from: String,
    /// The key's fingerprint, or `password`.
    pub by: String,
}

/// Who came to an account lately.
#[derive(Debug, Clone)]
pub struct AccountVisit {
    pub account: String,
    pub login: Option<AccountLogin>,
    /// Refused since that login, or since the last visit that was noted.
    pub refused: u32,
    pub refused_from: Option<String>,
}

impl Store {
    /// Remembers the accounts of the settings, so that commands beside the daemon know them.
    pub fn know_accounts(&self, accounts: &[AccountOfSettings]) -> Result<(), Error> {
        self.write("record the accounts", |tx| {
            let gone = "UPDATE accounts SET is_served = 0";
            tx.execute(gone, []).doing("record the accounts")?;
            accounts.iter().try_for_each(|account| know(tx, account))
        })
    }

    /// All accounts by name, with their keys.
    pub fn accounts(&self) -> Result<Vec<AccountRow>, Error> {
        self.read(|db| {
            let sql = "SELECT * FROM accounts ORDER BY name";
            let mut query = db.prepare_cached(sql).doing("list accounts")?;
            let rows = query.query_map([], account_row).doing("list accounts")?;
            let rows: Vec<_> = rows.collect::<Result<_, _>>().doing("list accounts")?;
            rows.into_iter().map(|row| with_keys(db, row)).collect()
        })
    }

    /// # Errors
    ///
    /// [`Error::NoAccount`], as for the other calls that name one.
    pub fn account(&self, name: &str) -> Result<AccountRow, Error> {
        self.read(|db| account(db, name))
    }

    /// Grows whenever there may be a change in who may log in.
    pub fn account_changes(&self) -> Result<u64, Error> {
        self.read(|db| {
            let changes = db.query_row("SELECT changes FROM account_changes", [], |row| row.get(0));
            changes.doing("look for changes of accounts")
        })
    }

    /// What commands did to an account, oldest first.
    pub fn account_events(&self, name: &str) -> Result<Vec<Event>, Error> {
        self.read(|db| events::of_account(db, name))
    }

    /// Notes who logged in, and who was refused.
    pub fn note_account_visits(
        &self,
        visits: &[AccountVisit],
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write("note logins", |tx| {
            visits
                .iter()
                .try_for_each(|visit| note_visit(tx, visit, now))
        })
    }
}

fn know(tx: &Transaction<'_>, account: &AccountOfSettings) -> Result<(), Error> {
    let doing = "record an account";
    let sql = "INSERT INTO accounts (name, role, is_served) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE SET role = ?2, is_served = ?3";
    let given = params![account.name, word(account.role), account.is_served];
    tx.execute(sql, given).doing(doing)?;
    let sql = "UPDATE account_keys SET in_settings = 0 WHERE account = ?1";
    tx.execute(sql, [&account.name]).doing(doing)?;
    for key in &account.keys {
        let sql = "INSERT INTO account_keys (account, fingerprint, line, in_settings)
             VALUES (?1, ?2, ?3, 1)
             ON CONFLICT (account, fingerprint) DO UPDATE SET in_settings = 1";
        let given = params![account.name, key.fingerprint, key.line];
        tx.execute(sql, given).doing(doing)?;
    }
    // One that a command ended stays: other settings may bring it back, and those of a daemon that was
    // not told of these have it still.
    let sql = "DELETE FROM account_keys
         WHERE account = ?1 AND in_settings = 0 AND added_at IS NULL AND valid_until IS NULL";
    tx.execute(sql, [&account.name]).doing(doing)?;
    Ok(())
}

pub(super) fn account(db: &Connection, name: &str) -> Result<AccountRow, Error> {
    let doing = "look at an account";
    let sql = "SELECT * FROM accounts WHERE name = ?";
    let found = db.query_row(sql, [name], account_row).optional();
    match found.doing(doing)? {
        Some(row) => with_keys(db, row),
        None => Err(Error::NoAccount {
            given: name.to_owned(),
            known: names(db)?,
        }),
    }
}

fn names(db: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT name FROM accounts ORDER BY name";
    let mut query = db.prepare_cached(sql).doing("list accounts")?;
    let names = query.query_map([], |row| row.get(0));
    let names = names.doing("list accounts")?.collect::<Result<_, _>>();
    names.doing("list accounts")
}

fn note_visit(tx: &Transaction<'_>, visit: &AccountVisit, now: Timestamp) -> Result<(), Error> {
    let doing = "note a login";
    if let Some(login) = &visit.login {
        let sql = "UPDATE accounts SET login_at = ?2, login_from = ?3, login_by = ?4, refused = 0
             WHERE name = ?1";
        let given = params![visit.account, millis(login.at), login.from, login.by];
        tx.execute(sql, given).doing(doing)?;
    }
    if visit.refused > 0 {
        let sql = "UPDATE accounts SET refused = refused + ?2, refused_at = ?3, refused_from = ?4
             WHERE name = ?1";
        let given = params![
            visit.account,
            visit.refused,
            millis(now),
            visit.refused_from
        ];
        tx.execute(sql, given).doing(doing)?;
    }
    Ok(())
}

fn with_keys(db: &Connection, row: AccountRow) -> Result<AccountRow, Error> {
    let sql = "SELECT * FROM account_keys WHERE account = ? ORDER BY added_at, fingerprint";
    let mut query = db.prepare_cached(sql).doing("list keys")?;
    let keys = query.query_map([&row.name], key_row).doing("list keys")?;
    let keys = keys.collect::<Result<_, _>>().doing("list keys")?;
    Ok(AccountRow { keys, ..row })
}

fn account_row(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    let addresses: String = row.get("addresses")?;
    let login = row.maybe_time("login_at")?;
    let refused_at = row.maybe_time("refused_at")?;
    let role: String = row.get("role")?;
    let roles = [AccountRole::PrintHouse, AccountRole::ConsentFeed];
    let role = roles.into_iter().find(|it| word(*it) == role);
    Ok(AccountRow {
        name: row.get("name")?,
        role: role.unwrap_or(AccountRole::Sender),
        is_served: row.get("is_served")?,
        disabled_at: row.maybe_time("disabled_at")?,
        password_hash: row.get("password_hash")?,
        addresses: addresses.split_whitespace().map(str::to_owned).collect(),
        keys: Vec::new(),
        login: match login {
            None => None,
            Some(at) => Some(AccountLogin {
                at,
                from: row.get("login_from")?,
                by: row.get("login_by")?,
            }),
        },
        refused: row.get("refused")?,
        last_refused: match refused_at {
            None => None,
            Some(at) => Some((
                at,
                row.get::<_, Option<String>>("refused_from")?
                    .unwrap_or_default(),
            )),
        },
    })
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<AccountKey> {
    let added = row.maybe_time("added_at")?;
    Ok(AccountKey {
        key: AccountKeyLine {
            fingerprint: row.get("fingerprint")?,
            line: row.get("line")?,
        },
        in_settings: row.get("in_settings")?,
        added: match added {
            None => None,
            Some(at) => Some((at, row.get("added_by")?)),
        },
        valid_until: row.maybe_time("valid_until")?,
    })
}

fn word(role: AccountRole) -> &'static str {
    match role {
        AccountRole::Sender => "sender",
        AccountRole::PrintHouse => "print-house",
        AccountRole::ConsentFeed => "consent-feed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city() -> AccountOfSettings {
        AccountOfSettings {
            name: "city".to_owned(),
            role: AccountRole::Sender,
            is_served: true,
            keys: Vec::new(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.know_accounts(&[city()]).unwrap();
        (folder, store)
    }

    #[test]
    fn an_account_that_nobody_knows_is_told_with_those_that_are() {
        let (_folder, store) = store();
        let unknown = store.account("ciyt").unwrap_err();
        assert!(matches!(unknown, Error::NoAccount { ref known, .. } if known == &["city"]));
    }

    #[test]
    fn visits_add_up_until_somebody_gets_in() {
        let (_folder, store) = store();
        let visit = |login: Option<&str>, refused| AccountVisit {
            account: "city".to_owned(),
            login: login.map(|by| AccountLogin {
                at: at(5),
                from: "192.0.2.7".to_owned(),
                by: by.to_owned(),
            }),
            refused,
            refused_from: (refused > 0).then(|| "192.0.2.8".to_owned()),
        };
        let note = |visit| store.note_account_visits(&[visit], at(9)).unwrap();
        note(visit(None, 2));
        note(visit(None, 3));
        assert_eq!(store.account("city").unwrap().refused, 5);
        note(visit(Some("password"), 1));
        let row = store.account("city").unwrap();
        assert_eq!(
            (row.refused, row.login.unwrap().by.as_str()),
            (1, "password")
        );
        assert_eq!(row.last_refused, Some((at(9), "192.0.2.8".to_owned())));
    }
}
