use std::path::{Component, Path, PathBuf};

use super::{Config, FolderConfig, MailboxConfig, key_path::KeyPath, problem::Problems};
use crate::transport::SftpSettings;

/// What other rooms keep in the data folder under fixed names.
const OWN_PARTS: [&str; 4] = ["spool", "kuori.sqlite", "test-mailboxes", "test-shelf"];

/// Reports folders that would mix the files of two parties, or ours with theirs.
pub(super) fn check(config: &Config, problems: &mut Problems) {
    let places = places(config);
    for (index, later) in places.iter().enumerate() {
        for earlier in places.iter().take(index) {
            if earlier.folder.overlaps(&later.folder) {
                let message = match earlier.folder {
                    Folder::Embedded(_) => format!("has the same account as `{}`", earlier.key),
                    _ => format!("overlaps with the folder of `{}`", earlier.key),
                };
                problems.add(&later.key, message);
            }
        }
    }
}

struct Place {
    key: KeyPath,
    folder: Folder,
}

enum Folder {
    /// An account's home, by its name.
    Embedded(String),
    Local(PathBuf),
    Remote {
        server: (String, u16, String),
        path: PathBuf,
    },
}

impl Folder {
    fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Embedded(one), Self::Embedded(other)) => one == other,
            (Self::Local(one), Self::Local(other)) => nest(one, other),
            (
                Self::Remote { server, path },
                Self::Remote {
                    server: other_server,
                    path: other_path,
                },
            ) => server == other_server && nest(path, other_path),
            (Self::Embedded(_) | Self::Local(_) | Self::Remote { .. }, _) => false,
        }
    }
}

fn nest(one: &Path, other: &Path) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn places(config: &Config) -> Vec<Place> {
    let root = KeyPath::root();
    let mut places = own_folders(config);
    for sender in &config.senders {
        let key = root.key("senders").key(sender.settings.id.as_str());
        places.push(place(&key, sender.settings.id.as_str(), &sender.folder));
        for inbox in &sender.further_inboxes {
            let key = key.key("inboxes").element(inbox.index);
            places.push(place(&key, &inbox.settings.place, &inbox.folder));
        }
    }
    for house in &config.print_houses {
        let key = root.key("print_houses").key(house.settings.id.as_str());
        if let Some(folder) = &house.folder {
            places.push(place(&key, house.settings.id.as_str(), folder));
        }
    }
    for feed in &config.consent_feeds {
        let key = root.key("consent_feeds").key(&feed.name);
        places.push(place(&key, &feed.name, &feed.folder));
    }
    places
}

/// The folders that only Kuori writes to. The data folder holds the others, so its parts stand for it.
fn own_folders(config: &Config) -> Vec<Place> {
    let root = KeyPath::root();
    let local = |key: KeyPath, path: &Path| Place {
        key,
        folder: Folder::Local(plain(path)),
    };
    let MailboxConfig::Maildir { folder } = &config.mailbox;
    let parts = OWN_PARTS.iter().map(|part| {
        let path = config.data_folder.join(part);
        local(root.key("data_folder"), &path)
    });
    let mut places: Vec<_> = parts.collect();
    places.push(local(
        root.key("mailbox").key("maildir").key("folder"),
        folder,
    ));
    if let Some(server) = &config.server {
        let at = root.key("server");
        let settings = &server.settings;
        places.push(local(at.key("host_keys_folder"), &settings.host_keys));
        places.push(local(at.key("accounts_folder"), &settings.root));
    }
    places
}

fn place(key: &KeyPath, name: &str, folder: &FolderConfig) -> Place {
    match folder {
        FolderConfig::Embedded => Place {
            key: key.clone(),
            folder: Folder::Embedded(name.to_owned()),
        },
        FolderConfig::Directory(path) => Place {
            key: key.key("directory"),
            folder: Folder::Local(plain(path)),
        },
        FolderConfig::Sftp(settings) => Place {
            key: key.key("sftp"),
            folder: remote(settings),
        },
    }
}

/// Folders of different users may have the same path and be two folders: users can be jailed.
fn remote(settings: &SftpSettings) -> Folder {
    Folder::Remote {
        server: (
            settings.host.to_lowercase(),
            settings.port,
            settings.user.clone(),
        ),
        path: plain(Path::new(&settings.root)),
    }
}

/// The path without `.` and, as far as the text alone can say, without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
