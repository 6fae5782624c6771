use std::{io::Cursor, ops::Range};

use png::{BitDepth, ColorType, Decoder, Encoder};

use super::{Error, Size};
use crate::pdf::{Area, PageGeometry};

/// Red, green, blue.
const SAMPLES: usize = 3;

/// Darker than this in any sample is ink; what is lighter, no eye and no press tells from paper.
const LIGHTEST_INK: u8 = 250;

/// A page as pixels, three bytes each, row by row from the upper left.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    size: Size,
    pixels: Vec<u8>,
}

/// How large a page is on paper that a picture shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paper {
    width_mm: f64,
    height_mm: f64,
}

impl Paper {
    pub(super) fn of(page: &PageGeometry) -> Self {
        Self {
            width_mm: page.width_mm(),
            height_mm: page.height_mm(),
        }
    }
}

impl Picture {
    /// `pixels` are filled up with black, or cut, to what the size says.
    pub(super) fn of(size: Size, mut pixels: Vec<u8>) -> Self {
        let samples = usize::from(size.width) * usize::from(size.height) * SAMPLES;
        pixels.resize(samples, 0);
        Self { size, pixels }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Red, green and blue of a pixel; black outside.
    pub fn pixel(&self, x: u16, y: u16) -> [u8; 3] {
        let at = usize::from(y) * usize::from(self.size.width) + usize::from(x);
        let pixels = self.pixels.as_chunks().0;
        let inside = x < self.size.width;
        pixels
            .get(at)
            .filter(|_| inside)
            .copied()
            .unwrap_or_default()
    }

    /// Reads a PNG of that size.
    ///
    /// # Errors
    ///
    /// [`Error::Decode`] for what is no PNG, [`Error::OtherPicture`] for one of another size; nothing
    /// larger is unpacked.
    pub fn read(png: &[u8], size: Size) -> Result<Self, Error> {
        let mut reader = Decoder::new(Cursor::new(png))
            .read_info()
            .map_err(Error::Decode)?;
        let info = reader.info();
        let is_ours = (info.color_type, info.bit_depth) == (ColorType::Rgb, BitDepth::Eight);
        let is_as_large =
            (info.width, info.height) == (u32::from(size.width), u32::from(size.height));
        if !is_ours || !is_as_large {
            return Err(Error::OtherPicture { wanted: size });
        }
        let mut picture = Self::of(size, Vec::new());
        let read = reader.next_frame(&mut picture.pixels);
        read.map_err(Error::Decode)?;
        Ok(picture)
    }

    pub fn png(&self) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, self.size.width.into(), self.size.height.into());
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        let mut writer = encoder.write_header().map_err(Error::Encode)?;
        writer
            .write_image_data(&self.pixels)
            .and_then(|()| writer.finish())
            .map_err(Error::Encode)?;
        Ok(out)
    }

    /// Whether nothing is seen there. Pixels that the edge cuts are not looked at.
    pub(super) fn is_white(&self, area: &Area, paper: Paper) -> bool {
        let (columns, rows) = self.inside(area, paper, f64::ceil, f64::floor);
        self.rows(rows).all(|row| {
            let seen = row.get(samples(&columns)).unwrap_or_default();
            seen.iter().all(|sample| *sample >= LIGHTEST_INK)
        })
    }

    /// Lays a colour over an area, half transparent.
    pub(super) fn tint(&mut self, area: &Area, paper: Paper, colour: [u8; SAMPLES]) {
        let (columns, rows) = self.inside(area, paper, f64::floor, f64::ceil);
        self.paint(&columns, &rows, u8::midpoint, colour);
    }

    /// Draws the edge of an area, inwards.
    pub(super) fn outline(&mut self, area: &Area, paper: Paper, colour: [u8; SAMPLES]) {
        let (columns, rows) = self.inside(area, paper, f64::floor, f64::ceil);
        let width = self.line_width(paper);
        let left = columns.start..columns.end.min(columns.start + width);
        let right = columns.start.max(columns.end.saturating_sub(width))..columns.end;
        let top = rows.start..rows.end.min(rows.start + width);
        let bottom = rows.start.max(rows.end.saturating_sub(width))..rows.end;
        for (columns, rows) in [
            (&left, &rows),
            (&right, &rows),
            (&columns, &top),
            (&columns, &bottom),
        ] {
            self.paint(columns, rows, |_, over| over, colour);
        }
    }

    /// 0.4 mm, and two pixels at least.
    fn line_width(&self, paper: Paper) -> usize {
        let pixels = 0.4 * f64::from(self.size.width) / paper.width_mm;
        pixel(pixels.round()).max(2)
    }

    fn paint(
        &mut self,
        columns: &Range<usize>,
        rows: &Range<usize>,
        mix: fn(u8, u8) -> u8,
        colour: [u8; SAMPLES],
    ) {
        let stride = usize::from(self.size.width) * SAMPLES;
        let rows_of_page = self.pixels.chunks_exact_mut(stride.max(1));
        for row in rows_of_page.skip(rows.start).take(rows.len()) {
            let painted = row.get_mut(samples(columns)).unwrap_or_default();
            for (sample, over) in painted.iter_mut().zip(colour.iter().cycle()) {
                *sample = mix(*sample, *over);
            }
        }
    }

    fn rows(&self, rows: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let stride = usize::from(self.size.width) * SAMPLES;
        let all = self.pixels.chunks_exact(stride.max(1));
        all.skip(rows.start).take(rows.len())
    }

    /// Columns and rows of an area, as far as it is on the page.
    fn inside(
        &self,
        area: &Area,
        paper: Paper,
        first: fn(f64) -> f64,
        last: fn(f64) -> f64,
    ) -> (Range<usize>, Range<usize>) {
        let across = f64::from(self.size.width) / paper.width_mm;
        let down = f64::from(self.size.height) / paper.height_mm;
        let range = |from: f64, to: f64, most: u16| {
            let most = usize::from(most);
            let from = pixel(first(from)).min(most);
            from..pixel(last(to)).clamp(from, most)
        };
        (
            range(
                area.left_mm * across,
                area.right_mm * across,
                self.size.width,
            ),
            range(area.top_mm * down, area.bottom_mm * down, self.size.height),
        )
    }
}

/// Positions of the samples of some columns in their row.
fn samples(columns: &Range<usize>) -> Range<usize> {
    columns.start * SAMPLES..columns.end * SAMPLES
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole by then; a cast of a float saturates, and nothing is left of the page"
)]
fn pixel(position: f64) -> usize {
    position as usize
}
