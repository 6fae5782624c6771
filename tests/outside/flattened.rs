//! Annotations, form fields and layers look in a bundle as they look in the sender's file.

use std::{fmt::Write as _, fs};

use kuori::pdf::{
    DigestKey, Document, Fragment, Limits, Overlay, PdfVersion, Treatment, Writer, WriterSettings,
};

use super::{
    picture::{self, Picture, draw, draw_with},
    tools,
};

/// A pixel a unit: edges do not fall between pixels, where renderers shade them by how they got there.
const DPI: u32 = 72;

/// A file of one page: what is added to its catalog and its dictionary, its content, and further
/// objects from number 5 on.
struct Case {
    what: &'static str,
    catalog: &'static str,
    page: &'static str,
    content: &'static str,
    objects: &'static [&'static str],
    drawn_by: DrawnBy,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DrawnBy {
    Both,
    /// The other one does not draw it, or not as the standard says.
    Poppler,
}

const GREY: &str = "q 0.8 g 20 20 100 60 re f Q";
/// Says where it is turned to, and reaches out of its box.
const SEAL: &str = "<</Type/XObject/Subtype/Form/BBox[0 0 40 20]/Length 70>>stream\n\
    1 0 0 rg -9 0 90 20 re f 0 0 1 rg 0 0 9 9 re f 0 1 0 rg 30 10 9 9 re f\nendstream";
/// The same away from its edges, which a renderer may shade on a turned page.
const INSET: &str = "<</Type/XObject/Subtype/Form/BBox[0 0 40 20]/Length 69>>stream\n\
    1 0 0 rg 2 2 36 16 re f 0 0 1 rg 4 4 9 9 re f 0 1 0 rg 28 8 8 8 re f \nendstream";
const TURNED: &str = "<</Type/XObject/Subtype/Form/BBox[0 0 40 20]/Matrix[0 1 -1 0 20 0]\
    /Length 40>>stream\n1 0 0 rg 0 0 40 20 re f 0 g 0 0 9 9 re f\nendstream";
const LAYERS: &str = "/OCProperties<</OCGs[6 0 R 7 0 R]/D<</OFF[7 0 R]>>>>";

