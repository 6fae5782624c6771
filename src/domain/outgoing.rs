/// Where a hand-over is: a bundle's to its print house, or a receipt's to its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutgoingState {
    Due,
    /// All files but the last stand there; the last one, the marker, may stand there too. From
    /// here the other side may take everything away at any moment, so absence means success.
    HandingOver,
    HandedOver,
    /// Taken back with its bundle; what was written of it is removed from its place.
    Withdrawn,
}

impl OutgoingState {
    pub const ALL: [Self; 4] = [
        Self::Due,
        Self::HandingOver,
        Self::HandedOver,
        Self::Withdrawn,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::HandingOver => "handing-over",
            Self::HandedOver => "handed-over",
            Self::Withdrawn => "withdrawn",
        }
    }
}
