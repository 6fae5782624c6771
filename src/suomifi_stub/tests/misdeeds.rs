use std::time::{Duration, Instant};

use serde_json::json;

use super::{Caller, electronic, settings};
use crate::suomifi_stub::{Misdeed, Settings, Trouble};

#[tokio::test]
async fn some_requests_are_answered_with_another_status_and_a_time_to_wait() {
    let caller = Caller::start(settings()).await;
    let trouble = json!({
        "what": {"status": {"status": 429, "retry_after_secs": 7}},
        "on": "/v2/messages", "skip": 1, "times": 2,
    });
    assert_eq!(caller.post("/_stub/troubles", &trouble).await.status, 200);
    let mut statuses = Vec::new();
    for number in 0..4 {
        let answer = caller.send(&electronic(&number.to_string(), &[])).await;
        if answer.status == 429 {
            assert!(answer.headers.contains("retry-after: 7"), "{answer:?}");
        }
        statuses.push(answer.status);
        assert_eq!(caller.get("/v2/events").await.status, 200);
    }
    assert_eq!(statuses, [200, 429, 429, 200]);
    assert_eq!(caller.stub.accepted().len(), 2);
    assert_eq!(caller.stub.counts().mishaps, 2);
    assert_eq!(caller.stub.counts().answers[&429], 2);
}

#[tokio::test]
async fn trouble_can_be_about_one_message_alone() {
    let caller = Caller::start(settings()).await;
    let trouble = json!({"what": {"status": {"status": 403}}, "about": "\"b\""});
    assert_eq!(caller.post("/_stub/troubles", &trouble).await.status, 200);
    let mut statuses = Vec::new();
    for id in ["a", "b", "c", "b"] {
        statuses.push(caller.send(&electronic(id, &[])).await.status);
    }
    assert_eq!(statuses, [200, 403, 200, 403]);
}

#[tokio::test]
async fn a_refusal_after_the_effect_leaves_a_message_that_is_found_by_its_repeat() {
    let caller = Caller::start(settings()).await;
    caller
        .stub
        .trouble(Trouble::status(502).times(1).after_effect());
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 502);
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 409);
}

#[tokio::test]
async fn a_connection_is_cut_before_the_effect_after_it_and_in_the_middle_of_the_answer() {
    let caller = Caller::start(settings()).await;
    let cut = Trouble::new(Misdeed::Cut).times(1);
    let middle = Trouble::new(Misdeed::CutMiddle).times(1);
    for (trouble, is_accepted) in [
        (cut.clone(), false),
        (cut.after_effect(), true),
        (middle, true),
    ] {
        let before = caller.stub.accepted().len();
        caller.stub.trouble(trouble.clone());
        let body = electronic(&before.to_string(), &[]).to_string();
        let path = "/v2/messages/electronic";
        let answer = caller
            .ask("POST", path, "application/json", body.as_bytes())
            .await;
        assert!(answer.is_none(), "{trouble:?}: {answer:?}");
        let accepted = caller.stub.accepted().len() > before;
        assert_eq!(accepted, is_accepted, "{trouble:?}");
    }
}

#[tokio::test]
async fn an_answer_comes_late() {
    let caller = Caller::start(settings()).await;
    caller
        .stub
        .trouble(Trouble::new(Misdeed::Slow(200)).times(1));
    let began = Instant::now();
    assert_eq!(caller.get("/v2/events").await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn a_good_token_is_refused_once_or_for_good() {
    let mut caller = Caller::start(settings()).await;
    caller
        .stub
        .trouble(Trouble::new(Misdeed::Unauthorized).times(1));
    assert_eq!(caller.get("/v2/events").await.status, 401);
    assert_eq!(caller.get("/v2/events").await.status, 200);
    caller
        .stub
        .trouble(Trouble::new(Misdeed::ExpireToken).times(1));
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 401);
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 401);
    caller.log_in().await;
    assert_eq!(caller.send(&electronic("a", &[])).await.status, 200);
}

#[tokio::test]
async fn an_address_falls_off_the_list() {
    let caller = Caller::start(settings()).await;
    caller.stub.trouble(Trouble::new(Misdeed::NotListed));
    let answer = caller.get("/v2/events").await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["reason"].is_string());
    caller.stub.end_troubles();
    assert_eq!(caller.get("/v2/events").await.status, 200);
}

#[tokio::test]
async fn answers_are_something_else_or_have_more_than_is_described() {
    let caller = Caller::start(settings()).await;
    let once = |what| caller.stub.trouble(Trouble::new(what).times(1));
    once(Misdeed::WrongType);
    let answer = caller.get("/v2/events").await;
    assert!(answer.headers.contains("content-type: text/html"));
    once(Misdeed::BrokenJson);
    let answer = caller.get("/v2/events").await;
    assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    assert!(answer.headers.contains("content-type: application/json"));
    once(Misdeed::UnknownFields);
    let answer = caller.get("/v2/events").await.json();
    assert!(answer["addedLater"].is_object());
}

