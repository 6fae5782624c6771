//! Pages as poppler draws them.

use std::{fs, path::Path};

use super::tools;

/// A drawn page: three bytes a pixel, or one where it was drawn in grey.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    samples: usize,
    pixels: Vec<u8>,
}

/// A rectangle in millimetres from the upper left corner of the page: left, top, right, bottom.
pub(crate) type Zone = [f64; 4];

impl Picture {
    /// Reads binary PGM or PPM with 255 as its brightest value, as `pdftoppm` writes them.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let mut rest = bytes;
        let samples = match word(&mut rest) {
            "P5" => 1,
            "P6" => 3,
            other => panic!("neither PGM nor PPM: {other}"),
        };
        let [width, height, most] = [(); 3].map(|()| word(&mut rest).parse().unwrap());
        assert_eq!(most, 255);
        assert_eq!(rest.len(), width * height * samples);
        Self {
            width,
            height,
            samples,
            pixels: rest.to_vec(),
        }
    }

    pub(crate) fn pixel(&self, x: usize, y: usize) -> &[u8] {
        let at = (y * self.width + x) * self.samples;
        &self.pixels[at..at + self.samples]
    }

    pub(crate) fn is_white(&self) -> bool {
        self.pixels.iter().all(|&value| value == 255)
    }

    pub(crate) fn has_size_of(&self, other: &Self) -> bool {
        let size = |picture: &Self| (picture.width, picture.height, picture.samples);
        size(self) == size(other)
    }

    /// Whether all of a zone is black, as far as it is on the page.
    pub(crate) fn is_black_within(&self, [left, top, right, bottom]: Zone, dpi: u32) -> bool {
        let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        places
            .map(|(x, y)| (self.pixel(x, y), in_mm(x, dpi), in_mm(y, dpi)))
            .filter(|(_, x, y)| (left..right).contains(x) && (top..bottom).contains(y))
            .all(|(pixel, ..)| pixel.iter().all(|&value| value == 0))
    }

    /// The first pixel outside `zones` that is another in `other`, in millimetres.
    pub(crate) fn first_difference(
        &self,
        other: &Self,
        dpi: u32,
        zones: &[Zone],
    ) -> Option<(f64, f64)> {
        assert!(self.has_size_of(other), "the pages differ in size");
        if self.pixels == other.pixels {
            return None;
        }
        let places = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        places
            .filter(|&(x, y)| self.pixel(x, y) != other.pixel(x, y))
            .map(|(x, y)| (in_mm(x, dpi), in_mm(y, dpi)))
            .find(|&(x, y)| !zones.iter().any(|zone| is_inside(zone, x, y, dpi)))
    }
}

/// Draws pages `first` to `last` in colour, in order.
pub(crate) fn draw(pdf: &Path, dpi: u32, first: u32, last: u32) -> Vec<Picture> {
    draw_with(&[], pdf, dpi, first, last)
}

/// As [`draw`], with further options of `pdftoppm`.
pub(crate) fn draw_with(
    options: &[&str],
    pdf: &Path,
    dpi: u32,
    first: u32,
    last: u32,
) -> Vec<Picture> {
    let folder = tempfile::tempdir().unwrap();
    let [dpi, from, to] = [dpi, first, last].map(|number| number.to_string());
    let mut arguments = options.to_vec();
    arguments.extend(["-r", &dpi, "-f", &from, "-l", &to]);
    let target = folder.path().join("page");
    arguments.extend([pdf.to_str().unwrap(), target.to_str().unwrap()]);
    tools::run("pdftoppm", arguments);
    read_all(folder.path())
}

/// What `pdftoppm` wrote into a folder, in the order of the pages.
pub(crate) fn read_all(folder: &Path) -> Vec<Picture> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    // Page numbers are filled up with zeros.
    files.sort();
    files
        .iter()
        .map(|file| Picture::read(&fs::read(file).unwrap()))
        .collect()
}

/// The next word of a header, and the one white space behind it.
fn word<'b>(rest: &mut &'b [u8]) -> &'b str {
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap();
    let (word, behind) = rest.split_at(end);
    *rest = &behind[1..];
    std::str::from_utf8(word).unwrap()
}

fn in_mm(pixel: usize, dpi: u32) -> f64 {
    f64::from(u32::try_from(pixel).unwrap()) * 25.4 / f64::from(dpi)
}

/// A pixel that a zone cuts is inside.
fn is_inside([left, top, right, bottom]: &Zone, x: f64, y: f64, dpi: u32) -> bool {
    let pixel = 25.4 / f64::from(dpi);
    (left - pixel..=*right).contains(&x) && (top - pixel..=*bottom).contains(&y)
}

#[test]
fn pictures_are_read_and_compared() {
    let one = Picture::read(b"P5\n2 1\n255\n\xff\x00");
    let other = Picture::read(b"P5\n2 1\n255\n\xff\x01");
    assert_eq!(one.pixel(1, 0), [0]);
    assert!(!one.is_white());
    assert_eq!(one.first_difference(&one, 254, &[]), None);
    assert_eq!(
        one.first_difference(&other, 254, &[]),
        Some((25.4 / 254.0, 0.0))
    );
    let around = [[0.1, 0.0, 0.2, 0.1]];
    assert_eq!(one.first_difference(&other, 254, &around), None);
    let above = [[0.1, -2.0, 0.2, -1.0]];
    assert!(one.first_difference(&other, 254, &above).is_some());
}
