use std::{
    fs::{self, File},
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use kuori::{
    sftp_server::{Account, Role, Server, Settings},
    transport::{HostKey, Login, SftpFolder, SftpSettings},
};
use russh::{
    client,
    keys::{
        Algorithm, EcdsaCurve, PrivateKey, PrivateKeyWithHashAlg, PublicKeyOrCertificate,
        key::safe_rng, load_secret_key, ssh_key::LineEnding,
    },
};
use russh_sftp::{
    client::{RawSftpSession, error::Error as SftpError},
    protocol::{FileAttributes, OpenFlags, StatusCode},
};
use tempfile::TempDir;
use tokio::time::sleep;

/// A server with one sender, `city`, one print house, `print`, and a second sender, `other`.
pub(crate) struct House {
    pub(crate) server: Server,
    pub(crate) dir: TempDir,
    started_with: (Settings, Vec<Account>),
}

impl House {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with_accounts(change, |_| {}).await
    }

    pub(crate) async fn start_with_quota(
        change: impl FnOnce(&mut Settings),
        quota_bytes: Option<u64>,
        quota_files: Option<u64>,
    ) -> Self {
        Self::start_with_accounts(change, |account| {
            account.quota_bytes = quota_bytes;
            account.quota_files = quota_files;
        })
        .await
    }

    pub(crate) async fn start_with_accounts(
        change: impl FnOnce(&mut Settings),
        change_account: impl Fn(&mut Account),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            host_keys: dir.path().join("host-keys"),
            root: dir.path().join("root"),
            ..Settings::default()
        };
        change(&mut settings);
        let account = |name: &str, role| {
            let mut account = Account {
                public_keys: vec![
                    make_key(&dir.path().join(name)),
                    make_ecdsa_key(&dir.path().join(format!("{name}-ecdsa"))),
                ],
                ..Account::new(name, role)
            };
            change_account(&mut account);
            account
        };
        let accounts = vec![
            account("city", Role::Sender),
            account("other", Role::Sender),
            account("print", Role::PrintHouse),
        ];
        let server = Server::start(settings.clone(), accounts.clone()).await;
        Self {
            server: server.unwrap(),
            dir,
            started_with: (settings, accounts),
        }
    }

    /// Stops the server and starts it again at the same address.
    pub(crate) async fn restart(self) -> Self {
        let (mut settings, accounts) = self.started_with;
        settings.listen = self.server.local_addr();
        self.server.stop().await;
        let server = Server::start(settings.clone(), accounts.clone()).await;
        Self {
            server: server.unwrap(),
            dir: self.dir,
            started_with: (settings, accounts),
        }
    }

    /// The accounts that it was started with.
    pub(crate) fn accounts(&self) -> Vec<Account> {
        self.started_with.1.clone()
    }

    /// Gives the server the accounts that it was started with, with one of them changed.
    pub(crate) fn change_account(&self, name: &str, change: impl FnOnce(&mut Account)) {
        let mut accounts = self.accounts();
        let account = accounts.iter_mut().find(|account| account.name == name);
        change(account.unwrap());
        self.server.set_accounts(accounts).unwrap();
    }

    pub(crate) fn settings(&self, user: &str) -> SftpSettings {
        SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.server.local_addr().port(),
            user: user.to_owned(),
            login: Login::Key(self.key(user)),
            host_key: HostKey::Fingerprints(self.server.fingerprints()),
            ..SftpSettings::default()
        }
    }

    pub(crate) async fn folder(&self, user: &str) -> SftpFolder {
        SftpFolder::connect(self.settings(user)).await.unwrap()
    }

    pub(crate) fn key(&self, user: &str) -> PathBuf {
        self.dir.path().join(user)
    }

    /// A connection that the tests drive themselves.
    pub(crate) async fn ssh(&self, user: &str) -> client::Handle<AnyHost> {
        let mut ssh = self.greet().await;
        let key = self.loaded_key(user);
        let answer = ssh.authenticate_publickey(user, key).await.unwrap();
        assert!(answer.success());
        ssh
    }

    /// A connection on which nobody is logged in yet.
    pub(crate) async fn greet(&self) -> client::Handle<AnyHost> {
        // Else each login waits 40 ms for an acknowledgement that is put off.
        let config = Arc::new(client::Config {
            nodelay: true,
            ..client::Config::default()
        });
        let address = self.server.local_addr();
        client::connect(config, address, AnyHost).await.unwrap()
    }

    pub(crate) fn loaded_key(&self, user: &str) -> PrivateKeyWithHashAlg {
        let key = load_secret_key(self.key(user), None).unwrap();
        PrivateKeyWithHashAlg::new(Arc::new(key), None)
    }

    /// An SFTP session in which the tests send what no decent client does.
    pub(crate) async fn raw(&self, user: &str) -> Raw {
        let ssh = self.ssh(user).await;
        let channel = ssh.channel_open_session().await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        let sftp = RawSftpSession::new(channel.into_stream());
        sftp.init().await.unwrap();
        Raw { sftp, _ssh: ssh }
    }

    /// A path below the server's root, as the operator sees it.
    pub(crate) fn on_disk(&self, path: &str) -> PathBuf {
        self.dir.path().join("root").join(path)
    }

    /// How many unfinished uploads of `account` there are.
    pub(crate) fn staged(&self, account: &str) -> usize {
        let staging = self.on_disk(".staging").join(account);
        fs::read_dir(staging).unwrap().count()
    }

    /// A local file to upload.
    pub(crate) fn local(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        put(&path, content);
        path
    }
}

