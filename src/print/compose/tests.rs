use std::sync::Mutex;

use datamatrix::DataMatrix;

use super::*;
use crate::{
    domain::{Disposition, DocumentName, Letter, PageRange},
    pdf::{Document, Limits, Refusal},
    print::{
        AddressPageSettings, Composed, Contents, LetterPdf, Mark, SourceError, lay_out,
        tests::{identity, letter},
    },
};

/// A PDF of so many pages, each with a text of its own.
fn sender_pdf(pages: u32) -> Vec<u8> {
    let pages: Vec<Letter> = (1..=pages)
        .map(|page| Letter {
            subject: Some(format!("Page {page}").as_str().into()),
            ..letter(page, 1)
        })
        .collect();
    AddressPages::for_letters(&pages, &[], &AddressPageSettings::default()).pdf(&pages)
}

/// Letters in one PDF, as most senders write them.
struct OneFile<'a>(Document<'a>);

impl LetterSource for OneFile<'_> {
    fn letter_pdf(&self, _: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        Ok(LetterPdf::Shared(&self.0))
    }
}

/// A PDF for each letter.
struct ManyFiles(Vec<u8>);

impl LetterSource for ManyFiles {
    fn letter_pdf(&self, pages: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
        match pages.document.0.as_str() {
            "lost.pdf" => Err("the entry is gone".into()),
            "broken.pdf" => Ok(LetterPdf::Own(b"%PDF-1.7 and no more".to_vec())),
            _ => Ok(LetterPdf::Own(self.0.clone())),
        }
    }

    fn held_bytes(&self, _: &PageRange) -> u64 {
        CHUNK_BYTES / 3
    }
}

fn pages_of(position: u32, first: u32, count: u32) -> Letter {
    let mut letter = letter(position, count);
    letter.pages.first = first;
    letter
}

fn compose_all<C: Into<Contents>>(
    letters: Vec<C>,
    source: &dyn LetterSource,
) -> (BundlePlan, Vec<u8>) {
    let settings = Settings::default();
    let plan = lay_out(letters, &settings).unwrap();
    let mut pdf = Vec::new();
    let composed = compose(&plan, &identity(), &settings, source, &mut pdf, &|_| ()).unwrap();
    let expected = Composed {
        pages: plan.pages(),
        sheets: plan.sheets(),
        bytes: pdf.len() as u64,
    };
    assert_eq!(composed, expected);
    (plan, pdf)
}

fn failure<C: Into<Contents>>(letters: Vec<C>) -> Error {
    let settings = Settings::default();
    let plan = lay_out(letters, &settings).unwrap();
    let source = ManyFiles(sender_pdf(2));
    let composed = compose(&plan, &identity(), &settings, &source, Vec::new(), &|_| ());
    composed.unwrap_err()
}

/// The operators of each page, as another reader sees them.
fn contents(pdf: &[u8]) -> Vec<String> {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages = document.get_pages().into_values();
    pages
        .map(|page| {
            let content = document.get_page_content(page);
            String::from_utf8_lossy(&content).into_owned()
        })
        .collect()
}

/// The mark on a page, decoded from the image that is drawn there.
fn mark_on(content: &str) -> Option<Mark> {
    let (_, image) = content.split_once("BI/W 16/H 16/")?;
    let (_, image) = image.split_once("ID ")?;
    let (hex, _) = image.split_once('>')?;
    let modules: Vec<bool> = hex
        .chars()
        .flat_map(|digit| {
            let digit = digit.to_digit(16).unwrap();
            (0..4).rev().map(move |bit| digit >> bit & 1 == 1)
        })
        .collect();
    let payload = DataMatrix::decode(&modules, 16).unwrap();
    Some(Mark::parse(std::str::from_utf8(&payload).unwrap()).unwrap())
}

