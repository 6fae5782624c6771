//! Colours, judged by what they look like on paper (ISO 32000-1, 8.6).

use super::Paint;

/// A colour that is set, with the space that says what its numbers mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Colour {
    pub(super) space: Space,
    pub(super) paint: Paint,
}

/// A colour space, as far as it tells white from grey from colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Grey,
    Rgb,
    Cmyk,
    Lab,
    /// Inks, of which those whose bit is set look black or grey.
    Inks {
        grey: u32,
    },
    /// A separation that never marks paper.
    NoInk,
    /// What the whole palette looks like.
    Indexed(Paint),
    /// What colours of it are is not known here.
    Unknown,
}

/// Nearer than that, eight bits cannot tell two shades apart.
const SHADE: f64 = 1.0 / 512.0;

/// Mixtures of inks that differ by less look grey: black made of four inks among them.
const GREY_INKS: f64 = 0.02;

impl Colour {
    pub(super) const BLACK: Self = Self {
        space: Space::Grey,
        paint: Paint::Grey,
    };

    pub(super) fn new(space: Space, components: &[f64]) -> Self {
        Self {
            space,
            paint: space.paint(components),
        }
    }

    /// The colour that a space begins with (8.6.5.1): black, or full tints.
    pub(super) fn initial(space: Space) -> Self {
        let paint = match space {
            Space::Inks { .. } => space.paint(&[1.0; 32]),
            Space::Indexed(paint) => paint,
            Space::NoInk => Paint::Invisible,
            Space::Unknown => Paint::Colour,
            Space::Grey | Space::Rgb | Space::Cmyk | Space::Lab => Paint::Grey,
        };
        Self { space, paint }
    }
}

impl Space {
    /// What a colour of that many numbers looks like.
    fn paint(self, components: &[f64]) -> Paint {
        match (self, components) {
            (Self::Grey, [grey, ..]) => shade(*grey),
            (Self::Rgb, [red, green, blue, ..]) => rgb([*red, *green, *blue]),
            (Self::Cmyk, [cyan, magenta, yellow, black, ..]) => {
                cmyk([*cyan, *magenta, *yellow], *black)
            }
            (Self::Lab, [light, a, b, ..]) => lab(*light, *a, *b),
            (Self::Inks { grey }, tints) => inks(grey, tints),
            (Self::NoInk, _) => Paint::Invisible,
            (Self::Indexed(paint), _) => paint,
            _ => Paint::Colour,
        }
    }

    /// What pictures and shadings in it may look like at most.
    pub(super) fn strongest(self) -> Paint {
        match self {
            Self::Grey => Paint::Grey,
            Self::Inks { grey } if grey == u32::MAX => Paint::Grey,
            Self::NoInk => Paint::Invisible,
            Self::Indexed(paint) => paint,
            _ => Paint::Colour,
        }
    }
}

/// The stronger of two: what is painted twice looks like that.
pub(super) fn stronger(a: Paint, b: Paint) -> Paint {
    let strength = |paint| match paint {
        Paint::Invisible => 0,
        Paint::White => 1,
        Paint::Grey => 2,
        Paint::Colour => 3,
    };
    if strength(a) < strength(b) { b } else { a }
}

fn shade(grey: f64) -> Paint {
    if grey >= 1.0 - SHADE {
        Paint::White
    } else {
        Paint::Grey
    }
}

fn rgb(components: [f64; 3]) -> Paint {
    let [least, most] = span(components.map(|component| component.clamp(0.0, 1.0)));
    if most - least > 2.0 * SHADE {
        Paint::Colour
    } else {
        shade(least)
    }
}

/// Black over which other inks are printed is black.
fn cmyk(inks: [f64; 3], black: f64) -> Paint {
    let [least, most] = span(inks.map(|ink| ink.clamp(0.0, 1.0)));
    let black = black.clamp(0.0, 1.0);
    if (most - least) * (1.0 - black) > GREY_INKS {
        return Paint::Colour;
    }
    shade(1.0 - most.max(black))
}

fn lab(light: f64, a: f64, b: f64) -> Paint {
    if a.abs() >= 1.0 || b.abs() >= 1.0 {
        return Paint::Colour;
    }
    shade(light / 100.0)
}

fn inks(grey: u32, tints: &[f64]) -> Paint {
    let mut paint = Paint::White;
    for (at, tint) in (0_u32..).zip(tints) {
        let is_grey = grey.checked_shr(at).unwrap_or(0) & 1 == 1;
        if *tint > SHADE {
            let ink = if is_grey { Paint::Grey } else { Paint::Colour };
            paint = stronger(paint, ink);
        }
    }
    paint
}

fn span(values: [f64; 3]) -> [f64; 2] {
    let [a, b, c] = values;
    [a.min(b).min(c), a.max(b).max(c)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paint(space: Space, components: &[f64]) -> Paint {
        Colour::new(space, components).paint
    }

    #[test]
    fn white_is_white_in_every_space() {
        assert_eq!(paint(Space::Grey, &[1.0]), Paint::White);
        assert_eq!(paint(Space::Rgb, &[1.0; 3]), Paint::White);
        assert_eq!(paint(Space::Cmyk, &[0.0; 4]), Paint::White);
        assert_eq!(paint(Space::Lab, &[100.0, 0.0, 0.0]), Paint::White);
        assert_eq!(paint(Space::Inks { grey: 0 }, &[0.0; 2]), Paint::White);
    }

    #[test]
    fn equal_parts_are_grey_and_unequal_ones_are_not() {
        assert_eq!(paint(Space::Rgb, &[0.4; 3]), Paint::Grey);
        assert_eq!(paint(Space::Rgb, &[0.4, 0.4, 0.41]), Paint::Colour);
        assert_eq!(paint(Space::Cmyk, &[0.0, 0.0, 0.0, 0.5]), Paint::Grey);
        assert_eq!(paint(Space::Cmyk, &[0.0, 1.0, 0.0, 0.5]), Paint::Colour);
        assert_eq!(paint(Space::Lab, &[50.0, 20.0, 0.0]), Paint::Colour);
    }

    #[test]
    fn black_made_of_four_inks_is_black() {
        assert_eq!(paint(Space::Cmyk, &[0.75, 0.68, 0.67, 0.9]), Paint::Grey);
        assert_eq!(paint(Space::Cmyk, &[1.0, 0.0, 0.0, 1.0]), Paint::Grey);
    }

    #[test]
    fn an_ink_is_a_colour_unless_it_is_known_to_be_black() {
        let black_first = Space::Inks { grey: 1 };
        assert_eq!(paint(black_first, &[1.0, 0.0]), Paint::Grey);
        assert_eq!(paint(black_first, &[1.0, 0.5]), Paint::Colour);
        assert_eq!(Colour::initial(black_first).paint, Paint::Colour);
        assert_eq!(paint(Space::NoInk, &[1.0]), Paint::Invisible);
    }

    #[test]
    fn what_has_too_few_numbers_is_taken_for_a_colour() {
        assert_eq!(paint(Space::Rgb, &[1.0]), Paint::Colour);
    }
}
