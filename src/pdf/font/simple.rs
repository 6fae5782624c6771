//! Fonts whose codes are bytes (ISO 32000-1, 9.6).

use std::sync::OnceLock;

use super::ShownCode;
use super::descriptor::Descriptor;
use super::encoding::{Base, Encoding, Implied};
use super::glyph_text::GlyphText;
use super::standard::{self, Standard};
use super::widths::{self, CodeWidths, THOUSANDTH};
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, name};
use crate::pdf::objects::Objects;

pub(super) struct SimpleFont {
    widths: CodeWidths,
    /// The value of `/Encoding` as it stands.
    encoding: Option<Box<[u8]>>,
    implied: Implied,
    texts: OnceLock<Encoding>,
}

impl SimpleFont {
    pub(super) fn read(
        objects: &Objects<'_>,
        font: Dictionary<'_>,
        base_name: &str,
        descriptor: &Descriptor,
    ) -> Result<Self, Refusal> {
        let standard = standard::named(base_name);
        let subtype = objects.get(font, b"Subtype")?.and_then(name);
        let is_true_type = subtype.is_some_and(|subtype| *subtype == *b"TrueType");
        let encoding = font.get(b"Encoding");
        let implied = Implied {
            program: descriptor.type1_program,
            base: implied_base(descriptor, standard, is_true_type),
        };
        let stated = widths::simple(objects, font, descriptor.missing_width, THOUSANDTH)?;
        let widths = if let Some(widths) = stated {
            widths
        } else {
            let stand_in = || standard::instead_of(base_name, descriptor);
            let standard = standard.unwrap_or_else(stand_in);
            standard.widths(&Encoding::read(objects, encoding, &implied)?)
        };
        Ok(Self {
            widths,
            encoding: encoding.map(Box::from),
            implied,
            texts: OnceLock::new(),
        })
    }

    /// Their widths are in the units of their glyphs, and nothing is implied of their codes.
    pub(super) fn of_type3(
        objects: &Objects<'_>,
        font: Dictionary<'_>,
        scale: f64,
    ) -> Result<Self, Refusal> {
        let widths = widths::simple(objects, font, 0.0, scale)?;
        Ok(Self {
            widths: widths.unwrap_or([0.0; 256]),
            encoding: font.get(b"Encoding").map(Box::from),
            implied: Implied {
                program: None,
                base: None,
            },
            texts: OnceLock::new(),
        })
    }

    pub(super) fn shown(&self, code: u8) -> ShownCode {
        let width = self.widths.get(usize::from(code));
        ShownCode {
            code: u32::from(code),
            advance: f64::from(width.copied().unwrap_or(0.0)),
            is_single_space: code == b' ',
        }
    }

    pub(super) fn text(&self, objects: &Objects<'_>, code: u8) -> Option<GlyphText<'_>> {
        let read = || Encoding::read(objects, self.encoding.as_deref(), &self.implied);
        let texts = self
            .texts
            .get_or_init(|| read().unwrap_or_else(|_| Encoding::of(None)));
        texts.text(code)
    }
}

/// What codes mean where neither the font nor its program says it (table 114). Those of symbolic fonts
/// cannot be known then.
fn implied_base(
    descriptor: &Descriptor,
    standard: Option<Standard>,
    is_true_type: bool,
) -> Option<Base> {
    let is_latin = match standard {
        Some(standard) if !descriptor.is_embedded => !standard.is_symbolic(),
        _ => descriptor.is_nonsymbolic() || !descriptor.has_flags() && !descriptor.is_embedded,
    };
    let base = if is_true_type {
        Base::Ascii
    } else {
        Base::Standard
    };
    is_latin.then_some(base)
}
