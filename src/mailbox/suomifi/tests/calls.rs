use serde_json::{Value, json};

use super::*;

/// Answers like the service to one path, with tokens beside.
async fn answering(path: &'static str, status: u16, body: Value) -> Line {
    Line::new(move |seen| {
        tokens(seen).unwrap_or_else(|| {
            assert_eq!(seen.path, path);
            Reply::json(status, &body)
        })
    })
    .await
}

#[tokio::test]
async fn an_electronic_message_is_sent_as_described() {
    let line = answering(
        "/v2/messages/electronic",
        200,
        json!({ "messageId": 7, "x": 1 }),
    )
    .await;
    let sent = line.client.send(&post()).await.unwrap();
    assert_eq!((sent.message_id, sent.was_sent_before), (7, false));
    let seen = line.server.last();
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.authorization.as_deref(), Some("Bearer token-0"));
    assert_eq!(seen.content_type, "application/json");
    let wanted = json!({
        "externalId": "kuori.example-city.1",
        "sender": { "serviceId": "S-1" },
        "recipient": { "id": "131052-9085" },
        "electronic": {
            "title": "Decision of Maija Mallikas",
            "body": "Dear Maija Mallikas,\nyour child\nhas a place\nin Mallila.",
            "bodyFormat": "Text",
            "messageServiceType": "Verifiable",
            "attachments": [{ "attachmentId": "a-1" }],
            "notifications": {
                "senderDetailsInNotifications": "Organisation and service name",
                "unreadMessageNotification": { "reminder": "Default reminder" },
            },
            "replyAllowedBy": "No one",
            "visibility": "Recipient only",
        },
    });
    assert_eq!(seen.json(), wanted);
}

#[tokio::test]
async fn a_message_for_paper_alone_names_no_recipient() {
    let line = answering(
        "/v2/paper-mail-without-id",
        200,
        json!({ "messageId": "9" }),
    )
    .await;
    let post = Post {
        recipient: None,
        electronic: None,
        paper: Some(paper()),
        ..post()
    };
    assert_eq!(line.client.send(&post).await.unwrap().message_id, 9);
    let address = |name: &str| {
        json!({
            "name": name,
            "additionalName": "c/o Matti Mainio",
            "streetAddress": "Mallikatu 17 B",
            "zipCode": "99999",
            "city": "Korvatunturi",
            "countryCode": "XX",
        })
    };
    let wanted = json!({
        "externalId": "kuori.example-city.1",
        "sender": { "serviceId": "S-1" },
        "paperMail": {
            "attachments": [{ "attachmentId": "a-2" }],
            "colorPrinting": true,
            "twoSidedPrinting": false,
            "createAddressPage": true,
            "rotateLandscapePages": false,
            "messageServiceType": "Normal",
            "printingAndEnvelopingService": {
                "postiMessaging": {
                    "username": "posti6",
                    "password": "pw4!",
                    "contactDetails": { "email": "maija.clerk@city.example" },
                },
                "costPool": "POOL7",
            },
            "recipient": { "address": address("Maija Mallikas") },
            "sender": { "address": address("Example City") },
        },
    });
    assert_eq!(line.server.last().json(), wanted);
}

#[tokio::test]
async fn a_message_of_both_kinds_goes_through_the_door_where_the_service_chooses() {
    let line = answering("/v2/messages", 200, json!({ "messageId": 1 })).await;
    let post = Post {
        paper: Some(paper()),
        ..post()
    };
    line.client.send(&post).await.unwrap();
    let body = line.server.last().json();
    for part in ["electronic", "paperMail", "recipient"] {
        assert!(body[part].is_object(), "{part}");
    }
}

#[tokio::test]
async fn a_message_without_a_part_goes_nowhere() {
    let line = answering("/none", 200, json!({})).await;
    let empty = Post {
        electronic: None,
        ..post()
    };
    let nobody = Post {
        recipient: None,
        ..post()
    };
    for post in [empty, nobody] {
        let error = line.client.send(&post).await.unwrap_err();
        assert!(matches!(error, Error::Settings { .. }), "{error}");
    }
    assert!(line.server.seen().is_empty());
}

