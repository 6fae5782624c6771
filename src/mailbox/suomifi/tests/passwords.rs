use std::{
    fs,
    sync::{Arc, Mutex},
};

use serde_json::json;

use super::*;

const NEW: &str = "Another-secret-password-of-32-or-more";

/// A service that keeps a password, and does with a change of it what it is told.
struct Keeper {
    line: Line,
    password: Arc<Mutex<String>>,
}

impl Keeper {
    /// `change` says whether the new password is kept, and what is answered.
    async fn new(change: impl Fn() -> (bool, Reply) + Send + Sync + 'static) -> Self {
        let password = Arc::new(Mutex::new(PASSWORD.to_owned()));
        let kept = Arc::clone(&password);
        let line = Line::new(move |seen| {
            let body = || seen.json();
            let mut kept = kept.lock().unwrap();
            match seen.path.as_str() {
                "/v1/token" if body()["password"] == kept.as_str() => Reply::token("t"),
                "/v1/change-password" => {
                    assert_eq!(seen.authorization, None);
                    assert_eq!(body()["accessToken"], "t");
                    assert_eq!(body()["currentPassword"], kept.as_str());
                    let (is_kept, reply) = change();
                    if is_kept {
                        *kept = body()["newPassword"].as_str().unwrap().to_owned();
                    }
                    reply
                }
                "/v1/token" => Reply::json(400, &json!({ "reason": "Authentication failed" })),
                _ => Reply::json(200, &json!({ "messageId": 1 })),
            }
        })
        .await;
        Self { line, password }
    }

    fn files(&self) -> (String, Option<String>) {
        let file = self.line.password_file();
        let next = fs::read_to_string(file.with_extension("new")).ok();
        let trimmed = |text: String| text.trim_end().to_owned();
        (
            trimmed(fs::read_to_string(file).unwrap()),
            next.map(trimmed),
        )
    }
}

fn old() -> String {
    PASSWORD.to_owned()
}

#[tokio::test]
async fn a_changed_password_is_in_the_file_and_lets_us_in() {
    let keeper = Keeper::new(|| (true, Reply::new(200, "{}"))).await;
    keeper.line.client.send(&post()).await.unwrap();
    keeper
        .line
        .client
        .change_password(&NEW.into())
        .await
        .unwrap();
    assert_eq!(keeper.files(), (NEW.to_owned(), None));
    assert_eq!(*keeper.password.lock().unwrap(), NEW);
    keeper.line.client.check().await.unwrap();
}

#[tokio::test]
async fn a_password_that_the_service_would_not_take_is_not_even_told() {
    let keeper = Keeper::new(|| (true, Reply::new(200, "{}"))).await;
    let error = keeper.line.client.change_password(&"short".into()).await;
    assert!(matches!(error, Err(Error::Password { .. })));
    assert!(keeper.line.server.seen().is_empty());
}

#[tokio::test]
async fn a_change_that_is_refused_leaves_the_old_password() {
    let refused = || (false, Reply::json(400, &json!({ "reason": "too soon" })));
    let keeper = Keeper::new(refused).await;
    let error = keeper.line.client.change_password(&NEW.into()).await;
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mailbox service refuses it (400): too soon"
    );
    assert_eq!(keeper.files(), (old(), None));
    keeper.line.client.send(&post()).await.unwrap();
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_settled_by_who_lets_us_in() {
    let keeper = Keeper::new(|| (true, Reply::new(200, "").cut())).await;
    keeper
        .line
        .client
        .change_password(&NEW.into())
        .await
        .unwrap();
    assert_eq!(keeper.files(), (NEW.to_owned(), None));

    let keeper = Keeper::new(|| (false, Reply::new(502, ""))).await;
    let error = keeper.line.client.change_password(&NEW.into()).await;
    assert!(matches!(error, Err(Error::Busy { .. })));
    // It stays beside: the service may still be at it.
    assert_eq!(keeper.files(), (old(), Some(NEW.to_owned())));
    keeper.line.client.send(&post()).await.unwrap();
    *keeper.password.lock().unwrap() = NEW.to_owned();
    keeper.line.client.check().await.unwrap();
    assert_eq!(keeper.files(), (NEW.to_owned(), None));
}

#[tokio::test]
async fn a_change_that_was_cut_off_by_a_crash_is_found_by_the_next_token() {
    let keeper = Keeper::new(|| (true, Reply::new(200, "{}"))).await;
    write(&keeper.line.password_file().with_extension("new"), NEW);
    *keeper.password.lock().unwrap() = NEW.to_owned();
    keeper.line.client.send(&post()).await.unwrap();
    assert_eq!(keeper.files(), (NEW.to_owned(), None));
}
