//! What is written for machines follows its schema, as other people's validators see it.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use kuori::{
    domain::{BatchId, BatchState, Language, MessageEvent, MessageId},
    pipeline::{Gate, SenderSettings},
    receipts::{
        Counts, DeliveryEvent, DeliveryHeader, DeliveryLine, Format, Kind, Report, ReportHeader,
        ReportLine, file_name,
    },
    sample::{Fault, FaultKind, Spec},
    signing::Signer,
};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{
    print_run::{PrintRun, cases},
    tools,
};
use crate::hub::{Hub, now, sample_bytes};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn receipts_of_good_batches_follow_the_schema() {
    for is_test in [false, true] {
        let spec = Spec {
            is_test,
            ..letters(30)
        };
        let hub = hub(|_| {});
        hub.consent(&spec);
        hub.process("batch.zip", &sample_bytes(&spec)).await;
        assert_eq!(receipts_are_valid(&hub), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn receipts_of_a_file_that_is_no_batch_follow_the_schema() {
    for name in ["no batch.zip", "\u{e4}\u{e4}kk\u{f6}set & <\"1\">.zip"] {
        let hub = hub(|_| {});
        hub.process(name, b"this is no ZIP").await;
        assert_eq!(hub.store.batches(1).unwrap()[0].state, BatchState::Refused);
        assert_eq!(receipts_are_valid(&hub), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn receipts_of_faulty_letters_follow_the_schema() {
    for gate in [Gate::Partial, Gate::AllOrNothing] {
        for kind in FAULTS {
            let hub = hub(|sender| sender.gate = gate);
            let faults = vec![Fault { letter: 2, kind }];
            let spec = Spec {
                faults,
                ..letters(5)
            };
            hub.process("batch.zip", &sample_bytes(&spec)).await;
            let is_refused = hub.store.batches(1).unwrap()[0].state == BatchState::Refused;
            let receipts = if is_refused { 2 } else { 3 };
            assert_eq!(receipts_are_valid(&hub), receipts, "{kind:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn receipts_of_letters_that_came_before_follow_the_schema() {
    let hub = hub(|_| {});
    hub.process("one.zip", &sample_bytes(&letters(5))).await;
    hub.process("same.zip", &sample_bytes(&letters(5))).await;
    hub.process("two.zip", &sample_bytes(&letters(6))).await;
    assert!(
        hub.receipt("B-0002.processing")
            .contains("message-duplicate")
    );
    assert_eq!(receipts_are_valid(&hub), 6);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn the_receipt_of_a_held_batch_follows_the_schema() {
    let hub = hub(|sender| sender.print_house = Some("nobody".parse().unwrap()));
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert!(hub.receipt("processing").contains("<Stopped>"));
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn the_receipt_without_a_print_contract_follows_the_schema() {
    let hub = hub(|sender| sender.print_house = None);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;
    assert!(hub.receipt("processing").contains("no-print-contract"));
    assert_eq!(receipts_are_valid(&hub), 3);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn receipts_quote_what_senders_write_so_that_xml_can_hold_it() {
    let hub = hub(|sender| sender.address_page = true);
    let rows = "letter_id,name,address,postal_code,city,file\n\
        \"<&>\"\"']]>\",Maija Testi,Kuja 1,00100,Helsinki,half-read.pdf\n\
        \u{8}\u{b}\u{fffe},\u{738b} Testi,Kuja 2,00100,Helsinki,half-read.pdf\n\
        b,\u{738b} Testi,Kuja 2,00100,Helsinki,\u{1b}<missing>.pdf\n";
    hub.process("batch.zip", &csv_batch(rows)).await;
    let receipt = hub.receipt("processing");
    println!("{receipt}");
    assert_eq!(receipts_are_valid(&hub), 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, csvw and jsonschema"]
async fn the_receipt_of_a_held_letter_follows_the_schema() {
    let hub = hub(|_| {});
    let rows = "letter_id,name,address,postal_code,city,file\n\
        a,Maija Testi,Kuja 1,00100,Helsinki,half-read.pdf\n";
    hub.process("batch.zip", &csv_batch(rows)).await;
    let receipt = hub.receipt("processing");
    assert!(receipt.contains("state=\"held\""), "{receipt}");
    assert_eq!(receipts_are_valid(&hub), 3);
}

/// Also those that nothing in the house makes yet.
#[test]
#[ignore = "needs xmllint, csvw and jsonschema"]
fn every_event_that_can_be_told_follows_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let header = DeliveryHeader {
        batch: BatchId(7),
        sender: "example-city".parse().unwrap(),
        file_name: "batch.zip".to_owned(),
        reported_at: now(),
        language: Language::English,
        is_final: false,
        counts: Counts::default(),
    };
    let formats = [Format::Xml, Format::Csv, Format::Json];
    let paths = formats.map(|format| {
        let name = file_name("batch", BatchId(7), Kind::Delivery, 1, format);
        let path = folder.path().join(name);
        let file = fs::File::create(&path).unwrap();
        let mut report = Report::begin(ReportHeader::Delivery(&header), format, file).unwrap();
        for (position, what) in (1..).zip(MessageEvent::ALL) {
            let line = line_with(position, what);
            report.line(ReportLine::Delivery(&line)).unwrap();
        }
        report.finish().unwrap();
        path
    });
    are_valid(paths.map(|path| vec![path]));
}

fn line_with(position: u32, what: MessageEvent) -> DeliveryLine {
    let batch = BatchId(7);
    DeliveryLine {
        message: MessageId { batch, position },
        sender_letter_id: None,
        channel: None,
        events: vec![DeliveryEvent {
            what,
            at: now(),
            bundle: "P-0031".parse().ok(),
            piece: Some(position),
            reason: (what == MessageEvent::Returned).then(|| "R10".to_owned()),
            why: None,
        }],
        is_stopped: false,
        findings: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ssh-keygen"]
async fn openssh_verifies_the_signature_of_each_receipt_and_of_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("receipt.key");
    let formats = vec![Format::Xml, Format::Csv, Format::Json];
    let hub = Hub::signing(|sender| sender.receipts.formats = formats, &key);
    hub.process("batch.zip", &sample_bytes(&letters(5))).await;

    let allowed = folder.path().join("allowed_signers");
    let signer = Signer::open(&key).unwrap();
    let line = signer.allowed_signers_line("kuori@example", "kuori-receipt");
    fs::write(&allowed, line.unwrap() + "\n").unwrap();
    let verify = |receipt: &Path| {
        let signature = PathBuf::from(format!("{}.sig", receipt.display()));
        let options = [
            "-Y",
            "verify",
            "-I",
            "kuori@example",
            "-n",
            "kuori-receipt",
            "-f",
        ];
        let options = options.map(PathBuf::from).into_iter();
        let options = options.chain([allowed.clone(), "-s".into(), signature]);
        tools::attempt_on("ssh-keygen", options, receipt)
    };
    let receipts = hub.sender_folder().join("receipts");
    let mut names = hub.names("sender/receipts");
    names.retain(|name| Path::new(name).extension() != Some("sig".as_ref()));
    assert_eq!(names.len(), 9);
    for receipt in names.iter().map(|name| receipts.join(name)) {
        let (is_good, said) = verify(&receipt);
        assert!(
            is_good && said.out.contains("Good"),
            "{}{}",
            said.out,
            said.err
        );
        let mut changed = fs::read(&receipt).unwrap();
        changed[0] ^= 1;
        fs::write(&receipt, changed).unwrap();
        assert!(!verify(&receipt).0, "{}", receipt.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, sha256sum and csvw"]
async fn job_tickets_and_piece_lists_follow_their_schemas() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles() {
            let ticket = bundle.file("job.xml");
            is_valid("job-ticket.xsd", std::slice::from_ref(&ticket));
            let mut files = vec![bundle.pdf(), bundle.file("pieces.csv")];
            if run.print.xjdf {
                files.push(bundle.file("xjdf"));
            }
            let ticket = fs::read_to_string(ticket).unwrap();
            for line in tools::run("sha256sum", &files).out.lines() {
                let digest = line.split_whitespace().next().unwrap();
                assert!(ticket.contains(&format!("sha256=\"{digest}\"")), "{line}");
            }
            let pieces = bundle.file("pieces.csv");
            tools::python("check_table.py", [schema("piece-list.csvw.json"), pieces]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs xmllint, and KUORI_XJDF_SCHEMA"]
async fn tickets_in_xjdf_follow_the_schema_of_cip4() {
    let schema = std::env::var("KUORI_XJDF_SCHEMA");
    let schema = schema.expect("KUORI_XJDF_SCHEMA names CIP4's xjdf.xsd");
    let mut checked = 0;
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles().iter().filter(|_| run.print.xjdf) {
            let xjdf = bundle.file("xjdf");
            let options = ["--noout", "--nonet", "--schema", &schema].map(PathBuf::from);
            tools::run("xmllint", options.into_iter().chain([xjdf]));
            checked += 1;
        }
    }
    assert!(checked > 0);
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

/// A page that can be opened, and not composed: one of its content streams cannot be read, and
/// what it leaves open cannot be known.
const HALF_READ: &str = "%PDF-1.7\n\
    1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n\
    2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj\n\
    3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595.276 841.89]/Contents[4 0 R 5 0 R]>> endobj\n\
    4 0 obj <</Length 1/Filter/XXNobodyReadsThis>>\nstream\nq\nendstream endobj\n\
    5 0 obj <</Length 1>>\nstream\nq\nendstream endobj\n\
    trailer <</Root 1 0 R/Size 6>>\n%%EOF\n";

fn letters(letters: u32) -> Spec {
    Spec {
        letters,
        ..Spec::default()
    }
}

/// A batch with these rows and `half-read.pdf`.
fn csv_batch(rows: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in [("batch.csv", rows), ("half-read.pdf", HALF_READ)] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A house whose sender wants everything in every format.
fn hub(change: impl FnOnce(&mut SenderSettings)) -> Hub {
    Hub::with(|sender| {
        sender.receipts.formats = vec![Format::Xml, Format::Csv, Format::Json];
        change(sender);
    })
}

/// How many receipts the sender got; each of them is valid in each of its formats.
fn receipts_are_valid(hub: &Hub) -> usize {
    let receipts = |ending: &str| -> Vec<PathBuf> {
        let folder = hub.sender_folder().join("receipts");
        let names = hub.names("sender/receipts").into_iter();
        let names = names.filter(|name| name.ends_with(ending));
        names.map(|name| folder.join(name)).collect()
    };
    are_valid([".xml", ".csv", ".json"].map(receipts))
}

/// How many receipts there are: as many in each format, XML, CSV and JSON.
fn are_valid([xml, csv, json]: [Vec<PathBuf>; 3]) -> usize {
    assert_eq!([csv.len(), json.len()], [xml.len(); 2]);
    is_valid("receipt.xsd", &xml);
    let with = |schema_name: &str, files: Vec<PathBuf>| {
        let schema = schema(schema_name);
        std::iter::once(schema).chain(files).collect::<Vec<_>>()
    };
    tools::python("check_table.py", with("receipt.csvw.json", csv));
    tools::python("check_json.py", with("receipt.schema.json", json));
    xml.len()
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
