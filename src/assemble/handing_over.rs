use std::sync::Arc;

use tokio::sync::watch;

use super::Works;
use crate::outbox::Bells;

/// Hands over what is due, and looks what was picked up, until `stop` turns true.
pub(super) fn hand_over(
    works: &Works,
    stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (outbox, clock) = (Arc::clone(&works.outbox), works.clock.clone());
    let bells = Bells {
        due: Arc::clone(&works.stepped),
        // What is handed over is to be told.
        handed_over: Arc::clone(&works.arrived),
    };
    outbox.run(Arc::new(move || clock.now()), bells, stop)
}
