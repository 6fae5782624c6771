use std::sync::Arc;

use bytes::Bytes;
use russh_sftp::{
    de,
    extensions::{self, FsyncExtension, HardlinkExtension},
    protocol::{Extended, FileAttributes, Open as OpenRequest, OpenFlags, Packet},
};

use super::{
    audit::{Audit, Deed},
    handles::{Download, Handles, Open},
    in_hand::InHand,
    jail::Jail,
    listing,
    refusal::Refusal,
    reply::{self, Reply},
    settings::Settings,
    virtual_path::VirtualPath,
};

/// Types of requests that a client may send (draft-ietf-secsh-filexfer-02, section 3).
const INIT: u8 = 1;
const REQUESTS: std::ops::RangeInclusive<u8> = 3..=20;
const EXTENDED: u8 = 200;

/// Answers the requests of one session, one after the other, on the session's own thread.
pub(super) struct Requests {
    jail: Jail,
    handles: Handles,
    audit: Audit,
    settings: Arc<Settings>,
    in_hand: InHand,
    greeted: bool,
}

impl Requests {
    pub(super) fn new(jail: Jail, audit: Audit, settings: Arc<Settings>, in_hand: InHand) -> Self {
        Self {
            jail,
            handles: Handles::new(settings.max_handles),
            audit,
            settings,
            in_hand,
            greeted: false,
        }
    }

    /// The reply to one packet, or `None` where the session cannot go on: a packet that cannot
    /// be read leaves no way to tell where we are.
    pub(super) fn answer(&mut self, mut packet: Bytes) -> Option<Bytes> {
        match packet.first().copied()? {
            INIT if !self.greeted => {
                self.greeted = true;
                reply::version()
            }
            kind if self.greeted && (REQUESTS.contains(&kind) || kind == EXTENDED) => {
                let request = Packet::try_from(&mut packet).ok()?;
                let id = request.get_request_id();
                match self.perform(id, request) {
                    Ok(reply) => Some(reply),
                    Err(refusal) => refuse(id, &refusal),
                }
            }
            INIT | EXTENDED => None,
            _ if self.greeted => {
                let id = packet.get(1..5)?.try_into().ok().map(u32::from_be_bytes)?;
                reply::refused(id, &Refusal::Unsupported("unknown request"))
            }
            _ => None,
        }
    }

    fn perform(&mut self, id: u32, request: Packet) -> Reply {
        match request {
            Packet::Read(read) => self.read(id, &read.handle, read.offset, read.len),
            Packet::Write(write) => {
                self.write(&write.handle, write.offset, &write.data)?;
                reply::done(id)
            }
            Packet::Open(open) => {
                self.audited("open", &open.filename.clone(), |this| this.open(id, &open))
            }
            Packet::Close(close) => self.close(id, &close.handle),
            Packet::Stat(stat) => self.stat(id, &stat.path),
            Packet::Lstat(stat) => self.stat(id, &stat.path),
            Packet::Fstat(stat) => self.fstat(id, &stat.handle),
            Packet::SetStat(set) => self.set_attributes(id, &set.path, &set.attrs),
            Packet::FSetStat(set) => self.set_open_attributes(id, &set.handle, &set.attrs),
            Packet::OpenDir(open) => self.open_folder(id, &open.path),
            Packet::ReadDir(read) => self.read_folder(id, &read.handle),
            Packet::Remove(remove) => self.audited("remove", &remove.filename, |this| {
                this.remove(id, &remove.filename)
            }),
            Packet::Rename(rename) => self.rename(id, &rename.oldpath, &rename.newpath),
            Packet::RealPath(real) => Self::real_path(id, &real.path),
            Packet::Extended(extended) => self.extended(id, extended),
            Packet::MkDir(make) => self.audited("mkdir", &make.path, |_| {
                Err(Refusal::Denied("folders are made by the server"))
            }),
            Packet::RmDir(remove) => self.audited("rmdir", &remove.path, |this| {
                this.remove_folder(id, &remove.path)
            }),
            Packet::Symlink(link) => self.audited("symlink", &link.linkpath, |_| {
                Err(Refusal::Unsupported("there are no links here"))
            }),
            _ => Err(Refusal::Unsupported("there are no links here")),
        }
    }

    fn open(&mut self, id: u32, request: &OpenRequest) -> Reply {
        let path = VirtualPath::parse(&request.filename)?;
        let writes = OpenFlags::WRITE | OpenFlags::APPEND;
        let open = if request.pflags.intersects(writes) {
            let in_hand = self.in_hand.begin().ok_or(Refusal::Stopping)?;
            let mut upload = self.jail.start_upload(&path, request.pflags)?;
            upload.hold(in_hand);
            Open::Upload(upload)
        } else {
            Open::Download(Download {
                file: self.jail.open_file(&path)?,
                path,
                bytes: 0,
            })
        };
        reply::handle(id, self.handles.insert(open)?)
    }

    fn read(&mut self, id: u32, handle: &str, offset: u64, len: u32) -> Reply {
        match self.handles.get(handle)? {
            Open::Download(download) => {
                let reply = reply::data(id, &download.file, offset, len)?;
                download.bytes += (reply.len() - reply::DATA_HEADER_BYTES) as u64;
                Ok(reply)
            }
            Open::Upload(upload) => reply::data(id, upload.file(), offset, len),
            Open::Listing(_) => Err(Refusal::Denied("this is a folder")),
        }
    }

    fn write(&mut self, handle: &str, offset: u64, data: &[u8]) -> Result<(), Refusal> {
        self.handles.upload(handle)?.write(offset, data)
    }

