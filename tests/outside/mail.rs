//! Python's `email` reads every delivered message as we meant it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use kuori::{
    domain::{BatchId, MessageId, Private, ServiceKind},
    mailbox::{AttachedFile, Delivery, DeliveryId, Mailbox, Maildirs},
    sample::{Encoding, Shape, Spec, Version},
    store::MessageRow,
};
use serde::Deserialize;

use super::{picture, print_run::SentBatch, tools};
use crate::hub::{Hub, now, sample_bytes};

const DPI: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python, qpdf and pdftoppm"]
async fn every_delivered_message_holds_its_letter_and_nothing_else() {
    let many = Spec {
        letters: 20,
        digital_share: 0.9,
        ..Spec::default()
    };
    let csv = Spec {
        shape: Shape::Csv,
        seed: 2,
        ..many.clone()
    };
    let latin = Spec {
        encoding: Encoding::Latin1,
        version: Version::V0x4,
        seed: 3,
        ..many.clone()
    };
    for spec in [many, csv, latin] {
        let hub = Hub::new();
        hub.consent(&spec);
        let bytes = sample_bytes(&spec);
        hub.process("batch.zip", &bytes).await;
        let sent = SentBatch::of(&bytes);
        let mut messages: Vec<_> = hub
            .mailbox_messages()
            .iter()
            .map(|file| holds_its_letter(&hub, &sent, file))
            .collect();
        messages.sort_unstable();
        messages.dedup();
        assert_eq!(messages.len() as u64, hub.counts().delivered);
        assert!(messages.len() > 10, "{}", messages.len());
    }
}

