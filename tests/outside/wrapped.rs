//! Pages that are laid over, as they stand or wrapped, look as they did, and bear the mark, in poppler
//! and in `MuPDF`.

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use kuori::pdf::{
    ContentLimits, DigestKey, Document, Fragment, Limits, Overlay, PdfVersion, Treatment, Writer,
    WriterSettings,
};

use super::{
    picture::{Picture, Zone, draw_with, read_all},
    tools,
};

const DPI: u32 = 60;

/// A square of 8 mm, 8 mm from the lower left corner of a page as seen.
const MARK: &str = "0 0 0 rg 22.68 22.68 22.68 22.68 re f";
const MARK_ON_A4: Zone = [8.0, 281.0, 16.0, 289.0];
/// As far in as no pixel is cut.
const INK_ON_A4: Zone = [8.5, 281.5, 15.0, 288.0];

const A4: &str = "/MediaBox[0 0 595.276 841.89]";
const LOOKED_AT: Treatment = Treatment {
    may_be_unbalanced: true,
    turn_landscape: false,
    content_limits: ContentLimits::DEFAULT,
};
const TURNED: Treatment = Treatment {
    may_be_unbalanced: true,
    turn_landscape: true,
    content_limits: ContentLimits::DEFAULT,
};

/// Text, a picture, colours, and something beneath the mark.
const DRAWING: &str = "1 .6 0 rg 0 0 120 90 re f 0 0 1 rg 200 500 150 90 re f \
    BT /F 30 Tf 80 700 Td (Page as it was) Tj ET .2 .8 .2 RG 7 w 100 300 m 400 420 l S ";

/// A page and what it draws.
#[derive(Clone)]
struct Page {
    entries: String,
    resources: &'static str,
    contents: Vec<Vec<u8>>,
    objects: Vec<String>,
}

impl Page {
    fn new(entries: &str, content: &str) -> Self {
        Self {
            entries: entries.to_owned(),
            resources: "/Font<</F 4 0 R>>",
            contents: vec![content.as_bytes().to_vec()],
            objects: Vec::new(),
        }
    }

    fn drawing_then(rest: &str) -> Self {
        Self::new(A4, &format!("{DRAWING}{rest}"))
    }

    /// Objects that the resources name, from 5 on.
    fn with(mut self, resources: &'static str, objects: &[String]) -> Self {
        self.resources = resources;
        self.objects = objects.to_vec();
        self
    }

    fn pdf(&self) -> Vec<u8> {
        let first = 5 + self.objects.len();
        let numbers = first..first + self.contents.len();
        let contents: Vec<_> = numbers.map(|number| format!("{number} 0 R")).collect();
        let contents = contents.join(" ");
        let (entries, resources) = (&self.entries, self.resources);
        let mut objects = vec![
            b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
            format!(
                "<</Type/Page/Parent 2 0 R{entries}/Resources<<{resources}>>/Contents[{contents}]>>"
            )
            .into(),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_vec(),
        ];
        objects.extend(self.objects.iter().map(|object| object.clone().into()));
        objects.extend(self.contents.iter().map(|content| stream("", content)));
        file(&objects)
    }
}

fn stream(entries: &str, data: &[u8]) -> Vec<u8> {
    let head = format!("<<{entries}/Length {}>>\nstream\n", data.len());
    [head.as_bytes(), data, b"\nendstream"].concat()
}

fn stream_text(entries: &str, data: &str) -> String {
    String::from_utf8(stream(entries, data.as_bytes())).unwrap()
}

fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = b"%PDF-1.7\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (number, object) in (1..).zip(objects) {
        writeln!(table, "{:010} 00000 n ", out.len()).unwrap();
        writeln!(out, "{number} 0 obj").unwrap();
        out.extend_from_slice(object);
        out.extend_from_slice(b"\nendobj\n");
    }
    let (start, size) = (out.len(), objects.len() + 1);
    writeln!(
        out,
        "xref\n0 {size}\n{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF"
    )
    .unwrap();
    out
}

