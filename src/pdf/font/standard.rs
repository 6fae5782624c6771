//! The standard 14 fonts, which readers have (ISO 32000-1, 9.6.2.2).

use super::descriptor::Descriptor;
use super::encoding::Encoding;
use super::metrics::{self, Metrics};
use super::widths::{CodeWidths, THOUSANDTH, share};

/// One of them, as far as they differ here: oblique Helvetica is as upright, and all of Courier alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standard {
    Helvetica,
    HelveticaBold,
    TimesRoman,
    TimesBold,
    TimesItalic,
    TimesBoldItalic,
    Courier,
    Symbol,
    ZapfDingbats,
}

/// The font of that name, or of one of the names that stand for it in practice (`Arial,Bold`,
/// `TimesNewRomanPS-BoldMT`).
pub(super) fn named(name: &str) -> Option<Standard> {
    let (family, style) = name.split_once(['-', ',']).unwrap_or((name, ""));
    let (bold, slanted) = match style.strip_suffix("MT").unwrap_or(style) {
        "" | "Roman" | "Regular" => (false, false),
        "Bold" => (true, false),
        "Italic" | "Oblique" => (false, true),
        "BoldItalic" | "BoldOblique" => (true, true),
        _ => return None,
    };
    match family.replace(' ', "").as_str() {
        "Helvetica" | "Arial" | "ArialMT" if bold => Some(Standard::HelveticaBold),
        "Helvetica" | "Arial" | "ArialMT" => Some(Standard::Helvetica),
        "Times" | "TimesNewRoman" | "TimesNewRomanPS" | "TimesNewRomanPSMT" => {
            Some(match (bold, slanted) {
                (false, false) => Standard::TimesRoman,
                (true, false) => Standard::TimesBold,
                (false, true) => Standard::TimesItalic,
                (true, true) => Standard::TimesBoldItalic,
            })
        }
        "Courier" | "CourierNew" | "CourierNewPS" | "CourierNewPSMT" => Some(Standard::Courier),
        "Symbol" | "SymbolMT" => Some(Standard::Symbol),
        "ZapfDingbats" => Some(Standard::ZapfDingbats),
        _ => None,
    }
}

/// What readers set instead of a font that is neither embedded nor known.
pub(super) fn instead_of(name: &str, descriptor: &Descriptor) -> Standard {
    let bold = name.contains("Bold");
    match (descriptor.is_fixed_pitch(), descriptor.is_serif()) {
        (true, _) => Standard::Courier,
        (false, true) if bold => Standard::TimesBold,
        (false, true) => Standard::TimesRoman,
        (false, false) if bold => Standard::HelveticaBold,
        (false, false) => Standard::Helvetica,
    }
}

impl Standard {
    /// Above and below the baseline, as shares of the font's size.
    pub(super) fn heights(self) -> (f64, f64) {
        match self {
            Self::Helvetica | Self::HelveticaBold => (0.718, -0.207),
            Self::Courier => (0.629, -0.157),
            Self::TimesRoman | Self::TimesBold | Self::TimesItalic | Self::TimesBoldItalic => {
                (0.683, -0.217)
            }
            Self::Symbol | Self::ZapfDingbats => (0.82, -0.2),
        }
    }

    /// Whether its letters are signs, with an encoding of their own.
    pub(super) fn is_symbolic(self) -> bool {
        matches!(self, Self::Symbol | Self::ZapfDingbats)
    }

    /// Of what that encoding says; codes without a letter are as wide as a figure.
    pub(super) fn widths(self, encoding: &Encoding) -> CodeWidths {
        let (metrics, others) = self.metrics();
        let mut widths = [share(f64::from(others), THOUSANDTH); 256];
        for (place, code) in widths.iter_mut().zip(0_u8..=u8::MAX) {
            let Some(character) = encoding.character(code) else {
                continue;
            };
            let group = metrics
                .iter()
                .find(|(_, letters)| letters.contains(character));
            if let Some((width, _)) = group {
                *place = share(f64::from(*width), THOUSANDTH);
            }
        }
        widths
    }

    fn metrics(self) -> (Metrics, u16) {
        match self {
            Self::Helvetica => (metrics::HELVETICA, 556),
            Self::HelveticaBold => (metrics::HELVETICA_BOLD, 556),
            Self::TimesRoman => (metrics::TIMES_ROMAN, 500),
            Self::TimesBold => (metrics::TIMES_BOLD, 500),
            Self::TimesItalic => (metrics::TIMES_ITALIC, 500),
            Self::TimesBoldItalic => (metrics::TIMES_BOLD_ITALIC, 500),
            Self::Courier => (&[], 600),
            // Of their signs, about the mean.
            Self::Symbol => (&[], 550),
            Self::ZapfDingbats => (&[], 760),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::encoding::Base;
    use super::*;

    #[test]
    fn the_fourteen_and_what_stands_for_them_are_known_and_relatives_are_not() {
        for (name, expected) in [
            ("Helvetica", Standard::Helvetica),
            ("Helvetica-BoldOblique", Standard::HelveticaBold),
            ("Times-Roman", Standard::TimesRoman),
            ("Times-BoldItalic", Standard::TimesBoldItalic),
            ("Courier-Oblique", Standard::Courier),
            ("Symbol", Standard::Symbol),
            ("ZapfDingbats", Standard::ZapfDingbats),
            ("ArialMT", Standard::Helvetica),
            ("Arial,Bold", Standard::HelveticaBold),
            ("Arial-BoldItalicMT", Standard::HelveticaBold),
            ("TimesNewRoman,Italic", Standard::TimesItalic),
            ("Times New Roman", Standard::TimesRoman),
            ("TimesNewRomanPS-BoldMT", Standard::TimesBold),
            ("CourierNewPSMT", Standard::Courier),
        ] {
            assert_eq!(named(name), Some(expected), "{name}");
        }
        for name in [
            "",
            "Arial-Black",
            "ArialNarrow",
            "Helvetica-Light",
            "Calibri",
            "Timesheet",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn letters_are_as_wide_as_in_the_public_metrics() {
        let encoding = Encoding::of(Some(Base::WinAnsi));
        let width = |font: Standard, code: u8| font.widths(&encoding)[usize::from(code)];
        for (font, code, expected) in [
            (Standard::Helvetica, b'A', 0.667),
            (Standard::Helvetica, b' ', 0.278),
            (Standard::Helvetica, 0xe4, 0.556),
            (Standard::Helvetica, b'\\', 0.278),
            (Standard::HelveticaBold, b'i', 0.278),
            (Standard::TimesRoman, b'W', 0.944),
            (Standard::TimesBold, b'A', 0.722),
            (Standard::TimesItalic, b'm', 0.722),
            (Standard::TimesBoldItalic, b'm', 0.778),
            (Standard::Courier, b'i', 0.6),
        ] {
            let difference: f32 = width(font, code) - expected;
            assert!(difference.abs() < 1e-6, "{font:?} {code}");
        }
    }

    #[test]
    fn all_letters_of_windows_have_a_width_of_their_own() {
        let encoding = Encoding::of(Some(Base::WinAnsi));
        for font in [
            metrics::HELVETICA,
            metrics::HELVETICA_BOLD,
            metrics::TIMES_ROMAN,
            metrics::TIMES_BOLD,
            metrics::TIMES_ITALIC,
            metrics::TIMES_BOLD_ITALIC,
        ] {
            for character in (0..=u8::MAX).filter_map(|code| encoding.character(code)) {
                let groups = font
                    .iter()
                    .filter(|(_, letters)| letters.contains(character));
                assert_eq!(groups.count(), 1, "{character}");
            }
        }
    }
}
