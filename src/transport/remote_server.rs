use std::{
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::{Error, SftpSettings, connection::Connection};
use crate::domain::{BackOff, Disposition};

/// One server as one user: its connection, made when it is needed and anew when it broke.
pub(super) struct RemoteServer {
    pub(super) settings: SftpSettings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    failure: Option<Failure>,
}

/// Why there is no connection, and when the next is tried.
struct Failure {
    attempts: u32,
    next: Instant,
    told: String,
    disposition: Disposition,
}

/// Connecting again: soon after a hiccup, seldom to a server that is away.
const BACK_OFF: BackOff = BackOff {
    first: SignedDuration::from_secs(1),
    longest: SignedDuration::from_mins(5),
};

impl RemoteServer {
    pub(super) fn new(settings: SftpSettings) -> Self {
        Self {
            settings,
            state: Mutex::default(),
        }
    }

    /// The connection. Whoever asks before the wait after a failure is over hears of that failure
    /// again, and the server hears nothing.
    pub(super) async fn connection(&self) -> Result<Arc<Connection>, Error> {
        let mut state = self.state.lock().await;
        if let Some(usable) = state.connection.as_ref().filter(|open| open.is_usable()) {
            return Ok(Arc::clone(usable));
        }
        state.connection = None;
        if let Some(failure) = &state.failure {
            failure.check(&self.settings)?;
        }
        match Connection::open(&self.settings).await {
            Ok(opened) => {
                state.failure = None;
                Ok(Arc::clone(state.connection.insert(Arc::new(opened))))
            }
            Err(error) => {
                let attempts = state.failure.as_ref().map_or(0, |failure| failure.attempts);
                state.failure = Some(Failure::new(&error, attempts.saturating_add(1)));
                Err(error)
            }
        }
    }
}

impl Failure {
    fn new(error: &Error, attempts: u32) -> Self {
        let wait = BACK_OFF.wait(attempts, fastrand::f64());
        Self {
            attempts,
            next: Instant::now() + wait.unsigned_abs(),
            told: first_paragraph(error),
            disposition: error.disposition(),
        }
    }

    fn check(&self, settings: &SftpSettings) -> Result<(), Error> {
        let left = self.next.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        Err(Error::NotYet {
            server: settings.server(),
            until: after(left),
            told: self.told.clone(),
            disposition: self.disposition,
        })
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "for people to read; what is decided is decided by a clock that never jumps"
)]
fn after(wait: Duration) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(wait).unwrap_or(now)
}

/// The error and its causes in one line, without the hint.
fn first_paragraph(error: &Error) -> String {
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        told = format!("{told}: {next}");
        cause = next.source();
    }
    told.lines().next().unwrap_or_default().to_owned()
}

/// The servers that are used: places on the same one as the same user share its connection.
#[derive(Default)]
pub struct SftpServers {
    known: StdMutex<Vec<Arc<RemoteServer>>>,
}

impl SftpServers {
    /// The server of these settings; those that differ in more than the folder are two.
    pub(super) fn server(&self, settings: &SftpSettings) -> Arc<RemoteServer> {
        let settings = SftpSettings {
            root: String::new(),
            ..settings.clone()
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = known.iter().find(|server| server.settings == settings) {
            return Arc::clone(server);
        }
        let server = Arc::new(RemoteServer::new(settings));
        known.push(Arc::clone(&server));
        server
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_of_one_server_share_it_and_two_users_do_not() {
        let servers = SftpServers::default();
        let of = |user: &str, root: &str| {
            servers.server(&SftpSettings {
                user: user.to_owned(),
                root: root.to_owned(),
                ..SftpSettings::default()
            })
        };
        assert!(Arc::ptr_eq(&of("a", "one"), &of("a", "two")));
        assert!(!Arc::ptr_eq(&of("a", "one"), &of("b", "one")));
    }

    #[test]
    fn before_the_wait_is_over_the_last_failure_is_told_again() {
        let error = Error::LoginRefused {
            server: "there:22".to_owned(),
            user: "us".to_owned(),
            told: "it offers: publickey".to_owned(),
        };
        let mut failure = Failure::new(&error, 20);
        failure.next = Instant::now() + Duration::from_mins(1);
        let settings = SftpSettings::default();
        let told = failure.check(&settings).unwrap_err();
        assert!(told.to_string().contains("refused the login"), "{told}");
        assert_eq!(told.disposition(), error.disposition());
        failure.next = Instant::now();
        assert!(failure.check(&settings).is_ok());
    }
}
