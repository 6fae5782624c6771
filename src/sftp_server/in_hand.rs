use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

/// The uploads that a connection has in hand: a server that stops waits for them a while.
#[derive(Debug, Clone)]
pub(super) struct InHand {
    uploads: watch::Sender<usize>,
    is_stopping: Arc<AtomicBool>,
}

/// One upload in the count; dropping it takes it out.
#[derive(Debug)]
pub(super) struct OneInHand(watch::Sender<usize>);

impl Default for InHand {
    fn default() -> Self {
        Self {
            uploads: watch::Sender::new(0),
            is_stopping: Arc::default(),
        }
    }
}

impl InHand {
    /// Counts an upload, unless no more are begun.
    pub(super) fn begin(&self) -> Option<OneInHand> {
        if self.is_stopping.load(Ordering::Acquire) {
            return None;
        }
        self.uploads.send_modify(|uploads| *uploads += 1);
        Some(OneInHand(self.uploads.clone()))
    }

    /// From now on no upload is begun; returns when none is in hand any more.
    pub(super) async fn finish(&self) {
        self.is_stopping.store(true, Ordering::Release);
        let mut changes = self.uploads.subscribe();
        let _ = changes.wait_for(|uploads| *uploads == 0).await;
    }
}

impl Drop for OneInHand {
    fn drop(&mut self) {
        self.0.send_modify(|uploads| *uploads -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_upload_ends_the_wait_and_none_begins() {
        let in_hand = InHand::default();
        let upload = in_hand.begin().unwrap();
        let waiting = tokio::spawn({
            let in_hand = in_hand.clone();
            async move { in_hand.finish().await }
        });
        while !in_hand.is_stopping.load(Ordering::Acquire) {
            tokio::task::yield_now().await;
        }
        assert!(in_hand.begin().is_none());
        assert!(!waiting.is_finished());
        drop(upload);
        waiting.await.unwrap();
    }
}
