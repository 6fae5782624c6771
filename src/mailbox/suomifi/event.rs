use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::Value;

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
    /// The service's number of the message; at least one of this and `external_id` is there.
    pub message_id: Option<i64>,
    pub external_id: Option<String>,
    pub service_id: Option<String>,
}

/// Some events in their order, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// None: there are no more now.
    pub events: Vec<ServiceEvent>,
    /// Events that could not be read, such as one that does not say of which message it is.
    pub unreadable: u64,
    pub continuation: String,
}

impl EventKind {
    /// By the service's name of it, in any case.
    fn named(name: &str) -> Self {
        match name.trim().to_lowercase().as_str() {
            "electronic message created" => Self::ElectronicCreated,
            "electronic message read" => Self::ElectronicRead,
            "electronic message from end user" => Self::FromEndUser,
            "receipt confirmed" => Self::ReceiptConfirmed,
            "paper mail created" => Self::PaperCreated,
            "sent for printing and enveloping" => Self::SentForPrinting,
            "posti: receipt confirmed" => Self::PostReceiptConfirmed,
            "posti: returned to sender" => Self::PostReturned,
            "posti: unresolved" => Self::PostUnresolved,
            _ => Self::Other,
        }
    }
}

impl EventPage {
    /// Reads an answer; `before` is the token that was asked with. `None` where it does not say how
    /// to go on, although it tells of events: they would come for ever.
    pub(super) fn read(answer: &Value, before: Option<&str>) -> Option<Self> {
        let told = answer.get("events")?.as_array()?;
        let events: Vec<_> = told.iter().filter_map(event).collect();
        let unreadable = told.len().saturating_sub(events.len());
        let continuation = answer.get("continuationToken").and_then(Value::as_str);
        let continuation = continuation.filter(|token| !token.is_empty());
        let continuation = continuation.or(before.filter(|_| told.is_empty()))?;
        Some(Self {
            unreadable: unreadable as u64,
            events,
            continuation: continuation.to_owned(),
        })
    }
}

fn event(told: &Value) -> Option<ServiceEvent> {
    let metadata = told.get("metadata")?;
    let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
    let kind = told.get("type").and_then(Value::as_str);
    let message_id = metadata.get("messageId").and_then(number);
    let external_id = text("externalId").filter(|id| !id.is_empty());
    if message_id.is_none() && external_id.is_none() {
        return None;
    }
    Some(ServiceEvent {
        kind: kind.map_or(EventKind::Other, EventKind::named),
        at: time(told.get("eventTime")?.as_str()?)?,
        message_id,
        external_id,
        service_id: text("serviceId").filter(|id| !id.is_empty()),
    })
}

/// One without an offset is taken for UTC.
fn time(text: &str) -> Option<Timestamp> {
    let plain = || {
        let time: DateTime = text.parse().ok()?;
        Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    text.parse().ok().or_else(plain)
}

/// Some write large numbers as text.
pub(super) fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_that_is_described_is_known_and_any_other_is_kept() {
        for (name, kind) in [
            ("Electronic message created", EventKind::ElectronicCreated),
            ("Electronic message read", EventKind::ElectronicRead),
            ("Electronic message from end user", EventKind::FromEndUser),
            ("Receipt confirmed", EventKind::ReceiptConfirmed),
            ("Paper mail created", EventKind::PaperCreated),
            (
                "Sent for printing and enveloping",
                EventKind::SentForPrinting,
            ),
            ("Posti: receipt confirmed", EventKind::PostReceiptConfirmed),
            ("Posti: returned to sender", EventKind::PostReturned),
            ("Posti: unresolved", EventKind::PostUnresolved),
            ("Posti: Unresolved", EventKind::PostUnresolved),
            ("Posti: eaten by the dog", EventKind::Other),
        ] {
            assert_eq!(EventKind::named(name), kind, "{name}");
        }
    }

    #[test]
    fn a_page_is_read_leniently_and_what_cannot_be_read_is_counted() {
        let metadata = json!({ "messageId": "7", "serviceId": "S", "new": [1] });
        let page = json!({
            "continuationToken": "next",
            "more": true,
            "events": [
                { "type": "Electronic message read", "eventTime": "2026-03-01T06:12:09.5Z",
                  "metadata": { "messageId": 9_007_199_254_740_993_i64, "serviceId": "S", "externalId": "e" } },
                { "type": "New", "eventTime": "2026-03-01T08:12:09+02:00", "metadata": metadata, "x": 1 },
                { "eventTime": "2026-03-01T06:12:09", "metadata": { "messageId": 1 } },
                { "eventTime": "2026-03-01T06:12:09Z", "metadata": { "externalId": "ours" } },
                { "eventTime": "2026-03-01T06:12:09Z", "metadata": { "serviceId": "S" } },
                { "type": "Electronic message read", "eventTime": "yesterday", "metadata": metadata },
                { "type": "Electronic message read", "eventTime": "2026-03-01T06:12:09Z" },
                7,
            ],
        });
        let page = EventPage::read(&page, None).unwrap();
        assert_eq!(page.unreadable, 4);
        assert_eq!(page.continuation, "next");
        let [read, new, bare, ours] = page.events.as_slice() else {
            panic!("four events");
        };
        assert_eq!(read.message_id, Some(9_007_199_254_740_993));
        assert_eq!(read.external_id.as_deref(), Some("e"));
        assert_eq!((new.kind, new.message_id), (EventKind::Other, Some(7)));
        assert_eq!(ours.message_id, None);
        assert_eq!(ours.external_id.as_deref(), Some("ours"));
        assert_eq!(new.at, bare.at);
        assert_eq!(
            (bare.kind, bare.service_id.as_deref()),
            (EventKind::Other, None)
        );
    }

    #[test]
    fn a_page_that_does_not_say_how_to_go_on_is_none_unless_it_is_empty() {
        let read = |page: Value| EventPage::read(&page, Some("before"));
        let empty = read(json!({ "events": [] })).unwrap();
        assert_eq!(empty.continuation, "before");
        assert!(read(json!({ "events": [{}] })).is_none());
        assert!(read(json!({ "continuationToken": "x" })).is_none());
        assert!(EventPage::read(&json!({ "events": [] }), None).is_none());
    }
}
