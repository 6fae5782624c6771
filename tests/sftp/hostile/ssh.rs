//! An SSH client of our own, so small that it can say what no library would: any packet at any
//! time, keys exchanged half, windows that are not kept. It knows one algorithm of each kind
//! (curve25519-sha256, ssh-ed25519, aes256-gcm) and does not look whom it talks to.

use std::{net::SocketAddr, path::Path, time::Duration};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral},
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use russh::keys::load_secret_key;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::bytes::Packet;

/// How long a test waits for an answer that has to come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Numbers of SSH's messages (RFC 4250, section 4.1.2).
pub(crate) mod msg {
    pub(crate) const IGNORE: u8 = 2;
    pub(crate) const SERVICE_REQUEST: u8 = 5;
    pub(crate) const KEXINIT: u8 = 20;
    pub(crate) const NEWKEYS: u8 = 21;
    pub(crate) const KEX_ECDH_INIT: u8 = 30;
    pub(crate) const KEX_ECDH_REPLY: u8 = 31;
    pub(crate) const USERAUTH_REQUEST: u8 = 50;
    pub(crate) const USERAUTH_FAILURE: u8 = 51;
    pub(crate) const USERAUTH_SUCCESS: u8 = 52;
    pub(crate) const USERAUTH_PK_OK: u8 = 60;
    pub(crate) const GLOBAL_REQUEST: u8 = 80;
    pub(crate) const REQUEST_FAILURE: u8 = 82;
    pub(crate) const CHANNEL_OPEN: u8 = 90;
    pub(crate) const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
    pub(crate) const CHANNEL_OPEN_FAILURE: u8 = 92;
    pub(crate) const CHANNEL_WINDOW_ADJUST: u8 = 93;
    pub(crate) const CHANNEL_DATA: u8 = 94;
    pub(crate) const CHANNEL_EXTENDED_DATA: u8 = 95;
    pub(crate) const CHANNEL_EOF: u8 = 96;
    pub(crate) const CHANNEL_CLOSE: u8 = 97;
    pub(crate) const CHANNEL_REQUEST: u8 = 98;
    pub(crate) const CHANNEL_SUCCESS: u8 = 99;
    pub(crate) const CHANNEL_FAILURE: u8 = 100;
}

/// The names that a KEXINIT offers, in its order, the same for both directions.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) kex: &'static str,
    pub(crate) host_key: &'static str,
    pub(crate) cipher: &'static str,
    pub(crate) mac: &'static str,
    pub(crate) compression: &'static str,
}

impl Offer {
    pub(crate) const GOOD: Self = Self {
        kex: "curve25519-sha256,kex-strict-c-v00@openssh.com",
        host_key: "ssh-ed25519",
        cipher: "aes256-gcm@openssh.com",
        mac: "hmac-sha2-256",
        compression: "none",
    };

    fn kexinit(self) -> Vec<u8> {
        Packet::ssh(msg::KEXINIT)
            .raw(&[7; 16])
            .string(self.kex)
            .string(self.host_key)
            .string(self.cipher)
            .string(self.cipher)
            .string(self.mac)
            .string(self.mac)
            .string(self.compression)
            .string(self.compression)
            .string("")
            .string("")
            .raw(&[0; 5])
            .payload()
    }
}

pub(crate) struct Ssh {
    stream: TcpStream,
    banner: String,
    session: Option<Vec<u8>>,
    sealing: Option<Sealing>,
    opening: Option<Sealing>,
}

const OUR_BANNER: &str = "SSH-2.0-hostile";

impl Ssh {
    /// Connects and exchanges banners.
    pub(crate) async fn greet(address: SocketAddr) -> Option<Self> {
        Self::on(TcpStream::connect(address).await.ok()?).await
    }

