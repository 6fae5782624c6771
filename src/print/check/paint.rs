use crate::{domain::Code, pdf::PageContent};

use super::{PageFinding, PageList};

/// How pages are painted: what colour costs, and what presses treat in ways of their own.
#[derive(Debug, Default)]
pub(super) struct Paints {
    pub(super) colour_pages: u32,
    transparent: PageList,
}

impl Paints {
    pub(super) fn add(&mut self, page: u32, content: &PageContent) {
        // What cannot be seen may be in colour: grey would lose it.
        self.colour_pages += u32::from(content.has_colour || content.unread.is_some());
        if content.has_transparency {
            self.transparent.add(page);
        }
    }

    pub(super) fn finding(&self) -> Option<PageFinding> {
        let first = self.transparent.first()?;
        let detail = format!("there are transparent parts on {}", self.transparent);
        Some(PageFinding::new(Code::Transparency, first, detail))
    }
}
