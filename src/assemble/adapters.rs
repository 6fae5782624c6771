//! One function an adapter: settings in, the thing behind its contract out.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Error;
use crate::{
    config::{Config, ConsentFeedConfig, FolderConfig, InboxConfig, MailboxConfig, SenderConfig},
    domain::{PrintHouseId, Private, ServiceName},
    inbox::{self, Headroom, Inbox},
    mailbox::{
        FolderKey, Mailbox, Maildirs,
        suomifi::{self, PostalAccount, Suomifi},
    },
    notices::Mailer,
    outbox::{self, Places},
    pdf::SecondReader,
    pipeline::{Clock, House, Mailboxes, Notifier, PrintingService, ReadLooks, SenderSettings},
    second_reader::{self, Clerk},
    signing::Signer,
    store::{Place, Store},
    transport::{DirectoryFolder, RemoteFolder, SftpFolder, SftpServers},
};

/// Characters of the password of a user at the print house of Suomi.fi.
const POSTAL_PASSWORD: usize = 4;

const SENDER_FOLDERS: [&str; 2] = ["inbox", "receipts"];
const PRINT_HOUSE_FOLDERS: [&str; 2] = ["pickup", "feedback"];

/// Where the accounts of the embedded server have their folders, whether it is open or not.
fn accounts_folder(config: &Config) -> PathBuf {
    let open = config
        .server
        .as_ref()
        .map(|server| server.settings.root.clone());
    open.unwrap_or_else(|| config.data_folder.join("sftp"))
}

pub(super) fn house(config: &Config, store: &Arc<Store>, clock: &Clock) -> Result<House, Error> {
    let MailboxConfig::Maildir { folder } = &config.mailbox;
    Ok(House {
        store: Arc::clone(store),
        mailbox: maildirs(config, folder, Some(&mailboxes_id(config)))?,
        test_mailbox: test_maildirs(config)?,
        services: services(config)?,
        senders: config
            .senders
            .iter()
            .map(|sender| (sender.settings.id.clone(), sender.settings.clone()))
            .collect(),
        print_houses: config
            .print_houses
            .iter()
            .map(|house| (house.settings.id.clone(), house.settings.clone()))
            .collect(),
        postal_accounts: postal_accounts(config)?,
        second_reader: second_reader(&config.second_reader)?,
        clock: clock.clone(),
        time_zone: config.time_zone.clone(),
        signer: signer(config)?,
        sends_notices: config.notices.is_some(),
    })
}

/// The services of Suomi.fi Messages. None is asked for anything yet.
pub fn services(config: &Config) -> Result<BTreeMap<ServiceName, Arc<Suomifi>>, Error> {
    let service = |settings: &suomifi::Settings| {
        let name = settings.name.clone();
        let service = Suomifi::new(settings.clone()).map_err(|source| Error::Service {
            name: name.clone(),
            source,
        })?;
        Ok((name, Arc::new(service)))
    };
    let services = config.services.iter();
    services.map(|one| service(&one.client)).collect()
}

/// Whether the password of each printing service can be read.
pub fn check_postal_passwords(config: &Config) -> Result<(), Error> {
    postal_accounts(config).map(drop)
}

/// Who pays for paper, at the print houses that are services.
fn postal_accounts(config: &Config) -> Result<BTreeMap<PrintHouseId, PostalAccount>, Error> {
    let houses = config.print_houses.iter().map(|house| &house.settings);
    let services = houses.filter_map(|house| Some((&house.id, house.service.as_ref()?)));
    services
        .map(|(id, service)| Ok((id.clone(), postal_account(id, service)?)))
        .collect()
}

fn postal_account(id: &PrintHouseId, service: &PrintingService) -> Result<PostalAccount, Error> {
    let path = &service.password_file;
    let wrong = |source| Error::PostalPassword {
        name: id.clone(),
        path: path.clone(),
        source,
    };
    let password = fs::read_to_string(path).map_err(wrong)?;
    let password = password.trim_end_matches(['\r', '\n']);
    if password.chars().count() != POSTAL_PASSWORD {
        let why = format!("it does not hold {POSTAL_PASSWORD} characters");
        return Err(wrong(io::Error::other(why)));
    }
    Ok(PostalAccount {
        user: service.user.clone(),
        password: Private::new(password.to_owned()),
        contact_email: service.contact_email.clone(),
        cost_pool: service.cost_pool.clone(),
    })
}

