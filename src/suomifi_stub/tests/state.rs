use std::time::Duration;

use serde_json::json;

use super::{
    Caller,
    caller::{EVEN, ODD, multichannel, paper_alone},
    electronic, settings,
};
use crate::suomifi_stub::{Happening, Mailboxes, Route, Selection};

#[tokio::test]
async fn a_letter_goes_from_the_question_to_its_event() {
    let caller = Caller::start(settings()).await;
    caller.stub.close_mailbox(ODD);
    let asked = json!({"endUsers": [{"id": ODD}, {"id": EVEN}]});
    let active = caller.post("/v1/mailboxes/active", &asked).await.json();
    assert_eq!(active, json!({"endUsersWithActiveMailbox": [{"id": EVEN}]}));
    let file = caller.uploaded().await;
    let sent = caller.send(&electronic("a", &[&file])).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert!(sent.headers.contains("\r\ntraceid: "), "{sent:?}");
    let number = sent.json()["messageId"].as_i64().unwrap();
    assert!(number > i64::from(u32::MAX));
    let (events, _) = caller.events(None).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["type"], "Electronic message created");
    assert_eq!(
        events[0]["metadata"],
        json!({"messageId": number, "serviceId": "service-1", "externalId": "a"})
    );
    let accepted = caller.stub.accepted();
    assert_eq!(accepted[0].attachments, std::slice::from_ref(&file));
    assert_eq!(accepted[0].body, Some(electronic("a", &[&file])));
    let (name, kind, bytes) = caller.stub.upload(&file).unwrap();
    assert_eq!(
        (name.as_str(), kind.as_str()),
        ("kirje.pdf", "application/pdf")
    );
    assert_eq!(bytes, b"%PDF-");
}

#[tokio::test]
async fn what_is_sent_again_keeps_its_number_in_each_service() {
    let caller = Caller::start(settings()).await;
    let first = caller.send(&electronic("a", &[])).await.json();
    let again = caller.send(&electronic("a", &[])).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["messageId"], first["messageId"]);
    let mut other = electronic("a", &[]);
    other["sender"]["serviceId"] = json!("service-2");
    let other = caller.send(&other).await;
    assert_eq!(other.status, 200);
    assert_ne!(other.json()["messageId"], first["messageId"]);
    assert_eq!(caller.stub.accepted().len(), 2);
    assert_eq!(caller.stub.accepted()[0].repeats, 1);
    let counts = caller.stub.counts();
    assert_eq!((counts.sent, counts.repeats), (2, 1));
}

#[tokio::test]
async fn a_number_is_found_by_the_id_of_the_sender() {
    let caller = Caller::start(settings()).await;
    let id = "kuori.x å&=+1";
    let sent = caller.send(&electronic(id, &[])).await.json();
    let found = caller
        .get("/v1/messages/id?externalId=kuori.x+%C3%A5%26%3D%2B1")
        .await;
    assert_eq!((found.status, found.json()), (200, sent));
    assert_eq!(caller.get("/v1/messages/id?externalId=b").await.status, 404);
    assert_eq!(caller.get("/v1/messages/id").await.status, 400);
}

#[tokio::test]
async fn without_a_good_token_nobody_is_let_in() {
    let mut caller = Caller::start(settings()).await;
    let good = caller.token.clone();
    for token in ["", "0.0"] {
        caller.token = token.to_owned();
        assert_eq!(caller.get("/v2/events").await.status, 401);
        assert_eq!(caller.send(&electronic("a", &[])).await.status, 401);
    }
    caller.token = good;
    assert_eq!(caller.get("/v2/events").await.status, 200);
    let bare = caller.token.clone();
    let answer =
        super::caller::ask(caller.stub.address(), "GET", "/v2/events", "", &bare, b"").await;
    assert_eq!(answer.unwrap().status, 200);
    caller.stub.put_clock_forward(Duration::from_secs(3_601));
    assert_eq!(caller.get("/v2/events").await.status, 401);
    caller.log_in().await;
    assert_eq!(caller.get("/v2/events").await.status, 200);
    caller.stub.expire_tokens();
    assert_eq!(caller.get("/v2/events").await.status, 401);
}