pub(crate) struct Raw {
    pub(crate) sftp: RawSftpSession,
    _ssh: client::Handle<AnyHost>,
}

impl Raw {
    pub(crate) async fn open(&self, path: &str, flags: OpenFlags) -> Result<String, StatusCode> {
        let opened = self.sftp.open(path, flags, FileAttributes::empty()).await;
        opened.map(|handle| handle.handle).map_err(code)
    }

    /// Opens for writing as most clients do.
    pub(crate) async fn create(&self, path: &str) -> Result<String, StatusCode> {
        let flags = OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE;
        self.open(path, flags).await
    }

    pub(crate) async fn write(&self, handle: &str, data: &[u8]) -> Result<(), StatusCode> {
        self.write_at(handle, 0, data).await
    }

    pub(crate) async fn write_at(
        &self,
        handle: &str,
        offset: u64,
        data: &[u8],
    ) -> Result<(), StatusCode> {
        let written = self.sftp.write(handle, offset, data.to_vec()).await;
        written.map(|_| ()).map_err(code)
    }

    /// The size that the server tells of `path`, or nothing where it tells of no such file.
    pub(crate) async fn size(&self, path: &str) -> Option<u64> {
        self.sftp.stat(path).await.ok()?.attrs.size
    }

    /// The names in a folder, in order.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        let handle = self.sftp.opendir(path).await.unwrap().handle;
        let mut names = Vec::new();
        while let Ok(batch) = self.sftp.readdir(&*handle).await {
            names.extend(batch.files.into_iter().map(|file| file.filename));
        }
        self.close(&handle).await.unwrap();
        names.sort();
        names
    }

    pub(crate) async fn rename(&self, from: &str, to: &str) -> Result<(), StatusCode> {
        self.sftp.rename(from, to).await.map(|_| ()).map_err(code)
    }

    pub(crate) async fn close(&self, handle: &str) -> Result<(), StatusCode> {
        self.sftp.close(handle).await.map(|_| ()).map_err(code)
    }

    pub(crate) async fn upload(&self, path: &str, data: &[u8]) -> Result<(), StatusCode> {
        let handle = self.create(path).await?;
        self.write(&handle, data).await?;
        self.close(&handle).await
    }
}

pub(crate) fn code(error: SftpError) -> StatusCode {
    match error {
        SftpError::Status(status) => status.status_code,
        other => panic!("not an answer: {other}"),
    }
}

pub(crate) struct AnyHost;

impl client::Handler for AnyHost {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Makes an Ed25519 key pair; returns the public line.
pub(crate) fn make_key(path: &Path) -> String {
    make_key_of(Algorithm::Ed25519, path)
}

/// For clients that know no Ed25519.
fn make_ecdsa_key(path: &Path) -> String {
    let curve = EcdsaCurve::NistP256;
    make_key_of(Algorithm::Ecdsa { curve }, path)
}

fn make_key_of(algorithm: Algorithm, path: &Path) -> String {
    let key = PrivateKey::random(&mut safe_rng(), algorithm).unwrap();
    put(path, key.to_openssh(LineEnding::LF).unwrap().as_bytes());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    key.public_key().to_openssh().unwrap()
}

pub(crate) fn put(path: &Path, content: &[u8]) {
    File::create(path).unwrap().write_all(content).unwrap();
}

/// Bytes that repeat nowhere within a megabyte, so that a swapped chunk shows.
pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len);
    bytes
}

pub(crate) async fn until(condition: impl Fn() -> bool) {
    for _ in 0..200 {
        if condition() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("it did not happen in 4 seconds");
}
