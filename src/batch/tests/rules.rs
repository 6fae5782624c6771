//! Rules as they come together in a batch.

use super::build::*;
use crate::{
    batch::{ArtificialIds, OpenedMessage, Settings},
    domain::Code,
};

/// What is said of the only message of a batch, and what it is fit for.
fn told_of_one(name: &str, bytes: &[u8], settings: &Settings) -> (Vec<Code>, &'static str) {
    let mut out = open_named(name, bytes, settings).unwrap();
    let message = out.messages.remove(0);
    let codes = message.findings.iter().map(|found| found.code);
    (codes.collect(), message.fitness.as_str())
}

fn row(recipient: &str, attachment: &str) -> String {
    format!(
        "recipient_id,name,address,postal_code,city,file,attachments\n\
         {recipient},Maija Mallikas,Mallikatu 1,00100,Helsinki,own.pdf,{attachment}\n"
    )
}

#[test]
fn an_attachment_that_no_mailbox_takes_closes_the_mailbox_to_its_letter() {
    let fit = |name: &str, content: &[u8]| {
        let table = row("010190Y900P", name);
        let files = [
            ("batch.csv", table.as_bytes()),
            ("own.pdf", &pdf(1)),
            (name, content),
        ];
        told_of_one("a.zip", &zip(&files), &Settings::default())
    };
    let on_paper = Code::AttachmentNotPrintable;
    assert_eq!(fit("map.pdf", &pdf(1)), (vec![on_paper], "mailbox"));
    assert_eq!(
        fit("map.exe", b"MZ\x90\0"),
        (vec![on_paper, Code::AttachmentType], "none")
    );
    assert_eq!(
        fit("map.pdf", b"MZ\x90\0"),
        (vec![on_paper, Code::AttachmentType], "none")
    );
}

#[test]
fn an_attachment_of_many_letters_is_looked_into_in_every_archive_and_told_with_each() {
    let table = "recipient_id,file,channel,attachments\n010190Y900P,1.pdf,mailbox,a.bin\n\
                 010190Y900P,2.pdf,mailbox,a.bin|a.bin\n";
    let inner = zip(&[
        ("batch.csv", table.as_bytes()),
        ("1.pdf", &pdf(1)),
        ("2.pdf", &pdf(1)),
        ("a.bin", b"x"),
    ]);
    let out = open_zip(&zip(&[("1.zip", &inner), ("2.zip", &inner)])).unwrap();
    let of_type = |message: &OpenedMessage| -> Vec<_> {
        let found = message.findings.iter();
        let found = found.filter(|found| found.code == Code::AttachmentType);
        found
            .map(|found| found.place.entry.clone().unwrap())
            .collect()
    };
    let places: Vec<_> = out.messages.iter().flat_map(of_type).collect();
    assert_eq!(
        places,
        ["1.zip/a.bin", "1.zip/a.bin", "2.zip/a.bin", "2.zip/a.bin"]
    );
}

#[test]
fn a_wrong_id_stops_no_letter_of_a_batch_for_print() {
    let bytes = zip(&[
        ("batch.csv", row("010190Y900A", "").as_bytes()),
        ("own.pdf", &pdf(1)),
    ]);
    let settings = Settings::default();
    assert_eq!(
        told_of_one("mallila_20260301120000.zip", &bytes, &settings),
        (vec![Code::RecipientIdInvalid], "none")
    );
    assert_eq!(
        told_of_one(
            "mallila_20260301120000_suoratulostus.zip",
            &bytes,
            &settings
        ),
        (vec![Code::RecipientIdIgnored], "print")
    );
}

#[test]
fn an_artificial_code_is_told_unless_the_batch_is_a_test() {
    let settings = Settings {
        artificial_ids: ArtificialIds::Warn,
        ..Settings::default()
    };
    let told = |is_test: &str| {
        let xml = bundle(&[(1, 1)]).replace("isTest='false'", &format!("isTest='{is_test}'"));
        let files = [("letters.pdf", pdf(1)), ("letters.xml", xml.into())];
        let files = files
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice()));
        told_of_one("a.zip", &zip(&files), &settings)
    };
    assert_eq!(told("false"), (vec![Code::RecipientIdArtificial], "both"));
    assert_eq!(told("true"), (vec![], "both"));
}

#[test]
fn sheets_over_the_limit_leave_the_mailbox() {
    let told = |max_sheets| {
        let mut settings = Settings::default();
        settings.paper.max_sheets = Some(max_sheets);
        let bytes = zip(&[
            ("batch.csv", row("010190Y900P", "").as_bytes()),
            ("own.pdf", &pdf(3)),
        ]);
        told_of_one("a.zip", &bytes, &settings)
    };
    assert_eq!(told(2), (vec![], "both"));
    assert_eq!(told(1), (vec![Code::TooManySheets], "mailbox"));
}
