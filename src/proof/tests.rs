use super::*;
use crate::{
    pdf::{Area, Document, Limits as PdfLimits},
    print,
};

/// An A4 page with that content, and Helvetica as `/F`, which is not embedded.
fn page(content: &str) -> Vec<u8> {
    page_of("[0 0 595.276 841.89]", content)
}

fn page_of(media_box: &str, content: &str) -> Vec<u8> {
    format!(
        "%PDF-1.7\n\
         1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox{media_box}/Contents 4 0 R\
         /Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n\
         4 0 obj<</Length {}>>stream\n{content}\nendstream endobj\n\
         trailer<</Root 1 0 R>>\n%%EOF\n",
        content.len()
    )
    .into_bytes()
}

/// A line of text whose foot stands there, in points from the lower left corner.
fn text_at(x: u32, y: u32) -> String {
    format!("BT /F 14 Tf {x} {y} Td (WWWW) Tj ET")
}

/// The picture of a page, and its outlines drawn over it.
fn drawn(pdf: &[u8], dpi: u16, outlines: Vec<Outline>) -> (Picture, Vec<Drawn>) {
    let document = Document::open(pdf, &PdfLimits::default()).unwrap();
    let geometry = document.page(1).unwrap();
    let size = Size::of(&geometry, dpi, &Limits::default()).unwrap();
    let mut rendered = render(single_page(&document, 1).unwrap(), size).unwrap();
    let drawn = draw(&mut rendered.picture, &geometry, outlines);
    let png = rendered.picture.png().unwrap();
    (Picture::read(&png, size).unwrap(), drawn)
}

fn count(picture: &Picture, is_meant: impl Fn([u8; 3]) -> bool) -> usize {
    let Size { width, height } = picture.size();
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    places
        .filter(|&(x, y)| is_meant(picture.pixel(x, y)))
        .count()
}

fn of_colour(picture: &Picture, colour: Colour) -> usize {
    count(picture, |pixel| pixel == colour.rgb())
}

/// Red, also as laid over white or black; no other colour of an outline.
fn is_reddish([red, green, blue]: [u8; 3]) -> bool {
    red.saturating_sub(green) > 60 && green.abs_diff(blue) < 40
}

/// As on the sender's page 1, printed on both sides.
fn zones() -> Vec<Outline> {
    outlines(&print::Settings::default(), Stage::Received, 0, true)
}

#[test]
fn text_in_the_place_of_the_mark_is_red_and_a_clean_page_is_not() {
    // 5 mm from the left, 15 mm from the top: in the symbol.
    let (crowded, told) = drawn(&page(&text_at(14, 795)), 100, zones());
    assert!(count(&crowded, is_reddish) > 100);
    let disturbed = told.iter().filter(|drawn| drawn.is_disturbed);
    let disturbed: Vec<_> = disturbed.map(|drawn| drawn.outline.name.as_str()).collect();
    assert_eq!(disturbed, ["mark"]);

    let (clean, told) = drawn(&page(&text_at(200, 400)), 100, zones());
    assert_eq!(count(&clean, is_reddish), 0);
    assert!(of_colour(&clean, Colour::Green) > 100);
    assert!(told.iter().all(|drawn| !drawn.is_disturbed));
}

#[test]
fn zones_of_a_page_on_its_side_are_where_print_turns_them_to() {
    // The symbol comes to lie 8 mm from the upper edge and 16 mm from the right one.
    let on_side = outlines(&print::Settings::default(), Stage::ReceivedOnSide, 0, true);
    let crowded = page_of("[0 0 841.89 595.276]", &text_at(790, 567));
    let (_, told) = drawn(&crowded, 100, on_side);
    let disturbed = told.iter().filter(|drawn| drawn.is_disturbed);
    let disturbed: Vec<_> = disturbed.map(|drawn| drawn.outline.name.as_str()).collect();
    assert_eq!(disturbed, ["mark"]);
    let (_, told) = drawn(&crowded, 100, zones());
    assert!(told.iter().all(|drawn| !drawn.is_disturbed));
}

#[test]
fn text_is_seen_through_what_is_red() {
    let black = |picture: &Picture| count(picture, |[red, green, _]| red < 130 && green < 20);
    let (crowded, _) = drawn(&page(&text_at(14, 795)), 100, zones());
    assert!(black(&crowded) > 20);
}

