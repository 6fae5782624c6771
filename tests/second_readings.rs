//! PDFs that only the second reader reads: in a process of its own, and what becomes of their letters.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use kuori::{
    domain::{Code, MessageId, MessageState},
    pdf::{NotRewritten, Rewrite, SecondReader},
    second_reader::{Clerk, Settings},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::hub::Hub;

const KUORI: &str = env!("CARGO_BIN_EXE_kuori");

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn encrypted(name: &str) -> Vec<u8> {
    fs::read(fixtures().join("encrypted").join(name)).unwrap()
}

fn settings() -> Settings {
    Settings {
        program: Some(KUORI.into()),
        ..Settings::default()
    }
}

fn clerk(change: impl FnOnce(&mut Settings)) -> Clerk {
    let mut settings = settings();
    change(&mut settings);
    Clerk::new(settings).unwrap()
}

/// A child that is no reader at all.
fn odd_child(name: &str, change: impl FnOnce(&mut Settings)) -> Clerk {
    clerk(|settings| {
        settings.program = Some(fixtures().join("children").join(name));
        change(settings);
    })
}

fn told(result: Result<Vec<u8>, NotRewritten>) -> String {
    match result {
        Ok(bytes) => format!("{} bytes", bytes.len()),
        Err(error) => format!("{error:?}"),
    }
}

/// A page tree whose page and node stand where references to them should.
fn odd_tree(content: &str) -> Vec<u8> {
    let mut text =
        "%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages<</Type/Pages/Count 1/Kids[<</Type/Page\
                    /MediaBox[0 0 595 842]/Contents 2 0 R>>]>>>>\nendobj\n"
            .to_owned();
    let second = text.len();
    let length = content.len();
    let stream = format!("<</Length {length}>>\nstream\n{content}\nendstream");
    text.push_str(&["2 0 obj\n", &stream, "\nendobj\n"].concat());
    let table = text.len();
    let rest = format!(
        "xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n{second:010} 00000 n \n\
         trailer\n<</Size 3/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"
    );
    [text, rest].concat().into_bytes()
}

#[test]
fn a_child_gives_the_same_plain_file_each_time() {
    let clerk = clerk(|_| {});
    let bytes = encrypted("aesv3-empty.pdf");
    let plain = clerk.rewrite(&bytes, Rewrite::Decrypt).unwrap();
    assert!(plain.starts_with(b"%PDF-"));
    assert_eq!(clerk.rewrite(&bytes, Rewrite::Decrypt).unwrap(), plain);
    let locked = clerk.rewrite(&encrypted("aesv3-locked.pdf"), Rewrite::Decrypt);
    assert!(matches!(locked, Err(NotRewritten::Locked)));
    assert!(clerk.rewrite(&odd_tree("f"), Rewrite::Mend).is_ok());
    let noise = clerk.rewrite(b"noise", Rewrite::Mend);
    assert!(matches!(noise, Err(NotRewritten::Refused(_))));
}

#[test]
fn a_pdf_may_be_as_long_as_it_may_and_no_longer() {
    let bytes = odd_tree(&"f ".repeat(500_000));
    let length = bytes.len() as u64;
    let within = clerk(|settings| settings.max_input_bytes = length);
    let plain = within.rewrite(&bytes, Rewrite::Mend).unwrap();
    let beyond = clerk(|settings| settings.max_input_bytes = length - 1);
    let refused = beyond.rewrite(&bytes, Rewrite::Mend);
    assert!(matches!(refused, Err(NotRewritten::Limit(_))));
    let length = plain.len() as u64;
    let within = clerk(|settings| settings.max_output_bytes = length);
    assert!(within.rewrite(&bytes, Rewrite::Mend).is_ok());
    let beyond = clerk(|settings| settings.max_output_bytes = length - 1);
    let refused = beyond.rewrite(&bytes, Rewrite::Mend);
    assert!(matches!(refused, Err(NotRewritten::Limit(_))));
}

#[test]
fn memory_that_a_child_may_not_have_ends_the_child_and_not_the_house() {
    let bytes = odd_tree(&"f ".repeat(12 << 20));
    let roomy = clerk(|_| {}).rewrite(&bytes, Rewrite::Mend);
    assert!(roomy.is_ok(), "{}", told(roomy));
    let narrow = clerk(|settings| settings.max_memory_bytes = 128 << 20);
    let refused = narrow.rewrite(&bytes, Rewrite::Mend);
    assert!(
        matches!(&refused, Err(NotRewritten::Limit(what)) if what.contains("memory")),
        "{}",
        told(refused)
    );
}

