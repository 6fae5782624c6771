//! What a request for a message has to be, field by field.

use serde_json::Value;

use super::form::{Faults, Form};
use crate::domain::CountryCode;

/// The doors for messages, and what each wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Electronic,
    Multichannel,
    Paper,
}

/// What the stand-in has to know of a message.
#[derive(Debug, Default)]
pub(super) struct Post {
    pub(super) external_id: String,
    pub(super) service_id: String,
    /// None for paper alone.
    pub(super) recipient: Option<String>,
    pub(super) electronic: Option<Part>,
    pub(super) paper: Option<Part>,
    pub(super) reply_to: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) is_verifiable: bool,
    pub(super) attachments: Vec<String>,
}

/// Reads a request, or says all that is wrong with it.
pub(super) fn read(door: Door, body: &Value) -> Result<Post, Vec<String>> {
    let faults = Faults::default();
    let post = Form::of(body, &faults).map(|form| post(door, &form));
    match (post, faults.all()) {
        (Some(post), faults) if faults.is_empty() => Ok(post),
        (_, faults) => Err(faults),
    }
}

fn post(door: Door, form: &Form<'_>) -> Post {
    let mut post = Post {
        external_id: owned(form.text("externalId", 1..=256)),
        ..Post::default()
    };
    if let Some(sender) = form.part("sender") {
        post.service_id = owned(sender.text("serviceId", 1..=64));
    }
    if door != Door::Paper {
        let recipient = form.part("recipient");
        post.recipient = recipient.map(|recipient| owned(recipient.text("id", 9..=11)));
        if let Some(part) = form.part("electronic") {
            post.reply_to = part.optional_number("inReplyToMessageId");
            post.electronic = Some(electronic(&part));
        }
    }
    if door != Door::Electronic {
        post.paper = form.part("paperMail").map(|part| paper(&part));
    }
    post
}

fn electronic(form: &Form<'_>) -> Part {
    form.text("title", 1..=256);
    form.text("body", 1..=40_000);
    form.word("bodyFormat", &["Text", "Markdown"]);
    form.word("replyAllowedBy", &["Anyone", "No one"]);
    form.word("visibility", &["Normal", "Recipient only"]);
    if let Some(told) = form.part("notifications") {
        notifications(&told);
    }
    Part {
        is_verifiable: is_verifiable(form),
        attachments: attachments(form, 0, 50),
    }
}

fn notifications(form: &Form<'_>) {
    form.word(
        "senderDetailsInNotifications",
        &["Organisation and service name", "None"],
    );
    if let Some(unread) = form.part("unreadMessageNotification") {
        unread.word("reminder", &["Default reminder", "No reminders"]);
    }
    if let Some(own) = form.optional_part("customisedNewMessageNotification") {
        in_three_languages(&own, "title", 256);
        in_three_languages(&own, "content", 1_500);
    }
}

fn in_three_languages(form: &Form<'_>, name: &str, most: usize) {
    if let Some(texts) = form.part(name) {
        for language in ["fi", "sv", "en"] {
            texts.text(language, 1..=most);
        }
    }
}

fn paper(form: &Form<'_>) -> Part {
    for name in [
        "colorPrinting",
        "createAddressPage",
        "rotateLandscapePages",
        "twoSidedPrinting",
    ] {
        form.flag(name);
    }
    for name in ["recipient", "sender"] {
        if let Some(address) = form.part(name).and_then(|party| party.part("address")) {
            check_address(&address);
        }
    }
    if let Some(service) = form.part("printingAndEnvelopingService") {
        check_account(&service);
    }
    Part {
        is_verifiable: is_verifiable(form),
        attachments: attachments(form, 1, 1),
    }
}

fn check_address(form: &Form<'_>) {
    for name in ["name", "streetAddress", "city"] {
        form.text(name, 1..=256);
    }
    form.text("zipCode", 1..=64);
    form.optional_text("additionalName", 1..=256);
    let country = form.text("countryCode", 2..=2);
    if country.is_some_and(|code| !is_country(code)) {
        form.fault("countryCode", "must be a code of ISO 3166, XK or XX");
    }
}

fn is_country(code: &str) -> bool {
    let known: Result<CountryCode, _> = code.parse();
    known.is_ok_and(|known| known.as_str() == code && known.is_in_use())
}

fn check_account(form: &Form<'_>) {
    let pool = form.optional_text("costPool", 1..=15);
    let is_pool = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
    if pool.is_some_and(|pool| !pool.chars().all(is_pool)) {
        form.fault("costPool", "must be of A to Z and 0 to 9");
    }
    if let Some(account) = form.part("postiMessaging") {
        account.text("username", 6..=6);
        account.text("password", 4..=4);
        if let Some(contact) = account.part("contactDetails") {
            contact.text("email", 5..=256);
        }
    }
}

fn is_verifiable(form: &Form<'_>) -> bool {
    form.word("messageServiceType", &["Normal", "Verifiable"]) == Some("Verifiable")
}

fn attachments(form: &Form<'_>, least: usize, most: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for item in form.parts("attachments", least..=most) {
        let id = item.text("attachmentId", 36..=36);
        if id.is_some_and(|id| !is_uuid(id)) {
            item.fault("attachmentId", "must be a UUID");
        }
        ids.push(owned(id));
    }
    ids
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn owned(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
