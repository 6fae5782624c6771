use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    Caller,
    caller::{EVEN, form, multichannel},
    electronic, settings,
};
use crate::suomifi_stub::{Error, Limits, Settings, Stub};

/// Where a text stands, and its least and most characters.
const TEXTS: &[(&str, usize, usize)] = &[
    ("/externalId", 1, 256),
    ("/sender/serviceId", 1, 64),
    ("/recipient/id", 9, 11),
    ("/electronic/title", 1, 256),
    ("/electronic/body", 1, 40_000),
    ("/paperMail/recipient/address/name", 1, 256),
    ("/paperMail/recipient/address/streetAddress", 1, 256),
    ("/paperMail/recipient/address/city", 1, 256),
    ("/paperMail/recipient/address/zipCode", 1, 64),
    ("/paperMail/sender/address/additionalName", 1, 256),
    ("/paperMail/printingAndEnvelopingService/costPool", 1, 15),
    (
        "/paperMail/printingAndEnvelopingService/postiMessaging/username",
        6,
        6,
    ),
    (
        "/paperMail/printingAndEnvelopingService/postiMessaging/password",
        4,
        4,
    ),
    (
        "/paperMail/printingAndEnvelopingService/postiMessaging/contactDetails/email",
        5,
        256,
    ),
    (
        "/electronic/notifications/customisedNewMessageNotification/title/fi",
        1,
        256,
    ),
    (
        "/electronic/notifications/customisedNewMessageNotification/content/sv",
        1,
        1_500,
    ),
];

/// Where one of some words stands.
const WORDS: &[&str] = &[
    "/electronic/bodyFormat",
    "/electronic/messageServiceType",
    "/electronic/replyAllowedBy",
    "/electronic/visibility",
    "/electronic/notifications/senderDetailsInNotifications",
    "/electronic/notifications/unreadMessageNotification/reminder",
    "/paperMail/messageServiceType",
    "/paperMail/recipient/address/countryCode",
];

const FLAGS: &[&str] = &[
    "/paperMail/colorPrinting",
    "/paperMail/createAddressPage",
    "/paperMail/rotateLandscapePages",
    "/paperMail/twoSidedPrinting",
];

/// With all that may be left out.
fn full(external_id: &str, attachment: &str) -> Value {
    let mut message = multichannel(external_id, attachment);
    let three = json!({"fi": "a", "sv": "b", "en": "c"});
    message["electronic"]["notifications"]["customisedNewMessageNotification"] =
        json!({"title": three, "content": three});
    message["paperMail"]["sender"]["address"]["additionalName"] = json!("x");
    message
}

/// What may stay away.
const OPTIONAL: &[&str] = &[
    "/paperMail/sender/address/additionalName",
    "/paperMail/printingAndEnvelopingService/costPool",
];

#[tokio::test]
async fn each_text_is_held_to_its_length_and_one_past_it_is_refused() {
    let caller = Caller::start(settings()).await;
    let file = caller.uploaded().await;
    for (index, (place, least, most)) in TEXTS.iter().enumerate() {
        for length in BTreeSet::from([least - 1, *least, *most, most + 1]) {
            let mut message = full(&format!("{index}.{length}"), &file);
            // A character of two bytes, where any will do.
            let letter = if place.ends_with("costPool") {
                "A"
            } else {
                "ä"
            };
            *message.pointer_mut(place).unwrap() = json!(letter.repeat(length));
            let answer = caller.post("/v2/messages", &message).await;
            if (*least..=*most).contains(&length) {
                assert_eq!(answer.status, 200, "{place} {length}: {answer:?}");
            } else {
                assert_is_about(&answer.faults(), place);
            }
        }
    }
}

#[tokio::test]
async fn each_field_that_must_be_there_is_missed_and_each_of_another_type_refused() {
    let caller = Caller::start(settings()).await;
    let file = caller.uploaded().await;
    let texts = TEXTS.iter().map(|(place, ..)| *place);
    let parts = [
        "/sender",
        "/recipient",
        "/electronic",
        "/electronic/notifications",
        "/electronic/attachments",
        "/paperMail",
        "/paperMail/attachments",
        "/paperMail/printingAndEnvelopingService",
    ];
    for place in texts
        .chain(WORDS.iter().copied())
        .chain(FLAGS.iter().copied())
        .chain(parts)
    {
        let mut message = full("a", &file);
        *message.pointer_mut(place).unwrap() = json!(1);
        let wrong = caller.post("/v2/messages", &message).await;
        assert_is_about(&wrong.faults(), place);
        if OPTIONAL.contains(&place) {
            continue;
        }
        let (parent, name) = place.rsplit_once('/').unwrap();
        let object = message.pointer_mut(parent).unwrap();
        object.as_object_mut().unwrap().remove(name);
        let missing = caller.post("/v2/messages", &message).await;
        assert_is_about(&missing.faults(), place);
    }
}

