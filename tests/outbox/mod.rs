//! What goes out: several things at once, each once, held where it must be, and looked for until it
//! is picked up. Crashes at every call are in `chaos.rs` too.

mod daemon;
mod folder;
mod held;
mod lanes;
mod once;
mod pickup;

use std::{fs, path::PathBuf};

use kuori::{
    domain::{BatchId, BundleId},
    sample::Spec,
    store::{Outgoing, OutgoingKind, Place},
};

use crate::hub::{Hub, sample_bytes};

fn sender() -> Place {
    Place::Sender("example-city".parse().unwrap())
}

fn print_house() -> Place {
    Place::PrintHouse("example-print".parse().unwrap())
}

/// A house with one bundle that is to be handed over, and an acknowledgement and a report.
async fn composed() -> Hub {
    let hub = Hub::new();
    let spec = Spec {
        letters: 2,
        ..Spec::default()
    };
    hub.upload("letters.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    hub
}

/// A house with an acknowledgement and a report of each of some batches.
async fn with_receipts(batches: u32) -> Hub {
    let hub = Hub::new();
    for number in 0..batches {
        hub.upload(
            &format!("{number}.zip"),
            format!("no ZIP {number}").as_bytes(),
        );
    }
    hub.run_without_hand_over().await;
    hub
}

fn bundle(hub: &Hub) -> Outgoing {
    let rows = hub.store.outgoing_of(BatchId(1)).unwrap();
    let mut bundles = rows
        .into_iter()
        .filter(|row| row.kind == OutgoingKind::Bundle);
    bundles.next().unwrap()
}

fn pickup(hub: &Hub) -> PathBuf {
    hub.print_house_folder().join("pickup")
}

/// Files of a bundle at the print house.
fn standing(hub: &Hub, bundle: BundleId) -> Vec<String> {
    hub.names(&format!("print-house/pickup/{bundle}"))
}

fn put(path: PathBuf, content: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}
