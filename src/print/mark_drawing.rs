use std::fmt::Write;

use datamatrix::{DataMatrix, data::DataEncodingError};

use crate::{
    domain::BundleId,
    pdf::{Area, Overlay},
};

use super::{
    Mark, MarkSettings,
    mask::Mask,
    omr::{OmrSettings, OmrSheet},
};

const POINTS_A_MM: f64 = 72.0 / 25.4;

/// Side of one pixel of the lines that people read: characters are 1.2 mm high.
const READABLE_PIXEL_MM: f64 = 0.24;
/// Between the symbol's quiet zone and the readable lines.
const READABLE_GAP_MM: f64 = 0.5;

/// Where `TEST` stands on each sheet of a test bundle.
const TEST_X_MM: f64 = 98.0;
const TEST_Y_MM: f64 = 4.0;
const TEST_PIXEL_MM: f64 = 1.0;

/// What is printed on the front of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SheetMarks {
    pub(super) mark: Mark,
    /// From 0, all sheets of the bundle through.
    pub(super) number: u32,
}

impl SheetMarks {
    fn omr(&self) -> OmrSheet {
        OmrSheet {
            is_first: self.mark.sheet == 1,
            is_last: self.mark.sheet == self.mark.sheets,
            number: self.number,
        }
    }
}

/// The operators that draw marks over a page of that height: white beneath, then the symbol as
/// one inline image mask, which needs no resources of the page.
pub(super) fn overlay(
    marks: &SheetMarks,
    is_test: bool,
    settings: &MarkSettings,
    page_height_mm: f64,
) -> Result<Overlay, DataEncodingError> {
    let mut drawing = Drawing {
        operators: String::with_capacity(512),
        page_height_mm,
    };
    let symbol = Mask::symbol(&marks.mark.payload())?;
    drawing.mask(&symbol, &symbol_place(settings));
    if settings.readable_line {
        drawing.mask(&readable_mask(&marks.mark), &readable_place(settings));
    }
    if let Some(omr) = &settings.omr {
        drawing.lines(omr, marks);
    }
    if is_test {
        drawing.mask(&Mask::text(&["TEST"]), &TEST_PLACE);
    }
    Ok(Overlay(drawing.operators.into_bytes()))
}

/// Whether such operators draw the OMR lines of that sheet, if any are wanted, and no others.
pub(super) fn has_omr_lines_of(
    operators: &[u8],
    marks: &SheetMarks,
    settings: &MarkSettings,
    page_height_mm: f64,
) -> bool {
    let wanted: Vec<_> = settings
        .omr
        .iter()
        .flat_map(|omr| {
            let places = omr.places(marks.omr());
            places.map(|place| in_points(&place, page_height_mm))
        })
        .collect();
    let drawn = read_lines(operators);
    let is_near = |(drawn, wanted): (&[f64; 4], &[f64; 4])| {
        let mut sides = drawn.iter().zip(wanted);
        sides.all(|(drawn, wanted)| (drawn - wanted).abs() < 0.05)
    };
    drawn.is_some_and(|drawn| drawn.len() == wanted.len() && drawn.iter().zip(&wanted).all(is_near))
}

/// Left, bottom, width and height of each OMR line, in points; `None` where they cannot be read.
fn read_lines(operators: &[u8]) -> Option<Vec<[f64; 4]>> {
    let operators = String::from_utf8_lossy(operators);
    let Some((_, lines)) = operators.split_once(LINES_BEGIN) else {
        return Some(Vec::new());
    };
    let (lines, _) = lines.split_once(LINES_END)?;
    let line = |line: &str| {
        let numbers = line.split_whitespace().map(str::parse);
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
        numbers.try_into().ok()
    };
    lines.split_terminator(" re").map(line).collect()
}

/// What the symbol in such operators says; `None` where there is none that can be decoded.
pub(super) fn read_symbol(operators: &[u8]) -> Option<String> {
    let operators = String::from_utf8_lossy(operators);
    let side = Mask::SYMBOL_MODULES;
    let (_, image) = operators.split_once(&format!("BI/W {side}/H {side}/"))?;
    let (_, image) = image.split_once("ID ")?;
    let (hex, _) = image.split_once('>')?;
    let mut modules = Vec::with_capacity((side * side) as usize);
    for digit in hex.chars() {
        let digit = digit.to_digit(16)?;
        modules.extend((0..4).rev().map(|bit| digit >> bit & 1 == 1));
    }
    if modules.len() != (side * side) as usize {
        return None;
    }
    let payload = DataMatrix::decode(&modules, side as usize).ok()?;
    String::from_utf8(payload).ok()
}

