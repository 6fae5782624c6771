//! The format of the settings file, a struct a table.
//!
//! Doc comments here are what operators read in `docs/settings.md`: they start with the meaning, and
//! units are in the names of the keys. Each struct reads itself into the plain settings of its room.

mod account;
mod alerts;
mod consent_feed;
mod further_inbox;
mod hand_over;
mod intake;
mod limits;
mod mailbox;
mod mirror;
mod monitor;
mod name;
mod notices;
mod omr;
mod outbox;
mod page;
mod paper;
mod place;
mod print_house;
mod printing_service;
mod retention;
mod routing;
mod runner;
mod second_reader;
mod sender;
mod server;
mod sftp;
mod site;
mod suomifi;
mod upload;
mod words;

use std::{collections::BTreeMap, path::PathBuf};

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    alerts::AlertsTable, consent_feed::ConsentFeedTable, intake::IntakeTable,
    mailbox::MailboxTable, monitor::MonitorTable, notices::NoticesTable, outbox::OutboxTable,
    print_house::PrintHouseTable, retention::RetentionTable, runner::RunnerTable,
    second_reader::SecondReaderTable, sender::SenderTable, server::ServerTable, site::Site,
    suomifi::SuomifiTable, words::LogFormatName,
};
use super::{Config, LogConfig, folders, key_path::KeyPath, problem::Problems, services};

/// Settings of Kuori. A relative path starts at `data_folder`, and that one at the current folder.
/// Names of senders, services and print houses are 1 to 40 of a-z, 0-9 and `-`. Secrets stand in files of
/// their own, which the settings name.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Settings of Kuori")]
pub(super) struct Tables {
    /// Folder of everything that Kuori keeps: the database, the spooled files, host keys.
    data_folder: PathBuf,
    /// How often the folders of senders and print houses are looked into.
    #[schemars(range(min = 1))]
    poll_interval_secs: u32,
    /// By whose clocks the people here live: a name of the IANA time zone database.
    #[schemars(length(min = 1))]
    time_zone: String,
    /// File of the key that receipts are signed with, for senders with `sign_receipts`;
    /// `kuori receipt key` makes it.
    receipt_key_file: PathBuf,
    /// Table of postal codes and their localities: Posti's PCF file, or CSV with the columns `postal_code`,
    /// `locality_fi` and `locality_sv`. Read at the start. Default: codes are not looked up.
    postal_codes_file: Option<PathBuf>,
    log: LogTable,
    inboxes: IntakeTable,
    outbox: OutboxTable,
    runner: RunnerTable,
    alerts: AlertsTable,
    monitor: MonitorTable,
    retention: RetentionTable,
    second_reader: SecondReaderTable,
    mailbox: MailboxTable,
    /// A table for each service of Suomi.fi Messages, under its name: `[suomifi.city-letters]`.
    suomifi: BTreeMap<String, SuomifiTable>,
    notices: Option<NoticesTable>,
    server: ServerTable,
    /// A table for each sender, under its name: `[senders.example-city]`. At least one.
    senders: BTreeMap<String, SenderTable>,
    /// A table for each print house, under its name: `[print_houses.example-print]`.
    print_houses: BTreeMap<String, PrintHouseTable>,
    /// A table for each party that brings files of consents, under its name:
    /// `[consent_feeds.customer-register]`.
    consent_feeds: BTreeMap<String, ConsentFeedTable>,
}

impl Default for Tables {
    fn default() -> Self {
        Self {
            data_folder: PathBuf::from("kuori-data"),
            poll_interval_secs: 5,
            time_zone: "Europe/Helsinki".to_owned(),
            receipt_key_file: PathBuf::from("receipt.key"),
            postal_codes_file: None,
            log: LogTable::default(),
            inboxes: IntakeTable::default(),
            outbox: OutboxTable::default(),
            runner: RunnerTable::default(),
            alerts: AlertsTable::default(),
            monitor: MonitorTable::default(),
            retention: RetentionTable::default(),
            second_reader: SecondReaderTable::default(),
            mailbox: MailboxTable::default(),
            suomifi: BTreeMap::new(),
            notices: None,
            server: ServerTable::default(),
            senders: BTreeMap::new(),
            print_houses: BTreeMap::new(),
            consent_feeds: BTreeMap::new(),
        }
    }
}

