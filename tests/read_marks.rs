//! What mail programs mark as read in Maildirs, and what senders hear of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::SignedDuration;
use kuori::{
    domain::{MessageEvent, MessageId},
    pipeline::{Looked, ReadSettings},
    sample::Spec,
    store::DeliveryReportRow,
};

use crate::hub::{Hub, because, now, sample_bytes};

/// A house with delivered messages, and where they lie.
async fn delivered() -> (Hub, Vec<PathBuf>) {
    let hub = Hub::new();
    let messages = deliver(&hub).await;
    (hub, messages)
}

async fn deliver(hub: &Hub) -> Vec<PathBuf> {
    let spec = Spec {
        letters: 30,
        ..Spec::default()
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let messages = hub.mailbox_messages();
    assert!(messages.len() > 5);
    messages
}

/// As a mail program does that has shown a message, or only its title.
fn mark(message: &Path, flags: &str) {
    let cur = message.parent().unwrap().with_file_name("cur");
    let name = message.file_name().unwrap().to_str().unwrap();
    fs::rename(message, cur.join(format!("{name}:2,{flags}"))).unwrap();
}

fn id_of(message: &Path) -> MessageId {
    let name = message.file_name().unwrap().to_str().unwrap();
    let id = name.split('.').nth(1).unwrap().rsplit_once('-').unwrap().0;
    id.parse().unwrap()
}

/// The messages that the sender has not heard of yet, each with what happened to it last.
fn untold(hub: &Hub) -> Vec<(MessageId, MessageEvent)> {
    let claimed = hub.store.claim_due_delivery_report(now(), now());
    let Some(row): Option<DeliveryReportRow> = claimed.unwrap() else {
        return Vec::new();
    };
    hub.store.release_leases().unwrap();
    let histories = hub.store.untold_messages(&row, 0, 100).unwrap();
    let last = |history: &kuori::store::MessageHistory| history.events.last().unwrap().what;
    histories.iter().map(|it| (it.message, last(it))).collect()
}

async fn look(hub: &Hub) -> Looked {
    hub.look_for_reads(None, ReadSettings::default()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_of_a_message_that_was_read_hears_of_it_once() {
    let (hub, messages) = delivered().await;
    assert_eq!(look(&hub).await.read, 0);
    mark(&messages[0], "S");
    mark(&messages[1], "FRST");
    // Its title was seen, it was answered unread, it was thrown away unread, it is gone.
    mark(&messages[2], "");
    mark(&messages[3], "R");
    mark(&messages[4], "T");
    fs::remove_file(&messages[5]).unwrap();

    assert_eq!(look(&hub).await.read, 2);
    let mut read = [0, 1].map(|it| (id_of(&messages[it]), MessageEvent::Read));
    read.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(untold(&hub), read);
    assert_eq!(look(&hub).await.read, 0);

    hub.run_at(now() + SignedDuration::from_hours(24)).await;
    let report = hub.receipt(".delivery-2");
    assert_eq!(
        report.matches("<Event what=\"read\"").count(),
        2,
        "{report}"
    );
    assert!(report.contains(" final=\"true\""), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_take_turns_where_a_look_is_not_for_all_of_them() {
    let (hub, mut messages) = delivered().await;
    messages.sort_by_key(|message| id_of(message));
    mark(messages.last().unwrap(), "S");
    let settings = ReadSettings {
        at_once: 3,
        ..ReadSettings::default()
    };
    let (mut looks, mut after) = (0, None);
    loop {
        looks += 1;
        let looked = hub.look_for_reads(after, settings).await;
        after = looked.next_after;
        if looked.read > 0 {
            break;
        }
        assert_eq!(after, Some(id_of(&messages[3 * looks - 1])));
    }
    assert_eq!(looks, messages.len().div_ceil(3));
    hub.run_at(now() + SignedDuration::from_hours(24)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_at_a_message_once_its_days_are_over() {
    let (hub, messages) = delivered().await;
    let settings = ReadSettings {
        days: 2,
        ..ReadSettings::default()
    };
    let awaited = || hub.store.awaited_reads(None, 100).unwrap().len();
    hub.pass(SignedDuration::from_hours(48) - SignedDuration::from_secs(1));
    hub.look_for_reads(None, settings).await;
    assert_eq!(awaited(), messages.len());
    hub.pass(SignedDuration::from_secs(1));
    mark(&messages[0], "S");
    assert_eq!(hub.look_for_reads(None, settings).await.read, 0);
    assert_eq!(awaited(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_on_paper_unless_it_is_read_is_looked_at_until_then() {
    let hub = Hub::with(|sender| sender.patience.print_if_unread_days = Some(9));
    let messages = deliver(&hub).await;
    let settings = ReadSettings {
        days: 2,
        ..ReadSettings::default()
    };
    hub.pass(SignedDuration::from_hours(24 * 8));
    mark(&messages[0], "S");
    assert_eq!(hub.look_for_reads(None, settings).await.read, 1);
    let awaited = hub.store.awaited_reads(None, 100).unwrap();
    assert_eq!(awaited.len(), messages.len() - 1);
    assert_eq!(hub.store.timer(id_of(&messages[0])).unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_cannot_be_looked_into_holds_up_its_own_message_alone() {
    let hub = Hub::with(|sender| sender.patience.print_if_unread_days = Some(1));
    let messages = deliver(&hub).await;
    let cur = messages[0].parent().unwrap().with_file_name("cur");
    fs::remove_dir(&cur).unwrap();
    fs::write(&cur, "no folder").unwrap();
    for _ in 0..2 {
        hub.pass(SignedDuration::from_hours(25));
        look(&hub).await;
        hub.store.note_look(None, hub.time()).unwrap();
    }
    let waiting = || hub.store.status(hub.time()).unwrap().timers;
    let all = waiting().waiting;
    let in_that_mailbox = messages
        .iter()
        .filter(|it| it.parent() == messages[0].parent());
    let missed = in_that_mailbox.count() as u64;
    assert_eq!(hub.fire_timers().printed, all - missed);
    let (first, why) = waiting().first_missed.unwrap();
    assert_eq!(first, id_of(&messages[0]));
    assert!(why.contains("in its mailbox"), "{why}");
    assert!(!why.contains("mailboxes/"), "{why}");

    // It is mended, and somebody has to have looked since.
    fs::remove_file(&cur).unwrap();
    fs::create_dir(&cur).unwrap();
    assert_eq!(hub.fire_timers().printed, 0);
    look(&hub).await;
    assert_eq!(waiting().first_missed, None);
    assert_eq!(hub.fire_timers().printed, missed);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_looks_at_a_message_whose_recipient_was_erased() {
    let (hub, messages) = delivered().await;
    let id = id_of(&messages[0]);
    hub.store.erase(id, &because("asked for")).unwrap();
    mark(&messages[0], "S");
    assert_eq!(look(&hub).await.read, 0);
    let awaited = hub.store.awaited_reads(None, 100).unwrap();
    assert_eq!(awaited.len(), messages.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_has_not_changed_is_not_looked_into_again() {
    let (hub, messages) = delivered().await;
    // A change of this moment could be followed by one at the same time.
    look(&hub).await;
    let changed = || {
        let awaited = hub.store.awaited_reads(None, 100).unwrap();
        awaited.iter().filter(|it| it.changed.is_some()).count()
    };
    assert_eq!(changed(), 0);
    for message in &messages {
        let cur = message.parent().unwrap().with_file_name("cur");
        let then = std::time::SystemTime::now() - std::time::Duration::from_mins(1);
        fs::File::open(cur).unwrap().set_modified(then).unwrap();
    }
    look(&hub).await;
    assert_eq!(changed(), messages.len());
    mark(&messages[0], "S");
    assert_eq!(look(&hub).await.read, 1);
    hub.run_at(now() + SignedDuration::from_hours(24)).await;
}