    pub(crate) async fn on(mut stream: TcpStream) -> Option<Self> {
        stream.set_nodelay(true).ok()?;
        stream
            .write_all(format!("{OUR_BANNER}\r\n").as_bytes())
            .await
            .ok()?;
        let banner = timeout(PATIENCE, line(&mut stream)).await.ok()??;
        Some(Self {
            stream,
            banner,
            session: None,
            sealing: None,
            opening: None,
        })
    }

    /// Connects and exchanges keys; nobody is logged in.
    pub(crate) async fn meet(address: SocketAddr) -> Option<Self> {
        let mut ssh = Self::greet(address).await?;
        ssh.exchange_keys().await?;
        Some(ssh)
    }

    /// Connects and logs in.
    pub(crate) async fn log_in(address: SocketAddr, user: &str, key: &Path) -> Option<Self> {
        let mut ssh = Self::meet(address).await?;
        ssh.request_userauth().await?;
        let signed = ssh.signed_login(user, key);
        ssh.send(&signed).await?;
        ssh.expect(msg::USERAUTH_SUCCESS).await?;
        Some(ssh)
    }

    pub(crate) async fn request_userauth(&mut self) -> Option<()> {
        let service = Packet::ssh(msg::SERVICE_REQUEST).string("ssh-userauth");
        self.send(&service.payload()).await
    }

    /// The first exchange, or another one.
    pub(crate) async fn exchange_keys(&mut self) -> Option<()> {
        let ours = Offer::GOOD.kexinit();
        self.send(&ours).await?;
        let theirs = self.expect(msg::KEXINIT).await?;
        let random = SystemRandom::new();
        let secret = EphemeralPrivateKey::generate(&X25519, &random).ok()?;
        let public = secret.compute_public_key().ok()?;
        let init = Packet::ssh(msg::KEX_ECDH_INIT).string(public.as_ref());
        self.send(&init.payload()).await?;
        let reply = self.expect(msg::KEX_ECDH_REPLY).await?;
        let mut rest = reply.get(1..)?;
        let host_key = take_string(&mut rest)?;
        let their_public = take_string(&mut rest)?;
        let shared = UnparsedPublicKey::new(&X25519, &their_public);
        let shared = agree_ephemeral(secret, &shared, mpint).ok()?;
        let hashed = Packet::empty()
            .string(OUR_BANNER)
            .string(&self.banner)
            .string(&ours)
            .string(&theirs)
            .string(&host_key)
            .string(public.as_ref())
            .string(&their_public)
            .raw(&shared);
        let hash = digest(&SHA256, &hashed.payload()).as_ref().to_vec();
        let session = self.session.get_or_insert_with(|| hash.clone()).clone();
        let derive = |letter| {
            let hashed = Packet::empty().raw(&shared).raw(&hash);
            let hashed = hashed.raw(&[letter]).raw(&session).payload();
            digest(&SHA256, &hashed).as_ref().to_vec()
        };
        self.send(&[msg::NEWKEYS]).await?;
        self.sealing = Some(Sealing::new(&derive(b'C'), &derive(b'A')));
        self.expect(msg::NEWKEYS).await?;
        self.opening = Some(Sealing::new(&derive(b'D'), &derive(b'B')));
        Some(())
    }

    /// Asks for the exchange of keys with what `offer` names, and says whether the server goes on.
    pub(crate) async fn offers(mut self, offer: Offer) -> bool {
        let sent = self.send(&offer.kexinit()).await;
        if sent.is_none() || self.expect(msg::KEXINIT).await.is_none() {
            return false;
        }
        let init = Packet::ssh(msg::KEX_ECDH_INIT).string([9; 32]);
        let _ = self.send(&init.payload()).await;
        self.expect(msg::KEX_ECDH_REPLY).await.is_some()
    }

    /// A KEXINIT alone, as one sends who never goes on.
    pub(crate) async fn begin_exchange(&mut self) -> Option<()> {
        self.send(&Offer::GOOD.kexinit()).await
    }

