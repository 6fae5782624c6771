use super::Error;
use crate::pdf::PageGeometry;

const MM_PER_INCH: f64 = 25.4;

/// Bounds on what is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Of one picture. A4 at 600 dots an inch has 34.8 million.
    pub max_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_pixels: 40_000_000,
        }
    }
}

/// Pixels of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub width: u16,
    pub height: u16,
}

impl Size {
    /// Of a page as it is seen, at so many dots an inch.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`] past the limit.
    pub fn of(page: &PageGeometry, dpi: u16, limits: &Limits) -> Result<Self, Error> {
        let (width_mm, height_mm) = (page.width_mm(), page.height_mm());
        let [width, height] = [width_mm, height_mm].map(|side| dots(side, dpi));
        let pixels = width.saturating_mul(height);
        let sides = (u16::try_from(width), u16::try_from(height));
        match sides {
            (Ok(width), Ok(height)) if pixels <= limits.max_pixels => Ok(Self { width, height }),
            _ => Err(Error::TooLarge {
                width_mm,
                height_mm,
                pixels,
                limit: limits.max_pixels,
            }),
        }
    }

    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// At least one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded; a cast of a float saturates"
)]
fn dots(side_mm: f64, dpi: u16) -> u64 {
    (side_mm / MM_PER_INCH * f64::from(dpi)).round().max(1.0) as u64
}
