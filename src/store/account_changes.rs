//! What commands change of accounts.

use jiff::Timestamp;
use rusqlite::params;

use super::{
    AccountKey, AccountKeyLine, AccountRow, Error, NewEvent, Store, Transaction, accounts::account,
    columns::millis, error::Doing, events,
};

/// What a command does to an account.
#[derive(Debug, Clone)]
pub enum AccountChange {
    AddKey(AccountKeyLine),
    /// The new key is the only one from `old_until` on; `None`: from now on.
    RotateKey {
        key: AccountKeyLine,
        old_until: Option<Timestamp>,
    },
    RemoveKey {
        fingerprint: String,
    },
    SetPassword {
        hash: String,
    },
    RemovePassword,
    SetAddresses(Vec<String>),
    Disable,
    Enable,
}

/// What a change does: each deed in words, or why nothing is done.
pub type AccountPlan = Result<Vec<String>, String>;

impl Store {
    /// What [`Store::change_account`] would do.
    pub fn plan_account_change(
        &self,
        name: &str,
        changes: &[AccountChange],
    ) -> Result<AccountPlan, Error> {
        let row = self.account(name)?;
        Ok(changes.iter().map(|change| told(&row, change)).collect())
    }

    /// Carries out all of the changes, or none where one of them cannot be.
    pub fn change_account(
        &self,
        name: &str,
        changes: &[AccountChange],
        action: &NewEvent,
    ) -> Result<AccountPlan, Error> {
        self.write("change an account", |tx| {
            let row = account(tx, name)?;
            let plan: AccountPlan = changes.iter().map(|change| told(&row, change)).collect();
            for (what, change) in plan.iter().flatten().zip(changes) {
                carry_out(tx, &row, change, action)?;
                events::note_account(tx, action, name, what)?;
                count_change(tx)?;
            }
            Ok(plan)
        })
    }
}

/// What a change does to an account as it stands, or why it does nothing.
fn told(row: &AccountRow, change: &AccountChange) -> Result<String, String> {
    let has = |fingerprint: &str| {
        let mut keys = row.keys.iter();
        keys.find(|known| known.key.fingerprint == fingerprint)
    };
    match change {
        AccountChange::AddKey(key) => match has(&key.fingerprint) {
            Some(known) if known.valid_until.is_none() => {
                Err(format!("it has the key {} already", key.fingerprint))
            }
            _ => Ok(format!("key added: {}", key.fingerprint)),
        },
        AccountChange::RotateKey { key, old_until } => Ok(match old_until {
            Some(until) => format!(
                "key rotated to {}; the old until {until:.0}",
                key.fingerprint
            ),
            None => format!("key rotated to {}", key.fingerprint),
        }),
        AccountChange::RemoveKey { fingerprint } => match has(fingerprint) {
            Some(_) => Ok(format!("key removed: {fingerprint}")),
            None => Err(format!("it has no key {fingerprint}")),
        },
        AccountChange::SetPassword { .. } => Ok("password set".to_owned()),
        AccountChange::RemovePassword => match row.password_hash {
            Some(_) => Ok("password removed".to_owned()),
            None => Err("it has no password".to_owned()),
        },
        AccountChange::SetAddresses(addresses) if addresses.is_empty() => {
            Ok("addresses: those of the settings".to_owned())
        }
        AccountChange::SetAddresses(addresses) => {
            Ok(format!("addresses: {}", addresses.join(", ")))
        }
        AccountChange::Disable => match row.disabled_at {
            Some(since) => Err(format!("it is disabled since {since:.0}")),
            None => Ok("disabled".to_owned()),
        },
        AccountChange::Enable => match row.disabled_at {
            Some(_) => Ok("enabled".to_owned()),
            None => Err("it is not disabled".to_owned()),
        },
    }
}

