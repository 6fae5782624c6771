use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, ToSpan, tz::TimeZone};
use tokio::sync::watch;

use super::{Error, Works};
use crate::{
    config::Config,
    pipeline::{self, Forgotten, forget},
    store::{NewEvent, PurgeRule, Store},
    telemetry,
};

/// How often it is looked whether the hour has come.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

/// What the settings want gone now, a rule for each sender that the store knows.
pub fn purge_rules(
    config: &Config,
    store: &Store,
    now: Timestamp,
) -> Result<Vec<PurgeRule>, Error> {
    let senders = store.senders()?.into_iter().map(|sender| sender.name);
    let rule = |sender| config.retention_of(&sender).rule(sender, now);
    Ok(senders.map(rule).collect())
}

/// Removes what is too old, each day at the hour of the settings, until `stop` turns true.
pub(super) fn forget_daily(
    works: &Works,
    config: &Config,
    mut stop: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let (store, clock, config) = (
        Arc::clone(&works.store),
        works.clock.clone(),
        config.clone(),
    );
    async move {
        let mut next = next_purge(&config, clock.now());
        while !*stop.borrow() {
            let now = clock.now();
            if now >= next {
                let work = forget_work(&store, &config, now, &stop);
                // A panic is told by its own line; the next day tries again.
                let _ = tokio::task::spawn_blocking(work).await;
                next = next_purge(&config, clock.now());
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

fn forget_work(
    store: &Arc<Store>,
    config: &Config,
    now: Timestamp,
    stop: &watch::Receiver<bool>,
) -> impl FnOnce() + Send + 'static + use<> {
    let (store, config, stop) = (Arc::clone(store), config.clone(), stop.clone());
    move || forget_now(&store, &config, now, &stop)
}

fn forget_now(store: &Store, config: &Config, now: Timestamp, stop: &watch::Receiver<bool>) {
    match try_to_forget(store, config, now, stop) {
        Ok(Forgotten { batches: 0, .. }) | Err(Error::Pipeline(pipeline::Error::Stopped)) => {}
        Ok(forgotten) => tracing::info!(
            batches = forgotten.batches,
            files = forgotten.files,
            bytes = forgotten.bytes,
            messages = forgotten.people,
            "removed what was kept long enough"
        ),
        Err(error) => {
            let error = telemetry::with_causes(&error);
            tracing::error!(
                error,
                "what is too old is not removed; tried again tomorrow"
            );
        }
    }
}

/// Steps come first: between two batches it waits for as long as the last one took.
fn try_to_forget(
    store: &Store,
    config: &Config,
    now: Timestamp,
    stop: &watch::Receiver<bool>,
) -> Result<Forgotten, Error> {
    let rules = purge_rules(config, store, now)?;
    let action = NewEvent {
        at: now,
        actor: "kuori".to_owned(),
        why: "kept for as long as the settings say".to_owned(),
    };
    let mut since = Instant::now();
    let mut give_way = |_, _: &_| {
        std::thread::sleep(since.elapsed().min(Duration::from_secs(1)));
        since = Instant::now();
    };
    let is_stopped = || *stop.borrow();
    Ok(forget(
        store,
        &rules,
        Some(&action),
        &is_stopped,
        &mut give_way,
    )?)
}

/// The next time that the clocks show the hour. Where they skip it, the one behind it.
fn next_purge(config: &Config, now: Timestamp) -> Timestamp {
    hour_after(config.retention.purge_hour, &config.time_zone, now)
        .unwrap_or_else(|| now.saturating_add(24.hours()).unwrap_or(now))
}

fn hour_after(hour: i8, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
    let here = now.to_zoned(zone.clone());
    let today = here.date();
    let days = [
        today,
        today.tomorrow().ok()?,
        today.tomorrow().ok()?.tomorrow().ok()?,
    ];
    days.into_iter().find_map(|day| {
        let at = day.at(hour, 0, 0, 0).to_zoned(zone.clone()).ok()?;
        (at > here).then(|| at.timestamp())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_comes_once_a_day_also_where_clocks_change() {
        let zone = TimeZone::get("Europe/Helsinki").unwrap();
        let mut now: Timestamp = "2026-03-27T22:00:00Z".parse().unwrap();
        let mut times = Vec::new();
        for _ in 0..3 {
            now = hour_after(3, &zone, now).unwrap();
            times.push(now.to_string());
        }
        // On the 29th the clocks go from three to four.
        let expected = [
            "2026-03-28T01:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-30T00:00:00Z",
        ];
        assert_eq!(times, expected);
    }
}
