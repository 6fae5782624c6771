//! What whole letters draw, as other programs wrote them.

use std::io::Cursor;

use kuori::{
    batch::{self, Archive},
    domain::DocumentName,
    pdf::{
        Area, ContentLimits, ContentWants, Document, Drawn, Ink, Limits, PageContent, ShownText,
    },
    sample::{self, Shape, Spec},
};

/// Where the address stands, in letters of the iPost layout.
fn window() -> Area {
    Area::at(21.0, 55.0, 72.0, 30.0)
}

fn content(pdf: &[u8], page: u32, areas: &[Area]) -> PageContent {
    let document = Document::open(pdf, &Limits::default()).unwrap();
    let wants = ContentWants {
        areas,
        text_in: areas.first().copied(),
        limits: &ContentLimits::default(),
    };
    document.content(page, &wants).unwrap()
}

/// The texts of a page that were kept, with their boxes.
fn texts(content: &PageContent) -> Vec<(&ShownText, &Area)> {
    content.drawn.iter().filter_map(text).collect()
}

fn text(drawn: &Drawn) -> Option<(&ShownText, &Area)> {
    match &drawn.ink {
        Ink::Text(text) => Some((text, &drawn.area)),
        Ink::Path | Ink::Picture | Ink::Shading => None,
    }
}

fn letters(spec: &Spec) -> Vec<u8> {
    let mut zip = Cursor::new(Vec::new());
    sample::write(spec, &mut zip, &|_| {}).unwrap();
    let limits = batch::Limits::default();
    let zip = zip.into_inner();
    let archive = Archive::open(&zip, &limits).unwrap();
    let mut entries = archive.entries().iter();
    let pdf = entries.find(|entry| entry.name.ends_with("pdf")).unwrap();
    let name = DocumentName(pdf.name.clone());
    batch::read_document(&archive, &name, &limits)
        .unwrap()
        .into_owned()
}

#[test]
fn the_address_of_a_sample_letter_is_read_in_its_window_row_by_row() {
    let spec = Spec {
        letters: 20,
        shape: Shape::ManyInOne,
        pages: 1..=1,
        ..Spec::default()
    };
    let pdf = letters(&spec);
    for (page, recipient) in (1..).zip(sample::recipients(&spec)) {
        let content = content(&pdf, page, &[window()]);
        let texts = texts(&content);
        let is_in_rows = texts.is_sorted_by(|(a, _), (b, _)| a.baseline_mm <= b.baseline_mm);
        assert!(is_in_rows && texts.iter().all(|(text, _)| text.was_read && text.is_level));
        let rows: Vec<_> = texts
            .iter()
            .filter_map(|(text, _)| text.text.as_deref())
            .collect();
        let rows = rows.join("\n");
        let address = &recipient.address;
        for expected in [&address.name, &address.postal_code].into_iter().flatten() {
            let expected = expected.expose().as_str();
            assert!(
                rows.contains(expected),
                "page {page} does not say who it is for"
            );
        }
        assert!(texts.iter().all(|(_, area)| window().contains(area)));
        assert!(content.is_balanced && content.unread.is_none() && !content.is_blank);
        assert!(
            content.fonts.iter().all(|font| font.is_embedded),
            "{:?}",
            content.fonts
        );
    }
}

/// Helvetica at 20 points, its baseline 100 mm from the top.
fn by_printpdf() -> Vec<u8> {
    use printpdf::{
        BuiltinFont, Mm, Op, PdfDocument, PdfFontHandle, PdfPage, PdfSaveOptions, Point, Pt,
        TextItem,
    };
    let position = Point::new(Mm(30.0), Mm(197.0));
    let font = PdfFontHandle::Builtin(BuiltinFont::Helvetica);
    let operations = vec![
        Op::StartTextSection,
        Op::SetTextCursor { pos: position },
        Op::SetFont {
            font,
            size: Pt(20.0),
        },
        Op::ShowText {
            items: vec![TextItem::Text("Hamburg".to_owned())],
        },
        Op::EndTextSection,
    ];
    let page = PdfPage::new(Mm(210.0), Mm(297.0), operations);
    let mut document = PdfDocument::new("");
    document.with_pages(vec![page]);
    document.save(&PdfSaveOptions::default(), &mut Vec::new())
}

#[test]
fn text_by_printpdf_stands_where_it_was_put() {
    let page = Area::at(0.0, 0.0, 210.0, 297.0);
    let content = content(&by_printpdf(), 1, &[page]);
    let texts = texts(&content);
    let [(text, area)] = texts.as_slice() else {
        panic!("{content:?}");
    };
    assert_eq!(text.text.as_deref(), Some("Hamburg"));
    assert!((text.baseline_mm - 100.0).abs() < 0.01, "{text:?}");
    assert!((text.size_mm - 20.0 * 25.4 / 72.0).abs() < 0.01, "{text:?}");
    assert!((area.left_mm - 30.0).abs() < 0.01, "{area:?}");
    // The widths of its letters by the font's own metrics: 4.112 of its size.
    let width = 4.112 * 20.0 * 25.4 / 72.0;
    assert!((area.width_mm() - width).abs() < 0.1, "{area:?}");
    assert!(area.top_mm < 97.0 && (100.0..103.0).contains(&area.bottom_mm));
    assert!(
        content
            .fonts
            .iter()
            .all(|font| font.is_standard && !font.is_embedded)
    );
}
