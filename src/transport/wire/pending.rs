use tokio::sync::oneshot;

use super::{Answer, Attributes, RemoteHandle, Reply, Segments, SftpFailure, StatusCode};

/// A request that was sent. Dropped, its answer is thrown away when it comes.
#[derive(Debug)]
pub(in crate::transport) struct Pending {
    answer: oneshot::Receiver<Result<Answer, SftpFailure>>,
}

impl Pending {
    pub(super) fn new(answer: oneshot::Receiver<Result<Answer, SftpFailure>>) -> Self {
        Self { answer }
    }

    pub(in crate::transport) async fn answer(self) -> Result<Answer, SftpFailure> {
        self.answer.await.unwrap_or(Err(SftpFailure::Lost))
    }

    /// Whether the answer is there.
    pub(in crate::transport) fn is_answered(&self) -> bool {
        !self.answer.is_empty()
    }

    pub(in crate::transport) async fn done(self) -> Result<(), SftpFailure> {
        match self.answer().await?.reply {
            Reply::Done => Ok(()),
            _ => Err(OTHER_KIND),
        }
    }

    pub(in crate::transport) async fn attributes(self) -> Result<Attributes, SftpFailure> {
        match self.answer().await?.reply {
            Reply::Attributes(found) => Ok(found),
            _ => Err(OTHER_KIND),
        }
    }

    /// As [`Pending::attributes`]; `None` where nothing stands.
    pub(in crate::transport) async fn found(self) -> Result<Option<Attributes>, SftpFailure> {
        match self.attributes().await {
            Ok(found) => Ok(Some(found)),
            Err(failure) => match failure.code() {
                Some(StatusCode::NoSuchFile | StatusCode::NoSuchPath) => Ok(None),
                _ => Err(failure),
            },
        }
    }

    pub(in crate::transport) async fn opened(self) -> Result<RemoteHandle, SftpFailure> {
        self.answer().await?.opened.ok_or(OTHER_KIND)
    }

    /// `None` behind the last entry.
    pub(in crate::transport) async fn names(self) -> Result<Option<Segments>, SftpFailure> {
        match self.answer().await {
            Ok(answer) => match answer.reply {
                Reply::Names(names) => Ok(Some(names)),
                _ => Err(OTHER_KIND),
            },
            Err(failure) if failure.code() == Some(StatusCode::EndOfFile) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    pub(in crate::transport) async fn extended(self) -> Result<Segments, SftpFailure> {
        match self.answer().await?.reply {
            Reply::Extended(fields) => Ok(fields),
            _ => Err(OTHER_KIND),
        }
    }
}

const OTHER_KIND: SftpFailure = SftpFailure::Protocol {
    what: "an answer of another kind than was asked for",
};
