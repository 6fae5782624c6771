//! Other people's servers.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use kuori::transport::{HostKey, Login, SftpSettings};
use tempfile::TempDir;

use super::python::{beside, interpreter};
use crate::{
    outside::tools,
    sftp::house::{make_key, put},
};

/// Somebody else's server, which ends with the test. Its files are in `root`, of which it knows
/// nothing but the path.
pub(super) struct Far {
    command: Command,
    server: Child,
    port: u16,
    user: String,
    pub(super) root: PathBuf,
    /// The path of `root` as the server sees it.
    shown: String,
    host_key: String,
    pub(super) dir: TempDir,
}

impl Drop for Far {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Far {
    pub(super) fn openssh() -> Self {
        Self::start(openssh)
    }

    /// With its files in `root`.
    pub(super) fn openssh_in(root: &Path) -> Self {
        Self::start_in(Some(root), openssh)
    }

    pub(super) fn asyncssh() -> Self {
        Self::start(|site| {
            let mut python = Command::new(interpreter());
            python.arg(beside("serve_asyncssh.py"));
            python.args([&site.port.to_string(), &site.path("host")]);
            python.arg(site.path("authorized"));
            python
        })
    }

    pub(super) fn rclone() -> Self {
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
    pub(super) fn proftpd() -> Self {
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
        Self::start_in(None, command)
    }

    fn start_in(root: Option<&Path>, command: impl FnOnce(&Site<'_>) -> Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let root = root.map_or_else(|| dir.path().join("root"), Path::to_owned);
        for folder in ["drop", "pick", "pickup"] {
            fs::create_dir_all(root.join(folder)).unwrap();
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
        let mut far = Self {
            server: spawn(&mut command),
            command,
            port,
            shown: root.display().to_string(),
            root,
            user,
            host_key,
            dir,
        };
        far.wait_until_it_listens();
        far
    }

    /// Ends it and all that serve its connections, at once.
    pub(super) fn kill(&mut self) {
        for child in below(self.server.id()) {
            tools::attempt("kill", ["-KILL", &child.to_string()]);
        }
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    /// Starts it as before.
    pub(super) fn start_again(&mut self) {
        self.server = spawn(&mut self.command);
        self.wait_until_it_listens();
    }

    fn wait_until_it_listens(&mut self) {
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
    }

    pub(super) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    pub(super) fn settings(&self) -> SftpSettings {
        self.settings_at(self.address())
    }

    /// How it is reached at `address`: its own, or that of a line to it.
    pub(super) fn settings_at(&self, address: SocketAddr) -> SftpSettings {
        let known = self.dir.path().join("known_hosts");
        let line = format!("[127.0.0.1]:{} {}\n", address.port(), self.host_key);
        put(&known, line.as_bytes());
        SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: address.port(),
            user: self.user.clone(),
            login: Login::Key(self.dir.path().join("user")),
            host_key: HostKey::KnownHosts(known),
            root: self.shown.clone(),
            ..SftpSettings::default()
        }
    }
}

fn spawn(command: &mut Command) -> Child {
    command.spawn().unwrap_or_else(|error| {
        panic!("{command:?} cannot be started ({error}); `.ci/run` installs it")
    })
}

/// The children of a process and theirs; of OpenSSH one or two serve each connection.
fn below(process: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let ids = children.split_whitespace().map(|id| id.parse().unwrap());
    ids.flat_map(|id| [vec![id], below(id)].concat()).collect()
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

fn openssh(site: &Site<'_>) -> Command {
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
