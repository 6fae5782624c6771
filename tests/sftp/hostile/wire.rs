//! An SFTP session as bytes: packets that no client would send, replies as they come.

use std::time::Duration;

use russh::{Channel, ChannelMsg, client};
use tokio::time::timeout;

use super::{
    bytes::Packet,
    ssh::{PATIENCE, u32_at},
};
use crate::sftp::house::{AnyHost, House};

/// Types of SFTP's packets (draft-ietf-secsh-filexfer-02, section 3).
pub(crate) mod kind {
    pub(crate) const INIT: u8 = 1;
    pub(crate) const OPEN: u8 = 3;
    pub(crate) const CLOSE: u8 = 4;
    pub(crate) const READ: u8 = 5;
    pub(crate) const WRITE: u8 = 6;
    pub(crate) const LSTAT: u8 = 7;
    pub(crate) const FSTAT: u8 = 8;
    pub(crate) const SETSTAT: u8 = 9;
    pub(crate) const FSETSTAT: u8 = 10;
    pub(crate) const OPENDIR: u8 = 11;
    pub(crate) const READDIR: u8 = 12;
    pub(crate) const REMOVE: u8 = 13;
    pub(crate) const MKDIR: u8 = 14;
    pub(crate) const RMDIR: u8 = 15;
    pub(crate) const REALPATH: u8 = 16;
    pub(crate) const STAT: u8 = 17;
    pub(crate) const RENAME: u8 = 18;
    pub(crate) const READLINK: u8 = 19;
    pub(crate) const SYMLINK: u8 = 20;
    pub(crate) const STATUS: u8 = 101;
    pub(crate) const HANDLE: u8 = 102;
    pub(crate) const DATA: u8 = 103;
    pub(crate) const NAME: u8 = 104;
    pub(crate) const EXTENDED: u8 = 200;
}

/// Flags of OPEN.
pub(crate) mod open {
    pub(crate) const READ: u32 = 1;
    pub(crate) const WRITE: u32 = 2;
    pub(crate) const APPEND: u32 = 4;
    pub(crate) const CREATE: u32 = 8;
    pub(crate) const TRUNCATE: u32 = 16;
    pub(crate) const EXCLUDE: u32 = 32;
}

/// A reply: its type, the request that it answers, and the rest.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) kind: u8,
    pub(crate) id: u32,
    pub(crate) rest: Vec<u8>,
}

impl Reply {
    pub(crate) fn of(packet: &[u8]) -> Option<Self> {
        Some(Self {
            kind: *packet.first()?,
            id: u32_at(packet, 1)?,
            rest: packet.get(5..)?.to_vec(),
        })
    }

    /// The code of a status; 0 is success.
    pub(crate) fn status(&self) -> Option<u32> {
        (self.kind == kind::STATUS).then(|| u32_at(&self.rest, 0))?
    }

    pub(crate) fn handle(&self) -> Option<Vec<u8>> {
        (self.kind == kind::HANDLE).then(|| self.rest.get(4..).map(<[u8]>::to_vec))?
    }

    /// The content of data.
    pub(crate) fn data(&self) -> Option<&[u8]> {
        (self.kind == kind::DATA).then(|| self.rest.get(4..))?
    }
}

pub(crate) struct Wire {
    channel: Channel<client::Msg>,
    received: Vec<u8>,
    next: u32,
    ssh: Option<client::Handle<AnyHost>>,
}

impl Wire {
    /// A session in which nothing was said yet.
    pub(crate) async fn silent(house: &House, user: &str) -> Self {
        let ssh = house.ssh(user).await;
        let mut wire = Self::on(&ssh).await;
        wire.ssh = Some(ssh);
        wire
    }

    pub(crate) async fn on(ssh: &client::Handle<AnyHost>) -> Self {
        let channel = ssh.channel_open_session().await.unwrap();
        channel.request_subsystem(true, "sftp").await.unwrap();
        Self {
            channel,
            received: Vec::new(),
            next: 1,
            ssh: None,
        }
    }

    /// A session that was greeted.
    pub(crate) async fn greeted(house: &House, user: &str) -> Self {
        let mut wire = Self::silent(house, user).await;
        wire.greet().await;
        wire
    }

    pub(crate) async fn greet(&mut self) {
        self.send(&Packet::sftp(kind::INIT).u32(3).framed()).await;
        assert_eq!(self.packet().await.unwrap()[0], 2, "no version");
    }

