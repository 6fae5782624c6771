//! Two hundred bad clients of all kinds at once, on the real program: what they cost.

use std::{
    fmt::Write,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::{
    net::TcpSocket,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    bytes::Packet,
    greed::sftp,
    ssh::{Ssh, msg, request},
    wire::{kind, open},
};
use crate::{
    program::{Running, Site},
    sftp::house::make_key,
};

/// Fewer than the server takes in all, so that a good client finds a place.
const BAD_CLIENTS: usize = 190;

const MAX_MEMORY_KB: u64 = 200_000;

/// Twelve bad accounts, each with as much open as it may.
const MAX_DESCRIPTORS: usize = 12 * 256 * 2 + 2 * 200 + 200;

/// What one bad client sends that never takes a reply.
const FLOOD_BYTES: usize = 12 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_bad_clients_cost_little_and_a_good_one_is_served_beside_them() {
    let place = Place::start().await;
    place.good_work(0).await;
    let before = Costs::of(&place.running);
    let mut bad = JoinSet::new();
    for n in 0..BAD_CLIENTS {
        bad.spawn(misbehave(n, place.address, place.key.clone()));
    }
    let since = Instant::now();
    let mut n = 1;
    while since.elapsed() < Duration::from_secs(4) {
        place.good_work(n).await;
        n += 1;
    }
    let during = Costs::of(&place.running);
    bad.shutdown().await;
    place.good_work(n).await;
    eprintln!("before {before:?}, during {during:?}, {n} rounds of good work");
    before.comes_back(&place.running).await;
    let peak = Costs::of(&place.running).peak_kb;
    assert!(
        peak < MAX_MEMORY_KB,
        "{peak} kB, before {before:?}, {during:?}"
    );
    assert!(during.descriptors < MAX_DESCRIPTORS, "{during:?}");
    place.running.stop();
}

struct Place {
    running: Running,
    address: SocketAddr,
    key: PathBuf,
    site: Site,
}

impl Place {
    async fn start() -> Self {
        let site = Site::new();
        let key = site.path("key");
        let public = make_key(&key);
        let address = free_address();
        fs::write(site.path("kuori.toml"), settings(&site, address, &public)).unwrap();
        let running = site.start();
        let since = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            assert!(since.elapsed() < Duration::from_mins(1), "{}", site.log());
            sleep(Duration::from_millis(50)).await;
        }
        Self {
            running,
            address,
            key,
            site,
        }
    }

    /// Uploads and lists.
    async fn good_work(&self, n: usize) {
        let work = async {
            let mut ssh = Ssh::log_in(self.address, "good", &self.key).await?;
            let channel = ssh.open_sftp(1 << 20).await?;
            let path = format!("inbox/{n}.zip.part");
            let opening = Packet::empty().string(&path).u32(26).u32(0);
            ssh.data(channel, &sftp(kind::OPEN, &opening)).await?;
            let write = Packet::empty().string("1").u64(0).string(vec![7; 20_000]);
            ssh.data(channel, &sftp(kind::WRITE, &write)).await?;
            let close = Packet::sftp(kind::CLOSE).u32(77).string("1");
            ssh.data(channel, &close.framed()).await?;
            let folder = Packet::empty().string("inbox");
            ssh.data(channel, &sftp(kind::OPENDIR, &folder)).await?;
            let eof = Packet::ssh(msg::CHANNEL_EOF).u32(channel);
            ssh.send(&eof.payload()).await?;
            replies(&mut ssh).await
        };
        let done = timeout(Duration::from_mins(1), work).await;
        let Ok(Some(replies)) = done else {
            panic!("round {n}: {}", self.site.log());
        };
        let received = [101, 0, 0, 0, 77, 0, 0, 0, 0];
        assert!(replies.windows(9).any(|part| part == received), "round {n}");
    }
}

/// What comes on the channel until the server closes it.
async fn replies(ssh: &mut Ssh) -> Option<Vec<u8>> {
    let mut replies = Vec::new();
    loop {
        let message = ssh
            .expect_any(&[msg::CHANNEL_DATA, msg::CHANNEL_CLOSE])
            .await?;
        if message[0] == msg::CHANNEL_CLOSE {
            return Some(replies);
        }
        replies.extend_from_slice(&message[9..]);
    }
}

fn free_address() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Limits as they are when nobody says anything.
fn settings(site: &Site, address: SocketAddr, key: &str) -> String {
    let folder = site.path("").display().to_string();
    let mut text = format!(
        "data_folder = \"{folder}/data\"\npoll_interval_secs = 1\n\
         [server]\nlisten = \"{address}\"\nhost_keys_folder = \"{folder}/host-keys\"\n\
         accounts_folder = \"{folder}/accounts\"\n\
         [print_houses.example-print]\ndirectory = \"{folder}/print-house\"\n"
    );
    let bad = (0..12).map(|n| format!("bad-{n}"));
    for sender in bad.chain(["good".to_owned()]) {
        let _ = write!(
            text,
            "[senders.{sender}]\ndisplay_name = \"{sender}\"\nprint_house = \"example-print\"\n\
             [senders.{sender}.account]\npublic_keys = [\"{key}\"]\n"
        );
    }
    text
}

/// What the kernel says of the program.
#[derive(Debug)]
struct Costs {
    peak_kb: u64,
    descriptors: usize,
    threads: usize,
}

