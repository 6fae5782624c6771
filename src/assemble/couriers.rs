use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::{
    config::{Config, CourierConfig, ServiceConfig},
    pipeline::{Courier, CourierSettings, House, Wake},
    store::ServiceInSettings,
};

/// One for each service of the settings.
pub(super) fn couriers(config: &Config, house: &Arc<House>, arrived: &Wake) -> Vec<Arc<Courier>> {
    let courier = |service: &ServiceConfig| {
        let (name, brought) = (&service.client.name, Arc::clone(arrived));
        Courier::new(house, name, settings(&service.courier), brought)
    };
    let couriers = config.services.iter().filter_map(courier);
    couriers.map(Arc::new).collect()
}

/// As the store is told of them.
pub(super) fn known(config: &Config) -> Vec<ServiceInSettings> {
    let services = config.services.iter().map(|service| ServiceInSettings {
        name: service.client.name.clone(),
        rate_per_sec: service.courier.rate_per_sec,
    });
    services.collect()
}

/// Brings messages to a service until `stop` turns true.
pub(super) async fn bring(courier: Arc<Courier>, stop: watch::Receiver<bool>) {
    courier.run(stop).await;
}

fn settings(config: &CourierConfig) -> CourierSettings {
    CourierSettings {
        rate_per_sec: config.rate_per_sec,
        in_flight: config.in_flight,
        in_order: config.in_order,
        turn: Duration::from_secs(config.turn_secs.into()),
        back_off: config.back_off,
        set_aside: config.set_aside,
        ..CourierSettings::default()
    }
}
