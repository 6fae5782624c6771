//! What is wanted of a page's content, and how much may be spent on finding it.

use super::Area;

/// What is wanted of a page's content: things outside all `areas` are looked at and not kept.
#[derive(Debug, Clone, Copy)]
pub struct ContentWants<'a> {
    pub areas: &'a [Area],
    /// Text is turned into characters only where it touches this.
    pub text_in: Option<Area>,
    pub limits: &'a ContentLimits,
}

/// Bounds on what one page, and all pages of a file together, may ask for; a page past one of them is
/// refused. No honest letter comes near them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentLimits {
    /// Decoded bytes of a page's content: a form's each time that it is drawn.
    pub max_content_bytes: u64,
    /// The same of all pages of a file that are looked at. In a large file they may come to 256 times
    /// its length.
    pub max_document_bytes: u64,
    /// Operators of a page, those of forms each time that they are drawn.
    pub max_operators: u32,
    /// Forms drawn by forms.
    pub max_form_depth: u32,
    /// Things in the areas that are asked for.
    pub max_kept: usize,
}

impl ContentLimits {
    pub const DEFAULT: Self = Self {
        max_content_bytes: 20 * 1024 * 1024,
        max_document_bytes: 256 * 1024 * 1024,
        max_operators: 4_000_000,
        max_form_depth: 24,
        max_kept: 20_000,
    };
}

impl Default for ContentLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