impl Costs {
    fn of(running: &Running) -> Self {
        let process = PathBuf::from(format!("/proc/{}", running.0.id()));
        let status = fs::read_to_string(process.join("status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.unwrap().split_whitespace().next().unwrap();
        let entries = |name: &str| fs::read_dir(process.join(name)).unwrap().count();
        Self {
            peak_kb: peak.parse().unwrap(),
            descriptors: entries("fd"),
            threads: entries("task"),
        }
    }

    /// Threads that wait a few seconds for more work, and a file of the poller, are no leak.
    async fn comes_back(&self, running: &Running) {
        let since = Instant::now();
        loop {
            let now = Self::of(running);
            if now.descriptors <= self.descriptors + 8 && now.threads <= self.threads + 8 {
                return;
            }
            let late = since.elapsed() > Duration::from_mins(1);
            assert!(!late, "before {self:?}, now {now:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Does what its number says, again and again where it is cut off, until it is dropped.
async fn misbehave(n: usize, address: SocketAddr, key: PathBuf) {
    let user = format!("bad-{}", n % 12);
    loop {
        let Some(stream) = connect(n, address).await else {
            sleep(Duration::from_millis(200)).await;
            continue;
        };
        if n.is_multiple_of(10) {
            sleep(Duration::from_secs(20)).await;
            continue;
        }
        if let Some(ssh) = Ssh::on(stream).await {
            let _ = timeout(Duration::from_secs(20), act(n, ssh, &user, &key)).await;
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// Sixteen share an address.
async fn connect(n: usize, address: SocketAddr) -> Option<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    let source = SocketAddr::from(([127, 0, 1, u8::try_from(1 + n / 16).ok()?], 0));
    socket.bind(source).ok()?;
    socket.connect(address).await.ok()
}

async fn act(n: usize, mut ssh: Ssh, user: &str, key: &Path) -> Option<()> {
    if n % 10 == 1 {
        ssh.begin_exchange().await?;
        return wait().await;
    }
    ssh.exchange_keys().await?;
    ssh.request_userauth().await?;
    if n % 10 == 2 {
        return guess(&mut ssh, key).await;
    }
    let login = ssh.signed_login(user, key);
    ssh.send(&login).await?;
    ssh.expect(msg::USERAUTH_SUCCESS).await?;
    match n % 10 {
        3 => take_no_replies(&mut ssh, &read_a_lot()).await,
        4 => take_no_replies(&mut ssh, &sftp(kind::STAT, &Packet::empty().string("/"))).await,
        5 => leave_uploads_open(&mut ssh).await,
        6 => leave_a_packet_unfinished(&mut ssh).await,
        7 => send_where_nobody_listens(&mut ssh).await,
        8 => while ssh.exchange_keys().await.is_some() {},
        _ => while end_a_session_without_close(&mut ssh).await.is_some() {},
    }
    wait().await
}

async fn wait() -> Option<()> {
    sleep(Duration::from_secs(20)).await;
    None
}

async fn guess(ssh: &mut Ssh, key: &Path) -> Option<()> {
    loop {
        let login = ssh.signed_login("nobody", key);
        ssh.send(&login).await?;
        ssh.expect(msg::USERAUTH_FAILURE).await?;
    }
}

fn read_a_lot() -> Vec<u8> {
    let read = Packet::empty().string("1").u64(0).u32(u32::MAX);
    sftp(kind::READ, &read)
}

/// In as many sessions as it gets: requests without end, no window for the answers.
async fn take_no_replies(ssh: &mut Ssh, request: &[u8]) {
    let opening = Packet::empty()
        .string("inbox/x.part")
        .u32(open::WRITE | open::READ | open::CREATE)
        .u32(0);
    let requests = request.repeat(30_000 / request.len());
    for _ in 0..4 {
        let Some(channel) = ssh.open_sftp(16).await else {
            return;
        };
        let _ = ssh.data(channel, &sftp(kind::OPEN, &opening)).await;
        let mut sent = 0;
        while sent < FLOOD_BYTES {
            let sending = timeout(Duration::from_secs(3), ssh.data(channel, &requests));
            let Ok(Some(())) = sending.await else { break };
            sent += requests.len();
        }
    }
}

async fn leave_uploads_open(ssh: &mut Ssh) {
    while let Some(channel) = ssh.open_sftp(1 << 20).await {
        for n in 0..80 {
            let path = format!("inbox/{n}.zip");
            let opening = Packet::empty().string(path).u32(26).u32(0);
            let _ = ssh.data(channel, &sftp(kind::OPEN, &opening)).await;
            let write = Packet::empty().string(n.to_string()).u64(0).string("x");
            let _ = ssh.data(channel, &sftp(kind::WRITE, &write)).await;
        }
    }
}

async fn leave_a_packet_unfinished(ssh: &mut Ssh) {
    while let Some(channel) = ssh.open_sftp(1 << 20).await {
        let _ = ssh.data(channel, &(256 * 1024_u32).to_be_bytes()).await;
        for _ in 0..8 {
            let _ = ssh.data(channel, &vec![99; 32_000]).await;
        }
    }
}

async fn send_where_nobody_listens(ssh: &mut Ssh) {
    let Some(channel) = ssh.open_channel(1 << 20).await else {
        return;
    };
    let env = request(channel, "env").string("A").string("B").payload();
    while ssh.data(channel, &vec![0; 32_000]).await.is_some() && ssh.send(&env).await.is_some() {}
}

async fn end_a_session_without_close(ssh: &mut Ssh) -> Option<()> {
    let channel = ssh.open_sftp(1 << 20).await?;
    ssh.send(&Packet::ssh(msg::CHANNEL_EOF).u32(channel).payload())
        .await?;
    ssh.expect(msg::CHANNEL_CLOSE).await.map(|_| ())
}
