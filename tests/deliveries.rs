//! Delivery reports: what they tell, when, and what a crash does to them.

use std::{fs, io::Write, os::unix::fs::MetadataExt};

use jiff::{SignedDuration, Timestamp};
use kuori::{
    domain::{BatchId, MessageEvent, Step},
    receipts::{Format, Level},
    sample::{Fault, FaultKind, Spec},
    store::{Again, DeliveryReportRow, OutgoingKind, Selection},
};

use crate::hub::{Hub, because, now, sample_bytes};

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

/// Six in the morning in Helsinki, after the standing clock of the hub.
fn morning() -> Timestamp {
    "2026-11-24T04:00:00Z".parse().unwrap()
}

fn deliveries(hub: &Hub) -> Vec<String> {
    let mut names = hub.names("sender/receipts");
    names.retain(|name| name.contains(".delivery"));
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_each_letter_is_told_once_when_the_last_one_has_left() {
    let hub = Hub::new();
    let spec = letters(60);
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let counts = hub.counts();
    assert_eq!(deliveries(&hub), ["batch.B-0001.delivery.xml"]);
    let report = hub.receipt(".delivery");
    let events = |what: &str| report.matches(&format!("<Event what=\"{what}\"")).count() as u64;
    assert!(report.contains(" final=\"true\""), "{report}");
    assert_eq!(report.matches("<Message ").count(), 60);
    assert_eq!(events("delivered"), counts.delivered);
    assert_eq!(events("composed"), counts.printed);
    assert_eq!(events("handed-over"), counts.printed);
    assert_eq!(hub.store.next_delivery_report_due().unwrap(), None);
    hub.run().await;
    assert_eq!(deliveries(&hub).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_print_house_is_away_the_sender_hears_in_the_morning_what_is_delivered() {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    assert_eq!(
        hub.store.next_delivery_report_due().unwrap(),
        Some(morning())
    );

    hub.run_at(morning()).await;
    let first = hub.receipt(".delivery");
    assert!(
        first.contains("final=\"false\"") && !first.contains("handed-over"),
        "{first}"
    );
    assert!(
        first.contains("\"delivered\"") && first.contains("\"composed\""),
        "{first}"
    );

    hub.run().await;
    assert_eq!(
        deliveries(&hub),
        ["batch.B-0001.delivery-2.xml", "batch.B-0001.delivery.xml"]
    );
    // What was told is not told again; what has gone on is told with all its history.
    let second = hub.receipt(".delivery-2");
    let printed = hub.counts().printed;
    assert!(
        second.contains("final=\"true\"") && !second.contains("\"delivered\""),
        "{second}"
    );
    assert_eq!(second.matches("\"handed-over\"").count() as u64, printed);
    assert_eq!(second.matches("\"composed\"").count() as u64, printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_letter_is_told_with_what_is_wrong_and_a_refused_batch_not_at_all() {
    let slip = |letter| Fault {
        letter,
        kind: FaultKind::IdentityCodeSlip,
    };
    let hub = Hub::new();
    let spec = Spec {
        faults: vec![slip(2)],
        ..letters(5)
    };
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let report = hub.receipt(".delivery");
    assert_eq!(report.matches("\"refused\"").count(), 1, "{report}");
    assert_eq!(report.matches("<Finding ").count(), 1, "{report}");
    assert!(report.contains("recipient-id-invalid"), "{report}");

    hub.process("nonsense.zip", b"this is no ZIP").await;
    assert_eq!(deliveries(&hub).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_was_put_off_between_two_steps_is_sent_when_the_batch_rests() {
    let hub = Hub::with(|sender| sender.print_house = None);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert_eq!(deliveries(&hub).len(), 1);
    // As if a look at the report had come just before the last step, with nothing to happen after it.
    let database = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    let (soon, later) = (now().as_millisecond(), morning().as_millisecond());
    let undo = format!(
        "UPDATE delivery_reports SET told = 0, is_final = 0, untold_since = {soon}, due_at = {later};
         UPDATE batches SET state = 'composed', due_at = {soon};"
    );
    database.execute_batch(&undo).unwrap();
    hub.run().await;
    assert_eq!(deliveries(&hub).len(), 2);
    assert_eq!(hub.store.next_delivery_report_due().unwrap(), None);
}

fn the_second_printed_again(batch: BatchId, from: Step) -> Selection {
    Selection {
        batch,
        positions: vec![2],
        from: Some(from),
        again: Again {
            print: true,
            deliver: false,
        },
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_printed_again_is_told_again() {
    let hub = Hub::new();
    let batch = hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    let again = the_second_printed_again(batch, Step::Compose);
    let action = because("a test");
    assert!(
        hub.store
            .reprocess(&again, &action)
            .unwrap()
            .blocked
            .is_empty()
    );
    hub.run().await;
    // The last thing that was told was final: what comes after it waits for the morning.
    assert_eq!(
        hub.store.next_delivery_report_due().unwrap(),
        Some(morning())
    );
    hub.run_at(morning()).await;
    let report = hub.receipt(".delivery-2");
    assert_eq!(report.matches("<Message ").count(), 1, "{report}");
    assert_eq!(report.matches("\"handed-over\"").count(), 2, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_wants_errors_only_hears_of_no_delivery_that_went_well() {
    for (level, faults) in [
        (Level::Errors, 0..0),
        (Level::Errors, 0..1),
        (Level::None, 0..1),
    ] {
        let hub = Hub::with(|sender| sender.receipts.level = level);
        let slips = faults.clone().map(|letter| Fault {
            letter: letter + 1,
            kind: FaultKind::IdentityCodeSlip,
        });
        let spec = Spec {
            faults: slips.collect(),
            ..letters(5)
        };
        hub.process("batch.zip", &sample_bytes(&spec)).await;
        assert_eq!(hub.store.next_delivery_report_due().unwrap(), None);
        if level == Level::None {
            assert_eq!(hub.names("sender/receipts"), [""; 0]);
            continue;
        }
        assert_eq!(deliveries(&hub).len(), faults.len());
        if !faults.is_empty() {
            assert_eq!(hub.receipt(".delivery").matches("<Message ").count(), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_receipt_comes_in_every_format_that_the_sender_wants() {
    let formats = [Format::Json, Format::Csv, Format::Xml];
    let hub = Hub::with(|sender| sender.receipts.formats = formats.to_vec());
    hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    let kinds = ["acknowledgement", "delivery", "processing"];
    let expected = kinds.into_iter().flat_map(|kind| {
        ["csv", "json", "xml"].map(|ending| format!("batch.B-0001.{kind}.{ending}"))
    });
    assert_eq!(hub.names("sender/receipts"), expected.collect::<Vec<_>>());
    let table = hub.receipt("processing.csv");
    // Its header, the batch, three messages.
    assert_eq!(table.lines().count(), 5, "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_there_before_its_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let formats = vec![Format::Xml, Format::Csv];
    let hub = Hub::signing(
        |sender| sender.receipts.formats = formats,
        &folder.path().join("receipt.key"),
    );
    let batch = hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    for outgoing in hub.store.outgoing_of(batch).unwrap() {
        if outgoing.kind == OutgoingKind::Bundle {
            continue;
        }
        let paths: Vec<_> = outgoing.files.iter().map(|file| &file.path).collect();
        let [first_signature, first, second_signature, second] = paths[..] else {
            panic!("{paths:?}");
        };
        assert_eq!(*first_signature, format!("{first}.sig"));
        assert_eq!(*second_signature, format!("{second}.sig"));
        let signature = fs::read_to_string(hub.sender_folder().join(first_signature)).unwrap();
        assert!(
            signature.starts_with("-----BEGIN SSH SIGNATURE-----"),
            "{signature}"
        );
    }
}

/// The state of a batch with one delivered letter that was not told yet.
async fn with_an_untold_letter() -> (Hub, DeliveryReportRow) {
    let hub = Hub::new();
    let spec = letters(20);
    hub.consent(&spec);
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    let lease = morning() + SignedDuration::from_hours(1);
    let row = hub.store.claim_due_delivery_report(morning(), lease);
    (hub, row.unwrap().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_a_crash_cut_off_is_written_by_the_next_start() {
    let (hub, row) = with_an_untold_letter().await;
    let lease = morning() + SignedDuration::from_hours(1);
    let claim = || {
        hub.store
            .claim_due_delivery_report(morning(), lease)
            .unwrap()
    };
    assert!(claim().is_none(), "two workers have the same report");
    // What a crash left: the file, without a row.
    let mut file = hub.store.spool().begin().unwrap();
    file.write_all(b"half").unwrap();
    let key = kuori::store::SpoolKey::new("outgoing", "B-0001.delivery-1.xml");
    file.keep(&key).unwrap();
    hub.store.release_leases().unwrap();
    hub.run_at(morning()).await;
    let told = hub.receipt(".delivery");
    assert!(told.ends_with("</DeliveryReport>\n"), "{told}");
    assert_eq!(row.reports, 0);
    hub.run().await;
    assert_eq!(deliveries(&hub).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_a_report_is_written_is_told_by_the_next_one() {
    let (hub, row) = with_an_untold_letter().await;
    let untold = hub.store.untold_messages(&row, 0, 100).unwrap();
    // The bundle is handed over meanwhile.
    hub.hand_over_all().await;
    let still = hub.store.untold_messages(&row, 0, 100).unwrap();
    let events = |histories: &[kuori::store::MessageHistory]| -> Vec<MessageEvent> {
        let events = histories.iter().flat_map(|history| &history.events);
        events.map(|event| event.what).collect()
    };
    assert_eq!(
        events(&untold),
        events(&still),
        "the same row makes another report"
    );
    hub.store
        .record_delivery_report(&row, None, false, morning())
        .unwrap();
    assert_eq!(
        hub.store.next_delivery_report_due().unwrap(),
        Some(morning())
    );
    hub.run_at(morning()).await;
    let printed = hub.counts().printed;
    let report = hub.receipt(".delivery");
    assert_eq!(report.matches("\"handed-over\"").count() as u64, printed);
    assert!(report.contains("final=\"true\""), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_another_sender_keeps_its_own_count_of_what_was_told() {
    let hub = Hub::new();
    for (number, name) in [(1, "one"), (2, "two")] {
        let spec = Spec {
            seed: number,
            ..letters(3)
        };
        let batch = hub
            .process(&format!("{name}.zip"), &sample_bytes(&spec))
            .await;
        assert_eq!(batch, BatchId(number));
        let report = hub.receipt(&format!("{batch}.delivery"));
        assert_eq!(report.matches("<Message ").count(), 3, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_of_one_moment_and_not_of_when_it_was_claimed() {
    let (hub, claimed) = with_an_untold_letter().await;
    // The last bundle is handed over between the claim and the report.
    hub.hand_over_all().await;
    let (due, _, counts) = hub.store.delivery_standing(claimed.batch).unwrap();
    assert!(counts.is_settled() && due.newest > claimed.newest);
    let told = hub.store.untold_messages(&due, 0, 100).unwrap();
    let events = told.iter().flat_map(|history| &history.events);
    let handed_over = events.filter(|event| event.what == MessageEvent::HandedOver);
    assert_eq!(handed_over.count() as u64, counts.printed);
    hub.store.release_leases().unwrap();
    hub.run().await;
    assert_eq!(deliveries(&hub).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_is_written_once_however_often_its_batch_is_opened() {
    let hub = Hub::new();
    let batch = hub.process("batch.zip", &sample_bytes(&letters(3))).await;
    let file = || {
        let sent = hub.store.outgoing_of(batch).unwrap().remove(0);
        let path = hub.store.spool().path(&sent.files[0].file.key);
        fs::metadata(path).unwrap().ino()
    };
    let first = file();
    let again = the_second_printed_again(batch, Step::Open);
    let action = because("a test");
    hub.store.reprocess(&again, &action).unwrap();
    hub.run().await;
    let events = hub.store.events(batch).unwrap();
    let opened = events.iter().filter(|event| event.what == "opened");
    assert_eq!(opened.count(), 2);
    assert_eq!(file(), first, "the file of the first one was replaced");
}
