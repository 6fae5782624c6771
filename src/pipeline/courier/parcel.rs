use jiff::Timestamp;

use super::{
    super::{
        Error, House, SenderSettings, Shown,
        deliver::{attachments, recipient},
        documents::Letters,
        letter_pdf::{self, not_composable},
        paper_letter::PaperLetter,
    },
    ending::Ending,
};
use crate::{
    domain::{Code, Finding, Place, Private, RecipientId, ServiceKind},
    mailbox::{
        media_type,
        suomifi::{AttachmentId, Electronic, Error as ServiceError, ExternalId, Post, Upload},
    },
    store::{BatchRow, Door, MessageRow, QueuedRow},
};

/// Characters of a title that the service takes.
const MAX_TITLE: usize = 256;

/// A message on its way to the service.
#[derive(Debug)]
pub(super) struct Parcel {
    pub(super) queued: QueuedRow,
    pub(super) contents: Contents,
    mailbox: Option<MailboxHalf>,
    paper: Option<PaperLetter>,
}

/// What its recipient reads in the mailbox, beside the files.
#[derive(Debug)]
struct MailboxHalf {
    recipient: RecipientId,
    title: Private<String>,
    body: Private<String>,
    service: ServiceKind,
    shown: Shown,
}

/// The PDF of a message, and the files that go with it.
#[derive(Debug)]
pub(super) enum Contents {
    /// To be uploaded.
    Here(Vec<Upload>),
    /// Uploaded since it was begun this time, the first of them then.
    Uploaded(Vec<AttachmentId>, Timestamp),
    /// Uploaded at an earlier try: the service may have thrown them away.
    UploadedBefore(Vec<AttachmentId>),
}

/// What becomes of a message before anybody is asked.
#[derive(Debug)]
pub(super) enum Cut {
    Parcel(Box<Parcel>),
    /// It leaves the queue, or the service has it since an earlier try.
    Ended(Ending),
    /// The service was to be asked about it, and does not work.
    Unanswered(ServiceError),
}

/// Makes a parcel of a queued message; of its files only where they were not uploaded since `fresh_since`.
pub(super) fn cut(
    house: &House,
    batch: &BatchRow,
    letters: &Letters<'_>,
    (queued, stored): (&QueuedRow, &MessageRow),
    fresh_since: Timestamp,
) -> Result<Cut, Error> {
    let sender = house.sender(&batch.sender)?;
    let contents = if queued.uploads.is_empty() || queued.uploaded_at < Some(fresh_since) {
        files(sender, batch, letters, (queued, stored)).map(Contents::Here)
    } else {
        let known = queued.uploads.iter().cloned().map(AttachmentId);
        Ok(Contents::UploadedBefore(known.collect()))
    };
    Ok(match contents {
        Ok(contents) => Cut::Parcel(Box::new(parcel(house, sender, queued, stored, contents)?)),
        Err(Error::Cut { source, .. }) => {
            Cut::Ended(Ending::SetAside(not_composable(queued.id, &source)))
        }
        Err(Error::TooLargeForMailbox { bytes }) => Cut::Ended(too_large(queued, bytes as u64)),
        Err(error) => return Err(error),
    })
}

/// What becomes of a letter that is more than the service takes: from paper there is no other way.
pub(super) fn too_large(queued: &QueuedRow, bytes: u64) -> Ending {
    let detail = format!("the letter's pages make a PDF of {bytes} bytes");
    let place = Place::message(queued.id.position);
    match queued.door {
        Door::Paper => Ending::SetAside(Finding::new(Code::MailboxServiceRefused, place, detail)),
        Door::Electronic | Door::Multichannel => {
            Ending::TooLarge(Finding::new(Code::TooLargeForMailbox, place, detail))
        }
    }
}

fn files(
    sender: &SenderSettings,
    batch: &BatchRow,
    letters: &Letters<'_>,
    (queued, stored): (&QueuedRow, &MessageRow),
) -> Result<Vec<Upload>, Error> {
    let pages = &stored.message.pages;
    let bytes = letter_pdf::cut(letters, batch.id, pages, batch.received_at)?;
    if bytes.len() as u64 > sender.batch.limits.max_letter_pdf_bytes {
        return Err(Error::TooLargeForMailbox { bytes: bytes.len() });
    }
    let letter = Upload {
        name: format!("{}.pdf", stored.id),
        media_type: "application/pdf",
        bytes,
    };
    if queued.door == Door::Paper {
        // One PDF is printed, and nothing that goes with it.
        return Ok(vec![letter]);
    }
    let further = attachments(batch, letters, stored)?.into_iter();
    let further = further.map(|file| Upload {
        media_type: media_type(&file.name),
        name: file.name,
        bytes: file.bytes,
    });
    Ok(std::iter::once(letter).chain(further).collect())
}

