//! How domain values stand in columns.

use jiff::Timestamp;
use rusqlite::{Row, types::Type};

use crate::domain::{
    Asked, BatchId, BatchState, BundleId, BundleState, Channel, ChannelWish, Code, HoldCause,
    MailboxStatus, MessageEvent, MessageState, OutgoingState, PostageClass, Reason, ServiceKind,
};

/// A value that stands in a column as one of a few words.
pub(super) trait Word: Copy + PartialEq + 'static {
    const WORDS: &'static [(Self, &'static str)];

    fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(value, _)| *value == self);
        found.map_or("", |(_, word)| *word)
    }

    fn of(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, known)| *known == word)
            .map(|(value, _)| *value)
    }
}

macro_rules! words {
    ($type:ty: $($value:ident = $word:literal),+ $(,)?) => {
        impl Word for $type {
            const WORDS: &'static [(Self, &'static str)] = &[$((<$type>::$value, $word),)+];
        }
    };
}

words!(BatchState: Received = "received", Opened = "opened", Routed = "routed",
    Delivered = "delivered", Composed = "composed", Reported = "reported", Refused = "refused",
    Held = "held", Cancelled = "cancelled");
words!(MessageState: Accepted = "accepted", Waiting = "waiting", Routed = "routed",
    Delivered = "delivered", Composed = "composed", HandedOver = "handed-over",
    Refused = "refused", Held = "held", Cancelled = "cancelled");
words!(MessageEvent: Delivered = "delivered", Read = "read", Acknowledged = "acknowledged",
    Composed = "composed", HandedOver = "handed-over", Printed = "printed",
    Dispatched = "dispatched", Returned = "returned", Refused = "refused", Held = "held",
    Cancelled = "cancelled");
words!(BundleState: Planned = "planned", Composed = "composed", HandedOver = "handed-over",
    Withdrawn = "withdrawn");
words!(OutgoingState: Due = "due", HandingOver = "handing-over", HandedOver = "handed-over",
    Withdrawn = "withdrawn");
words!(HoldCause: FirstBatch = "first-batch", RefusedShare = "refused-share",
    ManyLetters = "many-letters", Sender = "sender");
words!(Channel: Mailbox = "mailbox", Print = "print", MailboxAndPrint = "mailbox-and-print");
words!(ChannelWish: Any = "any", MailboxOnly = "mailbox", PrintOnly = "print");
words!(ServiceKind: Ordinary = "ordinary", Verifiable = "verifiable");
words!(PostageClass: Priority = "priority", Economy = "economy");
words!(MailboxStatus: Active = "active", Inactive = "inactive", Withdrawn = "withdrawn",
    Unknown = "unknown");
words!(Reason: ContentUnusable = "content-unusable", SenderWantsPrint = "sender-wants-print",
    MatterIsPrintOnly = "matter-is-print-only", NoRecipientId = "no-recipient-id",
    RecipientIdInvalid = "recipient-id-invalid", MailboxActive = "mailbox-active",
    TooLargeForMailbox = "too-large-for-mailbox", MailboxInactive = "mailbox-inactive",
    ConsentWithdrawn = "consent-withdrawn", StatusUnknown = "status-unknown",
    SenderWantsMailboxOnly = "sender-wants-mailbox-only", NoPrintContract = "no-print-contract",
    AddressIncomplete = "address-incomplete", OperatorChose = "operator-chose");

/// Reads typed values out of a row; a value that cannot be is a conversion error of the database.
pub(super) trait Columns {
    fn word<T: Word>(&self, column: &str) -> rusqlite::Result<T>;
    fn maybe_word<T: Word>(&self, column: &str) -> rusqlite::Result<Option<T>>;
    fn time(&self, column: &str) -> rusqlite::Result<Timestamp>;
    fn maybe_time(&self, column: &str) -> rusqlite::Result<Option<Timestamp>>;
    fn batch(&self, column: &str) -> rusqlite::Result<BatchId>;
    fn maybe_bundle(&self, column: &str) -> rusqlite::Result<Option<BundleId>>;
    fn code(&self, column: &str) -> rusqlite::Result<Code>;
    fn parsed<T: std::str::FromStr>(&self, column: &str) -> rusqlite::Result<T>;
    fn asked(&self) -> rusqlite::Result<Option<Asked>>;
}

impl Columns for Row<'_> {
    fn word<T: Word>(&self, column: &str) -> rusqlite::Result<T> {
        let text: String = self.get(column)?;
        T::of(&text).ok_or_else(|| unknown(column, &text))
    }

    fn maybe_word<T: Word>(&self, column: &str) -> rusqlite::Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| T::of(&text).ok_or_else(|| unknown(column, &text)))
            .transpose()
    }

    fn time(&self, column: &str) -> rusqlite::Result<Timestamp> {
        let millis: i64 = self.get(column)?;
        Timestamp::from_millisecond(millis).map_err(|_| unknown(column, &millis.to_string()))
    }

    fn maybe_time(&self, column: &str) -> rusqlite::Result<Option<Timestamp>> {
        let millis: Option<i64> = self.get(column)?;
        millis.map(|_| self.time(column)).transpose()
    }

    fn batch(&self, column: &str) -> rusqlite::Result<BatchId> {
        Ok(BatchId(self.get(column)?))
    }

    fn maybe_bundle(&self, column: &str) -> rusqlite::Result<Option<BundleId>> {
        Ok(self.get::<_, Option<u64>>(column)?.map(BundleId))
    }

    fn code(&self, column: &str) -> rusqlite::Result<Code> {
        let text: String = self.get(column)?;
        Code::from_code(&text).ok_or_else(|| unknown(column, &text))
    }

    fn parsed<T: std::str::FromStr>(&self, column: &str) -> rusqlite::Result<T> {
        let text: String = self.get(column)?;
        text.parse()
            .map_err(|_| unknown(column, "a value of another form"))
    }

    fn asked(&self) -> rusqlite::Result<Option<Asked>> {
        let status = self.maybe_word("asked_status")?;
        let at = self.maybe_time("asked_at")?;
        Ok(status.zip(at).map(|(status, at)| Asked { status, at }))
    }
}

fn unknown(column: &str, value: &str) -> rusqlite::Error {
    let message = format!("column `{column}` holds `{value}`, which this program does not know");
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, message.into())
}

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn maybe_millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}
