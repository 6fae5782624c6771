use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Works;
use crate::{
    config::ServiceConfig,
    pipeline::{EventReader, EventsRead},
    telemetry,
};

/// How often it is looked whether a service that is left alone may be asked again: when its time has come, or
/// because an operator wants that.
const LOOK: Duration = Duration::from_secs(1);

/// Asks a mailbox service what has happened to messages, at its interval, until `stop` turns true.
pub(super) fn hear(
    works: &Works,
    config: &ServiceConfig,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let service = works.house.services.get(&config.client.name).cloned();
    let (store, clock) = (Arc::clone(&works.store), works.clock.clone());
    let back_off = config.courier.back_off;
    let reader = service.map(|service| EventReader::new(store, clock, service, back_off));
    let pause = Duration::from_secs(config.events_poll_secs.into());
    async move {
        let Some(reader) = reader else { return };
        while !*stop.borrow() {
            let told = stop.clone();
            let read = tokio::select! {
                read = reader.read(|| *told.borrow()) => read,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let is_put_off = matches!(read, Ok(EventsRead::PutOff(_)));
            tell(read);
            let pause = if is_put_off { pause.min(LOOK) } else { pause };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

fn tell(read: Result<EventsRead, crate::pipeline::Error>) {
    match read {
        Ok(EventsRead::All(0) | EventsRead::PutOff(_) | EventsRead::Stopped) => {}
        Ok(EventsRead::All(events)) => tracing::debug!(events, "read what happened to messages"),
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::error!(error, "cannot record what happened to messages");
        }
    }
}
