//! What a page was found to draw.

use std::fmt;

use super::Area;

/// What a page draws in print: its own content, but for layers that are hidden, and after it the
/// annotations that are made part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PageContent {
    /// In drawing order; only what touches one of the areas asked for.
    pub drawn: Vec<Drawn>,
    /// Every font that something visible was shown with, once.
    pub fonts: Vec<FontUse>,
    /// Anything visible that is not grey; pictures by their colour space.
    pub has_colour: bool,
    /// Soft masks, alpha below 1, or blend modes other than Normal, used by something visible.
    pub has_transparency: bool,
    /// Anything may be drawn after the page's own content streams as they stand: joined, they end all
    /// that they begin, and their operators are known and have what they need. A page of which that
    /// is not so is wrapped by [`super::super::Treatment::may_be_unbalanced`]. Not said of what could not
    /// be read.
    pub is_balanced: bool,
    /// Nothing is seen: nothing was drawn, or only in white.
    pub is_blank: bool,
    /// Why some content could not be looked through. `None`: all of it was.
    pub unread: Option<&'static str>,
}

/// Something that was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Its box, cut to the page and to the box of the clip path.
    pub area: Area,
    pub ink: Ink,
    pub paint: Paint,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Ink {
    /// What one operator showed.
    Text(ShownText),
    Path,
    Picture,
    Shading,
}

/// What one operator showed of a text.
#[derive(Clone, PartialEq)]
pub struct ShownText {
    /// `None`: not asked for, or it cannot be read. Personal data.
    pub text: Option<String>,
    /// Whether it was asked for and every character of it could be read.
    pub was_read: bool,
    /// From the top of the page to where the text begins on its baseline.
    pub baseline_mm: f64,
    /// The font's size as it comes out on the page.
    pub size_mm: f64,
    /// It runs from left to right on the page as seen.
    pub is_level: bool,
}

impl fmt::Debug for ShownText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ShownText")
            .field("text", &self.text.as_ref().map(|_| "[hidden]"))
            .field("was_read", &self.was_read)
            .field("baseline_mm", &self.baseline_mm)
            .field("size_mm", &self.size_mm)
            .field("is_level", &self.is_level)
            .finish()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Text that is neither filled nor stroked, as of a scan that was read.
    Invisible,
    White,
    /// Black among them.
    Grey,
    Colour,
}

/// A font that something was shown with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FontUse {
    /// Its `/BaseFont`, without the `ABCDEF+` of a subset.
    pub name: String,
    pub is_embedded: bool,
    pub is_type3: bool,
    /// One of the standard 14, by its name.
    pub is_standard: bool,
}
