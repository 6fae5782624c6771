use flate2::Compression;
use pdf_writer::{Chunk, Content, Filter, Rect, Ref};

use super::typeface::deflated;

/// Width and height of the drawing, in its own units.
pub(super) const WIDTH: f32 = 100.0;
pub(super) const HEIGHT: f32 = 120.0;

const BLUE: [f32; 3] = [0.0, 0.22, 0.48];
const GOLD: [f32; 3] = [0.93, 0.73, 0.2];

/// The arms of an invented town: on a blue shield a golden spruce over two silver waves.
///
/// One form `XObject`, shared by all letters of a file, as a sender's template would have it.
pub(super) fn object(id: Ref) -> Chunk {
    let mut content = Content::new();
    shield(&mut content);
    spruce(&mut content);
    for foot in [24.0, 15.0] {
        wave(&mut content, foot);
    }
    let drawing = deflated(&content.finish(), Compression::best());
    let mut chunk = Chunk::new();
    chunk
        .form_xobject(id, &drawing)
        .bbox(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
        .filter(Filter::FlateDecode);
    chunk
}

fn shield(content: &mut Content) {
    let [red, green, blue] = BLUE;
    content
        .set_fill_rgb(red, green, blue)
        .move_to(4.0, 118.0)
        .line_to(96.0, 118.0)
        .line_to(96.0, 56.0)
        .cubic_to(96.0, 24.0, 70.0, 8.0, 50.0, 2.0)
        .cubic_to(30.0, 8.0, 4.0, 24.0, 4.0, 56.0)
        .close_path()
        .fill_nonzero();
}

fn spruce(content: &mut Content) {
    let [red, green, blue] = GOLD;
    content.set_fill_rgb(red, green, blue);
    for (top, foot, half_width) in [(110.0, 84.0, 14.0), (94.0, 62.0, 21.0), (74.0, 40.0, 28.0)] {
        content
            .move_to(50.0, top)
            .line_to(50.0 + half_width, foot)
            .line_to(50.0 - half_width, foot)
            .close_path()
            .fill_nonzero();
    }
    content.rect(46.0, 32.0, 8.0, 9.0).fill_nonzero();
}

fn wave(content: &mut Content, foot: f32) {
    content
        .set_stroke_rgb(1.0, 1.0, 1.0)
        .set_line_width(3.0)
        .move_to(30.0, foot)
        .cubic_to(37.0, foot + 7.0, 43.0, foot + 7.0, 50.0, foot)
        .cubic_to(57.0, foot - 7.0, 63.0, foot - 7.0, 70.0, foot)
        .stroke();
}
