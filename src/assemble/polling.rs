use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::{
    inbox::Inbox,
    store::Store,
    telemetry::{self, OnceAMinute},
};

/// How often it is looked whether an operator wants an inbox looked into now.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Looks into `inbox` at its interval until `stop` turns true.
pub(super) fn poll(
    works: &Works,
    inbox: Arc<Inbox>,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (clock, arrived) = (works.clock.clone(), Arc::clone(&works.arrived));
    async move {
        let ring = || arrived.notify_one();
        inbox.attend(&|| clock.now(), &ring, stop).await;
    }
}

/// Passes on to the inboxes what operators ask of them, until `stop` turns true.
pub(super) fn pass_requests_on(
    works: &Works,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (store, inboxes) = (Arc::clone(&works.store), works.inboxes.clone());
    async move {
        let telling = OnceAMinute::default();
        while !*stop.borrow() {
            pass_on(&store, &inboxes, &telling);
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

fn pass_on(store: &Store, inboxes: &[Arc<Inbox>], telling: &OnceAMinute) {
    match store.requested_looks() {
        Ok(requested) => {
            let is_asked = |inbox: &&Arc<Inbox>| requested.contains(&inbox.settings().place);
            inboxes
                .iter()
                .filter(is_asked)
                .for_each(|inbox| inbox.ask());
        }
        Err(error) if telling.is_due() => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot see which inboxes are to be looked into");
        }
        Err(_) => {}
    }
}