fn carry_out(
    tx: &Transaction<'_>,
    row: &AccountRow,
    change: &AccountChange,
    action: &NewEvent,
) -> Result<(), Error> {
    let set = |sql: &str, value: Option<String>| {
        let done = tx.execute(sql, params![row.name, value]);
        done.map(drop).doing("change an account")
    };
    let now = millis(action.at);
    match change {
        AccountChange::AddKey(key) => add_key(tx, row, key, action),
        AccountChange::RotateKey { key, old_until } => {
            let until = old_until.map_or(now, millis);
            end_keys(
                tx,
                row,
                |known| known.key.fingerprint != key.fingerprint,
                until,
            )?;
            add_key(tx, row, key, action)
        }
        AccountChange::RemoveKey { fingerprint } => {
            end_keys(tx, row, |known| known.key.fingerprint == *fingerprint, now)?;
            // One that the settings have, or had, stays, so that it stays ended.
            let sql = "DELETE FROM account_keys WHERE account = ?1 AND fingerprint = ?2
                 AND in_settings = 0 AND added_at IS NOT NULL";
            set(sql, Some(fingerprint.clone()))
        }
        AccountChange::SetPassword { hash } => {
            let sql = "UPDATE accounts SET password_hash = ?2 WHERE name = ?1";
            set(sql, Some(hash.clone()))
        }
        AccountChange::RemovePassword => set(
            "UPDATE accounts SET password_hash = ?2 WHERE name = ?1",
            None,
        ),
        AccountChange::SetAddresses(addresses) => {
            let sql = "UPDATE accounts SET addresses = ?2 WHERE name = ?1";
            set(sql, Some(addresses.join(" ")))
        }
        AccountChange::Disable | AccountChange::Enable => {
            let since = matches!(change, AccountChange::Disable).then_some(now);
            let sql = "UPDATE accounts SET disabled_at = ?2 WHERE name = ?1";
            let done = tx.execute(sql, params![row.name, since]);
            done.map(drop).doing("change an account")
        }
    }
}

fn add_key(
    tx: &Transaction<'_>,
    row: &AccountRow,
    key: &AccountKeyLine,
    action: &NewEvent,
) -> Result<(), Error> {
    let sql =
        "INSERT INTO account_keys (account, fingerprint, line, in_settings, added_at, added_by)
         VALUES (?1, ?2, ?3, 0, ?4, ?5)
         ON CONFLICT (account, fingerprint)
         DO UPDATE SET added_at = ?4, added_by = ?5, valid_until = NULL";
    let given = params![
        row.name,
        key.fingerprint,
        key.line,
        millis(action.at),
        action.actor
    ];
    tx.execute(sql, given).doing("add a key")?;
    Ok(())
}

/// Ends those keys at `until`, unless they end before.
fn end_keys(
    tx: &Transaction<'_>,
    row: &AccountRow,
    which: impl Fn(&AccountKey) -> bool,
    until: i64,
) -> Result<(), Error> {
    let sql = "UPDATE account_keys SET valid_until = MIN(IFNULL(valid_until, ?3), ?3)
         WHERE account = ?1 AND fingerprint = ?2";
    row.keys
        .iter()
        .filter(|key| which(key))
        .try_for_each(|key| {
            let given = params![row.name, key.key.fingerprint, until];
            tx.execute(sql, given).map(drop).doing("end a key")
        })
}

