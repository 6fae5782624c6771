//! User, password and tokens.

use serde_json::json;

use super::{
    answer::Answer,
    doors::Asked,
    form::{Faults, Form},
    world::Shared,
};

/// `POST /v1/token`.
pub(super) fn token(shared: &Shared, asked: &Asked<'_>) -> Answer {
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
pub(super) fn change_password(shared: &Shared, asked: &Asked<'_>) -> Answer {
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
            "newPassword must have 32 characters, with lower case, upper case, number and symbol",
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
