//! What becomes of other settings while the daemon runs.

use crate::{config::Config, sftp_server};

/// What is taken over of `newer`: all, but for what only a restart can change.
///
/// `None` where nothing is: the data folder is another one.
pub(super) fn usable(older: &Config, mut newer: Config) -> Option<Config> {
    if newer.data_folder != older.data_folder {
        tracing::error!(
            "another `data_folder` takes a restart: the old settings stay, all of them"
        );
        return None;
    }
    if newer.log.format != older.log.format {
        restart("log.format");
    }
    if newer.monitor != older.monitor {
        restart("monitor");
        newer.monitor = older.monitor.clone();
    }
    match (&older.server, &mut newer.server) {
        (Some(older), Some(newer)) => keep(&older.settings, &mut newer.settings),
        (None, None) => {}
        (Some(_), newer @ None) => {
            restart("server.enabled");
            // It runs on where it is: settings that switch it on again must not move its folders.
            newer.clone_from(&older.server);
        }
        (None, Some(_)) => restart("server.enabled"),
    }
    Some(newer)
}

/// Keeps of the server's settings what it was started with.
fn keep(older: &sftp_server::Settings, newer: &mut sftp_server::Settings) {
    let in_all = |settings: &sftp_server::Settings| settings.max_backlog_bytes_in_all;
    for (key, is_changed) in [
        ("listen", older.listen != newer.listen),
        ("host_keys_folder", older.host_keys != newer.host_keys),
        ("accounts_folder", older.root != newer.root),
        (
            "limits.sync_threads",
            older.sync_threads != newer.sync_threads,
        ),
        (
            "limits.max_backlog_bytes_in_all",
            in_all(older) != in_all(newer),
        ),
    ] {
        if is_changed {
            restart(&format!("server.{key}"));
        }
    }
    newer.keep_what_takes_a_restart(older);
}

fn restart(key: &str) {
    tracing::warn!(
        key,
        "changed in the settings: takes a restart, stays as it was"
    );
}

/// Says in one log line what other settings change.
pub(super) fn tell(older: &Config, newer: &Config) {
    let senders = |config: &Config| -> Vec<String> {
        let names = config
            .senders
            .iter()
            .map(|sender| sender.settings.id.to_string());
        names.collect()
    };
    let print_houses = |config: &Config| -> Vec<String> {
        let names = config
            .print_houses
            .iter()
            .map(|house| house.settings.id.to_string());
        names.collect()
    };
    tracing::info!(
        senders_added = only_in(senders(newer), &senders(older)),
        senders_removed = only_in(senders(older), &senders(newer)),
        print_houses_added = only_in(print_houses(newer), &print_houses(older)),
        print_houses_removed = only_in(print_houses(older), &print_houses(newer)),
        accounts_changed = accounts_changed(older, newer),
        "took over the settings"
    );
}

/// Says which accounts nobody can log in to.
pub fn tell_shut(accounts: &[String]) {
    for account in accounts {
        let hint = "`kuori account add` gives it a key";
        tracing::warn!(account, hint, "nobody can log in");
    }
}

fn only_in(names: Vec<String>, others: &[String]) -> Option<String> {
    let mut names = names;
    names.retain(|name| !others.contains(name));
    told(&names)
}

/// `None` is not told at all.
fn told(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(" "))
}

fn accounts_changed(older: &Config, newer: &Config) -> Option<String> {
    let older = older.accounts();
    let mut names = newer.accounts();
    names.retain(|account| {
        let before = older.iter().find(|older| older.name == account.name);
        before.is_some_and(|before| before != account)
    });
    let names: Vec<_> = names.into_iter().map(|account| account.name).collect();
    told(&names)
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    fn config() -> Config {
        Config::embedded(PathBuf::from("/data"))
    }

    #[test]
    fn what_takes_a_restart_stays_and_the_rest_is_taken_over() {
        let mut newer = config();
        if let Some(server) = &mut newer.server {
            server.settings.listen = "127.0.0.1:4444".parse().unwrap();
            server.settings.root = PathBuf::from("/elsewhere");
            server.settings.host_keys = PathBuf::from("/elsewhere");
            server.settings.max_connections = 7;
            server.settings.sync_threads = 3;
        }
        newer.poll_interval_secs = 77;
        let taken = usable(&config(), newer).unwrap();
        let settings = taken.server.unwrap().settings;
        assert_eq!(settings.listen.port(), 2222);
        assert_eq!(settings.root, Path::new("/data/sftp"));
        assert!(settings.host_keys.starts_with("/data"));
        assert_eq!(settings.sync_threads, 32);
        assert_eq!(
            (settings.max_connections, taken.poll_interval_secs),
            (7, 77)
        );
    }

    #[test]
    fn a_server_that_is_switched_off_and_on_again_stays_where_it_is() {
        let mut off = config();
        off.server = None;
        let off = usable(&config(), off).unwrap();
        let mut on = config();
        on.server.as_mut().unwrap().settings.root = "/elsewhere".into();
        let on = usable(&off, on).unwrap();
        assert_eq!(on.server.unwrap().settings.root, Path::new("/data/sftp"));
    }

    #[test]
    fn settings_of_another_data_folder_are_not_taken_over_at_all() {
        let newer = Config::embedded(PathBuf::from("/other"));
        assert!(usable(&config(), newer).is_none());
    }
}
