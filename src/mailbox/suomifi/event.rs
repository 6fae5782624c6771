use jiff::Timestamp;

/// What the service tells of a message, as far as it is known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It lies in the mailbox.
    ElectronicCreated,
    ElectronicRead,
    /// A verifiable message was confirmed.
    ReceiptConfirmed,
    /// It goes on paper.
    PaperCreated,
    SentForPrinting,
    PostReceiptConfirmed,
    PostReturned,
    PostUnresolved,
    /// An end user has written.
    FromEndUser,
    /// One that is not known yet.
    Other,
}

/// Something that happened to one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    pub kind: EventKind,
    pub at: Timestamp,
    pub message_id: i64,
    pub external_id: Option<String>,
    pub service_id: String,
}

/// Some events in their order, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// None: there are no more now.
    pub events: Vec<ServiceEvent>,
    /// Events that could not be read, such as one without a number.
    pub unreadable: u64,
    pub continuation: String,
}
