use std::{pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, server::Msg};
use tokio::time::timeout;

use super::{
    algorithms::MAX_MESSAGE_BYTES,
    backlog::{Backlog, BacklogShare},
    received::Received,
    requests::{Answer, Requests},
    settings::Settings,
};

/// Stack of a session's thread; in a debug build the deepest is some tens of kilobytes.
pub(super) const STACK_BYTES: usize = 512 * 1024;

/// How long the library's task has to take a reply before more is taken in for it.
const BETWEEN_MESSAGES: Duration = Duration::from_millis(1);

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
    received: Received,
    /// The client said that nothing follows.
    ended: bool,
    backlog: BacklogShare,
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
/// the requests may block on the disk. Once `over` ends, the connection is gone: an account that
/// waits for its turn does not hear of it on the channel.
pub(super) async fn serve(
    mut channel: Channel,
    mut requests: Requests,
    over: impl Future<Output = ()>,
) -> Result<(), Broken> {
    let served = tokio::select! {
        served = channel.serve(&mut requests) => served,
        () = over => Err(Broken::Gone),
    };
    // Nobody reads on: the SSH library must not wait for us to make room in the queue.
    let Channel {
        incoming, outgoing, ..
    } = channel;
    drop(incoming);
    // What the client left open is put away before it hears that the session is over, and nothing
    // is under way any more.
    while requests.paid().await.is_some() {}
    drop(requests);
    if served.is_ok() {
        say_success(&outgoing).await;
    }
    let _ = outgoing.close().await;
    served
}

impl Channel {
    pub(super) fn new(
        channel: russh::Channel<Msg>,
        settings: &Settings,
        backlog: &Arc<Backlog>,
    ) -> Self {
        let (incoming, outgoing) = channel.split();
        Self {
            incoming,
            outgoing: Arc::new(outgoing),
            received: Received::new(settings.max_packet_bytes),
            ended: false,
            backlog: backlog.share(),
            max_packet_bytes: settings.max_packet_bytes,
            max_backlog_bytes: settings.max_backlog_bytes,
            send_timeout: Duration::from_secs(settings.idle_secs),
        }
    }

    async fn serve(&mut self, requests: &mut Requests) -> Result<(), Broken> {
        loop {
            let answer = tokio::select! {
                biased;
                Some((reply, in_hand)) = requests.paid() => {
                    self.send(reply.ok_or(Broken::Unreadable)?).await?;
                    drop(in_hand);
                    requests.answer_held()
                }
                packet = self.next_packet(), if requests.takes_more() => {
                    let Some(packet) = packet? else { break };
                    self.pause(requests.pause(packet.len(), 0)).await?;
                    requests.answer(packet)
                }
            };
            match answer {
                Answer::Now(reply) => {
                    self.pause(requests.pause(0, reply.len())).await?;
                    self.send(reply).await?;
                }
                Answer::Later => {}
                Answer::Unreadable => return Err(Broken::Unreadable),
            }
        }
        while let Some((reply, _in_hand)) = requests.paid().await {
            self.send(reply.ok_or(Broken::Unreadable)?).await?;
        }
        Ok(())
    }

    /// Waits, and takes in one packet at most: the client is to wait too.
    async fn pause(&mut self, time: Duration) -> Result<(), Broken> {
        if time.is_zero() {
            return Ok(());
        }
        let mut over = pin!(tokio::time::sleep(time));
        loop {
            let has_room = !self.ended && self.received.len() < self.max_packet_bytes;
            let message = tokio::select! {
                () = &mut over => return Ok(()),
                message = self.incoming.wait(), if has_room => message,
            };
            self.take_in(message)?;
        }
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
        let Some(length) = self.received.packet_length() else {
            return Ok(None);
        };
        if length == 0 || length > self.max_packet_bytes {
            return Err(Broken::PacketTooLong(length));
        }
        let packet = self.received.take_packet(length);
        if packet.is_some() {
            self.backlog.set(self.received.len());
        }
        Ok(packet)
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
            // One message less is mostly all that the library's task needs to come to our reply. On a
            // busy machine all that it has for us is taken in sooner than it wakes, time and again: the
            // backlog of a client that only sends fast would grow until it is told to go.
            if self.received.len() > self.max_packet_bytes
                && let Ok(sent) = timeout(BETWEEN_MESSAGES, &mut sending).await
            {
                return sent.map_err(|_| Broken::Gone);
            }
        }
    }

    fn take_in(&mut self, message: Option<ChannelMsg>) -> Result<(), Broken> {
        match message {
            Some(ChannelMsg::Data { data }) => self.received.push(&data),
            Some(ChannelMsg::Eof) => self.ended = true,
            Some(ChannelMsg::Close) | None => return Err(Broken::Gone),
            Some(_) => {}
        }
        // What one packet needs is never held against a client, whatever the others send. The
        // last message of it may have the beginning of the next one.
        let needed = self.max_packet_bytes + MAX_MESSAGE_BYTES as usize;
        let is_over = self.received.len() > needed + self.max_backlog_bytes;
        let is_more = self.received.len() > needed;
        if is_over || !self.backlog.set(self.received.len()) && is_more {
            return Err(Broken::Backlog);
        }
        Ok(())
    }
}

/// Without an exit status of 0 `scp` reports a failure, and a script sends the file again.
async fn say_success(outgoing: &ChannelWriteHalf<Msg>) {
    let _ = outgoing.exit_status(0).await;
    let _ = outgoing.eof().await;
}
