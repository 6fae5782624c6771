//! The paths of the API, and what each answers.

use hyper::{Method, StatusCode, body::Bytes};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    events, login, mailboxes,
    post::Door,
    send, uploads,
    world::{Shared, World},
};

/// A request that was read.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) authorization: Option<&'a str>,
    pub(super) content_type: &'a str,
    pub(super) body: &'a Bytes,
}

impl Asked<'_> {
    /// A parameter of the query, without its percent signs.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| without_percents(value))
    }

    /// The body, or why it is none.
    pub(super) fn json(&self) -> Result<Value, String> {
        let kind = self.content_type.split(';').next().unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case("application/json") {
            return Err("Content-Type must be application/json".to_owned());
        }
        serde_json::from_slice(self.body).map_err(|_| "the body must be JSON".to_owned())
    }
}

/// RFC 3986, 2.1; a plus sign is a space, as forms write it.
fn without_percents(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |b: u8| {
            char::from(b)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().and_then(hex), rest.next().and_then(hex));
                high.zip(low).map_or(b'?', |(high, low)| high * 16 + low)
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[derive(Clone, Copy)]
enum Call {
    Token,
    ChangePassword,
    Active,
    MessageId,
    Upload,
    Send(Door),
    Events,
    /// What an end user has sent: there never is any.
    OfEndUser,
}

/// The call of a path, and its method.
fn call(path: &str) -> Option<(Method, Call)> {
    Some(match path {
        "/v1/token" => (Method::POST, Call::Token),
        "/v1/change-password" => (Method::POST, Call::ChangePassword),
        "/v1/mailboxes/active" => (Method::POST, Call::Active),
        "/v1/messages/id" => (Method::GET, Call::MessageId),
        "/v2/attachments" => (Method::POST, Call::Upload),
        "/v2/messages" => (Method::POST, Call::Send(Door::Multichannel)),
        "/v2/messages/electronic" => (Method::POST, Call::Send(Door::Electronic)),
        "/v2/paper-mail-without-id" => (Method::POST, Call::Send(Door::Paper)),
        "/v2/events" => (Method::GET, Call::Events),
        path if path.starts_with("/v2/messages/") || path.starts_with("/v1/attachments/") => {
            (Method::GET, Call::OfEndUser)
        }
        _ => return None,
    })
}

/// The path that a request is counted under.
pub(super) fn counted_as(path: &str) -> &str {
    match call(path) {
        Some((_, Call::OfEndUser)) => "of end users",
        Some(_) => path,
        None => "unknown",
    }
}

/// Carries a request out.
pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let Some((method, call)) = call(asked.path) else {
        return Answer::refused(StatusCode::NOT_FOUND, "there is no such call");
    };
    if method != asked.method {
        return Answer::other_method(&method);
    }
    if !matches!(call, Call::Token | Call::ChangePassword) && !is_let_in(shared, asked) {
        return unauthorized();
    }
    match call {
        Call::Token => login::token(shared, asked),
        Call::ChangePassword => login::change_password(shared, asked),
        Call::Active => mailboxes::answer(shared, asked),
        Call::MessageId => message_id(&shared.lock(), asked),
        Call::Upload => uploads::answer(&mut shared.lock(), asked),
        Call::Send(door) => send::answer(shared, door, asked),
        Call::Events => events::answer(&mut shared.lock(), asked),
        Call::OfEndUser => Answer::refused(StatusCode::NOT_FOUND, "Not found"),
    }
}

pub(super) fn unauthorized() -> Answer {
    Answer::refused(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn is_let_in(shared: &Shared, asked: &Asked<'_>) -> bool {
    let world = shared.lock();
    let header = asked.authorization.unwrap_or_default();
    world.tokens.lets_in(header, world.now())
}

/// `GET /v1/messages/id`: of any service, as the call names none.
fn message_id(world: &World, asked: &Asked<'_>) -> Answer {
    let Some(external_id) = asked.parameter("externalId") else {
        return Answer::invalid(&["externalId is missing".to_owned()]);
    };
    match world.messages.of_external_id(&external_id) {
        Some(message) => Answer::ok(json!({"messageId": message.message_id})),
        None => Answer::refused(StatusCode::NOT_FOUND, "Not found"),
    }
}
