//! What waits for an operator, and what becomes of what was half written.

use std::{fs, io};

use kuori::{
    domain::BatchId,
    outbox::{PlaceSettings, Settings},
    store::{Standing, Waiting},
    transport::{Action, Error, ReadBack, RemotePath},
};

use super::{bundle, composed, folder::Doorman, pickup, print_house, put, standing};
use crate::{
    chaos::{ChaosFolder, TROUBLES, Trouble, later, start_again},
    hub::{Hub, because, now},
};

async fn hand_over_all(hub: &Hub) {
    hub.hand_over_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_there_is_told_and_never_replaced() {
    let hub = composed().await;
    let id = bundle(&hub).bundle.unwrap();
    let foreign = pickup(&hub).join(format!("{id}/{id}.pdf"));
    put(foreign.clone(), b"somebody else's");
    hand_over_all(&hub).await;
    let held = bundle(&hub);
    assert_eq!(held.standing(), Standing::Held);
    let error = held.last_error.unwrap();
    assert!(error.contains("another file stands at"), "{error}");
    assert!(error.contains(": 15 bytes, of 20"), "{error}");
    assert_eq!(fs::read(&foreign).unwrap(), b"somebody else's");
    // It is not tried again by itself, and says so in the history once.
    hub.run_at(later()).await;
    assert_eq!(bundle(&hub).standing(), Standing::Held);
    let events = hub.store.events(BatchId(1)).unwrap();
    let told = events
        .iter()
        .filter(|event| event.what.contains("held the hand-over"));
    assert_eq!(told.count(), 1);

    fs::remove_file(foreign).unwrap();
    let named = Waiting::Bundle(id);
    let retry = hub
        .store
        .retry_waiting(Some(&named), &because("moved away"));
    assert_eq!(retry.unwrap().rows.len(), 1);
    hub.run().await;
    assert_eq!(hub.counts().printed, 2);
    assert_eq!(standing(&hub, id).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_holds_the_row_and_not_the_place() {
    let hub = composed().await;
    let id = bundle(&hub).bundle.unwrap();
    let door = Doorman::new(hub.print_house_door());
    door.fail(Some(denied));
    let outbox = hub.outbox_through(door.clone());
    for at in [now(), later()] {
        while outbox.hand_over_next(at).await.unwrap() {}
    }
    assert_eq!(door.begun().len(), 1);
    assert_eq!(bundle(&hub).standing(), Standing::Held);
    let held = hub.store.bundle(id).unwrap().held.unwrap();
    assert!(held.contains("permission denied"), "{held}");
    assert!(hub.store.places_in_trouble().unwrap().is_empty());
    hub.store.retry_waiting(None, &because("mended")).unwrap();
    hub.run().await;
    assert_eq!(hub.store.bundle(id).unwrap().held, None);
}

fn denied(path: &RemotePath) -> Error {
    Error::Io {
        action: Action::Upload,
        path: path.clone(),
        source: io::ErrorKind::PermissionDenied.into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bundles_are_read_back_as_their_place_wants_and_receipts_by_size() {
    let hub = composed().await;
    let (papers, letters) = (
        Doorman::new(hub.print_house_door()),
        Doorman::new(hub.sender_door()),
    );
    let mut settings = Settings::default();
    for place in [print_house(), super::sender()] {
        let digest = PlaceSettings {
            read_back: ReadBack::Digest,
            ..PlaceSettings::default()
        };
        settings.places.insert(place, digest);
    }
    let folders = [
        (print_house(), papers.clone() as _),
        (super::sender(), letters.clone() as _),
    ];
    let outbox = hub.outbox_with(settings, folders);
    while outbox.hand_over_next(now()).await.unwrap() {}
    assert_eq!(*papers.read_back.lock().unwrap(), [ReadBack::Digest; 4]);
    assert_eq!(*letters.read_back.lock().unwrap(), [ReadBack::Size; 2]);
    hub.run().await;
}

/// A bundle of which two files stand at the print house, and the third cannot.
async fn half_written() -> Hub {
    let hub = composed().await;
    let id = bundle(&hub).bundle.unwrap();
    let folder = pickup(&hub).join(id.to_string());
    put(folder.join(format!("{id}.job.xml")), b"somebody else's");
    hand_over_all(&hub).await;
    assert_eq!(standing(&hub, id).len(), 3);
    // What a broken upload leaves behind, and something that is none of ours.
    put(folder.join(format!(".{id}.pdf.part")), b"half");
    put(folder.join("notes.txt"), b"theirs");
    hub
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_half_written_of_a_cancelled_bundle_is_removed_and_nothing_else() {
    let hub = half_written().await;
    let id = bundle(&hub).bundle.unwrap();
    let plan = hub.store.cancel(BatchId(1), &because("recalled")).unwrap();
    assert_eq!(plan.blocked, []);
    assert_eq!(bundle(&hub).standing(), Standing::Withdrawing);
    hub.run().await;
    assert_eq!(bundle(&hub).standing(), Standing::Withdrawn);
    let left = [format!("{id}.job.xml"), "notes.txt".to_owned()];
    assert_eq!(standing(&hub, id), left);
    let events = hub.store.events(BatchId(1)).unwrap();
    let removed = |what: &str| what.starts_with("removed what was written");
    assert_eq!(
        events.iter().filter(|event| removed(&event.what)).count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_removed_whatever_happens_at_any_call() {
    let mut points = 0;
    for trouble in TROUBLES {
        for at in 1.. {
            let hub = half_written().await;
            let id = bundle(&hub).bundle.unwrap();
            hub.store.cancel(BatchId(1), &because("recalled")).unwrap();
            let folder = std::sync::Arc::new(ChaosFolder::new(hub.print_house_door(), trouble, at));
            let outbox = hub.outbox_through(folder.clone());
            folder
                .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
                .await;
            start_again(&hub);
            hub.run_at(later()).await;
            hub.run().await;
            assert_eq!(standing(&hub, id).len(), 2, "{trouble:?} at call {at}");
            if !folder.has_struck() {
                break;
            }
            points += 1;
        }
    }
    assert!(points > 16, "{points}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_was_never_begun_is_withdrawn_without_a_look_at_its_place() {
    let hub = composed().await;
    hub.store.cancel(BatchId(1), &because("recalled")).unwrap();
    assert_eq!(bundle(&hub).standing(), Standing::Withdrawn);
    let door = ChaosFolder::new(hub.print_house_door(), Trouble::FailsBefore, 1);
    let door = std::sync::Arc::new(door);
    let outbox = hub.outbox_through(door.clone());
    while outbox.hand_over_next(now()).await.unwrap() {}
    assert!(!door.has_struck());
    hub.run().await;
}
