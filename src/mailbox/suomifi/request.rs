use serde_json::{Value, json};

use super::{
    AttachmentId, Electronic, Paper, Post, PostalAccount, PostalAddressee, hiding::with_its_words,
    text,
};
use crate::domain::{CountryCode, PostalAddress, Private, RecipientId, ServiceKind};

/// The doors of the service, by what a message has.
pub(super) fn door(post: &Post) -> Option<&'static str> {
    match (&post.electronic, &post.paper, &post.recipient) {
        (Some(_), Some(_), Some(_)) => Some("/v2/messages"),
        (Some(_), None, Some(_)) => Some("/v2/messages/electronic"),
        (None, Some(_), _) => Some("/v2/paper-mail-without-id"),
        (Some(_), _, None) | (None, None, _) => None,
    }
}

/// The body of a message, for the door that [`door`] says.
pub(super) fn message(post: &Post, service_id: &str) -> Value {
    let mut body = json!({
        "externalId": post.external_id.0,
        "sender": { "serviceId": service_id },
    });
    if let Some(electronic) = &post.electronic {
        set(&mut body, "electronic", self::electronic(electronic));
        let recipient = post.recipient.as_ref().map(RecipientId::expose);
        set(&mut body, "recipient", json!({ "id": recipient }));
    }
    if let Some(paper) = &post.paper {
        set(&mut body, "paperMail", self::paper(paper));
    }
    body
}

fn set(body: &mut Value, key: &str, value: Value) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
}

/// The body of a question for mailboxes.
pub(super) fn question(recipients: &[&str]) -> Value {
    let users: Vec<_> = recipients.iter().map(|id| json!({ "id": id })).collect();
    json!({ "endUsers": users })
}

fn electronic(part: &Electronic) -> Value {
    let chosen = |yes, if_so: &'static str, if_not| if yes { if_so } else { if_not };
    json!({
        "title": text::title(&part.title),
        "body": text::body(&part.body),
        "bodyFormat": "Text",
        "messageServiceType": service(part.service),
        "attachments": attachments(&part.attachments),
        "notifications": {
            "senderDetailsInNotifications": "Organisation and service name",
            "unreadMessageNotification": {
                "reminder": chosen(part.reminder, "Default reminder", "No reminders"),
            },
        },
        "replyAllowedBy": chosen(part.replies_allowed, "Anyone", "No one"),
        "visibility": chosen(part.recipient_only, "Recipient only", "Normal"),
    })
}

fn paper(part: &Paper) -> Value {
    json!({
        "attachments": attachments(std::slice::from_ref(&part.attachment)),
        "colorPrinting": part.colour,
        "twoSidedPrinting": part.duplex,
        "createAddressPage": part.address_page,
        "rotateLandscapePages": part.turn_landscape,
        "messageServiceType": service(part.service),
        "printingAndEnvelopingService": account(&part.account),
        "recipient": { "address": address(&part.recipient) },
        "sender": { "address": address(&part.sender) },
    })
}

fn account(account: &PostalAccount) -> Value {
    let mut body = json!({
        "postiMessaging": {
            "username": account.user,
            "password": account.password.expose(),
            "contactDetails": { "email": account.contact_email },
        },
    });
    if let Some(pool) = &account.cost_pool {
        set(&mut body, "costPool", json!(pool));
    }
    body
}

fn address(PostalAddressee(address): &PostalAddressee) -> Value {
    let mut body = json!({
        "name": text::field(address.name.as_ref()),
        "streetAddress": text::field(address.street.as_ref()),
        "zipCode": text::postal_code(address.postal_code.as_ref()),
        "city": text::field(address.city.as_ref()),
        "countryCode": country(address).as_str(),
    });
    if let Some(row) = text::optional(address.additional_name.as_ref()) {
        set(&mut body, "additionalName", json!(row));
    }
    body
}

/// A code that no country has says that it is not known.
fn country(address: &PostalAddress) -> CountryCode {
    let country = address.country_or_home();
    if country.is_in_use() {
        country
    } else {
        CountryCode::UNKNOWN
    }
}

fn service(kind: ServiceKind) -> &'static str {
    match kind {
        ServiceKind::Ordinary => "Normal",
        ServiceKind::Verifiable => "Verifiable",
    }
}

fn attachments(ids: &[AttachmentId]) -> Vec<Value> {
    let one = |id: &AttachmentId| json!({ "attachmentId": id.0 });
    ids.iter().map(one).collect()
}

/// Everything of a message that no error may repeat.
pub(super) fn private(post: &Post) -> Vec<&str> {
    let mut private: Vec<_> = post.recipient.iter().map(RecipientId::expose).collect();
    if let Some(part) = &post.electronic {
        private.extend(with_its_words(part.title.expose()));
        // A line each: what was sent has other line ends than what came in.
        private.extend(part.body.expose().split(['\r', '\n']));
    }
    if let Some(part) = &post.paper {
        private.extend(private_of(&part.recipient.0));
        private.extend(private_of(&part.sender.0));
        private.extend([
            part.account.user.as_str(),
            part.account.password.expose(),
            &part.account.contact_email,
        ]);
    }
    private
}

fn private_of(address: &PostalAddress) -> impl Iterator<Item = &str> {
    let fields = [
        &address.name,
        &address.additional_name,
        &address.street,
        &address.postal_code,
        &address.city,
    ];
    let texts = fields.into_iter().flatten().map(Private::expose);
    texts.flat_map(|text| with_its_words(text))
}
