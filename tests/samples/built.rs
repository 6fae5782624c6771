//! Codes without a committed batch: it would be huge, or what finds it depends on settings.

use std::sync::Arc;

use kuori::{
    batch::{ArtificialIds, PostalCodes},
    domain::{Code, DuplicateLetterIds, PostageClass},
    pipeline::{Landscape, SenderSettings},
};

use super::{invalid::codes, parts::*};
use crate::hub::Hub;

pub(super) struct Built {
    pub(super) code: Code,
    /// Why no such batch is committed.
    why: &'static str,
    /// Settings under which the batch provokes it.
    settings: fn(&mut SenderSettings),
    /// What has to come before it.
    before: Option<fn() -> Vec<u8>>,
    make: fn() -> Vec<u8>,
}

pub(super) const ALL: &[Built] = &[
    Built {
        code: Code::ArchiveTooLarge,
        why: "the limit is 4 GiB",
        settings: |sender| sender.batch.limits.max_zip_bytes = 1_000,
        before: None,
        make: sound,
    },
    Built {
        code: Code::ArchiveEntryTooLarge,
        why: "the limit is 2 GiB",
        settings: |sender| sender.batch.limits.max_document_bytes = 500,
        before: None,
        make: sound,
    },
    Built {
        code: Code::ArchiveTooManyEntries,
        why: "the limit is 200,000 entries",
        settings: |sender| sender.batch.limits.max_entries = 2,
        before: None,
        make: sound,
    },
    Built {
        code: Code::TooManyMessages,
        why: "the limit is a million messages",
        settings: |sender| sender.batch.limits.max_messages = 1,
        before: None,
        make: sound,
    },
    Built {
        code: Code::TooLargeForMailbox,
        why: "the limit is 10 MiB",
        settings: |sender| sender.batch.limits.max_letter_pdf_bytes = 500,
        before: None,
        make: sound,
    },
    Built {
        code: Code::MessageRepeated,
        why: "the settings let it through, and another batch has to come before it",
        settings: |sender| sender.duplicate_letter_ids = DuplicateLetterIds::Accept,
        before: Some(sound),
        make: || second_letter(row(2), pdf(&[2, 2], A4)),
    },
    Built {
        code: Code::TooManySheets,
        why: "the print house's largest envelope decides",
        settings: |sender| sender.duplex = false,
        before: None,
        make: || second_letter(row(2), pdf(&[2; 501], A4)),
    },
    Built {
        code: Code::NoPostage,
        why: "the print house's postage table decides",
        settings: |sender| {
            sender.print_house = "economy-print".parse().ok();
            sender.postage = PostageClass::Priority;
        },
        before: None,
        make: sound,
    },
    Built {
        code: Code::PageLandscape,
        why: "the sender's settings let pages be turned",
        settings: |sender| {
            sender.landscape = Landscape::Turn;
            sender.address_page = true;
        },
        before: None,
        make: || second_letter(row(2), pdf(&[2], (842.0, 595.0))),
    },
    Built {
        code: Code::RecipientIdArtificial,
        why: "every code in a sample is artificial, so that by default they are accepted",
        settings: |sender| sender.batch.artificial_ids = ArtificialIds::Warn,
        before: None,
        make: sound,
    },
    Built {
        code: Code::AddressRowCut,
        why: "only an address page of our own cuts an address",
        settings: |sender| sender.address_page = true,
        before: None,
        make: || named("Matti Maunu Mikael Mallikas-Mäkinen Esimerkkikunnan Mallilan kylästä"),
    },
    Built {
        code: Code::AddressCharacter,
        why: "only an address page of our own shows an address",
        settings: |sender| sender.address_page = true,
        before: None,
        make: || named("東京"),
    },
    Built {
        code: Code::PostalCodeUnknown,
        why: "the operator's table decides",
        settings: |sender| sender.batch.postal_codes = Some(table("00101,Helsinki")),
        before: None,
        make: sound,
    },
    Built {
        code: Code::PostalCodeLocality,
        why: "the operator's table decides",
        settings: |sender| sender.batch.postal_codes = Some(table("00100,Espoo")),
        before: None,
        make: sound,
    },
];

/// Codes that nothing in the house finds by itself yet, and when it will.
pub(super) const AWAITED: &[(Code, &str)] = &[
    (Code::PdfDecrypted, "PDFs with an empty password are opened"),
    (Code::PdfSecondReader, "a second reader is asked"),
    (
        Code::MailboxServiceRefused,
        "a mailbox service is asked: its couriers find it",
    ),
];

fn named(name: &'static str) -> Vec<u8> {
    second_letter(Row { name, ..row(2) }, letter_pdf(2))
}

fn table(row: &str) -> Arc<PostalCodes> {
    let csv = format!("postal_code,locality_fi\n{row}\n");
    Arc::new(PostalCodes::parse(csv.as_bytes()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_without_a_sample_are_provoked_all_the_same() {
    for built in ALL {
        let hub = Hub::with(built.settings);
        if let Some(before) = built.before {
            hub.process("before.zip", &before()).await;
        }
        hub.process("built.zip", &(built.make)()).await;
        assert_eq!(codes(&hub), [built.code.as_str()], "{}", built.why);
    }
}
