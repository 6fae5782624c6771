//! Goes through content, operator by operator (ISO 32000-1, 8 and 9).

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::colour::stronger;
use super::external::{External, Form};
use super::marks::Marks;
use super::matrix::Matrix;
use super::operands::Operands;
use super::path::Path;
use super::reader::Reader;
use super::resources::Resources;
use super::showing::TextObject;
use super::source::Source;
use super::state::State;
use super::{Area, ContentWants, Drawn, FontUse, Ink, PageContent, Paint};
use crate::pdf::Refusal;
use crate::pdf::annotations;
use crate::pdf::font::Font;

/// What is known while a page is gone through.
pub(super) struct Interpreter<'s, 'w> {
    pub(super) source: Source<'s>,
    pub(super) wants: &'w ContentWants<'w>,
    pub(super) found: PageContent,
    pub(super) state: State,
    states: Vec<State>,
    /// How many of the states were saved by what drew this form.
    floor: usize,
    pub(super) path: Path,
    /// `W` was read: the path clips once it is painted.
    pub(super) path_clips: bool,
    pub(super) text: TextObject,
    pub(super) fonts: Vec<PageFont>,
    /// Which of them an object is.
    pub(super) font_numbers: HashMap<u32, usize>,
    pub(super) resources: Rc<Resources<'s>>,
    /// Forms and pictures by object number.
    pub(super) externals: HashMap<u32, External<'s>>,
    /// The forms that are being drawn, each by the one before it.
    forms: Vec<Option<u32>>,
    pub(super) marks: Marks,
    /// The strongest paint of a pattern whose content is looked at, but not drawn.
    probe: Option<Paint>,
    pub(super) scratch: Vec<u8>,
}

/// A font that was named, perhaps to no use.
pub(super) struct PageFont {
    /// `None`: it is missing, or cannot be read.
    pub(super) font: Option<Arc<Font>>,
    pub(super) usage: FontUse,
    pub(super) was_used: bool,
}

/// Graphics states saved at a time. The standard once promised 28.
const MOST_STATES: usize = 10_000;

/// Whatever the limits say: forms within forms are calls within calls.
const MOST_DEPTH: u32 = 64;

/// What it costs to draw a form, however small, in bytes of content.
const FORM: usize = 256;

impl<'s, 'w> Interpreter<'s, 'w> {
    /// `matrix` leads from the page's user space to the page as seen, which is `page`.
    pub(super) fn new(
        source: Source<'s>,
        wants: &'w ContentWants<'w>,
        (matrix, page): (Matrix, Area),
        resources: Rc<Resources<'s>>,
    ) -> Self {
        Self {
            source,
            wants,
            found: PageContent {
                drawn: Vec::new(),
                fonts: Vec::new(),
                has_colour: false,
                has_transparency: false,
                is_balanced: false,
                is_blank: true,
                unread: None,
            },
            state: State::new(matrix, page),
            states: Vec::new(),
            floor: 0,
            path: Path::default(),
            path_clips: false,
            text: TextObject::default(),
            fonts: Vec::new(),
            font_numbers: HashMap::new(),
            resources,
            externals: HashMap::new(),
            forms: Vec::new(),
            marks: Marks::default(),
            probe: None,
            scratch: Vec::new(),
        }
    }

    /// Goes through the page's own content, and what is drawn after it.
    pub(super) fn read_page(
        mut self,
        own: &[u8],
        after: &[annotations::Drawn],
    ) -> Result<PageContent, Refusal> {
        let page = self.state;
        self.run(own)?;
        for drawn in after {
            self.begin_anew(page);
            self.draw_annotation(drawn)?;
        }
        Ok(self.found)
    }

    /// Whatever was left open ends here.
    fn begin_anew(&mut self, state: State) {
        self.state = state;
        self.states.clear();
        self.path = Path::default();
        self.path_clips = false;
        self.text = TextObject::default();
        self.marks = Marks::default();
    }

    pub(super) fn run(&mut self, content: &[u8]) -> Result<(), Refusal> {
        let mut reader = Reader::new(content);
        let mut operands = Operands::new();
        while let Some(operator) = reader.next(&mut operands) {
            self.source.spend_operators(1)?;
            match operator {
                b"BI" => match reader.inline_image() {
                    Some(image) => self.draw_inline_image(&image)?,
                    None => break,
                },
                _ => self.perform(operator, &operands)?,
            }
        }
        Ok(())
    }

    /// What is unknown, and what lacks operands, is passed over.
    fn perform(&mut self, operator: &[u8], operands: &Operands<'_>) -> Result<(), Refusal> {
        if self.build_path(operator, operands)
            || self.set_text(operator, operands)
            || self.set_colour(operator, operands)
            || self.mark(operator)
        {
            return Ok(());
        }
        match operator {
            b"q" => return self.save(),
            b"Q" => self.restore(),
            b"cm" => {
                if let Some(matrix) = operands.numbers() {
                    self.state.matrix = Matrix::of(matrix).then(&self.state.matrix);
                }
            }
            b"w" => {
                if let Some(width) = operands.number() {
                    self.state.line_width = width;
                }
            }
            b"gs" => return self.set_parameters(operands),
            b"BDC" => return self.mark_with_properties(operands),
            b"Do" => return self.draw_external(operands),
            b"sh" => return self.draw_shading(operands),
            b"cs" | b"CS" | b"scn" | b"SCN" | b"sc" | b"SC" => {
                return self.set_colour_by_name(operator, operands);
            }
            _ if self.paint_path(operator)? => {}
            _ => return self.show_text(operator, operands),
        }
        Ok(())
    }

