use std::{fs, sync::Arc, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        self,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, TlsParameters},
        commands::{Data, Mail as MailFrom, Rcpt, Rset},
        extension::ClientId,
        response::Response,
    },
};
use tokio::time::timeout;

use super::{Answer, Error, Login, Mail, Settings, Stage, Tls, answer};
use crate::{crash_points, domain::EmailAddress};

/// How long a server has to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Opens conversations with the mail server.
#[derive(Debug, Clone)]
pub struct Mailer {
    settings: Arc<Settings>,
}

impl Mailer {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Connects, encrypts and logs in, as the settings want it. Certificates and password are read anew.
    pub async fn open(&self) -> Result<Session, Error> {
        let settings = &self.settings;
        let tls = match settings.tls {
            Tls::None => None,
            Tls::Required | Tls::Starttls => Some(self.tls_parameters()?),
        };
        let hello = settings.hello.clone().map(ClientId::Domain);
        let hello = hello.unwrap_or_default();
        let at_once = tls.clone().filter(|_| settings.tls == Tls::Required);
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (settings.host.as_str(), settings.port),
            Some(settings.pacing.answer_time),
            &hello,
            at_once,
            None,
        );
        let connected = self.timed(Stage::Greeting, connecting).await?;
        let mut connection = connected.map_err(|error| self.not_reached(&error))?;
        if let Some(tls) = tls.filter(|_| settings.tls == Tls::Starttls) {
            if !connection.can_starttls() {
                let server = settings.server();
                return Err(Error::NoStartTls { server });
            }
            let encrypted = self.timed(Stage::Greeting, connection.starttls(tls, &hello));
            let encrypted = encrypted.await?;
            encrypted.map_err(|error| self.not_reached(&error))?;
        }
        if let Some(login) = &settings.login {
            self.log_in(&mut connection, login).await?;
        }
        Ok(Session {
            connection,
            settings: Arc::clone(settings),
            mails: 0,
            is_broken: false,
        })
    }

    async fn log_in(
        &self,
        connection: &mut AsyncSmtpConnection,
        login: &Login,
    ) -> Result<(), Error> {
        let path = &login.password_file;
        let password = fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let password = password.trim_end_matches(['\r', '\n']).to_owned();
        let credentials = Credentials::new(login.user.clone(), password);
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        let answered = self.timed(Stage::Login, connection.auth(&mechanisms, &credentials));
        let answered = answered.await?;
        answered.map(drop).map_err(|error| Error::Login {
            server: self.settings.server(),
            user: login.user.clone(),
            why: answer::words(&error),
        })
    }

    fn tls_parameters(&self) -> Result<TlsParameters, Error> {
        let mut builder = TlsParameters::builder(self.settings.host.clone());
        if let Some(path) = &self.settings.ca_file {
            let pem = fs::read(path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            let is_pem = pem.windows(10).any(|some| some == b"-----BEGIN");
            let certificate = Certificate::from_pem(&pem).ok().filter(|_| is_pem);
            let none = || Error::NoCertificate { path: path.clone() };
            builder = builder.add_root_certificate(certificate.ok_or_else(none)?);
        }
        builder.build().map_err(|error| self.not_reached(&error))
    }

    /// Before anything is said of a recipient, so the words may be repeated.
    fn not_reached(&self, error: &smtp::Error) -> Error {
        let (server, why) = (self.settings.server(), answer::words(error));
        if error.is_tls() || why.contains("certificate") {
            Error::Trust { server, why }
        } else {
            Error::Reach { server, why }
        }
    }

    async fn timed<T>(&self, stage: Stage, asked: impl Future<Output = T>) -> Result<T, Error> {
        let answered = timeout(self.settings.pacing.answer_time, asked).await;
        answered.map_err(|_| Error::Slow {
            server: self.settings.server(),
            stage,
        })
    }
}