/// Where the symbol and, if it is printed, the line under it may put ink or white, whichever the
/// sheet: nothing of the sender's should be there.
pub(super) fn areas(settings: &MarkSettings, max_pieces: u32) -> (Area, Option<Area>) {
    let symbol = symbol_place(settings).area(Mask::SYMBOL_MODULES, Mask::SYMBOL_MODULES);
    let longest = Mark {
        bundle: BundleId(Mark::BUNDLE_NUMBERS - 1),
        sequence: max_pieces,
        sheet: Mark::MAX_SHEETS,
        sheets: Mark::MAX_SHEETS,
    };
    let readable = settings.readable_line.then(|| {
        let mask = readable_mask(&longest);
        readable_place(settings).area(mask.width, mask.height())
    });
    (symbol, readable)
}

fn readable_mask(mark: &Mark) -> Mask {
    let readable = mark.readable();
    let lines: Vec<&str> = readable.split(' ').collect();
    Mask::text(&lines)
}

/// Where a mask stands: its upper left corner from that of the page, and how large it is drawn.
struct Place {
    x_mm: f64,
    y_mm: f64,
    pixel_mm: f64,
    /// White around it, in pixels.
    quiet_pixels: u32,
}

impl Place {
    /// With the white around it, for a mask of so many pixels.
    fn area(&self, width: u32, height: u32) -> Area {
        let quiet_mm = f64::from(self.quiet_pixels) * self.pixel_mm;
        let side = |pixels| f64::from(pixels) * self.pixel_mm + 2.0 * quiet_mm;
        let (x_mm, y_mm) = (self.x_mm - quiet_mm, self.y_mm - quiet_mm);
        Area::at(x_mm, y_mm, side(width), side(height))
    }
}

const TEST_PLACE: Place = Place {
    x_mm: TEST_X_MM,
    y_mm: TEST_Y_MM,
    pixel_mm: TEST_PIXEL_MM,
    quiet_pixels: 1,
};

fn symbol_place(settings: &MarkSettings) -> Place {
    Place {
        x_mm: settings.x_mm,
        y_mm: settings.y_mm,
        pixel_mm: settings.module_mm,
        quiet_pixels: settings.quiet_zone_modules,
    }
}

fn readable_place(settings: &MarkSettings) -> Place {
    let modules = Mask::SYMBOL_MODULES + settings.quiet_zone_modules;
    let symbol_mm = f64::from(modules) * settings.module_mm;
    Place {
        x_mm: settings.x_mm,
        y_mm: settings.y_mm + symbol_mm + READABLE_GAP_MM,
        pixel_mm: READABLE_PIXEL_MM,
        quiet_pixels: 1,
    }
}

/// Around the OMR lines; nothing else that is drawn here begins so.
const LINES_BEGIN: &str = "q 0 g";
const LINES_END: &str = " f Q\n";

/// Left, bottom, width, height.
fn in_points(area: &Area, page_height_mm: f64) -> [f64; 4] {
    let bottom_mm = page_height_mm - area.bottom_mm;
    [area.left_mm, bottom_mm, area.width_mm(), area.height_mm()].map(|mm| mm * POINTS_A_MM)
}

struct Drawing {
    operators: String,
    page_height_mm: f64,
}

impl Drawing {
    fn mask(&mut self, mask: &Mask, place: &Place) {
        let pixel = place.pixel_mm * POINTS_A_MM;
        let (width, height) = (
            f64::from(mask.width) * pixel,
            f64::from(mask.height()) * pixel,
        );
        let x = place.x_mm * POINTS_A_MM;
        let y = (self.page_height_mm - place.y_mm) * POINTS_A_MM - height;
        self.white_beneath([x, y, width, height], f64::from(place.quiet_pixels) * pixel);
        // `/D[1 0]`: a 1 is painted. Hexadecimal, so that no reader finds an `EI` in the data.
        self.push(format_args!(
            "q {width:.2} 0 0 {height:.2} {x:.2} {y:.2} cm 0 g\n\
             BI/W {}/H {}/BPC 1/IM true/D[1 0]/F/AHx ID {}>\nEI Q\n",
            mask.width,
            mask.height(),
            mask.hex(),
        ));
    }

    /// All lines are one path.
    fn lines(&mut self, omr: &OmrSettings, marks: &SheetMarks) {
        self.white_beneath(in_points(&omr.area(), self.page_height_mm), 0.0);
        let mut places = omr.places(marks.omr()).peekable();
        if places.peek().is_none() {
            return;
        }
        self.push(format_args!("{LINES_BEGIN}"));
        for place in places {
            let [x, y, width, height] = in_points(&place, self.page_height_mm);
            self.push(format_args!(" {x:.2} {y:.2} {width:.2} {height:.2} re"));
        }
        self.push(format_args!("{LINES_END}"));
    }

