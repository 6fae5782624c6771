//! What the other side has taken away, and what it has not.

use std::{fs, sync::Arc};

use jiff::SignedDuration;
use kuori::{
    domain::BatchId,
    outbox::{Await, Outbox, PickUp, PlaceSettings, Settings},
    store::{Place, WaitingFilter},
};

use super::{bundle, composed, pickup, print_house, sender, standing, with_receipts};
use crate::{
    chaos::later,
    hub::{Hub, now},
};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An outbox that looks what is picked up at one place.
fn looking(hub: &Hub, place: Place, wanted: Await) -> Arc<Outbox> {
    let mut settings = Settings::default();
    let pickup = PickUp {
        wanted,
        ..PickUp::default()
    };
    let watched = PlaceSettings {
        pickup,
        ..PlaceSettings::default()
    };
    settings.places.insert(place, watched);
    hub.outbox_with(settings, [])
}

async fn hand_over_all(outbox: &Outbox) {
    while outbox.hand_over_next(now()).await.unwrap() {}
}

fn told(hub: &Hub) -> usize {
    let events = hub.store.events(BatchId(1)).unwrap();
    let of_pickup = events
        .iter()
        .filter(|event| event.what.starts_with("picked up"));
    of_pickup.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_whose_pdf_is_gone_was_picked_up_once() {
    let hub = composed().await;
    let outbox = looking(&hub, print_house(), Await::PickUpWithin(DAY));
    hand_over_all(&outbox).await;
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 0);
    let id = bundle(&hub).bundle.unwrap();
    // The marker alone says nothing yet.
    fs::remove_file(pickup(&hub).join(format!("{id}/{id}.ok"))).unwrap();
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 0);
    fs::remove_file(pickup(&hub).join(format!("{id}/{id}.pdf"))).unwrap();
    assert_eq!(outbox.look_for_pickups(later()).await.unwrap(), 1);
    for at in [now(), later()] {
        assert_eq!(outbox.look_for_pickups(at).await.unwrap(), 0);
    }
    assert_eq!(hub.store.bundle(id).unwrap().picked_up_at, Some(later()));
    assert_eq!(bundle(&hub).picked_up_at, Some(later()));
    assert_eq!(told(&hub), 1);
    // Nothing of it is put there again.
    hub.run().await;
    assert_eq!(standing(&hub, id).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_away_has_picked_nothing_up() {
    let hub = composed().await;
    let outbox = looking(&hub, print_house(), Await::PickUp);
    hand_over_all(&outbox).await;
    let away = hub.path().join("away");
    fs::rename(pickup(&hub), &away).unwrap();
    assert!(outbox.look_at(&print_house(), now()).await.is_err());
    fs::rename(away, pickup(&hub)).unwrap();
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 0);
    let id = bundle(&hub).bundle.unwrap();
    // Taken away with its folder, in one rename.
    fs::remove_dir_all(pickup(&hub).join(id.to_string())).unwrap();
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 1);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_picks_up_is_overdue_and_told_once_a_day() {
    let hub = composed().await;
    let outbox = looking(&hub, print_house(), Await::PickUpWithin(DAY));
    hand_over_all(&outbox).await;
    let (almost, then) = (now() + DAY - SignedDuration::from_secs(1), now() + DAY);
    outbox.look_for_pickups(almost).await.unwrap();
    assert!(hub.store.overdue(&print_house(), almost).unwrap().is_none());
    let overdue = hub.store.overdue(&print_house(), then).unwrap().unwrap();
    assert_eq!((overdue.count, overdue.since), (1, now()));
    let filter = WaitingFilter {
        overdue: true,
        ..WaitingFilter::default()
    };
    assert_eq!(hub.store.waiting(&filter, almost, 9).unwrap().len(), 0);
    assert_eq!(hub.store.waiting(&filter, then, 9).unwrap().len(), 1);

    // The settings change what is awaited, also of what was handed over before.
    let longer = looking(&hub, print_house(), Await::PickUpWithin(DAY * 2));
    longer.begin().unwrap();
    assert_eq!(hub.store.waiting(&filter, then, 9).unwrap().len(), 0);
    looking(&hub, print_house(), Await::Nothing)
        .begin()
        .unwrap();
    assert!(hub.store.awaited(&print_house(), 0, 9).unwrap().is_empty());
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_are_looked_for_where_somebody_wants_to_know() {
    let hub = with_receipts(3).await;
    let outbox = looking(&hub, sender(), Await::PickUpWithin(DAY * 7));
    hand_over_all(&outbox).await;
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 0);
    let names = hub.names("sender/receipts");
    fs::remove_file(hub.sender_folder().join("receipts").join(&names[0])).unwrap();
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 1);
    let overdue = hub.store.overdue(&sender(), now() + DAY * 7).unwrap();
    assert_eq!(overdue.unwrap().count, 5);
    // A file that comes again is answered with the receipts, which are awaited again.
    hub.upload("again.zip", b"no ZIP 0");
    hub.run_without_hand_over().await;
    hand_over_all(&outbox).await;
    assert_eq!(hub.names("sender/receipts").len(), 6);
    assert_eq!(hub.store.awaited(&sender(), 0, 9).unwrap().len(), 6);
    hub.run().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_nobody_watches_is_not_looked_at() {
    let hub = composed().await;
    hub.run().await;
    assert!(hub.store.awaited(&print_house(), 0, 9).unwrap().is_empty());
    let outbox = looking(&hub, print_house(), Await::Nothing);
    fs::remove_dir_all(hub.print_house_folder()).unwrap();
    assert_eq!(outbox.look_for_pickups(now()).await.unwrap(), 0);
}
