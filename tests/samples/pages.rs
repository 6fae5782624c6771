//! Batches in which something on the second letter's page is at fault.

use std::io::Cursor;

use kuori::{
    batch::{self, Archive},
    domain::{Code, PostalAddress},
    pdf::{Document, Limits},
    print::{self, LetterToCheck, Settings},
    sample::{self, Spec},
};

use super::{
    catalogue::{Sample, Stops},
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let mut samples = of_the_file();
    samples.extend(of_the_paper());
    samples
}

/// What the file brings along, or does not.
fn of_the_file() -> Vec<Sample> {
    let letter = Sample::that_stops(Stops::Letter);
    let nothing = Sample::that_stops(Stops::Nothing);
    vec![
        nothing(
            Code::PdfRebuilt,
            "lost-table.zip",
            "`kirje-2.pdf` says that its table of references is where it is not.",
            lost_table,
        ),
        letter(
            Code::PdfActiveContent,
            "script.zip",
            "`kirje-2.pdf` runs a script when it is opened.",
            || {
                drawn(Drawing {
                    in_catalog: SCRIPT,
                    ..Drawing::default()
                })
            },
        ),
        letter(
            Code::FontNotEmbedded,
            "helvetica.zip",
            "`kirje-2.pdf` relies on the reader's Helvetica.",
            || {
                drawn(Drawing {
                    embeds_font: false,
                    ..Drawing::default()
                })
            },
        ),
        nothing(
            Code::AnnotationDropped,
            "stamped.zip",
            "A stamp on the page of `kirje-2.pdf` does not say what it looks like.",
            || {
                drawn(Drawing {
                    in_page: STAMP,
                    ..Drawing::default()
                })
            },
        ),
        nothing(
            Code::Transparency,
            "half.zip",
            "A line on the page of `kirje-2.pdf` is half transparent.",
            || drawn(with("/Half gs 300 400 100 1 re f")),
        ),
    ]
}

/// What stands where on the first page.
fn of_the_paper() -> Vec<Sample> {
    let letter = Sample::that_stops(Stops::Letter);
    let nothing = Sample::that_stops(Stops::Nothing);
    vec![
        nothing(
            Code::AddressMissing,
            "empty-window.zip",
            "No address stands in the window of `kirje-2.pdf`.",
            || {
                drawn(Drawing {
                    window: Some(&[]),
                    ..Drawing::default()
                })
            },
        ),
        letter(
            Code::AddressMismatch,
            "another-town.zip",
            "The address in the window of `kirje-2.pdf` has another postal code than `batch.csv`.",
            || {
                drawn(Drawing {
                    window: Some(&ANOTHER),
                    ..Drawing::default()
                })
            },
        ),
        letter(
            Code::AddressMismatch,
            "another-name.zip",
            "Somebody else's name stands in the window of `kirje-2.pdf`.",
            || {
                drawn(Drawing {
                    window: Some(&SOMEBODY),
                    ..Drawing::default()
                })
            },
        ),
        nothing(
            Code::AddressUnread,
            "picture.zip",
            "The address in the window of `kirje-2.pdf` is a picture.",
            || {
                drawn(Drawing {
                    window: Some(&[]),
                    ..with(PICTURE_IN_WINDOW)
                })
            },
        ),
        nothing(
            Code::AddressZoneCrowded,
            "rule-in-window.zip",
            "A rule runs into the window of `kirje-2.pdf`.",
            || drawn(with("0.5 w 230 650 m 400 650 l S")),
        ),
        letter(
            Code::ZoneNotEmpty,
            "rule-in-margin.zip",
            "A rule runs through the place of the mark in `kirje-2.pdf`.",
            || drawn(with("0.5 w 20 800 m 300 800 l S")),
        ),
        nothing(
            Code::ZonePicture,
            "picture-in-margin.zip",
            "A picture lies over the place of the mark in `kirje-2.pdf`.",
            || drawn(with(PICTURE_IN_MARGIN)),
        ),
    ]
}