    /// Bytes as they are; a session that is closed takes them in silence.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(PATIENCE, self.channel.data(bytes)).await;
    }

    /// A request with the next number; the fields are what follows it.
    pub(crate) fn request(&mut self, kind: u8, fields: &Packet) -> (u32, Vec<u8>) {
        let id = self.next;
        self.next += 1;
        let packet = Packet::sftp(kind).u32(id).raw(&fields.clone().payload());
        (id, packet.framed())
    }

    /// Sends a request and waits for its answer; `None` where the session ends instead.
    pub(crate) async fn ask(&mut self, kind: u8, fields: Packet) -> Option<Reply> {
        let (id, bytes) = self.request(kind, &fields);
        self.send(&bytes).await;
        let reply = self.reply().await?;
        assert_eq!(reply.id, id, "{reply:?}");
        Some(reply)
    }

    pub(crate) async fn open(&mut self, path: impl AsRef<[u8]>, flags: u32) -> Option<Reply> {
        let fields = Packet::empty().string(path).u32(flags).u32(0);
        self.ask(kind::OPEN, fields).await
    }

    pub(crate) async fn on_handle(&mut self, kind: u8, handle: &[u8]) -> Option<Reply> {
        self.ask(kind, Packet::empty().string(handle)).await
    }

    pub(crate) async fn read(&mut self, handle: &[u8], offset: u64, len: u32) -> Option<Reply> {
        let fields = Packet::empty().string(handle).u64(offset).u32(len);
        self.ask(kind::READ, fields).await
    }

    pub(crate) async fn write(&mut self, handle: &[u8], offset: u64, data: &[u8]) -> Option<Reply> {
        let fields = Packet::empty().string(handle).u64(offset).string(data);
        self.ask(kind::WRITE, fields).await
    }

    /// Uploads in full; the code of the last answer.
    pub(crate) async fn upload(&mut self, path: &str, data: &[u8]) -> Option<u32> {
        let flags = open::WRITE | open::CREATE | open::TRUNCATE;
        let opened = self.open(path, flags).await?;
        let Some(handle) = opened.handle() else {
            return opened.status();
        };
        self.write(&handle, 0, data).await?;
        self.on_handle(kind::CLOSE, &handle).await?.status()
    }

    pub(crate) async fn reply(&mut self) -> Option<Reply> {
        Reply::of(&self.packet().await?)
    }

    /// The next packet without its length; `None` where the session ends.
    ///
    /// # Panics
    ///
    /// Where neither happens: the session hangs.
    pub(crate) async fn packet(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = u32_at(&self.received, 0) {
                let end = 4 + length as usize;
                if self.received.len() >= end {
                    let packet = self.received[4..end].to_vec();
                    self.received.drain(..end);
                    return Some(packet);
                }
            }
            let message = timeout(PATIENCE, self.channel.wait()).await;
            match message.expect("the session hangs") {
                Some(ChannelMsg::Data { data }) => self.received.extend_from_slice(&data),
                Some(ChannelMsg::Close) | None => return None,
                Some(_) => {}
            }
        }
    }

    /// Says that nothing follows, and reads to the end; what came, and whether it ended well.
    pub(crate) async fn finish(mut self) -> (Vec<Vec<u8>>, bool) {
        let _ = self.channel.eof().await;
        let mut packets = Vec::new();
        let mut well = false;
        loop {
            let message = timeout(PATIENCE, self.channel.wait()).await;
            match message.expect("the session hangs") {
                Some(ChannelMsg::Data { data }) => self.received.extend_from_slice(&data),
                Some(ChannelMsg::ExitStatus { exit_status: 0 }) => well = true,
                Some(ChannelMsg::Close) | None => break,
                Some(_) => {}
            }
        }
        while let Some(length) = u32_at(&self.received, 0) {
            let end = (4 + length as usize).min(self.received.len());
            packets.push(self.received[4..end].to_vec());
            self.received.drain(..end);
        }
        (packets, well)
    }
}

/// A client that behaves gets in, uploads and lists, in bounded time.
pub(crate) async fn a_good_client_works(house: &House, name: &str) {
    let work = async {
        let mut wire = Wire::greeted(house, "other").await;
        let path = format!("inbox/{name}");
        assert_eq!(wire.upload(&path, name.as_bytes()).await, Some(0));
        let listed = wire
            .ask(kind::OPENDIR, Packet::empty().string("inbox"))
            .await
            .unwrap();
        let handle = listed.handle().unwrap();
        let names = wire.on_handle(kind::READDIR, &handle).await.unwrap();
        let name = name.as_bytes();
        assert!(names.rest.windows(name.len()).any(|part| part == name));
    };
    let worked = timeout(Duration::from_mins(1), work).await;
    worked.expect("a good client has to wait");
}