fn assert_is_about(faults: &[String], place: &str) {
    let name = place[1..].replace('/', ".");
    let [fault] = faults else {
        panic!("{place}: {faults:?}");
    };
    assert!(fault.starts_with(&format!("{name} ")), "{place}: {fault}");
}

#[tokio::test]
async fn each_word_is_one_of_its_words() {
    let caller = Caller::start(settings()).await;
    let file = caller.uploaded().await;
    for place in WORDS {
        let mut message = full("a", &file);
        *message.pointer_mut(place).unwrap() = json!("zz");
        let refused = caller.post("/v2/messages", &message).await;
        assert_is_about(&refused.faults(), place);
    }
    for (country, status) in [
        ("XX", 200),
        ("XK", 200),
        ("ZW", 200),
        ("fi", 400),
        ("QQ", 400),
    ] {
        let mut message = full(country, &file);
        message["paperMail"]["recipient"]["address"]["countryCode"] = json!(country);
        let answer = caller.post("/v2/messages", &message).await;
        assert_eq!(answer.status, status, "{country}");
    }
}

#[tokio::test]
async fn all_that_is_wrong_is_said_at_once_without_a_value() {
    let caller = Caller::start(settings()).await;
    let mut message = electronic("a", &["no-uuid"]);
    message["recipient"]["id"] = json!("12345678");
    message["electronic"]["title"] = json!("");
    let refused = caller.send(&message).await;
    assert_eq!(
        refused.faults(),
        [
            "recipient.id must have 9 to 11 characters",
            "electronic.title must have 1 to 256 characters",
            "electronic.attachments[0].attachmentId must have 36 to 36 characters",
        ]
    );
    assert!(!refused.body.contains("12345678"));
}

#[tokio::test]
async fn fifty_attachments_go_with_a_message_and_one_with_paper() {
    let caller = Caller::start(settings()).await;
    let file = caller.uploaded().await;
    for (count, status) in [(50, 200), (51, 400)] {
        let message = electronic(&count.to_string(), &vec![file.as_str(); count]);
        assert_eq!(caller.send(&message).await.status, status, "{count}");
    }
    for (count, status) in [(0, 400), (1, 200), (2, 400)] {
        let mut message = multichannel(&format!("p{count}"), &file);
        message["paperMail"]["attachments"] = json!(vec![json!({"attachmentId": file}); count]);
        let answer = caller.post("/v2/messages", &message).await;
        assert_eq!(answer.status, status, "{count}");
    }
}

#[tokio::test]
async fn ten_thousand_recipients_are_one_question_and_none_is_none() {
    let caller = Caller::start(settings()).await;
    for (count, status) in [(0, 400), (1, 200), (10_000, 200), (10_001, 400)] {
        let asked = json!({"endUsers": vec![json!({"id": EVEN}); count]});
        let answer = caller.post("/v1/mailboxes/active", &asked).await;
        assert_eq!(answer.status, status, "{count}");
    }
    assert_eq!(caller.stub.counts().recipients_asked, 10_001);
    for id in ["12345678", "123456789012"] {
        let asked = json!({"endUsers": [{"id": id}]});
        let answer = caller.post("/v1/mailboxes/active", &asked).await;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains(id));
    }
}

#[tokio::test]
async fn a_request_of_ten_mebibytes_is_taken_and_one_byte_more_is_not() {
    let caller = Caller::start(settings()).await;
    let most = 10_485_760;
    let around = form("a.pdf", "application/pdf", b"").len();
    for (size, status) in [(most, 201), (most + 1, 413)] {
        let file = vec![b'x'; size - around];
        let answer = caller.upload("a.pdf", "application/pdf", &file).await;
        assert_eq!(answer.status, status, "{size}");
        if status == 413 {
            assert_eq!(answer.body, "HTTP content length exceeded 10485760 bytes.");
            assert!(answer.headers.contains("content-type: text/plain"));
        }
    }
}