const CASES: &[Case] = &[
    Case {
        what: "a stamp, and content that leaves the coordinates changed",
        page: "/Annots[<</Subtype/Stamp/F 4/Rect[50 100 130 140]/AP<</N 5 0 R>>>>]",
        content: "0.8 g 20 20 100 60 re f 3 0 0 3 50 50 cm 1 0 0 rg q q",
        objects: &[SEAL],
        ..ORDINARY
    },
    Case {
        what: "an appearance that is turned",
        page: "/Annots[<</Subtype/Stamp/F 4/Rect[50 100 90 200]/AP<</N 5 0 R>>>>]",
        objects: &[TURNED],
        ..ORDINARY
    },
    Case {
        what: "a turned page, cropped, whose second stamp stays upright",
        page: "/Rotate 90/CropBox[10 20 190 280]/Annots[\
            <</Subtype/Stamp/F 4/Rect[50 100 90 120]/AP<</N 5 0 R>>>>\
            <</Subtype/Stamp/F 20/Rect[100 150 140 170]/AP<</N 5 0 R>>>>]",
        objects: &[INSET],
        ..ORDINARY
    },
    Case {
        what: "a page turned the other way",
        page: "/Rotate 270/Annots[\
            <</Subtype/Stamp/F 20/Rect[100 150 140 170]/AP<</N 5 0 R>>>>]",
        objects: &[INSET],
        ..ORDINARY
    },
    Case {
        what: "a page upside down",
        page: "/Rotate 180/Annots[\
            <</Subtype/Stamp/F 20/Rect[100 150 140 170]/AP<</N 5 0 R>>>>]",
        objects: &[INSET],
        ..ORDINARY
    },
    Case {
        what: "boxes that are ticked and not, and a stamp that is hidden",
        page: "/Annots[\
            <</Subtype/Widget/FT/Btn/F 4/Rect[50 100 90 120]/AS/Yes/AP<</N<</Yes 5 0 R>>>>>>\
            <</Subtype/Widget/FT/Btn/F 4/Rect[50 150 90 170]/AS/Off/AP<</N<</Yes 5 0 R>>>>>>\
            <</Subtype/Stamp/F 6/Rect[50 200 90 220]/AP<</N 5 0 R>>>>]",
        objects: &[SEAL],
        drawn_by: DrawnBy::Poppler,
        ..ORDINARY
    },
    Case {
        what: "an appearance that does not say that it is a form",
        page: "/Annots[<</Subtype/Stamp/F 4/Rect[50 100 90 120]/AP<</N 5 0 R>>>>]",
        objects: &["<</BBox[0 0 40 20]/Length 24>>stream\n1 0 0 rg 0 0 40 20 re f \nendstream"],
        ..ORDINARY
    },
    Case {
        what: "borders of links",
        page: "/Annots[<</Subtype/Link/F 4/Rect[50 100 90 120]>>\
            <</Subtype/Link/F 4/Rect[50 130 90 150]/Border[0 0 3]/C[1 0 0]>>\
            <</Subtype/Link/F 4/Rect[50 160 90 180]/BS<</W 2/S/U>>/C[0 0 1]>>\
            <</Subtype/Link/F 4/Rect[50 190 90 210]/BS<</W 2/S/D>>>>\
            <</Subtype/Link/F 4/Rect[50 220 90 240]/Border[0 0 0]>>]",
        drawn_by: DrawnBy::Poppler,
        ..ORDINARY
    },
    Case {
        what: "content, a form and a stamp on layers that are shown and hidden",
        catalog: LAYERS,
        page: "/Resources<</Properties<</A 6 0 R/B 7 0 R/M 8 0 R/E 9 0 R>>/XObject<</X 10 0 R>>>>\
            /Annots[<</Subtype/Stamp/F 4/Rect[50 100 90 120]/AP<</N 5 0 R>>/OC 7 0 R>>\
            <</Subtype/Stamp/F 4/Rect[50 150 90 170]/AP<</N 5 0 R>>/OC 8 0 R>>]",
        content: "/OC/A BDC 1 0 0 rg 0 0 40 40 re f EMC /OC/B BDC 0 1 0 rg 50 0 40 40 re f EMC \
            /OC/M BDC 0 0 1 rg 100 0 40 40 re f EMC /OC/E BDC 0 g 150 0 40 40 re f EMC /X Do",
        objects: &[
            SEAL,
            "<</Type/OCG/Name(a)>>",
            "<</Type/OCG/Name(b)>>",
            "<</Type/OCMD/OCGs[6 0 R 7 0 R]/P/AnyOff>>",
            "<</Type/OCMD/VE[/Not 6 0 R]/OCGs[6 0 R]>>",
            "<</Type/XObject/Subtype/Form/BBox[0 0 400 400]/OC 7 0 R/Length 25>>stream\n\
             0 1 1 rg 0 200 50 50 re f\nendstream",
        ],
        drawn_by: DrawnBy::Poppler,
    },
    Case {
        what: "all layers hidden but one",
        catalog: "/OCProperties<</OCGs[6 0 R 7 0 R]/D<</BaseState/OFF/ON[7 0 R]>>>>",
        page: "/Resources<</Properties<</A 6 0 R/B 7 0 R>>>>/Annots[\
            <</Subtype/Stamp/F 4/Rect[50 100 90 120]/AP<</N 5 0 R>>/OC 6 0 R>>]",
        content: "/OC/A BDC 1 0 0 rg 0 0 40 40 re f EMC /OC/B BDC 0 1 0 rg 50 0 40 40 re f EMC",
        objects: &[SEAL, "<</Type/OCG/Name(a)>>", "<</Type/OCG/Name(b)>>"],
        ..ORDINARY
    },
];

const ORDINARY: Case = Case {
    what: "",
    catalog: "",
    page: "",
    content: GREY,
    objects: &[],
    drawn_by: DrawnBy::Both,
};

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn flattened_pages_look_as_their_senders_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let [theirs, ours] = ["theirs.pdf", "ours.pdf"].map(|name| folder.path().join(name));
    // All in one bundle: equal layers in different states must not meet.
    let files: Vec<_> = CASES.iter().map(Case::pdf).collect();
    fs::write(&ours, bundle(&files, false)).unwrap();
    tools::assert_qpdf_is_content(&ours);
    for (page, (case, file)) in (1..).zip(CASES.iter().zip(&files)) {
        fs::write(&theirs, file).unwrap();
        let drawn =
            |pdf: &std::path::Path, page| draw_with(&["-cropbox"], pdf, DPI, page, page).remove(0);
        assert_same(&drawn(&ours, page), &drawn(&theirs, 1), case);
        if case.drawn_by == DrawnBy::Both {
            let drawn = |pdf: &std::path::Path, page| by_mupdf(pdf, page).remove(0);
            assert_same(&drawn(&ours, page), &drawn(&theirs, 1), case);
        }
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn a_layer_that_is_off_in_print_is_hidden_and_one_that_is_on_is_shown() {
    let hidden = of_print("OFF", "");
    let shown = of_print("ON", "/OFF[6 0 R]");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ours.pdf");
    fs::write(&file, bundle(&[hidden, shown], false)).unwrap();
    let by_mupdf: Vec<_> = [1, 2].map(|page| by_mupdf(&file, page).remove(0)).into();
    for pages in [draw(&file, DPI, 1, 2), by_mupdf] {
        assert!(pages[0].is_white());
        assert!(!pages[1].is_white());
    }
}

#[test]
#[ignore = "needs pdftoppm and mutool"]
fn a_mark_lies_over_annotations() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ours.pdf");
    let files: Vec<_> = CASES.iter().map(Case::pdf).collect();
    fs::write(&file, bundle(&files, true)).unwrap();
    let last = u32::try_from(CASES.len()).unwrap();
    let by_mupdf = (1..=last).map(|page| by_mupdf(&file, page).remove(0));
    for picture in draw(&file, DPI, 1, last).into_iter().chain(by_mupdf) {
        // The lower left corner of the page as seen.
        let height = u32::try_from(picture.height).unwrap();
        let height_mm = f64::from(height) * 25.4 / f64::from(DPI);
        let corner = [1.0, height_mm - 8.0, 8.0, height_mm - 1.0];
        assert!(picture.is_black_within(corner, DPI));
    }
}

