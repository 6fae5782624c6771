//! Every page of a letter comes out as its sender made it, apart from the mark.

use std::path::PathBuf;

use super::{
    picture::{Picture, Zone, draw, draw_with},
    print_run::{Bundle, Piece, PrintRun, cases},
};

const DPI: u32 = 60;

/// `docs/print-rules.md`: the mark with its quiet zone, and the readable lines under it.
const MARK_ZONES: [Zone; 2] = [[3.5, 11.5, 12.5, 20.5], [3.5, 20.5, 19.7, 24.3]];
/// The default lines with the white about them.
const OMR_ZONE: Zone = [2.0, 96.0, 14.0, 126.4];
const TEST_ZONE: Zone = [97.0, 3.0, 115.0, 10.0];

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs pdftoppm"]
async fn every_page_is_its_senders_pixel_for_pixel_outside_the_marks() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        let mut compared = 0;
        for bundle in run.bundles() {
            let drawn = draw(&bundle.pdf(), DPI, 1, bundle.pages());
            assert_eq!(drawn.len(), bundle.pages() as usize);
            let mut sources = Sources {
                run: &run,
                drawn: None,
            };
            for piece in &bundle.pieces {
                compared += compare(&run, piece, &drawn, &mut sources);
            }
        }
        println!("{}: {compared} pages", run.name);
        let printed = usize::try_from(run.hub.counts().printed).unwrap();
        assert!(compared >= printed, "{}", run.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs pdftoppm"]
async fn the_marks_zone_is_white_but_for_the_mark() {
    for case in cases() {
        let run = PrintRun::of(&case).await;
        for bundle in run.bundles() {
            for piece in &bundle.pieces {
                for page in 0..piece.pages {
                    if piece.sheet_in_front_of(page).is_some() {
                        stands_on_white(&bundle, piece.first_page + page);
                    }
                }
            }
        }
    }
}

/// Compares the pages of a piece with the letter's; how many there were.
fn compare(run: &PrintRun, piece: &Piece, drawn: &[Picture], sources: &mut Sources) -> usize {
    let message = piece.message();
    let letter = sources.pages_of(piece);
    let before = if run.address_page { piece.sides() } else { 0 };
    let pages = &drawn[piece.first_page as usize - 1..][..piece.pages as usize];
    let (before_letter, after) = pages.split_at(before as usize);
    let (own, after) = after.split_at(letter.len());
    for (number, (page, sent)) in (before..).zip(own.iter().zip(&letter)) {
        let difference = page.first_difference(sent, DPI, &zones(run, piece, number));
        assert_eq!(difference, None, "{} {message} page {number}", run.name);
    }
    // What was added: a front with an address, and blank backs.
    assert!(before_letter.iter().take(1).all(|page| !page.is_white()));
    let backs = before_letter.iter().skip(1).chain(after);
    assert!(
        backs.clone().all(Picture::is_white),
        "{} {message}",
        run.name
    );
    assert_eq!(
        (pages.len() - after.len()) % piece.sides() as usize,
        after.len()
    );
    letter.len()
}

/// Where page `number` of a piece, from 0, may differ.
fn zones(run: &PrintRun, piece: &Piece, number: u32) -> Vec<Zone> {
    match piece.sheet_in_front_of(number) {
        None => Vec::new(),
        Some(_) if run.print.marks.omr.is_some() => [MARK_ZONES.as_slice(), &[OMR_ZONE]].concat(),
        Some(_) if run.is_test => [MARK_ZONES.as_slice(), &[TEST_ZONE]].concat(),
        Some(_) => MARK_ZONES.to_vec(),
    }
}

/// The sender's documents, the one used last drawn in whole: most batches have but one.
struct Sources<'r> {
    run: &'r PrintRun,
    drawn: Option<(PathBuf, Vec<Picture>)>,
}

impl Sources<'_> {
    fn pages_of(&mut self, piece: &Piece) -> Vec<Picture> {
        let (pdf, pages) = self.run.sent_pages(piece.message());
        if self.drawn.as_ref().is_none_or(|(drawn, _)| drawn != pdf) {
            self.drawn = Some((pdf.to_owned(), draw(pdf, DPI, 1, u32::MAX / 4)));
        }
        let (_, drawn) = self.drawn.as_ref().unwrap();
        drawn[pages.first as usize - 1..pages.last() as usize].to_vec()
    }
}

/// At ten pixels a millimetre a module is five pixels wide, and so is the quiet zone.
fn stands_on_white(bundle: &Bundle, page: u32) {
    let crop = ["-gray", "-x", "35", "-y", "115", "-W", "90", "-H", "90"];
    let [corner] = draw_with(&crop, &bundle.pdf(), 254, page, page)
        .try_into()
        .unwrap_or_else(|_| panic!("no such page"));
    let (mut dark, mut white) = (0, 0);
    for y in 0..90 {
        for x in 0..90 {
            let value = corner.pixel(x, y)[0];
            if !(5..85).contains(&x) || !(5..85).contains(&y) {
                // The symbol's outermost pixels may reach over its edge by one.
                let at_the_edge = (4..86).contains(&x) && (4..86).contains(&y);
                assert!(
                    at_the_edge || value == 255,
                    "{:?} page {page}: ink at {x}, {y}",
                    bundle.id
                );
            }
            dark += u32::from(value < 64);
            white += u32::from(value > 191);
        }
    }
    // Half of the 6,400 pixels of a symbol are dark, more or less; hardly any is in between.
    assert!(
        (2_400..4_400).contains(&dark),
        "{:?} page {page}: {dark}",
        bundle.id
    );
    assert!(
        dark + white > 7_400,
        "{:?} page {page}: {dark} and {white}",
        bundle.id
    );
}
