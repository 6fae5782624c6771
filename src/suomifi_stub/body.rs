use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

/// The body of an answer, which may break off in the middle.
pub(super) struct AnswerBody {
    bytes: Option<Bytes>,
    /// What the header says, which is more than there is where it is cut.
    promised: u64,
    is_cut: bool,
}

impl AnswerBody {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self {
            promised: bytes.len() as u64,
            bytes: Some(bytes),
            is_cut: false,
        }
    }

    pub(super) fn half(mut bytes: Bytes) -> Self {
        let promised = bytes.len() as u64;
        bytes.truncate(bytes.len() / 2);
        Self {
            bytes: Some(bytes),
            promised,
            is_cut: true,
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.bytes.take() {
            Some(bytes) => Some(Ok(Frame::data(bytes))),
            None if self.is_cut => Some(Err(io::Error::other("cut, as was asked for"))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.promised == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// The body of a request.
pub(super) enum Read {
    Whole(Bytes),
    TooLarge,
    /// The other side has gone.
    Broken,
}

/// Above so many times the limit nobody waits for the end of it.
const PATIENCE: u64 = 4;

/// What is too large is read on for a while, so that the other side comes to read the answer.
pub(super) async fn read(mut body: Incoming, limit: u64) -> Read {
    let (mut kept, mut size) = (Vec::new(), 0_u64);
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Read::Broken;
        };
        let data = frame.into_data().unwrap_or_default();
        size += data.len() as u64;
        if size <= limit {
            kept.extend_from_slice(&data);
        } else {
            kept = Vec::new();
        }
        if size > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if size > limit {
        Read::TooLarge
    } else {
        Read::Whole(Bytes::from(kept))
    }
}
