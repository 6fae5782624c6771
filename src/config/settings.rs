use std::{path::PathBuf, time::Duration};

use ipnet::IpNet;
use jiff::{SignedDuration, tz::TimeZone};

use crate::{
    consents,
    domain::{BackOff, SenderId, ServiceName},
    inbox::{self, Afterwards, Completeness, Way},
    mailbox::suomifi,
    monitor, notices, outbox,
    pipeline::{self, PrintHouseSettings, Retention, SenderSettings, SetAside},
    second_reader,
    sftp_server::{self, Account, Role},
    telemetry::LogFormat,
    transport::SftpSettings,
};

/// Everything that a settings file says, checked. Paths are joined to the data folder already.
#[derive(Debug, Clone)]
pub struct Config {
    pub data_folder: PathBuf,
    pub log: LogConfig,
    /// How often the folders of senders and print houses are looked into.
    pub poll_interval_secs: u32,
    /// What may be in hand before inboxes wait.
    pub inboxes: inbox::Limits,
    /// The most hand-overs at once, of all places together.
    pub hand_overs_at_once: usize,
    /// By whose clocks the people here live.
    pub time_zone: TimeZone,
    /// What receipts are signed with; needed only where a sender wants them signed.
    pub receipt_key_file: PathBuf,
    /// The table of postal codes: whoever reads it gives it to every sender's `batch` settings.
    pub postal_codes_file: Option<PathBuf>,
    pub runner: pipeline::Settings,
    /// When operators are told.
    pub alerts: monitor::AlertSettings,
    /// Where others may ask how it goes.
    pub monitor: monitor::Settings,
    pub retention: RetentionConfig,
    pub second_reader: second_reader::Settings,
    pub mailbox: MailboxConfig,
    /// The services of Suomi.fi Messages that senders name, each once.
    pub services: Vec<ServiceConfig>,
    /// How it is seen which messages were read.
    pub reads: pipeline::ReadSettings,
    /// How recipients are told by e-mail; `None` where they are not.
    pub notices: Option<notices::Settings>,
    /// `None` where the embedded SFTP server is switched off.
    pub server: Option<ServerConfig>,
    pub senders: Vec<SenderConfig>,
    pub print_houses: Vec<PrintHouseConfig>,
    /// Who else brings files of consents.
    pub consent_feeds: Vec<ConsentFeedConfig>,
}

/// How long what senders have sent is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Of senders that the settings do not have, and of those without a table of their own.
    pub retention: Retention,
    /// Of the day, by the clocks of the site's time zone.
    pub purge_hour: i8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    pub format: LogFormat,
    /// As in `RUST_LOG`: `info`, `kuori=debug`.
    pub filter: String,
}

/// Where messages for digital mailboxes go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxConfig {
    Maildir { folder: PathBuf },
}

/// A service of Suomi.fi Messages, and how messages go there.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceConfig {
    pub client: suomifi::Settings,
    pub courier: CourierConfig,
    /// How often it is asked what has happened to messages.
    pub events_poll_secs: u32,
}

impl ServiceConfig {
    /// A stand-in on this machine, to which messages go as fast as it takes them.
    pub fn of_stand_in(
        name: ServiceName,
        base_url: String,
        (service_id, user): (&str, &str),
        password_file: PathBuf,
    ) -> Self {
        let client =
            suomifi::Settings::new(name, service_id.to_owned(), user.to_owned(), password_file);
        Self {
            client: suomifi::Settings {
                base_url,
                allows_plain_http: true,
                ..client
            },
            courier: CourierConfig {
                rate_per_sec: 0.0,
                in_flight: 8,
                in_order: true,
                turn_secs: 30,
                back_off: BackOff {
                    first: SignedDuration::from_secs(1),
                    longest: SignedDuration::from_secs(10),
                },
                set_aside: SetAside::default(),
            },
            events_poll_secs: 1,
        }
    }
}

/// At which pace messages go to a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CourierConfig {
    /// Messages a second, of all senders of the service together.
    pub rate_per_sec: f64,
    /// Requests that are under way at once.
    pub in_flight: usize,
    /// A message of a batch is sent when the one before it has been answered.
    pub in_order: bool,
    /// A batch gives way to another one after this long.
    pub turn_secs: u32,
    /// How long a service that does not work is left alone.
    pub back_off: BackOff,
    /// When a message is given up that it does not take.
    pub set_aside: SetAside,
}

/// The embedded SFTP server; its accounts are [`Config::accounts`].
#[derive(Debug, Clone)]
pub struct ServerConfig {
    pub settings: sftp_server::Settings,
}