#[tokio::test]
async fn a_wrong_password_is_a_bad_request() {
    let caller = Caller::start(settings()).await;
    for asked in [
        json!({"username": "stub", "password": "wrong"}),
        json!({"username": "other", "password": caller.stub.password()}),
        json!({"username": "stub"}),
        json!([]),
    ] {
        let answer = caller.post("/v1/token", &asked).await;
        assert_eq!(answer.status, 400, "{asked}");
        assert!(answer.json()["reason"].is_string());
    }
}

#[tokio::test]
async fn a_new_password_ends_the_old_one_and_its_tokens() {
    let mut caller = Caller::start(settings()).await;
    let new = "aA1!".repeat(8);
    let change = |new: &str, caller: &Caller| {
        json!({
            "accessToken": caller.token, "currentPassword": caller.stub.password(), "newPassword": new
        })
    };
    let weak = [
        "aA1!".repeat(7) + "aA1",
        "aa1!".repeat(8),
        "AA1!".repeat(8),
        "aAa!".repeat(8),
        "aA11".repeat(8),
    ];
    for weak in weak {
        let asked = change(&weak, &caller);
        assert_eq!(
            caller.post("/v1/change-password", &asked).await.status,
            400,
            "{weak}"
        );
    }
    let mut wrong = change(&new, &caller);
    wrong["currentPassword"] = json!("wrong");
    assert_eq!(caller.post("/v1/change-password", &wrong).await.status, 400);
    let changed = caller
        .post("/v1/change-password", &change(&new, &caller))
        .await;
    assert_eq!((changed.status, changed.body.as_str()), (200, "{}"));
    assert_eq!(caller.get("/v2/events").await.status, 401);
    assert_eq!(caller.stub.password(), new);
    caller.log_in().await;
    assert_eq!(caller.get("/v2/events").await.status, 200);
}

#[tokio::test]
async fn who_has_no_mailbox_is_said_by_a_code() {
    let mailboxes = Mailboxes::Even;
    let caller = Caller::start(crate::suomifi_stub::Settings {
        mailboxes,
        ..settings()
    })
    .await;
    let mut message = electronic("a", &[]);
    message["recipient"]["id"] = json!(ODD);
    let refused = caller.send(&message).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.json()["validationErrors"][0]["errorCode"],
        "MAILBOX_NOT_IN_USE"
    );
    caller.stub.open_mailbox(ODD);
    assert_eq!(caller.send(&message).await.status, 200);
}

#[tokio::test]
async fn a_reply_needs_a_message_of_the_recipient() {
    let caller = Caller::start(settings()).await;
    let mut message = electronic("a", &[]);
    message["electronic"]["inReplyToMessageId"] = json!(77);
    let refused = caller.send(&message).await.json();
    let code = &refused["validationErrors"][0]["errorCode"];
    assert_eq!(code, "MESSAGE_BEING_REPLIED_TO_NOT_FOUND");
    caller.stub.add_event(json!({
        "type": "Electronic message from end user",
        "eventTime": "2026-01-01T00:00:00Z",
        "metadata": {"messageId": 77, "serviceId": "service-1"},
    }));
    assert_eq!(caller.send(&message).await.status, 200);
}

#[tokio::test]
async fn both_ways_are_chosen_by_the_mailbox() {
    let caller = Caller::start(settings()).await;
    caller.stub.close_mailbox(ODD);
    let file = caller.uploaded().await;
    for (external_id, recipient, route) in
        [("a", EVEN, Route::Electronic), ("b", ODD, Route::Paper)]
    {
        let mut message = multichannel(external_id, &file);
        message["recipient"]["id"] = json!(recipient);
        let sent = caller.post("/v2/messages", &message).await;
        assert_eq!(sent.status, 200, "{sent:?}");
        assert_eq!(caller.stub.accepted().last().unwrap().route, route);
    }
    let alone = caller
        .post("/v2/paper-mail-without-id", &paper_alone("c", &file))
        .await;
    assert_eq!(alone.status, 200, "{alone:?}");
    assert_eq!(caller.stub.accepted()[2].route, Route::Paper);
    let again = caller
        .post("/v2/paper-mail-without-id", &paper_alone("c", &file))
        .await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["messageId"], alone.json()["messageId"]);
}

