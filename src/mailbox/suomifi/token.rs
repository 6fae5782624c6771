use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{
    Error, Settings,
    answer::{Answer, Sent},
    connection::Connection,
    password::{PasswordFile, Passwords},
};
use crate::domain::Private;

/// After a refusal nobody asks for so long; the wait doubles with each further one. Somebody who
/// keeps knocking with a wrong password is locked out.
const FIRST_WAIT: Duration = Duration::from_mins(1);
const LONGEST_WAIT: Duration = Duration::from_hours(1);
/// Where the service does not say how long a token holds.
const HOLDS_SECS: u64 = 300;
const MOST_SECS: u64 = 86_400;
/// A token that still holds is used for so long after its renewal has failed.
const RENEW_AGAIN: Duration = Duration::from_secs(5);

/// The token that all requests of a service share. One of those who need a new one asks for it; the
/// others wait for that, and get what came of it.
#[derive(Default)]
pub(super) struct Tokens {
    state: Mutex<State>,
    /// Questions for a token that have come to an end.
    asked: AtomicU64,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    given: u64,
    /// What came of the last question, where it was no token.
    failure: Option<Error>,
    refusal: Option<Refusal>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: Private<String>,
    /// Tokens are counted, so that one that was refused is known from its successor.
    number: u64,
    renew_at: Instant,
    ends_at: Instant,
}

/// The service does not let us in with these passwords.
struct Refusal {
    passwords: Passwords,
    times: u32,
    ask_again_at: Instant,
    reason: String,
}

/// Where tokens come from.
pub(super) struct Desk<'a> {
    pub(super) connection: &'a Connection,
    pub(super) settings: &'a Settings,
}

impl Tokens {
    /// One that holds. `refused` is one that the service has just refused.
    pub(super) async fn get(
        &self,
        desk: &Desk<'_>,
        refused: Option<&Token>,
    ) -> Result<Token, Error> {
        let asked = self.asked.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        if let Some(token) = state.fresh(refused) {
            return Ok(token);
        }
        if self.asked.load(Ordering::Acquire) == asked {
            state.ask(desk).await;
            self.asked.fetch_add(1, Ordering::Release);
        }
        state.outcome(refused)
    }

    /// A new one, whatever there is, and told from the passwords of the file.
    pub(super) async fn renew(&self, desk: &Desk<'_>) -> Result<Token, Error> {
        let mut state = self.state.lock().await;
        state.refusal = None;
        state.token = None;
        state.ask(desk).await;
        self.asked.fetch_add(1, Ordering::Release);
        state.outcome(None)
    }

    /// Whether there is one, as far as is known here.
    pub(super) async fn is_any_held(&self) -> bool {
        let state = self.state.lock().await;
        let token = state.standing(None);
        token.is_some_and(|token| Instant::now() < token.ends_at)
    }

    /// The next call asks, though nobody was let in a moment ago.
    pub(super) async fn knock_again(&self) {
        self.state.lock().await.refusal = None;
    }

    /// What was known is of no use any more: the password has changed.
    pub(super) async fn forget(&self) {
        let mut state = self.state.lock().await;
        state.token = None;
        state.refusal = None;
    }
}

impl State {
    fn fresh(&self, refused: Option<&Token>) -> Option<Token> {
        let token = self.standing(refused)?;
        (Instant::now() < token.renew_at).then(|| token.clone())
    }

    /// The token, unless it is the one that was refused.
    fn standing(&self, refused: Option<&Token>) -> Option<&Token> {
        let is_refused = |token: &Token| refused.is_some_and(|it| it.number == token.number);
        self.token.as_ref().filter(|token| !is_refused(token))
    }

    async fn ask(&mut self, desk: &Desk<'_>) {
        self.failure = self.ask_unless_refused(desk).await.err();
        if self.failure.is_some()
            && let Some(token) = &mut self.token
        {
            token.renew_at = Instant::now() + RENEW_AGAIN;
        }
    }

    /// A token that could not be renewed yet is as good as new until its end.
    fn outcome(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let token = self.standing(refused);
        if let Some(token) = token.filter(|token| Instant::now() < token.ends_at) {
            return Ok(token.clone());
        }
        let failure = self.failure.as_ref().map(Error::again);
        Err(failure.unwrap_or_else(|| Error::Answer {
            what: "a token that has ended already".to_owned(),
        }))
    }