fn assert_same(ours: &Picture, theirs: &Picture, case: &Case) {
    let difference = ours.first_difference(theirs, DPI, &[]);
    assert_eq!(difference, None, "{}", case.what);
    assert!(!ours.is_white(), "{}", case.what);
}

impl Case {
    fn pdf(&self) -> Vec<u8> {
        let content = format!(
            "<</Length {}>>stream\n{}\nendstream",
            self.content.len(),
            self.content
        );
        let mut objects = vec![
            format!("<</Type/Catalog/Pages 2 0 R{}>>", self.catalog),
            "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
            format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Contents 4 0 R{}>>",
                self.page
            ),
            content,
        ];
        objects.extend(self.objects.iter().map(|object| (*object).to_owned()));
        assembled(&objects)
    }
}

/// A red square on a layer with that state in print.
fn of_print(state: &str, default: &str) -> Vec<u8> {
    let automatic = "/AS[<</Event/Print/Category[/Print]/OCGs[6 0 R]>>]";
    let page = "/MediaBox[0 0 200 300]/Resources<</Properties<</A 6 0 R>>>>";
    let content = "/OC/A BDC 1 0 0 rg 0 0 40 40 re f EMC";
    assembled(&[
        format!(
            "<</Type/Catalog/Pages 2 0 R/OCProperties<</OCGs[6 0 R]/D<<{default}{automatic}>>>>>>"
        ),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        format!("<</Type/Page/Parent 2 0 R/Contents 4 0 R{page}>>"),
        format!("<</Length {}>>stream\n{content}\nendstream", content.len()),
        "null".to_owned(),
        format!("<</Type/OCG/Name(a)/Usage<</Print<</PrintState/{state}>>>>>>"),
    ])
}

/// Objects from number 1 on, and their cross-references.
fn assembled(objects: &[String]) -> Vec<u8> {
    let mut out = String::from("%PDF-1.7\n");
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(objects) {
        writeln!(table, "{:010} 00000 n ", out.len()).unwrap();
        writeln!(out, "{number} 0 obj\n{object}\nendobj").unwrap();
    }
    let at = out.len();
    let size = objects.len() + 1;
    write!(
        out,
        "{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n"
    )
    .unwrap();
    out.into_bytes()
}

/// The files one after another, with a black square in the corner of each page if marked.
fn bundle(files: &[Vec<u8>], marked: bool) -> Vec<u8> {
    let settings = WriterSettings {
        title: "flattened".to_owned(),
        producer: "Kuori".to_owned(),
        version: PdfVersion::default(),
        created: jiff::Timestamp::UNIX_EPOCH,
        id: [7; 16],
        document_parts: false,
    };
    let mut writer = Writer::new(Vec::new(), &settings).unwrap();
    for file in files {
        let document = Document::open(file, &Limits::default()).unwrap();
        let treatment = Treatment::default();
        let fragment = Fragment::of(&document, 1..=1, &DigestKey([1; 32]), &treatment).unwrap();
        let square = || Overlay(b"0 g 0 0 25 25 re f".to_vec());
        writer
            .add_fragment(&fragment, &mut |_| marked.then(square))
            .unwrap();
    }
    writer.finish().unwrap().0
}

fn by_mupdf(pdf: &std::path::Path, page: u32) -> Vec<Picture> {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("page.ppm");
    let [dpi, page] = [DPI, page].map(|number| number.to_string());
    let options = ["draw", "-q", "-r", &dpi, "-c", "rgb", "-o"];
    let files = [target.to_str().unwrap(), pdf.to_str().unwrap(), &page];
    tools::run("mutool", [options.as_slice(), &files].concat());
    picture::read_all(folder.path())
}
