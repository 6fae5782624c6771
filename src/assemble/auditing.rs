use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::{
    store::{AuditHead, Store},
    telemetry,
};

/// How often it is looked whether operators have done something.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Tells the log the head of the audit, now and after each deed, until `stop` turns true. The log lies
/// elsewhere than the database: by a head of it `kuori audit verify --head` finds rows that are gone.
pub(super) fn tell_heads(
    works: &Works,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let store = Arc::clone(&works.store);
    async move {
        let mut told = None;
        while !*stop.borrow() {
            told = tell(&store, told);
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

fn tell(store: &Store, told: Option<AuditHead>) -> Option<AuditHead> {
    match store.audit_head() {
        Ok(head) => {
            if told.as_ref() != Some(&head) {
                tracing::info!(rows = head.rows, head = head.hash, "audit");
            }
            Some(head)
        }
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::warn!(error, "cannot see the head of the audit");
            told
        }
    }
}