#[tokio::test]
async fn a_repeat_is_a_success_with_the_number_of_the_first_time() {
    let told = json!({ "messageId": 7, "reason": "exists" });
    let line = answering("/v2/messages/electronic", 409, told).await;
    let sent = line.client.send(&post()).await.unwrap();
    assert_eq!((sent.message_id, sent.was_sent_before), (7, true));
}

#[tokio::test]
async fn a_repeat_that_does_not_tell_its_number_is_asked_for_it() {
    let line = Line::new(|seen| match seen.path.as_str() {
        "/v1/messages/id" => Reply::json(200, &json!({ "messageId": 8 })),
        _ => tokens(seen).unwrap_or_else(|| Reply::json(409, &json!({ "reason": "exists" }))),
    })
    .await;
    let post = Post {
        external_id: ExternalId("kuori.a&b=c/ä.1".to_owned()),
        ..post()
    };
    let sent = line.client.send(&post).await.unwrap();
    assert_eq!((sent.message_id, sent.was_sent_before), (8, true));
    let asked = line.server.last();
    assert_eq!(asked.query, "externalId=kuori.a%26b%3Dc%2F%C3%A4.1");
}

#[tokio::test]
async fn a_repeat_that_nobody_finds_is_waited_for_unless_it_is_paper() {
    let line = Line::new(|seen| match seen.path.as_str() {
        "/v1/messages/id" => Reply::json(404, &json!({ "reason": "Not found" })),
        _ => tokens(seen).unwrap_or_else(|| Reply::json(409, &json!({ "reason": "exists" }))),
    })
    .await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    let letter = Post {
        electronic: None,
        paper: Some(paper()),
        ..post()
    };
    let sent = line.client.send(&letter).await.unwrap();
    assert_eq!(
        (sent.message_id, sent.was_sent_before),
        (SentMessage::NO_NUMBER, true)
    );
}

#[tokio::test]
async fn a_number_that_nobody_knows_is_none() {
    let line = answering("/v1/messages/id", 404, json!({ "reason": "Not found" })).await;
    let id = ExternalId("x".to_owned());
    assert_eq!(line.client.message_id(&id).await.unwrap(), None);
}

#[tokio::test]
async fn a_recipient_without_a_mailbox_is_told_from_a_refusal() {
    let told = json!({
        "reason": "Bad request",
        "validationErrors": [{ "error": "not in use", "errorCode": "MAILBOX_NOT_IN_USE" }],
    });
    let line = answering("/v2/messages/electronic", 400, told).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::NoMailbox), "{error}");
}

#[tokio::test]
async fn a_success_without_a_number_is_none() {
    let line = answering("/v2/messages/electronic", 200, json!({})).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    assert!(!error.is_of_message());
}

#[tokio::test]
async fn a_file_is_uploaded_under_its_name() {
    let line = answering("/v2/attachments", 201, json!({ "attachmentId": "a-9" })).await;
    let id = line.client.upload(&upload()).await.unwrap();
    assert_eq!(id, AttachmentId("a-9".to_owned()));
    let seen = line.server.last();
    assert!(
        seen.content_type
            .starts_with("multipart/form-data; boundary=")
    );
    let text = seen.text();
    assert!(
        text.contains("Content-Disposition: form-data; name=\"file\"; filename=\"päätös.pdf\"\r\n"),
        "{text}"
    );
    assert!(text.contains("Content-Type: application/pdf\r\n\r\n%PDF-1.7 of nobody\r\n"));
}

#[tokio::test]
async fn what_is_too_large_for_the_service_is_not_even_sent() {
    let most = 10_000;
    let change = |settings: &mut Settings| settings.max_request_bytes = most;
    let line = Line::with(change, |seen| {
        tokens(seen).unwrap_or_else(|| Reply::json(201, &json!({ "attachmentId": "a" })))
    })
    .await;
    let file = |bytes: u64| Upload {
        bytes: vec![0; usize::try_from(bytes).unwrap()],
        ..upload()
    };
    line.client.upload(&file(most - 2_048)).await.unwrap();
    assert!((line.server.last().body.len() as u64) < most);
    let times = line.server.seen().len();
    let error = line.client.upload(&file(most - 2_047)).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes } if bytes == most + 1));
    assert_eq!(line.server.seen().len(), times);
}

