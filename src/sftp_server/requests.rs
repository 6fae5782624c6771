use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use russh_sftp::{
    de,
    extensions::{self, FsyncExtension},
    protocol::{Extended, FileAttributes, Open as OpenRequest, OpenFlags, Packet},
};
use tokio::sync::mpsc;

use super::{
    audit::{Audit, Deed},
    busy::{Busy, two_paths},
    handles::{Download, Handles, Open},
    in_hand::{InHand, OneInHand},
    jail::Jail,
    listing,
    owed::{Owed, Paid},
    refusal::Refusal,
    reply::{self, Reply},
    settings::Settings,
    upload::{IsFirst, Upload},
    virtual_path::VirtualPath,
    write_request::WriteRequest,
    writer::Sync,
};

/// Types of requests that a client may send (draft-ietf-secsh-filexfer-02, section 3).
const INIT: u8 = 1;
const REQUESTS: std::ops::RangeInclusive<u8> = 3..=20;
const EXTENDED: u8 = 200;

/// Answers the requests of one session.
///
/// Reading, writing and looking is done at once and in order, on the session's own thread: more
/// threads cost more than they gain. What has to wait for the disk (close, rename, removal, sync)
/// is left to the sealer and answered when it is done, so that files which are closed together
/// wait together. A request about a name that such a deed is under way for waits for it.
pub(super) struct Requests {
    jail: Arc<Jail>,
    handles: Handles,
    audit: Audit,
    settings: Arc<Settings>,
    in_hand: InHand,
    greeted: bool,
    answers: mpsc::UnboundedSender<Paid>,
    paid: mpsc::UnboundedReceiver<Paid>,
    /// Answers that are owed.
    owed: usize,
    busy: Busy,
    held: Option<Packet>,
}

/// What becomes of a request.
pub(super) enum Answer {
    Now(Bytes),
    /// [`Requests::paid`] has it when the time comes.
    Later,
    /// The session cannot go on: a packet that cannot be read leaves no way to tell where we are.
    Unreadable,
}

/// A reply, or nothing where it is owed.
type Outcome = Result<Option<Bytes>, Refusal>;

impl Requests {
    pub(super) fn new(jail: Jail, audit: Audit, settings: Arc<Settings>, in_hand: InHand) -> Self {
        let (answers, paid) = mpsc::unbounded_channel();
        Self {
            handles: Handles::new(&settings, jail.ledger.open_handles.clone()),
            jail: Arc::new(jail),
            audit,
            settings,
            in_hand,
            greeted: false,
            answers,
            paid,
            owed: 0,
            busy: Busy::default(),
            held: None,
        }
    }

    pub(super) fn answer(&mut self, packet: Bytes) -> Answer {
        self.read_and_answer(packet).unwrap_or(Answer::Unreadable)
    }

    /// Whether a further packet can be answered now.
    pub(super) fn takes_more(&self) -> bool {
        self.held.is_none() && self.owed < self.settings.max_requests_at_once.max(1)
    }

    /// The next answer of those that were owed, or `None` when none is.
    pub(super) async fn paid(&mut self) -> Option<(Option<Bytes>, Option<OneInHand>)> {
        if self.owed == 0 {
            return None;
        }
        let paid = self.paid.recv().await?;
        self.owed -= 1;
        self.busy.remove(&paid.about);
        let reply = paid
            .reply
            .or_else(|refusal| refuse(paid.id, &refusal).ok_or(()));
        Some((reply.ok(), paid.in_hand))
    }

    /// The answer to the request that had to wait, if there is one and it need not any more.
    pub(super) fn answer_held(&mut self) -> Answer {
        match self.held.take() {
            Some(held) => self.take(held),
            None => Answer::Later,
        }
    }

    /// How long the session has to wait after it got, or before it sends, so many bytes.
    pub(super) fn pause(&self, received: usize, sent: usize) -> Duration {
        let Some(per_sec) = self.jail.account.account.max_bytes_per_sec else {
            return Duration::ZERO;
        };
        let (now, ledger) = (Instant::now(), &self.jail.ledger);
        let up = ledger.up.wait_for(received, per_sec, now);
        up.max(ledger.down.wait_for(sent, per_sec, now))
    }