    async fn ask_unless_refused(&mut self, desk: &Desk<'_>) -> Result<(), Error> {
        let file = PasswordFile::new(&desk.settings.password_file);
        let passwords = file.read()?;
        if let Some(refusal) = &self.refusal {
            refusal.lets_ask(&passwords)?;
        }
        match desk.token(&file, &passwords).await {
            Ok((text, holds)) => {
                self.given += 1;
                self.token = Some(Token::new(text, self.given, holds, desk.settings));
                if self.refusal.take().is_some() {
                    tracing::info!(service = %desk.settings.name, "the mailbox service lets us in");
                }
                Ok(())
            }
            Err(Error::NotLetIn { reason }) => Err(self.refused(desk, passwords, reason)),
            Err(error) => Err(error),
        }
    }

    fn refused(&mut self, desk: &Desk<'_>, passwords: Passwords, reason: String) -> Error {
        let times = self.refusal.as_ref().map_or(0, |refusal| refusal.times);
        if times == 0 {
            tracing::warn!(service = %desk.settings.name, reason, "not let in");
        }
        let wait = FIRST_WAIT
            .saturating_mul(1 << times.min(10))
            .min(LONGEST_WAIT);
        self.refusal = Some(Refusal {
            passwords,
            times: times.saturating_add(1),
            ask_again_at: Instant::now() + wait,
            reason: reason.clone(),
        });
        Error::NotLetIn { reason }
    }
}

impl Refusal {
    /// With other passwords it is asked at once.
    fn lets_ask(&self, passwords: &Passwords) -> Result<(), Error> {
        let left = self.ask_again_at.saturating_duration_since(Instant::now());
        if left.is_zero() || *passwords != self.passwords {
            return Ok(());
        }
        Err(Error::NotLetIn {
            reason: self.reason.clone(),
        })
    }
}

impl Token {
    fn new(text: Private<String>, number: u64, holds: Duration, settings: &Settings) -> Self {
        let now = Instant::now();
        let early = settings.renew_token_before.min(holds / 2);
        Self {
            text,
            number,
            renew_at: now + holds.saturating_sub(early),
            ends_at: now + holds,
        }
    }
}

impl Desk<'_> {
    /// The one that is to be the password is tried where the one that is does not do: a change of
    /// it may have been cut off in the middle.
    async fn token(
        &self,
        file: &PasswordFile,
        passwords: &Passwords,
    ) -> Result<(Private<String>, Duration), Error> {
        let refusal = match self.token_for(&passwords.current).await {
            Err(refusal @ Error::NotLetIn { .. }) => refusal,
            other => return other,
        };
        let Some(next) = passwords
            .next
            .as_ref()
            .filter(|it| **it != passwords.current)
        else {
            return Err(refusal);
        };
        let token = self.token_for(next).await?;
        tracing::info!(service = %self.settings.name, "the new password is the one that holds");
        file.take_over(next)?;
        Ok(token)
    }

    /// `POST /v1/token`: a token and how long it holds.
    async fn token_for(
        &self,
        password: &Private<String>,
    ) -> Result<(Private<String>, Duration), Error> {
        let body = json!({ "username": self.settings.user, "password": password.expose() });
        let request = self.connection.request(Method::POST, "/v1/token");
        let answer = self.connection.exchange(request.json(&body)).await?;
        if !answer.is_success() {
            let sent = Sent {
                private: vec![password.expose()],
                ..Sent::default()
            };
            return Err(match answer.status {
                400 | 401 => Error::NotLetIn {
                    reason: format!("user or password is wrong, {}", answer.words(&sent)),
                },
                _ => answer.trouble(&sent).of_no_message(),
            });
        }
        granted(&answer)
    }
}

fn granted(answer: &Answer) -> Result<(Private<String>, Duration), Error> {
    let value = answer.value();
    let text = value.get("access_token").and_then(Value::as_str);
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| answer.unlike("no token"))?;
    let secs = value.get("expires_in").map_or(HOLDS_SECS, |secs| {
        let number = secs.as_u64().or_else(|| secs.as_str()?.parse().ok());
        number.unwrap_or(HOLDS_SECS)
    });
    let holds = Duration::from_secs(secs.min(MOST_SECS));
    Ok((Private::new(text.to_owned()), holds))
}
