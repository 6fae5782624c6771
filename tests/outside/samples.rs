//! The committed samples are sound PDFs.

use std::{fs, path::Path};

use super::{print_run::SentBatch, tools};

#[test]
#[ignore = "needs qpdf, mutool and pdffonts"]
fn the_pdfs_of_committed_samples_are_sound() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/batches/valid");
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "zip") {
            let sent = SentBatch::of(&fs::read(path).unwrap());
            for pdf in sent.documents() {
                tools::assert_qpdf_is_content(pdf);
                tools::assert_mutool_is_content(pdf);
                tools::assert_fonts_are_embedded(pdf);
                checked += 1;
            }
        }
    }
    assert!(checked >= 6, "{checked}");
}