/// The mark of each page of a bundle of three letters (3 pages; 2 and an address page; 4 pages),
/// as people read it, and `-` where there is none.
fn marks_of_three_letters(duplex: bool) -> String {
    let bytes = sender_pdf(9);
    let source = OneFile(Document::open(&bytes, &Limits::default()).unwrap());
    let mut letters = vec![pages_of(1, 1, 3), pages_of(2, 4, 2), pages_of(3, 6, 4)];
    letters[1].address_page = true;
    for letter in &mut letters {
        letter.duplex = duplex;
    }
    let (_, pdf) = compose_all(letters, &source);
    let read = |content: &String| mark_on(content).map_or("-".to_owned(), |mark| mark.readable());
    contents(&pdf)
        .iter()
        .map(read)
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn each_letter_starts_on_a_front_and_fronts_have_marks() {
    insta::assert_snapshot!(marks_of_three_letters(true), @"31-1 1/2, -, 31-1 2/2, -, 31-2 1/2, -, 31-2 2/2, -, 31-3 1/2, -, 31-3 2/2, -");
}

#[test]
fn every_page_of_a_simplex_bundle_is_a_front() {
    insta::assert_snapshot!(marks_of_three_letters(false), @"31-1 1/3, 31-1 2/3, 31-1 3/3, 31-2 1/3, 31-2 2/3, 31-2 3/3, 31-3 1/4, 31-3 2/4, 31-3 3/4, 31-3 4/4");
}

#[test]
fn blank_backs_stand_after_an_odd_letter_and_behind_an_address_page() {
    let bytes = sender_pdf(9);
    let source = OneFile(Document::open(&bytes, &Limits::default()).unwrap());
    let mut letters = vec![pages_of(1, 1, 3), pages_of(2, 4, 2), pages_of(3, 6, 1)];
    letters[1].address_page = true;
    let (_, pdf) = compose_all(letters, &source);
    let pages: String = contents(&pdf)
        .iter()
        .map(|content| if content.contains("Tj") { 'x' } else { '-' })
        .collect();
    assert_eq!(pages, "xxx-x-xxx-");
}

#[test]
fn composing_twice_gives_the_same_bytes() {
    let bytes = sender_pdf(2);
    let source = ManyFiles(bytes);
    let letters = || -> Vec<Letter> {
        let letters = (1..=20).map(|position| Letter {
            address_page: true,
            ..letter(position, 2)
        });
        letters.collect()
    };
    assert_eq!(
        compose_all(letters(), &source).1,
        compose_all(letters(), &source).1
    );
}

#[test]
fn fonts_are_stored_once_however_many_letters_and_chunks() {
    let bytes = sender_pdf(2);
    let source = OneFile(Document::open(&bytes, &Limits::default()).unwrap());
    let letters = 1..=u32::try_from(CHUNK_PIECES).unwrap() * 2 + 1;
    let letters = letters.map(|position| Letter {
        address_page: true,
        ..letter(position, 2)
    });
    let (_, pdf) = compose_all(letters.collect::<Vec<_>>(), &source);
    let document = lopdf::Document::load_mem(&pdf).unwrap();
    let font_programs = document.objects.values().filter(|object| {
        let dictionary = object.as_stream().map(|stream| &stream.dict);
        dictionary.is_ok_and(|dictionary| dictionary.has(b"Length1"))
    });
    // The sender's and that of the address pages.
    assert_eq!(font_programs.count(), 2);
}

#[test]
fn a_letter_that_cannot_be_read_is_named() {
    let in_document = |position, name: &str| {
        let mut letter = letter(position, 1);
        letter.pages.document = DocumentName(name.to_owned());
        letter
    };
    let broken = failure(vec![
        letter(1, 1),
        in_document(2, "broken.pdf"),
        letter(3, 9),
    ]);
    assert_eq!(broken.message().unwrap().position, 2);
    assert_eq!(broken.disposition(), Disposition::Reject);
    let lost = failure(vec![letter(1, 1), in_document(5, "lost.pdf")]);
    assert_eq!(lost.message().unwrap().position, 5);
    assert_eq!(lost.disposition(), Disposition::Retry);
}

#[test]
fn a_letter_whose_pages_are_not_there_is_named() {
    let last = failure(vec![letter(1, 2), pages_of(2, 2, 2)]);
    assert!(matches!(
        last,
        Error::Letter { message, refusal: Refusal::NoSuchPage { .. } } if message.position == 2
    ));
}

#[test]
fn a_plan_that_does_not_fit_its_letters_is_not_composed() {
    let settings = Settings::default();
    let mut plan = lay_out(vec![letter(1, 2), letter(2, 1)], &settings).unwrap();
    plan.pieces[0].pages = 4;
    let source = ManyFiles(sender_pdf(2));
    let composed = compose(&plan, &identity(), &settings, &source, Vec::new(), &|_| ());
    assert!(matches!(
        composed,
        Err(Error::PageCount { planned: 4, written: 2, message }) if message.position == 1
    ));
}

#[test]
fn a_full_disk_is_told_as_such() {
    struct FullDisk;
    impl Write for FullDisk {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let settings = Settings::default();
    let plan = lay_out(vec![letter(1, 1)], &settings).unwrap();
    let source = ManyFiles(sender_pdf(1));
    let composed = compose(&plan, &identity(), &settings, &source, FullDisk, &|_| ());
    assert!(matches!(composed, Err(Error::Write(_))));
}

#[test]
fn progress_counts_the_pieces() {
    let settings = Settings::default();
    let plan = lay_out(
        (1..=7)
            .map(|position| letter(position, 1))
            .collect::<Vec<_>>(),
        &settings,
    )
    .unwrap();
    let source = ManyFiles(sender_pdf(1));
    let heard = Mutex::new(Vec::new());
    let progress = |pieces| heard.lock().unwrap().push(pieces);
    compose(
        &plan,
        &identity(),
        &settings,
        &source,
        Vec::new(),
        &progress,
    )
    .unwrap();
    assert_eq!(*heard.lock().unwrap(), [1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_chunk_holds_no_more_bytes_than_its_limit_but_at_least_one_letter() {
    struct Heavy(u64);
    impl LetterSource for Heavy {
        fn letter_pdf(&self, _: &PageRange) -> Result<LetterPdf<'_>, SourceError> {
            Err("not needed".into())
        }
        fn held_bytes(&self, _: &PageRange) -> u64 {
            self.0
        }
    }
    let plan = lay_out(
        (1..=4)
            .map(|position| letter(position, 1))
            .collect::<Vec<_>>(),
        &Settings::default(),
    )
    .unwrap();
    let lengths = |bytes| -> Vec<usize> {
        let chunks = Chunks {
            pieces: &plan.pieces,
            source: &Heavy(bytes),
        };
        chunks.map(<[_]>::len).collect()
    };
    assert_eq!(lengths(CHUNK_BYTES / 2), [2, 2]);
    assert_eq!(lengths(CHUNK_BYTES / 2 + 1), [1, 1, 1, 1]);
    assert_eq!(lengths(CHUNK_BYTES * 9), [1, 1, 1, 1]);
}

/// Two letters of 3 pages and 1 page in one envelope, the second of which does not begin where the
/// first ends in the sender's PDF; and a letter behind them.
fn shared_envelope(duplex: bool, address_page: bool) -> (BundlePlan, Vec<u8>) {
    let bytes = sender_pdf(9);
    let source = OneFile(Document::open(&bytes, &Limits::default()).unwrap());
    let in_one = |letter: Letter| Letter {
        shares_envelope: true,
        duplex,
        address_page,
        ..letter
    };
    let pieces = vec![
        Contents {
            letter: in_one(pages_of(1, 1, 3)),
            others: vec![in_one(pages_of(4, 9, 1))],
        },
        in_one(pages_of(2, 5, 2)).into(),
    ];
    compose_all(pieces, &source)
}

/// The pages of a bundle: the number on the sender's, `A` for an address page, `-` for a blank one;
/// and how people read the mark.
fn pages_and_marks(pdf: &[u8]) -> String {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages = (1..).zip(contents(pdf)).map(|(number, content)| {
        let text = document.extract_text(&[number]).unwrap();
        let page = match text.split("Page ").nth(1) {
            Some(page) => page.trim().to_owned(),
            None if content.contains("Tj") => "A".to_owned(),
            None => "-".to_owned(),
        };
        let mark = mark_on(&content).map_or(String::new(), |mark| mark.readable());
        format!("{page} {mark}").trim().to_owned()
    });
    pages.collect::<Vec<_>>().join(", ")
}

#[test]
fn marks_count_the_sheets_of_a_shared_envelope_through_and_each_letter_begins_on_a_front() {
    let (plan, pdf) = shared_envelope(true, false);
    assert_eq!((plan.pieces.len(), plan.sheets()), (2, 4));
    insta::assert_snapshot!(pages_and_marks(&pdf), @"1 31-1 1/3, 2, 3 31-1 2/3, -, 9 31-1 3/3, -, 5 31-2 1/1, 6");
    let (_, pdf) = shared_envelope(false, false);
    insta::assert_snapshot!(pages_and_marks(&pdf), @"1 31-1 1/4, 2 31-1 2/4, 3 31-1 3/4, 9 31-1 4/4, 5 31-2 1/2, 6 31-2 2/2");
}

#[test]
fn a_shared_envelope_has_one_address_page_and_one_document_part() {
    let (_, pdf) = shared_envelope(true, true);
    insta::assert_snapshot!(pages_and_marks(&pdf), @"A 31-1 1/4, -, 1 31-1 2/4, 2, 3 31-1 3/4, -, 9 31-1 4/4, -, A 31-2 1/2, -, 5 31-2 2/2, 6");
    let document = lopdf::Document::load_mem(&pdf).unwrap();
    let parts = document.objects.values().filter(|object| {
        let dictionary = object.as_dict();
        dictionary.is_ok_and(|dictionary| dictionary.has(b"Start"))
    });
    assert_eq!(parts.count(), 2);
}

#[test]
fn of_an_envelope_the_letter_that_cannot_be_read_is_named_and_not_the_first() {
    let shared = |letter: Letter| Letter {
        shares_envelope: true,
        ..letter
    };
    let mut broken = shared(letter(2, 1));
    broken.pages.document = DocumentName("broken.pdf".to_owned());
    let failed = failure(vec![Contents {
        letter: shared(letter(1, 1)),
        others: vec![broken],
    }]);
    assert_eq!(failed.message().unwrap().position, 2);
}
