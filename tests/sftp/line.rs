//! A line between a client and a server on loopback: long, slow, hung, or broken where the test
//! wants it. It needs a runtime and nothing else of the house, so that the bench uses it as well.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdTcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

/// Under way on one connection in one direction, at most: several SSH windows of 16 MiB, so that it
/// is the delay that is felt and not the line's own memory.
const MAX_UNDER_WAY_BYTES: usize = 64 * 1024 * 1024;
const READ_BYTES: u32 = 64 * 1024;
/// Between two drops of a line that trickles.
const DRIP: Duration = Duration::from_millis(1000 / DROPS_PER_SEC);
const DROPS_PER_SEC: u64 = 200;

/// A TCP proxy. Dropping it breaks every connection through it.
pub(crate) struct Line {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Both ends are told that nothing follows, as by a server that ends.
    Clean,
    /// Both ends get a reset, as by a firewall that forgot the connection.
    Reset,
}

/// Bytes that went through, each way, over all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) up: u64,
    pub(crate) down: u64,
    pub(crate) connections: u64,
}

impl Line {
    /// Listens on a port of its own and carries every connection to `server`.
    pub(crate) fn to(server: SocketAddr) -> Self {
        Self::between(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), server)
    }

    pub(crate) fn between(listen: SocketAddr, server: SocketAddr) -> Self {
        let listener = StdTcpListener::bind(listen).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::to(server));
        let listener = TcpListener::from_std(listener).unwrap();
        let accepting = tokio::spawn(accept_all(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepting: accepting.abort_handle(),
        }
    }

    /// Every byte takes this long, each way; how many are under way is not limited.
    pub(crate) fn delay(self, each_way: Duration) -> Self {
        self.shared.pace.lock().unwrap().delay = each_way;
        self
    }

    /// No more than this a second, each way, in drops.
    pub(crate) fn trickle(self, bytes_per_sec: u64) -> Self {
        self.shared.pace.lock().unwrap().bytes_per_sec = Some(bytes_per_sec);
        self
    }

    /// Cuts once: the connection that carries the n-th byte from now on, right after that byte. With 0
    /// it is the first that would carry one. Later connections are whole.
    pub(crate) fn cut_after(&self, up: Option<u64>, down: Option<u64>, how: Cut) {
        *self.shared.cut.lock().unwrap() = how;
        *self.shared.up.left.lock().unwrap() = up;
        *self.shared.down.left.lock().unwrap() = down;
    }

    /// Whether a cut that was asked for is still to come.
    pub(crate) fn is_cut_to_come(&self) -> bool {
        let is_planned = |way: &Way| way.left.lock().unwrap().is_some();
        is_planned(&self.shared.up) || is_planned(&self.shared.down)
    }

    /// Breaks every connection now.
    pub(crate) fn cut(&self, how: Cut) {
        *self.shared.cut.lock().unwrap() = how;
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Nothing goes through any more, and nobody is told.
    pub(crate) fn stall(&self) {
        self.shared.is_stalled.send_replace(true);
    }

    /// Ends a stall; what waited goes through.
    pub(crate) fn flow(&self) {
        self.shared.is_stalled.send_replace(false);
    }

    /// Where clients connect to.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn carried(&self) -> Carried {
        let shared = &self.shared;
        Carried {
            up: shared.up.carried.load(Ordering::Acquire),
            down: shared.down.carried.load(Ordering::Acquire),
            connections: shared.connections.load(Ordering::Acquire),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Shared {
    server: SocketAddr,
    pace: Mutex<Pace>,
    up: Way,
    down: Way,
    cut: Mutex<Cut>,
    /// How often all connections were cut.
    cuts: watch::Sender<u64>,
    is_stalled: watch::Sender<bool>,
    connections: AtomicU64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    delay: Duration,
    bytes_per_sec: Option<u64>,
}

impl Pace {
    /// What trickles is held back at its source, not by the line.
    fn max_under_way_bytes(self) -> usize {
        match self.bytes_per_sec {
            Some(_) => 2 * READ_BYTES as usize,
            None => MAX_UNDER_WAY_BYTES,
        }
    }
}

/// One direction.
#[derive(Default)]
struct Way {
    carried: AtomicU64,
    /// Until the cut.
    left: Mutex<Option<u64>>,
}

/// The connection is over, and in which manner.
struct Over(Cut);

impl Shared {
    fn to(server: SocketAddr) -> Self {
        Self {
            server,
            pace: Mutex::default(),
            up: Way::default(),
            down: Way::default(),
            cut: Mutex::new(Cut::Clean),
            cuts: watch::Sender::new(0),
            is_stalled: watch::Sender::new(false),
            connections: AtomicU64::new(0),
        }
    }

    fn cut_now(&self) -> Over {
        Over(*self.cut.lock().unwrap())
    }

    async fn wait_while_stalled(&self) {
        let mut is_stalled = self.is_stalled.subscribe();
        let _ = is_stalled.wait_for(|stalled| !stalled).await;
    }
}

impl Way {
    /// How many of `bytes` may go, and whether that is the end.
    fn grant(&self, bytes: usize) -> (usize, bool) {
        let mut left = self.left.lock().unwrap();
        let Some(before_cut) = *left else {
            return (bytes, false);
        };
        let granted = usize::try_from(before_cut).unwrap_or(usize::MAX).min(bytes);
        let rest = before_cut - granted as u64;
        *left = (rest > 0).then_some(rest);
        (granted, rest == 0)
    }
}

async fn accept_all(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        shared.connections.fetch_add(1, Ordering::AcqRel);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let _ = carry_connection(client, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn carry_connection(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut cuts = shared.cuts.subscribe();
    let mut server = TcpStream::connect(shared.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_in, client_out) = client.split();
    let (server_in, server_out) = server.split();
    let ended = tokio::select! {
        ended = async { tokio::try_join!(
            carry(client_in, server_out, &shared.up, shared),
            carry(server_in, client_out, &shared.down, shared),
        ) } => ended,
        _ = cuts.changed() => Err(shared.cut_now()),
    };
    if matches!(ended, Err(Over(Cut::Reset))) {
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    Ok(())
}

/// Carries one direction until its end, which it passes on.
async fn carry(
    from: ReadHalf<'_>,
    to: WriteHalf<'_>,
    way: &Way,
    shared: &Shared,
) -> Result<(), Over> {
    let (queue, queued) = mpsc::unbounded_channel();
    tokio::try_join!(
        take_in(from, queue, shared),
        give_out(to, queued, way, shared)
    )?;
    Ok(())
}

/// Bytes on their way.
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

async fn take_in(
    mut from: ReadHalf<'_>,
    queue: mpsc::UnboundedSender<Piece>,
    shared: &Shared,
) -> Result<(), Over> {
    let pace = *shared.pace.lock().unwrap();
    let room = Arc::new(Semaphore::new(pace.max_under_way_bytes()));
    loop {
        let room = Arc::clone(&room).acquire_many_owned(READ_BYTES);
        let mut room = room.await.unwrap();
        let mut bytes = Vec::with_capacity(READ_BYTES as usize);
        let read = from.read_buf(&mut bytes).await;
        if read.map_err(|_| Over(Cut::Reset))? == 0 {
            return Ok(());
        }
        let piece = Piece {
            due: Instant::now() + pace.delay,
            _room: room.split(bytes.len()).unwrap(),
            bytes,
        };
        if queue.send(piece).is_err() {
            return Ok(());
        }
    }
}

async fn give_out(
    mut to: WriteHalf<'_>,
    mut queued: mpsc::UnboundedReceiver<Piece>,
    way: &Way,
    shared: &Shared,
) -> Result<(), Over> {
    let drop_bytes = drop_bytes(shared);
    while let Some(piece) = queued.recv().await {
        if piece.due > Instant::now() {
            sleep_until(piece.due).await;
        }
        for bytes in piece
            .bytes
            .chunks(drop_bytes.unwrap_or(READ_BYTES as usize))
        {
            shared.wait_while_stalled().await;
            let (granted, is_last) = way.grant(bytes.len());
            let written = to.write_all(&bytes[..granted]).await;
            written.map_err(|_| Over(Cut::Reset))?;
            way.carried.fetch_add(granted as u64, Ordering::AcqRel);
            if is_last {
                return Err(shared.cut_now());
            }
            if drop_bytes.is_some() {
                sleep(DRIP).await;
            }
        }
    }
    let _ = to.shutdown().await;
    Ok(())
}

/// What a line that trickles lets through at once.
fn drop_bytes(shared: &Shared) -> Option<usize> {
    let bytes_per_sec = shared.pace.lock().unwrap().bytes_per_sec?;
    usize::try_from(bytes_per_sec.div_ceil(DROPS_PER_SEC)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = socket.split();
                    let _ = tokio::io::copy(&mut from, &mut to).await;
                });
            }
        });
        address
    }

    async fn say(line: &Line, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut socket = TcpStream::connect(line.address()).await?;
        socket.write_all(bytes).await?;
        socket.shutdown().await?;
        let mut heard = Vec::new();
        let read = socket.read_to_end(&mut heard).await;
        read.map(|_| heard)
    }

    #[tokio::test]
    async fn a_line_carries_everything_both_ways_and_counts_it() {
        let line = Line::to(echo().await);
        let said = vec![7; 3_000_000];
        assert!(say(&line, &said).await.unwrap() == said);
        let carried = line.carried();
        assert_eq!((carried.up, carried.down), (3_000_000, 3_000_000));
        assert_eq!(carried.connections, 1);
    }

    #[tokio::test]
    async fn a_line_is_cut_after_the_byte_that_was_named_and_only_once() {
        let line = Line::to(echo().await);
        line.cut_after(None, Some(3), Cut::Clean);
        assert_eq!(say(&line, b"hello").await.unwrap(), b"hel");
        assert!(!line.is_cut_to_come());
        line.cut_after(Some(2), None, Cut::Reset);
        assert!(say(&line, b"hello").await.is_err());
        assert_eq!(say(&line, b"hello").await.unwrap(), b"hello");
        assert_eq!(line.carried().up, 5 + 2 + 5);
    }

    #[tokio::test]
    async fn a_long_line_delays_and_does_not_narrow() {
        let line = Line::to(echo().await).delay(Duration::from_millis(50));
        let started = Instant::now();
        let said = vec![7; 30_000_000];
        assert!(say(&line, &said).await.unwrap() == said);
        // There and back; one piece at a time would take 23 seconds and more.
        assert!(started.elapsed() >= Duration::from_millis(100));
        assert!(started.elapsed() < Duration::from_secs(15));
    }

    #[tokio::test]
    async fn a_stalled_line_goes_on_later() {
        let line = Line::to(echo().await);
        line.stall();
        let mut heard = std::pin::pin!(say(&line, b"hello"));
        let waited = tokio::time::timeout(Duration::from_millis(100), &mut heard).await;
        assert!(waited.is_err());
        assert_eq!(line.carried().down, 0);
        line.flow();
        assert_eq!(heard.await.unwrap(), b"hello");
    }

    #[tokio::test]
    async fn a_stalled_line_can_be_cut() {
        let line = Line::to(echo().await);
        line.stall();
        let mut heard = std::pin::pin!(say(&line, b"hello"));
        let waited = tokio::time::timeout(Duration::from_millis(100), &mut heard).await;
        assert!(waited.is_err());
        line.cut(Cut::Reset);
        assert!(heard.await.is_err());
    }

    #[tokio::test]
    async fn a_line_that_trickles_takes_its_time() {
        let line = Line::to(echo().await).trickle(10_000);
        let started = Instant::now();
        say(&line, &[7; 2_000]).await.unwrap();
        assert!(started.elapsed() >= Duration::from_millis(190));
    }
}
