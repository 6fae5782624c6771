use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::{
    inbox::Inbox,
    pipeline::{Clock, Wake},
    telemetry,
};

/// Looks into `inbox` every `interval` until `stop` turns true.
pub(super) fn poll(
    works: &Works,
    inbox: Arc<Inbox>,
    interval: Duration,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (clock, arrived) = (works.clock.clone(), Arc::clone(&works.arrived));
    async move {
        while !*stop.borrow() {
            poll_once(&inbox, &clock, &arrived).await;
            tokio::select! {
                () = tokio::time::sleep(interval) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

async fn poll_once(inbox: &Inbox, clock: &Clock, arrived: &Wake) {
    match inbox.poll(clock.now()).await {
        Ok(received) if received.is_empty() => {}
        Ok(received) => {
            tracing::info!(
                inbox = inbox.settings().place,
                batches = received.len(),
                "received"
            );
            arrived.notify_one();
        }
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(
                inbox = inbox.settings().place,
                error,
                "cannot look into the inbox"
            );
        }
    }
}
