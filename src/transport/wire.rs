//! Requests and answers over one SFTP channel, any number under way at once.
//!
//! The session of `russh-sftp` is not used here: it queues without bound, counts the time of a
//! request from when it was queued, and reads names as text.

mod failure;
mod packet;
mod pending;
mod remote_handle;
mod segments;

use std::{
    collections::BTreeMap,
    mem,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::{BufMut, Bytes, BytesMut};
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::yield_now,
    time::{interval, timeout},
};

pub use failure::{SftpFailure, StatusCode};
pub(super) use packet::{Attributes, CREATE_NEW, Entry, Field, Kind, READ, Reply};
pub(super) use pending::Pending;
pub(super) use remote_handle::RemoteHandle;
pub(super) use segments::Segments;

use segments::Packets;

/// What a wire may have under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of reads and writes, until the server has taken or we have used them.
    pub(super) bytes: u32,
    /// With requests open, the server is given up if it sends nothing for so long.
    pub(super) silence: Duration,
}

/// An SFTP session. It ends with [`Wire::end`], or when the server ends it.
#[derive(Clone)]
pub(super) struct Wire(Arc<Shared>);

struct Shared {
    table: Mutex<Table>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    budget: Arc<Semaphore>,
    budget_kib: u32,
    handles: Arc<Semaphore>,
    ended: Arc<Notify>,
}

/// What awaits an answer.
struct Table {
    next_number: u32,
    waiting: BTreeMap<u32, Waiter>,
    newest_answered: u32,
    last_heard: Instant,
    /// Once this is set, nothing is sent any more.
    ended: Option<SftpFailure>,
}

struct Waiter {
    to: oneshot::Sender<Result<Answer, SftpFailure>>,
    sent: Instant,
    held: Held,
}

/// What a request takes up until its answer was used.
#[derive(Debug, Default)]
pub(super) struct Held {
    _budget: Option<OwnedSemaphorePermit>,
    handle: Option<OwnedSemaphorePermit>,
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    opened: Option<RemoteHandle>,
    pub(super) held: Held,
}

enum Outgoing {
    Packet { head: Bytes, data: Bytes },
    End,
}

/// Handles that every server gives out.
const HANDLES: usize = 64;

impl Wire {
    /// Greets the server, and returns the names of the extensions that it offers.
    pub(super) async fn start(
        mut from: ChannelReadHalf,
        to: ChannelWriteHalf<Msg>,
        bounds: Bounds,
    ) -> Result<(Self, Vec<String>), SftpFailure> {
        let mut packets = Packets::default();
        let offered = greet(&mut from, &to, &mut packets).await?;
        let (outgoing, queue) = mpsc::unbounded_channel();
        let budget_kib = (bounds.bytes / 1024).max(1024);
        let wire = Self(Arc::new(Shared {
            table: Mutex::new(Table::new()),
            outgoing,
            budget: Arc::new(Semaphore::new(budget_kib as usize)),
            budget_kib,
            handles: Arc::new(Semaphore::new(HANDLES)),
            ended: Arc::default(),
        }));
        tokio::spawn(write_until(Arc::clone(&wire.0.ended), to, queue));
        let reader = wire.clone();
        tokio::spawn(async move {
            let why = reader.read(from, packets, bounds.silence).await;
            reader.fail(&why);
        });
        Ok((wire, offered))
    }

    pub(super) fn is_usable(&self) -> bool {
        self.table().ended.is_none()
    }

    pub(super) fn end(&self) {
        self.fail(&SftpFailure::Lost);
    }

    /// Of the handles that may be open at once, the server gives out only so many.
    pub(super) fn limit_handles(&self, most: usize) {
        let fewer = HANDLES.saturating_sub(most.max(1));
        self.0.handles.forget_permits(fewer);
    }

