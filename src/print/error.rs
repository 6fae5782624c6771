use std::io;

use crate::{
    domain::{Disposition, Finding, MessageId},
    pdf::Refusal,
};

use super::{Discrepancy, SourceError};

/// Why a bundle could not be laid out or written. Nothing of it may be handed over then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot lay out a bundle without letters")]
    NoLetters,
    #[error("cannot lay out a bundle of {pieces} pieces: the limit is {limit}")]
    TooManyPieces { pieces: usize, limit: usize },
    #[error("cannot lay out {message} in the same bundle as the letters before it")]
    MixedGroup { message: MessageId },
    #[error("cannot lay out {message} in the same envelope as the letters before it")]
    NotShared { message: MessageId },
    #[error("cannot lay out {message}: {}", finding.detail)]
    NotPrintable {
        message: MessageId,
        finding: Finding,
    },

    /// The caller can hold this letter and plan again without it.
    #[error("cannot put {message} into the bundle")]
    Letter {
        message: MessageId,
        #[source]
        refusal: Refusal,
    },
    #[error("cannot get the PDF of {message}")]
    Source {
        message: MessageId,
        source: SourceError,
    },
    #[error("cannot make the address pages of the bundle")]
    AddressPages {
        #[source]
        refusal: Refusal,
    },
    #[error("cannot draw the mark of sheet {sheet} of {message}")]
    Mark { message: MessageId, sheet: u32 },
    /// The plan and the PDF disagree: the piece list would send a page to someone else.
    #[error("{message} ends on page {written} of the bundle, but was planned to end on {planned}")]
    PageCount {
        message: MessageId,
        planned: u32,
        written: u32,
    },

    /// What was written is not what was planned.
    #[error("the bundle's PDF was read back, and its page {page} {discrepancy}")]
    NotAsPlanned {
        /// Of the bundle, from 1.
        page: u32,
        discrepancy: Discrepancy,
    },
    #[error("the bundle's PDF was read back, and has {written} pages instead of {planned}")]
    PagesWritten { planned: u32, written: u32 },
    #[error("the bundle's PDF cannot be read back")]
    ReadBack(#[source] Refusal),

    #[error("cannot write the bundle's PDF")]
    Write(#[source] io::Error),
    #[error("cannot write the bundle's piece list")]
    PieceList(#[source] io::Error),
    #[error("cannot write the bundle's job ticket")]
    JobTicket(#[source] io::Error),
    #[error("cannot write the bundle's job ticket in XJDF")]
    Xjdf(#[source] io::Error),
}

impl Error {
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Letter { .. } | Self::NotPrintable { .. } => Disposition::Reject,
            Self::Source { .. }
            | Self::Write(_)
            | Self::PieceList(_)
            | Self::JobTicket(_)
            | Self::Xjdf(_) => Disposition::Retry,
            Self::NoLetters
            | Self::TooManyPieces { .. }
            | Self::MixedGroup { .. }
            | Self::NotShared { .. }
            | Self::AddressPages { .. }
            | Self::Mark { .. }
            | Self::PageCount { .. }
            | Self::NotAsPlanned { .. }
            | Self::PagesWritten { .. }
            | Self::ReadBack(_) => Disposition::Hold,
        }
    }

    /// The letter without which the rest of the bundle could go on.
    pub fn message(&self) -> Option<MessageId> {
        match self {
            Self::MixedGroup { message }
            | Self::NotShared { message }
            | Self::NotPrintable { message, .. }
            | Self::Letter { message, .. }
            | Self::Source { message, .. }
            | Self::Mark { message, .. }
            | Self::PageCount { message, .. } => Some(*message),
            Self::NoLetters
            | Self::TooManyPieces { .. }
            | Self::AddressPages { .. }
            | Self::NotAsPlanned { .. }
            | Self::PagesWritten { .. }
            | Self::ReadBack(_)
            | Self::Write(_)
            | Self::PieceList(_)
            | Self::JobTicket(_)
            | Self::Xjdf(_) => None,
        }
    }
}
