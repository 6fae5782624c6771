//! Holds every text file of the repository to invented people, and what the house repeats of a
//! sender's words to nobody.

use std::{
    fs,
    io::{Cursor, Write},
    path::{Path, PathBuf},
};

use kuori::{domain::PersonalIdentityCode, receipts::Format};

use crate::{
    hub::Hub,
    program::{Site, until},
};

/// Characters of an identity code.
const LENGTH: usize = 11;

#[test]
fn every_identity_code_in_the_repository_is_artificial() {
    let (mut read, mut wrong) = (0, Vec::new());
    for path in text_files(Path::new(env!("CARGO_MANIFEST_DIR"))) {
        let bytes = fs::read(&path).unwrap();
        if bytes.contains(&0) {
            continue;
        }
        read += 1;
        let text = String::from_utf8_lossy(&bytes);
        for (index, line) in text.lines().enumerate() {
            // The code itself is not repeated.
            if codes(line).iter().any(|code| !code.is_artificial()) {
                wrong.push(format!("{}:{}", path.display(), index + 1));
            }
        }
    }
    assert!(read > 300, "only {read} files were read");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn codes_are_found_in_the_middle_of_a_line_and_not_in_a_digest() {
    let found = |line: &str| codes(line).len();
    assert_eq!(found("<Recipient SSN=\"010190Y900P\"/>, ä010190y900p."), 2);
    assert_eq!(found("010190Y900R"), 0, "the check character is wrong");
    assert_eq!(found("a010190Y900P"), 0);
    assert_eq!(found("010190Y900P0"), 0);
    let individual = 899;
    let check = PersonalIdentityCode::check_character(10_190_000 + individual);
    let of_somebody = codes(&format!("id: 010190-{individual}{check}"));
    assert!(!of_somebody[0].is_artificial());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_named_by_a_file_name_in_a_receipt() {
    let code = "010190-999W";
    let formats = vec![Format::Xml, Format::Csv, Format::Json];
    let hub = Hub::with(|sender| sender.receipts.formats = formats);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let rows = format!(
        "letter_id,name,address,postal_code,city,file\n\
         {code},Maija Testi,Kuja 1,00100,Helsinki,kirje_{code}.pdf\n"
    );
    for (name, content) in [
        ("batch.csv", rows),
        (&*format!("{code}.txt"), String::new()),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    hub.process(&format!("lasku_{code}.zip"), &bytes).await;
    let names = hub.names("sender/receipts");
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        assert!(name.starts_with("lasku__hidden_.B-0001."), "{name}");
        let receipt = fs::read_to_string(hub.sender_folder().join("receipts").join(&name));
        let receipt = receipt.unwrap();
        assert!(
            receipt.contains("[hidden]") && !receipt.contains(code),
            "{receipt}"
        );
    }
    assert!(
        hub.receipt("processing.json")
            .contains("kirje_[hidden].pdf")
    );
}

#[test]
fn nobody_is_named_by_a_file_name_in_the_log_or_on_the_screen() {
    let code = "010190-999W";
    let site = Site::new();
    let inbox = site.path("sender/inbox");
    for name in [format!("kirje_{code}.txt"), format!("lasku_{code}.zip")] {
        fs::write(inbox.join(name), b"this is no ZIP").unwrap();
    }
    let daemon = site.start();
    until("the batch is answered", || {
        site.names("sender/receipts").len() == 2 && site.log().contains("left in the inbox")
    });
    daemon.stop();
    let lines = [
        "batch list",
        "batch show B-0001",
        "batch findings B-0001",
        "events B-0001",
    ];
    let mut told = lines.map(|line| site.done(line).out).concat();
    told += &site.log();
    assert!(told.contains("kirje_[hidden].txt"), "{told}");
    assert!(told.contains("lasku_[hidden].zip"), "{told}");
    assert!(!told.contains(code), "{told}");
}

/// The valid codes of a line that stand apart from letters and digits, as no part of a digest does.
fn codes(line: &str) -> Vec<PersonalIdentityCode> {
    let bytes = line.as_bytes();
    let is_in_word = |at: Option<usize>| {
        let byte = at.and_then(|at| bytes.get(at));
        byte.is_some_and(u8::is_ascii_alphanumeric)
    };
    let starts = (0..bytes.len()).filter(|&at| {
        let is_apart = !is_in_word(at.checked_sub(1)) && !is_in_word(Some(at + LENGTH));
        is_apart && line.get(at..at + LENGTH).is_some()
    });
    starts
        .filter_map(|at| line[at..at + LENGTH].parse().ok())
        .collect()
}

/// All files but what was built, what git keeps and what a fuzzer made up.
fn text_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let others = ["target", ".git", "artifacts", "corpus"];
        let is_ours = !others.iter().any(|name| entry.file_name() == *name);
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && is_ours {
            found.append(&mut text_files(&entry.path()));
        } else if kind.is_file() && is_ours {
            found.push(entry.path());
        }
    }
    found
}
