//! Tells recipients by e-mail that a message lies in their mailbox, over SMTP (RFC 5321).
//!
//! In comes a [`Notice`]: whom to tell, in which language, of which delivery. Out goes a mail with
//! nothing confidential in it, or an [`Error`] that says whether the address, the moment or the mail
//! server is at fault. What comes back later is read out of a folder of bounces ([`Bounces`]).
//!
//! This room does not know what a batch is, what the letter says, when a notice is due, or how often it
//! was tried. The only room that speaks SMTP. An address is in no error and in no log: mail servers
//! repeat addresses in their answers, so of an answer about a recipient only its numbers are kept.

mod answer;
mod bounces;
mod error;
mod mail;
mod mailer;
mod pace;
mod settings;
mod texts;

pub use answer::Answer;
pub use bounces::{Bounce, Bounces, CameBack};
pub use error::{Error, Stage};
pub use mail::{Kind, Mail, Notice};
pub use mailer::{Mailer, Session};
pub use pace::Pace;
pub use settings::{Login, Pacing, Settings, Tls};
pub use texts::{BadText, Texts};
