//! What tables of senders and of print houses say of handing over.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    outbox::{Await, PlaceSettings},
    transport::ReadBack,
};

pub(super) const HAND_OVERS_AT_ONCE: u32 = 4;

/// How much of an uploaded file is read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReadBackName {
    /// How long it is.
    Size,
    /// All of it, to compare its SHA-256.
    Digest,
}

impl From<ReadBackName> for ReadBack {
    fn from(name: ReadBackName) -> Self {
        match name {
            ReadBackName::Size => Self::Size,
            ReadBackName::Digest => Self::Digest,
        }
    }
}

/// What shows that a bundle was picked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PickedUpName {
    /// Its PDF is gone.
    Removed,
    /// Nothing: the print house removes no files, and nobody looks.
    Never,
}

impl PickedUpName {
    /// `within`: what stands there for longer is told.
    pub(super) fn awaited(self, within: Option<SignedDuration>) -> Await {
        match (self, within) {
            (Self::Never, _) => Await::Nothing,
            (Self::Removed, None) => Await::PickUp,
            (Self::Removed, Some(within)) => Await::PickUpWithin(within),
        }
    }
}

/// 0 is no bound.
pub(super) fn hours(number: u32) -> Option<SignedDuration> {
    (number > 0).then(|| SignedDuration::from_hours(number.into()))
}

pub(super) fn at_once(number: u32) -> usize {
    usize::try_from(number).unwrap_or(PlaceSettings::default().at_once)
}
