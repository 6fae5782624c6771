//! Text, shown (ISO 32000-1, 9).

use std::rc::Rc;
use std::sync::Arc;

use super::interpreter::{Interpreter, PageFont};
use super::matrix::{Matrix, union};
use super::operands::{Operand, Operands};
use super::painting::both;
use super::reader::Reader;
use super::run::Run;
use super::shown_bytes::bytes_of;
use super::state::TextMode;
use super::{Area, FontUse, Ink, Paint, ShownText};
use crate::pdf::Refusal;
use crate::pdf::font::Font;

/// What lasts from `BT` to `ET` (9.4.1).
pub(super) struct TextObject {
    matrix: Matrix,
    line: Matrix,
    /// What was shown in a mode that clips, if anything was.
    clip: Option<Area>,
}

impl Default for TextObject {
    fn default() -> Self {
        Self {
            matrix: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            clip: None,
        }
    }
}

impl TextObject {
    fn move_line(&mut self, x: f64, y: f64) {
        self.line = self.line.moved(x, y);
        self.matrix = self.line;
    }
}

/// Fonts of a page, its forms' among them.
const MOST_FONTS: usize = 4_000;

/// Characters of one operator, in bytes: more than a page holds.
const MOST_TEXT: usize = 64 * 1024;

/// A gap this wide between letters that one operator shows is a space, as a share of the font's size.
const SPACE: f64 = 0.2;

/// Text that rises or falls by less than this share of its length is level.
const LEVEL: f64 = 0.02;