    fn white_beneath(&mut self, [x, y, width, height]: [f64; 4], quiet: f64) {
        self.push(format_args!(
            "q 1 g {:.2} {:.2} {:.2} {:.2} re f Q\n",
            x - quiet,
            y - quiet,
            width + 2.0 * quiet,
            height + 2.0 * quiet,
        ));
    }

    fn push(&mut self, operators: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.operators.write_fmt(operators);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::BundleId;

    const MARKS: SheetMarks = SheetMarks {
        mark: Mark {
            bundle: BundleId(31),
            sequence: 12,
            sheet: 1,
            sheets: 3,
        },
        number: 20,
    };

    fn drawn(is_test: bool) -> String {
        drawn_by(is_test, &MarkSettings::default())
    }

    fn drawn_by(is_test: bool, settings: &MarkSettings) -> String {
        let Overlay(operators) = overlay(&MARKS, is_test, settings, 297.0).unwrap();
        String::from_utf8(operators).unwrap()
    }

    #[test]
    fn a_mark_is_drawn_from_the_top_of_the_page_it_stands_on() {
        insta::assert_snapshot!(drawn(false), @r#"
        q 1 g 9.92 783.78 25.51 25.51 re f Q
        q 22.68 0 0 22.68 11.34 785.20 cm 0 g
        BI/W 16/H 16/BPC 1/IM true/D[1 0]/F/AHx ID aaaac86f892ca907e3568595906895cdc776d2218664aeb5dc9c8db5a092ffff>
        EI Q
        q 1 g 10.66 773.52 14.97 9.52 re f Q
        q 13.61 0 0 8.16 11.34 774.20 cm 0 g
        BI/W 20/H 12/BPC 1/IM true/D[1 0]/F/AHx ID e404e02c0c20e4e4e0240480ee0ee000000000000042e000c2200044e000482000e8e000>
        EI Q
        "#);
    }

    #[test]
    fn a_test_bundle_says_so_on_the_sheet() {
        let test_line = drawn(true).replace(&drawn(false), "");
        insta::assert_snapshot!(test_line, @r#"
        q 1 g 274.96 813.54 51.02 19.84 re f Q
        q 45.35 0 0 14.17 277.80 816.38 cm 0 g
        BI/W 16/H 5/BPC 1/IM true/D[1 0]/F/AHx ID ee6e48844c4448244ec4>
        EI Q
        "#);
    }

    #[test]
    fn omr_lines_come_after_the_mark_on_white_of_their_own() {
        let settings = MarkSettings {
            omr: Some(OmrSettings::default()),
            ..MarkSettings::default()
        };
        let lines = drawn_by(false, &settings).replace(&drawn(false), "");
        insta::assert_snapshot!(lines, @r#"
        q 1 g 5.67 485.01 34.02 84.75 re f Q
        q 0 g 11.34 562.68 22.68 1.42 re 11.34 538.68 22.68 1.42 re 11.34 502.68 22.68 1.42 re 11.34 490.68 22.68 1.42 re f Q
        "#);
    }

    #[test]
    fn omr_lines_are_read_back_and_those_of_another_sheet_are_noticed() {
        let settings = MarkSettings {
            omr: Some(OmrSettings::default()),
            ..MarkSettings::default()
        };
        let with_lines = drawn_by(false, &settings);
        let fits = |operators: &str, marks: &SheetMarks, settings: &MarkSettings| {
            has_omr_lines_of(operators.as_bytes(), marks, settings, 297.0)
        };
        assert!(fits(&with_lines, &MARKS, &settings));
        let next = SheetMarks {
            number: MARKS.number + 1,
            ..MARKS
        };
        assert!(!fits(&with_lines, &next, &settings));
        assert!(!fits(&with_lines.replace(" re", " rx"), &MARKS, &settings));
        let none = MarkSettings::default();
        assert!(!fits(&with_lines, &MARKS, &none));
        assert!(fits(&drawn(false), &MARKS, &none));
        assert!(!fits(&drawn(false), &MARKS, &settings));
    }

    #[test]
    fn a_symbol_is_read_back_and_nothing_is_read_out_of_what_is_none() {
        let drawn = drawn(true);
        assert_eq!(read_symbol(drawn.as_bytes()), Some(MARKS.mark.payload()));
        let others = [
            drawn.replace("BI/W 16/H 16/", "BI/W 16/H 17/"),
            drawn.replace("ffff>", ">"),
            drawn.replace("ID aaaac86f892c", "ID 000000000000"),
            drawn.replace("ID aa", "ID xx"),
            String::new(),
        ];
        for other in others {
            assert_eq!(read_symbol(other.as_bytes()), None, "{other}");
        }
    }
}