    /// `None` stands for a packet that cannot be read.
    fn read_and_answer(&mut self, mut packet: Bytes) -> Option<Answer> {
        match packet.first().copied()? {
            INIT if !self.greeted => {
                self.greeted = true;
                reply::version().map(Answer::Now)
            }
            WriteRequest::KIND if self.greeted => {
                let write = WriteRequest::read(packet.slice(1..))?;
                let done = self.write(&write).and_then(|()| reply::done(write.id));
                Some(answered(write.id, done.map(Some)))
            }
            kind if self.greeted && (REQUESTS.contains(&kind) || kind == EXTENDED) => {
                Packet::try_from(&mut packet)
                    .ok()
                    .map(|request| self.take(request))
            }
            INIT | EXTENDED => None,
            _ if self.greeted => {
                let id = packet.get(1..5)?.try_into().ok().map(u32::from_be_bytes)?;
                reply::refused(id, &Refusal::Unsupported("unknown request")).map(Answer::Now)
            }
            _ => None,
        }
    }

    fn take(&mut self, request: Packet) -> Answer {
        if self.busy.concerns(&request) {
            self.held = Some(request);
            return Answer::Later;
        }
        let id = request.get_request_id();
        answered(id, self.perform(id, request))
    }

    fn perform(&mut self, id: u32, request: Packet) -> Outcome {
        match request {
            Packet::Close(close) => self.close(id, &close.handle),
            Packet::Remove(remove) => self.remove(id, &remove.filename),
            Packet::RmDir(remove) => self.remove_folder(id, &remove.path),
            Packet::Rename(rename) => self.rename(id, &rename.oldpath, &rename.newpath),
            Packet::Extended(extended) => self.extended(id, extended),
            request => self.perform_at_once(id, request).map(Some),
        }
    }

    fn perform_at_once(&mut self, id: u32, request: Packet) -> Reply {
        match request {
            Packet::Read(read) => self.read(id, &read.handle, read.offset, read.len),
            Packet::Open(open) => {
                self.audited("open", &open.filename.clone(), |this| this.open(id, &open))
            }
            Packet::Stat(stat) => self.stat(id, &stat.path),
            Packet::Lstat(stat) => self.stat(id, &stat.path),
            Packet::Fstat(stat) => self.fstat(id, &stat.handle),
            Packet::SetStat(set) => self.set_attributes(id, &set.path, &set.attrs),
            Packet::FSetStat(set) => self.set_open_attributes(id, &set.handle, &set.attrs),
            Packet::OpenDir(open) => self.open_folder(id, &open.path),
            Packet::ReadDir(read) => self.read_folder(id, &read.handle),
            Packet::RealPath(real) => Self::real_path(id, &real.path),
            Packet::MkDir(make) => {
                self.audited("mkdir", &make.path, |this| this.make_folder(&make.path))
            }
            Packet::Symlink(link) => self.audited("symlink", &link.linkpath, |_| {
                Err(Refusal::Unsupported("there are no links here"))
            }),
            _ => Err(Refusal::Unsupported("there are no links here")),
        }
    }

    fn open(&mut self, id: u32, request: &OpenRequest) -> Reply {
        let path = VirtualPath::parse(&request.filename)?;
        self.handles.check_room()?;
        let writes = OpenFlags::WRITE | OpenFlags::APPEND;
        let open = if request.pflags.intersects(writes) {
            Open::Upload(self.start_upload(&path, request.pflags)?)
        } else {
            Open::Download(Download {
                file: self.jail.open_file(&path)?,
                path,
                bytes: 0,
                started: Instant::now(),
            })
        };
        reply::handle(id, self.handles.insert(open)?)
    }

    fn start_upload(&self, path: &VirtualPath, flags: OpenFlags) -> Result<Upload, Refusal> {
        let in_hand = self.in_hand.begin().ok_or(Refusal::Stopping)?;
        let mut upload = self.jail.start_upload(path, flags)?;
        upload.hold(in_hand);
        if upload.resumed_at() > 0 {
            self.audit.done(Deed::Resume, path, upload.resumed_at());
        }
        Ok(upload)
    }

