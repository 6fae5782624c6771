use super::{BatchId, BundleId, MessageId, PrintHouseId};

/// How fast the post carries a letter (`letterClass` 1 and 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PostageClass {
    Priority,
    #[default]
    Economy,
}

impl PostageClass {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Priority => "priority",
            Self::Economy => "economy",
        }
    }
}

/// What a print house calls a class of postage and weight: `P1-50`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PostageCode(pub String);

/// The name of an envelope in a print house's table: `C5`, `C4`, `box`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvelopeName(pub String);

/// Where a bundle is. Once handed over it never changes: a reprint is a new bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BundleState {
    /// Its letters are chosen; its files may be half written.
    Planned,
    /// Its files stand in the spool and wait for the outbox.
    Composed,
    HandedOver,
    /// Taken back before hand-over; its letters are free again.
    Withdrawn,
}

impl BundleState {
    pub const ALL: [Self; 4] = [
        Self::Planned,
        Self::Composed,
        Self::HandedOver,
        Self::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Composed => "composed",
            Self::HandedOver => "handed-over",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One physical envelope in a bundle, with its sheets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its first letter, by which the piece is known.
    pub message: MessageId,
    /// 1-based in the bundle; never changes, so that a damaged piece can be printed again as itself.
    pub sequence: u32,
    /// 1-based page of the bundle's PDF.
    pub first_page: u32,
    /// Pages in the bundle's PDF, blank backs and the address page counted.
    pub pages: u32,
    pub sheets: u32,
}

/// A bundle as it stands in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleSummary {
    pub id: BundleId,
    pub batch: BatchId,
    pub print_house: PrintHouseId,
    pub state: BundleState,
    pub pieces: u32,
    pub pages: u32,
    pub sheets: u32,
}