#[tokio::test]
async fn what_the_service_finds_too_large_is_told_alike() {
    let line = Line::new(|seen| {
        tokens(seen).unwrap_or_else(|| Reply::new(413, "HTTP content length exceeded"))
    })
    .await;
    let error = line.client.upload(&upload()).await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { bytes } if bytes > 17),
        "{error}"
    );
}

#[tokio::test]
async fn mailboxes_are_asked_for_in_parts_and_told_in_the_order_asked() {
    let change = |settings: &mut Settings| settings.recipients_a_question = 2;
    let line = Line::with(change, |seen| {
        tokens(seen).unwrap_or_else(|| {
            // In another order and case, twice, and with somebody who was not asked for.
            let mut users = seen.json()["endUsers"].as_array().unwrap().clone();
            users.retain(|user| user["id"] != "010190Y900P");
            users.reverse();
            users.extend(users.clone());
            users.push(json!({ "id": "150385X9013", "new": 1 }));
            users.push(json!("odd"));
            let found = json!({ "endUsersWithActiveMailbox": users }).to_string();
            Reply::new(
                200,
                found
                    .to_lowercase()
                    .replace("enduserswithactivemailbox", "endUsersWithActiveMailbox"),
            )
        })
    })
    .await;
    let ids = [
        "010523B902P",
        "010190Y900P",
        "131052-9085",
        "010523B902P",
        "2077474-0",
    ]
    .map(person);
    let asked: Vec<_> = ids.iter().collect();
    let active = line.client.are_active(&asked).await.unwrap();
    assert_eq!(active, [true, false, true, true, true]);
    assert_eq!(line.server.times("/v1/mailboxes/active"), 2);
    assert!(line.client.are_active(&[]).await.unwrap().is_empty());
    assert_eq!(line.server.times("/v1/mailboxes/active"), 2);
}

