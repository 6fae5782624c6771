use crate::pdf::{Area, ContentLimits};

/// What a page has to be like, for one print house.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckSettings {
    /// How far each side of a page may be from A4.
    pub page_tolerance_mm: f64,
    /// Where the envelope's window shows the recipient's address.
    pub recipient_window: Area,
    /// Where the envelope's window shows the sender's address.
    pub sender_window: Area,
    /// What must stay white besides the place of the mark.
    pub zones: Vec<ReservedZone>,
    pub allowed_fonts: AllowedFonts,
    /// Bounds on the content of one page.
    pub content_limits: ContentLimits,
}

/// A part of the page that the print house keeps for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct ReservedZone {
    /// As findings name it.
    pub name: String,
    pub area: Area,
    pub on: Sides,
}

/// Which pages a zone is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sides {
    /// The first page of a letter, which envelope windows show.
    First,
    /// The front of each sheet.
    #[default]
    Fronts,
    All,
}

/// Fonts that need not be embedded, since the print house has them. None by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllowedFonts {
    /// The standard 14 fonts (ISO 32000-1, 9.6.2.2).
    pub standard_14: bool,
    /// By `/BaseFont`.
    pub names: Vec<String>,
}

impl Default for CheckSettings {
    fn default() -> Self {
        Self {
            page_tolerance_mm: 2.0,
            recipient_window: Area::at(21.0, 55.0, 72.0, 30.0),
            sender_window: Area::at(21.0, 20.0, 59.0, 25.0),
            zones: Vec::new(),
            allowed_fonts: AllowedFonts::default(),
            content_limits: ContentLimits::default(),
        }
    }
}

impl Sides {
    /// Whether a page of a letter, counted from 0, is one of them. A letter begins on a front, also
    /// behind an address page of ours.
    pub fn hold(self, index: u32, duplex: bool) -> bool {
        match self {
            Self::First => index == 0,
            Self::Fronts => !duplex || index.is_multiple_of(2),
            Self::All => true,
        }
    }
}