/// Who tells recipients by e-mail, where the settings want that.
pub(super) fn notifier(
    config: &Config,
    store: &Arc<Store>,
    clock: &Clock,
) -> Option<Arc<Notifier>> {
    let mailer = Mailer::new(config.notices.clone()?);
    let names = config.senders.iter().map(|sender| {
        let SenderSettings {
            id, display_name, ..
        } = &sender.settings;
        (id.clone(), display_name.clone())
    });
    let notifier = Notifier::new(Arc::clone(store), mailer, names.collect(), clock.clone());
    Some(Arc::new(notifier))
}

/// Has PDFs read that the house itself does not.
pub fn second_reader(settings: &second_reader::Settings) -> Result<Arc<dyn SecondReader>, Error> {
    let clerk = Clerk::new(settings.clone()).map_err(Error::SecondReader)?;
    Ok(Arc::new(clerk))
}

/// The site's key, where a sender wants signed receipts.
pub(super) fn signer(config: &Config) -> Result<Option<Signer>, Error> {
    let is_wanted = |sender: &SenderConfig| sender.settings.receipts.sign;
    if !config.senders.iter().any(is_wanted) {
        return Ok(None);
    }
    Ok(Some(Signer::open(&config.receipt_key_file)?))
}

/// Looks into the mailboxes of a house.
pub(super) fn read_looks(config: &Config, house: &House) -> ReadLooks {
    let mailboxes = Mailboxes {
        earnest: Arc::clone(&house.mailbox),
        test: Arc::clone(&house.test_mailbox),
    };
    ReadLooks::new(Arc::clone(&house.store), mailboxes, config.reads)
}

/// `known` keeps the id of those that are to lie there; without it, any may.
fn maildirs(
    config: &Config,
    folder: &Path,
    known: Option<&Path>,
) -> Result<Arc<dyn Mailbox>, Error> {
    let key = FolderKey::open(&config.data_folder.join("mailbox.key")).map_err(Error::Mailbox)?;
    let maildirs = match known {
        Some(known) => Maildirs::of_house(folder.to_owned(), key, known),
        None => Maildirs::new(folder.to_owned(), key),
    };
    Ok(Arc::new(maildirs.map_err(Error::Mailbox)?))
}

/// They lie in the data folder, and whoever clears them away loses nothing: no id tells which they are.
fn test_maildirs(config: &Config) -> Result<Arc<dyn Mailbox>, Error> {
    maildirs(config, &config.data_folder.join("test-mailboxes"), None)
}

/// The file by which the house knows the mailboxes that it has delivered into.
fn mailboxes_id(config: &Config) -> PathBuf {
    config.data_folder.join("mailboxes.id")
}

/// The mailboxes of a house that has delivered something; `None` where their folder is not there.
///
/// # Errors
///
/// Where they were made with another key than the one that is there, or are not those that the house
/// has delivered into.
pub fn mailboxes(config: &Config) -> Result<Option<Mailboxes>, Error> {
    let MailboxConfig::Maildir { folder } = &config.mailbox;
    // Neither is made by a look, and none becomes the house's by one. A folder that is not there may be
    // another than is meant: a command may have been given no settings.
    if !folder.exists() || !config.data_folder.join("mailbox.key").exists() {
        return Ok(None);
    }
    let known = Some(mailboxes_id(config)).filter(|known| known.exists());
    Ok(Some(Mailboxes {
        earnest: maildirs(config, folder, known.as_deref())?,
        test: test_maildirs(config)?,
    }))
}

