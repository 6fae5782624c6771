use std::io;

use super::Shape;
use crate::domain::{DocumentName, Finding, Fitness, Message, Place, PrintFacts};

/// A message with all that is to be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenedMessage {
    pub message: Message,
    /// Which channels its content is fit for; what the address and the recipient's id allow is
    /// for routing to say.
    pub fitness: Fitness,
    /// What its way onto paper depends on.
    pub facts: PrintFacts,
    /// The unpacked bytes of the document that holds its pages.
    pub document_bytes: u64,
    /// Where the control data describes it.
    pub place: Place,
    pub findings: Vec<Finding>,
}

impl OpenedMessage {
    /// Whether its own findings leave no way for it. A refused batch refuses all of its messages.
    pub fn is_refused(&self) -> bool {
        self.fitness == Fitness::NEITHER
    }
}

/// A batch that was read to its end, or to where it had to be given up.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// `None` where the batch was given up before that was known.
    pub shape: Option<Shape>,
    pub is_test: bool,
    /// `_suoratulostus` in the file name: everything goes on paper. The messages wish so already.
    pub print_only: bool,
    /// In the order in which the control data first names them.
    pub documents: Vec<DocumentFacts>,
    /// Of the whole batch. If one is an error, every message is refused, those that were handed
    /// over before it was found included.
    pub findings: Vec<Finding>,
    /// Described until the end, or until the batch was given up; then some may not have been
    /// handed over.
    pub messages: u32,
}

impl Opened {
    pub fn is_refused(&self) -> bool {
        self.findings.iter().any(Finding::is_error)
    }
}

/// A PDF of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFacts {
    pub name: DocumentName,
    /// 0 where it could not be read.
    pub pages: u32,
    /// Unpacked.
    pub bytes: u64,
    pub letters: u32,
    /// Whether it stands on the shelf; else `read_document` gets it out of the archive.
    pub was_kept: bool,
}

/// The world's fault, not the batch's.
#[derive(Debug, thiserror::Error)]
pub enum OpenError<E> {
    #[error("cannot keep an unpacked document of the batch")]
    Shelf(#[source] io::Error),
    #[error("cannot hand over the messages of the batch")]
    Sink(#[source] E),
}