    fn save(&mut self) -> Result<(), Refusal> {
        if self.states.len() >= MOST_STATES {
            return Err(Refusal::Limit {
                what: "graphics states saved at a time",
            });
        }
        self.states.push(self.state);
        Ok(())
    }

    fn restore(&mut self) {
        if self.states.len() > self.floor {
            self.state = self.states.pop().unwrap_or(self.state);
        }
    }

    /// Draws a form in the coordinates that are set. One that draws itself is left out.
    pub(super) fn draw_form(&mut self, form: &Form<'s>) -> Result<(), Refusal> {
        if form.number.is_some() && self.forms.contains(&form.number) {
            return Ok(());
        }
        let most = self.wants.limits.max_form_depth.min(MOST_DEPTH);
        if self.forms.len() >= most as usize {
            return Err(Refusal::Limit {
                what: "forms drawn by forms",
            });
        }
        self.source.spend(form.bytes.len().saturating_add(FORM))?;
        let state = self.state;
        self.state.matrix = form.matrix.then(&state.matrix);
        if let Some(bounds) = form.bounds {
            let bounds = self.state.matrix.area(bounds);
            self.state.clip_to(Some(bounds));
        }
        if self.state.clip.is_some() {
            self.run_form(form)?;
        }
        self.state = state;
        Ok(())
    }

    fn run_form(&mut self, form: &Form<'s>) -> Result<(), Refusal> {
        let resources = Rc::clone(form.resources.as_ref().unwrap_or(&self.resources));
        let resources = std::mem::replace(&mut self.resources, resources);
        let floor = std::mem::replace(&mut self.floor, self.states.len());
        let path = std::mem::take(&mut self.path);
        let path_clips = std::mem::take(&mut self.path_clips);
        let text = std::mem::take(&mut self.text);
        let marks = std::mem::take(&mut self.marks);
        self.forms.push(form.number);
        let run = self.run(&form.bytes);
        self.forms.pop();
        self.marks = marks;
        self.text = text;
        self.path_clips = path_clips;
        self.path = path;
        self.states.truncate(self.floor);
        self.floor = floor;
        self.resources = resources;
        run
    }

    /// What a form's content looks like, without it being drawn.
    pub(super) fn looks_of(&mut self, form: &Form<'s>) -> Result<Paint, Refusal> {
        let outer = self.probe.replace(Paint::Invisible);
        let state = self.state;
        let anywhere = Area::at(-1e9, -1e9, 2e9, 2e9);
        self.state = State::new(Matrix::IDENTITY, anywhere);
        let drawn = self.draw_form(form);
        self.state = state;
        let looks = std::mem::replace(&mut self.probe, outer);
        drawn?;
        Ok(looks.unwrap_or(Paint::Invisible))
    }

    /// Takes note of something that is drawn. Answers whether any of it can be seen.
    pub(super) fn draw(
        &mut self,
        area: &Area,
        paint: Paint,
        alpha: f64,
        ink: impl FnOnce(&mut Self, &Area) -> Result<Ink, Refusal>,
    ) -> Result<bool, Refusal> {
        let shown = self.state.shown(area).filter(|_| !self.marks.hide());
        let Some(shown) = shown else {
            return Ok(false);
        };
        let paint = if alpha > 0.0 { paint } else { Paint::Invisible };
        let is_visible = paint != Paint::Invisible;
        if is_visible {
            self.note(paint, alpha);
        }
        if self.probe.is_none() && self.is_wanted(&shown) {
            if self.found.drawn.len() >= self.wants.limits.max_kept {
                return Err(Refusal::Limit {
                    what: "things drawn in the areas of a page that are looked at",
                });
            }
            let ink = ink(self, &shown)?;
            let area = shown;
            self.found.drawn.push(Drawn { area, ink, paint });
        }
        Ok(is_visible)
    }

    fn note(&mut self, paint: Paint, alpha: f64) {
        if let Some(strongest) = &mut self.probe {
            *strongest = stronger(*strongest, paint);
            return;
        }
        self.found.has_colour |= paint == Paint::Colour;
        self.found.is_blank &= paint == Paint::White;
        self.found.has_transparency |= alpha < 1.0 || self.state.blends || self.state.has_soft_mask;
    }

    fn is_wanted(&self, shown: &Area) -> bool {
        self.wants.areas.iter().any(|area| area.overlaps(shown))
    }

    /// What cannot be read is told, and left out.
    pub(super) fn tolerated<T>(
        &mut self,
        read: Result<Option<T>, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        match read {
            Err(Refusal::Unreadable { what }) => {
                self.found.unread.get_or_insert(what);
                Ok(None)
            }
            read => read,
        }
    }
}
