//! Poppler draws the lines that older inserters read: those of each sheet, and none on backs.

use super::{
    picture::draw_with,
    print_run::{Bundle, PrintRun, cases},
};

/// Ten pixels a millimetre.
const DPI: u32 = 254;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs pdftoppm"]
async fn every_front_has_the_lines_of_its_sheet_and_no_back_has_any() {
    let mut read = 0;
    for case in cases() {
        let run = PrintRun::of(&case).await;
        if run.print.marks.omr.is_none() {
            continue;
        }
        for bundle in run.bundles() {
            let lines = drawn(&bundle);
            assert_eq!(lines, planned(&bundle), "{}", run.name);
            read += lines.len();
        }
    }
    assert!(read > 40, "{read}");
}

/// The lines of each page by the rules of the settings' defaults: start, last sheet, three bits of a
/// counter over all sheets of the bundle, parity, safety.
fn planned(bundle: &Bundle) -> Vec<[bool; 7]> {
    let mut pages = Vec::new();
    let mut counter = 0;
    for piece in &bundle.pieces {
        for page in 0..piece.pages {
            let Some(sheet) = piece.sheet_in_front_of(page) else {
                pages.push([false; 7]);
                continue;
            };
            let bits = [4, 2, 1].map(|bit| counter % 8 / bit % 2 == 1);
            let is_last = sheet == piece.sheets;
            let ones = bits.iter().filter(|bit| **bit).count() + usize::from(is_last);
            let is_odd = ones % 2 == 1;
            pages.push([true, is_last, bits[0], bits[1], bits[2], is_odd, true]);
            counter += 1;
        }
    }
    pages
}

/// What stands where the lines are, 4.233 mm from one to the next.
fn drawn(bundle: &Bundle) -> Vec<[bool; 7]> {
    let crop = ["-gray", "-x", "20", "-y", "960", "-W", "120", "-H", "300"];
    let pages = draw_with(&crop, &bundle.pdf(), DPI, 1, bundle.pages());
    let read = pages.iter().map(|page| {
        [0, 1, 2, 3, 4, 5, 6].map(|line| {
            // The middle of the line, and of the gap below it.
            let at = 22 + line * 42_33 / 100;
            let is_dark = |x: usize, y: usize| page.pixel(x, y)[0] < 64;
            let dark = (25..95).filter(|x| is_dark(*x, at)).count();
            assert!(dark == 0 || dark == 70, "half a line");
            assert!(!(0..119).any(|x| is_dark(x, at + 20)), "ink between lines");
            assert!(!is_dark(10, at) && !is_dark(110, at), "a line is too long");
            dark == 70
        })
    });
    read.collect()
}
