use std::{io, path::PathBuf};

use super::Answer;
use crate::domain::Disposition;

/// Why a notice did not go. The words of a mail server are repeated only where it knows no recipient
/// yet, and never an address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read `{path}`")]
    Read { path: PathBuf, source: io::Error },
    #[error("`{path}` holds no certificate in PEM")]
    NoCertificate { path: PathBuf },
    #[error(
        "cannot reach the mail server {server}: {why}\n\nhint: see `notices.host` and `notices.port`, and \
         whether this machine may reach them"
    )]
    Reach { server: String, why: String },
    #[error(
        "the mail server {server} cannot be trusted: {why}\n\nhint: name the certificate of its \
         issuer with `notices.ca_file`, and the server as the certificate does with `notices.host`"
    )]
    Trust { server: String, why: String },
    #[error(
        "the mail server {server} offers no STARTTLS\n\nhint: `notices.tls = \"required\"` encrypts \
         from the first byte, mostly at port 465"
    )]
    NoStartTls { server: String },
    #[error(
        "the mail server {server} does not let `{user}` in: {why}\n\nhint: see `notices.user` and \
         `notices.password_file`"
    )]
    Login {
        server: String,
        user: String,
        why: String,
    },
    #[error(
        "the mail server {server} takes no mail from our address ({answer})\n\nhint: see `notices.from`, \
         and whether the server wants a login"
    )]
    From { server: String, answer: Answer },
    #[error("the mail server {server} did not answer {stage} in time")]
    Slow { server: String, stage: Stage },
    #[error("the mail server {server} broke off {stage}")]
    BrokeOff { server: String, stage: Stage },
    /// For good.
    #[error("the mail server refuses the address ({answer})")]
    NoSuchAddress { answer: Answer },
    /// For good.
    #[error("the mail server refuses the notice ({answer})")]
    Refused { answer: Answer },
    /// It may be a slip in the settings.
    #[error("the mail server does not let us send to the address ({answer})")]
    NotAllowed { answer: Answer },
    #[error("the mail server puts the notice off ({answer})")]
    PutOff { answer: Answer },
}

/// Where in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Greeting,
    Login,
    Sender,
    Recipient,
    /// It may have taken the mail.
    Text,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Greeting => "at its greeting",
            Self::Login => "at the login",
            Self::Sender => "at the sender's address",
            Self::Recipient => "at the recipient's address",
            Self::Text => "at the end of the mail",
        })
    }
}

impl Error {
    /// Nothing can be told to anybody for now: it is about the server or about us.
    pub fn is_of_the_server(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::NoCertificate { .. }
            | Self::Reach { .. }
            | Self::Trust { .. }
            | Self::NoStartTls { .. }
            | Self::Login { .. }
            | Self::From { .. }
            | Self::Slow { .. }
            | Self::BrokeOff { .. } => true,
            Self::NoSuchAddress { .. }
            | Self::Refused { .. }
            | Self::NotAllowed { .. }
            | Self::PutOff { .. } => false,
        }
    }

    /// Whether the mail was on its way when it happened, so that another one may fare better.
    pub fn is_of_one_mail(&self) -> bool {
        match self {
            Self::Slow { stage, .. } | Self::BrokeOff { stage, .. } => {
                matches!(stage, Stage::Recipient | Stage::Text)
            }
            other => !other.is_of_the_server(),
        }
    }

    /// The conversation ended before anything was said of this mail.
    pub fn is_of_the_connection(&self) -> bool {
        let (Self::Slow { stage, .. } | Self::BrokeOff { stage, .. }) = self else {
            return false;
        };
        *stage == Stage::Sender
    }

    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NoSuchAddress { .. } | Self::Refused { .. } => Disposition::Reject,
            // An operator has to look; until then it is tried again, since a mail server can mend too.
            Self::Read { .. }
            | Self::NoCertificate { .. }
            | Self::Trust { .. }
            | Self::NoStartTls { .. }
            | Self::Login { .. }
            | Self::From { .. }
            | Self::NotAllowed { .. } => Disposition::Hold,
            Self::Reach { .. }
            | Self::Slow { .. }
            | Self::BrokeOff { .. }
            | Self::PutOff { .. } => Disposition::Retry,
        }
    }
}
