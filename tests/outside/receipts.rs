//! What is written for machines follows its schema, as other people's validators see it.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use kuori::{
    domain::BatchState,
    pipeline::Gate,
    sample::{Fault, FaultKind, Spec},
};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    print_run::{PrintRun, cases},
    tools,
};
use crate::hub::{Hub, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn receipts_of_good_batches_follow_the_schema() {
    for is_test in [false, true] {
        let spec = Spec {
            is_test,
            ..letters(30)
        };
        let hub = Hub::new();
        hub.consent(&spec);
        hub.process("batch.zip", &sample_bytes(&spec)).await;
        assert_eq!(receipts_are_valid(&hub), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn receipts_of_a_file_that_is_no_batch_follow_the_schema() {
    for name in ["no batch.zip", "\u{e4}\u{e4}kk\u{f6}set & <\"1\">.zip"] {
        let hub = Hub::new();
        hub.process(name, b"this is no ZIP").await;
        assert_eq!(hub.store.batches(1).unwrap()[0].state, BatchState::Refused);
        assert_eq!(receipts_are_valid(&hub), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn receipts_of_faulty_letters_follow_the_schema() {
    for gate in [Gate::Partial, Gate::AllOrNothing] {
        for kind in FAULTS {
            let hub = Hub::with(|sender| sender.gate = gate);
            let faults = vec![Fault { letter: 2, kind }];
            let spec = Spec {
                faults,
                ..letters(5)
            };
            hub.process("batch.zip", &sample_bytes(&spec)).await;
            assert_eq!(receipts_are_valid(&hub), 2, "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn receipts_of_letters_that_came_before_follow_the_schema() {
    let hub = Hub::new();
    hub.process("one.zip", &sample_bytes(&letters(5))).await;
    hub.process("same.zip", &sample_bytes(&letters(5))).await;
    hub.process("two.zip", &sample_bytes(&letters(6))).await;
    assert!(
        hub.receipt("B-0002.processing")
            .contains("message-duplicate")
    );
    assert_eq!(receipts_are_valid(&hub), 4);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn the_receipt_of_a_held_batch_follows_the_schema() {
    let hub = Hub::with(|sender| sender.print_house = Some("nobody".parse().unwrap()));
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert!(hub.receipt("processing").contains("<Stopped>"));
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn the_receipt_without_a_print_contract_follows_the_schema() {
    let hub = Hub::with(|sender| sender.print_house = None);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert!(hub.receipt("processing").contains("no-print-contract"));
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn receipts_quote_what_senders_write_so_that_xml_can_hold_it() {
    let hub = Hub::with(|sender| sender.address_page = true);
    let rows = "letter_id,name,address,postal_code,city,file\n\
        \"<&>\"\"']]>\",Maija Testi,Kuja 1,00100,Helsinki,layers.pdf\n\
        \u{8}\u{b}\u{fffe},\u{738b} Testi,Kuja 2,00100,Helsinki,layers.pdf\n\
        b,\u{738b} Testi,Kuja 2,00100,Helsinki,\u{1b}<missing>.pdf\n";
    hub.process("batch.zip", &csv_batch(rows)).await;
    let receipt = hub.receipt("processing");
    println!("{receipt}");
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint"]
async fn the_receipt_of_a_held_letter_follows_the_schema() {
    let hub = Hub::new();
    let rows = "letter_id,name,address,postal_code,city,file\n\
        a,Maija Testi,Kuja 1,00100,Helsinki,layers.pdf\n";
    hub.process("batch.zip", &csv_batch(rows)).await;
    let receipt = hub.receipt("processing");
    assert!(receipt.contains("state=\"held\""), "{receipt}");
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, sha256sum and csvw"]
async fn job_tickets_and_piece_lists_follow_their_schemas() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles() {
            let ticket = bundle.file("job.xml");
            is_valid("job-ticket.xsd", std::slice::from_ref(&ticket));
            let files = ["pdf", "pieces.csv"].map(|ending| bundle.file(ending));
            let ticket = fs::read_to_string(ticket).unwrap();
            for line in tools::run("sha256sum", &files).out.lines() {
                let digest = line.split_whitespace().next().unwrap();
                assert!(ticket.contains(&format!("sha256=\"{digest}\"")), "{line}");
            }
            let [_, pieces] = files;
            tools::python("check_table.py", [schema("piece-list.csvw.json"), pieces]);
        }
    }
}

const FAULTS: [FaultKind; 8] = [
    FaultKind::IdentityCodeSlip,
    FaultKind::PostalCodeMissing,
    FaultKind::LetterIdRepeated,
    FaultKind::PageTooMany,
    FaultKind::PageTooFew,
    FaultKind::AnotherPersonsAddress,
    FaultKind::UsLetterPaper,
    FaultKind::InkInMargin,
];

/// A page that can be opened, and not composed: its layer shows when another is off.
const LAYERS: &str = "%PDF-1.7\n\
    1 0 obj <</Type/Catalog/Pages 2 0 R/OCProperties<</D<<>>>>>> endobj\n\
    2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]\
    /Resources<</Properties<</M 4 0 R>>>>>> endobj\n\
    4 0 obj <</Type/OCMD/OCGs[5 0 R]/P/AllOff>> endobj\n\
    5 0 obj <</Type/OCG/Name(a)>> endobj\n\
    trailer <</Root 1 0 R/Size 6>>\n%%EOF\n";

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

/// A batch with these rows and `layers.pdf`.
fn csv_batch(rows: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("batch.csv", rows), ("layers.pdf", LAYERS)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// How many receipts the sender got; each of them is valid.
fn receipts_are_valid(hub: &Hub) -> usize {
    let folder = hub.sender_folder().join("receipts");
    let names = hub.names("sender/receipts");
    let paths: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    is_valid("receipt.xsd", &paths);
    paths.len()
}

fn is_valid(xsd: &str, files: &[PathBuf]) {
    let options = ["--noout", "--nonet", "--schema"].map(PathBuf::from);
    let files = files.iter().cloned();
    tools::run(
        "xmllint",
        options.into_iter().chain([schema(xsd)]).chain(files),
    );
}

fn schema(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(name)
}
