use super::{
    Listing, RemoteFile, RemotePath,
    connection::Connection,
    wire::{Attributes, Entry, Kind, Pending, RemoteHandle, Segments, SftpFailure},
};

/// Why a folder was not listed.
#[derive(Debug)]
pub(super) enum NotListed {
    Remote(SftpFailure),
    TooMany,
}

impl From<SftpFailure> for NotListed {
    fn from(failure: SftpFailure) -> Self {
        Self::Remote(failure)
    }
}

/// Answers that are asked for ahead, so that a long folder does not cost a round trip each.
const AHEAD: usize = 4;

/// Lists the folder at `path` (as the server names it), which is `folder` to us.
pub(super) async fn list(
    connection: &Connection,
    path: &str,
    folder: &RemotePath,
) -> Result<Listing, NotListed> {
    let handle = connection.wire.open_folder(path).await?;
    let mut entries = Entries::new(&handle);
    let mut listing = Listing::default();
    let mut seen = 0;
    while let Some(mut names) = entries.next().await? {
        for entry in Entry::read_all(&mut names)? {
            seen += 1;
            if seen > connection.max_folder_entries {
                return Err(NotListed::TooMany);
            }
            add(&mut listing, folder, &entry);
        }
    }
    Ok(listing)
}

struct Entries<'h> {
    handle: &'h RemoteHandle,
    asked: std::collections::VecDeque<Pending>,
}

impl<'h> Entries<'h> {
    fn new(handle: &'h RemoteHandle) -> Self {
        let asked = (0..AHEAD).map(|_| handle.send(Kind::ReadDir)).collect();
        Self { handle, asked }
    }

    async fn next(&mut self) -> Result<Option<Segments>, SftpFailure> {
        let Some(next) = self.asked.pop_front() else {
            return Ok(None);
        };
        let names = next.names().await?;
        self.asked.push_back(self.handle.send(Kind::ReadDir));
        Ok(names)
    }
}

fn add(listing: &mut Listing, folder: &RemotePath, entry: &Entry) {
    let raw = entry.name.as_ref();
    if !entry.is_file || raw == b"." || raw == b".." {
        return;
    }
    match std::str::from_utf8(raw) {
        Ok(name) if folder.join(name).is_ok() => {
            listing.files.push(file(name, &entry.attributes));
        }
        _ => {
            let shown = String::from_utf8_lossy(raw);
            let shown = shown.escape_debug().take(300).collect();
            listing.odd_names.push(shown);
        }
    }
}

pub(super) fn file(name: &str, attributes: &Attributes) -> RemoteFile {
    RemoteFile {
        name: name.to_owned(),
        bytes: attributes.bytes.unwrap_or(0),
        modified: attributes.modified,
    }
}
