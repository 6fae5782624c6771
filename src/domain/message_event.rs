/// What can happen to a message, as delivery reports tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageEvent {
    /// It lies in the recipient's mailbox.
    Delivered,
    Read,
    /// The recipient has confirmed the receipt of a verifiable message, or of a registered letter.
    Acknowledged,
    /// Nobody has confirmed it in time: it goes by post, against a receipt.
    Unacknowledged,
    /// Nobody has read it in time: it goes by post too, as its sender wishes.
    Unread,
    /// The recipient could not be told that the message has come: it lies in the mailbox all the same.
    NoticeFailed,
    /// It is in a bundle that waits for the print house.
    Composed,
    /// It is in a bundle that the print house has.
    HandedOver,
    Printed,
    /// The print house has given it to the post.
    Dispatched,
    /// The post could not deliver it.
    Returned,
    /// The post does not know what became of a registered letter.
    Unresolved,
    Refused,
    /// An operator has to look.
    Held,
    Cancelled,
}

impl MessageEvent {
    pub const ALL: [Self; 15] = [
        Self::Delivered,
        Self::Read,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Unread,
        Self::NoticeFailed,
        Self::Composed,
        Self::HandedOver,
        Self::Printed,
        Self::Dispatched,
        Self::Returned,
        Self::Unresolved,
        Self::Refused,
        Self::Held,
        Self::Cancelled,
    ];

    /// Whether the recipient does not have the message and will not get it by itself.
    pub fn is_trouble(self) -> bool {
        match self {
            Self::Returned | Self::Unresolved | Self::Refused | Self::Held | Self::Cancelled => {
                true
            }
            Self::Delivered
            | Self::Read
            | Self::Acknowledged
            | Self::Unacknowledged
            | Self::Unread
            | Self::NoticeFailed
            | Self::Composed
            | Self::HandedOver
            | Self::Printed
            | Self::Dispatched => false,
        }
    }

    /// The stable word that receipts carry.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Unread => "unread",
            Self::NoticeFailed => "notice-failed",
            Self::Composed => "composed",
            Self::HandedOver => "handed-over",
            Self::Printed => "printed",
            Self::Dispatched => "dispatched",
            Self::Returned => "returned",
            Self::Unresolved => "unresolved",
            Self::Refused => "refused",
            Self::Held => "held",
            Self::Cancelled => "cancelled",
        }
    }
}