    fn read(&mut self, id: u32, handle: &str, offset: u64, len: u32) -> Reply {
        match self.handles.get(handle)? {
            Open::Download(download) => {
                let reply = reply::data(id, &download.file, offset, len)?;
                download.bytes += (reply.len() - reply::DATA_HEADER_BYTES) as u64;
                Ok(reply)
            }
            Open::Upload(upload) => reply::data(id, upload.writer().file(), offset, len),
            Open::Listing(_) => Err(Refusal::Denied("this is a folder")),
        }
    }

    fn write(&mut self, request: &WriteRequest) -> Result<(), Refusal> {
        let upload = self.handles.upload(request.handle())?;
        let written = upload.write(request.offset, &request.data);
        written.map_err(|(refusal, is_first)| {
            if is_first == IsFirst(true) {
                let path = upload.path().to_string();
                self.audit.refused_if_told("write", &path, &refusal);
            }
            refusal
        })
    }

    /// For an upload the answer is the receipt: the file is durable under its name by then.
    fn close(&mut self, id: u32, handle: &str) -> Outcome {
        match self.handles.remove(handle)? {
            Open::Upload(upload) => {
                self.close_upload(id, upload);
                Ok(None)
            }
            Open::Download(download) => {
                self.audit.downloaded(&download);
                reply::done(id).map(Some)
            }
            Open::Listing(_) => reply::done(id).map(Some),
        }
    }

    fn close_upload(&mut self, id: u32, mut upload: Upload) {
        let (path, in_hand) = (upload.path().clone(), upload.let_go());
        let about = vec![path.clone()];
        self.owe(
            id,
            ("close", path.to_string()),
            about,
            in_hand,
            move |audit| {
                audit.received(&path, &upload.commit()?);
                Ok(())
            },
        );
    }

    fn stat(&self, id: u32, path: &str) -> Reply {
        reply::attributes(id, self.jail.stat(&VirtualPath::parse(path)?)?)
    }

    fn fstat(&mut self, id: u32, handle: &str) -> Reply {
        let found = match self.handles.get(handle)? {
            Open::Download(download) => {
                let found = rustix::fs::fstat(&download.file)?;
                listing::attributes(&found).ok_or(Refusal::Missing)?
            }
            Open::Upload(upload) => upload.attributes()?,
            Open::Listing(_) => return Err(Refusal::Denied("this is a folder")),
        };
        reply::attributes(id, found)
    }

