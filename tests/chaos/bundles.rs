//! Bundles on their way to a print house.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use jiff::SignedDuration;
use kuori::{sample::Spec, store::Standing};

use super::{
    ChaosFolder, TROUBLES, Trouble, later,
    print_house::{Clears, PrintHouse},
    start_again,
};
use crate::hub::{Hub, because, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_handed_over_once_whatever_happens_at_any_call() {
    for trouble in TROUBLES {
        assert!(points_handed_over(Clears::AllAtOnce, trouble).await >= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_half_cleared_away_is_not_handed_over_again() {
    for clears in [Clears::PdfFirst, Clears::PieceListFirst] {
        for trouble in [Trouble::StopsAfter, Trouble::FailsAfter] {
            assert!(points_handed_over(clears, trouble).await >= 5);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_is_cleared_away_after_a_look_is_not_handed_over_again() {
    for trouble in [Trouble::StopsAfter, Trouble::FailsAfter] {
        assert!(points_handed_over(Clears::BeforeTheNextWrite, trouble).await >= 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_not_taken_for_fetched_while_its_place_is_away() {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let pickup = hub.print_house_folder().join("pickup");
    let away = hub.path().join("away");
    // The folder, three files, and then the marker that does not get there.
    let door = |at| ChaosFolder::new(hub.print_house_door(), Trouble::FailsBefore, at);
    let outbox = hub.outbox_through(Arc::new(door(5)));
    while outbox.hand_over_next(now()).await.unwrap() {}
    let outbox = hub.outbox_through(Arc::new(door(u32::MAX)));
    fs::rename(&pickup, &away).unwrap();
    while outbox.hand_over_next(later()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 0);
    assert!(
        !pickup.exists(),
        "a folder was made where the mount has to be"
    );

    fs::rename(&away, &pickup).unwrap();
    let later = later() + SignedDuration::from_hours(1);
    while outbox.hand_over_next(later).await.unwrap() {}
    assert_eq!(hub.counts().printed, 2);
    let bundle = fs::read_dir(&pickup).unwrap().next().unwrap().unwrap();
    assert_eq!(fs::read_dir(bundle.path()).unwrap().count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_marker_follows_a_damaged_file() {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let batch = hub.store.batches(1).unwrap()[0].id;
    let hand_overs = hub.store.outgoing_of(batch).unwrap();
    let bundle = hand_overs.iter().find(|row| row.bundle.is_some()).unwrap();
    let pdf = hub.store.spool().path(&bundle.files[0].file.key);
    let whole = fs::read(&pdf).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&pdf, damaged).unwrap();
    let outbox = hub.outbox_through(hub.print_house_door());
    while outbox.hand_over_next(now()).await.unwrap() {}
    let rows = hub.store.outgoing_of(batch).unwrap();
    let held = rows.iter().find(|row| row.held_at.is_some()).unwrap();
    assert_eq!(held.standing(), Standing::Held);
    let error = held.last_error.clone().unwrap();
    assert!(error.contains("damaged"), "{error}");
    let standing = fs::read_dir(hub.print_house_folder().join("pickup")).unwrap();
    let standing = standing.map(|entry| entry.unwrap().path());
    let folder = standing.into_iter().next().unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    assert_eq!(hub.counts().printed, 0);

    fs::write(&pdf, whole).unwrap();
    // No wait makes it whole: somebody says that it is.
    while outbox.hand_over_next(later()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 0);
    let action = because("brought back");
    hub.store.retry_waiting(None, &action).unwrap();
    while outbox.hand_over_next(now()).await.unwrap() {}
    assert_eq!(hub.counts().printed, 2);
    hub.run().await;
}

/// Hands over with trouble at the first call, at the second and so on; returns how many there are.
async fn points_handed_over(clears: Clears, trouble: Trouble) -> u32 {
    let mut points = 0;
    while hand_over(clears, trouble, points + 1).await {
        points += 1;
    }
    points
}

/// Hands one bundle over with trouble, then without. Returns whether there was any.
async fn hand_over(clears: Clears, trouble: Trouble, at: u32) -> bool {
    let hub = Hub::new();
    let letters = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&letters));
    hub.run_without_hand_over().await;
    let print_house = |trouble, at| {
        let mut folder = ChaosFolder::new(hub.print_house_door(), trouble, at);
        folder.print_house = Some(PrintHouse {
            pickup: hub.print_house_folder().join("pickup"),
            clears,
            taken: AtomicU32::new(0),
        });
        Arc::new(folder)
    };
    let (first, second) = (print_house(trouble, at), print_house(trouble, u32::MAX));
    let outbox = hub.outbox_through(first.clone());
    first
        .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
        .await;
    start_again(&hub);
    let outbox = hub.outbox_through(second.clone());
    for at in [later(), later() + SignedDuration::from_hours(1)] {
        while outbox.hand_over_next(at).await.unwrap() {}
    }
    second.let_print_house_look(|_| true);

    let taken = [&first, &second].map(|folder| {
        let print_house = folder.print_house.as_ref().unwrap();
        print_house.taken.load(Ordering::SeqCst)
    });
    let when = format!("{clears:?}, {trouble:?} at call {at}");
    assert_eq!(taken.iter().sum::<u32>(), 1, "{when}: {taken:?}");
    assert_eq!(hub.counts().printed, 2, "{when}");
    // What was handed over is told.
    hub.run().await;
    first.has_struck()
}
