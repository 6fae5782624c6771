use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    in_hand::OneInHand,
    refusal::Refusal,
    reply::{self, Reply},
    virtual_path::VirtualPath,
};

/// An answer that a session owes its client while the disk is waited for.
///
/// Dropping it unpaid, as a panic does, answers with a refusal: else the session would wait for
/// ever.
pub(super) struct Owed {
    id: u32,
    about: Vec<VirtualPath>,
    in_hand: Option<OneInHand>,
    answers: mpsc::UnboundedSender<Paid>,
}

/// Such an answer, ready to be sent. It is dropped when it was.
pub(super) struct Paid {
    pub(super) reply: Reply,
    pub(super) id: u32,
    /// The names that nothing else is done to meanwhile.
    pub(super) about: Vec<VirtualPath>,
    pub(super) in_hand: Option<OneInHand>,
}

impl Owed {
    pub(super) fn new(
        id: u32,
        about: Vec<VirtualPath>,
        in_hand: Option<OneInHand>,
        answers: &mpsc::UnboundedSender<Paid>,
    ) -> Self {
        Self {
            id,
            about,
            in_hand,
            answers: answers.clone(),
        }
    }

    pub(super) fn pay(mut self, done: Result<(), Refusal>) {
        self.send(done.and_then(|()| reply::done(self.id)));
    }

    fn send(&mut self, reply: Result<Bytes, Refusal>) {
        // Nobody takes it when the session is over.
        let _ = self.answers.send(Paid {
            reply,
            id: self.id,
            about: std::mem::take(&mut self.about),
            in_hand: self.in_hand.take(),
        });
        self.answers = mpsc::unbounded_channel().0;
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        if !self.answers.is_closed() {
            self.send(Err(Refusal::Damaged));
        }
    }
}
