use std::{pin::pin, sync::Arc, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, server::Msg};

use super::{requests::Requests, settings::Settings};

/// Length of a packet's length field.
const LENGTH_BYTES: usize = 4;

/// The channel of one SFTP session: packets in, replies out.
///
/// The SSH library hands data to a channel by a queue of bounded length, from the same task that
/// takes replies off our hands. Waiting to send a reply without taking in what arrives is
/// therefore a circle in which both wait for ever (seen with `sftp get` of a large file). So
/// [`Channel::send`] takes in while it waits, within a bound of bytes; nothing else that we wait
/// for needs that task, and while we work on the disk the queue holds back the client.
pub(super) struct Channel {
    incoming: ChannelReadHalf,
    outgoing: Arc<ChannelWriteHalf<Msg>>,
    received: BytesMut,
    /// The client said that nothing follows.
    ended: bool,
    max_packet_bytes: usize,
    max_backlog_bytes: usize,
    send_timeout: Duration,
}

/// Why a session cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error("the connection ended")]
    Gone,
    #[error("a packet of {0} bytes is over the limit")]
    PacketTooLong(usize),
    #[error("the client sends more than it takes")]
    Backlog,
    #[error("the client takes no replies")]
    Stuck,
    #[error("a packet cannot be read")]
    Unreadable,
}

/// Answers a client's requests until it ends the session; runs on a thread of its own, so that
/// the requests may block on the disk.
pub(super) async fn serve(mut channel: Channel, mut requests: Requests) -> Result<(), Broken> {
    let served = channel.serve(&mut requests).await;
    // What the client left open is put away before it hears that the session is over.
    drop(requests);
    if served.is_ok() {
        channel.say_success().await;
    }
    let _ = channel.outgoing.close().await;
    served
}

impl Channel {
    pub(super) fn new(channel: russh::Channel<Msg>, settings: &Settings) -> Self {
        let (incoming, outgoing) = channel.split();
        Self {
            incoming,
            outgoing: Arc::new(outgoing),
            received: BytesMut::new(),
            ended: false,
            max_packet_bytes: settings.max_packet_bytes,
            max_backlog_bytes: settings.max_backlog_bytes,
            send_timeout: Duration::from_secs(settings.idle_secs),
        }
    }

    async fn serve(&mut self, requests: &mut Requests) -> Result<(), Broken> {
        while let Some(packet) = self.next_packet().await? {
            let reply = requests.answer(packet).ok_or(Broken::Unreadable)?;
            self.send(reply).await?;
        }
        Ok(())
    }

    /// The next packet without its length, or `None` when the client is done.
    async fn next_packet(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            if let Some(packet) = self.take_packet()? {
                return Ok(Some(packet));
            }
            if self.ended {
                return Ok(None);
            }
            let message = self.incoming.wait().await;
            self.take_in(message)?;
        }
    }

    fn take_packet(&mut self) -> Result<Option<Bytes>, Broken> {
        let Some(length) = self.received.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(*length) as usize;
        if length == 0 || length > self.max_packet_bytes {
            return Err(Broken::PacketTooLong(length));
        }
        if self.received.len() < LENGTH_BYTES + length {
            return Ok(None);
        }
        self.received.advance(LENGTH_BYTES);
        Ok(Some(self.received.split_to(length).freeze()))
    }

    async fn send(&mut self, reply: Bytes) -> Result<(), Broken> {
        let outgoing = Arc::clone(&self.outgoing);
        let mut sending = pin!(outgoing.data_bytes(reply));
        let mut too_late = pin!(tokio::time::sleep(self.send_timeout));
        loop {
            let message = tokio::select! {
                biased;
                sent = &mut sending => return sent.map_err(|_| Broken::Gone),
                message = self.incoming.wait() => message,
                () = &mut too_late => return Err(Broken::Stuck),
            };
            self.take_in(message)?;
        }
    }

    fn take_in(&mut self, message: Option<ChannelMsg>) -> Result<(), Broken> {
        match message {
            Some(ChannelMsg::Data { data }) => self.received.extend_from_slice(&data),
            Some(ChannelMsg::Eof) => self.ended = true,
            Some(ChannelMsg::Close) | None => return Err(Broken::Gone),
            Some(_) => {}
        }
        if self.received.len() > self.max_packet_bytes + self.max_backlog_bytes {
            return Err(Broken::Backlog);
        }
        Ok(())
    }

    /// Without an exit status of 0 `scp` reports a failure, and a script sends the file again.
    async fn say_success(&self) {
        let _ = self.outgoing.exit_status(0).await;
        let _ = self.outgoing.eof().await;
    }
}