fn count_change(tx: &Transaction<'_>) -> Result<(), Error> {
    let sql = "UPDATE account_changes SET changes = changes + 1";
    tx.execute(sql, []).map(drop).doing("count a change")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{AccountOfSettings, AccountRole};

    fn key(name: &str) -> AccountKeyLine {
        AccountKeyLine {
            fingerprint: format!("SHA256:{name}"),
            line: format!("ssh-ed25519 AAAA {name}"),
        }
    }

    fn city(keys: &[&str]) -> AccountOfSettings {
        AccountOfSettings {
            name: "city".to_owned(),
            role: AccountRole::Sender,
            is_served: true,
            keys: keys.iter().map(|name| key(name)).collect(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn action(second: i64) -> NewEvent {
        NewEvent {
            at: at(second),
            actor: "maija".to_owned(),
            why: "a new laptop".to_owned(),
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.know_accounts(&[city(&["first"])]).unwrap();
        (folder, store)
    }

    fn valid(store: &Store, now: Timestamp) -> Vec<String> {
        let keys = store.account("city").unwrap().keys.into_iter();
        let valid = keys.filter(|key| key.is_valid(now));
        valid.map(|key| key.key.fingerprint).collect()
    }

    #[test]
    fn a_rotated_key_ends_the_old_ones_when_it_is_said_even_those_of_the_settings() {
        let (_folder, store) = store();
        let rotate = AccountChange::RotateKey {
            key: key("second"),
            old_until: Some(at(100)),
        };
        store
            .change_account("city", &[rotate], &action(10))
            .unwrap()
            .unwrap();
        assert_eq!(valid(&store, at(99)), ["SHA256:first", "SHA256:second"]);
        assert_eq!(valid(&store, at(100)), ["SHA256:second"]);
        // The settings still have it, and a restart does not bring it back.
        store.know_accounts(&[city(&["first"])]).unwrap();
        assert_eq!(valid(&store, at(100)), ["SHA256:second"]);
        // Nor does it come back with settings that had lost it.
        store.know_accounts(&[city(&[])]).unwrap();
        store.know_accounts(&[city(&["first"])]).unwrap();
        assert_eq!(valid(&store, at(100)), ["SHA256:second"]);
    }

    #[test]
    fn a_key_that_the_settings_lost_is_forgotten_unless_a_command_ended_it() {
        let (_folder, store) = store();
        store.know_accounts(&[city(&["first", "other"])]).unwrap();
        let remove = [AccountChange::RemoveKey {
            fingerprint: "SHA256:first".to_owned(),
        }];
        let end = |second| store.change_account("city", &remove, &action(second));
        end(10).unwrap().unwrap();
        store.know_accounts(&[city(&[])]).unwrap();
        end(11).unwrap().unwrap();
        let keys = store.account("city").unwrap().keys;
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert_eq!(keys[0].valid_until, Some(at(10)));
    }

    #[test]
    fn a_removed_key_is_gone_and_can_be_added_again() {
        let (_folder, store) = store();
        let remove = [AccountChange::RemoveKey {
            fingerprint: "SHA256:first".to_owned(),
        }];
        store
            .change_account("city", &remove, &action(10))
            .unwrap()
            .unwrap();
        assert_eq!(valid(&store, at(10)), [""; 0]);
        let add = [AccountChange::AddKey(key("first"))];
        store
            .change_account("city", &add, &action(11))
            .unwrap()
            .unwrap();
        assert_eq!(valid(&store, at(11)), ["SHA256:first"]);
        let twice = store.change_account("city", &add, &action(12)).unwrap();
        assert_eq!(twice.unwrap_err(), "it has the key SHA256:first already");
    }

    #[test]
    fn each_change_is_counted_and_leaves_an_event_and_a_rehearsal_neither() {
        let (_folder, store) = store();
        let before = store.account_changes().unwrap();
        let changes = [
            AccountChange::Disable,
            AccountChange::SetPassword {
                hash: "x".to_owned(),
            },
        ];
        store
            .plan_account_change("city", &changes)
            .unwrap()
            .unwrap();
        assert_eq!(store.account_changes().unwrap(), before);
        store
            .change_account("city", &changes, &action(10))
            .unwrap()
            .unwrap();
        assert_eq!(store.account_changes().unwrap(), before + 2);
        let events = store.account_events("city").unwrap();
        let told: Vec<_> = events.iter().map(|event| event.what.as_str()).collect();
        assert_eq!(told, ["disabled", "password set"]);
        assert_eq!(events[0].why.as_deref(), Some("a new laptop"));
        assert!(store.account("city").unwrap().disabled_at.is_some());
        // All or nothing.
        let half = [AccountChange::RemovePassword, AccountChange::Disable];
        assert!(
            store
                .change_account("city", &half, &action(11))
                .unwrap()
                .is_err()
        );
        assert!(store.account("city").unwrap().password_hash.is_some());
    }
}
