use std::collections::BTreeSet;

use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE},
    multipart,
};
use serde_json::{Value, json};

use super::{
    AttachmentId, Error, EventPage, ExternalId, Post, SentMessage, Settings, Upload,
    answer::{Answer, Sent},
    connection::{Connection, bearer},
    event::number,
    password::{self, PasswordFile},
    request, text,
    token::{Desk, Token, Tokens},
};
use crate::{
    crash_points::around_remote,
    domain::{Private, RecipientId},
};

/// What stands around a file in its request, at most.
const AROUND_A_FILE: u64 = 2_048;
/// So much of a file is looked for in what a service says about it.
const BEGINNING: usize = 65_536;
/// Parts of a question that the service may refuse before all of it counts as refused: halving 10,000
/// recipients finds one in some 14 refusals.
const REFUSED_PARTS: usize = 1_024;

/// One service of Suomi.fi Messages. Its calls may be made at the same time; they share connections
/// and a token, which one of them renews for all.
pub struct Suomifi {
    settings: Settings,
    connection: Connection,
    tokens: Tokens,
}

impl Suomifi {
    /// # Errors
    ///
    /// [`Error::Settings`] for certificates that cannot be read, or an address that will not do.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self {
            connection: Connection::new(&settings)?,
            settings,
            tokens: Tokens::default(),
        })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which recipients have a mailbox in use, in the order asked: `POST /v1/mailboxes/active`.
    ///
    /// One that the service refuses to be asked about has none. The others are asked without it.
    ///
    /// # Errors
    ///
    /// Where a part of the question got no answer, or all of it was refused.
    pub async fn are_active(&self, recipients: &[&RecipientId]) -> Result<Vec<bool>, Error> {
        let asked: BTreeSet<_> = recipients.iter().map(|it| it.expose()).collect();
        let asked: Vec<_> = asked.into_iter().collect();
        let mut active = BTreeSet::new();
        for part in asked.chunks(self.settings.recipients_a_question.max(1)) {
            active.extend(self.active_of(part).await?);
        }
        let is_active = |it: &&RecipientId| active.contains(&it.expose().to_uppercase());
        Ok(recipients.iter().map(is_active).collect())
    }

    /// `POST /v2/attachments`.
    pub async fn upload(&self, file: &Upload) -> Result<AttachmentId, Error> {
        let bytes = file.bytes.len() as u64 + AROUND_A_FILE;
        self.fits(bytes)?;
        let form = || {
            let part = multipart::Part::bytes(file.bytes.clone());
            let part = part.file_name(text::file_name(&file.name));
            let part = part
                .mime_str(file.media_type)
                .map_err(|_| Error::Settings {
                    what: format!("`{}` is no media type", file.media_type),
                })?;
            let form = multipart::Form::new().percent_encode_noop();
            let request = self.connection.request(Method::POST, "/v2/attachments");
            Ok(request.multipart(form.part("file", part)))
        };
        let answer = around_remote("suomifi: upload", self.exchange(form)).await?;
        if !answer.is_success() {
            let beginning = file.bytes.get(..BEGINNING).unwrap_or(&file.bytes);
            let beginning = String::from_utf8_lossy(beginning);
            let private = vec![file.name.as_str(), &beginning];
            return Err(answer.trouble(&Sent { bytes, private }));
        }
        let value = answer.value();
        let id = value.get("attachmentId").and_then(Value::as_str);
        let id = id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| answer.unlike("no attachmentId"))?;
        Ok(AttachmentId(id.to_owned()))
    }

    /// `POST /v2/messages/electronic`, `/v2/messages` or `/v2/paper-mail-without-id`, by its parts.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] for a message without a part, or one for a mailbox without a recipient.
    pub async fn send(&self, post: &Post) -> Result<SentMessage, Error> {
        let door = request::door(post).ok_or_else(|| Error::Settings {
            what: "a message has neither a recipient's mailbox nor paper to go to".to_owned(),
        })?;
        let body = request::message(post, &self.settings.service_id).to_string();
        let sent = Sent {
            bytes: body.len() as u64,
            private: request::private(post),
        };
        self.fits(sent.bytes)?;
        let exchange = self.exchange(|| Ok(self.post(door, body.clone())));
        let answer = around_remote("suomifi: send", exchange).await?;
        let message_id = answer.value().get("messageId").and_then(number);
        match (answer.status, message_id) {
            (200..=299, Some(message_id)) => Ok(SentMessage {
                message_id,
                was_sent_before: false,
            }),
            (200..=299, None) => Err(answer.unlike("no messageId")),
            (409, Some(message_id)) => Ok(SentMessage {
                message_id,
                was_sent_before: true,
            }),
            (409, None) => self.sent_before(post).await,
            _ => Err(answer.trouble(&sent)),
        }
    }

    /// `GET /v2/events`: what happened after `continuation`, from the beginning without one.
    pub async fn events(&self, continuation: Option<&str>) -> Result<EventPage, Error> {
        let request = || {
            let token = continuation.map(|token| ("continuationToken", token));
            self.connection.asking("/v2/events", token.as_slice())
        };
        let answer = self.exchange(request).await?;
        if !answer.is_success() {
            return Err(answer.trouble(&Sent::default()));
        }
        EventPage::read(&answer.value(), continuation).ok_or_else(|| answer.no_page())
    }

    /// `GET /v1/messages/id`: the number of a message that was sent under that id, if any was.
    pub async fn message_id(&self, external_id: &ExternalId) -> Result<Option<i64>, Error> {
        let request = || {
            let id = ("externalId", external_id.0.as_str());
            self.connection.asking("/v1/messages/id", &[id])
        };
        let answer = self.exchange(request).await?;
        match answer.status {
            200..=299 => {
                let id = answer.value().get("messageId").and_then(number);
                let id = id.ok_or_else(|| answer.unlike("no messageId"))?;
                Ok(Some(id))
            }
            404 => Ok(None),
            _ => Err(answer.trouble(&Sent::default())),
        }
    }

    /// Lets the next call ask a service that has let nobody in, because an operator wants it.
    pub async fn knock_again(&self) {
        self.tokens.knock_again().await;
    }

    /// Whether it has a token that holds: then it was not for that that a request came to nothing.
    pub async fn is_let_in(&self) -> bool {
        self.tokens.is_any_held().await
    }

    /// Asks for a new token: whether user, password, certificate and address will do.
    pub async fn check(&self) -> Result<(), Error> {
        self.tokens.renew(&self.desk()).await.map(drop)
    }

    /// What [`Suomifi::change_password`] looks at before it changes anything.
    pub async fn check_change(&self, new: &Private<String>) -> Result<(), Error> {
        password::check(new)?;
        self.check().await
    }

    /// `POST /v1/change-password`; the password file has the new one afterwards.
    ///
    /// The new one stands durably beside the old one before the service is told. Where nobody knows
    /// whether it was changed, whichever lets us in is the password, now or at the next token.
    ///
    /// # Errors
    ///
    /// [`Error::Password`] for one that the service does not take. After an error the password
    /// file has the password that holds, or the file beside it has.
    pub async fn change_password(&self, new: &Private<String>) -> Result<(), Error> {
        password::check(new)?;
        let file = PasswordFile::new(&self.settings.password_file);
        let _lock = file.lock()?;
        // It also settles what an earlier change has left.
        let token = self.tokens.renew(&self.desk()).await?;
        let current = file.read()?.current;
        file.keep_next(new)?;
        let change = self.tell_password(&token.text, &current, new);
        match around_remote("suomifi: change the password", change).await {
            Ok(()) => file.take_over(new)?,
            Err(error) if error.is_of_message() || matches!(error, Error::NotLetIn { .. }) => {
                file.drop_next()?;
                return Err(error);
            }
            Err(error) => {
                let _ = self.tokens.renew(&self.desk()).await;
                if file.read()?.current != *new {
                    return Err(error);
                }
            }
        }
        self.tokens.forget().await;
        Ok(())
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    async fn tell_password(
        &self,
        token: &Private<String>,
        current: &Private<String>,
        new: &Private<String>,
    ) -> Result<(), Error> {
        let body = json!({
            "accessToken": token.expose(),
            "currentPassword": current.expose(),
            "newPassword": new.expose(),
        });
        let request = self.post("/v1/change-password", body.to_string());
        let answer = self.connection.exchange(request).await?;
        if answer.is_success() {
            return Ok(());
        }
        let private = [token, current, new].map(|it| it.expose().as_str());
        Err(answer.trouble(&Sent {
            private: private.to_vec(),
            ..Sent::default()
        }))
    }

    /// A refused part is asked in halves, so that one id costs nobody else the answer.
    async fn active_of(&self, asked: &[&str]) -> Result<BTreeSet<String>, Error> {
        let (mut active, mut parts) = (BTreeSet::new(), vec![asked]);
        let (mut answered, mut refusals) = (0, Vec::new());
        while let Some(part) = parts.pop() {
            match self.question(part).await {
                Ok(found) => {
                    active.extend(found);
                    answered += 1;
                }
                Err(refusal @ Error::Refused { .. }) if refusals.len() < REFUSED_PARTS => {
                    refusals.push(refusal);
                    if part.len() > 1 {
                        let (first, second) = part.split_at(part.len() / 2);
                        parts.extend([second, first]);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        match refusals.pop() {
            Some(refusal) if answered == 0 => Err(refusal),
            Some(refusal) => {
                tracing::warn!(error = %refusal, "the service does not answer for some recipients");
                Ok(active)
            }
            None => Ok(active),
        }
    }

    /// Those that have a mailbox in use, in upper case.
    async fn question(&self, asked: &[&str]) -> Result<BTreeSet<String>, Error> {
        let body = request::question(asked).to_string();
        let ask = || Ok(self.post("/v1/mailboxes/active", body.clone()));
        let answer = self.exchange(ask).await?;
        if !answer.is_success() {
            return Err(answer.trouble(&Sent {
                bytes: body.len() as u64,
                private: asked.to_vec(),
            }));
        }
        let value = answer.value();
        let found = value.get("endUsersWithActiveMailbox");
        let found = found.and_then(Value::as_array);
        let found = found.ok_or_else(|| answer.unlike("no endUsersWithActiveMailbox"))?;
        let id = |user: &Value| user.get("id")?.as_str().map(str::to_uppercase);
        Ok(found.iter().filter_map(id).collect())
    }

    /// The service says so, and does not say under which number.
    ///
    /// The description promises the number of a repeat by the doors of mailboxes alone, and not that
    /// paper is found by its id: a letter that is known without one would be sent in vain for ever.
    async fn sent_before(&self, post: &Post) -> Result<SentMessage, Error> {
        let number = self.message_id(&post.external_id).await;
        let number = number.map_err(|error| error.of_another(true))?;
        let no_number = post.electronic.is_none().then_some(SentMessage::NO_NUMBER);
        let message_id = number.or(no_number).ok_or_else(|| Error::Answer {
            what: "it was sent before, and nobody knows it".to_owned(),
        })?;
        Ok(SentMessage {
            message_id,
            was_sent_before: true,
        })
    }

    /// With a token; once more with a new one where that does not hold any more.
    async fn exchange(
        &self,
        request: impl Fn() -> Result<RequestBuilder, Error>,
    ) -> Result<Answer, Error> {
        let mut token = self.token(None).await?;
        let ask = |text: &Private<String>| {
            let request = request()?.header(AUTHORIZATION, bearer(text)?);
            Ok::<_, Error>(self.connection.exchange(request))
        };
        let mut answer = ask(&token.text)?.await?;
        if answer.status == 401 {
            token = self.token(Some(&token)).await?;
            answer = ask(&token.text)?.await?;
        }
        Ok(answer.to(token.text))
    }

    async fn token(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let token = self.tokens.get(&self.desk(), refused).await;
        token.map_err(|error| error.of_another(false))
    }

    fn post(&self, path: &str, json: String) -> RequestBuilder {
        let request = self.connection.request(Method::POST, path);
        request.header(CONTENT_TYPE, "application/json").body(json)
    }

    fn fits(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.settings.max_request_bytes {
            return Err(Error::TooLarge { bytes });
        }
        Ok(())
    }

    fn desk(&self) -> Desk<'_> {
        Desk {
            connection: &self.connection,
            settings: &self.settings,
        }
    }
}
