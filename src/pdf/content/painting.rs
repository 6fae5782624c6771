//! Paths, pictures, forms and shadings, drawn (ISO 32000-1, 8.5 and 8.7 to 8.10).

use std::rc::Rc;

use super::colour::stronger;
use super::external::{External, Form, Picture, is_kind, number_of};
use super::inline_image::InlineImage;
use super::interpreter::Interpreter;
use super::matrix::Matrix;
use super::operands::Operands;
use super::{Area, Ink, Paint, colour_space};
use crate::pdf::Refusal;
use crate::pdf::dictionary::Dictionary;
use crate::pdf::object::Object;

const UNKNOWN_FILTER: &str = "a form or a pattern has a filter that is not read";

impl<'s> Interpreter<'s, '_> {
    /// Answers whether it is an operator of these.
    pub(super) fn build_path(&mut self, operator: &[u8], operands: &Operands<'_>) -> bool {
        let matrix = &self.state.matrix;
        match operator {
            b"m" => {
                if let Some([x, y]) = operands.numbers() {
                    self.path.move_to(matrix, x, y);
                }
            }
            b"l" => {
                if let Some([x, y]) = operands.numbers() {
                    self.path.line_to(matrix, x, y);
                }
            }
            b"re" => {
                if let Some(rectangle) = operands.numbers() {
                    self.path.rectangle(matrix, rectangle);
                }
            }
            b"c" => {
                if let Some([x1, y1, x2, y2, x3, y3]) = operands.numbers() {
                    let first = Some((x1, y1));
                    self.path.curve_to(matrix, first, (x2, y2), (x3, y3));
                }
            }
            b"v" | b"y" => {
                if let Some([x1, y1, x2, y2]) = operands.numbers() {
                    self.path.curve_to(matrix, None, (x1, y1), (x2, y2));
                }
            }
            b"h" => self.path.close(),
            b"W" | b"W*" => self.path_clips = true,
            _ => return false,
        }
        true
    }

    /// Answers whether it is an operator of these.
    pub(super) fn paint_path(&mut self, operator: &[u8]) -> Result<bool, Refusal> {
        let (fills, strokes) = match operator {
            b"f" | b"F" | b"f*" => (true, false),
            b"S" | b"s" => (false, true),
            b"B" | b"B*" | b"b" | b"b*" => (true, true),
            b"n" => (false, false),
            _ => return Ok(false),
        };
        if matches!(operator, b"s" | b"b" | b"b*") {
            self.path.close();
        }
        let path = std::mem::take(&mut self.path);
        if fills {
            let paint = self.state.fill.paint;
            self.draw_pieces(path.shapes(), paint, self.state.fill_alpha)?;
        }
        if strokes {
            let reach = self.state.matrix.reach(self.state.line_width / 2.0);
            let paint = self.state.stroke.paint;
            let lines: &[Area] = path.lines();
            self.draw_lines(lines, reach, paint)?;
        }
        self.end_path(path);
        Ok(true)
    }

    /// The path is given back for its memory.
    fn end_path(&mut self, mut path: super::path::Path) {
        if std::mem::take(&mut self.path_clips) {
            self.state.clip_to(path.whole());
        }
        path.clear();
        self.path = path;
    }

    fn draw_pieces(&mut self, pieces: &[Area], paint: Paint, alpha: f64) -> Result<(), Refusal> {
        for piece in pieces {
            self.draw(piece, paint, alpha, |_, _| Ok(Ink::Path))?;
        }
        Ok(())
    }

    fn draw_lines(
        &mut self,
        lines: &[Area],
        (across, down): (f64, f64),
        paint: Paint,
    ) -> Result<(), Refusal> {
        for line in lines {
            let line = Area {
                left_mm: line.left_mm - across,
                top_mm: line.top_mm - down,
                right_mm: line.right_mm + across,
                bottom_mm: line.bottom_mm + down,
            };
            self.draw(&line, paint, self.state.stroke_alpha, |_, _| Ok(Ink::Path))?;
        }
        Ok(())
    }

    pub(super) fn draw_shading(&mut self, operands: &Operands<'_>) -> Result<(), Refusal> {
        let (Some(name), Some(clip)) = (operands.name(), self.state.clip) else {
            return Ok(());
        };
        let resources = Rc::clone(&self.resources);
        let source = &self.source;
        let read = |value| colour_space::of_shading(source, value);
        let paint = resources.shadings.get(source, name, read);
        if let Some(paint) = self.tolerated(paint)? {
            let alpha = self.state.fill_alpha;
            self.draw(&clip, paint, alpha, |_, _| Ok(Ink::Shading))?;
        }
        Ok(())
    }

    pub(super) fn draw_external(&mut self, operands: &Operands<'_>) -> Result<(), Refusal> {
        let name = operands.name().filter(|_| !self.marks.hide());
        let Some(name) = name else {
            return Ok(());
        };
        let resources = Rc::clone(&self.resources);
        let external = resources.externals.lookup(&self.source, name);
        let external = match self.tolerated(external)? {
            Some((_, Some(known))) => Some(known),
            Some((value, None)) => {
                let read = self.external(value).map(Some);
                let read = self.tolerated(read)?.unwrap_or(External::Nothing);
                resources.externals.know(name, read.clone());
                Some(read)
            }
            None => None,
        };
        external.map_or(Ok(()), |external| self.draw_object(&external))
    }

    pub(super) fn draw_object(&mut self, external: &External<'s>) -> Result<(), Refusal> {
        match external {
            External::Form(form) => self.draw_form(form),
            External::Picture(picture) => self.draw_picture(*picture),
            External::Nothing => Ok(()),
        }
    }

    fn external(&mut self, value: &'s [u8]) -> Result<External<'s>, Refusal> {
        if let Some(number) = number_of(value) {
            return self.external_of(number);
        }
        let object = self.source.object(value)?;
        self.read_external(None, object)
    }

    /// Each is read once a page, by whatever names it goes.
    pub(super) fn external_of(&mut self, number: u32) -> Result<External<'s>, Refusal> {
        if let Some(known) = self.externals.get(&number) {
            return Ok(known.clone());
        }
        let object = self.source.numbered(number)?;
        let external = self.read_external(Some(number), object)?;
        self.externals.insert(number, external.clone());
        Ok(external)
    }

    fn read_external(
        &mut self,
        number: Option<u32>,
        object: Object<'s>,
    ) -> Result<External<'s>, Refusal> {
        let Some(dictionary) = Dictionary::of(object.value) else {
            return Ok(External::Nothing);
        };
        if is_kind(&self.source, dictionary, b"Form")? {
            return self.form(number, object);
        }
        let is_picture = is_kind(&self.source, dictionary, b"Image")?;
        if !is_picture || self.is_hidden(dictionary)? {
            return Ok(External::Nothing);
        }
        let picture = Picture::read(&self.source, dictionary)?;
        Ok(External::Picture(picture))
    }

    pub(super) fn form(
        &mut self,
        number: Option<u32>,
        stream: Object<'s>,
    ) -> Result<External<'s>, Refusal> {
        let dictionary = Dictionary::of(stream.value).unwrap_or(Dictionary::EMPTY);
        if self.is_hidden(dictionary)? {
            return Ok(External::Nothing);
        }
        let Some(form) = Form::read(&self.source, number, stream)? else {
            self.found.unread.get_or_insert(UNKNOWN_FILTER);
            return Ok(External::Nothing);
        };
        Ok(External::Form(Rc::new(form)))
    }

    fn is_hidden(&self, external: Dictionary<'s>) -> Result<bool, Refusal> {
        match external.get(b"OC") {
            Some(membership) => Ok(!self.source.shows(membership)?),
            None => Ok(false),
        }
    }

    /// A picture fills the unit square (8.9.5).
    fn draw_picture(&mut self, picture: Picture) -> Result<(), Refusal> {
        let area = self.state.matrix.area([0.0, 0.0, 1.0, 1.0]);
        let paint = picture.paint.unwrap_or(self.state.fill.paint);
        let alpha = self.state.fill_alpha;
        let is_visible = self.draw(&area, paint, alpha, |_, _| Ok(Ink::Picture))?;
        self.found.has_transparency |= is_visible && picture.has_soft_mask;
        Ok(())
    }

    pub(super) fn draw_inline_image(&mut self, image: &InlineImage<'_>) -> Result<(), Refusal> {
        let is_stencil = image.get([b"IM", b"ImageMask"]) == Some(b"true");
        let space = image.get([b"CS", b"ColorSpace"]).unwrap_or(b"/G");
        let paint = self.looks_of_inline_space(space)?;
        self.draw_picture(Picture {
            paint: (!is_stencil).then_some(paint),
            has_soft_mask: false,
        })
    }

    fn looks_of_inline_space(&mut self, space: &[u8]) -> Result<Paint, Refusal> {
        let Some(name) = space.strip_prefix(b"/") else {
            return Ok(match space {
                // A palette of greys; what colours another has is not looked at.
                [b'[', ..] if is_palette_of_greys(space) => Paint::Grey,
                _ => Paint::Colour,
            });
        };
        Ok(self.space(name)?.strongest())
    }

    /// The looks of a pattern, whose content is gone through as if it was drawn.
    pub(super) fn looks_of_pattern(&mut self, value: &'s [u8]) -> Result<Paint, Refusal> {
        let object = self.source.object(value)?;
        let Some(dictionary) = Dictionary::of(object.value) else {
            return Ok(Paint::Invisible);
        };
        if let Some(shading) = dictionary.get(b"Shading") {
            return colour_space::of_shading(&self.source, shading);
        }
        let Some(form) = Form::read(&self.source, number_of(value), object)? else {
            self.found.unread.get_or_insert(UNKNOWN_FILTER);
            return Ok(Paint::Colour);
        };
        // Where it lies does not matter, nor how it is turned.
        let matrix = Matrix::IDENTITY;
        self.looks_of(&Form { matrix, ..form })
    }
}

fn is_palette_of_greys(space: &[u8]) -> bool {
    let mut names = crate::pdf::dictionary::elements(space).skip(1);
    matches!(names.next(), Some(b"/G" | b"/DeviceGray"))
}

/// What is filled and stroked looks like the stronger of both.
pub(super) fn both(fill: Option<Paint>, stroke: Option<Paint>) -> Paint {
    let either = fill.into_iter().chain(stroke);
    either.fold(Paint::Invisible, stronger)
}
