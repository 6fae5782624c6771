//! Codes without a committed batch: it would be huge, or what finds it depends on settings.

use kuori::{domain::Code, pipeline::SenderSettings};

use super::{invalid::codes, parts::*};
use crate::hub::Hub;

pub(super) struct Built {
    pub(super) code: Code,
    /// Why no such batch is committed.
    why: &'static str,
    /// Settings under which the batch provokes it.
    settings: fn(&mut SenderSettings),
    make: fn() -> Vec<u8>,
}

pub(super) const ALL: &[Built] = &[
    Built {
        code: Code::ArchiveTooLarge,
        why: "the limit is 4 GiB",
        settings: |sender| sender.batch.limits.max_zip_bytes = 1_000,
        make: sound,
    },
    Built {
        code: Code::ArchiveEntryTooLarge,
        why: "the limit is 2 GiB",
        settings: |sender| sender.batch.limits.max_document_bytes = 500,
        make: sound,
    },
    Built {
        code: Code::ArchiveTooManyEntries,
        why: "the limit is 200,000 entries",
        settings: |sender| sender.batch.limits.max_entries = 2,
        make: sound,
    },
    Built {
        code: Code::TooManyMessages,
        why: "the limit is a million messages",
        settings: |sender| sender.batch.limits.max_messages = 1,
        make: sound,
    },
    Built {
        code: Code::TooLargeForMailbox,
        why: "the limit is 10 MiB",
        settings: |sender| sender.batch.limits.max_letter_pdf_bytes = 500,
        make: sound,
    },
    Built {
        code: Code::TooManySheets,
        why: "the print house's largest envelope decides, once the letter is put into a bundle",
        settings: |sender| sender.duplex = false,
        make: || second_letter(row(2), pdf(&[2; 501], A4)),
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn codes_without_a_sample_are_provoked_all_the_same() {
    for built in ALL {
        let hub = Hub::with(built.settings);
        hub.process("built.zip", &(built.make)()).await;
        assert_eq!(codes(&hub), [built.code.as_str()], "{}", built.why);
    }
}
