//! Our client on other people's servers: each keeps the contract of a remote folder.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use kuori::transport::{HostKey, Login, ReadBack, RemoteFolder, SftpFolder, SftpSettings};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::python::{beside, interpreter};
use crate::{
    outside::tools,
    sftp::{
        contract::{self, Place, path},
        house::{make_key, noise, put},
    },
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sshd"]
async fn our_client_keeps_the_contract_with_openssh() {
    keeps_the_contract(&Far::openssh()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs asyncssh"]
async fn our_client_keeps_the_contract_with_asyncssh() {
    keeps_the_contract(&Far::asyncssh()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs proftpd-mod-crypto"]
async fn our_client_keeps_the_contract_with_proftpd() {
    keeps_the_contract(&Far::proftpd()).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs rclone"]
async fn our_client_keeps_the_contract_with_rclone() {
    keeps_the_contract(&Far::rclone()).await;
}

async fn keeps_the_contract(far: &Far) {
    let folder = Arc::new(SftpFolder::connect(far.settings()).await.unwrap());
    contract::check(Place {
        folder: &*folder,
        disk: far.root(),
        drop: path("drop"),
        pick: path("pick"),
        scratch: far.dir.path().to_owned(),
    })
    .await;
    carries_a_big_file(far, &folder).await;
    carries_many_at_once(far, &folder).await;
}

async fn carries_a_big_file(far: &Far, folder: &SftpFolder) {
    let content = noise(100_000_000);
    let local = far.dir.path().join("big");
    put(&local, &content);
    folder
        .upload(&local, &path("drop/big"), ReadBack::Digest)
        .await
        .unwrap();
    assert!(fs::read(far.root().join("drop/big")).unwrap() == content);
    put(&far.root().join("pick/big"), &content);
    let mut got = Vec::new();
    folder.download(&path("pick/big"), &mut got).await.unwrap();
    assert!(got == content);
    // A download that broke goes on where it was.
    got.truncate(60_000_001);
    let from = path("pick/big");
    let rest = folder.read_from(&from, 60_000_001, &mut got);
    assert_eq!(rest.await.unwrap(), 39_999_999);
    assert!(got == content);
}

async fn carries_many_at_once(far: &Far, folder: &Arc<SftpFolder>) {
    let local = far.dir.path().join("small");
    put(&local, &noise(20_000));
    let mut both_ways = JoinSet::new();
    for n in 0..200 {
        let (folder, local) = (Arc::clone(folder), local.clone());
        both_ways.spawn(async move {
            let there = path(&format!("drop/small-{n}"));
            folder.upload(&local, &there, ReadBack::Size).await.unwrap();
            let mut got = Vec::new();
            folder.download(&there, &mut got).await.unwrap();
            got
        });
    }
    for got in both_ways.join_all().await {
        assert!(got == noise(20_000));
    }
}

/// Somebody else's server, which ends with the test. Its files are in `root`, of which it knows
/// nothing but the path.
struct Far {
    server: Child,
    port: u16,
    user: String,
    /// The path of `root` as the server sees it.
    shown: String,
    host_key: String,
    dir: TempDir,
}

impl Drop for Far {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Far {
    fn openssh() -> Self {
        Self::start(|site| {
            let config = format!(
                "ListenAddress 127.0.0.1:{}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
                site.port,
                site.path("host"),
                site.path("authorized"),
            );
            put(Path::new(&site.path("config")), config.as_bytes());
            // Where Debian's sshd wants to separate its privileges.
            fs::create_dir_all("/run/sshd").unwrap();
            // It starts itself again for each connection, so it wants its whole path.
            let mut sshd = Command::new("/usr/sbin/sshd");
            sshd.args(["-D", "-e", "-f", &site.path("config")]);
            sshd
        })
    }

    fn asyncssh() -> Self {
        Self::start(|site| {
            let mut python = Command::new(interpreter());
            python.arg(beside("serve_asyncssh.py"));
            python.args([&site.port.to_string(), &site.path("host")]);
            python.arg(site.path("authorized"));
            python
        })
    }

    fn rclone() -> Self {
        let mut far = Self::start(|site| {
            let mut rclone = Command::new("rclone");
            rclone.args(["serve", "sftp", &site.path("root"), "--config", "/dev/null"]);
            rclone.args(["--addr", &format!("127.0.0.1:{}", site.port)]);
            rclone.args(["--key", &site.path("host")]);
            rclone.args(["--authorized-keys", &site.path("authorized")]);
            // Else it shows for minutes what it saw once.
            rclone.args(["--dir-cache-time", "1ns"]);
            rclone
        });
        "".clone_into(&mut far.shown);
        far
    }

    /// `mod_sftp`, without a changed root: that takes root.
    fn proftpd() -> Self {
        let mut far = Self::start(|site| {
            let authorized = tools::run("ssh-keygen", ["-e", "-f", &site.path("user.pub")]).out;
            put(
                Path::new(&site.path("authorized.rfc4716")),
                authorized.as_bytes(),
            );
            let (id, group) = (tools::run("id", ["-u"]).out, tools::run("id", ["-g"]).out);
            let (id, group) = (id.trim(), group.trim());
            let account = format!("kuori:x:{id}:{group}::/:/bin/sh\n");
            put(Path::new(&site.path("accounts")), account.as_bytes());
            for secret in ["accounts", "authorized.rfc4716"] {
                tools::run("chmod", ["600", &site.path(secret)]);
            }
            put(
                Path::new(&site.path("config")),
                proftpd_config(site).as_bytes(),
            );
            let mut proftpd = Command::new("/usr/sbin/proftpd");
            proftpd.args(["--nodaemon", "--quiet", "--config", &site.path("config")]);
            proftpd
        });
        "kuori".clone_into(&mut far.user);
        far
    }

    fn start(command: impl FnOnce(&Site<'_>) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["drop", "pick"] {
            fs::create_dir_all(dir.path().join("root").join(folder)).unwrap();
        }
        let public = make_key(&dir.path().join("user"));
        for file in ["user.pub", "authorized"] {
            put(&dir.path().join(file), format!("{public}\n").as_bytes());
        }
        let host_key = make_key(&dir.path().join("host"));
        let user = tools::run("id", ["-un"]).out.trim().to_owned();
        let port = free_port();
        let site = Site {
            dir: dir.path(),
            port,
            user: &user,
        };
        let mut command = command(&site);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?} cannot be started ({error}); `.ci/run` installs it")
        });
        let far = Self {
            server,
            port,
            shown: dir.path().join("root").display().to_string(),
            user,
            host_key,
            dir,
        };
        far.wait_until_it_listens()
    }

    fn wait_until_it_listens(mut self) -> Self {
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.server.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            assert!(
                since.elapsed() < Duration::from_mins(1),
                "it does not listen"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn settings(&self) -> SftpSettings {
        let known = self.dir.path().join("known_hosts");
        let line = format!("[127.0.0.1]:{} {}\n", self.port, self.host_key);
        put(&known, line.as_bytes());
        SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user.clone(),
            login: Login::Key(self.dir.path().join("user")),
            host_key: HostKey::KnownHosts(known),
            root: self.shown.clone(),
            ..SftpSettings::default()
        }
    }
}

/// What a server is started with.
struct Site<'s> {
    dir: &'s Path,
    port: u16,
    user: &'s str,
}

impl Site<'_> {
    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

fn proftpd_config(site: &Site<'_>) -> String {
    let (port, user, folder) = (site.port, site.user, site.dir.display());
    let group = tools::run("id", ["-gn"]).out;
    format!(
        "ServerType standalone\nDefaultAddress 127.0.0.1\nPort {port}\nUseIPv6 off\n\
         UseReverseDNS off\nUser {user}\nGroup {group}\nRootLogin on\nRequireValidShell off\n\
         AuthUserFile {folder}/accounts\nAuthOrder mod_auth_file.c\nPidFile {folder}/pid\n\
         ScoreboardFile {folder}/scoreboard\nDelayEngine off\nWtmpLog off\nTransferLog none\n\
         SystemLog {folder}/log\nModulePath /usr/lib/proftpd\nLoadModule mod_sftp.c\n\
         SFTPEngine on\nSFTPLog {folder}/log\nSFTPHostKey {folder}/host\n\
         SFTPAuthMethods publickey\nSFTPAuthorizedUserKeys file:{folder}/authorized.rfc4716\n\
         AllowOverwrite on\nAllowStoreRestart on\n"
    )
}

/// Free a moment ago; good enough for a test.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
