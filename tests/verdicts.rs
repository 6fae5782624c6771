//! What a message is fit for, from its batch to the report.

use kuori::{
    print::{self, EnvelopeRule},
    sample::{Fault, FaultKind, Spec},
};

use crate::hub::{Hub, sample_bytes};

fn letters(faults: Vec<Fault>) -> Spec {
    Spec {
        letters: 4,
        pages: 3..=3,
        faults,
        ..Spec::default()
    }
}

fn with_fault(kind: FaultKind) -> Vec<u8> {
    sample_bytes(&letters(vec![Fault { letter: 2, kind }]))
}

/// The report's line of a message, without its findings.
fn line(report: &str, position: u32) -> &str {
    let (_, rest) = report.split_once(&format!("-{position}\" ")).unwrap();
    rest.split('>').next().unwrap()
}

fn finding<'r>(report: &'r str, code: &str) -> &'r str {
    let (_, rest) = report.split_once(&format!("code=\"{code}\" ")).unwrap();
    rest.split('>').next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_what_each_message_is_fit_for_and_what_closed_the_rest() {
    let hub = Hub::new();
    hub.process("batch.zip", &with_fault(FaultKind::UsLetterPaper))
        .await;
    let report = hub.receipt("processing");
    assert!(line(&report, 1).contains("fit=\"both\""), "{report}");
    assert!(line(&report, 2).contains("fit=\"mailbox\""), "{report}");
    let told = finding(&report, "page-size");
    assert!(told.contains("affects=\"print\" closes=\"true\""), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_id_is_the_reason_of_its_refusal() {
    let hub = Hub::new();
    hub.process("batch.zip", &with_fault(FaultKind::IdentityCodeSlip))
        .await;
    let report = hub.receipt("processing");
    let told = line(&report, 2);
    for part in [
        "state=\"refused\"",
        "fit=\"none\"",
        "reason=\"recipient-id-invalid\"",
    ] {
        assert!(told.contains(part), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_id_stops_nothing_where_the_whole_batch_is_for_print() {
    let hub = Hub::new();
    let name = "koha_20261123210000_suoratulostus.zip";
    hub.process(name, &with_fault(FaultKind::IdentityCodeSlip))
        .await;
    assert_eq!(hub.counts().printed, 4, "{:?}", hub.counts());
    let report = hub.receipt("processing");
    let told = line(&report, 2);
    for part in ["fit=\"print\"", "reason=\"sender-wants-print\""] {
        assert!(told.contains(part), "{told}");
    }
    let told = finding(&report, "recipient-id-ignored");
    assert!(
        told.contains("affects=\"mailbox\" closes=\"true\""),
        "{told}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_envelope_of_the_print_house_is_known_when_a_batch_is_opened() {
    let spec = letters(Vec::new());
    // Three pages on both sides are two sheets.
    for (max_sheets, fit) in [(2, "both"), (1, "mailbox")] {
        let hub = Hub::with_print(print::Settings {
            envelopes: vec![EnvelopeRule::new("C5", max_sheets, 700)],
            ..print::Settings::default()
        });
        hub.consent(&spec);
        hub.process("batch.zip", &sample_bytes(&spec)).await;
        let counts = hub.counts();
        let mailboxes = kuori::sample::recipients(&spec).filter(|one| one.has_mailbox);
        assert_eq!(counts.delivered, mailboxes.count() as u64, "{counts:?}");
        let report = hub.receipt("processing");
        assert!(
            line(&report, 1).contains(&format!("fit=\"{fit}\"")),
            "{report}"
        );
        assert_eq!(report.contains("too-many-sheets"), fit == "mailbox");
    }
}