    /// Clients set times and modes after an upload and take a refusal for a failed upload, so
    /// both are accepted and ignored. A new size would change a file that we may have taken.
    fn set_attributes(&self, id: u32, path: &str, wanted: &FileAttributes) -> Reply {
        let path = VirtualPath::parse(path)?;
        match wanted.size {
            Some(bytes) => self.jail.set_size(&path, bytes)?,
            None => drop(self.jail.stat(&path)?),
        }
        reply::done(id)
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

    fn make_folder(&self, path: &str) -> Reply {
        // Many clients make the whole way to a file, whether it is there or not.
        if self.jail.stat(&VirtualPath::parse(path)?).is_ok() {
            return Err(Refusal::FolderIsThere);
        }
        Err(Refusal::Denied(
            "folders are made by the server; put files into the ones that are there",
        ))
    }

    fn remove(&mut self, id: u32, path: &str) -> Outcome {
        let said = ("remove", path.to_owned());
        let path = self.parsed(&said)?;
        let jail = Arc::clone(&self.jail);
        self.owe(id, said, vec![path.clone()], None, move |audit| {
            audit.done(Deed::Removal, &path, jail.remove(&path)?);
            Ok(())
        });
        Ok(None)
    }

    fn remove_folder(&mut self, id: u32, path: &str) -> Outcome {
        let said = ("rmdir", path.to_owned());
        let path = self.parsed(&said)?;
        let jail = Arc::clone(&self.jail);
        self.owe(id, said, vec![path.clone()], None, move |audit| {
            jail.remove_folder(&path)?;
            audit.done(Deed::Removal, &path, 0);
            Ok(())
        });
        Ok(None)
    }

    fn rename(&mut self, id: u32, from: &str, to: &str) -> Outcome {
        let from = self.parsed(&("rename", from.to_owned()))?;
        let said = ("rename", to.to_owned());
        let to = self.parsed(&said)?;
        let jail = Arc::clone(&self.jail);
        let about = vec![from.clone(), to.clone()];
        self.owe(id, said, about, None, move |audit| {
            jail.rename(&from, &to)?;
            audit.renamed(&from, &to);
            Ok(())
        });
        Ok(None)
    }

    fn real_path(id: u32, path: &str) -> Reply {
        let path = VirtualPath::parse(path)?;
        reply::names(id, vec![(path.to_string(), FileAttributes::empty())])
    }

    fn extended(&mut self, id: u32, request: Extended) -> Outcome {
        match request.request.as_str() {
            extensions::LIMITS => reply::limits(id, &self.settings).map(Some),
            extensions::STATVFS => {
                let (used, bounds) = self.jail.usage()?;
                reply::file_system(id, &self.jail.file_system()?, used, bounds).map(Some)
            }
            extensions::FSYNC => self.sync(id, request),
            // It never replaces a file here, unlike elsewhere: a name that is taken stays taken.
            reply::POSIX_RENAME => {
                let (from, to) = two_paths(&request)?;
                self.rename(id, &from, &to)
            }
            _ => Err(Refusal::Unsupported("unknown extension")),
        }
    }

    fn sync(&mut self, id: u32, request: Extended) -> Outcome {
        let mut data = Bytes::from(request.data);
        let wanted: FsyncExtension = de::from_bytes(&mut data).map_err(unreadable)?;
        let upload = self.handles.upload(&wanted.handle)?;
        let (writer, said) = (Arc::clone(upload.writer()), upload.path().to_string());
        self.owe(id, ("fsync", said), Vec::new(), None, move |_| {
            writer.sync(Sync::Data)
        });
        Ok(None)
    }

    /// Has `deed` done while the session goes on, and its refusal written down under what `said`
    /// is: the request, and the path as the client named it.
    fn owe(
        &mut self,
        id: u32,
        said: (&'static str, String),
        about: Vec<VirtualPath>,
        in_hand: Option<OneInHand>,
        deed: impl FnOnce(&Audit) -> Result<(), Refusal> + Send + 'static,
    ) {
        self.owed += 1;
        self.busy.add(&about);
        let owed = Owed::new(id, about, in_hand, &self.answers);
        let audit = self.audit.clone();
        self.jail.sealer.submit(move || {
            let done = deed(&audit);
            if let Err(refusal) = &done {
                audit.refused_if_told(said.0, &said.1, refusal);
            }
            owed.pay(done);
        });
    }

    fn parsed(&self, (request, path): &(&'static str, String)) -> Result<VirtualPath, Refusal> {
        let parsed = VirtualPath::parse(path);
        parsed.inspect_err(|refusal| self.audit.refused_if_told(request, path, refusal))
    }

    /// Does `deed`, and writes its refusal down.
    fn audited<T>(
        &mut self,
        request: &'static str,
        path: &str,
        deed: impl FnOnce(&mut Self) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let done = deed(self);
        if let Err(refusal) = &done {
            self.audit.refused_if_told(request, path, refusal);
        }
        done
    }
}

impl Drop for Requests {
    /// The session is over: what was not closed did not arrive.
    fn drop(&mut self) {
        for open in self.handles.drain() {
            match open {
                Open::Upload(upload) => {
                    let path = upload.path().clone();
                    let bytes = upload.break_off();
                    self.audit.done(Deed::BrokenUpload, &path, bytes);
                }
                Open::Download(download) => self.audit.downloaded(&download),
                Open::Listing(_) => {}
            }
        }
    }
}

fn answered(id: u32, outcome: Outcome) -> Answer {
    match outcome {
        Ok(Some(reply)) => Answer::Now(reply),
        Ok(None) => Answer::Later,
        Err(refusal) => refuse(id, &refusal).map_or(Answer::Unreadable, Answer::Now),
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
