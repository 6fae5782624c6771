use std::{error::Error, fmt, io, process::ExitCode};

use crate::{
    assemble,
    config::nearest,
    domain::{Disposition, SenderId},
    store,
};

/// How a command ended that did what it was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    /// Done, and something in the data deserves a look.
    Findings,
}

impl Outcome {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Findings => 3,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        outcome.exit_code().into()
    }
}

/// Why a command did not do what it was asked to; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorKind {
    Failed,
    /// The command line asks for something that makes no sense.
    Usage,
    /// The same again can work later: the network, a full disk, a busy database.
    TryLater,
    Settings,
    /// Whoever read our output has had enough (`kuori … | head`). That is no failure.
    ReaderGone,
}

impl ErrorKind {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::ReaderGone => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::TryLater => 75,
            Self::Settings => 78,
        }
    }
}

/// A failed command: what failed, why, and what to type next.
#[derive(Debug)]
pub(super) struct CommandError {
    pub(super) kind: ErrorKind,
    error: Box<dyn Error + Send + Sync>,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl CommandError {
    pub(super) fn new(kind: ErrorKind, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            error: error.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    pub(super) fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Failed, error)
    }

    pub(super) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Usage, error)
    }

    /// A file that the operator named and that could not be used.
    pub(super) fn file(doing: &str, path: &std::path::Path, source: &io::Error) -> Self {
        Self::failed(format!("cannot {doing} `{}`", path.display())).caused_by(source.to_string())
    }

    /// One more cause, beside those that the error itself knows.
    pub(super) fn caused_by(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.error)?;
        let mut source = self.error.source();
        while let Some(cause) = source {
            writeln!(f, "  caused by: {cause}")?;
            source = cause.source();
        }
        for cause in &self.causes {
            writeln!(f, "  caused by: {cause}")?;
        }
        if !self.hints.is_empty() {
            writeln!(f)?;
        }
        for hint in &self.hints {
            writeln!(f, "hint: {hint}")?;
        }
        Ok(())
    }
}

const SEE_TO_THE_DISK: &str =
    "see to the disk of the data folder, then type it again; nothing is lost";

impl From<store::Error> for CommandError {
    fn from(error: store::Error) -> Self {
        let kind = match error.disposition() {
            Disposition::Retry => ErrorKind::TryLater,
            Disposition::Hold | Disposition::Reject => ErrorKind::Failed,
        };
        let hint = match &error {
            store::Error::NoBatch(_) => Some("see `kuori batch list`".to_owned()),
            store::Error::NoSender { given, known } => Some(known_senders(given, known)),
            store::Error::NoAccount { given, known } => Some(known_accounts(given, known)),
            store::Error::NoMessage(id) => Some(format!("see `kuori message list {}`", id.batch)),
            store::Error::NoBundle(_) => Some("see `kuori bundle list`".to_owned()),
            store::Error::Corrupt { .. } => Some(
                "`kuori restore` brings a backup back; copy the data folder before, whole"
                    .to_owned(),
            ),
            store::Error::Sql { .. } if error.is_busy() => {
                Some("another kuori writes to the database: type it again in a moment".to_owned())
            }
            _ if error.is_of_the_house() => Some(SEE_TO_THE_DISK.to_owned()),
            _ => None,
        };
        let error = Self::new(kind, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// What was probably meant, or where the names are.
fn known_senders(given: &SenderId, known: &[String]) -> String {
    match nearest(given.as_str(), known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "see `kuori sender list`; a sender is known once `kuori run` has started with it"
            .to_owned(),
    }
}

fn known_accounts(given: &str, known: &[String]) -> String {
    match nearest(given, known.iter().map(String::as_str)) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            "an account is that of a sender or print house of the settings, and known once `kuori \
                 run` has started with it; before that, name the settings: `--config FILE`"
                .to_owned()
        }
    }
}

impl From<assemble::Error> for CommandError {
    fn from(error: assemble::Error) -> Self {
        let error = match error {
            assemble::Error::Store(error) => return error.into(),
            other => other,
        };
        let hint = match &error {
            assemble::Error::Folder { source, .. } if store::lacks_room(source) => {
                Some(SEE_TO_THE_DISK)
            }
            assemble::Error::InUse { .. } => {
                Some("stop the other one first, or name another folder with `--data-dir`")
            }
            assemble::Error::Restored { .. } => Some(
                "`kuori restore status` says what may have been done since, and whom to ask; then \
                 `kuori restore accept`",
            ),
            assemble::Error::Signing(_) if error.lacks_signing_key() => {
                Some("`kuori receipt key --config FILE` makes the key that the settings name")
            }
            assemble::Error::Mailbox(_) if error.lacks_mailboxes() => Some(
                "mount the disk of the mailboxes, or bring them back from a backup, then type it again",
            ),
            _ => None,
        };
        let kind = match &error {
            assemble::Error::Mailbox(_) if error.lacks_mailboxes() => ErrorKind::TryLater,
            assemble::Error::Signing(_)
            | assemble::Error::Service { .. }
            | assemble::Error::PostalPassword { .. } => ErrorKind::Settings,
            assemble::Error::Folder { source, .. } if store::lacks_room(source) => {
                ErrorKind::TryLater
            }
            _ => ErrorKind::Failed,
        };
        let error = Self::new(kind, error);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BatchId;

    #[test]
    fn an_error_says_what_failed_why_and_what_to_type() {
        let source = io::Error::other("no space left on device");
        let error = store::Error::Spool {
            doing: "keep",
            path: "batches/a.zip".into(),
            source,
        };
        let error = CommandError::from(error).hint("make room, then type it again");
        assert_eq!(error.kind.exit_code(), 75);
        insta::assert_snapshot!(error, @r"
        error: cannot keep `batches/a.zip` in the spool
          caused by: no space left on device

        hint: make room, then type it again
        ");
    }

    #[test]
    fn an_unknown_batch_is_a_failure_with_a_way_on() {
        let error = CommandError::from(store::Error::NoBatch(BatchId(7)));
        assert_eq!(error.kind.exit_code(), 1);
        insta::assert_snapshot!(error, @r"
        error: there is no batch B-0007

        hint: see `kuori batch list`
        ");
    }
}