#[tokio::test]
async fn a_file_is_of_a_type_that_is_taken_and_has_a_name() {
    let caller = Caller::start(settings()).await;
    for (name, kind, status) in [
        ("a.pdf", "application/pdf", 201),
        ("a.png", "image/png", 201),
        ("a.txt", "text/plain; charset=utf-8", 201),
        ("a.gif", "image/gif", 415),
        ("", "application/pdf", 400),
    ] {
        let answer = caller.upload(name, kind, b"x").await;
        assert_eq!(answer.status, status, "{name} {kind}");
    }
    let body = form("a.pdf", "application/pdf", b"x");
    let kind = "application/octet-stream";
    let answer = caller.ask("POST", "/v2/attachments", kind, &body).await;
    assert_eq!(answer.unwrap().status, 415);
    let kind = "multipart/form-data; boundary=other";
    let answer = caller.ask("POST", "/v2/attachments", kind, &body).await;
    assert_eq!(answer.unwrap().status, 400);
}

#[tokio::test]
async fn events_come_a_thousand_at_a_time_for_sixty_days() {
    let mut caller = Caller::start(settings()).await;
    for number in 0..1_001 {
        caller
            .stub
            .add_event(json!({"type": "x", "number": number}));
    }
    let page = caller.get("/v2/events").await.json();
    assert_eq!(page["events"].as_array().unwrap().len(), 1_000);
    let token = page["continuationToken"].as_str().unwrap();
    let rest = caller
        .get(&format!("/v2/events?continuationToken={token}"))
        .await
        .json();
    assert_eq!(rest["events"], json!([{"type": "x", "number": 1_000}]));
    let last = rest["continuationToken"].as_str().unwrap().to_owned();
    let (none, same) = caller.events(Some(last.clone())).await;
    assert_eq!((none.len(), same), (0, last.clone()));
    caller.stub.put_clock_forward(Duration::from_hours(60 * 24));
    caller.stub.add_event(json!({"type": "y"}));
    caller.stub.put_clock_forward(Duration::from_secs(1));
    caller.log_in().await;
    // Those of the first day are gone; a token goes on working.
    let (left, _) = caller.events(None).await;
    assert_eq!(left, [json!({"type": "y"})]);
    let (left, _) = caller.events(Some(last)).await;
    assert_eq!(left, [json!({"type": "y"})]);
    for token in ["0", "xyz", "ffffffffffffffff"] {
        let answer = caller
            .get(&format!("/v2/events?continuationToken={token}"))
            .await;
        assert_eq!(answer.status, 400, "{token}");
    }
}

#[tokio::test]
async fn it_says_when_its_memory_is_full() {
    let limits = Limits {
        messages: 1,
        uploads: 1,
        events: 1,
        ..Limits::default()
    };
    let caller = Caller::start(Settings {
        limits,
        ..settings()
    })
    .await;
    caller.uploaded().await;
    assert_eq!(
        caller.upload("a.pdf", "application/pdf", b"x").await.status,
        503
    );
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 200);
    assert_eq!(caller.send(&electronic("b", &[])).await.status, 503);
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 409);
    caller.stub.add_event(json!({"type": "x"}));
    assert_eq!(caller.events(None).await.0, [json!({"type": "x"})]);
}

#[tokio::test]
async fn only_services_that_are_named_may_send() {
    let services = vec!["service-1".to_owned()];
    let caller = Caller::start(Settings {
        services,
        ..settings()
    })
    .await;
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 200);
    let mut other = electronic("b", &[]);
    other["sender"]["serviceId"] = json!("service-2");
    assert_eq!(
        caller.send(&other).await.faults(),
        ["sender.serviceId is not known"]
    );
}

#[tokio::test]
async fn requests_above_the_limit_of_a_second_are_put_off() {
    let requests_per_sec = Some(1);
    let settings = Settings {
        requests_per_sec,
        ..settings()
    };
    let caller = Caller::start(settings).await;
    // Whatever second this is: of so many, some are too many.
    let mut put_off = None;
    for _ in 0..100 {
        let answer = caller.get("/v2/events").await;
        if answer.status == 429 {
            put_off = Some(answer);
            break;
        }
    }
    assert!(put_off.unwrap().headers.contains("retry-after: 1"));
}

#[tokio::test]
async fn others_reach_it_only_where_that_was_asked_for() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let settings = Settings {
        listen,
        ..settings()
    };
    let refused = Stub::start(settings.clone()).await;
    assert!(matches!(refused, Err(Error::NotLoopback { .. })));
    let open_to_others = true;
    assert!(
        Stub::start(Settings {
            open_to_others,
            ..settings
        })
        .await
        .is_ok()
    );
}
