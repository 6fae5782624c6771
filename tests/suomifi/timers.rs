//! What nobody reads or confirms in time goes on paper, once, and its sender hears of it.

use jiff::SignedDuration;
use kuori::{
    domain::{MessageId, MessageState, ServiceKind},
    monitor::{AlertSettings, troubles},
    pipeline::SenderSettings,
    sample::Spec,
    store::{MessageRow, ReadMarks, TimerFilter},
};

use crate::hub::{Hub, sample_bytes};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// A batch of which those with a mailbox have got their letters there, and that is reported.
async fn delivered(change: impl FnOnce(&mut SenderSettings)) -> Hub {
    let hub = Hub::with(change);
    let spec = Spec {
        letters: 40,
        ..Spec::default()
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    assert!(hub.counts().delivered > 3);
    hub
}

fn verifiable(sender: &mut SenderSettings) {
    sender.service = ServiceKind::Verifiable;
}

/// Days pass, on each of which somebody looks what is read in the Maildirs.
fn pass(hub: &Hub, days: u32) {
    for _ in 0..days {
        hub.pass(DAY);
        hub.store.note_look(None, hub.time()).unwrap();
    }
}

fn messages(hub: &Hub, state: MessageState) -> Vec<MessageRow> {
    let batch = hub.store.batches(1).unwrap()[0].id;
    hub.store.messages(batch, &[state], 0, 1_000).unwrap()
}

fn reports_after_the_first(hub: &Hub) -> String {
    let names = hub.names("sender/receipts");
    let later = names.iter().filter(|name| name.contains(".delivery-"));
    let folder = hub.sender_folder().join("receipts");
    later
        .map(|name| std::fs::read_to_string(folder.join(name)).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifiable_message_that_nobody_confirms_goes_registered_and_its_sender_is_told() {
    let hub = delivered(verifiable).await;
    let waiting = messages(&hub, MessageState::Delivered);
    pass(&hub, 7);
    assert_eq!(hub.fire_timers().printed, 0, "not before the sender's hour");
    pass(&hub, 1);
    assert_eq!(hub.fire_timers().printed, waiting.len() as u64);
    assert_eq!(hub.fire_timers().printed, 0);
    hub.run_steps().await;
    for message in &waiting {
        let message = hub.store.message(message.id).unwrap();
        assert_eq!(message.state, MessageState::HandedOver);
        let bundle = hub.store.bundle(message.bundle.unwrap()).unwrap();
        assert!(bundle.group.registered);
    }
    pass(&hub, 1);
    hub.run_steps().await;
    let report = hub.receipt(".delivery-2");
    let events = |what: &str| report.matches(&format!("<Event what=\"{what}\"")).count();
    assert_eq!(events("unacknowledged"), waiting.len(), "{report}");
    assert_eq!(events("handed-over"), waiting.len());
    // All of them together: one more processing report, and one line in the batch's history.
    let names = hub.names("sender/receipts");
    assert!(
        names.iter().any(|name| name.contains("processing-2")),
        "{names:?}"
    );
    assert!(
        !names.iter().any(|name| name.contains("processing-3")),
        "{names:?}"
    );
}

/// Whether that is news.
fn is_read_now(hub: &Hub, message: MessageId) -> bool {
    let marks = ReadMarks {
        read: vec![(message, hub.time())],
        ..ReadMarks::default()
    };
    hub.store.record_read_marks(&marks, hub.time()).unwrap() == 1
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_in_time_stays_in_its_mailbox_and_what_is_read_later_is_told() {
    let hub = delivered(|sender| sender.patience.print_if_unread_days = Some(3)).await;
    let waiting = messages(&hub, MessageState::Delivered);
    pass(&hub, 2);
    let (read, unread) = waiting.split_at(2);
    for message in read {
        assert!(is_read_now(&hub, message.id));
    }
    pass(&hub, 2);
    assert_eq!(hub.fire_timers().printed, unread.len() as u64);
    hub.run_steps().await;
    assert_eq!(messages(&hub, MessageState::Delivered).len(), 2);
    let late = &unread[0];
    let bundle = hub.store.message(late.id).unwrap().bundle.unwrap();
    assert!(!hub.store.bundle(bundle).unwrap().group.registered);
    assert!(is_read_now(&hub, late.id));
    pass(&hub, 1);
    hub.run_steps().await;
    let later = reports_after_the_first(&hub);
    // Each reading in one report, that of what is on paper by then among them.
    assert_eq!(later.matches("<Event what=\"read\"").count(), 3, "{later}");
    assert!(later.contains("<Event what=\"unread\""), "{later}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_stays_in_its_mailbox_and_waits_for_an_operator() {
    let hub = delivered(|sender| {
        verifiable(sender);
        sender.print_house = None;
    })
    .await;
    let waiting = messages(&hub, MessageState::Delivered);
    pass(&hub, 8);
    let fired = hub.fire_timers();
    assert_eq!((fired.printed, fired.stuck), (0, waiting.len() as u64));
    let status = hub.store.status(hub.time()).unwrap();
    let found = troubles(&status, &AlertSettings::default(), hub.time());
    let codes: Vec<_> = found.iter().map(|it| it.code.as_str()).collect();
    assert!(codes.contains(&"timers-stuck"), "{codes:?}");
    pass(&hub, 1);
    hub.run_steps().await;
    let report = hub.receipt(".delivery-2");
    assert_eq!(
        report.matches("no-print-contract").count(),
        waiting.len(),
        "{report}"
    );
    let stuck = TimerFilter {
        stuck: true,
        ..TimerFilter::default()
    };
    assert_eq!(hub.store.timers(&stuck, 100).unwrap().len(), waiting.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_printed_is_looked_at_again_in_the_next_hour_of_its_sender() {
    let hub = delivered(verifiable).await;
    let waiting = messages(&hub, MessageState::Delivered).len() as u64;
    pass(&hub, 7);
    // Delivered at eleven in the evening, over at that hour, fired a moment past six in the morning.
    hub.pass(SignedDuration::from_secs(7 * 3_600 + 20));
    hub.store.note_look(None, hub.time()).unwrap();
    let fired = hub.fire_timers_with(|house| {
        for sender in house.senders.values_mut() {
            sender.print_house = None;
        }
    });
    assert_eq!(fired.stuck, waiting);
    // Somebody mends the cause.
    hub.pass(SignedDuration::from_secs(24 * 3_600 - 40));
    hub.store.note_look(None, hub.time()).unwrap();
    assert_eq!(hub.fire_timers().printed, 0, "a moment before six");
    hub.pass(SignedDuration::from_secs(30));
    assert_eq!(hub.fire_timers().printed, waiting, "a moment past six");
    hub.run_steps().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_sender_has_left_behind_is_stuck_until_the_settings_know_it_again() {
    let hub = delivered(verifiable).await;
    let waiting = messages(&hub, MessageState::Delivered).len() as u64;
    pass(&hub, 8);
    let fired = hub.fire_timers_without_senders();
    assert_eq!((fired.printed, fired.stuck), (0, waiting));
    // Told once, however often it is looked at.
    assert_eq!(hub.fire_timers_without_senders().stuck, 0);
    let stuck = hub.store.status(hub.time()).unwrap().timers.stuck;
    assert_eq!(stuck.count, waiting);
    pass(&hub, 2);
    assert_eq!(hub.fire_timers().printed, waiting);
}
