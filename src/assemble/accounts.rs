//! The accounts of the settings, and what commands have changed of them.

use jiff::Timestamp;

use crate::{
    config::{Config, FolderConfig},
    sftp_server::{self, Account, key_fingerprint, network},
    store::{AccountKeyLine, AccountOfSettings, AccountRole, AccountRow},
};

/// What the store is to know of the accounts of the settings.
pub fn accounts_of_settings(config: &Config) -> Vec<AccountOfSettings> {
    let senders = config.senders.iter().map(|sender| {
        let name = sender.settings.id.to_string();
        (name, AccountRole::Sender, &sender.folder, &sender.account)
    });
    let print_houses = config.print_houses.iter().filter_map(|house| {
        let (name, folder) = (house.settings.id.to_string(), house.folder.as_ref()?);
        Some((name, AccountRole::PrintHouse, folder, &house.account))
    });
    let known =
        |(name, role, folder, account): (_, _, &FolderConfig, &crate::config::AccountConfig)| {
            AccountOfSettings {
                name,
                role,
                is_served: matches!(folder, FolderConfig::Embedded),
                keys: account
                    .public_keys
                    .iter()
                    .filter_map(|line| key(line))
                    .collect(),
            }
        };
    let feeds = config.consent_feeds.iter().map(|feed| {
        let role = AccountRole::ConsentFeed;
        (feed.name.clone(), role, &feed.folder, &feed.account)
    });
    let all = senders.chain(print_houses).chain(feeds);
    all.map(known).collect()
}

fn key(line: &str) -> Option<AccountKeyLine> {
    Some(AccountKeyLine {
        fingerprint: key_fingerprint(line)?,
        line: line.trim().to_owned(),
    })
}

/// Who may log in at `now`, and when the next key of them ends.
///
/// A disabled account stays, with nothing that opens it: its owner's tries are told by its name.
pub(super) fn joined(
    of_settings: &[Account],
    rows: &[AccountRow],
    now: Timestamp,
) -> (Vec<Account>, Option<Timestamp>) {
    let row_of = |account: &Account| rows.iter().find(|row| row.name == account.name);
    let accounts = of_settings.iter().map(|account| match row_of(account) {
        Some(row) => with_changes(account, row, now),
        None => account.clone(),
    });
    let ends = rows.iter().flat_map(|row| &row.keys);
    let ends = ends
        .filter_map(|key| key.valid_until)
        .filter(|end| *end > now);
    (accounts.collect(), ends.min())
}

fn with_changes(account: &Account, row: &AccountRow, now: Timestamp) -> Account {
    let mut changed = account.clone();
    if row.disabled_at.is_some() {
        changed.public_keys.clear();
        changed.password_hash = None;
        return changed;
    }
    let is_ended = |line: &String| {
        let fingerprint = sftp_server::key_fingerprint(line);
        let mut ended = row.keys.iter().filter(|key| !key.is_valid(now));
        fingerprint.is_some_and(|given| ended.any(|key| key.key.fingerprint == given))
    };
    changed.public_keys.retain(|line| !is_ended(line));
    let added = row
        .keys
        .iter()
        .filter(|key| key.added.is_some() && key.is_valid(now));
    changed
        .public_keys
        .extend(added.map(|key| key.key.line.clone()));
    changed.password_hash.clone_from(&row.password_hash);
    let networks = row.addresses.iter().filter_map(|text| network(text));
    changed.allowed_addresses.extend(networks);
    changed
}
