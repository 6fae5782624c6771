use kuori::pdf::{DigestKey, Document, Fragment, PageGeometry, Writer, WriterSettings};

use super::bounds::settings;

/// How far a page may be from A4, in millimetres.
const TOLERANCE: f64 = 2.0;

/// Opens a PDF and looks at every page; those that are fit to print are written, and read again.
pub fn pdf(bytes: &[u8]) {
    let limits = settings().pdf;
    let Ok(document) = Document::open(bytes, &limits) else {
        return;
    };
    let count = document.page_count();
    assert!((1..=limits.max_pages).contains(&count), "{count} pages");
    assert!(document.page(0).is_err() && document.page(count + 1).is_err());
    for number in 1..=count {
        if let Ok(page) = document.page(number) {
            is_measured(&page);
            if page.is_upright_a4(TOLERANCE) {
                is_written_as_it_was_read(&document, number);
            }
        }
    }
}

fn is_measured(page: &PageGeometry) {
    assert!(page.width_mm() >= 0.0 && page.height_mm() >= 0.0);
    assert!(page.user_unit() > 0.0);
    assert!([0, 90, 180, 270].contains(&page.rotate()));
}

fn is_written_as_it_was_read(document: &Document<'_>, number: u32) {
    let Ok(fragment) = Fragment::of(document, number..=number, &DigestKey([7; 32])) else {
        return;
    };
    let mut writer = Writer::new(Vec::new(), &as_written()).expect("memory takes it");
    let added = writer.add_fragment(&fragment, &mut |_| None);
    added.expect("what was digested can be written");
    let (bytes, finished) = writer.finish().expect("memory takes it");
    assert_eq!((finished.pages, finished.bytes), (1, bytes.len() as u64));
    let again = Document::open(&bytes, &settings().pdf).expect("what was written can be read");
    assert!(!again.was_repaired() && again.page_count() == 1);
    let page = again.page(1).expect("its page can be read");
    assert!(page.is_upright_a4(TOLERANCE + 0.01));
}

fn as_written() -> WriterSettings {
    WriterSettings {
        title: String::new(),
        producer: String::new(),
        created: "2026-03-02T06:00:00Z".parse().expect("a time"),
        id: [0; 16],
        document_parts: false,
    }
}
