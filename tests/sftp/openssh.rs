//! OpenSSH has the last word: its clients against our server, our client against its server.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use kuori::transport::{HostKey, Login, SftpFolder, SftpSettings};

use crate::sftp::{
    contract::{self, Place, path},
    house::{House, make_key, noise, put},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_sftp_puts_gets_lists_and_renames() {
    let house = House::start().await;
    let content = noise(100_000_000);
    let local = house.local("big.zip", &content);
    put(&house.on_disk("city/receipts/big.csv"), &content);
    let batch = format!(
        "put {local} inbox/big.zip.part\nrename inbox/big.zip.part inbox/big.zip\nls -l inbox\n\
         get receipts/big.csv {got}\nrm receipts/big.csv\n",
        local = local.display(),
        got = house.key("got").display(),
    );
    let output = sftp(&house, &[], &batch);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("100000000"));
    assert!(fs::read(house.on_disk("city/inbox/big.zip")).unwrap() == content);
    assert!(fs::read(house.key("got")).unwrap() == content);
    assert!(!house.on_disk("city/receipts/big.csv").exists());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_sftp_with_many_requests_at_once_does_not_hang() {
    let house = House::start().await;
    let content = noise(100_000_000);
    let local = house.local("big.zip", &content);
    put(&house.on_disk("city/receipts/big.csv"), &content);
    for (n, requests) in ["64", "128", "256", "1000"].into_iter().enumerate() {
        let got = house.key("got");
        let batch = format!(
            "get receipts/big.csv {}\nput {} inbox/{n}.zip\n",
            got.display(),
            local.display()
        );
        let output = sftp(&house, &["-R", requests], &batch);
        assert!(output.status.success(), "-R {requests}: {output:?}");
        assert!(fs::read(&got).unwrap() == content, "-R {requests}");
        let put = fs::read(house.on_disk(&format!("city/inbox/{n}.zip")));
        assert!(put.unwrap() == content, "-R {requests}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_sftp_hears_that_a_name_is_taken() {
    let house = House::start().await;
    let local = house.local("a.zip", b"first");
    let batch = format!("put {} inbox/a.zip\n", local.display());
    assert!(sftp(&house, &[], &batch).status.success());
    let output = sftp(&house, &[], &batch);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ermission denied"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn openssh_scp_reports_success() {
    let house = House::start().await;
    let local = house.local("a.zip", &noise(1_000_000));
    let port = house.server.local_addr().port().to_string();
    let target = "city@127.0.0.1:inbox/a.zip";
    let mut scp = Command::new("timeout");
    scp.args(["60", "scp", "-s", "-q", "-P", &port]);
    let output = scp.args(options(&house)).arg(&local).arg(target).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(fs::read(house.on_disk("city/inbox/a.zip")).unwrap() == noise(1_000_000));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sshd"]
async fn our_client_keeps_the_contract_with_openssh() {
    let dir = tempfile::tempdir().unwrap();
    let sshd = Sshd::start(dir.path());
    let folder = SftpFolder::connect(sshd.settings()).await.unwrap();
    contract::check(Place {
        folder: &folder,
        disk: sshd.root.clone(),
        drop: path("drop"),
        pick: path("pick"),
        scratch: dir.path().to_owned(),
    })
    .await;
}

fn sftp(house: &House, more: &[&str], batch: &str) -> Output {
    let commands = house.local("batch", batch.as_bytes());
    let port = house.server.local_addr().port().to_string();
    Command::new("timeout")
        .args(["120", "sftp", "-q", "-P", &port])
        .args(options(house))
        .args(more)
        .arg("-b")
        .arg(commands)
        .arg("city@127.0.0.1")
        .output()
        .unwrap()
}

fn options(house: &House) -> Vec<String> {
    let option = |text: &str| ["-o".to_owned(), text.to_owned()];
    [
        option("StrictHostKeyChecking=no"),
        option("UserKnownHostsFile=/dev/null"),
        option("IdentitiesOnly=yes"),
        option(&format!("IdentityFile={}", house.key("city").display())),
    ]
    .concat()
}

/// A private `sshd` that ends with the test.
struct Sshd {
    process: Child,
    port: u16,
    root: PathBuf,
    key: PathBuf,
    host_key: String,
}

impl Sshd {
    fn start(dir: &Path) -> Self {
        let root = dir.join("root");
        for folder in ["drop", "pick"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let (key, host) = (dir.join("user"), dir.join("host"));
        put(&dir.join("authorized"), make_key(&key).as_bytes());
        let host_key = make_key(&host);
        // Free a moment ago; good enough for a test.
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .unwrap()
            .port();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n",
            host.display(),
            dir.join("authorized").display(),
        );
        let path = dir.join("sshd_config");
        put(&path, config.as_bytes());
        fs::create_dir_all("/run/sshd").unwrap();
        let process = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(path)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(500));
        Self {
            process,
            port,
            root,
            key,
            host_key,
        }
    }

    fn settings(&self) -> SftpSettings {
        let known = self.root.with_file_name("known_hosts");
        let line = format!("[127.0.0.1]:{} {}\n", self.port, self.host_key);
        put(&known, line.as_bytes());
        SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: std::env::var("USER").unwrap_or_else(|_| "root".to_owned()),
            login: Login::Key(self.key.clone()),
            host_key: HostKey::KnownHosts(known),
            root: self.root.display().to_string(),
            ..SftpSettings::default()
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
