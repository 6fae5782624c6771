//! Tells systemd how the daemon is, as `sd_notify(3)` says: one datagram a message.

use std::{
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

/// Where systemd listens, and how often it wants to hear.
pub(super) struct Systemd {
    socket: UnixDatagram,
    address: SocketAddr,
    watchdog: Option<Duration>,
}

impl Systemd {
    /// `None` where nobody of that kind started the program, or it cannot be told anything.
    pub(super) fn from_environment() -> Option<Self> {
        let name = std::env::var_os("NOTIFY_SOCKET")?;
        let opened = open(name.as_bytes(), watchdog());
        opened
            .inspect_err(|error| tracing::warn!(%error, "systemd cannot be told anything"))
            .ok()
    }

    /// How often [`Systemd::tell`] is to say `WATCHDOG=1`: twice in the time that systemd waits.
    pub(super) fn watchdog(&self) -> Option<Duration> {
        self.watchdog.map(|time| time / 2)
    }

    /// Says `READY=1` or the like.
    pub(super) fn tell(&self, state: &str) {
        if let Err(error) = self.socket.send_to_addr(state.as_bytes(), &self.address) {
            tracing::warn!(%error, state, "cannot tell systemd");
        }
    }
}

fn open(name: &[u8], watchdog: Option<Duration>) -> io::Result<Systemd> {
    let address = match name.split_first() {
        Some((b'@', name)) => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
    };
    let socket = UnixDatagram::unbound()?;
    // Nobody waits for one that does not listen.
    socket.set_nonblocking(true)?;
    Ok(Systemd {
        socket,
        address,
        watchdog,
    })
}

fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let is_ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let micros = number("WATCHDOG_USEC").filter(|micros| is_ours && *micros > 0)?;
    Some(Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_hears_by_a_path_and_by_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let listening = UnixDatagram::bind(&path).unwrap();
        let systemd = open(path.as_os_str().as_bytes(), Some(Duration::from_secs(30))).unwrap();
        systemd.tell("READY=1");
        let mut heard = [0; 16];
        let bytes = listening.recv(&mut heard).unwrap();
        assert_eq!(&heard[..bytes], b"READY=1");
        assert_eq!(systemd.watchdog(), Some(Duration::from_secs(15)));

        let name = format!("kuori-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let listening = UnixDatagram::bind_addr(&address).unwrap();
        open(format!("@{name}").as_bytes(), None)
            .unwrap()
            .tell("STOPPING=1");
        let bytes = listening.recv(&mut heard).unwrap();
        assert_eq!(&heard[..bytes], b"STOPPING=1");
    }
}