    /// The request to log in by `key`, signed for this connection.
    pub(crate) fn signed_login(&self, user: &str, key: &Path) -> Vec<u8> {
        let (pair, public) = key_pair(key);
        let request = key_request(user, &public, true);
        let signed = Packet::empty()
            .string(self.session.as_deref().unwrap())
            .raw(&request)
            .payload();
        let signature = Packet::empty()
            .string("ssh-ed25519")
            .string(pair.sign(&signed).as_ref())
            .payload();
        Packet::empty().raw(&request).string(&signature).payload()
    }

    /// The request that only asks whether `key` would do.
    pub(crate) fn unsigned_login(user: &str, key: &Path) -> Vec<u8> {
        key_request(user, &key_pair(key).1, false)
    }

    /// Opens a session channel with `window` for the server's replies; its number at the server,
    /// or `None` where it is refused.
    pub(crate) async fn open_channel(&mut self, window: u32) -> Option<u32> {
        let open = Packet::ssh(msg::CHANNEL_OPEN)
            .string("session")
            .u32(0)
            .u32(window)
            .u32(32_768);
        self.send(&open.payload()).await?;
        let answers = [msg::CHANNEL_OPEN_CONFIRMATION, msg::CHANNEL_OPEN_FAILURE];
        let answer = self.expect_any(&answers).await?;
        let confirmed = answer[0] == msg::CHANNEL_OPEN_CONFIRMATION;
        confirmed.then(|| u32_at(&answer, 5))?
    }

    /// Opens a channel and an SFTP session on it, greeted.
    pub(crate) async fn open_sftp(&mut self, window: u32) -> Option<u32> {
        let channel = self.open_channel(window).await?;
        self.send(&request(channel, "subsystem").string("sftp").payload())
            .await?;
        let answers = [
            msg::CHANNEL_SUCCESS,
            msg::CHANNEL_FAILURE,
            msg::CHANNEL_CLOSE,
        ];
        let answer = self.expect_any(&answers).await?;
        (answer[0] == msg::CHANNEL_SUCCESS).then_some(())?;
        self.data(channel, &Packet::sftp(1).u32(3).framed()).await?;
        Some(channel)
    }

    pub(crate) async fn data(&mut self, channel: u32, data: &[u8]) -> Option<()> {
        let data = Packet::ssh(msg::CHANNEL_DATA).u32(channel).string(data);
        self.send(&data.payload()).await
    }

    /// `None` where the connection is closed, or takes nothing for a minute.
    pub(crate) async fn send(&mut self, payload: &[u8]) -> Option<()> {
        let packet = match &mut self.sealing {
            Some(sealing) => sealing.seal(padded(payload, 16, 1)),
            None => padded(payload, 8, 5),
        };
        self.send_raw(&packet).await
    }

    pub(crate) async fn send_raw(&mut self, bytes: &[u8]) -> Option<()> {
        let sent = timeout(PATIENCE, self.stream.write_all(bytes)).await;
        sent.ok()?.ok()
    }

    /// Sends a packet whose length field says what it likes.
    pub(crate) async fn send_length(&mut self, length: u32) -> Option<()> {
        self.send_raw(&length.to_be_bytes()).await
    }

    /// The next message of this number, past all others; `None` where the connection ends first.
    ///
    /// # Panics
    ///
    /// Where neither happens: the server hangs.
    pub(crate) async fn expect(&mut self, number: u8) -> Option<Vec<u8>> {
        self.expect_any(&[number]).await
    }

    pub(crate) async fn expect_any(&mut self, numbers: &[u8]) -> Option<Vec<u8>> {
        loop {
            let message = self.receive().await?;
            if message
                .first()
                .is_some_and(|number| numbers.contains(number))
            {
                return Some(message);
            }
        }
    }

    pub(crate) async fn receive(&mut self) -> Option<Vec<u8>> {
        let receiving = timeout(PATIENCE, receive(&mut self.stream, &mut self.opening));
        receiving.await.expect("the server hangs")
    }

