use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::telemetry;

/// For how long next to nothing is written before the write-ahead log is emptied.
const IDLE: Duration = Duration::from_secs(30);
/// What the house writes in that time while it has nothing to do: the time, and answers to probes.
const NEXT_TO_NOTHING: u64 = 40;

/// Empties the store's log whenever next to nothing was written for a while, until `stop` turns true.
pub(super) fn rest(
    works: &Works,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let store = Arc::clone(&works.store);
    async move {
        let mut seen = store.commits();
        while !*stop.borrow() {
            tokio::select! {
                () = tokio::time::sleep(IDLE) => {}
                _ = stop.changed() => return,
            }
            let commits = store.commits();
            if commits - seen <= NEXT_TO_NOTHING {
                let resting = Arc::clone(&store);
                let rested = tokio::task::spawn_blocking(move || resting.rest()).await;
                if let Ok(Err(error)) = rested {
                    let error = telemetry::with_causes(&error);
                    tracing::debug!(error, "the write-ahead log is not emptied");
                }
            }
            seen = commits;
        }
    }
}
