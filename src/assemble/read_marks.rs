use std::sync::Arc;

use tokio::sync::watch;

use super::Works;
use crate::{
    config::Config,
    domain::MessageId,
    pipeline::{Clock, Looked, ReadLooks},
    telemetry,
};

/// Looks which messages in Maildirs have been read, at the interval of the settings, until `stop` turns
/// true.
pub(super) fn look_for_reads(
    works: &Works,
    config: &Config,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (looks, clock) = (Arc::clone(&works.read_looks), works.clock.clone());
    let every = config.reads.every;
    async move {
        let mut after = None;
        while !*stop.borrow() {
            let (looks, clock, stopped) = (Arc::clone(&looks), clock.clone(), stop.clone());
            let look = move || look(&looks, after, &clock, &stopped);
            // A panic is told by its own line; the next look begins with the oldest message.
            after = tokio::task::spawn_blocking(look).await.unwrap_or_default();
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

/// Answers after which message the next look begins.
fn look(
    looks: &ReadLooks,
    after: Option<MessageId>,
    clock: &Clock,
    stop: &watch::Receiver<bool>,
) -> Option<MessageId> {
    match looks.look(after, clock.now(), &|| *stop.borrow()) {
        Ok(Looked { read, next_after }) => {
            if read > 0 {
                tracing::info!(messages = read, "messages were read");
            }
            next_after
        }
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot see which messages were read");
            after
        }
    }
}