#[tokio::test]
async fn events_come_twice_in_any_order_and_with_some_that_nobody_knows() {
    let caller = Caller::start(settings()).await;
    for number in 0..20 {
        caller.send(&electronic(&number.to_string(), &[])).await;
    }
    let (right, _) = caller.events(None).await;
    let path = "/v2/events";
    let events = async |what| {
        caller.stub.trouble(Trouble::new(what).times(1));
        caller.get(path).await.json()["events"]
            .as_array()
            .unwrap()
            .clone()
    };
    let twice = events(Misdeed::DuplicateEvents).await;
    assert_eq!(
        (twice.len(), &twice[0], &twice[1]),
        (40, &right[0], &right[0])
    );
    let mut shuffled = events(Misdeed::ShuffleEvents).await;
    assert_ne!(shuffled, right);
    shuffled.sort_by_key(|event| event["metadata"]["messageId"].as_i64());
    assert_eq!(shuffled, right);
    let unknown = events(Misdeed::UnknownEvents).await;
    assert_eq!((unknown.len(), &unknown[..20]), (21, &right[..]));
    let strange = events(Misdeed::StrangeEvents).await;
    assert_eq!(strange[20]["metadata"]["externalId"], "nobody-sent-it");
    assert_eq!(events(Misdeed::Slow(0)).await, right);
}

#[tokio::test]
async fn a_share_of_requests_is_thrown_by_a_seeded_dice() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let troubles = vec![Trouble::status(503).share(0.3).on("/v2/events")];
        let caller = Caller::start(Settings {
            troubles,
            ..settings()
        })
        .await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(caller.get("/v2/events").await.status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].iter().filter(|status| **status == 503).count();
    assert!((15..45).contains(&failed), "{failed}");
}

#[tokio::test]
async fn an_order_that_makes_no_sense_is_refused() {
    let caller = Caller::start(settings()).await;
    for order in [
        json!({"what": "cut", "share": 1.5}),
        json!({"what": {"status": {"status": 200}}}),
        json!({"what": "cut", "shar": 0.5}),
        json!({"what": "explode"}),
        json!({}),
    ] {
        let answer = caller.post("/_stub/troubles", &order).await;
        assert_eq!(answer.status, 400, "{order}");
    }
    assert_eq!(caller.post("/_stub/reed", &json!({})).await.status, 400);
    assert_eq!(caller.get("/_stub/troubles").await.json(), json!([]));
}

#[tokio::test]
async fn the_door_of_control_does_what_the_methods_do() {
    let mut caller = Caller::start(Settings {
        keeps_exchanges: true,
        ..settings()
    })
    .await;
    let sent = caller.send(&electronic("a", &[])).await.json();
    let read = caller
        .post("/_stub/read", &json!({"external_ids": ["a"]}))
        .await
        .json();
    assert_eq!(read["message_ids"], json!([sent["messageId"]]));
    let messages = caller.get("/_stub/messages").await.json();
    assert_eq!(messages[0]["is_read"], true);
    let after = caller
        .get(&format!("/_stub/messages?after={}", sent["messageId"]))
        .await;
    assert_eq!(after.json(), json!([]));
    let order = json!({"all": "none", "open": ["010190-900p"]});
    caller.post("/_stub/mailboxes", &order).await;
    assert_eq!(caller.send(&electronic("b", &[])).await.status, 200);
    caller
        .post("/_stub/mailboxes", &json!({"close": ["010190-900P"]}))
        .await;
    assert_eq!(caller.send(&electronic("c", &[])).await.status, 400);
    caller
        .post("/_stub/events", &json!({"events": [{"type": "new"}]}))
        .await;
    assert!(
        caller
            .events(None)
            .await
            .0
            .contains(&json!({"type": "new"}))
    );
    caller
        .post("/_stub/clock", &json!({"forward_secs": 3_601}))
        .await;
    assert_eq!(caller.get("/v2/events").await.status, 401);
    caller.log_in().await;
    caller.post("/_stub/expire-tokens", &json!({})).await;
    assert_eq!(caller.get("/v2/events").await.status, 401);
    let counts = caller.get("/_stub/counts").await.json();
    assert_eq!(counts["sent"], 2);
    assert_eq!(counts["requests"]["/v2/messages/electronic"], 3);
    let exchanges = caller.get("/_stub/exchanges").await.body;
    let exchange: serde_json::Value =
        serde_json::from_str(exchanges.lines().nth(1).unwrap()).unwrap();
    assert_eq!(exchange["path"], "/v2/messages/electronic");
    assert_eq!(exchange["answer"]["status"], 200);
    assert!(!exchanges.contains(&caller.token));
}