#[tokio::test]
async fn one_recipient_whom_the_service_refuses_costs_nobody_else_the_answer() {
    let line = Line::new(|seen| {
        tokens(seen).unwrap_or_else(|| {
            let body = seen.json();
            let users = body["endUsers"].as_array().unwrap();
            if users.iter().any(|user| user["id"] == "010190Y900P") {
                return Reply::json(400, &json!({ "reason": "bad id 010190Y900P" }));
            }
            Reply::json(200, &json!({ "endUsersWithActiveMailbox": users }))
        })
    })
    .await;
    let ids = ["010523B902P", "010190Y900P", "131052-9085", "150385X9013"].map(person);
    let asked: Vec<_> = ids.iter().collect();
    let active = line.client.are_active(&asked).await.unwrap();
    assert_eq!(active, [true, false, true, true]);
    // Asked alone, nobody can tell the id from the question.
    let error = line.client.are_active(&[&ids[1]]).await.unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 400, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_question_that_is_refused_whole_is_no_answer() {
    let line = answering("/v1/mailboxes/active", 400, json!({ "reason": "no" })).await;
    let ids = ["010523B902P", "010190Y900P", "131052-9085"].map(person);
    let asked: Vec<_> = ids.iter().collect();
    assert!(line.client.are_active(&asked).await.is_err());
}

#[tokio::test]
async fn an_answer_that_names_nobody_and_one_that_is_none_are_not_alike() {
    let nobody = json!({ "endUsersWithActiveMailbox": [] });
    let line = answering("/v1/mailboxes/active", 200, nobody).await;
    let id = person("131052-9085");
    assert_eq!(line.client.are_active(&[&id]).await.unwrap(), [false]);
    for other in [
        json!({}),
        json!([]),
        json!({ "endUsersWithActiveMailbox": null }),
    ] {
        let line = answering("/v1/mailboxes/active", 200, other).await;
        let error = line.client.are_active(&[&id]).await.unwrap_err();
        assert!(matches!(error, Error::Answer { .. }), "{error}");
    }
}

#[tokio::test]
async fn events_are_asked_for_from_where_the_last_page_ended() {
    let page = json!({ "continuationToken": "b/2+", "events": [] });
    let line = answering("/v2/events", 200, page).await;
    let first = line.client.events(None).await.unwrap();
    assert_eq!(line.server.last().query, "");
    assert!(first.events.is_empty());
    line.client.events(Some(&first.continuation)).await.unwrap();
    assert_eq!(line.server.last().query, "continuationToken=b%2F2%2B");
}

#[tokio::test]
async fn a_service_that_is_busy_says_when_to_come_again() {
    for status in [429, 500, 502, 503, 504] {
        let line = Line::new(move |seen| {
            let busy = || Reply::json(status, &json!({ "reason": "later" }));
            tokens(seen)
                .unwrap_or_else(|| busy().header("Retry-After", "7").header("traceId", "t-1"))
        })
        .await;
        let error = line.client.send(&post()).await.unwrap_err();
        let told = format!("the mailbox service answers {status}: later (traceId t-1)");
        assert_eq!(error.to_string(), told);
        let busy = matches!(
            error,
            Error::Busy {
                retry_after: Some(7),
                ..
            }
        );
        assert!(busy, "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let page = json!({ "continuationToken": "x", "events": [] }).to_string();
    for (bytes, is_read) in [(1_000, true), (1_001, false)] {
        let body = format!("{page:<bytes$}");
        let change = |settings: &mut Settings| settings.max_answer_bytes = 1_000;
        let line = Line::with(change, move |seen| {
            tokens(seen).unwrap_or_else(|| Reply::new(200, body.clone()))
        })
        .await;
        let read = line.client.events(None).await;
        assert_eq!(read.is_ok(), is_read, "{bytes}");
    }
}

#[tokio::test]
async fn nobody_sends_us_elsewhere() {
    let elsewhere = Server::start(|_| Reply::json(200, &json!({ "messageId": 1 }))).await;
    let url = elsewhere.url.clone();
    let line = Line::new(move |seen| {
        tokens(seen).unwrap_or_else(|| Reply::new(307, "").header("Location", &url))
    })
    .await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_service_that_does_not_answer_in_time_is_out_of_reach() {
    let change = |settings: &mut Settings| settings.request_timeout = Duration::from_millis(500);
    let line = Line::with(change, |seen| {
        let late = || Reply::json(200, &json!({ "messageId": 1 }));
        tokens(seen).unwrap_or_else(|| late().after(Duration::from_mins(10)))
    })
    .await;
    // A machine under load may be late with the token already: that is out of reach as well.
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn a_connection_that_is_cut_or_refused_is_out_of_reach() {
    let line = Line::new(|seen| tokens(seen).unwrap_or_else(|| Reply::new(200, "x").cut())).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(may_have_arrived(&error), "{error:?}");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Suomifi::new(settings(line.folder.path(), &url)).unwrap();
    let error = client.send(&post()).await.unwrap_err();
    assert!(!may_have_arrived(&error), "{error:?}");
    assert!(error.hint().is_some());
}

fn may_have_arrived(error: &Error) -> bool {
    match error {
        Error::Unreachable {
            may_have_arrived, ..
        } => *may_have_arrived,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_message_is_known_not_to_have_arrived_where_it_was_never_begun() {
    // The token is known, and then nobody listens any more.
    let (line, url) = {
        let line = Line::new(|seen| tokens(seen).unwrap_or_else(|| Reply::new(200, "x").cut()));
        let line = line.await;
        let url = line.server.url.replace("127.0.0.1", "nobody.invalid");
        (line, url)
    };
    let unknown = Suomifi::new(settings(line.folder.path(), &url)).unwrap();
    let error = unknown.send(&post()).await.unwrap_err();
    assert!(
        !may_have_arrived(&error),
        "a name that nobody knows: {error:?}"
    );
    // The answer to the question for a token is cut: the message was not sent.
    let line = Line::new(|_| Reply::new(200, "x").cut()).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(!may_have_arrived(&error), "no token: {error:?}");
}