impl<'s> Interpreter<'s, '_> {
    /// Answers whether it is an operator of these.
    pub(super) fn set_text(&mut self, operator: &[u8], operands: &Operands<'_>) -> bool {
        if self.set_text_state(operator, operands) {
            return true;
        }
        match operator {
            b"BT" => self.text = TextObject::default(),
            b"ET" => self.end_text(),
            b"Td" | b"TD" => {
                if let Some([x, y]) = operands.numbers() {
                    if operator == b"TD" {
                        self.state.text.leading = -y;
                    }
                    self.text.move_line(x, y);
                }
            }
            b"Tm" => {
                if let Some(matrix) = operands.numbers() {
                    self.text.line = Matrix::of(matrix);
                    self.text.matrix = self.text.line;
                }
            }
            b"T*" => self.text.move_line(0.0, -self.state.text.leading),
            _ => return false,
        }
        true
    }

    fn set_text_state(&mut self, operator: &[u8], operands: &Operands<'_>) -> bool {
        let text = &mut self.state.text;
        let place = match operator {
            b"Tc" => &mut text.character_spacing,
            b"Tw" => &mut text.word_spacing,
            b"TL" => &mut text.leading,
            b"Ts" => &mut text.rise,
            b"Tz" => {
                text.scale = operands.number().map_or(text.scale, |scale| scale / 100.0);
                return true;
            }
            b"Tr" => {
                text.mode = operands.number().map_or(text.mode, TextMode::of);
                return true;
            }
            _ => return false,
        };
        *place = operands.number().unwrap_or(*place);
        true
    }

    /// `Tf`, and those that show text. What is unknown is passed over.
    pub(super) fn show_text(
        &mut self,
        operator: &[u8],
        operands: &Operands<'_>,
    ) -> Result<(), Refusal> {
        match operator {
            b"Tj" | b"TJ" => {}
            b"Tf" => return self.set_font(operands),
            b"'" => self.text.move_line(0.0, -self.state.text.leading),
            b"\"" => {
                if let [Operand::Number(words), Operand::Number(characters), ..] = operands.all() {
                    self.state.text.word_spacing = *words;
                    self.state.text.character_spacing = *characters;
                }
                self.text.move_line(0.0, -self.state.text.leading);
            }
            _ => return Ok(()),
        }
        match operands.all().last() {
            Some(shown @ (Operand::Text(_) | Operand::Array(_))) => self.show(*shown),
            _ => Ok(()),
        }
    }

    fn set_font(&mut self, operands: &Operands<'_>) -> Result<(), Refusal> {
        let [.., Operand::Name(name), Operand::Number(size)] = operands.all() else {
            return Ok(());
        };
        self.state.text.size = *size;
        let resources = Rc::clone(&self.resources);
        let value = resources.fonts.lookup(&self.source, name);
        let font = match self.tolerated(value)? {
            Some((_, Some(known))) => known,
            Some((value, None)) => {
                let font = self.font(value, name)?;
                resources.fonts.know(name, font);
                font
            }
            None => self.missing_font(name)?,
        };
        self.state.text.font = Some(font);
        Ok(())
    }

    /// Which of the page's fonts that is. One that cannot be read has the name it was called by.
    pub(super) fn font(&mut self, value: &'s [u8], name: &[u8]) -> Result<usize, Refusal> {
        let number = super::external::number_of(value);
        if let Some(known) = number.and_then(|number| self.font_numbers.get(&number)) {
            return Ok(*known);
        }
        let font = self.source.font(value);
        let Some(font) = self.tolerated(font)? else {
            return self.missing_font(name);
        };
        let usage = font.usage().clone();
        let at = self.add_font(Some(font), usage)?;
        if let Some(number) = number {
            self.font_numbers.insert(number, at);
        }
        Ok(at)
    }

    fn missing_font(&mut self, name: &[u8]) -> Result<usize, Refusal> {
        let usage = FontUse {
            name: String::from_utf8_lossy(name).into_owned(),
            is_embedded: false,
            is_type3: false,
            is_standard: false,
        };
        let is_that = |font: &PageFont| font.font.is_none() && font.usage == usage;
        match self.fonts.iter().position(is_that) {
            Some(at) => Ok(at),
            None => self.add_font(None, usage),
        }
    }

    fn add_font(&mut self, font: Option<Arc<Font>>, usage: FontUse) -> Result<usize, Refusal> {
        if self.fonts.len() >= MOST_FONTS {
            return Err(Refusal::Limit {
                what: "fonts of a page",
            });
        }
        self.fonts.push(PageFont {
            font,
            usage,
            was_used: false,
        });
        Ok(self.fonts.len() - 1)
    }

    fn end_text(&mut self) {
        if let Some(clip) = self.text.clip.take() {
            self.state.clip_to(Some(clip));
        }
    }

    /// Shows a string, or an array of strings and gaps.
    fn show(&mut self, shown: Operand<'_>) -> Result<(), Refusal> {
        let at = self.state.text.font;
        let font = at.and_then(|at| self.fonts.get(at));
        let Some(font) = font.and_then(|font| font.font.clone()) else {
            return self.show_without_font(shown);
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let run = Run::measured(&font, &self.state.text, &mut pieces(shown), &mut scratch);
        self.scratch = scratch;
        let onto_page = self.text.matrix.then(&self.state.matrix);
        self.text.matrix = run.moved(&self.text.matrix);
        let Some(bounds) = run.bounds(&font, &self.state.text) else {
            return Ok(());
        };
        if run.may_be_spaces && self.is_space(&font) {
            return Ok(());
        }
        let area = onto_page.area(bounds);
        let is_visible = self.draw_text(&area, |interpreter, area| {
            let (text, was_read) = interpreter.text_within(area, &font, shown)?;
            Ok(Ink::Text(ShownText {
                text,
                was_read,
                ..run.placed(&onto_page, &interpreter.state.text)
            }))
        })?;
        if is_visible {
            self.use_font(at);
        }
        Ok(())
    }

    fn is_space(&self, font: &Font) -> bool {
        let mut text = String::new();
        if let Some(glyph) = font.text(self.source.objects, u32::from(b' ')) {
            glyph.put(&mut text);
        }
        text.chars().all(char::is_whitespace)
    }

    /// A reader shows it in a font of its own: how wide that is, nobody can say.
    fn show_without_font(&mut self, shown: Operand<'_>) -> Result<(), Refusal> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let run = Run::guessed(&self.state.text, &mut pieces(shown), &mut scratch);
        self.scratch = scratch;
        let onto_page = self.text.matrix.then(&self.state.matrix);
        self.text.matrix = run.moved(&self.text.matrix);
        let Some(bounds) = run.guessed_bounds(&self.state.text) else {
            return Ok(());
        };
        let area = onto_page.area(bounds);
        let is_visible = self.draw_text(&area, |interpreter, _| {
            let text = &interpreter.state.text;
            Ok(Ink::Text(run.placed(&onto_page, text)))
        })?;
        if is_visible {
            self.use_font(self.state.text.font);
        }
        Ok(())
    }

    fn draw_text(
        &mut self,
        area: &Area,
        ink: impl FnOnce(&mut Self, &Area) -> Result<Ink, Refusal>,
    ) -> Result<bool, Refusal> {
        let mode = self.state.text.mode;
        if mode.clips() {
            let before = self.text.clip;
            self.text.clip = Some(before.map_or(*area, |before| union(&before, area)));
        }
        let fill = mode.fills().then_some(&self.state.fill);
        let stroke = mode.strokes().then_some(&self.state.stroke);
        let paint: Paint = both(
            fill.map(|fill| fill.paint),
            stroke.map(|stroke| stroke.paint),
        );
        let alpha = match (fill, stroke) {
            (Some(_), Some(_)) => self.state.fill_alpha.max(self.state.stroke_alpha),
            (None, Some(_)) => self.state.stroke_alpha,
            _ => self.state.fill_alpha,
        };
        self.draw(area, paint, alpha, ink)
    }

    fn use_font(&mut self, at: Option<usize>) {
        let Some(font) = at.and_then(|at| self.fonts.get_mut(at)) else {
            return;
        };
        if !font.was_used {
            font.was_used = true;
            if !self.found.fonts.contains(&font.usage) {
                self.found.fonts.push(font.usage.clone());
            }
        }
    }

    /// The characters, if they are asked for there, and whether all could be read. One that could
    /// not is U+FFFD.
    fn text_within(
        &mut self,
        area: &Area,
        font: &Font,
        shown: Operand<'_>,
    ) -> Result<(Option<String>, bool), Refusal> {
        let asked = self.wants.text_in;
        if !asked.is_some_and(|asked| asked.overlaps(area)) {
            return Ok((None, false));
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut text = ReadText::default();
        for piece in pieces(shown) {
            match piece {
                Operand::Number(gap) if (gap / 1000.0).abs() > SPACE => text.put_gap(),
                Operand::Text(string) => {
                    for shown in font.codes(bytes_of(string, &mut scratch)) {
                        text.put(font.text(self.source.objects, shown.code));
                    }
                }
                _ => {}
            }
        }
        self.scratch = scratch;
        self.source.spend(text.characters.len())?;
        Ok(text.finished())
    }
}

/// The strings and gaps of an array, or the one string.
fn pieces(shown: Operand<'_>) -> impl Iterator<Item = Operand<'_>> {
    let (one, array) = match shown {
        Operand::Array(array) => (None, array),
        other => (Some(other), &b""[..]),
    };
    let mut reader = Reader::new(array);
    let mut one = one;
    std::iter::from_fn(move || one.take().or_else(|| reader.next_element()))
}

#[derive(Default)]
struct ReadText {
    characters: String,
    was_any_read: bool,
    lacks_any: bool,
}

impl ReadText {
    fn put_gap(&mut self) {
        if !self.characters.is_empty() && !self.characters.ends_with(' ') {
            self.characters.push(' ');
        }
    }

    fn put(&mut self, glyph: Option<crate::pdf::font::GlyphText<'_>>) {
        match glyph {
            _ if self.characters.len() > MOST_TEXT => self.lacks_any = true,
            Some(glyph) => {
                glyph.put(&mut self.characters);
                self.was_any_read = true;
            }
            None => {
                self.characters.push(char::REPLACEMENT_CHARACTER);
                self.lacks_any = true;
            }
        }
    }

    fn finished(self) -> (Option<String>, bool) {
        let text = self.was_any_read.then_some(self.characters);
        (text, self.was_any_read && !self.lacks_any)
    }
}

impl super::run::Run {
    /// Where the text stands, without its characters.
    fn placed(&self, onto_page: &Matrix, text: &super::state::TextState) -> ShownText {
        let (x, y) = self.origin(text);
        let across = onto_page.a * text.size.signum() * text.scale.signum();
        let fall = onto_page.b.abs();
        let up = onto_page.d * text.size.signum();
        ShownText {
            text: None,
            was_read: false,
            baseline_mm: onto_page.point(x, y).1,
            size_mm: text.size.abs() * onto_page.c.hypot(onto_page.d),
            is_level: !self.is_vertical && fall <= LEVEL * across && across > 0.0 && up < 0.0,
        }
    }
}
