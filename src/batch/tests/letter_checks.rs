use std::sync::Mutex;

use insta::assert_snapshot;
use zip::CompressionMethod;

use super::build::*;
use crate::{
    batch::{CheckedPages, LetterCheck, LetterPages, PageFinding, Paper, Settings},
    domain::{ChannelWish, Code, Fitness, PrintFacts},
    pdf::Document,
};

/// Finds something on each page that is not A4, and remembers what it was asked.
#[derive(Default)]
struct Checker {
    /// First page, last page, pages of the document, wish.
    asked: Mutex<Vec<(u32, u32, u32, ChannelWish)>>,
    facts: PrintFacts,
}

impl Checker {
    fn open(&self, bytes: &[u8], settings: &Settings) -> Out {
        open_checked("a.zip", bytes, settings, self).unwrap()
    }

    /// In order of first pages: letters are asked about in any order.
    fn asked(&self) -> Vec<(u32, u32)> {
        let asked = self.asked.lock().unwrap();
        let mut asked: Vec<_> = asked.iter().map(|asked| (asked.0, asked.1)).collect();
        asked.sort_unstable();
        asked
    }
}

impl LetterCheck for Checker {
    fn check(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> CheckedPages {
        let (first, last) = (*letter.pages.start(), *letter.pages.end());
        let asked = (first, last, document.page_count(), letter.wish);
        self.asked.lock().unwrap().push(asked);
        let odd = letter.pages.clone().filter(|&page| {
            let geometry = document.page(page).unwrap();
            !geometry.is_upright_a4(2.0)
        });
        let finding = |page| PageFinding {
            code: Code::PageSize,
            page,
            detail: "it is not A4".to_owned(),
        };
        CheckedPages {
            findings: odd.map(finding).collect(),
            facts: self.facts,
        }
    }
}

const A4: (f32, f32) = (595.0, 842.0);
const LETTER: (f32, f32) = (612.0, 792.0);

fn zipped(method: CompressionMethod, pdf: &[u8], xml: &str) -> Vec<u8> {
    zip_by(
        method,
        &[("letters.pdf", pdf), ("letters.xml", xml.as_bytes())],
    )
}

#[test]
fn each_letter_is_checked_once_and_what_is_found_goes_with_it() {
    let (stored, deflated) = (CompressionMethod::Stored, CompressionMethod::Deflated);
    let sizes = [A4, LETTER, A4, A4, A4];
    for method in [stored, deflated] {
        let xml = bundle(&[(1, 1), (2, 2), (4, 2)]);
        let checker = Checker::default();
        let out = checker.open(&zipped(method, &pdf_of(&sizes), &xml), &Settings::default());
        assert_eq!(checker.asked(), [(1, 1), (2, 3), (4, 5)]);
        let fit: Vec<_> = out.messages.iter().map(|opened| opened.fitness).collect();
        let print_closed = Fitness {
            mailbox: true,
            print: false,
        };
        assert_eq!(fit, [Fitness::BOTH, print_closed, Fitness::BOTH]);
        assert_eq!(
            told(&Ok(out)).trim(),
            "error page-size letters.pdf message 2 page 2: it is not A4"
        );
    }
}

#[test]
fn the_only_letter_of_a_document_is_checked_on_all_of_its_pages() {
    let xml = bundle_of(
        "",
        "<Letter><LetterMeta><Recipient SSN='N/A'/></LetterMeta></Letter>",
    );
    let checker = Checker::default();
    let bytes = zip(&[("7.xml", xml.as_bytes()), ("7.pdf", &pdf(3))]);
    checker.open(&bytes, &Settings::default());
    assert_eq!(checker.asked(), [(1, 3)]);
}

#[test]
fn letters_of_a_nested_archive_are_checked_too() {
    let xml = bundle(&[(1, 1), (2, 1)]);
    let inner = zip(&[
        ("letters.pdf", &pdf_of(&[A4, LETTER])),
        ("letters.xml", xml.as_bytes()),
    ]);
    let checker = Checker::default();
    let out = checker.open(
        &zip(&[("1.zip", &inner), ("2.zip", &inner)]),
        &Settings::default(),
    );
    assert_eq!(checker.asked(), [(1, 1), (1, 1), (2, 2), (2, 2)]);
    let on_size = told(&Ok(out));
    let on_size: Vec<_> = on_size
        .lines()
        .filter(|line| line.contains("page-size"))
        .collect();
    assert_snapshot!(on_size.join("\n"), @r"
    error page-size 1.zip/letters.pdf message 2 page 2: it is not A4
    error page-size 2.zip/letters.pdf message 4 page 2: it is not A4
    ");
}

#[test]
fn pages_that_two_letters_claim_are_checked_for_the_first_one_only() {
    let xml = bundle(&[(1, 2), (2, 2), (1, 3), (2, 1)]);
    let checker = Checker::default();
    let bytes = zipped(CompressionMethod::Deflated, &pdf(3), &xml);
    let out = checker.open(&bytes, &Settings::default());
    assert!(out.opened.is_refused());
    assert_eq!(checker.asked(), [(1, 2)]);
}

/// 1,000 messages are looked at together: these are three times as many.
#[test]
fn a_document_that_is_named_again_later_is_checked_to_its_end() {
    let rows = |file: &str, first: u32, count: u32| -> String {
        let row = |page| format!(",{file},{page},1\n");
        (first..first + count).map(row).collect()
    };
    // `b.pdf` is first named by the last letter of a page alone.
    let csv = format!(
        "recipient_id,file,start_page,pages\n{}{}{}{}",
        rows("a.pdf", 1, 999),
        rows("b.pdf", 1, 1),
        rows("a.pdf", 1_000, 600),
        rows("b.pdf", 2, 1_400),
    );
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let bytes = zip_by(
            method,
            &[
                ("batch.csv", csv.as_bytes()),
                ("a.pdf", &pdf(1_599)),
                ("b.pdf", &pdf(1_401)),
            ],
        );
        let checker = Checker::default();
        let out = checker.open(&bytes, &Settings::default());
        assert_eq!((out.opened.findings.len(), out.pages.len()), (0, 3));
        let mut asked: Vec<_> = (1..=1_599).chain(1..=1_401).collect();
        asked.sort_unstable();
        let pages: Vec<_> = checker.asked().iter().map(|asked| asked.0).collect();
        assert_eq!(pages, asked);
    }
}

#[test]
fn of_a_letter_with_many_odd_pages_a_few_are_told() {
    let checker = Checker::default();
    let xml = bundle(&[(1, 30)]);
    let bytes = zipped(CompressionMethod::Deflated, &pdf_of(&[LETTER; 30]), &xml);
    let out = checker.open(&bytes, &Settings::default());
    assert_eq!(out.messages[0].findings.len(), 20);
}

#[test]
fn an_address_page_for_want_of_an_address_is_a_sheet_too() {
    let settings = Settings {
        paper: Paper {
            max_sheets: Some(2),
            ..Paper::default()
        },
        ..Settings::default()
    };
    let xml = bundle(&[(1, 4)]);
    let bytes = zipped(CompressionMethod::Deflated, &pdf(4), &xml);
    let fits = Checker::default().open(&bytes, &settings);
    assert!(fits.messages[0].fitness.print);
    let lacks = Checker {
        facts: PrintFacts {
            lacks_address: true,
            ..PrintFacts::default()
        },
        ..Checker::default()
    };
    let out = lacks.open(&bytes, &settings);
    assert!(out.messages[0].facts.lacks_address);
    assert_snapshot!(told(&Ok(out)), @"error too-many-sheets letters.xml line 5 message 1: 3 sheets are more than the largest envelope holds, 2");
}

#[test]
fn the_check_is_told_what_the_letter_wishes() {
    let csv = "recipient_id,file,channel\n010190Y900P,a.pdf,mailbox\n,b.pdf,print\n";
    let checker = Checker::default();
    let bytes = zip(&[
        ("batch.csv", csv.as_bytes()),
        ("a.pdf", &pdf(1)),
        ("b.pdf", &pdf(2)),
    ]);
    checker.open(&bytes, &Settings::default());
    let mut wishes = checker.asked.into_inner().unwrap();
    wishes.sort_by_key(|asked| asked.1);
    let wishes: Vec<_> = wishes.iter().map(|asked| asked.3).collect();
    assert_eq!(wishes, [ChannelWish::MailboxOnly, ChannelWish::PrintOnly]);
}

/// Asks a document for more than it may be asked for, once it is past page 1.
struct Glutton;

impl LetterCheck for Glutton {
    fn check(&self, document: &Document<'_>, letter: &LetterPages<'_>) -> CheckedPages {
        while *letter.pages.start() > 1 && document.page(1).is_ok() {}
        CheckedPages::default()
    }
}

/// Two pages that refer to one long array.
fn pdf_with_a_shared_box() -> String {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox 5 0 R>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n\
         5 0 obj[0 0 595 842{}]endobj\ntrailer<</Root 1 0 R>>\n",
        " ".repeat(100)
    )
}

#[test]
fn what_all_pages_ask_for_together_is_refused_to_all_letters_of_the_document() {
    let xml = bundle(&[(1, 1), (2, 1)]);
    let bytes = zip(&[
        ("letters.pdf", pdf_with_a_shared_box().as_bytes()),
        ("letters.xml", xml.as_bytes()),
    ]);
    let mut settings = Settings::default();
    settings.pdf.max_inflated_object_stream_bytes = 10_000;
    let out = open_checked("a.zip", &bytes, &settings, &Glutton);
    assert_snapshot!(told(&out), @"error pdf-limits letters.pdf: the PDF goes beyond a limit: values that are referred to");
    let messages = out.unwrap().messages;
    assert!(
        messages
            .iter()
            .all(|opened| opened.fitness == Fitness::NEITHER)
    );
}