#[test]
fn the_end_of_a_child_says_why() {
    for (child, expected) in [
        (
            "too-slow-by-its-clock",
            "Limit(\"processor time of the second reader\")",
        ),
        ("overflows", "Limit(\"memory of the second reader\")"),
        ("cannot-read", "Refused(\"it cannot read it either\")"),
        ("panics", "Refused(\"it cannot read it either\")"),
        ("reads-nothing", "6 bytes"),
    ] {
        // More than a pipe holds: nobody waits for a child that does not read.
        let pdf = vec![b' '; 1 << 20];
        let said = told(odd_child(child, |_| {}).rewrite(&pdf, Rewrite::Mend));
        assert_eq!(said, expected, "{child}");
    }
    let gone = odd_child("told-to-go", |_| {}).rewrite(b"", Rewrite::Mend);
    assert!(matches!(gone, Err(NotRewritten::Failed(_))));
    let none = odd_child("there-is-none", |_| {}).rewrite(b"", Rewrite::Mend);
    assert!(matches!(none, Err(NotRewritten::Failed(_))));
}

#[test]
fn a_child_that_does_not_end_is_ended() {
    let start = Instant::now();
    let brief = |settings: &mut Settings| settings.max_wall = Duration::from_millis(300);
    for child in ["sleeps", "closes-its-output"] {
        let pdf = vec![b' '; 1 << 20];
        let slow = odd_child(child, brief).rewrite(&pdf, Rewrite::Mend);
        assert!(matches!(slow, Err(NotRewritten::Failed(_))), "{child}");
    }
    let endless = odd_child("writes-without-end", |settings| {
        settings.max_output_bytes = 1 << 20;
    });
    let endless = endless.rewrite(b"", Rewrite::Mend);
    assert!(
        matches!(endless, Err(NotRewritten::Limit(_))),
        "{}",
        told(endless)
    );
    assert!(start.elapsed() < Duration::from_mins(1));
}

#[test]
fn the_command_of_the_child_is_not_shown() {
    let help = Command::new(KUORI).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("reprocess"));
    assert!(!help.contains("rewrite-pdf"));
}

const RED: &str = "1 0 0 rg 200 300 50 50 re f";

/// `batch.csv` of letters, and the PDF of each.
fn batch(letters: &[Vec<u8>]) -> Vec<u8> {
    let mut rows = "letter_id,recipient_id,file,name,address,postal_code,city,country\n".to_owned();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (number, pdf) in (1..).zip(letters) {
        let row =
            format!("K-{number},,{number}.pdf,Maija Mallikas,Mallikatu 1,00100,Helsinki,FI\n");
        rows.push_str(&row);
        zip.start_file(format!("{number}.pdf"), options).unwrap();
        zip.write_all(pdf).unwrap();
    }
    zip.start_file("batch.csv", options).unwrap();
    zip.write_all(rows.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}

fn letters() -> Vec<Vec<u8>> {
    vec![
        encrypted("plain.pdf"),
        encrypted("aesv2-empty.pdf"),
        odd_tree(RED),
        encrypted("aesv2-locked.pdf"),
        b"%PDF-1.7 noise".to_vec(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_only_the_second_reader_reads_are_printed_and_the_sender_is_told() {
    let hub = Hub::with_house(|house| house.second_reader = Arc::new(clerk(|_| {})));
    let batch = hub.process("batch.zip", &batch(&letters())).await;
    let codes = |position| {
        let found = hub.store.message_findings(MessageId { batch, position });
        let codes = found.unwrap().into_iter().map(|finding| finding.code);
        codes
            .filter(|code| code.as_str().starts_with("pdf-"))
            .collect::<Vec<_>>()
    };
    assert_eq!(codes(1), []);
    assert_eq!(codes(2), [Code::PdfDecrypted]);
    assert_eq!(codes(3), [Code::PdfSecondReader]);
    assert_eq!(codes(4), [Code::PdfEncrypted]);
    assert_eq!(codes(5), [Code::PdfUnreadable]);
    let counts = hub.counts();
    assert_eq!((counts.printed, counts.refused), (3, 2));
    for position in [4, 5] {
        let message = hub.store.message(MessageId { batch, position }).unwrap();
        assert_eq!(message.state, MessageState::Refused);
    }
}

#[test]
fn the_check_of_a_batch_reads_them_too() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("a.zip");
    fs::write(&zip, batch(&letters())).unwrap();
    let check = Command::new(KUORI).arg("check").arg(&zip).output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    for code in [
        "pdf-second-reader",
        "pdf-encrypted, 1 time",
        "pdf-unreadable, 1 time",
    ] {
        assert!(said.contains(code), "{code}:\n{said}");
    }
}
