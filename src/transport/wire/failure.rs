use std::fmt;

use crate::domain::{Disposition, without_identity_codes};

/// Characters of a server's words that are repeated.
const MAX_WORDS: usize = 200;

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SftpFailure {
    #[error("the server answers: {code}{}", said(.words))]
    Refused {
        code: StatusCode,
        /// The server's own, made printable; often empty.
        words: String,
    },
    #[error("the server sent nothing for {secs} seconds")]
    Silent { secs: u64 },
    #[error("one request stayed without an answer for {secs} seconds while others were answered")]
    Forgotten { secs: u64 },
    #[error("the connection ended")]
    Lost,
    #[error("the server answered against the protocol: {what}")]
    Protocol { what: &'static str },
}

impl SftpFailure {
    pub(in crate::transport) fn refused(code: StatusCode, words: &[u8]) -> Self {
        let words = String::from_utf8_lossy(words);
        let printable: String = without_identity_codes(&words)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(MAX_WORDS)
            .collect();
        Self::Refused {
            code,
            words: printable.trim().to_owned(),
        }
    }

    pub(in crate::transport) fn code(&self) -> Option<StatusCode> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Silent { .. } | Self::Forgotten { .. } | Self::Lost | Self::Protocol { .. } => {
                None
            }
        }
    }

    pub(in crate::transport) fn disposition(&self) -> Disposition {
        self.code()
            .map_or(Disposition::Retry, StatusCode::disposition)
    }
}

fn said(words: &str) -> String {
    if words.is_empty() {
        String::new()
    } else {
        format!(" (\"{words}\")")
    }
}

/// What a server answers with (draft-ietf-secsh-filexfer-02, section 7; from 9 on of -13, which
/// some servers use in version 3 as well).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    Ok,
    EndOfFile,
    NoSuchFile,
    PermissionDenied,
    Failure,
    BadMessage,
    NoConnection,
    ConnectionLost,
    Unsupported,
    InvalidHandle,
    NoSuchPath,
    AlreadyExists,
    WriteProtected,
    NoSpace,
    QuotaExceeded,
    Other(u32),
}

impl StatusCode {
    pub(super) fn new(number: u32) -> Self {
        match number {
            0 => Self::Ok,
            1 => Self::EndOfFile,
            2 => Self::NoSuchFile,
            3 => Self::PermissionDenied,
            4 => Self::Failure,
            5 => Self::BadMessage,
            6 => Self::NoConnection,
            7 => Self::ConnectionLost,
            8 => Self::Unsupported,
            9 => Self::InvalidHandle,
            10 => Self::NoSuchPath,
            11 => Self::AlreadyExists,
            12 => Self::WriteProtected,
            14 => Self::NoSpace,
            15 => Self::QuotaExceeded,
            other => Self::Other(other),
        }
    }

    fn disposition(self) -> Disposition {
        match self {
            Self::NoSuchFile
            | Self::PermissionDenied
            | Self::BadMessage
            | Self::Unsupported
            | Self::NoSuchPath
            | Self::AlreadyExists
            | Self::WriteProtected => Disposition::Hold,
            // A plain failure can be a full disk.
            Self::Ok
            | Self::EndOfFile
            | Self::Failure
            | Self::NoConnection
            | Self::ConnectionLost
            | Self::InvalidHandle
            | Self::NoSpace
            | Self::QuotaExceeded
            | Self::Other(_) => Disposition::Retry,
        }
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "done",
            Self::EndOfFile => "end of file",
            Self::NoSuchFile => "no such file",
            Self::PermissionDenied => "permission denied",
            Self::Failure => "failure",
            Self::BadMessage => "bad message",
            Self::NoConnection => "no connection",
            Self::ConnectionLost => "connection lost",
            Self::Unsupported => "operation not supported",
            Self::InvalidHandle => "invalid handle",
            Self::NoSuchPath => "no such path",
            Self::AlreadyExists => "it exists already",
            Self::WriteProtected => "write-protected",
            Self::NoSpace => "no space left",
            Self::QuotaExceeded => "quota exceeded",
            Self::Other(number) => return write!(f, "code {number}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_server_are_printed_without_control_characters_and_identity_codes() {
        let words = b"no \x1b[1mroom\nfor 010190-999W.zip \xff";
        let failure = SftpFailure::refused(StatusCode::Failure, words).to_string();
        assert!(!failure.contains(['\x1b', '\n']), "{failure}");
        assert!(failure.contains("[hidden].zip"), "{failure}");
        let silent = SftpFailure::refused(StatusCode::new(3), b"");
        assert_eq!(silent.to_string(), "the server answers: permission denied");
    }

    #[test]
    fn long_words_are_cut() {
        let failure = SftpFailure::refused(StatusCode::Failure, &[b'x'; 5_000]);
        assert!(failure.to_string().len() < 300);
    }
}
