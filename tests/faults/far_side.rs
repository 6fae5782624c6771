//! Somebody else's SFTP server: it writes to the very name that it is given, knows no extension, and
//! has the faults that a test gives it.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use kuori::transport::{HostKey, Login, SftpSettings};
use russh::{
    Channel, ChannelId,
    keys::{Algorithm, HashAlg, PrivateKey, key::safe_rng},
    server::{self, Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey},
};
use russh_sftp::protocol::{
    Attrs, Data, File as Entry, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode,
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use crate::sftp::house::make_key;

/// What is odd about a server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Habits {
    /// Bytes that its disk has left.
    pub(crate) room_bytes: Option<u64>,
    /// What it adds to the length of each file that it is asked about.
    pub(crate) adds_to_size: i64,
    /// How far its clock is off; every time of a file that it tells is off as much.
    pub(crate) clock_off_secs: i64,
}

pub(crate) struct FarSide {
    pub(crate) dir: TempDir,
    shared: Arc<Shared>,
    address: SocketAddr,
    fingerprint: String,
    accepting: AbortHandle,
}

impl FarSide {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for folder in ["inbox", "pickup"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        make_key(&dir.path().join("key"));
        let host_key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
        let fingerprint = host_key.public_key().fingerprint(HashAlg::Sha256);
        let shared = Arc::new(Shared {
            root,
            habits: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = Arc::new(server::Config {
            keys: vec![host_key],
            nodelay: true,
            ..server::Config::default()
        });
        let accepting = tokio::spawn(accept_all(listener, config, Arc::clone(&shared)));
        Self {
            dir,
            shared,
            address,
            fingerprint: fingerprint.to_string(),
            accepting: accepting.abort_handle(),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.shared.habits.lock().unwrap());
    }

    /// A path as the server's operator sees it.
    pub(crate) fn on_disk(&self, path: &str) -> PathBuf {
        self.shared.root.join(path)
    }

    /// How it is reached at `address`: its own, or that of a line to it.
    pub(crate) fn settings(&self, address: SocketAddr) -> SftpSettings {
        SftpSettings {
            host: address.ip().to_string(),
            port: address.port(),
            user: "anybody".to_owned(),
            login: Login::Key(self.dir.path().join("key")),
            host_key: HostKey::Fingerprints(vec![self.fingerprint.clone()]),
            ..SftpSettings::default()
        }
    }
}

impl Drop for FarSide {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Shared {
    root: PathBuf,
    habits: Mutex<Habits>,
}

impl Shared {
    fn on_disk(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    fn attributes(&self, path: &Path) -> io::Result<FileAttributes> {
        let found = fs::symlink_metadata(path)?;
        let habits = *self.habits.lock().unwrap();
        let size = found.len().saturating_add_signed(habits.adds_to_size);
        let modified = found.mtime() + habits.clock_off_secs;
        Ok(FileAttributes {
            size: Some(size),
            permissions: Some(found.mode()),
            mtime: u32::try_from(modified).ok(),
            atime: u32::try_from(modified).ok(),
            ..FileAttributes::empty()
        })
    }

    /// Takes `bytes` from the room on the disk, if there are as many.
    fn has_room_for(&self, bytes: u64) -> bool {
        let mut habits = self.habits.lock().unwrap();
        let Some(room) = &mut habits.room_bytes else {
            return true;
        };
        let rest = room.checked_sub(bytes);
        *room = rest.unwrap_or(*room);
        rest.is_some()
    }
}

async fn accept_all(listener: TcpListener, config: Arc<server::Config>, shared: Arc<Shared>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(serve(socket, Arc::clone(&config), Arc::clone(&shared)));
    }
}

async fn serve(socket: TcpStream, config: Arc<server::Config>, shared: Arc<Shared>) {
    let visitor = Visitor {
        shared,
        channels: HashMap::new(),
    };
    if let Ok(session) = server::run_stream(config, socket, visitor).await {
        let _ = session.await;
    }
}

/// One connection; anybody may come in.
struct Visitor {
    shared: Arc<Shared>,
    channels: HashMap<ChannelId, Channel<Msg>>,
}

impl server::Handler for Visitor {
    type Error = russh::Error;

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channels.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        _name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        session.channel_success(channel)?;
        if let Some(channel) = self.channels.remove(&channel) {
            let desk = Desk {
                shared: Arc::clone(&self.shared),
                open: HashMap::new(),
                opened: 0,
            };
            russh_sftp::server::run(channel.into_stream(), desk).await;
        }
        Ok(())
    }
}

/// One SFTP session.
struct Desk {
    shared: Arc<Shared>,
    open: HashMap<String, Open>,
    opened: u64,
}

enum Open {
    File(PathBuf, File),
    /// What is in a folder, until it was told.
    Folder(Vec<Entry>),
}

impl Desk {
    fn hand_out(&mut self, id: u32, open: Open) -> Handle {
        self.opened += 1;
        let handle = self.opened.to_string();
        self.open.insert(handle.clone(), open);
        Handle { id, handle }
    }

    fn file(&self, handle: &str) -> Result<(&Path, &File), StatusCode> {
        match self.open.get(handle) {
            Some(Open::File(path, file)) => Ok((path, file)),
            _ => Err(StatusCode::Failure),
        }
    }

    fn entries(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        let entry = |found: io::Result<fs::DirEntry>| {
            let found = found?;
            let attributes = self.shared.attributes(&found.path())?;
            let name = found.file_name().into_string().unwrap();
            Ok(Entry::new(name, attributes))
        };
        fs::read_dir(folder)?.map(entry).collect()
    }
}

impl russh_sftp::server::Handler for Desk {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        StatusCode::OpUnsupported
    }

    async fn open(
        &mut self,
        id: u32,
        path: String,
        flags: OpenFlags,
        _attributes: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        let path = self.shared.on_disk(&path);
        let writes = flags.contains(OpenFlags::WRITE);
        let file = OpenOptions::new()
            .read(true)
            .write(writes)
            .create(flags.contains(OpenFlags::CREATE))
            .create_new(flags.contains(OpenFlags::EXCLUDE))
            .truncate(flags.contains(OpenFlags::TRUNCATE))
            .open(&path)
            .map_err(code)?;
        Ok(self.hand_out(id, Open::File(path, file)))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        self.open.remove(&handle);
        Ok(done(id))
    }

    async fn read(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        len: u32,
    ) -> Result<Data, StatusCode> {
        let mut data = vec![0; len as usize];
        let (_, file) = self.file(&handle)?;
        let read = file.read_at(&mut data, offset).map_err(code)?;
        data.truncate(read);
        match read {
            0 => Err(StatusCode::Eof),
            _ => Ok(Data { id, data }),
        }
    }

    async fn write(
        &mut self,
        id: u32,
        handle: String,
        offset: u64,
        data: Vec<u8>,
    ) -> Result<Status, StatusCode> {
        let (_, file) = self.file(&handle)?;
        if !self.shared.has_room_for(data.len() as u64) {
            return Err(StatusCode::Failure);
        }
        file.write_all_at(&data, offset).map_err(code)?;
        Ok(done(id))
    }

    async fn lstat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let attrs = self.shared.attributes(&self.shared.on_disk(&path));
        attrs.map(|attrs| Attrs { id, attrs }).map_err(code)
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        self.lstat(id, path).await
    }