const SCRIPT: &str = "/OpenAction << /S /JavaScript /JS (app.beep\\(0\\)) >> ";

const ANOTHER: [&str; 3] = ["Matti Mallikas", "Mallikatu 1 A 1", "33100 Tampere"];

const SOMEBODY: [&str; 3] = ["Pirkko Toinen", "Toistie 2", "00100 Helsinki"];

/// Inline pictures of one black pixel.
const PICTURE_IN_WINDOW: &str =
    "q 150 0 0 40 62 630 cm BI /W 1 /H 1 /BPC 1 /CS /G /F /AHx ID 00> EI Q";
const PICTURE_IN_MARGIN: &str =
    "q 20 0 0 20 15 790 cm BI /W 1 /H 1 /BPC 1 /CS /G /F /AHx ID 00> EI Q";

/// Flag 4: it is printed too.
const STAMP: &str = "/Annots [<< /Type /Annot /Subtype /Stamp /Rect [400 700 500 750] /F 4 \
    /Contents (Saapunut) >>]";

fn with(more: &str) -> Drawing<'_> {
    Drawing {
        more,
        ..Drawing::default()
    }
}

fn drawn(drawing: Drawing<'_>) -> Vec<u8> {
    second_letter(row(2), drawing.pdf())
}

fn lost_table() -> Vec<u8> {
    let mut pdf = letter_pdf(2);
    patch(&mut pdf, b"startxref\n", b"startxref\n9");
    second_letter(row(2), pdf)
}

/// What is found on the pages of the second letter's PDF, each kind once.
fn found(zip: &[u8]) -> Vec<Code> {
    let archive = Archive::open(zip, &batch::Settings::default().limits).unwrap();
    let bytes = archive.read(&file(2)).unwrap();
    let document = Document::open(&bytes, &Limits::default()).unwrap();
    let row = row(2);
    let address = PostalAddress {
        name: Some(row.name.into()),
        street: Some(row.address.into()),
        postal_code: Some(row.postal_code.into()),
        city: Some("Helsinki".into()),
        ..PostalAddress::default()
    };
    let letter = LetterToCheck {
        pages: 1..=document.page_count(),
        address: &address,
        has_address_page: false,
        duplex: true,
        compares_address: true,
        turns_landscape: false,
    };
    let checked = print::check(&document, &letter, &Settings::default());
    checked
        .findings
        .iter()
        .map(|finding| finding.code)
        .collect()
}

#[test]
fn the_page_of_each_of_these_samples_has_one_fault_and_that_of_a_sound_one_none() {
    for sample in samples() {
        assert_eq!(found(&(sample.make)()), [sample.code], "{}", sample.file);
    }
    assert_eq!(found(&sound()), []);
}

#[test]
fn the_pages_of_ordinary_samples_are_fit_for_print() {
    let spec = Spec {
        letters: 40,
        ..Spec::default()
    };
    let mut zip = Cursor::new(Vec::new());
    sample::write(&spec, &mut zip, &|_| {}).unwrap();
    let archive = Archive::open(zip.get_ref(), &batch::Settings::default().limits).unwrap();
    let bytes = archive.read("kirjeet.pdf").unwrap();
    let document = Document::open(&bytes, &Limits::default()).unwrap();
    // Which pages are whose is not known here; each page is one of a letter of one page.
    let nobody = PostalAddress::default();
    for page in 1..=document.page_count() {
        let letter = LetterToCheck {
            pages: page..=page,
            address: &nobody,
            has_address_page: false,
            duplex: true,
            compares_address: true,
            turns_landscape: false,
        };
        let checked = print::check(&document, &letter, &Settings::default());
        let mut codes = checked.findings.iter().map(|finding| finding.code);
        // Further pages of a letter have no address.
        assert!(
            codes.all(|code| code == Code::AddressMissing),
            "{page}: {:?}",
            checked.findings
        );
    }
}
