use jiff::Timestamp;

use crate::store::NewAlert;

/// What kind of trouble it is. Operators' rules name these words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    DiskLow,
    Crashes,
    NotRunning,
    PlaceDown,
    BundleHeld,
    BundleLate,
    NotPickedUp,
    ServiceDown,
    ServiceUnknown,
    BatchHeld,
    BatchLate,
    MessagesHeld,
    ReceiptHeld,
    ReceiptLate,
    InboxDown,
    InboxFileWaits,
    MailboxStatusUnknown,
    MailboxQueueLong,
    DeliveryReportLate,
    NoticesFail,
    StepFails,
    SenderOnHold,
    TimersStuck,
    EventsLate,
    ConsentsRefused,
    ConsentFeedDown,
}

impl Code {
    /// The worst first.
    pub const ALL: [Self; 26] = [
        Self::DiskLow,
        Self::Crashes,
        Self::NotRunning,
        Self::PlaceDown,
        Self::BundleHeld,
        Self::BundleLate,
        Self::NotPickedUp,
        Self::ServiceDown,
        Self::ServiceUnknown,
        Self::BatchHeld,
        Self::BatchLate,
        Self::MessagesHeld,
        Self::ReceiptHeld,
        Self::ReceiptLate,
        Self::InboxDown,
        Self::InboxFileWaits,
        Self::MailboxStatusUnknown,
        Self::MailboxQueueLong,
        Self::DeliveryReportLate,
        Self::NoticesFail,
        Self::StepFails,
        Self::SenderOnHold,
        Self::TimersStuck,
        Self::EventsLate,
        Self::ConsentsRefused,
        Self::ConsentFeedDown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::DiskLow => "disk-low",
            Self::Crashes => "crashes",
            Self::NotRunning => "not-running",
            Self::PlaceDown => "place-down",
            Self::BundleHeld => "bundle-held",
            Self::BundleLate => "bundle-late",
            Self::NotPickedUp => "not-picked-up",
            Self::ServiceDown => "service-down",
            Self::ServiceUnknown => "service-unknown",
            Self::BatchHeld => "batch-held",
            Self::BatchLate => "batch-late",
            Self::MessagesHeld => "messages-held",
            Self::ReceiptHeld => "receipt-held",
            Self::ReceiptLate => "receipt-late",
            Self::InboxDown => "inbox-down",
            Self::InboxFileWaits => "inbox-file-waits",
            Self::MailboxStatusUnknown => "mailbox-status-unknown",
            Self::MailboxQueueLong => "mailbox-queue-long",
            Self::DeliveryReportLate => "delivery-report-late",
            Self::NoticesFail => "notices-fail",
            Self::StepFails => "step-fails",
            Self::SenderOnHold => "sender-on-hold",
            Self::TimersStuck => "timers-stuck",
            Self::EventsLate => "events-late",
            Self::ConsentsRefused => "consents-refused",
            Self::ConsentFeedDown => "consent-feed-down",
        }
    }
}

/// How much it presses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// It has been so for longer than it may: operators are told.
    Alert,
    /// It waits for an operator, and not for long yet.
    Operator,
    /// It is to pass by itself, or an operator wants it so.
    Passing,
}

impl Weight {
    pub const ALL: [Self; 3] = [Self::Alert, Self::Operator, Self::Passing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Operator => "operator",
            Self::Passing => "passing",
        }
    }
}

/// Something that does not go on, or not as it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub code: Code,
    pub weight: Weight,
    /// A sender, a place or an inbox of the settings, or the house; one batch where it is about that.
    pub subject: String,
    pub since: Timestamp,
    /// What it is, in one line.
    pub text: String,
    /// What to type.
    pub to_do: Option<String>,
}

impl Trouble {
    /// What operators are told of it; `None` where they are not.
    pub(super) fn alert(&self) -> Option<NewAlert> {
        (self.weight == Weight::Alert).then(|| NewAlert {
            code: self.code.as_str(),
            subject: self.subject.clone(),
            since: self.since,
            text: self.text.clone(),
        })
    }
}
