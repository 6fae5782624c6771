//! OpenSSH's clients against our server, our client against its server.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use kuori::transport::{HostKey, Login, SftpFolder, SftpSettings};

use super::tools;
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
    let target = "city@127.0.0.1:inbox/a.zip";
    let output = Command::new("timeout")
        .args(["60", "scp", "-s", "-q"])
        .args(login(&house, "city"))
        .args(ANY_HOST)
        .arg(&local)
        .arg(target)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(fs::read(house.on_disk("city/inbox/a.zip")).unwrap() == noise(1_000_000));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_print_house_fetches_a_whole_pickup_folder_and_clears_it_away() {
    let house = House::start().await;
    let bundle = house.on_disk("print/pickup/P-0001");
    fs::create_dir(&bundle).unwrap();
    for (ending, bytes) in [
        ("pdf", 3_000_000),
        ("pieces.csv", 500),
        ("job.xml", 900),
        ("ok", 0),
    ] {
        put(&bundle.join(format!("P-0001.{ending}")), &noise(bytes));
    }
    let got = house.dir.path().join("fetched");
    let batch = format!("get -r pickup {}\nrm pickup/P-0001/*\n", got.display());
    let output = run_sftp(&house, "print", ANY_HOST, &batch);
    assert!(output.status.success(), "{output:?}");
    let fetched = fs::read(got.join("P-0001/P-0001.pdf")).unwrap();
    assert!(fetched == noise(3_000_000));
    assert_eq!(fs::read_dir(got.join("P-0001")).unwrap().count(), 4);
    assert_eq!(
        fs::read_dir(house.on_disk("print/pickup/P-0001"))
            .unwrap()
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_sender_sees_its_own_folders_however_it_asks() {
    let house = House::start().await;
    for way in [
        "",
        "cd ..\n",
        "cd inbox/../..\n",
        "cd /../../..\n",
        "cd //\n",
    ] {
        let output = sftp(&house, &[], &format!("{way}pwd\nls -1\n"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<_> = said
            .lines()
            .filter(|line| !line.starts_with("sftp>"))
            .collect();
        let wanted = ["Remote working directory: /", "inbox", "receipts"];
        assert_eq!(lines, wanted, "{way}: {output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp"]
async fn a_sender_gets_at_nothing_outside_its_own_folders() {
    let house = House::start().await;
    put(&house.on_disk("other/receipts/theirs.csv"), b"secret");
    let theirs = house.on_disk("other/receipts/theirs.csv");
    // What a careless operator might leave there.
    let link = |target: &Path, name: &str| symlink(target, house.on_disk(name)).unwrap();
    link(&theirs, "city/receipts/theirs.csv");
    link(Path::new("../../other/receipts"), "city/receipts/folder");
    link(Path::new("/etc"), "city/receipts/etc");
    let got = house.key("got");
    let local = house.local("a.zip", b"mine");
    let (got_name, local) = (got.display().to_string(), local.display().to_string());
    // The same commands do work inside.
    put(&house.on_disk("city/receipts/mine.csv"), b"mine");
    let inside = format!(
        "get receipts/mine.csv {got_name}\nrm receipts/mine.csv\nput {local} inbox/a.part\n\
         rename inbox/a.part inbox/.b\nrm inbox/.b\ncd receipts\nls\n"
    );
    let output = sftp(&house, &[], &inside);
    assert!(output.status.success(), "{output:?}");
    fs::remove_file(&got).unwrap();

    for (attempt, last) in [
        ("get ../other/receipts/theirs.csv", &got_name),
        ("get /other/receipts/theirs.csv", &got_name),
        ("get receipts/../../other/receipts/theirs.csv", &got_name),
        ("get receipts/theirs.csv", &got_name),
        ("get receipts/folder/theirs.csv", &got_name),
        ("get receipts/etc/passwd", &got_name),
        ("get /etc/passwd", &got_name),
        ("get .staging", &got_name),
        ("cd", &"/other".to_owned()),
        ("cd", &"receipts/folder".to_owned()),
        ("ls", &"receipts/etc/".to_owned()),
        ("symlink /etc/passwd", &"inbox/x.zip".to_owned()),
        ("symlink ../../other", &"inbox/other".to_owned()),
        ("mkdir", &"/other/inbox/x".to_owned()),
        (&format!("put {local}"), &"../other/inbox/a.zip".to_owned()),
        (&format!("put {local}"), &"/other/inbox/a.zip".to_owned()),
        (&format!("put {local}"), &"receipts/folder/a.zip".to_owned()),
        ("rm", &"/other/receipts/theirs.csv".to_owned()),
        ("rm", &"receipts/folder/theirs.csv".to_owned()),
        (
            "rename receipts/folder/theirs.csv",
            &"inbox/b.zip".to_owned(),
        ),
    ] {
        let output = sftp(&house, &[], &format!("{attempt} {last}\n"));
        assert_eq!(
            output.status.code(),
            Some(1),
            "{attempt} {last}: {output:?}"
        );
        assert!(!got.exists(), "{attempt} {last}");
    }
    assert_eq!(fs::read(&theirs).unwrap(), b"secret");
    assert_eq!(
        fs::read_dir(house.on_disk("other/inbox")).unwrap().count(),
        0
    );
    assert_eq!(
        fs::read_dir(house.on_disk("city/inbox")).unwrap().count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs OpenSSH's sftp, ssh-keyscan and ssh-keygen"]
async fn host_keys_can_be_pinned_and_any_other_is_noticed() {
    let house = House::start().await;
    let port = house.server.local_addr().port().to_string();
    let seen = tools::run("ssh-keyscan", ["-p", &port, "127.0.0.1"]).out;
    let known = house.local("known_hosts", seen.as_bytes());
    // What we print for people to compare is what OpenSSH prints.
    let shown = tools::run("ssh-keygen", ["-l", "-f", known.to_str().unwrap()]).out;
    for fingerprint in house.server.fingerprints() {
        assert!(shown.contains(&fingerprint), "{fingerprint}: {shown}");
    }
    assert!(strictly(&house, &known, "ls\n").status.success());

    let stranger = make_key(&house.key("stranger"));
    let line = format!("[127.0.0.1]:{port} {stranger}\n");
    let output = strictly(
        &house,
        &house.local("known_others", line.as_bytes()),
        "ls\n",
    );
    assert_eq!(output.status.code(), Some(255), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Host key verification failed"), "{said}");
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

/// As the sender `city`, whatever key the server shows.
fn sftp(house: &House, more: &[&str], batch: &str) -> Output {
    run_sftp(house, "city", &[more, ANY_HOST].concat(), batch)
}

/// As the sender `city`, and only where `known_hosts` has the server's key.
fn strictly(house: &House, known_hosts: &Path, batch: &str) -> Output {
    let known_hosts = format!("UserKnownHostsFile={}", known_hosts.display());
    let strict = ["-o", "StrictHostKeyChecking=yes", "-o", &known_hosts];
    run_sftp(house, "city", &strict, batch)
}

const ANY_HOST: &[&str] = &[
    "-o",
    "StrictHostKeyChecking=no",
    "-o",
    "UserKnownHostsFile=/dev/null",
];

fn run_sftp(house: &House, user: &str, options: &[&str], batch: &str) -> Output {
    let commands = house.local("batch", batch.as_bytes());
    Command::new("timeout")
        .args(["120", "sftp"])
        .args(login(house, user))
        .args(options)
        .arg("-b")
        .arg(commands)
        .arg(format!("{user}@127.0.0.1"))
        .output()
        .unwrap()
}

/// Nothing of the settings of whoever runs the tests.
fn login(house: &House, user: &str) -> Vec<String> {
    let port = house.server.local_addr().port();
    let key = format!("IdentityFile={}", house.key(user).display());
    let all = ["-F", "none", "-o", "IdentitiesOnly=yes", "-o", &key, "-P"];
    let all = all.into_iter().map(str::to_owned);
    all.chain([port.to_string()]).collect()
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
