//! What a page draws: where, in what paint, with which fonts (ISO 32000-1, 7.8, 8 and 9).
//!
//! Nothing is drawn: operators are gone through as a reader would, and boxes are kept of what they
//! put into the areas that are asked for. Glyphs, pixels and the colours of shadings are not looked
//! at; text has the box of its font's ascent, descent and widths.

mod area;
mod found;
mod wants;

mod inline_image;
mod operands;
mod reader;
mod shown_bytes;

mod colour;
mod matrix;
mod path;
mod state;

mod colour_space;
mod external;
mod own_content;
mod parameters;
mod pattern;
mod resources;
mod source;

mod annotated;
mod colouring;
mod interpreter;
mod marks;
mod painting;
mod run;
mod showing;

pub use area::Area;
pub use found::{Drawn, FontUse, Ink, PageContent, Paint, ShownText};
pub(super) use source::Shared;
pub use wants::{ContentLimits, ContentWants};

use super::annotations::Annotations;
use super::dictionary::Dictionary;
use super::{Document, Refusal};
use interpreter::Interpreter;
use matrix::Matrix;
use own_content::OwnContent;
use resources::Resources;
use source::Source;

impl Document<'_> {
    /// What the page of that number, from 1, draws in print. Errors in content are passed over, as
    /// readers do; what cannot be read is told in [`PageContent::unread`]. Past one of the limits it is a
    /// [`Refusal::Limit`].
    pub fn content(&self, page: u32, wants: &ContentWants<'_>) -> Result<PageContent, Refusal> {
        let file = self.file();
        let page = file.page(page)?;
        let geometry = page.geometry(&file.objects)?;
        let annotations = Annotations::of(file, &page, geometry.rotate)?;
        let source = Source::of(file, wants.limits);
        let own = OwnContent::read(&source, &page)?;
        let is_balanced = own.is_balanced()?;
        let resources = match page.resources {
            Some(resources) => Dictionary::of(source.object(resources)?.value),
            None => None,
        };
        let resources = Resources::new(resources);
        let onto = Matrix::onto(geometry.visible, geometry.rotate, geometry.user_unit);
        let seen = Area::at(0.0, 0.0, geometry.width_mm(), geometry.height_mm());
        let interpreter = Interpreter::new(source, wants, (onto, seen), resources);
        let found = interpreter.read_page(&own.bytes, &annotations.drawn)?;
        let unread = own.unread.or(found.unread);
        Ok(PageContent {
            is_balanced,
            is_blank: found.is_blank && unread.is_none(),
            unread,
            ..found
        })
    }
}
