//! A small mail server on a real socket, which does to each recipient what a test wants.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    runtime::Runtime,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// What the server does to a mail for one recipient.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Does {
    Takes,
    /// Answers so to `RCPT`.
    Says(&'static str),
    /// Answers so once it has the text.
    SaysToText(&'static str),
    /// Takes the mail and breaks off before it says so.
    TakesAndBreaksOff,
    /// Breaks off at `RCPT`.
    BreaksOff,
    /// Takes the mail and says so after this.
    TakesSlowly(Duration),
}

/// Decides by the recipient and the number of the try, from 1.
type Decide = Arc<dyn Fn(&str, usize) -> Does + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) tls: Encrypts,
    /// Name and password, without which nothing is taken.
    pub(crate) login: Option<(&'static str, &'static str)>,
    /// The answer to `MAIL` that is not `250`.
    pub(crate) to_mail: Option<&'static str>,
    /// Answers 421 to the mail after so many of a connection.
    pub(crate) mails_per_connection: usize,
    pub(crate) decide: Decide,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encrypts {
    Never,
    FromTheFirstByte,
    ByStartTls,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            tls: Encrypts::Never,
            login: None,
            to_mail: None,
            mails_per_connection: usize::MAX,
            decide: Arc::new(|_, _| Does::Takes),
        }
    }
}

impl Rules {
    pub(crate) fn that(decide: impl Fn(&str, usize) -> Does + Send + Sync + 'static) -> Self {
        Self {
            decide: Arc::new(decide),
            ..Self::default()
        }
    }
}

/// A mail that the server has taken, whether or not it has said so.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) to: String,
    pub(crate) text: String,
    pub(crate) at: Instant,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> String {
        let text = self.text.replace("\r\n ", " ").replace("\r\n\t", " ");
        let found = text.lines().find_map(|line| line.strip_prefix(name));
        found
            .unwrap_or_else(|| panic!("no {name} in {text}"))
            .trim()
            .to_owned()
    }
}

#[derive(Default)]
struct Seen {
    taken: Vec<Taken>,
    tries: BTreeMap<String, usize>,
    connections: usize,
    open: usize,
    most_open: usize,
}

pub(crate) struct Server {
    port: u16,
    seen: Arc<Mutex<Seen>>,
    runtime: Option<Runtime>,
    _folder: tempfile::TempDir,
    certificate: PathBuf,
}

impl Server {
    pub(crate) fn start(rules: Rules) -> Self {
        Self::start_at(0, rules)
    }

