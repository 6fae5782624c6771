//! What `peers/sftp.sh` sets beside OpenSSH: our client and our server, one deed a process, so that
//! the system counts what each of them costs.
//!
//! ```sh
//! cargo bench --bench sftp -- serve FOLDER --public-key key.pub       # prints port and fingerprint
//! cargo bench --bench sftp -- get --port P --key key --fingerprint F receipts/big here
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a bench that cannot do its work ends here, and it prints what it found"
)]

#[path = "../tests/sftp/line.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod line;

use std::{
    env,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::{Args, Parser};
use kuori::{
    sftp_server::{self, Account, Role, Server},
    transport::{HostKey, Login, ReadBack, RemoteFolder, RemotePath, SftpFolder, SftpSettings},
};
use line::Line;
use tokio::task::JoinSet;

/// The account of the server, and its folders: `inbox` to put to, `receipts` to get from.
const USER: &str = "bench";

#[derive(Parser)]
enum Deed {
    /// Serves FOLDER until it is killed; prints the port and the fingerprint of its host key.
    Serve {
        folder: PathBuf,
        #[arg(long)]
        public_key: PathBuf,
    },
    /// Carries connections to TO, every byte late; prints the port.
    Proxy {
        to: SocketAddr,
        /// Each way.
        #[arg(long)]
        delay_ms: u64,
    },
    Get {
        #[command(flatten)]
        at: At,
        from: RemotePath,
        to: PathBuf,
    },
    Put {
        #[command(flatten)]
        at: At,
        from: PathBuf,
        to: RemotePath,
    },
    /// Every file of a folder into an empty folder.
    GetMany {
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 32)]
        files_at_once: usize,
        from: RemotePath,
        to: PathBuf,
    },
    PutMany {
        #[command(flatten)]
        at: At,
        #[arg(long, default_value_t = 32)]
        files_at_once: usize,
        from: PathBuf,
        to: RemotePath,
    },
}

/// A server, and how it is talked to.
#[derive(Args, Clone)]
struct At {
    #[arg(long)]
    port: u16,
    #[arg(long, default_value = USER)]
    user: String,
    #[arg(long)]
    key: PathBuf,
    #[arg(long)]
    fingerprint: String,
    /// Folder that remote paths are below.
    #[arg(long, default_value = "")]
    root: String,
    /// Requests of one file under way at once; as in the program unless said.
    #[arg(long)]
    in_flight: Option<usize>,
}

#[tokio::main]
async fn main() {
    let arguments = env::args().filter(|argument| argument != "--bench");
    match Deed::try_parse_from(arguments) {
        Ok(deed) => perform(deed).await,
        // `cargo bench` runs all of them, without arguments.
        Err(usage) => println!("{usage}"),
    }
}

async fn perform(deed: Deed) {
    match deed {
        Deed::Serve { folder, public_key } => serve(folder, &public_key).await,
        Deed::Proxy { to, delay_ms } => proxy(to, Duration::from_millis(delay_ms)).await,
        Deed::Get { at, from, to } => get(&at.connect().await, &from, &to).await,
        Deed::Put { at, from, to } => put(&at.connect().await, &from, &to).await,
        Deed::GetMany {
            at,
            files_at_once,
            from,
            to,
        } => get_many(at.connect().await, files_at_once, from, to).await,
        Deed::PutMany {
            at,
            files_at_once,
            from,
            to,
        } => put_many(at.connect().await, files_at_once, &from, to).await,
    }
}

async fn serve(folder: PathBuf, public_key: &Path) {
    let settings = sftp_server::Settings {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        host_keys: folder.join("host-keys"),
        root: folder,
        ..sftp_server::Settings::default()
    };
    let account = Account {
        public_keys: vec![fs::read_to_string(public_key).unwrap()],
        ..Account::new(USER, Role::Sender)
    };
    let server = Server::start(settings, vec![account]).await.unwrap();
    let port = server.local_addr().port();
    println!("{port} {}", server.fingerprints()[0]);
    std::future::pending::<()>().await;
}

async fn proxy(to: SocketAddr, delay: Duration) {
    let line = Line::to(to).delay(delay);
    println!("{}", line.address().port());
    std::future::pending::<()>().await;
}

async fn get(folder: &SftpFolder, from: &RemotePath, to: &Path) {
    let mut file = File::create(to).unwrap();
    folder.download(from, &mut file).await.unwrap();
}

async fn put(folder: &SftpFolder, from: &Path, to: &RemotePath) {
    folder.upload(from, to, ReadBack::Size).await.unwrap();
}

async fn get_many(folder: SftpFolder, at_once: usize, from: RemotePath, to: PathBuf) {
    let listed = folder.list(&from).await.unwrap().files;
    let names = listed.into_iter().map(|file| file.name).collect();
    let folder = Arc::new(folder);
    for_each(names, at_once, move |name| {
        let (folder, from, to) = (
            Arc::clone(&folder),
            from.join(&name).unwrap(),
            to.join(name),
        );
        async move { get(&folder, &from, &to).await }
    })
    .await;
}

async fn put_many(folder: SftpFolder, at_once: usize, from: &Path, to: RemotePath) {
    let files = fs::read_dir(from)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let folder = Arc::new(folder);
    for_each(files.collect(), at_once, move |file: PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        let (folder, to) = (Arc::clone(&folder), to.join(name).unwrap());
        async move { put(&folder, &file, &to).await }
    })
    .await;
}

/// Works on `at_once` items at a time.
async fn for_each<T, F, W>(items: Vec<T>, at_once: usize, work: F)
where
    T: Send + 'static,
    F: Fn(T) -> W + Clone + Send + 'static,
    W: Future<Output = ()> + Send,
{
    let items = Arc::new(Mutex::new(items));
    let mut workers = JoinSet::new();
    for _ in 0..at_once {
        let (items, work) = (Arc::clone(&items), work.clone());
        workers.spawn(async move {
            loop {
                let Some(item) = items.lock().unwrap().pop() else {
                    break;
                };
                work(item).await;
            }
        });
    }
    workers.join_all().await;
}

impl At {
    async fn connect(self) -> SftpFolder {
        let usual = SftpSettings::default();
        let settings = SftpSettings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            user: self.user,
            login: Login::Key(self.key),
            host_key: HostKey::Fingerprints(vec![self.fingerprint]),
            root: self.root,
            in_flight: self.in_flight.unwrap_or(usual.in_flight),
            ..usual
        };
        SftpFolder::connect(settings).await.unwrap()
    }
}
