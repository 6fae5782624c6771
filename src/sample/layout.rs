use flate2::Compression;

use super::{
    FaultKind, Spec,
    canvas::{Canvas, points},
    document::Page,
    recipient::{SampleRecipient, address_rows, recipient},
    typeface::{Typeface, deflated},
    wording::{self, Block, Wording},
};

// All measures are millimetres from the top left corner. The windows are those of the iPost layout
// (recipient x 21, y 55, 72 × 30; sender x 21, y 20, 59 × 25); the tabs are those of SFS 2487.
const A4: (f32, f32) = (210.0, 297.0);
const US_LETTER: (f32, f32) = (215.9, 279.4);

const LEFT: f32 = 21.0;
const BODY: f32 = 66.0;
const HEAD: f32 = 112.0;
const RIGHT: f32 = 195.0;

const SENDER_TOP: f32 = 20.0;
const ADDRESS_FIRST_BASELINE: f32 = 60.0;
const ADDRESS_LEADING: f32 = 5.2;
const FIRST_BODY_BASELINE: f32 = 104.0;
const NEXT_BODY_BASELINE: f32 = 48.0;
const FOOTER_RULE: f32 = 274.0;

const SENDER: &str = "Esimerkkilän kaupunki";

const FONT_SIZE: f32 = 10.5;
const LEADING: f32 = 4.9;
const SMALL: f32 = 8.0;

/// The pages of a letter, drawn and compressed.
pub(super) fn pages(spec: &Spec, typeface: &Typeface, letter: &SampleRecipient) -> Vec<Page> {
    let wording = wording::of_letter(spec.seed, letter.position, letter.pages);
    let paper = if spec.has_fault(letter.position, FaultKind::UsLetterPaper) {
        US_LETTER
    } else {
        A4
    };
    let compressed = |(index, blocks): (usize, &Vec<Block>)| {
        let mut canvas = Canvas::new(typeface, paper.1);
        if index == 0 {
            first_page(&mut canvas, spec, letter, blocks);
        } else {
            next_page(&mut canvas, blocks);
        }
        head_facts(&mut canvas, &wording, (index + 1, wording.pages.len()));
        footer(&mut canvas);
        Page {
            content: deflated(&canvas.finish(), Compression::default()),
            size: (points(paper.0), points(paper.1)),
        }
    };
    wording.pages.iter().enumerate().map(compressed).collect()
}

fn first_page(canvas: &mut Canvas, spec: &Spec, letter: &SampleRecipient, blocks: &[Block]) {
    sender_block(canvas);
    address_window(canvas, spec, letter);
    if spec.has_fault(letter.position, FaultKind::InkInMargin) {
        canvas.text(3.0, 16.0, SMALL, "LEIMA");
    }
    if spec.has_fault(letter.position, FaultKind::PictureInMargin) {
        canvas.picture(3.0, 11.0, 10.0);
    }
    body(canvas, FIRST_BODY_BASELINE, blocks);
}

fn address_window(canvas: &mut Canvas, spec: &Spec, letter: &SampleRecipient) {
    let has_fault = |kind| spec.has_fault(letter.position, kind);
    if has_fault(FaultKind::EmptyWindow) {
        return;
    }
    let address = if has_fault(FaultKind::AnotherPersonsAddress) {
        recipient(spec, letter.position + 1).address
    } else {
        letter.address.clone()
    };
    let mut baseline = ADDRESS_FIRST_BASELINE;
    for row in address_rows(&address) {
        canvas.text(LEFT + 1.0, baseline, FONT_SIZE, &row);
        baseline += ADDRESS_LEADING;
    }
    if has_fault(FaultKind::CrowdedWindow) {
        canvas.text(LEFT + 1.0, baseline, SMALL, "2.3.2026");
    }
}

fn next_page(canvas: &mut Canvas, blocks: &[Block]) {
    canvas.bold(LEFT, SENDER_TOP + 3.6, 10.0, SENDER);
    body(canvas, NEXT_BODY_BASELINE, blocks);
}