#[tokio::test]
async fn a_repeat_of_paper_may_come_without_its_number() {
    let settings = crate::suomifi_stub::Settings {
        tells_number_of_repeated_paper: false,
        ..settings()
    };
    let caller = Caller::start(settings).await;
    let paper = paper_alone("c", &caller.uploaded().await);
    caller.post("/v2/paper-mail-without-id", &paper).await;
    let again = caller.post("/v2/paper-mail-without-id", &paper).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["messageId"], json!(null));
}

#[tokio::test]
async fn an_upload_that_is_not_used_goes_after_a_day() {
    let mut caller = Caller::start(settings()).await;
    let (used, unused) = (caller.uploaded().await, caller.uploaded().await);
    assert_eq!(caller.send(&electronic("a", &[&used])).await.status, 200);
    caller.stub.put_clock_forward(Duration::from_hours(24));
    caller.log_in().await;
    assert_eq!(caller.send(&electronic("b", &[&used])).await.status, 200);
    let refused = caller.send(&electronic("c", &[&used, &unused])).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.faults(),
        ["electronic.attachments[1] does not exist"]
    );
    // What was sent is repeated all the same.
    assert_eq!(caller.send(&electronic("a", &[&unused])).await.status, 409);
}

#[tokio::test]
async fn recipients_and_the_post_do_what_they_are_told_once() {
    let caller = Caller::start(settings()).await;
    caller.stub.close_mailbox(ODD);
    let file = caller.uploaded().await;
    let mut verifiable = electronic("v", &[]);
    verifiable["electronic"]["messageServiceType"] = json!("Verifiable");
    caller.send(&electronic("n", &[])).await;
    caller.send(&verifiable).await;
    caller
        .post("/v2/paper-mail-without-id", &paper_alone("p", &file))
        .await;
    let (_, token) = caller.events(None).await;
    let all = Selection::default();
    for (what, touched) in [
        // A verifiable one opens once it is confirmed.
        (Happening::Read, 1),
        (Happening::Acknowledge, 1),
        (Happening::Acknowledge, 0),
        (Happening::Read, 1),
        (Happening::PostConfirm, 0),
        (Happening::Print, 1),
        (Happening::PostReturn, 1),
        (Happening::PostConfirm, 0),
    ] {
        assert_eq!(caller.stub.happen(what, &all).len(), touched, "{what:?}");
    }
    let (events, _) = caller.events(Some(token)).await;
    let told: Vec<_> = events
        .iter()
        .map(|event| format!("{} {}", event["type"], event["metadata"]["externalId"]))
        .collect();
    assert_eq!(
        told,
        [
            r#""Electronic message read" "n""#,
            r#""Receipt confirmed" "v""#,
            r#""Electronic message read" "v""#,
            r#""Sent for printing and enveloping" "p""#,
            r#""Posti: returned to sender" "p""#,
        ]
    );
    assert!(events[1]["metadata"]["receiptConfirmedBy"].is_string());
    assert!(events[4]["metadata"]["postiTrackingCode"].is_string());
}

#[tokio::test]
async fn what_a_sender_may_not_read_is_not_there() {
    let caller = Caller::start(settings()).await;
    assert_eq!(caller.get("/v2/messages/1").await.status, 404);
    assert_eq!(caller.get("/v1/attachments/1").await.status, 404);
    assert_eq!(caller.get("/v1/events").await.status, 404);
    assert_eq!(caller.get("/v2/attachments").await.status, 405);
}
