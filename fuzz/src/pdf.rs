use kuori::pdf::{
    Area, ContentLimits, ContentWants, DigestKey, Document, Fragment, Ink, PageGeometry,
    PdfVersion, Refusal, Treatment, Writer, WriterSettings,
};

use super::bounds::settings;

/// How far a page may be from A4, in millimetres.
const TOLERANCE: f64 = 2.0;

/// Opens a PDF and looks at every page, and at what it draws; those that are fit to print are
/// written, and read again.
pub fn pdf(bytes: &[u8]) {
    let limits = settings().pdf;
    let Ok(document) = Document::open(bytes, &limits) else {
        return;
    };
    let count = document.page_count();
    assert!((1..=limits.max_pages).contains(&count), "{count} pages");
    assert!(document.page(0).is_err() && document.page(count + 1).is_err());
    does_little(document.active_content().map(<[_]>::to_vec));
    for number in 1..=count {
        does_little(document.active_content_of_page(number));
        if let Ok(page) = document.page(number) {
            is_measured(&page);
            draws_on_the_page_only(&document, number, &page);
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

/// What a document does is told in words, each once, or refused.
fn does_little(found: Result<Vec<&'static str>, Refusal>) {
    match found {
        Ok(mut found) => {
            let count = found.len();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found.len(), count, "{found:?}");
        }
        Err(Refusal::Limit { .. } | Refusal::Unreadable { .. }) => {}
        Err(refusal) => panic!("{refusal}"),
    }
}

/// Whatever the content is, it is gone through within bounds, or refused for going past them.
fn draws_on_the_page_only(document: &Document<'_>, number: u32, page: &PageGeometry) {
    let (width, height) = (page.width_mm(), page.height_mm());
    let seen = Area::at(0.0, 0.0, width, height);
    let limits = ContentLimits {
        max_content_bytes: 256 << 10,
        max_operators: 20_000,
        max_kept: 1_000,
        ..ContentLimits::default()
    };
    let wants = ContentWants {
        areas: &[seen],
        text_in: Some(Area::at(0.0, 0.0, width, height / 2.0)),
        limits: &limits,
    };
    let content = match document.content(number, &wants) {
        Ok(content) => content,
        Err(Refusal::Limit { .. } | Refusal::Unreadable { .. }) => return,
        Err(refusal) => panic!("{refusal}"),
    };
    assert!(content.drawn.len() <= limits.max_kept);
    assert!(!content.is_blank || content.unread.is_none() && !content.has_colour);
    for drawn in &content.drawn {
        assert!(seen.contains(&drawn.area), "{drawn:?}");
        if let Ink::Text(text) = &drawn.ink {
            assert!(!text.was_read || text.text.is_some());
        }
    }
}

fn is_written_as_it_was_read(document: &Document<'_>, number: u32) {
    let Ok(fragment) = Fragment::of(
        document,
        number..=number,
        &DigestKey([7; 32]),
        &Treatment::default(),
    ) else {
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
    assert_eq!((page.dropped_annotations(), page.lost_fields()), (0, 0));
}

fn as_written() -> WriterSettings {
    WriterSettings {
        title: String::new(),
        producer: String::new(),
        created: "2026-03-02T06:00:00Z".parse().expect("a time"),
        id: [0; 16],
        document_parts: false,
        version: PdfVersion::default(),
    }
}