    /// Sends a request. Those of one file are done in the order in which they are sent (section
    /// 6.1), whether their answers were awaited or not.
    pub(super) fn send(&self, kind: Kind, fields: &[Field<'_>]) -> Pending {
        self.send_holding(kind, fields, Bytes::new(), Held::default())
    }

    pub(super) fn send_holding(
        &self,
        kind: Kind,
        fields: &[Field<'_>],
        data: Bytes,
        held: Held,
    ) -> Pending {
        let (to, answer) = oneshot::channel();
        let mut table = self.table();
        if let Some(ended) = &table.ended {
            let _ = to.send(Err(ended.clone()));
            return Pending::new(answer);
        }
        let number = table.next_number;
        table.next_number = number.wrapping_add(1);
        let packet = Outgoing::Packet {
            head: packet::head(kind, number, fields, data.len()),
            data,
        };
        let sent = Instant::now();
        table.waiting.insert(number, Waiter { to, sent, held });
        // Under the lock, so that numbers grow on the wire.
        let _ = self.0.outgoing.send(packet);
        Pending::new(answer)
    }

    /// Waits until so many bytes of a read or write have their turn.
    pub(super) async fn turn(&self, bytes: usize) -> Result<Held, SftpFailure> {
        let budget = Arc::clone(&self.0.budget);
        let permit = budget.acquire_many_owned(self.cost(bytes)).await;
        Self::holding(permit.ok())
    }

    /// As [`Wire::turn`], where it is at once.
    pub(super) fn turn_now(&self, bytes: usize) -> Option<Held> {
        let budget = Arc::clone(&self.0.budget);
        let permit = budget.try_acquire_many_owned(self.cost(bytes)).ok()?;
        Self::holding(Some(permit)).ok()
    }

    fn holding(budget: Option<OwnedSemaphorePermit>) -> Result<Held, SftpFailure> {
        let budget = Some(budget.ok_or(SftpFailure::Lost)?);
        Ok(Held {
            _budget: budget,
            handle: None,
        })
    }

    fn cost(&self, bytes: usize) -> u32 {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        kib.clamp(1, self.0.budget_kib)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics under the lock; what it holds is whole in any case.
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands answers out until the connection ends; returns why it did.
    async fn read(
        &self,
        mut from: ChannelReadHalf,
        mut packets: Packets,
        silence: Duration,
    ) -> SftpFailure {
        let mut tick = interval((silence / 8).max(Duration::from_millis(50)));
        loop {
            tokio::select! {
                biased;
                message = from.wait() => match message {
                    Some(ChannelMsg::Data { data }) => {
                        packets.push(data);
                        if let Err(failure) = self.hand_out(&mut packets) {
                            return failure;
                        }
                    }
                    Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return SftpFailure::Lost,
                    Some(_) => self.table().last_heard = Instant::now(),
                },
                _ = tick.tick() => {
                    if let Some(failure) = self.table().why_given_up(silence) {
                        return failure;
                    }
                }
            }
            if !self.is_usable() {
                return SftpFailure::Lost;
            }
        }
    }

    fn hand_out(&self, packets: &mut Packets) -> Result<(), SftpFailure> {
        self.table().last_heard = Instant::now();
        while let Some(packet) = packets.next()? {
            let (number, reply) = packet::read_reply(packet)?;
            let waiter = self.table().answered(number);
            let Some(waiter) = waiter else {
                return Err(SftpFailure::Protocol {
                    what: "an answer to nothing that was asked",
                });
            };
            let answer = reply.map(|reply| self.answer(reply, waiter.held));
            // Whoever waits no longer does not want it; a handle closes itself then.
            let _ = waiter.to.send(answer);
        }
        Ok(())
    }

    fn answer(&self, reply: Reply, mut held: Held) -> Answer {
        let opened = match &reply {
            Reply::Handle(name) => {
                let name = name.clone();
                Some(RemoteHandle::new(self.clone(), name, held.handle.take()))
            }
            Reply::Done
            | Reply::Data(_)
            | Reply::Names(_)
            | Reply::Attributes(_)
            | Reply::Extended(_) => None,
        };
        Answer {
            reply,
            opened,
            held,
        }
    }

    fn fail(&self, why: &SftpFailure) {
        let left = {
            let mut table = self.table();
            table.ended.get_or_insert_with(|| why.clone());
            mem::take(&mut table.waiting)
        };
        self.0.budget.close();
        self.0.handles.close();
        for waiter in left.into_values() {
            let _ = waiter.to.send(Err(why.clone()));
        }
        let _ = self.0.outgoing.send(Outgoing::End);
        self.0.ended.notify_one();
    }
}

impl Table {
    fn new() -> Self {
        Self {
            next_number: 1,
            waiting: BTreeMap::new(),
            newest_answered: 0,
            last_heard: Instant::now(),
            ended: None,
        }
    }

    fn answered(&mut self, number: u32) -> Option<Waiter> {
        self.newest_answered = self.newest_answered.max(number);
        self.waiting.remove(&number)
    }

    /// What counts is that something comes, not how long a request has waited behind others.
    fn why_given_up(&self, silence: Duration) -> Option<SftpFailure> {
        let (&number, oldest) = self.waiting.first_key_value()?;
        let waited = oldest.sent.elapsed();
        if waited.min(self.last_heard.elapsed()) > silence {
            Some(SftpFailure::Silent {
                secs: silence.as_secs(),
            })
        } else if self.newest_answered > number && waited > silence * 3 {
            Some(SftpFailure::Forgotten {
                secs: waited.as_secs(),
            })
        } else {
            None
        }
    }
}

async fn greet(
    from: &mut ChannelReadHalf,
    to: &ChannelWriteHalf<Msg>,
    packets: &mut Packets,
) -> Result<Vec<String>, SftpFailure> {
    const INIT: &[u8] = &[0, 0, 0, 5, Kind::Init as u8, 0, 0, 0, 3];
    let sent = to.data_bytes(Bytes::from_static(INIT)).await;
    sent.map_err(|_| SftpFailure::Lost)?;
    loop {
        match from.wait().await {
            Some(ChannelMsg::Data { data }) => packets.push(data),
            Some(ChannelMsg::Failure) => {
                return Err(SftpFailure::Protocol {
                    what: "it refuses the subsystem `sftp`",
                });
            }
            Some(ChannelMsg::Eof | ChannelMsg::Close) | None => return Err(SftpFailure::Lost),
            Some(_) => {}
        }
        if let Some(greeting) = packets.next()? {
            return packet::read_version(greeting);
        }
    }
}

/// What goes out together when it is small: bytes of one packet of SSH.
const TOGETHER_BYTES: usize = 32 * 1024;

/// How long a server that takes nothing more is waited for when all is over.
const FAREWELL: Duration = Duration::from_secs(1);

async fn write_until(
    ended: Arc<Notify>,
    to: ChannelWriteHalf<Msg>,
    queue: mpsc::UnboundedReceiver<Outgoing>,
) {
    let mut writing = pin!(write(to, queue));
    tokio::select! {
        () = &mut writing => {}
        () = ended.notified() => {
            let _ = timeout(FAREWELL, writing).await;
        }
    }
}

async fn write(to: ChannelWriteHalf<Msg>, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
    let mut together = BytesMut::new();
    let mut next = queue.recv().await;
    // Others may be about to send too: what goes out together costs one message.
    yield_now().await;
    while let Some(Outgoing::Packet { head, data }) = next {
        together.put(head);
        let is_small = together.len() + data.len() <= TOGETHER_BYTES;
        if is_small {
            together.put(data.as_ref());
            if let Ok(more) = queue.try_recv() {
                next = Some(more);
                continue;
            }
        }
        let sent = to.data_bytes(together.split().freeze()).await;
        let sent = match sent {
            Ok(()) if !is_small => to.data_bytes(data).await,
            sent => sent,
        };
        if sent.is_err() {
            return;
        }
        next = queue.recv().await;
        if queue.is_empty() {
            yield_now().await;
        }
    }
    let _ = to.data_bytes(together.freeze()).await;
    let _ = to.close().await;
}
