use super::{AttachmentId, Error, EventPage, ExternalId, Post, SentMessage, Settings, Upload};
use crate::domain::{Private, RecipientId};

/// One service of Suomi.fi Messages. Its calls may be made at the same time; they share connections
/// and a token, which one of them renews for all.
pub struct Suomifi {
    settings: Settings,
}

impl Suomifi {
    /// # Errors
    ///
    /// [`Error::Settings`] for certificates that cannot be read, or an address that will not do.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        Ok(Self { settings })
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which recipients have a mailbox in use, in the order asked: `POST /v1/mailboxes/active`.
    pub async fn are_active(&self, _recipients: &[&RecipientId]) -> Result<Vec<bool>, Error> {
        Err(unbuilt())
    }

    /// `POST /v2/attachments`.
    pub async fn upload(&self, _file: &Upload) -> Result<AttachmentId, Error> {
        Err(unbuilt())
    }

    /// `POST /v2/messages/electronic`, `/v2/messages` or `/v2/paper-mail-without-id`, by its parts.
    pub async fn send(&self, _post: &Post) -> Result<SentMessage, Error> {
        Err(unbuilt())
    }

    /// `GET /v2/events`: what happened after `continuation`, from the beginning without one.
    pub async fn events(&self, _continuation: Option<&str>) -> Result<EventPage, Error> {
        Err(unbuilt())
    }

    /// `GET /v1/messages/id`: the number of a message that was sent under that id, if any was.
    pub async fn message_id(&self, _external_id: &ExternalId) -> Result<Option<i64>, Error> {
        Err(unbuilt())
    }

    /// Asks for a new token: whether user, password, certificate and address will do.
    pub async fn check(&self) -> Result<(), Error> {
        Err(unbuilt())
    }

    /// `POST /v1/change-password`; the password file has the new one afterwards.
    pub async fn change_password(&self, _new: &Private<String>) -> Result<(), Error> {
        Err(unbuilt())
    }
}

fn unbuilt() -> Error {
    Error::Answer {
        what: "nothing is built yet".to_owned(),
    }
}
