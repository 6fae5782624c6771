use std::fmt::Write;

use criterion::{Criterion, Throughput};
use kuori::{
    pdf::{Area, ContentLimits, ContentWants, Document, Limits},
    sample::Shape,
};
use pdf_writer::{Finish, Name, Rect, Ref};

use crate::{compose::only_pdf, samples};

/// What the print check asks: what stands in the window and in the zones, and what the window says.
const WINDOW: [f64; 4] = [21.0, 55.0, 72.0, 30.0];
const ZONES: [[f64; 4]; 2] = [[2.0, 10.0, 20.0, 20.0], [0.0, 280.0, 15.0, 17.0]];

/// Looking through pages: bytes are those of decoded content.
pub(crate) fn bench(criterion: &mut Criterion) {
    let letters = only_pdf(&samples::batch(&samples::spec(100, Shape::ManyInOne)));
    let cases = [
        ("letters", letters, 200),
        ("drawing", page_of(&drawing()), 1),
        ("text", page_of(&text()), 1),
    ];
    let mut group = criterion.benchmark_group("content");
    for (name, pdf, pages) in cases {
        let document = Document::open(&pdf, &Limits::default()).unwrap();
        let bytes = decoded_bytes(&pdf);
        println!(
            "content/{name}: {pages} pages, {} bytes a page",
            bytes / pages
        );
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(name, |bencher| bencher.iter(|| look_at_all(&document)));
    }
}

fn look_at_all(document: &Document<'_>) {
    let [x, y, width, height] = WINDOW;
    let window = Area::at(x, y, width, height);
    let [mark, foot] = ZONES.map(|[x, y, width, height]| Area::at(x, y, width, height));
    // The same document is looked at over and over.
    let limits = ContentLimits {
        max_document_bytes: u64::MAX,
        ..ContentLimits::default()
    };
    let wants = ContentWants {
        areas: &[window, mark, foot],
        text_in: Some(window),
        limits: &limits,
    };
    for page in 1..=document.page_count() {
        let content = document.content(page, &wants).unwrap();
        assert!(content.is_balanced && content.unread.is_none());
    }
}

fn decoded_bytes(pdf: &[u8]) -> u64 {
    let document = lopdf::Document::load_mem(pdf).unwrap();
    let pages = document.get_pages();
    let bytes = pages
        .values()
        .map(|page| document.get_page_content(*page).len());
    bytes.sum::<usize>() as u64
}

/// Rules, boxes and curves all over the page, as of a diagram or a map.
fn drawing() -> String {
    let mut content = String::new();
    for at in 0..30_000 {
        let (x, y) = (at * 7 % 595, at * 11 % 842);
        let _ = writeln!(
            content,
            "q 0.{at} w {x}.25 {y}.5 m {y}.125 {x} l S {x} {y} 3.5 2.25 re f Q\n\
             0.5 0.5 0.5 rg {x} {y} m {x}.1 {y}.2 {x}.3 {y}.4 {x}.5 {y}.6 c h f*"
        );
    }
    content
}

fn text() -> String {
    let mut content = String::from("BT /F1 9 Tf\n");
    for row in 0..20_000 {
        let y = row % 80 * 10 + 20;
        let _ = writeln!(
            content,
            "1 0 0 1 60 {y} Tm [(P\\344\\344t\\366s )-250(toimeentulo)12(tuesta )] TJ (numero {row}, ja se on t\\344ss\\344) Tj"
        );
    }
    content + "ET"
}

fn page_of(content: &str) -> Vec<u8> {
    let [catalog, tree, page, font, stream] = [1, 2, 3, 4, 5].map(Ref::new);
    let mut pdf = pdf_writer::Pdf::new();
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids([page]).count(1);
    let mut writer = pdf.page(page);
    writer
        .media_box(Rect::new(0.0, 0.0, 595.276, 841.89))
        .parent(tree)
        .contents(stream);
    writer.resources().fonts().pair(Name(b"F1"), font);
    writer.finish();
    pdf.type1_font(font)
        .base_font(Name(b"Helvetica"))
        .encoding_predefined(Name(b"WinAnsiEncoding"));
    pdf.stream(stream, content.as_bytes());
    pdf.finish()
}