/// A conversation with the mail server, in which mails go one after the other.
pub struct Session {
    connection: AsyncSmtpConnection,
    settings: Arc<Settings>,
    mails: usize,
    is_broken: bool,
}

impl Session {
    /// Sends one mail: where this returns without an error, the mail server has taken it over.
    ///
    /// # Errors
    ///
    /// After [`Error::Slow`] or [`Error::BrokeOff`] at [`Stage::Text`] nobody knows whether it has; it is
    /// to be sent again, since a mail that comes twice is better than none (RFC 5321, section 6.1).
    pub async fn send(&mut self, mail: &Mail) -> Result<(), Error> {
        let sent = crash_points::around_remote("notices: send", self.converse(mail)).await;
        self.mails += 1;
        if let Err(error) = &sent {
            let is_answered = !matches!(error, Error::Slow { .. } | Error::BrokeOff { .. });
            self.is_broken |= !is_answered || !self.reset().await;
        }
        sent
    }

    /// Whether another mail can go this way.
    pub fn is_usable(&self) -> bool {
        !self.is_broken && self.mails < self.settings.pacing.mails_per_connection
    }

    /// Whether a mail went this way before, or was to.
    pub fn was_used(&self) -> bool {
        self.mails > 0
    }

    pub async fn close(mut self) {
        if !self.is_broken {
            let _ = timeout(GOODBYE, self.connection.quit()).await;
        }
    }

    async fn converse(&mut self, mail: &Mail) -> Result<(), Error> {
        let time = self.settings.pacing.answer_time;
        let from = MailFrom::new(Some(address(&self.settings.from)?), Vec::new());
        let to = Rcpt::new(address(&mail.to)?, Vec::new());
        let answered = timeout(time, self.connection.command(from)).await;
        self.judge(Stage::Sender, answered.ok())?;
        let answered = timeout(time, self.connection.command(to)).await;
        self.judge(Stage::Recipient, answered.ok())?;
        let answered = timeout(time, self.connection.command(Data)).await;
        self.judge(Stage::Text, answered.ok())?;
        let taking = self.connection.message(&mail.bytes);
        let answered = timeout(self.settings.pacing.taken_time, taking).await;
        self.judge(Stage::Text, answered.ok())
    }

    /// `None`: no answer in time.
    fn judge(
        &self,
        stage: Stage,
        answered: Option<Result<Response, smtp::Error>>,
    ) -> Result<(), Error> {
        let server = || self.settings.server();
        let error = match answered {
            Some(Ok(_)) => return Ok(()),
            None => {
                let server = server();
                return Err(Error::Slow { server, stage });
            }
            Some(Err(error)) => error,
        };
        let answer = Answer::of(&error).filter(|answer| !answer.is_closing());
        let Some(answer) = answer else {
            let server = server();
            return Err(Error::BrokeOff { server, stage });
        };
        Err(match stage {
            Stage::Greeting | Stage::Login | Stage::Sender => Error::From {
                server: server(),
                answer,
            },
            Stage::Recipient | Stage::Text if !answer.is_permanent() => Error::PutOff { answer },
            Stage::Recipient | Stage::Text if answer.is_about_us() => Error::NotAllowed { answer },
            Stage::Recipient => Error::NoSuchAddress { answer },
            Stage::Text => Error::Refused { answer },
        })
    }

    /// Takes back what was said of the last mail.
    async fn reset(&mut self) -> bool {
        let time = self.settings.pacing.answer_time;
        matches!(
            timeout(time, self.connection.command(Rset)).await,
            Ok(Ok(_))
        )
    }
}

/// The mail library knows fewer addresses than we do.
fn address(address: &EmailAddress) -> Result<Address, Error> {
    let parsed = address.expose().parse::<Address>();
    parsed.map_err(|_| Error::NoSuchAddress {
        // Syntax of the destination's address (RFC 3463, section 3.2).
        answer: Answer {
            code: 553,
            enhanced: Some("5.1.3".to_owned()),
        },
    })
}
