//! How domain values stand in columns.

use jiff::Timestamp;
use rusqlite::{Row, RowIndex, types::Type};

use super::{Door, EventBecame, ServiceEventKind, mailbox_queue::InQueue};
use crate::domain::{
    BatchId, BatchState, BundleId, BundleState, Channel, ChannelWish, Code, HoldCause, Language,
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
    Unacknowledged = "unacknowledged", Unread = "unread", NoticeFailed = "notice-failed",
    Composed = "composed", HandedOver = "handed-over", Printed = "printed",
    Dispatched = "dispatched", Returned = "returned", Unresolved = "unresolved", Refused = "refused", Held = "held",
    Cancelled = "cancelled");
words!(ServiceEventKind: Created = "created", Read = "read", Confirmed = "confirmed",
    PaperCreated = "paper-created", SentForPrinting = "sent-for-printing",
    PostConfirmed = "post-confirmed", PostReturned = "post-returned",
    PostUnresolved = "post-unresolved", FromEndUser = "from-end-user", Other = "other");
words!(EventBecame: Recorded = "recorded", Known = "known", NothingNew = "nothing-new",
    Orphan = "orphan", OfOtherService = "of-other-service", Erased = "erased",
    UnknownKind = "unknown-kind", Unreadable = "unreadable");
words!(BundleState: Planned = "planned", Composed = "composed", HandedOver = "handed-over",
    Withdrawn = "withdrawn");
words!(OutgoingState: Due = "due", HandingOver = "handing-over", HandedOver = "handed-over",
    Withdrawn = "withdrawn");
words!(HoldCause: FirstBatch = "first-batch", RefusedShare = "refused-share",
    ManyLetters = "many-letters", Sender = "sender", Operator = "operator");
words!(Channel: Mailbox = "mailbox", Print = "print", MailboxAndPrint = "mailbox-and-print");
words!(ChannelWish: Any = "any", MailboxOnly = "mailbox", PrintOnly = "print");
words!(InQueue: Waits = "waits", Sending = "sending", InDoubt = "in-doubt");
words!(Door: Electronic = "electronic", Multichannel = "multichannel", Paper = "paper");
words!(ServiceKind: Ordinary = "ordinary", Verifiable = "verifiable");
words!(Language: English = "en", Finnish = "fi", Swedish = "sv");
words!(PostageClass: Priority = "priority", Economy = "economy");
words!(MailboxStatus: Active = "active", Inactive = "inactive", Withdrawn = "withdrawn",
    Unknown = "unknown");
words!(Reason: ContentUnusable = "content-unusable", SenderWantsPrint = "sender-wants-print",
    MatterIsPrintOnly = "matter-is-print-only", NoRecipientId = "no-recipient-id",
    RecipientIdInvalid = "recipient-id-invalid", MailboxActive = "mailbox-active",
    TooLargeForMailbox = "too-large-for-mailbox", MailboxInactive = "mailbox-inactive",
    ConsentWithdrawn = "consent-withdrawn", StatusUnknown = "status-unknown",
    ServiceChooses = "service-chooses",
    SenderWantsMailboxOnly = "sender-wants-mailbox-only", NoPrintContract = "no-print-contract",
    AddressIncomplete = "address-incomplete", OperatorChose = "operator-chose");

/// Reads typed values out of a row; a value that cannot be is a conversion error of the database.
///
/// A column is named, or counted from 0 where a query gives many rows: a name is looked for in each.
pub(super) trait Columns {
    fn word<T: Word>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
    fn maybe_word<T: Word>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>>;
    fn time(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp>;
    fn maybe_time(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>>;
    fn batch(&self, column: impl RowIndex) -> rusqlite::Result<BatchId>;
    fn maybe_bundle(&self, column: impl RowIndex) -> rusqlite::Result<Option<BundleId>>;
    fn code(&self, column: impl RowIndex) -> rusqlite::Result<Code>;
    fn parsed<T: std::str::FromStr>(&self, column: impl RowIndex) -> rusqlite::Result<T>;
}

impl Columns for Row<'_> {
    fn word<T: Word>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        let text = text(self, column)?.unwrap_or_default();
        T::of(text).ok_or_else(|| unknown(self, column, text))
    }

    fn maybe_word<T: Word>(&self, column: impl RowIndex) -> rusqlite::Result<Option<T>> {
        let word = |text| T::of(text).ok_or_else(|| unknown(self, column, text));
        text(self, column)?.map(word).transpose()
    }

    fn time(&self, column: impl RowIndex) -> rusqlite::Result<Timestamp> {
        let millis: i64 = self.get(column)?;
        Timestamp::from_millisecond(millis).map_err(|_| unknown(self, column, &millis.to_string()))
    }

    fn maybe_time(&self, column: impl RowIndex) -> rusqlite::Result<Option<Timestamp>> {
        let millis: Option<i64> = self.get(column)?;
        millis.map(|_| self.time(column)).transpose()
    }

    fn batch(&self, column: impl RowIndex) -> rusqlite::Result<BatchId> {
        Ok(BatchId(self.get(column)?))
    }

    fn maybe_bundle(&self, column: impl RowIndex) -> rusqlite::Result<Option<BundleId>> {
        Ok(self.get::<_, Option<u64>>(column)?.map(BundleId))
    }

    fn code(&self, column: impl RowIndex) -> rusqlite::Result<Code> {
        let text = text(self, column)?.unwrap_or_default();
        Code::from_code(text).ok_or_else(|| unknown(self, column, text))
    }

    fn parsed<T: std::str::FromStr>(&self, column: impl RowIndex) -> rusqlite::Result<T> {
        let text = text(self, column)?.unwrap_or_default();
        text.parse()
            .map_err(|_| unknown(self, column, "a value of another form"))
    }
}

fn text<'a>(row: &'a Row<'_>, column: impl RowIndex) -> rusqlite::Result<Option<&'a str>> {
    let value = row.get_ref(column)?;
    value
        .as_str_or_null()
        .map_err(|_| unknown(row, column, "no text"))
}

fn unknown(row: &Row<'_>, column: impl RowIndex, value: &str) -> rusqlite::Error {
    let place = column.idx(row.as_ref()).unwrap_or_default();
    let name = row.as_ref().column_name(place).unwrap_or_default();
    let message = format!("column `{name}` holds `{value}`, which this program does not know");
    rusqlite::Error::FromSqlConversionFailure(place, Type::Text, message.into())
}

/// Where a column stands among those of a query.
pub(super) const fn place_of(name: &str, columns: &[&str]) -> Option<usize> {
    let (mut rest, mut place) = (columns, 0);
    while let [first, others @ ..] = rest {
        if is_same(first.as_bytes(), name.as_bytes()) {
            return Some(place);
        }
        (rest, place) = (others, place + 1);
    }
    None
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, one_rest @ ..], [same, other_rest @ ..]) = (one, other) {
        if *first != *same {
            return false;
        }
        (one, other) = (one_rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

pub(super) fn maybe_millis(time: Option<Timestamp>) -> Option<i64> {
    time.map(millis)
}
