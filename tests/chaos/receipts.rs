//! Receipts, and a sender who takes them at once.

use std::{collections::BTreeSet, fs, sync::Arc};

use super::{ChaosFolder, TROUBLES, Trouble, later, start_again};
use crate::hub::{Hub, now};

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_takes_every_file_at_once_gets_each_receipt_whatever_happens_at_any_call() {
    for trouble in TROUBLES {
        let mut at = 1;
        while receipts_arrive(trouble, at).await {
            at += 1;
        }
        assert!(at > 6, "{trouble:?}: only {at} calls");
    }
}

/// Hands two signed receipts over with trouble, then without. Returns whether there was any.
async fn receipts_arrive(trouble: Trouble, at: u32) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::signing(|_| {}, &folder.path().join("receipt.key"));
    hub.upload("letters.zip", b"this is no ZIP");
    hub.run_without_hand_over().await;
    let receipts = hub.sender_folder().join("receipts");
    let mut taken = BTreeSet::new();
    let mut take_all = || {
        for entry in fs::read_dir(&receipts).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.starts_with('.') {
                fs::remove_file(path).unwrap();
                taken.insert(name);
            }
        }
    };
    let door = |trouble, at| Arc::new(ChaosFolder::new(hub.sender_door(), trouble, at));
    let (first, second) = (door(trouble, at), door(trouble, u32::MAX));
    let outbox = hub.outbox_to_sender_through(first.clone());
    first
        .until_stopped(async { while outbox.hand_over_next(now()).await.unwrap() {} })
        .await;
    take_all();
    start_again(&hub);
    let outbox = hub.outbox_to_sender_through(second);
    while outbox.hand_over_next(later()).await.unwrap() {}
    take_all();
    let kinds = ["acknowledgement", "processing"];
    let expected = kinds.into_iter().flat_map(|kind| {
        ["xml", "xml.sig"].map(|ending| format!("letters.B-0001.{kind}.{ending}"))
    });
    assert_eq!(taken, expected.collect(), "{trouble:?} at call {at}");
    first.has_struck()
}