    /// For an upload the answer is the receipt: the file is durable under its name by then.
    fn close(&mut self, id: u32, handle: &str) -> Reply {
        match self.handles.remove(handle)? {
            Open::Upload(upload) => {
                let path = upload.path().clone();
                let bytes = self.audited("close", &path.to_string(), |_| upload.commit())?;
                self.audit.done(Deed::Upload, &path, bytes);
            }
            Open::Download(download) => {
                self.audit
                    .done(Deed::Download, &download.path, download.bytes);
            }
            Open::Listing(_) => {}
        }
        reply::done(id)
    }

    fn stat(&self, id: u32, path: &str) -> Reply {
        reply::attributes(id, self.jail.stat(&VirtualPath::parse(path)?)?)
    }

    fn fstat(&mut self, id: u32, handle: &str) -> Reply {
        let file = match self.handles.get(handle)? {
            Open::Download(download) => &download.file,
            Open::Upload(upload) => upload.file(),
            Open::Listing(_) => return Err(Refusal::Denied("this is a folder")),
        };
        let found = rustix::fs::fstat(file)?;
        reply::attributes(id, listing::attributes(&found).ok_or(Refusal::Missing)?)
    }

    /// Clients set times and modes after an upload and take a refusal for a failed upload, so
    /// both are accepted and ignored. A new size would change a file that we may have taken.
    fn set_attributes(&self, id: u32, path: &str, wanted: &FileAttributes) -> Reply {
        self.jail.stat(&VirtualPath::parse(path)?)?;
        match wanted.size {
            Some(_) => Err(Refusal::Denied(
                "a file that was received cannot be changed",
            )),
            None => reply::done(id),
        }
    }

    fn set_open_attributes(&mut self, id: u32, handle: &str, wanted: &FileAttributes) -> Reply {
        if let Some(bytes) = wanted.size {
            self.handles.upload(handle)?.set_size(bytes)?;
        } else {
            self.handles.get(handle)?;
        }
        reply::done(id)
    }

    fn open_folder(&mut self, id: u32, path: &str) -> Reply {
        let listing = self.jail.list(&VirtualPath::parse(path)?)?;
        reply::handle(id, self.handles.insert(Open::Listing(listing))?)
    }

    fn read_folder(&mut self, id: u32, handle: &str) -> Reply {
        let Open::Listing(listing) = self.handles.get(handle)? else {
            return Err(Refusal::Denied("this is a file"));
        };
        let entries = listing.next_batch()?;
        if entries.is_empty() {
            return Err(Refusal::End);
        }
        reply::names(id, entries)
    }

    fn remove(&mut self, id: u32, path: &str) -> Reply {
        let path = VirtualPath::parse(path)?;
        let bytes = self.jail.stat(&path)?.size.unwrap_or(0);
        self.jail.remove(&path)?;
        self.audit.done(Deed::Removal, &path, bytes);
        reply::done(id)
    }

    fn remove_folder(&mut self, id: u32, path: &str) -> Reply {
        let path = VirtualPath::parse(path)?;
        self.jail.remove_folder(&path)?;
        self.audit.done(Deed::Removal, &path, 0);
        reply::done(id)
    }

    fn rename(&mut self, id: u32, from: &str, to: &str) -> Reply {
        self.audited("rename", to, |this| {
            let (from, to) = (VirtualPath::parse(from)?, VirtualPath::parse(to)?);
            this.jail.rename(&from, &to)?;
            this.audit.renamed(&from, &to);
            reply::done(id)
        })
    }

    fn real_path(id: u32, path: &str) -> Reply {
        let path = VirtualPath::parse(path)?;
        reply::names(id, vec![(path.to_string(), FileAttributes::empty())])
    }

    fn extended(&mut self, id: u32, request: Extended) -> Reply {
        let mut data = Bytes::from(request.data);
        match request.request.as_str() {
            extensions::LIMITS => reply::limits(id, &self.settings),
            extensions::STATVFS => reply::file_system(id, &self.jail.file_system()?),
            extensions::FSYNC => {
                let wanted: FsyncExtension = de::from_bytes(&mut data).map_err(unreadable)?;
                self.handles.upload(&wanted.handle)?.sync()?;
                reply::done(id)
            }
            // It never replaces a file here, unlike elsewhere: a name that is taken stays taken.
            reply::POSIX_RENAME => {
                let wanted: HardlinkExtension = de::from_bytes(&mut data).map_err(unreadable)?;
                self.rename(id, &wanted.oldpath, &wanted.newpath)
            }
            _ => Err(Refusal::Unsupported("unknown extension")),
        }
    }

    /// Does `deed`, and writes its refusal down.
    fn audited<T>(
        &mut self,
        request: &'static str,
        path: &str,
        deed: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let done = deed(self);
        if let Err(refusal) = done.as_ref()
            && refusal.is_worth_auditing()
        {
            self.audit.refused(request, path, refusal);
        }
        done
    }
}

impl Drop for Requests {
    /// The session is over: what was not closed did not arrive.
    fn drop(&mut self) {
        for open in self.handles.drain() {
            if let Open::Upload(upload) = open {
                let bytes = upload.file().metadata().map_or(0, |found| found.len());
                self.audit.done(Deed::UploadAbandoned, upload.path(), bytes);
            }
        }
    }
}

fn refuse(id: u32, refusal: &Refusal) -> Option<Bytes> {
    // The client does not hear what is wrong with our disk; the operator does.
    if let Refusal::Io(error) = refusal {
        tracing::error!(%error, "a request failed");
    }
    reply::refused(id, refusal)
}

fn unreadable<E>(_: E) -> Refusal {
    Refusal::Unsupported("the extension's data cannot be read")
}