impl Tables {
    /// `data_folder` replaces the one of the file.
    pub(super) fn read(self, data_folder: Option<PathBuf>, problems: &mut Problems) -> Config {
        let root = KeyPath::root();
        if self.senders.is_empty() {
            problems.add(&root.key("senders"), "has no sender; set up at least one");
        }
        let retention = self.retention.read(&root.key("retention"), problems);
        let site = Site {
            data_folder: data_folder.unwrap_or(self.data_folder),
            has_server: self.server.is_enabled(),
            poll_interval_secs: self.poll_interval_secs,
            retention: retention.retention,
            print_houses: self.print_houses.keys().cloned().collect(),
            service_print_houses: self
                .print_houses
                .iter()
                .filter(|(_, table)| table.is_service())
                .map(|(name, _)| name.clone())
                .collect(),
            services: self.suomifi.keys().cloned().collect(),
        };
        let inboxes = self.inboxes.read();
        let config = Config {
            log: self.log.read(),
            poll_interval_secs: self.poll_interval_secs,
            inboxes,
            hand_overs_at_once: self.outbox.hand_overs_at_once,
            time_zone: time_zone(&self.time_zone, &root, problems),
            receipt_key_file: site.path(&self.receipt_key_file),
            postal_codes_file: self.postal_codes_file.map(|file| site.path(&file)),
            retention,
            runner: self.runner.read(&root.key("runner"), problems),
            alerts: self
                .alerts
                .read(inboxes.min_free_bytes, &root.key("alerts"), problems),
            monitor: self.monitor.read(&root.key("monitor"), problems),
            second_reader: self.second_reader.read(&site),
            reads: self.mailbox.reads(),
            mailbox: self.mailbox.read(&site),
            services: each(self.suomifi, &root.key("suomifi"), |name, table, at| {
                table.read(name, at, &site, problems)
            }),
            notices: self
                .notices
                .and_then(|table| table.read(&root.key("notices"), &site, problems)),
            server: self.server.read(&root.key("server"), &site, problems),
            senders: each(self.senders, &root.key("senders"), |name, table, at| {
                table.read(name, at, &site, problems)
            }),
            print_houses: each(
                self.print_houses,
                &root.key("print_houses"),
                |name, table, at| table.read(name, at, &site, problems),
            ),
            consent_feeds: consent_feed::read(
                self.consent_feeds,
                &root.key("consent_feeds"),
                &site,
                problems,
            ),
            data_folder: site.data_folder,
        };
        folders::check(&config, problems);
        services::check(&config.services, problems);
        config
    }
}

fn time_zone(name: &str, root: &KeyPath, problems: &mut Problems) -> TimeZone {
    TimeZone::get(name).unwrap_or_else(|_| {
        let message = format!(
            "names the time zone {name:?}, which nobody knows; write it as `Europe/Helsinki`"
        );
        problems.add(&root.key("time_zone"), message);
        TimeZone::UTC
    })
}

fn each<T, U>(
    tables: BTreeMap<String, T>,
    at: &KeyPath,
    mut read: impl FnMut(&str, T, &KeyPath) -> Option<U>,
) -> Vec<U> {
    tables
        .into_iter()
        .filter_map(|(name, table)| read(&name, table, &at.key(&name)))
        .collect()
}

/// Log lines; they go to standard error.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LogTable {
    /// How log lines look.
    format: LogFormatName,
    /// What is logged, as in `RUST_LOG`: `info`, `kuori=debug`, `warn,kuori::pipeline=trace`.
    #[schemars(length(min = 1))]
    filter: String,
}

impl Default for LogTable {
    fn default() -> Self {
        Self {
            format: LogFormatName::default(),
            filter: "info".to_owned(),
        }
    }
}

impl LogTable {
    fn read(self) -> LogConfig {
        LogConfig {
            format: self.format.into(),
            filter: self.filter,
        }
    }
}
