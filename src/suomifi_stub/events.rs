use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{answer::Answer, doors::Asked, message::Accepted, trouble::Misdeed, world::World};

/// What can be told of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    ElectronicCreated,
    ElectronicRead,
    ReceiptConfirmed,
    PaperCreated,
    SentForPrinting,
    PostConfirmed,
    PostReturned,
    PostUnresolved,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::ElectronicCreated => "Electronic message created",
            Self::ElectronicRead => "Electronic message read",
            Self::ReceiptConfirmed => "Receipt confirmed",
            Self::PaperCreated => "Paper mail created",
            Self::SentForPrinting => "Sent for printing and enveloping",
            Self::PostConfirmed => "Posti: receipt confirmed",
            Self::PostReturned => "Posti: returned to sender",
            Self::PostUnresolved => "Posti: unresolved",
        }
    }

    /// Of a letter that is tracked.
    fn is_of_post(self) -> bool {
        matches!(
            self,
            Self::PostConfirmed | Self::PostReturned | Self::PostUnresolved
        )
    }
}

struct Event {
    at: Timestamp,
    what: What,
}

enum What {
    Of {
        kind: Kind,
        message_id: i64,
    },
    /// As somebody put it in by the door of control.
    Given(Box<Value>),
}

/// All that happened, oldest first, as long as it is kept.
pub(super) struct Events {
    kept: VecDeque<Event>,
    /// How many are gone from the front.
    gone: u64,
    from_end_users: HashSet<i64>,
    life: Duration,
    most: usize,
}

/// So that a token looks like nothing that one could count on.
const VEIL: u64 = 0x5eaf_00d5_ca1e_d0e5;

impl Events {
    pub(super) fn new(life: Duration, most: usize) -> Self {
        Self {
            kept: VecDeque::new(),
            gone: 0,
            from_end_users: HashSet::new(),
            life,
            most,
        }
    }

    pub(super) fn add(&mut self, at: Timestamp, kind: Kind, message_id: i64) {
        self.push(at, What::Of { kind, message_id });
    }

    pub(super) fn give(&mut self, at: Timestamp, event: Value) {
        let kind = event.get("type").and_then(Value::as_str);
        if kind == Some("Electronic message from end user") {
            let number = event.pointer("/metadata/messageId");
            self.from_end_users.extend(number.and_then(Value::as_i64));
        }
        self.push(at, What::Given(Box::new(event)));
    }

    pub(super) fn is_from_end_user(&self, message_id: i64) -> bool {
        self.from_end_users.contains(&message_id)
    }

    fn push(&mut self, at: Timestamp, what: What) {
        self.kept.push_back(Event { at, what });
        if self.kept.len() > self.most {
            self.kept.pop_front();
            self.gone += 1;
        }
    }

    fn forget_old(&mut self, now: Timestamp) {
        let life = self.life;
        let is_old = |event: &Event| now.duration_since(event.at).unsigned_abs() > life;
        while self.kept.front().is_some_and(is_old) {
            self.kept.pop_front();
            self.gone += 1;
        }
    }

    /// The place that a token says; `None` for one that was never given.
    fn place(&self, token: Option<&str>) -> Option<usize> {
        let Some(token) = token else {
            return Some(0);
        };
        let number = u64::from_str_radix(token, 16).ok()? ^ VEIL;
        let place = usize::try_from(number.saturating_sub(self.gone)).ok()?;
        (place <= self.kept.len()).then_some(place)
    }

    fn token(&self, place: usize) -> String {
        format!("{:016x}", (self.gone + place as u64) ^ VEIL)
    }
}

/// `GET /v2/events`.
pub(super) fn answer(world: &mut World, asked: &Asked<'_>) -> Answer {
    let now = world.now();
    world.events.forget_old(now);
    let token = asked.parameter("continuationToken");
    let Some(place) = world.events.place(token.as_deref()) else {
        return Answer::bad_request("continuationToken is not known");
    };
    let page = world.settings.limits.events_a_page;
    let events: Vec<_> = world
        .events
        .kept
        .iter()
        .skip(place)
        .take(page)
        .map(|event| shown(event, world))
        .collect();
    let continuation = world.events.token(place + events.len());
    Answer::ok(json!({"events": events, "continuationToken": continuation}))
}

fn shown(event: &Event, world: &World) -> Value {
    match &event.what {
        What::Given(event) => (**event).clone(),
        What::Of { kind, message_id } => json!({
            "type": kind.word(),
            "eventTime": event.at.to_string(),
            "metadata": metadata(*kind, *message_id, world.messages.of_number(*message_id)),
        }),
    }
}

fn metadata(kind: Kind, message_id: i64, message: Option<&Accepted>) -> Map<String, Value> {
    let mut metadata = Map::new();
    let mut tell = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    tell("messageId", json!(message_id));
    if let Some(message) = message {
        tell("serviceId", json!(message.service_id));
        tell("externalId", json!(message.external_id));
    }
    if kind == Kind::ReceiptConfirmed {
        tell("receiptConfirmedBy", json!("the stand-in"));
    }
    if kind == Kind::PostConfirmed {
        tell("recipientSignature", json!("the stand-in"));
    }
    if kind.is_of_post() {
        tell("postiTrackingCode", json!(format!("JJFI{message_id}")));
    }
    metadata
}

/// Does something to the events of an answer; to none where there are none, as that says that there
/// are no more.
pub(super) fn alter(
    events: &mut Vec<Value>,
    what: &Misdeed,
    now: Timestamp,
    dice: &mut fastrand::Rng,
) {
    if events.is_empty() {
        return;
    }
    match what {
        Misdeed::DuplicateEvents => {
            *events = events
                .drain(..)
                .flat_map(|event| [event.clone(), event])
                .collect();
        }
        Misdeed::ShuffleEvents => dice.shuffle(events),
        Misdeed::UnknownEvents => events.push(json!({
            "type": "Electronic message folded into a paper plane",
            "eventTime": now.to_string(),
            "metadata": {"plane": "dart", "messageId": 1},
        })),
        Misdeed::StrangeEvents => events.push(json!({
            "type": Kind::ElectronicRead.word(),
            "eventTime": now.to_string(),
            "metadata": {
                "messageId": i64::MAX - dice.i64(0..1_000),
                "serviceId": "somebody-else",
                "externalId": "nobody-sent-it",
            },
        })),
        _ => {}
    }
}