/// A sender and where its files come from.
#[derive(Debug, Clone)]
pub struct SenderConfig {
    pub settings: SenderSettings,
    /// Holds `inbox/` and `receipts/`.
    pub folder: FolderConfig,
    pub inbox: inbox::Settings,
    /// Further folders that the sender's batches come from.
    pub further_inboxes: Vec<InboxConfig>,
    pub account: AccountConfig,
    /// How its receipts are handed over.
    pub hand_over: outbox::PlaceSettings,
    /// How long what it has sent is kept.
    pub retention: Retention,
}

impl SenderConfig {
    /// Moves the sender's doors to a folder of this machine, where a file appears only when it is
    /// whole.
    pub fn move_to(&mut self, folder: PathBuf) {
        self.folder = FolderConfig::Directory(folder);
        self.inbox.completeness = Completeness::ByName;
        self.inbox.way = Way::Claim {
            afterwards: Afterwards::Remove,
        };
        self.further_inboxes.clear();
    }
}

/// One more inbox of a sender, in a folder of its own.
#[derive(Debug, Clone)]
pub struct InboxConfig {
    /// Which it is of the sender's further inboxes, from 0.
    pub index: usize,
    pub settings: inbox::Settings,
    pub folder: FolderConfig,
}

/// A print house and where its bundles go.
#[derive(Debug, Clone)]
pub struct PrintHouseConfig {
    pub settings: PrintHouseSettings,
    /// Holds `pickup/` and `feedback/`; absent where a service prints, and no bundles are made.
    pub folder: Option<FolderConfig>,
    pub account: AccountConfig,
    /// How its bundles are handed over.
    pub hand_over: outbox::PlaceSettings,
}

/// A place where somebody brings files of consents, and what is done with them.
#[derive(Debug, Clone)]
pub struct ConsentFeedConfig {
    /// 1 to 40 of a-z, 0-9 and `-`.
    pub name: String,
    /// Holds `inbox/` and `receipts/`; on no other server than our own.
    pub folder: FolderConfig,
    pub account: AccountConfig,
    pub how: consents::How,
    /// A file that was changed more recently may not be whole.
    pub settle: SignedDuration,
    /// How often it is looked into.
    pub every: Duration,
}

/// Where the folders of a sender or print house are.
#[derive(Debug, Clone)]
pub enum FolderConfig {
    /// The home of the account of the same name on the embedded server.
    Embedded,
    Directory(PathBuf),
    Sftp(SftpSettings),
}

/// What the settings say of an account on the embedded server; [`Account`] has the meanings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountConfig {
    pub public_keys: Vec<String>,
    pub allowed_addresses: Vec<IpNet>,
    pub allows_sha1_rsa: bool,
    pub quota_bytes: Option<u64>,
    pub quota_files: Option<u64>,
    pub max_bytes_per_sec: Option<u64>,
}

impl Config {
    /// How long what a sender has sent is kept.
    pub fn retention_of(&self, sender: &SenderId) -> Retention {
        let of_settings = self.senders.iter().find(|one| one.settings.id == *sender);
        of_settings.map_or(self.retention.retention, |one| one.retention)
    }

    /// The accounts of the embedded server: every sender, print house and feed whose folder is there.
    pub fn accounts(&self) -> Vec<Account> {
        let senders = self.senders.iter().map(|sender| {
            let name = sender.settings.id.as_str();
            (&sender.folder, account(name, Role::Sender, &sender.account))
        });
        let print_houses = self.print_houses.iter().filter_map(|house| {
            let name = house.settings.id.as_str();
            let account = account(name, Role::PrintHouse, &house.account);
            Some((house.folder.as_ref()?, account))
        });
        let feeds = self.consent_feeds.iter().map(|feed| {
            let account = account(&feed.name, Role::ConsentFeed, &feed.account);
            (&feed.folder, account)
        });
        senders
            .chain(print_houses)
            .chain(feeds)
            .filter(|(folder, _)| matches!(folder, FolderConfig::Embedded))
            .map(|(_, account)| account)
            .collect()
    }
}

fn account(name: &str, role: Role, config: &AccountConfig) -> Account {
    Account {
        public_keys: config.public_keys.clone(),
        allowed_addresses: config.allowed_addresses.clone(),
        allows_sha1_rsa: config.allows_sha1_rsa,
        quota_bytes: config.quota_bytes,
        quota_files: config.quota_files,
        max_bytes_per_sec: config.max_bytes_per_sec,
        ..Account::new(name, role)
    }
}
