//! The paths of the API, and what each answers.

use hyper::{Method, StatusCode, body::Bytes};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    events,
    form::{Faults, Form},
    multipart::{self, Part},
    post::Door,
    send,
    uploads::Upload,
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

/// 404 or 405 where there is no such call.
fn call(method: &Method, path: &str) -> Result<Call, StatusCode> {
    let (wanted, call) = match path {
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
        _ => return Err(StatusCode::NOT_FOUND),
    };
    if *method == wanted {
        Ok(call)
    } else {
        Err(StatusCode::METHOD_NOT_ALLOWED)
    }
}

/// The path that a request is counted under.
pub(super) fn counted_as(path: &str) -> &str {
    match call(&Method::GET, path) {
        Ok(Call::OfEndUser) => "of end users",
        Err(StatusCode::NOT_FOUND) => "unknown",
        Ok(_) | Err(_) => path,
    }
}

/// Carries a request out.
pub(super) fn answer(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let call = match call(asked.method, asked.path) {
        Ok(call) => call,
        Err(status) => return Answer::refused(status, "there is no such call"),
    };
    if !matches!(call, Call::Token | Call::ChangePassword) && !is_let_in(shared, asked) {
        return unauthorized();
    }
    match call {
        Call::Token => token(shared, asked),
        Call::ChangePassword => change_password(shared, asked),
        Call::Active => active(shared, asked),
        Call::MessageId => message_id(&shared.lock(), asked),
        Call::Upload => upload(&mut shared.lock(), asked),
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

/// `POST /v1/token`.
fn token(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let (user, password) = match texts(asked, ["username", "password"]) {
        Ok([user, password]) => (user, password),
        Err(refused) => return refused,
    };
    let mut guard = shared.lock();
    let world = &mut *guard;
    if user != world.settings.user || password != world.password {
        return Answer::bad_request("Authentication failed");
    }
    let (now, secs) = (world.clock.now(), world.settings.token_secs);
    let token = world.tokens.issue(&mut world.dice, now, secs);
    Answer::ok(json!({"access_token": token, "expires_in": secs, "token_type": "Bearer"}))
}

/// `POST /v1/change-password`.
fn change_password(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let names = ["accessToken", "currentPassword", "newPassword"];
    let [token, current, new] = match texts(asked, names) {
        Ok(texts) => texts,
        Err(refused) => return refused,
    };
    let mut guard = shared.lock();
    let world = &mut *guard;
    let now = world.now();
    if !world.tokens.is_good(&token, now) || current != world.password {
        return Answer::bad_request("Authentication failed");
    }
    if !is_strong(&new) {
        return Answer::bad_request(
            "newPassword must have 32 characters, with a lower case and an upper case letter, a number and a symbol",
        );
    }
    let rest = world.settings.password_rest;
    let is_too_soon = |at| now.duration_since(at).unsigned_abs() < rest;
    if world.password_changed_at.is_some_and(is_too_soon) {
        return Answer::bad_request("the password was changed a short time ago");
    }
    world.password = new;
    world.password_changed_at = Some(now);
    world.tokens.forget_all();
    Answer::ok(json!({}))
}

fn is_strong(password: &str) -> bool {
    let has = |is: fn(char) -> bool| password.chars().any(is);
    password.chars().count() >= 32
        && has(char::is_lowercase)
        && has(char::is_uppercase)
        && has(char::is_numeric)
        && has(|c| !c.is_alphanumeric())
}

/// Texts of the body of any length.
fn texts<const N: usize>(asked: &Asked<'_>, names: [&str; N]) -> Result<[String; N], Answer> {
    let body = asked.json().map_err(|fault| Answer::bad_request(&fault))?;
    let faults = Faults::default();
    let texts = Form::of(&body, &faults).map(|form| {
        names.map(|name| {
            form.text(name, 0..=usize::MAX)
                .unwrap_or_default()
                .to_owned()
        })
    });
    match (texts, faults.all()) {
        (Some(texts), faults) if faults.is_empty() => Ok(texts),
        (_, faults) => Err(Answer::bad_request(&faults.join("; "))),
    }
}

/// `POST /v1/mailboxes/active`.
fn active(shared: &Shared, asked: &Asked<'_>) -> Answer {
    let body = match asked.json() {
        Ok(body) => body,
        Err(fault) => return Answer::bad_request(&fault),
    };
    let most = shared.lock().settings.limits.recipients;
    let faults = Faults::default();
    let recipients: Vec<_> = Form::of(&body, &faults)
        .map(|form| form.parts("endUsers", 1..=most))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| item.text("id", 9..=11))
        .collect();
    let faults = faults.all();
    if !faults.is_empty() {
        return Answer::bad_request(&faults.join("; "));
    }
    let mut world = shared.lock();
    world.tally.recipients_asked += recipients.len() as u64;
    let active: Vec<_> = recipients
        .into_iter()
        .filter(|id| world.mailboxes.is_in_use(id))
        .map(|id| json!({"id": id}))
        .collect();
    Answer::ok(json!({"endUsersWithActiveMailbox": active}))
}

/// `GET /v1/messages/id`: of any service, as the call names none.
fn message_id(world: &World, asked: &Asked<'_>) -> Answer {
    let Some(external_id) = asked.parameter("externalId") else {
        return Answer::invalid(&["externalId is missing".to_owned()]);
    };
    let mut found = world.messages.iter();
    match found.find(|message| message.external_id == external_id) {
        Some(message) => Answer::ok(json!({"messageId": message.message_id})),
        None => Answer::refused(StatusCode::NOT_FOUND, "Not found"),
    }
}

/// The types that `/v2/attachments` takes.
const FILE_TYPES: [&str; 12] = [
    "application/msword",
    "application/pdf",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "image/jpeg",
    "image/png",
    "text/plain",
];

/// `POST /v2/attachments`.
fn upload(world: &mut World, asked: &Asked<'_>) -> Answer {
    let unsupported = |what| Answer::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, what);
    let Some(boundary) = multipart::boundary(asked.content_type) else {
        return unsupported("Content-Type must be multipart/form-data");
    };
    let Some(parts) = multipart::parts(asked.body, &boundary) else {
        return Answer::bad_request("the body must be multipart/form-data");
    };
    let Some(file) = parts.into_iter().find(|part| part.name == "file") else {
        return Answer::bad_request("file is missing");
    };
    let kind = file.media_type.clone().unwrap_or_default();
    if !FILE_TYPES.contains(&kind.as_str()) {
        return unsupported("the type of the file is not supported");
    }
    let now = world.now();
    if !world.uploads.have_room(now) {
        return Answer::full("uploads");
    }
    keep(world, file, kind)
}

fn keep(world: &mut World, file: Part, media_type: String) -> Answer {
    let Some(name) = file.filename.filter(|name| !name.is_empty()) else {
        return Answer::bad_request("the file has no `filename` (RFC 7578, 4.2)");
    };
    let id = world.uuid();
    let size = file.bytes.len() as u64;
    let upload = Upload {
        name,
        media_type,
        at: world.now(),
        is_used: false,
        bytes: world.settings.keeps_bodies.then_some(file.bytes),
    };
    world.tally.uploads += 1;
    world.tally.upload_bytes += size;
    world.uploads.keep(id.clone(), upload);
    Answer::json(StatusCode::CREATED, json!({"attachmentId": id}))
}