#[test]
fn windows_are_on_the_first_page_and_the_mark_on_fronts() {
    let settings = print::Settings::default();
    let looks = |index, duplex| {
        let all = outlines(&settings, Stage::Composed, index, duplex);
        all.into_iter()
            .map(|outline| outline.look)
            .collect::<Vec<_>>()
    };
    let marks = [Look::Mark, Look::Mark];
    let first = [Look::Window, Look::SenderWindow, Look::Mark, Look::Mark];
    assert_eq!(looks(0, true), first);
    assert_eq!(looks(1, true), []);
    assert_eq!(looks(2, true), marks);
    assert_eq!(looks(1, false), marks);
}

#[test]
fn an_outline_stands_where_its_area_is() {
    let area = Area::at(50.8, 101.6, 25.4, 25.4);
    let outline = Outline {
        name: "x".to_owned(),
        area,
        look: Look::Window,
    };
    let (picture, _) = drawn(&page(""), 100, vec![outline]);
    let blue = Colour::Blue.rgb();
    for (x, y, is_drawn) in [
        (201, 401, true),
        (299, 499, true),
        (198, 400, false),
        (302, 450, false),
        (250, 450, false),
    ] {
        assert_eq!(picture.pixel(x, y) == blue, is_drawn, "{x} {y}");
    }
}

#[test]
fn an_area_that_leaves_the_page_is_drawn_as_far_as_it_is_on_it() {
    let offence = |area| Outline {
        name: "x".to_owned(),
        area,
        look: Look::Offence,
    };
    let beyond = [
        offence(Area::at(-10.0, -10.0, 20.0, 20.0)),
        offence(Area::at(200.0, 290.0, 500.0, 500.0)),
        offence(Area::at(400.0, 400.0, 10.0, 10.0)),
        offence(Area::at(f64::NAN, 0.0, f64::INFINITY, 5.0)),
    ];
    let (picture, _) = drawn(&page(""), 50, beyond.to_vec());
    assert!(is_reddish(picture.pixel(0, 0)));
    let Size { width, height } = picture.size();
    assert!(is_reddish(picture.pixel(width - 1, height - 1)));
}

#[test]
fn dots_an_inch_decide_the_size() {
    for (dpi, width, height) in [(36, 298, 421), (100, 827, 1169), (600, 4961, 7016)] {
        let bytes = page("");
        let document = Document::open(&bytes, &PdfLimits::default()).unwrap();
        let size = Size::of(&document.page(1).unwrap(), dpi, &Limits::default()).unwrap();
        assert_eq!(size, Size { width, height });
    }
}

#[test]
fn pixels_end_at_their_limit() {
    let bytes = page_of("[0 0 72 144]", "");
    let document = Document::open(&bytes, &PdfLimits::default()).unwrap();
    let page = document.page(1).unwrap();
    let at = |max_pixels| Size::of(&page, 100, &Limits { max_pixels });
    assert_eq!(at(20_000).unwrap().pixels(), 20_000);
    let refused = at(19_999).unwrap_err().to_string();
    insta::assert_snapshot!(refused, @"the page measures 25 × 51 mm, which is 20000 pixels; 19999 are drawn at most");
}

#[test]
fn a_page_as_large_as_a_house_is_refused_before_it_is_drawn() {
    let bytes = page_of("[0 0 1000000000 10]", "");
    let document = Document::open(&bytes, &PdfLimits::default()).unwrap();
    let refused = Size::of(&document.page(1).unwrap(), 100, &Limits::default());
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}

#[test]
fn what_is_no_pdf_and_no_picture_is_refused() {
    let size = Size {
        width: 10,
        height: 10,
    };
    assert!(matches!(
        render(b"PK".to_vec(), size),
        Err(Error::Unreadable)
    ));
    assert!(matches!(Picture::read(b"PK", size), Err(Error::Decode(_))));
    let other = Picture::of(size, Vec::new()).png().unwrap();
    let wanted = Size { height: 11, ..size };
    assert!(matches!(
        Picture::read(&other, wanted),
        Err(Error::OtherPicture { .. })
    ));
}

#[test]
fn a_picture_that_cannot_be_read_is_told() {
    let content = "q 100 0 0 100 100 100 cm BI/W 9/H 9/BPC 8/CS/G/F/DCT ID xx EI Q";
    let bytes = page(content);
    let size = Size {
        width: 100,
        height: 141,
    };
    let rendered = render(bytes, size).unwrap();
    assert_eq!(rendered.lacks, [Lack::Image]);
}
