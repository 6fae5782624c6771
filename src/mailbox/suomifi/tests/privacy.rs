use std::{
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// What nobody may read in an error or a log.
const SECRETS: [&str; 14] = [
    "131052-9085",
    "maija",
    "mallikas",
    "mallila",
    "matti",
    "mainio",
    "mallikatu",
    "korvatunturi",
    "your child",
    "posti6",
    "pw4!",
    "secret-password",
    "token-0",
    "%pdf",
];

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn check_hidden(told: &str) {
    let told = told.to_lowercase();
    for secret in SECRETS {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}

/// All that an error says to anybody.
fn all_of(error: &Error) -> String {
    let mut told = format!("{error:?}\n{error}\n{:?}", error.again());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told = format!("{told}\n{error:?}\n{error}");
        cause = error.source();
    }
    told
}

/// The service repeats everything that it was told, in several ways.
fn echo(seen: &Seen, status: u16, form: usize) -> Reply {
    let (body, token) = (seen.text(), seen.authorization.clone().unwrap_or_default());
    let said = format!("{token} has sent {}", body.replace('"', "'"));
    let reply = match form {
        0 => Reply::json(status, &json!({ "reason": said })),
        1 => Reply::json(
            status,
            &json!({ "reason": "x", "validationErrors": [{ "error": said, "errorCode": "NEW" }] }),
        ),
        2 => Reply::new(status, said),
        // Cut where it hurts: JSON that is none.
        3 => Reply::new(status, body),
        _ => Reply::json(status, &json!({ "message": some_words_of(&body) })),
    };
    reply.header("traceId", "trace-1")
}

/// Words of what was sent, in another case.
fn some_words_of(body: &str) -> String {
    let said = ["Maija", "Mallikas", "Mallikatu", "your child"];
    let said = said.into_iter().filter(|word| body.contains(word));
    let said: Vec<_> = said.map(str::to_uppercase).collect();
    format!("odd: '{}'", said.join("', '"))
}

/// Each way of calling.
async fn every_error(line: &Line) -> Vec<Error> {
    let client = &line.client;
    let person = person("131052-9085");
    let both = Post {
        paper: Some(paper()),
        ..post()
    };
    let alone = Post {
        recipient: None,
        electronic: None,
        paper: Some(paper()),
        ..post()
    };
    let new = Private::from("Secret-password-that-is-a-new-one-1");
    let mut errors = Vec::new();
    errors.extend(client.send(&post()).await.err());
    errors.extend(client.send(&both).await.err());
    errors.extend(client.send(&alone).await.err());
    errors.extend(client.upload(&upload()).await.err());
    errors.extend(client.are_active(&[&person]).await.err());
    errors.extend(client.events(Some("Secret-password")).await.err());
    errors.extend(client.message_id(&post().external_id).await.err());
    errors.extend(client.change_password(&new).await.err());
    errors
}

/// One thread, so that the log is this test's.
#[tokio::test]
async fn no_error_and_no_log_repeats_a_person_a_letter_or_a_secret() {
    let log = Log::default();
    // With a second one, no thread without any decides for all that nobody listens.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let mut told = 0;
    for status in [200, 400, 401, 403, 404, 409, 413, 415, 418, 429, 500, 302] {
        for form in 0..5 {
            let line =
                Line::new(move |seen| tokens(seen).unwrap_or_else(|| echo(seen, status, form)))
                    .await;
            for error in every_error(&line).await {
                check_hidden(&all_of(&error));
                told += 1;
            }
            let line = Line::new(move |seen| echo(seen, status, form)).await;
            for error in every_error(&line).await {
                check_hidden(&all_of(&error));
            }
        }
    }
    assert!(told > 300, "{told}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("asked the mailbox service"));
    check_hidden(&logged);
}

#[test]
fn what_is_sent_hides_itself_when_it_is_printed() {
    let post = Post {
        paper: Some(paper()),
        ..post()
    };
    check_hidden(&format!("{post:?} {:?}", upload()));
}
