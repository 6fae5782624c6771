use std::net::SocketAddr;

use reqwest::{Method, Url};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{Error, Suomifi, password::PasswordFile};

/// What is tried, one after the other: each needs those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    PasswordFile,
    Resolve,
    Connect,
    /// With its certificate, where it has one.
    Answer,
    Token,
}

impl Step {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PasswordFile => "password file",
            Self::Resolve => "address",
            Self::Connect => "connection",
            Self::Answer => "certificate, answer",
            Self::Token => "token",
        }
    }
}

/// A step and what came of it.
#[derive(Debug)]
pub struct Checked {
    pub step: Step,
    /// What is worth telling of a success.
    pub outcome: Result<String, Error>,
}

impl Suomifi {
    /// Tries everything that a request needs, up to the first thing that fails. Nothing of any
    /// person is sent: a question for a mailbox would need somebody to ask about.
    pub async fn check_each(&self) -> Vec<Checked> {
        let mut done = Vec::new();
        let mut addresses = Vec::new();
        for step in [
            Step::PasswordFile,
            Step::Resolve,
            Step::Connect,
            Step::Answer,
            Step::Token,
        ] {
            let outcome = match step {
                Step::PasswordFile => self.check_password_file(),
                Step::Resolve => self.resolve(&mut addresses).await,
                Step::Connect => self.connect(&addresses).await,
                Step::Answer => self.any_answer().await,
                Step::Token => self.check().await.map(|()| "ok".to_owned()),
            };
            let has_failed = outcome.is_err();
            done.push(Checked { step, outcome });
            if has_failed {
                break;
            }
        }
        done
    }

    fn check_password_file(&self) -> Result<String, Error> {
        let file = PasswordFile::new(&self.settings().password_file);
        let passwords = file.read()?;
        let mut told = "ok".to_owned();
        if file.is_open_to_all()? {
            told.push_str("; everybody on this machine can read it");
        }
        if passwords.next.is_some() {
            told.push_str("; beside it stands a new one, from a change that was cut off");
        }
        Ok(told)
    }

    async fn resolve(&self, addresses: &mut Vec<SocketAddr>) -> Result<String, Error> {
        let wrong = || Error::Settings {
            what: "`base_url` is no address".to_owned(),
        };
        let url = Url::parse(&self.settings().base_url).map_err(|_| wrong())?;
        let host = url.host_str().ok_or_else(wrong)?.trim_matches(['[', ']']);
        let port = url.port_or_known_default().ok_or_else(wrong)?;
        let found = timeout(self.settings().connect_timeout, lookup_host((host, port))).await;
        let found = found.map_err(unreachable)?.map_err(unreachable)?;
        addresses.extend(found);
        let told: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        Ok(told.join(", "))
    }

    async fn connect(&self, addresses: &[SocketAddr]) -> Result<String, Error> {
        let connect = TcpStream::connect(addresses);
        let stream = timeout(self.settings().connect_timeout, connect).await;
        let stream = stream.map_err(unreachable)?.map_err(unreachable)?;
        let from = stream.local_addr().map_err(unreachable)?;
        Ok(format!("from {}", from.ip()))
    }

    async fn any_answer(&self) -> Result<String, Error> {
        let request = self.connection().request(Method::GET, "/");
        let answer = self.connection().exchange(request).await?;
        Ok(format!("HTTP {}", answer.status))
    }
}

fn unreachable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unreachable {
        may_have_arrived: false,
        source: error.into(),
    }
}
