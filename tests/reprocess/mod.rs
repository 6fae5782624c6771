//! Doing again, after a fault: by cause, by letter, by bundle; and nothing twice that nobody named.

mod channels;
mod failed;
mod play;
mod scale;
mod steps;

use kuori::{
    domain::{BatchId, Channel, MessageId},
    pipeline::{self, SenderSettings},
    sample::{Fault, FaultKind, Spec},
    store::{
        Again, BatchRow, Error, MessageFilter, MessageRow, Reprocess, ReprocessPlan, Reprocessing,
        Store, Way,
    },
};

use crate::{
    hub::{Hub, because, now},
    program::InHands,
};

const FIRST: BatchId = BatchId(1);

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

fn slip(letter: u32) -> Fault {
    Fault {
        letter,
        kind: FaultKind::IdentityCodeSlip,
    }
}

fn message(batch: u64, position: u32) -> MessageId {
    let batch = BatchId(batch);
    MessageId { batch, position }
}

fn all(messages: MessageFilter) -> Reprocess<'static> {
    Reprocess {
        messages,
        from: None,
        way: Way::AsBefore,
        again: Again::default(),
        senders: None,
        listed: 1_000,
    }
}

fn failed() -> Reprocess<'static> {
    all(MessageFilter {
        states: MessageFilter::FAILED.to_vec(),
        ..MessageFilter::default()
    })
}

fn only(message: MessageId) -> Reprocess<'static> {
    all(MessageFilter {
        messages: vec![message],
        ..MessageFilter::default()
    })
}

const PRINT_AGAIN: Again = Again {
    print: true,
    deliver: false,
};

const BOTH_AGAIN: Again = Again {
    print: true,
    deliver: true,
};

/// The batches that are meant, each with what would be done to it.
fn plans(hub: &Hub, wanted: &Reprocess<'_>) -> Vec<ReprocessPlan> {
    let batches = hub.store.batches_with(&wanted.messages).unwrap();
    let plan = |&batch| hub.store.plan_reprocess_of(batch, wanted, now()).unwrap();
    batches.iter().map(plan).collect()
}

fn plan(hub: &Hub, wanted: &Reprocess<'_>) -> ReprocessPlan {
    let mut plans = plans(hub, wanted);
    assert_eq!(plans.len(), 1, "{plans:?}");
    plans.remove(0)
}

/// Sets all batches that are meant back in one transaction.
fn done(hub: &Hub, wanted: &Reprocess<'_>) -> Reprocessing {
    let batches = hub.store.batches_with(&wanted.messages).unwrap();
    let batches: Vec<_> = batches.into_iter().map(|batch| (batch, None)).collect();
    let action = because("a test");
    hub.store.reprocess_all(&batches, wanted, &action).unwrap()
}

fn hands(hub: &Hub) -> InHands {
    let pickup = hub.print_house_folder().join("pickup");
    InHands::count(&hub.path().join("mailboxes"), &pickup)
}

/// Lends what asks the settings of `sender` whether messages can go by a channel.
fn forced<T>(
    store: &Store,
    sender: &SenderSettings,
    channel: Channel,
    lend: impl FnOnce(Way<'_>) -> T,
) -> T {
    let foresee = |row: &BatchRow, page: &[MessageRow], channel| -> Result<Vec<_>, Error> {
        pipeline::foresee(store, sender, row, page, (channel, now()))
    };
    lend(Way::Forced(channel, &foresee))
}