    /// Whether the server closes the connection within a minute, whatever it says before.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let closing = async { while matches!(self.stream.read(&mut buffer).await, Ok(1..)) {} };
        timeout(PATIENCE, closing).await.is_ok()
    }
}

/// A channel request that wants an answer.
pub(crate) fn request(channel: u32, kind: &str) -> Packet {
    Packet::ssh(msg::CHANNEL_REQUEST)
        .u32(channel)
        .string(kind)
        .raw(&[1])
}

async fn line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(line)
        .ok()
        .map(|l| l.trim_end().to_owned())
}

async fn receive(stream: &mut TcpStream, opening: &mut Option<Sealing>) -> Option<Vec<u8>> {
    let length = stream.read_u32().await.ok()?;
    let tag = if opening.is_some() { 16 } else { 0 };
    let mut packet = vec![0; length as usize + tag];
    stream.read_exact(&mut packet).await.ok()?;
    if let Some(opening) = opening {
        opening.open(length, &mut packet);
    }
    let padding = usize::from(packet[0]);
    Some(packet[1..length as usize - padding].to_vec())
}

/// A packet in the clear: its padding makes `counted` bytes before the payload and the rest a
/// multiple of `block`.
fn padded(payload: &[u8], block: usize, counted: usize) -> Vec<u8> {
    let mut padding = block - (payload.len() + counted) % block;
    if padding < 4 {
        padding += block;
    }
    let length = u32::try_from(payload.len() + padding + 1).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

/// One direction of AES-GCM as RFC 5647, section 7, has it.
struct Sealing {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Sealing {
    fn new(key: &[u8], nonce: &[u8]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).unwrap();
        Self {
            key: LessSafeKey::new(key),
            nonce: nonce[..12].try_into().unwrap(),
        }
    }

    fn next_nonce(&mut self) -> Nonce {
        let nonce = Nonce::assume_unique_for_key(self.nonce);
        let counter = u64::from_be_bytes(self.nonce[4..].try_into().unwrap());
        self.nonce[4..].copy_from_slice(&counter.wrapping_add(1).to_be_bytes());
        nonce
    }

    fn seal(&mut self, mut packet: Vec<u8>) -> Vec<u8> {
        let nonce = self.next_nonce();
        let (length, rest) = packet.split_at_mut(4);
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, Aad::from(&*length), rest);
        packet.extend_from_slice(tag.unwrap().as_ref());
        packet
    }

    fn open(&mut self, length: u32, packet: &mut [u8]) {
        let nonce = self.next_nonce();
        let aad = Aad::from(length.to_be_bytes());
        self.key.open_in_place(nonce, aad, packet).unwrap();
    }
}

/// The shared secret as a number without needless zeros (RFC 4251, section 5).
fn mpint(secret: &[u8]) -> Vec<u8> {
    let zeros = secret.iter().take_while(|byte| **byte == 0).count();
    let mut number = secret[zeros..].to_vec();
    if number.first().is_some_and(|byte| *byte >= 0x80) {
        number.insert(0, 0);
    }
    Packet::empty().string(&number).payload()
}

fn key_pair(path: &Path) -> (Ed25519KeyPair, Vec<u8>) {
    let key = load_secret_key(path, None).unwrap();
    let seed = key.key_data().ed25519().unwrap().private.to_bytes();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let public = Packet::empty()
        .string("ssh-ed25519")
        .string(pair.public_key().as_ref())
        .payload();
    (pair, public)
}

fn key_request(user: &str, public: &[u8], signed: bool) -> Vec<u8> {
    Packet::ssh(msg::USERAUTH_REQUEST)
        .string(user)
        .string("ssh-connection")
        .string("publickey")
        .raw(&[u8::from(signed)])
        .string("ssh-ed25519")
        .string(public)
        .payload()
}

fn take_string(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = u32_at(rest, 0)? as usize;
    let string = rest.get(4..4 + length)?.to_vec();
    *rest = &rest[4 + length..];
    Some(string)
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}
