use std::{mem, sync::Arc};

use tokio::task::JoinHandle;

use super::{
    ending::{Ended, Ending, Uploads},
    parcel::{Contents, Parcel},
};
use crate::{
    crash_points::around_remote,
    mailbox::suomifi::{Error, ExternalId, SentMessage, Suomifi},
    store::{PutBack, QueuedRow},
};

/// What came of asking the service for something.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) ended: Ended,
    /// The service does not work, whatever the message.
    pub(super) trouble: Option<Error>,
    /// The service has said something of this message, so it works.
    pub(super) is_answer: bool,
}

impl Note {
    /// Nobody was asked.
    pub(super) fn unasked(ended: Ended) -> Self {
        Self {
            ended,
            trouble: None,
            is_answer: false,
        }
    }

    /// The service was asked for something else than to take it.
    pub(super) fn unanswered(queued: &QueuedRow, trouble: Error) -> Self {
        let ending = Ending::PutBack {
            how: PutBack::NotSent,
            uploads: Uploads::AsBefore,
        };
        Self {
            trouble: Some(trouble),
            ..Self::unasked(Ended::of(queued, ending))
        }
    }

    fn answer(ended: Ended) -> Self {
        Self {
            is_answer: true,
            ..Self::unasked(ended)
        }
    }

    fn of(parcel: &Parcel, error: Error, in_trouble: impl Fn(&Parcel, &Error) -> Ended) -> Self {
        match Ended::refused(parcel, error) {
            Ok(ended) => Self::answer(ended),
            Err(trouble) => Self {
                ended: in_trouble(parcel, &trouble),
                trouble: Some(trouble),
                is_answer: false,
            },
        }
    }
}

/// The files of a message on their way to the service. Dropped, they are not waited for.
pub(super) struct Upload(JoinHandle<Result<Box<Parcel>, Note>>);

impl Upload {
    pub(super) fn begin(client: &Arc<Suomifi>, parcel: Box<Parcel>) -> Self {
        let client = Arc::clone(client);
        Self(tokio::spawn(async move { upload(&client, parcel).await }))
    }

    /// `None` where it panicked: the log has the place.
    pub(super) async fn end(mut self) -> Option<Result<Box<Parcel>, Note>> {
        (&mut self.0).await.ok()
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn upload(client: &Suomifi, mut parcel: Box<Parcel>) -> Result<Box<Parcel>, Note> {
    let Contents::Here(files) = &mut parcel.contents else {
        return Ok(parcel);
    };
    let files = mem::take(files);
    let mut ids = Vec::with_capacity(files.len());
    for file in files {
        match around_remote("courier: upload", client.upload(&file)).await {
            Ok(id) => ids.push(id),
            // One whose answer was lost is made again, and the service forgets the first.
            Err(error) => {
                let in_trouble = |it: &Parcel, _: &Error| Ended::put_back(it);
                return Err(not_taken(client, &parcel, error, in_trouble).await);
            }
        }
    }
    parcel.contents = Contents::Uploaded(ids);
    Ok(parcel)
}

/// Sends a message of which the service has all files.
pub(super) async fn send(client: &Suomifi, parcel: &Parcel) -> Note {
    let post = parcel.post();
    let error = match around_remote("courier: send", client.send(&post)).await {
        Ok(sent) => return Note::answer(Ended::of(&parcel.queued, Ending::Sent(sent))),
        Err(error) => error,
    };
    not_taken(client, parcel, error, Ended::in_trouble).await
}

/// What becomes of a message that the service does not take. Of one that it may have since an earlier
/// try it is asked first: sent on paper too, it would reach its recipient twice.
async fn not_taken(
    client: &Suomifi,
    parcel: &Parcel,
    error: Error,
    in_trouble: impl Fn(&Parcel, &Error) -> Ended,
) -> Note {
    if !(error.is_of_message() && parcel.queued.is_in_doubt) {
        return Note::of(parcel, error, in_trouble);
    }
    match was_sent(client, &parcel.queued).await {
        Ok(None) => Note::of(parcel, error, in_trouble),
        Ok(Some(sent)) => Note::answer(Ended::of(&parcel.queued, Ending::Sent(sent))),
        Err(error) => Note::of(parcel, error, in_trouble),
    }
}

/// Whether an earlier try of a message, whose answer was lost, has reached the service.
pub(super) async fn was_sent(
    client: &Suomifi,
    queued: &QueuedRow,
) -> Result<Option<SentMessage>, Error> {
    let external_id = ExternalId(queued.external_id.clone());
    let number = client.message_id(&external_id).await?;
    Ok(number.map(|message_id| SentMessage {
        message_id,
        was_sent_before: true,
    }))
}
