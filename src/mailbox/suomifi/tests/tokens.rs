use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures::join_all;
use serde_json::json;

use super::*;

/// Waits for all of them at once.
mod futures {
    use tokio::task::JoinSet;

    pub(super) async fn join_all<T: Send + 'static>(
        all: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        all.collect::<JoinSet<_>>().join_all().await
    }
}

fn sent() -> Reply {
    Reply::json(200, &json!({ "messageId": 1 }))
}

fn refused() -> Reply {
    Reply::json(401, &json!({ "reason": "expired" }))
}

/// Fifty calls at once.
async fn fifty(client: Suomifi) -> Vec<Result<SentMessage, Error>> {
    let client = Arc::new(client);
    let calls = (0..50).map(|_| {
        let client = Arc::clone(&client);
        async move { client.send(&post()).await }
    });
    join_all(calls).await
}

#[tokio::test]
async fn fifty_calls_at_once_need_one_token() {
    let line = Line::new(|seen| {
        // Late, so that all of them wait for it.
        let token = tokens(seen).map(|token| token.after(Duration::from_millis(300)));
        token.unwrap_or_else(sent)
    })
    .await;
    let outcomes = fifty(line.client).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(line.server.times("/v1/token"), 1);
    assert_eq!(line.server.times("/v2/messages/electronic"), 50);
}

#[tokio::test]
async fn fifty_calls_whose_token_ends_in_the_middle_need_one_more() {
    let line = Line::new(|seen| {
        let is_first = seen.authorization.as_deref() == Some("Bearer token-0");
        tokens(seen).unwrap_or_else(|| if is_first { refused() } else { sent() })
    })
    .await;
    let outcomes = fifty(line.client).await;
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(line.server.times("/v1/token"), 2);
}

#[tokio::test]
async fn fifty_calls_that_wait_for_a_token_in_vain_do_not_ask_one_after_the_other() {
    let line = Line::new(|_| Reply::new(503, "").after(Duration::from_millis(300))).await;
    let outcomes = fifty(line.client).await;
    let is_busy = |it: &Result<_, Error>| matches!(it, Err(Error::Busy { status: 503, .. }));
    assert!(outcomes.iter().all(is_busy));
    // A call that begins after the first answer may ask once more.
    assert!(line.server.times("/v1/token") < 10);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_no_more() {
    let line = Line::new(|seen| tokens(seen).unwrap_or_else(refused)).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::NotLetIn { .. }), "{error}");
    assert_eq!(line.server.times("/v2/messages/electronic"), 2);
    assert_eq!(line.server.times("/v1/token"), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end() {
    let line = Line::new(|seen| {
        let short = json!({ "access_token": "t", "expires_in": "2", "token_type": "Bearer" });
        match (seen.path.as_str(), seen.number) {
            ("/v1/token", 0) => Reply::json(200, &short),
            ("/v1/token", _) => Reply::token("u"),
            _ => sent(),
        }
    })
    .await;
    line.client.send(&post()).await.unwrap();
    // Of a short one, half is used.
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    line.client.send(&post()).await.unwrap();
    assert_eq!(line.server.times("/v1/token"), 2);
    assert_eq!(
        line.server.last().authorization.as_deref(),
        Some("Bearer u")
    );
}

#[tokio::test]
async fn a_token_that_still_holds_is_used_while_none_can_be_got() {
    let line = Line::new(|seen| {
        let token = json!({ "access_token": "t", "expires_in": 120, "token_type": "Bearer" });
        match (seen.path.as_str(), seen.number) {
            ("/v1/token", 0) => Reply::json(200, &token),
            ("/v1/token", _) => Reply::new(503, ""),
            _ => sent(),
        }
    });
    let line = line.await;
    let early = Settings {
        renew_token_before: Duration::from_hours(1),
        ..line.client.settings().clone()
    };
    let client = Suomifi::new(early).unwrap();
    for _ in 0..3 {
        client.send(&post()).await.unwrap();
    }
    assert_eq!(line.server.times("/v2/messages/electronic"), 3);
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_tried_again_until_it_is_another() {
    let is_right = Arc::new(AtomicBool::new(false));
    let line = {
        let is_right = Arc::clone(&is_right);
        Line::new(move |seen| match tokens(seen) {
            Some(_) if !is_right.load(Ordering::SeqCst) => {
                Reply::json(400, &json!({ "reason": "Authentication failed" }))
            }
            Some(token) => token,
            None => sent(),
        })
        .await
    };
    for _ in 0..10 {
        let error = line.client.send(&post()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the mailbox service does not let this house in: user or password is wrong, \
             Authentication failed"
        );
    }
    assert_eq!(line.server.times("/v1/token"), 1);
    is_right.store(true, Ordering::SeqCst);
    assert!(line.client.send(&post()).await.is_err());
    // The operator types `check`, or writes another password.
    write(&line.password_file(), "another");
    line.client.send(&post()).await.unwrap();
    assert_eq!(line.server.times("/v1/token"), 2);
}

#[tokio::test]
async fn an_operator_who_asks_is_not_made_to_wait() {
    let asked = Arc::new(AtomicUsize::new(0));
    let line = {
        let asked = Arc::clone(&asked);
        Line::new(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::json(403, &json!({ "reason": "address" })),
            _ => Reply::token("t"),
        })
        .await
    };
    assert!(matches!(
        line.client.check().await,
        Err(Error::NotLetIn { .. })
    ));
    line.client.check().await.unwrap();
}

#[tokio::test]
async fn a_service_that_knows_no_tokens_is_the_fault_of_no_message() {
    let line = Line::new(|_| Reply::json(404, &json!({ "reason": "Not found" }))).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
    let line = Line::new(|_| Reply::new(200, "{}")).await;
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(matches!(error, Error::Answer { .. }), "{error}");
}

#[tokio::test]
async fn a_password_that_cannot_be_read_is_told_with_its_file() {
    let line = Line::new(|_| Reply::token("t")).await;
    std::fs::remove_file(line.password_file()).unwrap();
    let error = line.client.send(&post()).await.unwrap_err();
    assert!(error.to_string().contains("/password"), "{error}");
    assert!(line.server.seen().is_empty());
    write(&line.password_file(), "");
    assert!(line.client.send(&post()).await.is_err());
}
