//! Every bundle is a PDF that qpdf, `MuPDF` and poppler have nothing to say against.

use super::{
    print_run::{Bundle, PrintRun, cases},
    tools,
};

const A4_POINTS: [f64; 2] = [595.276, 841.89];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs qpdf, mutool, pdfinfo and pdffonts"]
async fn every_bundle_is_a_sound_pdf_of_a4_pages_with_all_fonts() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles() {
            println!("{}: {}, {} pages", run.name, bundle.id, bundle.pages());
            tools::assert_qpdf_is_content(&bundle.pdf());
            tools::assert_mutool_is_content(&bundle.pdf());
            tools::assert_fonts_are_embedded(&bundle.pdf());
            every_page_is_a4(&bundle, run.print.pdf_version.as_str());
        }
    }
}

fn every_page_is_a4(bundle: &Bundle, version: &str) {
    let pdf = bundle.pdf();
    let last = bundle.pages().to_string();
    let said = tools::run(
        "pdfinfo",
        ["-box", "-f", "1", "-l", &last, pdf.to_str().unwrap()],
    );
    assert_eq!(said.err, "");
    let value = |name: &str| said.out.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(value("Pages:").unwrap().trim(), last, "{}", bundle.id);
    assert_eq!(value("PDF version:").unwrap().trim(), version);
    assert_eq!(value("Encrypted:").unwrap().trim(), "no");
    for name in ["MediaBox", "CropBox", "TrimBox"] {
        let marker = format!("{name}:");
        let boxes: Vec<_> = said
            .out
            .lines()
            .filter_map(|line| line.split_once(&marker))
            .map(|(_, numbers)| numbers)
            .collect();
        assert_eq!(boxes.len().to_string(), last, "a {name} for each page");
        for numbers in boxes {
            assert!(is_a4(numbers), "{}: {name}{numbers}", bundle.id);
        }
    }
}

fn is_a4(numbers: &str) -> bool {
    let numbers = numbers.split_whitespace();
    let numbers: Vec<f64> = numbers.map(|number| number.parse().unwrap()).collect();
    let [width, height] = A4_POINTS;
    let wanted = [0.0, 0.0, width, height];
    let near = |(got, wanted): (&f64, f64)| (got - wanted).abs() < 0.05;
    numbers.len() == 4 && numbers.iter().zip(wanted).all(near)
}
