use std::fmt::Write;

use datamatrix::data::DataEncodingError;

use crate::{
    domain::BundleId,
    pdf::{Area, Overlay},
};

use super::{Mark, MarkSettings, mask::Mask};

const POINTS_A_MM: f64 = 72.0 / 25.4;

/// Side of one pixel of the lines that people read: characters are 1.2 mm high.
const READABLE_PIXEL_MM: f64 = 0.24;
/// Between the symbol's quiet zone and the readable lines.
const READABLE_GAP_MM: f64 = 0.5;

/// Where `TEST` stands on each sheet of a test bundle.
const TEST_X_MM: f64 = 98.0;
const TEST_Y_MM: f64 = 4.0;
const TEST_PIXEL_MM: f64 = 1.0;

/// The operators that draw a mark over a page of that height: white beneath, then the symbol as
/// one inline image mask, which needs no resources of the page.
pub(super) fn overlay(
    mark: &Mark,
    is_test: bool,
    settings: &MarkSettings,
    page_height_mm: f64,
) -> Result<Overlay, DataEncodingError> {
    let mut drawing = Drawing {
        operators: String::with_capacity(512),
        page_height_mm,
    };
    let symbol = Mask::symbol(&mark.payload())?;
    drawing.mask(&symbol, &symbol_place(settings));
    if settings.readable_line {
        drawing.mask(&readable_mask(mark), &readable_place(settings));
    }
    if is_test {
        drawing.mask(&Mask::text(&["TEST"]), &TEST_PLACE);
    }
    Ok(Overlay(drawing.operators.into_bytes()))
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

    fn drawn(is_test: bool) -> String {
        let mark = Mark {
            bundle: BundleId(31),
            sequence: 12,
            sheet: 1,
            sheets: 3,
        };
        let Overlay(operators) = overlay(&mark, is_test, &MarkSettings::default(), 297.0).unwrap();
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
}
