//! The door by which the stand-in is told what to do, and asked what it saw. Not a part of the API.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Mailboxes,
    answer::Answer,
    doors::Asked,
    happening::{Happening, Selection, happen},
    trouble::Trouble,
    world::{Shared, World},
};

/// What its paths begin with.
pub(super) const DOOR: &str = "/_stub";

/// What there is to do.
pub(super) const HELP: &str = "\
GET    /_stub/counts         requests, answers, messages and how fast they came
GET    /_stub/messages       messages taken, a thousand at a time: ?after=<messageId>
GET    /_stub/exchanges      requests and answers as JSON lines, where they are kept
GET    /_stub/troubles       what goes wrong on purpose
POST   /_stub/troubles       one more: {\"what\": \"cut\", \"on\": \"/v2/messages\", \"times\": 1, \"after_effect\": true}
DELETE /_stub/troubles       nothing goes wrong any more
POST   /_stub/mailboxes      {\"open\": [\"010190-900P\"], \"close\": [], \"all\": \"even\"}
POST   /_stub/clock          {\"forward_secs\": 86400}
POST   /_stub/expire-tokens  no token is good any more
POST   /_stub/events         {\"events\": [...]}, told to senders as they are
POST   /_stub/read, acknowledge, print, post-confirm, post-return, post-lose
                             {\"message_ids\": [], \"external_ids\": [], \"share\": 1.0}; {} for all

\"what\" is one of: {\"status\": {\"status\": 503, \"retry_after_secs\": 1}}, {\"slow\": 2000}, \"cut\", \"cut-middle\",
\"unauthorized\", \"expire-token\", \"not-listed\", \"wrong-type\", \"broken-json\", \"unknown-fields\",
\"duplicate-events\", \"shuffle-events\", \"unknown-events\", \"strange-events\".
Beside it: \"on\" (beginning of the path), \"about\" (a part of the query or body), \"share\" (0 to 1), \"skip\",
\"times\", \"after_effect\".
";

pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let name = asked.path.strip_prefix(DOOR).unwrap_or_default();
    let name = name.trim_start_matches('/');
    let mut world = shared.lock();
    let done = match (asked.method, name) {
        (&Method::GET, "") => return Answer::text(StatusCode::OK, "text/plain", HELP),
        (&Method::GET, "counts") => Ok(json!(world.tally.counts())),
        (&Method::GET, "messages") => Ok(messages(&world, asked)),
        (&Method::GET, "exchanges") => return exchanges(&world),
        (&Method::GET, "troubles") => Ok(json!(world.troubles.all())),
        (&Method::DELETE, "troubles") => {
            world.troubles.clear();
            Ok(json!([]))
        }
        (&Method::POST, name) => posted(&mut world, name, asked),
        _ => Err(unknown()),
    };
    done.map_or_else(|fault| Answer::bad_request(&fault), Answer::ok)
}

fn posted(world: &mut World, name: &str, asked: &Asked<'_>) -> Result<Value, String> {
    match name {
        "troubles" => trouble(world, told(asked)?),
        "mailboxes" => Ok(mailboxes(world, told(asked)?)),
        "events" => Ok(events(world, told(asked)?)),
        "clock" => {
            let clock: ClockOrder = told(asked)?;
            world.put_forward(Duration::from_secs(clock.forward_secs));
            Ok(json!({"now": world.now().to_string()}))
        }
        "expire-tokens" => {
            world.tokens.forget_all();
            Ok(json!({}))
        }
        name => {
            let what = Happening::of_word(name).ok_or_else(unknown)?;
            let picked: Selection = told(asked)?;
            Ok(json!({"message_ids": happen(world, what, &picked)}))
        }
    }
}

fn unknown() -> String {
    format!("there is no such door; GET {DOOR} lists them")
}

/// No body is as an empty one.
fn told<T: DeserializeOwned>(asked: &Asked<'_>) -> Result<T, String> {
    let body: &[u8] = if asked.body.is_empty() {
        b"{}"
    } else {
        asked.body
    };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn trouble(world: &mut World, trouble: Trouble) -> Result<Value, String> {
    if let Some(fault) = trouble.fault() {
        return Err(fault.to_owned());
    }
    world.troubles.add(trouble);
    Ok(json!(world.troubles.all()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockOrder {
    forward_secs: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MailboxOrder {
    open: Vec<String>,
    close: Vec<String>,
    /// `all`, `even` or `none`: instead of what was before.
    all: Option<Kind>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    All,
    Even,
    None,
}

fn mailboxes(world: &mut World, order: MailboxOrder) -> Value {
    if let Some(kind) = order.all {
        world.mailboxes.replace(match kind {
            Kind::All => Mailboxes::All,
            Kind::Even => Mailboxes::Even,
            Kind::None => Mailboxes::listed(""),
        });
    }
    for id in &order.open {
        world.mailboxes.open(id);
    }
    for id in &order.close {
        world.mailboxes.close(id);
    }
    json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventOrder {
    events: Vec<Value>,
}

fn events(world: &mut World, order: EventOrder) -> Value {
    let now = world.now();
    let count = order.events.len();
    for event in order.events {
        world.events.give(now, event);
    }
    json!({"added": count})
}

/// Messages in one answer.
const PAGE: usize = 1_000;

fn messages(world: &World, asked: &Asked<'_>) -> Value {
    let after = asked
        .parameter("after")
        .and_then(|after| after.parse().ok());
    let after = after.unwrap_or(0_i64);
    let newer = world.messages.iter();
    let newer = newer.filter(|message| message.message_id > after);
    json!(newer.take(PAGE).collect::<Vec<_>>())
}

fn exchanges(world: &World) -> Answer {
    let mut lines = String::new();
    for exchange in &world.exchanges {
        lines.push_str(&json!(exchange).to_string());
        lines.push('\n');
    }
    Answer::text(StatusCode::OK, "application/jsonl", lines)
}