/// The folders that receipts and bundles go to.
pub(super) fn places(config: &Config, servers: &SftpServers) -> Result<Places, Error> {
    let mut places = Places::new();
    for sender in &config.senders {
        let id = sender.settings.id.clone();
        let folder = folder(config, servers, id.as_str(), &sender.folder, SENDER_FOLDERS)?;
        places.insert(Place::Sender(id), folder);
    }
    for print_house in &config.print_houses {
        let id = print_house.settings.id.clone();
        let Some(own) = &print_house.folder else {
            continue;
        };
        let folder = folder(config, servers, id.as_str(), own, PRINT_HOUSE_FOLDERS)?;
        places.insert(Place::PrintHouse(id), folder);
    }
    let shelf = local(config.data_folder.join("test-shelf"), PRINT_HOUSE_FOLDERS)?;
    places.insert(Place::TestShelf, shelf);
    Ok(places)
}

/// How things are handed over to each place.
pub(super) fn outbox_settings(config: &Config) -> outbox::Settings {
    let senders = config.senders.iter().map(|sender| {
        let id = sender.settings.id.clone();
        (Place::Sender(id), sender.hand_over)
    });
    let print_houses = config.print_houses.iter().map(|house| {
        let id = house.settings.id.clone();
        (Place::PrintHouse(id), house.hand_over)
    });
    outbox::Settings {
        at_once: config.hand_overs_at_once,
        places: senders.chain(print_houses).collect(),
        ..outbox::Settings::default()
    }
}

/// The inboxes of all senders; they share what may be in hand.
pub(super) fn inboxes(
    config: &Config,
    servers: &SftpServers,
    store: &Arc<Store>,
    places: &Places,
) -> Result<Vec<Arc<Inbox>>, Error> {
    let headroom = Headroom::new(config.inboxes);
    let mut inboxes = Vec::new();
    let mut add = |folder: Arc<dyn RemoteFolder>, settings: &inbox::Settings| {
        let (store, headroom) = (Arc::clone(store), Arc::clone(&headroom));
        let inbox = Inbox::with_headroom(store, folder, settings.clone(), headroom);
        inboxes.push(Arc::new(inbox));
    };
    for sender in &config.senders {
        if let Some(own) = places.get(&Place::Sender(sender.settings.id.clone())) {
            add(Arc::clone(own), &sender.inbox);
        }
        for InboxConfig {
            settings, folder, ..
        } in &sender.further_inboxes
        {
            let folder = self::folder(config, servers, &settings.place, folder, SENDER_FOLDERS)?;
            add(folder, settings);
        }
    }
    Ok(inboxes)
}

/// `servers` are the connections that all places share.
fn folder(
    config: &Config,
    servers: &SftpServers,
    place: &str,
    folder: &FolderConfig,
    known: [&str; 2],
) -> Result<Arc<dyn RemoteFolder>, Error> {
    Ok(match folder {
        FolderConfig::Embedded => local(accounts_folder(config).join(place), known)?,
        // Nothing is made in it: where it is a mount that is missing, it has to look missing.
        FolderConfig::Directory(path) => Arc::new(DirectoryFolder::new(path.clone())),
        FolderConfig::Sftp(settings) => Arc::new(SftpFolder::on(servers, settings)),
    })
}

/// Where a feed of consents has its folders.
pub(super) fn consent_folder(config: &Config, feed: &ConsentFeedConfig) -> Result<PathBuf, Error> {
    Ok(match &feed.folder {
        FolderConfig::Directory(path) => path.clone(),
        FolderConfig::Embedded | FolderConfig::Sftp(_) => {
            let root = accounts_folder(config).join(&feed.name);
            local(root.clone(), SENDER_FOLDERS)?;
            root
        }
    })
}

/// A folder of our own, with those folders in it that its party knows.
fn local(root: PathBuf, known: [&str; 2]) -> Result<Arc<dyn RemoteFolder>, Error> {
    for folder in known {
        let folder = root.join(folder);
        fs::create_dir_all(&folder).map_err(|source| Error::Folder { folder, source })?;
    }
    Ok(Arc::new(DirectoryFolder::new(root)))
}
