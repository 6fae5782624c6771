use std::io;

use crate::{
    domain::{BatchId, Disposition, MessageId, PrintHouseId, SenderId, ServiceName},
    mailbox, pdf, print, receipts, signing, store,
};

/// Why a step did not reach its transaction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a failure: what was recorded so far stands.
    #[error("the house was told to stop in the middle of it")]
    Stopped,
    /// Not a failure: others waited, and the step goes on behind this message when it is its turn.
    #[error("the step gave way to others behind message {after}")]
    GaveWay { after: u32 },
    #[error("a bug in kuori: the runner panicked; the log has the place")]
    Panicked,
    /// Nor is this: the step ends, and the batch waits for its release.
    #[error("batch {0} was put on hold in the middle of it")]
    OnHold(BatchId),
    #[error("the settings have no sender `{0}`")]
    NoSender(SenderId),
    #[error("the settings have no print house `{0}`")]
    NoPrintHouse(PrintHouseId),
    #[error("sender `{0}` has letters to print and no print house in the settings")]
    NoPrintContract(SenderId),
    #[error("{0} waits for a mailbox service and names nobody who has a mailbox")]
    NoRecipient(MessageId),
    #[error("the settings have no print house of the service `{0}`, which letters wait for")]
    NoPostalAccount(ServiceName),
    #[error("cannot unpack a document of {batch}")]
    Unpack { batch: BatchId, source: io::Error },
    #[error("{batch} no longer holds what opening found: {what}")]
    Changed { batch: BatchId, what: String },
    #[error("a letter's PDF has {bytes} bytes, which is more than a mailbox takes")]
    TooLargeForMailbox { bytes: usize },
    #[error("cannot cut a letter out of a document of {batch}")]
    Cut {
        batch: BatchId,
        source: pdf::Refusal,
    },
    #[error("bundles of {0} are laid out in another way each time")]
    Unsteady(BatchId),
    #[error("cannot compose a bundle")]
    Compose(#[source] print::Error),
    #[error("cannot write a receipt")]
    Receipt(#[from] receipts::Error),
    #[error("a receipt is to be signed, and there is no signing key")]
    NoSigningKey,
    #[error("cannot sign a receipt")]
    Sign(#[from] signing::Error),
    #[error("cannot write a signature")]
    Signature(#[source] io::Error),
    #[error("the mailbox did not take a page of messages")]
    Mailbox(#[from] mailbox::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Error {
    /// Whether the house's own disk has no room, its database does not answer, or its mailboxes are away.
    /// That passes for all batches alike, however long it takes.
    pub fn is_of_the_house(&self) -> bool {
        match self {
            Self::Store(error) => return error.is_of_the_house(),
            Self::Mailbox(error) if error.is_of_all() => return true,
            _ => {}
        }
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let store = error.downcast_ref::<store::Error>();
            let system = error.downcast_ref::<io::Error>();
            if store.is_some_and(store::Error::is_of_the_house)
                || system.is_some_and(store::lacks_room)
            {
                return true;
            }
            cause = error.source();
        }
        false
    }

    pub fn disposition(&self) -> Disposition {
        match self {
            Self::NoSender(_)
            | Self::NoPrintHouse(_)
            | Self::NoPrintContract(_)
            | Self::NoRecipient(_)
            | Self::NoPostalAccount(_)
            | Self::Changed { .. }
            | Self::Cut { .. }
            | Self::TooLargeForMailbox { .. }
            | Self::Unsteady(_)
            | Self::NoSigningKey => Disposition::Hold,
            Self::Stopped
            | Self::GaveWay { .. }
            | Self::OnHold(_)
            | Self::Panicked
            | Self::Unpack { .. }
            | Self::Signature(_) => Disposition::Retry,
            Self::Compose(error) => error.disposition(),
            Self::Receipt(error) => error.disposition(),
            Self::Sign(error) => error.disposition(),
            Self::Mailbox(error) => error.disposition(),
            Self::Store(error) => error.disposition(),
        }
    }
}