fn sender_block(canvas: &mut Canvas) {
    canvas.arms(LEFT, SENDER_TOP, 12.0);
    let text = LEFT + 15.0;
    canvas.bold(text, SENDER_TOP + 3.6, 10.0, SENDER);
    canvas.text(text, SENDER_TOP + 7.6, SMALL, "Example City");
    canvas.text(text, SENDER_TOP + 11.4, SMALL, "Kirjaamo, PL 1");
    canvas.text(text, SENDER_TOP + 15.0, SMALL, "00000 ESIMERKKILÄ");
}

/// Kind, page number, date and case number: right of the windows, on every page.
fn head_facts(canvas: &mut Canvas, wording: &Wording, (page, of): (usize, usize)) {
    canvas.bold(HEAD, SENDER_TOP + 3.6, FONT_SIZE, wording.kind);
    let number = format!("{page} ({of})");
    canvas.text_to_right(RIGHT, SENDER_TOP + 3.6, FONT_SIZE, &number);
    canvas.text(HEAD, SENDER_TOP + 11.4, FONT_SIZE, &wording.date);
    let case_number = &wording.case_number;
    canvas.text_to_right(RIGHT, SENDER_TOP + 11.4, FONT_SIZE, case_number);
}

fn body(canvas: &mut Canvas, top: f32, blocks: &[Block]) {
    let mut y = top;
    for block in blocks {
        y = draw_block(canvas, y, block);
    }
}

/// Draws a block with its first baseline at `y` and gives the baseline of what follows.
fn draw_block(canvas: &mut Canvas, y: f32, block: &Block) -> f32 {
    let type_size = (FONT_SIZE, LEADING);
    match block {
        Block::Title(text) => {
            canvas.bold(LEFT, y, 13.0, text);
            y + 2.0 * LEADING
        }
        Block::Heading(text) => {
            canvas.bold(LEFT, y + LEADING / 2.0, FONT_SIZE, text);
            y + LEADING / 2.0 + LEADING + 0.8
        }
        Block::Paragraph(text) => {
            canvas.paragraph((BODY, y), RIGHT - BODY, type_size, text) + LEADING / 2.0
        }
        Block::Fact(what, value) => {
            canvas.text(LEFT, y, FONT_SIZE, what);
            canvas.paragraph((BODY, y), RIGHT - BODY, type_size, value) + 0.6
        }
        Block::Amount(what, amount) => {
            canvas.text(BODY, y, FONT_SIZE, what);
            canvas.text_to_right(RIGHT, y, FONT_SIZE, amount);
            y + LEADING + 0.6
        }
        Block::Total(what, amount) => total(canvas, y, what, amount),
        Block::Signature { name, office } => signature(canvas, y, name, office),
    }
}

fn total(canvas: &mut Canvas, y: f32, what: &str, amount: &str) -> f32 {
    canvas.rule(BODY, RIGHT, y - 2.6);
    canvas.bold(BODY, y + 2.2, FONT_SIZE, what);
    canvas.text_to_right(RIGHT, y + 2.2, FONT_SIZE, amount);
    y + 2.0 * LEADING + 2.2
}

fn signature(canvas: &mut Canvas, y: f32, name: &str, office: &str) -> f32 {
    let first = y + 2.0 * LEADING;
    canvas.text(BODY, first, FONT_SIZE, name);
    canvas.text(BODY, first + LEADING, FONT_SIZE, office);
    first + 2.0 * LEADING
}

fn footer(canvas: &mut Canvas) {
    canvas.rule(LEFT, RIGHT, FOOTER_RULE);
    let (first, second) = (FOOTER_RULE + 4.0, FOOTER_RULE + 7.6);
    canvas.text(LEFT, first, SMALL, SENDER);
    canvas.text(LEFT, second, SMALL, "Torikatu 1, 00000 ESIMERKKILÄ");
    canvas.text(BODY + 20.0, first, SMALL, "Asiakaspalvelu 000 000 0000");
    canvas.text(BODY + 20.0, second, SMALL, "arkisin klo 9–15");
    canvas.text_to_right(RIGHT, first, SMALL, "www.esimerkkila.example");
    canvas.text_to_right(RIGHT, second, SMALL, "kirjaamo@esimerkkila.example");
}