    /// At a port where one was before.
    pub(crate) fn start_at(port: u16, rules: Rules) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (certificate, acceptor) = certified(folder.path());
        let seen = Arc::<Mutex<Seen>>::default();
        let listening = std::thread::scope(|scope| {
            // Where the caller is a task itself, it may not wait for another runtime.
            let listen = || runtime.block_on(TcpListener::bind(("127.0.0.1", port)));
            scope.spawn(listen).join().unwrap().unwrap()
        });
        let port = listening.local_addr().unwrap().port();
        let (counted, rules) = (Arc::clone(&seen), Arc::new(rules));
        runtime.spawn(async move {
            loop {
                let (stream, _) = listening.accept().await.unwrap();
                let (seen, rules) = (Arc::clone(&counted), Arc::clone(&rules));
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let count = |by: isize| {
                        let mut seen = seen.lock().unwrap();
                        seen.connections += usize::from(by > 0);
                        seen.open = seen.open.saturating_add_signed(by);
                        seen.most_open = seen.most_open.max(seen.open);
                    };
                    count(1);
                    let _ = serve(Box::new(stream), &rules, &seen, &acceptor).await;
                    count(-1);
                });
            }
        });
        Self {
            port,
            seen,
            runtime: Some(runtime),
            _folder: folder,
            certificate,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// PEM, for `ca_file`.
    pub(crate) fn certificate(&self) -> &Path {
        &self.certificate
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.seen.lock().unwrap().taken.clone()
    }

    /// How often each recipient was named.
    pub(crate) fn tries(&self, to: &str) -> usize {
        self.seen
            .lock()
            .unwrap()
            .tries
            .get(to)
            .copied()
            .unwrap_or(0)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    pub(crate) fn most_open(&self) -> usize {
        self.seen.lock().unwrap().most_open
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A certificate of `localhost` that vouches for itself.
fn certified(folder: &Path) -> (PathBuf, TlsAcceptor) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let path = folder.join("certificate.pem");
    std::fs::write(&path, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (path, TlsAcceptor::from(Arc::new(config)))
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
type Line = BufReader<Box<dyn Stream>>;

async fn serve(
    stream: Box<dyn Stream>,
    rules: &Rules,
    seen: &Mutex<Seen>,
    acceptor: &TlsAcceptor,
) -> std::io::Result<()> {
    let mut line: Line = BufReader::new(stream);
    if rules.tls == Encrypts::FromTheFirstByte {
        line = BufReader::new(Box::new(acceptor.accept(line.into_inner()).await?));
    }
    let mut talk = Talk {
        line,
        rules,
        seen,
        is_let_in: rules.login.is_none(),
        to: None,
        mails: 0,
    };
    talk.say("220 mail.example.fi ESMTP").await?;
    while let Some(command) = talk.hear().await? {
        let word = command.to_ascii_uppercase();
        if word.starts_with("STARTTLS") {
            talk.say("220 go on").await?;
            let plain = talk.line.into_inner();
            talk.line = BufReader::new(Box::new(acceptor.accept(plain).await?));
        } else if !talk.obey(&command, &word).await? {
            return Ok(());
        }
    }
    Ok(())
}

struct Talk<'a> {
    line: Line,
    rules: &'a Rules,
    seen: &'a Mutex<Seen>,
    is_let_in: bool,
    to: Option<(String, Does)>,
    mails: usize,
}

impl Talk<'_> {
    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.line
            .write_all(format!("{text}\r\n").as_bytes())
            .await?;
        self.line.flush().await
    }

    async fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut text = String::new();
        let read = self.line.read_line(&mut text).await?;
        Ok((read > 0).then(|| text.trim_end().to_owned()))
    }

    /// Whether the conversation goes on.
    async fn obey(&mut self, command: &str, word: &str) -> std::io::Result<bool> {
        if word.starts_with("EHLO") {
            let mut offers = vec!["mail.example.fi"];
            if self.rules.tls == Encrypts::ByStartTls {
                offers.push("STARTTLS");
            }
            if self.rules.login.is_some() {
                offers.push("AUTH PLAIN LOGIN");
            }
            let last = offers.pop().unwrap();
            for offer in offers {
                self.say(&format!("250-{offer}")).await?;
            }
            self.say(&format!("250 {last}")).await?;
        } else if let Some(given) = command.strip_prefix("AUTH PLAIN ") {
            let (user, password) = self.rules.login.unwrap();
            self.is_let_in = given == base64(&format!("\0{user}\0{password}"));
            let said = if self.is_let_in {
                "235 welcome"
            } else {
                "535 5.7.8 not you, somebody@example.org"
            };
            self.say(said).await?;
        } else if word.starts_with("MAIL FROM:") {
            if self.mails >= self.rules.mails_per_connection {
                self.say("421 4.7.0 enough for now").await?;
                return Ok(false);
            }
            self.mails += 1;
            let not_in = (!self.is_let_in).then_some("530 5.7.0 log in first");
            self.say(not_in.or(self.rules.to_mail).unwrap_or("250 2.1.0 ok"))
                .await?;
        } else if word.starts_with("RCPT TO:") {
            return self.recipient(command).await;
        } else if word.starts_with("DATA") {
            return self.text().await;
        } else if word.starts_with("QUIT") {
            self.say("221 bye").await?;
            return Ok(false);
        } else {
            self.say("250 ok").await?;
        }
        Ok(true)
    }

    async fn recipient(&mut self, command: &str) -> std::io::Result<bool> {
        let to = command.split(['<', '>']).nth(1).unwrap().to_owned();
        let does = {
            let mut seen = self.seen.lock().unwrap();
            let tries = seen.tries.entry(to.clone()).or_default();
            *tries += 1;
            (self.rules.decide)(&to, *tries)
        };
        match does {
            Does::BreaksOff => return Ok(false),
            Does::Says(text) => self.say(text).await?,
            _ => {
                self.to = Some((to, does));
                self.say("250 2.1.5 ok").await?;
            }
        }
        Ok(true)
    }

    async fn text(&mut self) -> std::io::Result<bool> {
        self.say("354 go on").await?;
        let mut text = String::new();
        while let Some(line) = self.hear().await? {
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push_str("\r\n");
        }
        let (to, does) = self.to.take().unwrap();
        if let Does::SaysToText(said) = does {
            self.say(said).await?;
            return Ok(true);
        }
        let at = Instant::now();
        self.seen.lock().unwrap().taken.push(Taken { to, text, at });
        match does {
            Does::TakesAndBreaksOff => return Ok(false),
            Does::TakesSlowly(time) => tokio::time::sleep(time).await,
            _ => {}
        }
        self.say("250 2.0.0 taken").await?;
        Ok(true)
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for some in text.as_bytes().chunks(3) {
        let bits = some
            .iter()
            .fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - some.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            let is_there = digit <= some.len();
            out.push(if is_there { DIGITS[index] as char } else { '=' });
        }
    }
    out
}