fn laid_over(pdf: &[u8], treatment: Treatment, version: PdfVersion) -> Vec<u8> {
    let document = Document::open(pdf, &Limits::default()).unwrap();
    let fragment = Fragment::of(&document, 1..=1, &DigestKey([1; 32]), &treatment).unwrap();
    let settings = WriterSettings {
        title: "Wrapped".into(),
        producer: "Kuori".into(),
        created: jiff::Timestamp::UNIX_EPOCH,
        id: [7; 16],
        document_parts: false,
        version,
    };
    let mut writer = Writer::new(Vec::new(), &settings).unwrap();
    let mark = Overlay(MARK.into());
    writer
        .add_fragment(&fragment, &mut |_| Some(mark.clone()))
        .unwrap();
    writer.finish().unwrap().0
}

fn is_wrapped(pdf: &[u8]) -> bool {
    let form = b"/XObject<</Page ";
    pdf.windows(form.len()).any(|window| window == form)
}

fn by_poppler(folder: &Path, pdf: &[u8], dpi: u32) -> Picture {
    let path = folder.join("page.pdf");
    fs::write(&path, pdf).unwrap();
    only(draw_with(&["-cropbox"], &path, dpi, 1, 1))
}

fn by_mupdf(folder: &Path, pdf: &[u8]) -> Picture {
    let path = folder.join("page.pdf");
    fs::write(&path, pdf).unwrap();
    let drawn = tempfile::tempdir().unwrap();
    let target = drawn.path().join("page.ppm");
    let dpi = DPI.to_string();
    // It fails where content has errors, having drawn it as far as it could.
    tools::attempt(
        "mutool",
        [
            "draw",
            "-q",
            "-c",
            "rgb",
            "-r",
            &dpi,
            "-o",
            target.to_str().unwrap(),
            path.to_str().unwrap(),
        ],
    );
    only(read_all(drawn.path()))
}

fn only(pictures: Vec<Picture>) -> Picture {
    let [picture] = pictures.try_into().unwrap_or_else(|_| panic!("one page"));
    picture
}

struct Expected {
    is_wrapped: bool,
    /// What poppler draws a page at that looks as the new one does at [`DPI`]: it ignores `/UserUnit`.
    poppler_dpi: u32,
}

const AS_IT_STANDS: Expected = Expected {
    is_wrapped: false,
    poppler_dpi: DPI,
};
const WRAPPED: Expected = Expected {
    is_wrapped: true,
    poppler_dpi: DPI,
};

/// `seen` looks as the page of ours should.
fn check(name: &str, page: &Page, seen: &Page, treatment: Treatment, expected: &Expected) {
    let folder = tempfile::tempdir().unwrap();
    let out = laid_over(&page.pdf(), treatment, PdfVersion::Pdf17);
    assert_eq!(is_wrapped(&out), expected.is_wrapped, "{name}");
    let seen = seen.pdf();
    let pictures = [
        (
            "poppler",
            by_poppler(folder.path(), &seen, expected.poppler_dpi),
            by_poppler(folder.path(), &out, DPI),
        ),
        (
            "MuPDF",
            by_mupdf(folder.path(), &seen),
            by_mupdf(folder.path(), &out),
        ),
    ];
    for (by, before, after) in pictures {
        let difference = after.first_difference(&before, DPI, &[MARK_ON_A4]);
        assert_eq!(difference, None, "{name}, {by}");
        assert!(after.is_black_within(INK_ON_A4, DPI), "{name}, {by}");
        assert!(!before.is_black_within(INK_ON_A4, DPI), "{name}, {by}");
    }
}

