use std::fmt::Write;

use datamatrix::{
    DataMatrixBuilder, SymbolSize,
    data::{DataEncodingError, EncodationType},
};

/// Dark and light pixels, drawn as one image mask. At most 64 pixels wide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mask {
    pub(super) width: u32,
    /// From the top; the leftmost pixel is the highest of the lower `width` bits.
    pub(super) rows: Vec<u64>,
}

/// Pixels of a character, and of the gap to its right.
const CHAR_WIDTH: u32 = 3;
const CHAR_GAP: u32 = 1;
/// Pixels between two lines.
const LINE_GAP: usize = 2;

impl Mask {
    /// Modules on a side of the symbol.
    pub(super) const SYMBOL_MODULES: u32 = 16;

    /// A DataMatrix ECC 200 of 16 × 16 modules, one pixel each, without its quiet zone.
    pub(super) fn symbol(digits: &str) -> Result<Self, DataEncodingError> {
        let symbol = DataMatrixBuilder::new()
            .with_encodation_types(EncodationType::Ascii)
            .with_symbol_list(SymbolSize::Square16)
            .encode(digits.as_bytes())?;
        let bitmap = symbol.bitmap();
        let row_of = |modules: &[bool]| {
            let pixels = modules.iter().map(|&dark| u64::from(dark));
            pixels.fold(0, |row, pixel| row << 1 | pixel)
        };
        Ok(Self {
            width: Self::SYMBOL_MODULES,
            rows: bitmap.bits().chunks(bitmap.width()).map(row_of).collect(),
        })
    }

    /// Lines of text of at most 16 characters each: a mark brings its own letters along, since it
    /// may not rely on any font of the page.
    pub(super) fn text(lines: &[&str]) -> Self {
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let longest = u32::try_from(longest).unwrap_or(u32::MAX);
        let width = (longest.saturating_mul(CHAR_WIDTH + CHAR_GAP)).clamp(1, 64);
        let mut rows = Vec::new();
        for line in lines {
            if !rows.is_empty() {
                rows.extend([0; LINE_GAP]);
            }
            rows.extend(line_rows(line, width));
        }
        Self { width, rows }
    }

    pub(super) fn height(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// The rows in hexadecimal, each filled up to whole bytes on its right.
    pub(super) fn hex(&self) -> String {
        let bytes = self.width.div_ceil(8);
        let filler = bytes * 8 - self.width;
        let digits = usize::try_from(bytes * 2).unwrap_or(0);
        self.rows.iter().fold(String::new(), |mut hex, row| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{:0digits$x}", row << filler);
            hex
        })
    }
}

fn line_rows(line: &str, width: u32) -> [u64; 5] {
    let mut rows = [0; 5];
    let mut left = width;
    for c in line.chars() {
        left = left.saturating_sub(CHAR_WIDTH);
        for (row, pixels) in rows.iter_mut().zip(pixels_of(c)) {
            *row |= u64::from(pixels) << left;
        }
        left = left.saturating_sub(CHAR_GAP);
    }
    rows
}

/// Five rows of three pixels.
fn pixels_of(c: char) -> [u8; 5] {
    match c {
        '0' => [0b111, 0b101, 0b101, 0b101, 0b111],
        '1' => [0b010, 0b110, 0b010, 0b010, 0b111],
        '2' => [0b111, 0b001, 0b111, 0b100, 0b111],
        '3' => [0b111, 0b001, 0b111, 0b001, 0b111],
        '4' => [0b101, 0b101, 0b111, 0b001, 0b001],
        '5' => [0b111, 0b100, 0b111, 0b001, 0b111],
        '6' => [0b111, 0b100, 0b111, 0b101, 0b111],
        '7' => [0b111, 0b001, 0b001, 0b010, 0b010],
        '8' => [0b111, 0b101, 0b111, 0b101, 0b111],
        '9' => [0b111, 0b101, 0b111, 0b001, 0b111],
        '-' => [0b000, 0b000, 0b111, 0b000, 0b000],
        '/' => [0b001, 0b001, 0b010, 0b100, 0b100],
        'E' => [0b111, 0b100, 0b110, 0b100, 0b111],
        'S' => [0b011, 0b100, 0b010, 0b001, 0b110],
        'T' => [0b111, 0b010, 0b010, 0b010, 0b010],
        _ => [0; 5],
    }
}

#[cfg(test)]
mod tests {
    use datamatrix::DataMatrix;

    use super::*;

    fn picture(mask: &Mask) -> String {
        let pixel = |row: u64, at: u32| if row >> at & 1 == 1 { '#' } else { '.' };
        let line = |&row: &u64| (0..mask.width).rev().map(|at| pixel(row, at)).collect();
        mask.rows
            .iter()
            .map(line)
            .collect::<Vec<String>>()
            .join("\n")
    }

    #[test]
    fn text_is_drawn_in_pixels() {
        insta::assert_snapshot!(picture(&Mask::text(&["31-12", "1/3"])), @r#"
        ###..#.......#..###.
        ..#.##......##....#.
        ###..#..###..#..###.
        ..#..#.......#..#...
        ###.###.....###.###.
        ....................
        ....................
        .#....#.###.........
        ##....#...#.........
        .#...#..###.........
        .#..#.....#.........
        ###.#...###.........
        "#);
        insta::assert_snapshot!(picture(&Mask::text(&["TEST"])), @r#"
        ###.###..##.###.
        .#..#...#....#..
        .#..##...#...#..
        .#..#.....#..#..
        .#..###.##...#..
        "#);
        insta::assert_snapshot!(picture(&Mask::text(&["0456789"])), @r#"
        ###.#.#.###.###.###.###.###.
        #.#.#.#.#...#.....#.#.#.#.#.
        #.#.###.###.###...#.###.###.
        #.#...#...#.#.#..#..#.#...#.
        ###...#.###.###..#..###.###.
        "#);
    }

    #[test]
    fn the_longest_line_of_a_mark_fits() {
        let mask = Mask::text(&["999999999-999999"]);
        assert_eq!(mask.width, 64);
        assert_eq!(mask.rows[0] >> 61, 0b111);
    }

    #[test]
    fn hexadecimal_rows_are_whole_bytes() {
        let mask = Mask {
            width: 9,
            rows: vec![0b1_0000_0001, 0b0_0000_0001],
        };
        assert_eq!(mask.hex(), "80800080");
    }

    #[test]
    fn a_symbol_decodes_to_its_digits() {
        for digits in ["100000003100001200100344", &"9".repeat(24)] {
            let symbol = Mask::symbol(digits).unwrap();
            let modules: Vec<bool> = picture(&symbol)
                .chars()
                .filter(|&c| c != '\n')
                .map(|c| c == '#')
                .collect();
            assert_eq!(DataMatrix::decode(&modules, 16).unwrap(), digits.as_bytes());
        }
    }
}
