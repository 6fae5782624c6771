//! What goes wrong on purpose, at its place in the course of a request.

use std::{io, time::Duration};

use hyper::{
    StatusCode,
    body::Bytes,
    header::{AUTHORIZATION, HeaderMap},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    answer::{Answer, Content},
    doors, events, serve,
    trouble::{Misdeed, Mishap},
    world::{Shared, World},
};

/// What comes instead of the effect, if anything does.
pub(super) async fn before(
    mishap: &Mishap,
    headers: &HeaderMap,
    shared: &Shared,
) -> io::Result<Option<Answer>> {
    match &mishap.what {
        Misdeed::Cut => Err(cut_off()),
        Misdeed::Slow(millis) => {
            sleep(Duration::from_millis(*millis)).await;
            Ok(None)
        }
        what => Ok(refusal(what, headers, shared)),
    }
}

/// What has become of an answer.
pub(super) struct Altered {
    pub(super) answer: Answer,
    pub(super) bytes: Bytes,
    pub(super) cut: Option<Cut>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing of it is sent.
    Whole,
    /// Half of it is.
    InTheMiddle,
}

pub(super) async fn after(
    mut answer: Answer,
    mishaps: &[Mishap],
    headers: &HeaderMap,
    shared: &Shared,
) -> Altered {
    let mut cut = None;
    for mishap in mishaps {
        match &mishap.what {
            Misdeed::Cut => cut = Some(Cut::Whole),
            Misdeed::CutMiddle => cut = Some(Cut::InTheMiddle),
            Misdeed::Slow(millis) => sleep(Duration::from_millis(*millis)).await,
            what => match refusal(what, headers, shared) {
                Some(refused) => answer = refused,
                None => alter(&mut answer, what, &mut shared.lock()),
            },
        }
    }
    let bytes = answer.bytes();
    Altered { answer, bytes, cut }
}

/// A status that has nothing to do with what was asked.
fn refusal(what: &Misdeed, headers: &HeaderMap, shared: &Shared) -> Option<Answer> {
    match what {
        Misdeed::Status(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_GATEWAY);
            let reason = status.canonical_reason().unwrap_or("Refused");
            let mut answer = Answer::refused(status, reason);
            answer.retry_after_secs = refusal.retry_after_secs;
            Some(answer)
        }
        Misdeed::Unauthorized => Some(doors::unauthorized()),
        Misdeed::ExpireToken => {
            let header = serve::text(headers, &AUTHORIZATION).unwrap_or_default();
            shared.lock().tokens.forget(header);
            Some(doors::unauthorized())
        }
        Misdeed::NotListed => Some(Answer::refused(
            StatusCode::FORBIDDEN,
            "Access denied: the address is not on the list",
        )),
        _ => None,
    }
}

/// An answer that is not what it should be.
fn alter(answer: &mut Answer, what: &Misdeed, world: &mut World) {
    let status = answer.status;
    match (what, &mut answer.body) {
        (Misdeed::WrongType, _) => {
            *answer = Answer::text(status, "text/html", "<html><p>Something else</p></html>");
        }
        (Misdeed::BrokenJson, _) => {
            let mut bytes = answer.bytes();
            bytes.truncate(bytes.len().saturating_sub(1));
            answer.body = Content::Bytes(bytes);
        }
        (Misdeed::UnknownFields, Content::Json(body)) => {
            if let Some(fields) = body.as_object_mut() {
                let later = json!({"since": 2030, "list": [1, "two", null]});
                fields.insert("addedLater".to_owned(), later);
            }
        }
        (what, Content::Json(body)) if status == StatusCode::OK => {
            if let Some(Value::Array(events)) = body.get_mut("events") {
                let now = world.now();
                events::alter(events, what, now, &mut world.dice);
            }
        }
        _ => {}
    }
}

/// What makes hyper end a connection.
pub(super) fn cut_off() -> io::Error {
    io::Error::other("cut, as was asked for")
}