/// What senders write, at its worst.
#[tokio::test]
#[ignore = "needs Python"]
async fn odd_titles_texts_and_attachments_arrive_as_they_were() {
    let texts = [
        "ä".repeat(3_000),
        "x".repeat(3_000),
        format!("Päätös {}", "🏠".repeat(300)),
        "=?utf-8?Q?not_encoded?=".to_owned(),
        ". From me,\n.\nFrom you\n--\n--kuori-\n".to_owned(),
        format!(
            "tail  \n\ttab\t\n{}\n{}\n",
            "word ".repeat(500),
            "ö".repeat(5_000)
        ),
        String::new(),
    ];
    let files: [(&str, Vec<u8>); 5] = [
        ("ohje \"uusi\" 1.txt", "Näin.\nJa näin.\r\nLoppu".into()),
        ("long.txt", "z".repeat(5_000).into_bytes()),
        (
            "ääkkösiä ja hyvin pitkä nimi, jota ei voi kirjoittaa yhdelle riville edes hyvällä tahdolla.png",
            (0..=255).cycle().take(60_000).collect(),
        ),
        ("none", Vec::new()),
        ("a.pdf", b"%PDF-1.7 not really".to_vec()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let maildirs = Maildirs::new(folder.path().join("mail"), [7; 32].into()).unwrap();
    for (position, text) in (1..).zip(&texts) {
        let delivery = odd(position, text, &files);
        let receipts = maildirs.deliver(vec![delivery]).await.unwrap();
        let reference = receipts[0].as_ref().unwrap().reference.clone();
        let file = only_file(folder.path());
        let told = tools::python("read_mail.py", [&file, &folder.path().join("a.pdf")]);
        fs::remove_file(file).unwrap();
        let mail: Mail = serde_json::from_str(&told).unwrap();
        assert_eq!(mail.defects, [""; 0], "{text:?}");
        assert_eq!(mail.message_id, format!("<{reference}>"));
        let one_line: String = text
            .chars()
            .map(|c| if c == '\n' || c == '\t' { ' ' } else { c })
            .collect();
        // A joiner that nobody sees keeps what looks encoded from being decoded.
        assert_eq!(mail.subject.replace('\u{2060}', ""), one_line.trim());
        assert_eq!(
            mail.body.replace("\r\n", "\n").trim_end_matches('\n'),
            text.trim_end_matches('\n')
        );
        assert!(mail.longest_line <= 998, "{}", mail.longest_line);
        assert_eq!(mail.bare_line_ends, 0);
        let arrived = mail.attachments[1..]
            .iter()
            .map(|it| (it.name.as_str(), it.sha256.clone()));
        let sent = files.iter().map(|(name, bytes)| (*name, digest(bytes)));
        assert!(arrived.eq(sent), "{:?}", mail.attachments);
    }
}

fn odd(position: u32, text: &str, files: &[(&str, Vec<u8>)]) -> Delivery {
    let attachments = files.iter().map(|(name, bytes)| AttachedFile {
        name: (*name).to_owned(),
        bytes: bytes.clone(),
    });
    Delivery {
        id: DeliveryId {
            message: MessageId {
                batch: BatchId(7),
                position,
            },
            content: 0x3fa9_c2d1,
            repeat: 0,
        },
        sender: "example-city".parse().unwrap(),
        sender_name: "Esimerkkikaupunki, \"päätökset\" <1>".to_owned(),
        recipient: "010190Y900P".parse().unwrap(),
        title: text.into(),
        body: text.into(),
        pdf: b"%PDF-1.7 not really".to_vec(),
        pdf_file_name: "päätös.pdf".to_owned(),
        attachments: attachments.collect(),
        created: now(),
        service: ServiceKind::Verifiable,
    }
}

fn only_file(folder: &Path) -> PathBuf {
    let found = tools::run("find", [folder.to_str().unwrap(), "-name", "*.kuori"]);
    PathBuf::from(found.out.trim())
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Checks one message file, and says whose it is.
pub(super) fn holds_its_letter(hub: &Hub, sent: &SentBatch, file: &Path) -> MessageId {
    let folder = tempfile::tempdir().unwrap();
    let pdf = folder.path().join("letter.pdf");
    let told = tools::python("read_mail.py", [file, &pdf]);
    let mail: Mail = serde_json::from_str(&told).unwrap();
    let id: MessageId = mail.message.parse().unwrap();
    let row = hub.store.message(id).unwrap();
    mail.says_what(&row);
    tools::assert_qpdf_is_content(&pdf);
    let pages = &row.message.pages;
    let theirs = sent.document(&pages.document);
    let theirs = picture::draw(theirs, DPI, pages.first, pages.last());
    let ours = picture::draw(&pdf, DPI, 1, pages.count + 1);
    assert_eq!(ours.len(), theirs.len(), "{id}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.first_difference(theirs, DPI, &[]), None, "{id}");
    }
    id
}

#[derive(Debug, Deserialize)]
struct Mail {
    defects: Vec<String>,
    message: String,
    message_id: String,
    subject: String,
    from: String,
    date: String,
    body: String,
    attachments: Vec<File>,
    longest_line: usize,
    bare_line_ends: usize,
}

#[derive(Debug, Deserialize)]
struct File {
    r#type: String,
    name: String,
    sha256: String,
}

impl Mail {
    fn says_what(&self, row: &MessageRow) {
        let message = &row.message;
        assert_eq!(self.defects, [""; 0], "{self:?}");
        // Behind our id, eight digits of the batch's digest.
        let begin = format!("<{}-", row.id);
        let digest = self
            .message_id
            .strip_prefix(&begin)
            .and_then(|id| id.strip_suffix("@kuori>"));
        assert_eq!(digest.map(str::len), Some(8), "{}", self.message_id);
        let subject = message.subject.as_ref().map(Private::expose);
        let default = "A letter for you".to_owned();
        assert_eq!(&self.subject, subject.unwrap_or(&default));
        assert!(self.from.starts_with("Example City <"), "{}", self.from);
        assert_eq!(self.date.parse::<jiff::Timestamp>().unwrap(), now());
        let body = message.body.as_ref().map_or("", |body| body.expose());
        assert_eq!(self.body.trim_end(), body.trim_end());
        let [file] = &self.attachments[..] else {
            panic!("one attachment: {self:?}");
        };
        assert_eq!(file.r#type, "application/pdf");
        assert_eq!(file.name.split('.').next_back(), Some("pdf"));
        // RFC 5322, 2.1.1 and 2.3.
        assert!(self.longest_line <= 998, "{}", self.longest_line);
        assert_eq!(self.bare_line_ends, 0);
    }
}
