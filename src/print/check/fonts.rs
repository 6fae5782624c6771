use crate::{
    domain::Code,
    pdf::{FontUse, PageContent},
};

use super::{AllowedFonts, PageFinding, PageList};

/// Fonts that pages use, that are not in the PDF, and that the print house does not have.
#[derive(Debug, Default)]
pub(super) struct MissingFonts(Vec<(String, PageList)>);

/// Fonts told of one letter; it is refused for the first of them.
const MOST_TOLD: usize = 10;
/// Characters of a name; PostScript names have at most 127 (ISO 32000-1, annex C).
const MOST_CHARS: usize = 127;

impl MissingFonts {
    pub(super) fn add(&mut self, page: u32, content: &PageContent, allowed: &AllowedFonts) {
        for font in content
            .fonts
            .iter()
            .filter(|font| is_missing(font, allowed))
        {
            let name = cleaned(&font.name);
            if let Some((_, pages)) = self.0.iter_mut().find(|(known, _)| *known == name) {
                pages.add(page);
            } else if self.0.len() < MOST_TOLD {
                let mut pages = PageList::default();
                pages.add(page);
                self.0.push((name, pages));
            }
        }
    }

    pub(super) fn findings(&self) -> impl Iterator<Item = PageFinding> {
        self.0.iter().filter_map(|(name, pages)| {
            let detail = match name.as_str() {
                "" => format!("a font without a name is used on {pages} and is not embedded"),
                name => format!("`{name}` is used on {pages} and is not embedded"),
            };
            Some(PageFinding::new(
                Code::FontNotEmbedded,
                pages.first()?,
                detail,
            ))
        })
    }
}

fn is_missing(font: &FontUse, allowed: &AllowedFonts) -> bool {
    let is_at_the_press = allowed.standard_14 && font.is_standard
        || allowed
            .names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(&font.name));
    !font.is_embedded && !font.is_type3 && !is_at_the_press
}

/// The name is the sender's: one line of it, and not too much.
fn cleaned(name: &str) -> String {
    let printable = name.chars().filter(|c| !c.is_control() && *c != '`');
    printable.take(MOST_CHARS).collect()
}
