use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    answer::Answer,
    doors::Asked,
    message::{Accepted, Route},
    post::{self, Door, Part, Post},
    world::{Shared, World},
};

/// `POST /v2/messages/electronic`, `/v2/messages`, `/v2/paper-mail-without-id`.
pub(super) fn answer(shared: &Shared, door: Door, asked: &Asked<'_>) -> Answer {
    let body = match asked.json() {
        Ok(body) => body,
        Err(fault) => return Answer::invalid(&[fault]),
    };
    match post::read(door, &body) {
        Ok(post) => take(&mut shared.lock(), door, post, body),
        Err(faults) => Answer::invalid(&faults),
    }
}

fn take(world: &mut World, door: Door, post: Post, body: Value) -> Answer {
    if let Some(refused) = of_unknown_service(world, &post) {
        return refused;
    }
    let before = world.messages.repeated(&post.service_id, &post.external_id);
    if let Some(number) = before {
        world.tally.repeats += 1;
        let tells = door != Door::Paper || world.settings.tells_number_of_repeated_paper;
        return repeated(tells.then_some(number));
    }
    let route = match route(world, door, &post) {
        Ok(route) => route,
        Err(refused) => return refused,
    };
    if let Some(refused) = of_reply(world, &post).or_else(|| of_attachments(world, &post)) {
        return refused;
    }
    if world.messages.len() >= world.settings.limits.messages {
        return Answer::full("messages");
    }
    let body = world.settings.keeps_bodies.then_some(body);
    let message = accepted(world, route, post, body);
    Answer::ok(json!({"messageId": world.accept(message)}))
}

fn accepted(world: &World, route: Route, post: Post, body: Option<Value>) -> Accepted {
    let taken = match route {
        Route::Electronic => &post.electronic,
        Route::Paper => &post.paper,
    };
    Accepted {
        message_id: 0,
        is_verifiable: taken.as_ref().is_some_and(|part| part.is_verifiable),
        attachments: parts(&post)
            .flat_map(|(_, part)| part.attachments.clone())
            .collect(),
        external_id: post.external_id,
        service_id: post.service_id,
        route,
        at: world.now(),
        repeats: 0,
        is_read: false,
        is_acknowledged: false,
        is_printed: false,
        is_settled_by_post: false,
        body,
    }
}

fn of_unknown_service(world: &World, post: &Post) -> Option<Answer> {
    let services = &world.settings.services;
    let is_known = services.is_empty() || services.contains(&post.service_id);
    (!is_known).then(|| Answer::invalid(&["sender.serviceId is not known".to_owned()]))
}

/// 409; the description of the paper's door promises no number.
fn repeated(number: Option<i64>) -> Answer {
    let reason = "externalId is in use already";
    let body = number.map_or_else(
        || json!({"reason": reason}),
        |number| json!({"reason": reason, "messageId": number}),
    );
    Answer::json(StatusCode::CONFLICT, body)
}

fn route(world: &World, door: Door, post: &Post) -> Result<Route, Answer> {
    let recipient = post.recipient.as_deref();
    let has_mailbox = recipient.is_some_and(|id| world.mailboxes.is_in_use(id));
    match (door, has_mailbox) {
        (Door::Electronic | Door::Multichannel, true) => Ok(Route::Electronic),
        (Door::Multichannel, false) | (Door::Paper, _) => Ok(Route::Paper),
        (Door::Electronic, false) => Err(Answer::coded(
            "MAILBOX_NOT_IN_USE",
            "Recipient mailbox is not active",
        )),
    }
}

fn of_reply(world: &World, post: &Post) -> Option<Answer> {
    let replied = post.reply_to?;
    let is_there = world.events.is_from_end_user(replied);
    (!is_there).then(|| {
        Answer::coded(
            "MESSAGE_BEING_REPLIED_TO_NOT_FOUND",
            "The message you replied to does not exist",
        )
    })
}

fn of_attachments(world: &World, post: &Post) -> Option<Answer> {
    let now = world.now();
    let mut faults = Vec::new();
    for (name, part) in parts(post) {
        for (index, id) in part.attachments.iter().enumerate() {
            if world.uploads.find(id, now).is_none() {
                faults.push(format!("{name}.attachments[{index}] does not exist"));
            }
        }
    }
    (!faults.is_empty()).then(|| Answer::invalid(&faults))
}

fn parts(post: &Post) -> impl Iterator<Item = (&'static str, &Part)> {
    let named = [("electronic", &post.electronic), ("paperMail", &post.paper)];
    named
        .into_iter()
        .filter_map(|(name, part)| Some((name, part.as_ref()?)))
}
