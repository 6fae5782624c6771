use std::{mem, sync::Arc};

use tokio::task::JoinHandle;

use super::{
    desk::Desk,
    ending::{Ended, Ending},
    parcel::{Contents, Parcel},
    suspects,
};
use crate::{
    crash_points::around_remote,
    mailbox::suomifi::{Error, ExternalId, SentMessage, Suomifi},
    store::QueuedRow,
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

    pub(super) fn trouble(ended: Ended, trouble: Error) -> Self {
        Self {
            trouble: Some(trouble),
            ..Self::unasked(ended)
        }
    }

    pub(super) fn answer(ended: Ended) -> Self {
        Self {
            is_answer: true,
            ..Self::unasked(ended)
        }
    }
}

/// The files of a message on their way to the service. Dropped, they are not waited for.
pub(super) struct Upload(JoinHandle<Result<Box<Parcel>, Note>>);

impl Upload {
    pub(super) fn begin(desk: &Arc<Desk>, parcel: Box<Parcel>) -> Self {
        let desk = Arc::clone(desk);
        Self(tokio::spawn(async move { upload(&desk, parcel).await }))
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

async fn upload(desk: &Arc<Desk>, mut parcel: Box<Parcel>) -> Result<Box<Parcel>, Note> {
    let Contents::Here(files) = &mut parcel.contents else {
        return Ok(parcel);
    };
    let (files, at) = (mem::take(files), desk.house.clock.now());
    let mut ids = Vec::with_capacity(files.len());
    for file in files {
        match around_remote("courier: upload", desk.client.upload(&file)).await {
            Ok(id) => ids.push(id),
            // One whose answer was lost is made again, and the service forgets the first.
            Err(error) => {
                let in_trouble = |it: &Parcel, _: &Error| Ended::put_back(it);
                return Err(not_taken(desk, &parcel, error, in_trouble).await);
            }
        }
    }
    parcel.contents = Contents::Uploaded(ids, at);
    Ok(parcel)
}

/// Sends a message of which the service has all files.
pub(super) async fn send(desk: &Arc<Desk>, parcel: &Parcel) -> Note {
    let post = parcel.post();
    let error = match around_remote("courier: send", desk.client.send(&post)).await {
        Ok(sent) => return Note::answer(Ended::of(&parcel.queued, Ending::Sent(sent))),
        Err(error) => error,
    };
    not_taken(desk, parcel, error, Ended::in_trouble).await
}

/// What becomes of a message that the service does not take. Of one that it may have since an earlier
/// try it is asked first: sent on paper too, it would reach its recipient twice.
async fn not_taken(
    desk: &Arc<Desk>,
    parcel: &Parcel,
    error: Error,
    in_trouble: impl Fn(&Parcel, &Error) -> Ended,
) -> Note {
    let queued = &parcel.queued;
    let is_to_be_asked = error.is_of_message() && queued.is_in_doubt;
    let error = match is_to_be_asked.then(|| was_sent(&desk.client, queued)) {
        None => error,
        Some(asked) => match asked.await {
            Ok(None) => error,
            Ok(Some(sent)) => return Note::answer(Ended::of(queued, Ending::Sent(sent))),
            Err(error) => error,
        },
    };
    match Ended::refused(parcel, error, desk.fresh_since()) {
        Ok(ended) => Note::answer(ended),
        Err(trouble) => suspects::judge(desk, queued, in_trouble(parcel, &trouble), trouble).await,
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