    async fn fstat(&mut self, id: u32, handle: String) -> Result<Attrs, StatusCode> {
        let (path, _) = self.file(&handle)?;
        let attrs = self.shared.attributes(path);
        attrs.map(|attrs| Attrs { id, attrs }).map_err(code)
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let entries = self.entries(&self.shared.on_disk(&path)).map_err(code)?;
        Ok(self.hand_out(id, Open::Folder(entries)))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        match self.open.get_mut(&handle) {
            Some(Open::Folder(entries)) if !entries.is_empty() => Ok(Name {
                id,
                files: std::mem::take(entries),
            }),
            _ => Err(StatusCode::Eof),
        }
    }

    async fn remove(&mut self, id: u32, path: String) -> Result<Status, StatusCode> {
        let removed = fs::remove_file(self.shared.on_disk(&path));
        removed.map(|()| done(id)).map_err(code)
    }

    async fn mkdir(
        &mut self,
        id: u32,
        path: String,
        _attributes: FileAttributes,
    ) -> Result<Status, StatusCode> {
        let made = fs::create_dir(self.shared.on_disk(&path));
        made.map(|()| done(id)).map_err(code)
    }

    async fn rename(&mut self, id: u32, from: String, to: String) -> Result<Status, StatusCode> {
        let (from, to) = (self.shared.on_disk(&from), self.shared.on_disk(&to));
        // As OpenSSH's server does it: nothing is replaced.
        fs::hard_link(&from, &to).map_err(code)?;
        fs::remove_file(from).map_err(code)?;
        Ok(done(id))
    }
}

fn done(id: u32) -> Status {
    Status {
        id,
        status_code: StatusCode::Ok,
        error_message: String::new(),
        language_tag: String::new(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn code(error: io::Error) -> StatusCode {
    match error.kind() {
        io::ErrorKind::NotFound => StatusCode::NoSuchFile,
        io::ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}