fn parcel(
    house: &House,
    sender: &SenderSettings,
    queued: &QueuedRow,
    stored: &MessageRow,
    contents: Contents,
) -> Result<Parcel, Error> {
    let mailbox = match queued.door {
        Door::Electronic | Door::Multichannel => Some(mailbox_half(sender, stored)?),
        Door::Paper => None,
    };
    let paper = match queued.door {
        Door::Paper | Door::Multichannel => {
            let letter = PaperLetter::of(house, sender, &queued.service, stored.clone())?;
            Some(letter)
        }
        Door::Electronic => None,
    };
    Ok(Parcel {
        queued: queued.clone(),
        contents,
        mailbox,
        paper,
    })
}

fn mailbox_half(sender: &SenderSettings, stored: &MessageRow) -> Result<MailboxHalf, Error> {
    let recipient = recipient(stored).ok_or(Error::NoRecipient(stored.id))?;
    let message = &stored.message;
    let title = message.subject.as_ref().map(Private::expose);
    let title = title.filter(|title| !title.is_empty());
    let title: String = title
        .unwrap_or(&sender.default_subject)
        .chars()
        .take(MAX_TITLE)
        .collect();
    // The service wants a text with each message.
    let body = message.body.as_ref().map(|body| body.expose().clone());
    let body = body.filter(|body| !body.is_empty());
    Ok(MailboxHalf {
        recipient: recipient.clone(),
        body: Private::new(body.unwrap_or_else(|| title.clone())),
        title: Private::new(title),
        service: message.service,
        shown: sender.shown,
    })
}

impl Parcel {
    /// What an earlier try has uploaded is not new.
    pub(super) fn new_uploads(&self) -> Option<(Vec<AttachmentId>, Timestamp)> {
        match &self.contents {
            Contents::Uploaded(ids, at) => Some((ids.clone(), *at)),
            Contents::Here(_) | Contents::UploadedBefore(_) => None,
        }
    }

    /// As the service takes it, once all of its files are there. The letter is the first of them.
    pub(super) fn post(&self) -> Post {
        let files = self.contents.known();
        let letter = self.paper.as_ref().zip(files.first());
        let mailbox = self.mailbox.as_ref();
        Post {
            external_id: ExternalId(self.queued.external_id.clone()),
            recipient: mailbox.map(|half| half.recipient.clone()),
            electronic: mailbox.map(|half| half.electronic(files)),
            paper: letter.map(|(paper, file)| paper.paper(file.clone())),
        }
    }
}

impl MailboxHalf {
    fn electronic(&self, files: &[AttachmentId]) -> Electronic {
        Electronic {
            title: self.title.clone(),
            body: self.body.clone(),
            service: self.service,
            attachments: files.to_vec(),
            recipient_only: self.shown.recipient_only,
            replies_allowed: self.shown.replies_allowed,
            reminder: self.shown.reminder,
        }
    }
}

impl Contents {
    /// Whether the service may have thrown them away, which it does after a day: they were uploaded at an
    /// earlier try, or have waited to be sent since before `fresh_since`.
    pub(super) fn may_be_lost(&self, fresh_since: Timestamp) -> bool {
        match self {
            Self::Here(_) => false,
            Self::Uploaded(_, at) => *at < fresh_since,
            Self::UploadedBefore(_) => true,
        }
    }

    /// What the service has.
    pub(super) fn known(&self) -> &[AttachmentId] {
        match self {
            Self::Here(_) => &[],
            Self::Uploaded(ids, _) | Self::UploadedBefore(ids) => ids,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn files_that_were_uploaded_too_long_ago_may_be_lost_whoever_uploaded_them() {
        let fresh_since = Timestamp::UNIX_EPOCH;
        let is_lost = |contents: Contents| contents.may_be_lost(fresh_since);
        let uploaded = |at| Contents::Uploaded(Vec::new(), at);
        let a_moment = SignedDuration::from_millis(1);
        assert!(!is_lost(uploaded(fresh_since)));
        assert!(is_lost(uploaded(fresh_since - a_moment)));
        assert!(is_lost(Contents::UploadedBefore(Vec::new())));
        assert!(!is_lost(Contents::Here(Vec::new())));
    }
}
