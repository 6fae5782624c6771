//! What a page draws: where, in what paint, with which fonts (ISO 32000-1, 7.8, 8 and 9).

mod area;
mod found;
mod wants;

pub use area::Area;
pub use found::{Drawn, FontUse, Ink, PageContent, Paint, ShownText};
pub use wants::{ContentLimits, ContentWants};

use super::{Document, Refusal};

impl Document<'_> {
    /// What the page of that number, from 1, draws. Errors in content are passed over, as readers do.
    pub fn content(&self, page: u32, wants: &ContentWants<'_>) -> Result<PageContent, Refusal> {
        let _ = wants;
        self.page(page)?;
        Ok(PageContent {
            drawn: Vec::new(),
            fonts: Vec::new(),
            has_colour: false,
            has_transparency: false,
            is_balanced: true,
            is_blank: false,
            unread: Some("content is not read yet"),
        })
    }
}
