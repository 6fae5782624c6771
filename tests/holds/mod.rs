//! What operators hold, release and cancel, of batches and of messages, until it has left the house.

mod batches;
mod deliveries;
mod gone;
mod messages;
mod set_back;

use kuori::{
    domain::{BatchId, BatchState, MessageId, MessageState},
    sample::Spec,
    store::{Counts, MessageDeed, MessagePlan, Standing},
};

use crate::hub::{Hub, because, sample_bytes};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn message(position: u32) -> MessageId {
    MessageId {
        batch: FIRST,
        position,
    }
}

fn state(hub: &Hub) -> BatchState {
    hub.store.batch(FIRST).unwrap().state
}

fn counts(hub: &Hub) -> Counts {
    hub.store.counts(FIRST).unwrap()
}

fn hold(hub: &Hub) {
    let plan = hub.store.hold_batch(FIRST, &because("a wrong logo"));
    assert_eq!(plan.unwrap().blocked, None);
}

fn release(hub: &Hub) {
    let plan = hub.store.release_batch(FIRST, &because("it was right"));
    assert_eq!(plan.unwrap().blocked, None);
}

fn reason(hub: &Hub) -> Option<String> {
    hub.store.batch(FIRST).unwrap().reason
}

fn assert_nothing_left(hub: &Hub) {
    assert!(hub.mailbox_messages().is_empty());
    assert_eq!(hub.names("print-house/pickup"), [""; 0]);
}

/// Where the bundles of the batch stand.
fn bundles_stand(hub: &Hub) -> Vec<Standing> {
    let all = hub.store.outgoing_of(FIRST).unwrap();
    let bundles = all.iter().filter(|row| row.bundle.is_some());
    bundles.map(kuori::store::Outgoing::standing).collect()
}

/// Five letters whose bundle waits for the print house.
async fn composed() -> Hub {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(5)));
    hub.run_without_hand_over().await;
    assert_eq!(counts(&hub).composed, 5);
    hub
}

fn move_messages(hub: &Hub, deed: MessageDeed, positions: &[u32]) -> MessagePlan {
    let messages: Vec<_> = positions
        .iter()
        .map(|&position| message(position))
        .collect();
    hub.store
        .move_messages(deed, &messages, &because("the wrong person"))
        .unwrap()
}

fn states(hub: &Hub) -> Vec<MessageState> {
    let messages = hub.store.messages(FIRST, &[], 0, 99).unwrap();
    messages.iter().map(|message| message.state).collect()
}