fn check_alike(name: &str, page: &Page, treatment: Treatment, expected: &Expected) {
    check(name, page, page, treatment, expected);
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn one_saved_state_is_enough_for_content_that_is_clean() {
    for rest in [
        "",
        ".24 0 0 -.24 0 841.92 cm 1 0 0 RG 0 0 m 900 900 l S",
        "0 0 1 1 re W n",
        "0 0 0 0 0 0 cm",
        "/Nope gs /Nope Do /Nope sh",
        "BX foo EX /Span BMC EMC",
        "BT 7 Tr /F 9 Tf (clip) Tj ET",
        "% a comment without end of line",
        "q q q q q q q q q q q q q q q q q q q q .5 0 0 .5 0 0 cm Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q Q",
    ] {
        check_alike(rest, &Page::drawing_then(rest), LOOKED_AT, &AS_IT_STANDS);
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn content_that_would_swallow_the_mark_is_wrapped() {
    let many_errors = "foo ".repeat(200);
    let strays = "] >> ".repeat(100);
    for rest in [
        "q q q q .5 0 0 .5 9 9 cm",
        "Q .5 0 0 .5 9 9 cm",
        "Q Q Q Q Q Q Q Q .5 0 0 .5 9 9 cm",
        "(open",
        "(open \\",
        "<4142",
        "[1 2 3",
        "/X <</A 1",
        "BT /F 9 Tf 200 200 Td (open) Tj",
        "BI /W 8 /H 8 /BPC 1 /CS /G",
        "BI /W 8 /H 8 /BPC 1 /CS /G ID 12345678",
        "BI /W 80 /H 80 /BPC 1 /CS /G ID 12345678\nEI ",
        "BI /W 8 /H 8 /BPC 1 /CS /G /F /A85 ID 1234\nEI ",
        "/Span BMC",
        "EMC",
        "BX",
        "60 60 m 120 60 l 120 120 l",
        "60 60 30 30 re W",
        "1 2 3",
        "/x cm",
        "1 Tf",
        "[1] re",
        &many_errors,
        &strays,
    ] {
        check_alike(rest, &Page::drawing_then(rest), LOOKED_AT, &WRAPPED);
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn streams_that_are_split_inside_a_token_are_joined_as_readers_do() {
    let mut page = Page::drawing_then("1 0 0 r");
    page.contents.push(b"g 40 0".to_vec());
    page.contents.push(b"0 500 50 50 re f Q".to_vec());
    check_alike("split", &page, LOOKED_AT, &WRAPPED);
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn a_unit_scales_all_that_is_on_the_page() {
    let expected = Expected {
        is_wrapped: true,
        poppler_dpi: 2 * DPI,
    };
    let page = "/MediaBox[0 0 297.638 420.945]/UserUnit 2";
    let content = ".5 0 0 .5 0 0 cm ".to_owned() + DRAWING;
    check_alike(
        "unit",
        &Page::new(page, &content),
        Treatment::default(),
        &expected,
    );
    let page = patterned("/MediaBox[0 0 297.638 420.945]/UserUnit 2");
    check_alike("unit, patterns", &page, Treatment::default(), &expected);
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn patterns_keep_their_place_on_a_wrapped_page() {
    let mut page = patterned(A4);
    check_alike("patterns", &page, LOOKED_AT, &AS_IT_STANDS);
    page.contents.push(b"Q".to_vec());
    check_alike("patterns, wrapped", &page, LOOKED_AT, &WRAPPED);
}

/// A tiling pattern and a shading pattern, both with matrices of their own.
fn patterned(entries: &str) -> Page {
    let tile = "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 20 20]/XStep 20/YStep 20\
         /Resources<<>>/Matrix[1 .3 0 1 3 5]";
    let shading = "<</Type/Pattern/PatternType 2/Matrix[1 0 0 1 10 0]/Shading<</ShadingType 2\
         /ColorSpace/DeviceRGB/Coords[0 0 250 250]/Extend[true true]/Function<</FunctionType 2/N 1\
         /Domain[0 1]/C0[1 0 0]/C1[0 0 1]>>>>>>";
    let content = "/Pattern cs /T scn 30 100 200 200 re f /S scn 60 310 120 80 re f";
    Page::new(entries, content).with(
        "/Pattern<</T 5 0 R/S 6 0 R>>",
        &[
            stream_text(tile, "0 .5 0 rg 0 0 10 10 re f .9 0 .4 rg 10 10 6 6 re f"),
            shading.to_owned(),
        ],
    )
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn transparency_is_blended_on_a_wrapped_page_as_before() {
    let mask = stream_text(
        "/Type/XObject/Subtype/Form/BBox[0 0 600 850]/Group<</S/Transparency/CS/DeviceGray>>",
        "1 g 0 0 600 850 re f 0 g 250 450 50 500 re f .5 g 100 400 60 300 re f",
    );
    let content = format!(
        "{DRAWING}q /M gs .8 0 .8 rg 60 380 400 380 re f Q q /B gs 1 1 0 rg 150 250 200 300 re f Q"
    );
    for group in [
        "",
        "/Group<</S/Transparency/CS/DeviceRGB>>",
        "/Group<</S/Transparency/K true>>",
    ] {
        let entries = format!("{A4}{group}");
        let mut page = Page::new(&entries, &content).with(
            "/Font<</F 4 0 R>>/ExtGState<</M<</SMask<</S/Luminosity/G 5 0 R>>>>\
             /B<</ca .5/BM/Multiply>>>>",
            std::slice::from_ref(&mask),
        );
        check_alike(group, &page, LOOKED_AT, &AS_IT_STANDS);
        page.contents.push(b"Q".to_vec());
        check_alike(group, &page, LOOKED_AT, &WRAPPED);
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn forms_without_resources_find_those_of_the_page() {
    let form = stream_text(
        "/Type/XObject/Subtype/Form/BBox[0 0 300 300]",
        "BT /F 20 Tf 60 200 Td (inherits) Tj ET",
    );
    let mut page =
        Page::drawing_then("/X Do").with("/Font<</F 4 0 R>>/XObject<</X 5 0 R>>", &[form]);
    page.contents.push(b"Q".to_vec());
    check_alike("form", &page, LOOKED_AT, &WRAPPED);
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn turned_and_cropped_pages_stay_what_they_are_seen_as() {
    for rotate in [0, 90, 180, 270] {
        let [width, height] = match rotate % 180 {
            0 => ["615.276", "871.89"],
            _ => ["861.89", "625.276"],
        };
        let entries =
            format!("/MediaBox[-50 -50 900 900]/CropBox[20 30 {width} {height}]/Rotate {rotate}");
        let page = Page::new(&entries, DRAWING);
        check_alike(&entries, &page, LOOKED_AT, &AS_IT_STANDS);
        let open = Page::new(&entries, &format!("{DRAWING}Q (open"));
        check_alike(&entries, &open, LOOKED_AT, &WRAPPED);
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn a_landscape_page_is_turned_to_the_left() {
    for (rotate, seen) in [(0, 270), (180, 90)] {
        let entries = |rotate| format!("/MediaBox[0 0 841.89 595.276]/Rotate {rotate}");
        let page = Page::new(&entries(rotate), DRAWING);
        let seen = Page::new(&entries(seen), DRAWING);
        check("landscape", &page, &seen, TURNED, &WRAPPED);
    }
}

#[test]
#[ignore = "needs qpdf, mutool and pdfinfo"]
fn either_version_is_a_sound_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut page = Page::new(&format!("{A4}/UserUnit 1.001"), DRAWING);
    page.contents.push(b"0 0 m 1 1 l S".to_vec());
    for (version, told) in [(PdfVersion::Pdf17, "1.7"), (PdfVersion::Pdf20, "2.0")] {
        let path = folder.path().join(told);
        fs::write(&path, laid_over(&page.pdf(), LOOKED_AT, version)).unwrap();
        tools::assert_qpdf_is_content(&path);
        tools::assert_mutool_is_content(&path);
        let said = tools::run("pdfinfo", [&path]);
        let line = said
            .out
            .lines()
            .find(|line| line.starts_with("PDF version"));
        assert!(line.unwrap().ends_with(told), "{}", said.out);
        assert_eq!(said.err, "");
    }
}
