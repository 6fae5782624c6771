//! Python's `email` reads every delivered message as we meant it.

use std::path::Path;

use kuori::{
    domain::{MessageId, Private},
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

/// Checks one message file, and says whose it is.
fn holds_its_letter(hub: &Hub, sent: &SentBatch, file: &Path) -> MessageId {
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
