use pdf_writer::{Content, Str, types::TextRenderingMode};

use super::{
    coat_of_arms,
    document::{ARMS_NAME, FONT_NAME},
    typeface::Typeface,
};

/// A page being drawn. Places are millimetres from the top left corner; font sizes are points.
pub(super) struct Canvas<'a> {
    typeface: &'a Typeface,
    content: Content,
    /// Inline images, drawn last: `pdf_writer` has no operators for them.
    pictures: String,
    height_mm: f32,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(typeface: &'a Typeface, height_mm: f32) -> Self {
        Self {
            typeface,
            content: Content::new(),
            pictures: String::new(),
            height_mm,
        }
    }

    /// Text with its left end at `x` and its baseline at `y`.
    pub(super) fn text(&mut self, x: f32, y: f32, size: f32, text: &str) {
        let baseline = self.height_of(y);
        self.content
            .begin_text()
            .set_font(FONT_NAME, size)
            .next_line(points(x), baseline)
            .show(Str(&self.typeface.encode(text)))
            .end_text();
    }

    /// Text with its right end at `x`.
    pub(super) fn text_to_right(&mut self, x: f32, y: f32, size: f32, text: &str) {
        let width = self.typeface.width(text, size) / points(1.0);
        self.text(x - width, y, size, text);
    }

    /// Heavier text: the subset has one weight, so the outlines are stroked too.
    pub(super) fn bold(&mut self, x: f32, y: f32, size: f32, text: &str) {
        self.content
            .set_text_rendering_mode(TextRenderingMode::FillStroke)
            .set_line_width(size / 32.0);
        self.text(x, y, size, text);
        self.content
            .set_text_rendering_mode(TextRenderingMode::Fill);
    }

    /// Writes text in lines of at most `width` and gives the baseline below the last.
    pub(super) fn paragraph(
        &mut self,
        (x, y): (f32, f32),
        width: f32,
        (size, leading): (f32, f32),
        text: &str,
    ) -> f32 {
        let lines = self.wrapped(text, points(width), size);
        let mut baseline = y;
        for line in lines {
            self.text(x, baseline, size, &line);
            baseline += leading;
        }
        baseline
    }

    pub(super) fn rule(&mut self, from: f32, to: f32, y: f32) {
        let height = self.height_of(y);
        self.content
            .set_line_width(0.5)
            .move_to(points(from), height)
            .line_to(points(to), height)
            .stroke();
    }

    /// The arms of the town, `width` wide, with the upper left corner at (`x`, `y`).
    pub(super) fn arms(&mut self, x: f32, y: f32, width: f32) {
        let scale = points(width) / coat_of_arms::WIDTH;
        let bottom = self.height_of(y) - scale * coat_of_arms::HEIGHT;
        self.content
            .save_state()
            .transform([scale, 0.0, 0.0, scale, points(x), bottom])
            .x_object(ARMS_NAME)
            .restore_state();
    }

    /// A grey picture of one pixel, `side` wide and high, with the upper left corner at (`x`, `y`).
    pub(super) fn picture(&mut self, x: f32, y: f32, side: f32) {
        let (left, bottom, side) = (points(x), self.height_of(y + side), points(side));
        let image = format!(
            "\nq {side} 0 0 {side} {left} {bottom} cm BI /W 1 /H 1 /BPC 8 /CS /G ID @ EI Q"
        );
        self.pictures.push_str(&image);
    }

    /// The content stream, not yet compressed.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut content = self.content.finish().into_vec();
        content.extend_from_slice(self.pictures.as_bytes());
        content
    }

    fn wrapped(&self, text: &str, width: f32, size: f32) -> Vec<String> {
        let space = self.typeface.width(" ", size);
        let mut lines: Vec<String> = Vec::new();
        let mut used = width;
        for word in text.split_whitespace() {
            let needed = self.typeface.width(word, size);
            match lines.last_mut() {
                Some(line) if used + space + needed <= width => {
                    line.push(' ');
                    line.push_str(word);
                    used += space + needed;
                }
                _ => {
                    lines.push(word.to_owned());
                    used = needed;
                }
            }
        }
        lines
    }

    /// A place in points from the bottom, as PDF counts.
    fn height_of(&self, y: f32) -> f32 {
        points(self.height_mm - y)
    }
}

/// Millimetres in points.
pub(super) fn points(mm: f32) -> f32 {
    mm * 72.0 / 25.4
}
