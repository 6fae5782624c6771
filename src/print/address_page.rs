use printpdf::{
    FontId, Mm, Op, ParsedFont, PdfDocument, PdfFont, PdfFontHandle, PdfPage, PdfSaveOptions,
    Point, Pt, TextItem,
};

use crate::domain::{AddressBlock, Letter, PostageClass, one_line};

use super::{AddressPageSettings, address_font::AddressFont};

/// Where a block stands: its upper left corner and its size, in millimetres from the upper left
/// corner of the page.
#[derive(Debug, Clone, Copy)]
struct Block {
    x_mm: f64,
    y_mm: f64,
    width_mm: f64,
    height_mm: f64,
    max_size_pt: f64,
}

const PAGE_WIDTH_MM: f32 = 210.0;
const PAGE_HEIGHT_MM: f64 = 297.0;
const POINT_MM: f64 = 25.4 / 72.0;
const LINE_HEIGHT: f64 = 1.2;
const FONT_NAME: &str = "KuoriAddress";

const SENDER: Block = Block {
    x_mm: 21.0,
    y_mm: 20.0,
    width_mm: 59.0,
    height_mm: 25.0,
    max_size_pt: 9.0,
};

const RECIPIENT: Block = Block {
    x_mm: 21.0,
    y_mm: 55.0,
    width_mm: 72.0,
    height_mm: 30.0,
    max_size_pt: 11.0,
};

const POSTAGE: Block = Block {
    x_mm: 130.0,
    y_mm: 20.0,
    width_mm: 60.0,
    height_mm: 20.0,
    max_size_pt: 14.0,
};

/// Below everything that a window could show, wherever the sheet slides to.
const SUBJECT: Block = Block {
    x_mm: 21.0,
    y_mm: 115.0,
    width_mm: 168.0,
    height_mm: 10.0,
    max_size_pt: 11.0,
};

/// Makes the address pages of one bundle. They share one font program.
#[derive(Debug, Clone)]
pub struct AddressPages<'a> {
    font: AddressFont,
    return_address: &'a [String],
    settings: &'a AddressPageSettings,
}

/// The address page of one letter: a PDF of one page.
///
/// Sender block at x 21, y 20, 59 × 25 mm; recipient block at x 21, y 55, 72 × 30 mm.
pub fn address_page(
    letter: &Letter,
    return_address: &[String],
    settings: &AddressPageSettings,
) -> Vec<u8> {
    AddressPages::for_letters([letter], return_address, settings).pdf([letter])
}

impl<'a> AddressPages<'a> {
    /// `letters` are all that will get a page: what they say decides which characters the font
    /// keeps.
    pub fn for_letters<'l>(
        letters: impl IntoIterator<Item = &'l Letter>,
        return_address: &'a [String],
        settings: &'a AddressPageSettings,
    ) -> Self {
        let mut pages = Self {
            font: AddressFont::for_texts([]),
            return_address,
            settings,
        };
        let texts: Vec<String> = letters
            .into_iter()
            .flat_map(|letter| pages.blocks(letter))
            .flat_map(|(_, rows)| rows)
            .collect();
        pages.font = AddressFont::for_texts(texts.iter().map(String::as_str));
        pages
    }

    /// A PDF with one page a letter, in their order.
    pub fn pdf<'l>(&self, letters: impl IntoIterator<Item = &'l Letter>) -> Vec<u8> {
        let mut document = PdfDocument::new("");
        let font: ParsedFont = self.font.clone().into_inner();
        let fonts = &mut document.resources.fonts.map;
        fonts.insert(FontId(FONT_NAME.to_owned()), PdfFont::new(font));
        let pages = letters
            .into_iter()
            .map(|letter| self.page(letter))
            .collect();
        document
            .with_pages(pages)
            .save(&PdfSaveOptions::default(), &mut Vec::new())
    }

    fn page(&self, letter: &Letter) -> PdfPage {
        let blocks = self.blocks(letter);
        let ops = blocks
            .iter()
            .flat_map(|(block, rows)| self.draw(block, rows))
            .collect();
        PdfPage::new(Mm(PAGE_WIDTH_MM), Mm(single(PAGE_HEIGHT_MM)), ops)
    }

    fn blocks(&self, letter: &Letter) -> [(Block, Vec<String>); 4] {
        let subject = letter.subject.as_ref().map(|text| one_line(text.expose()));
        let block = AddressBlock::of(&letter.address);
        let recipient = block.rows().map(str::to_owned).collect();
        [
            (SENDER, self.return_address.to_vec()),
            (RECIPIENT, recipient),
            (POSTAGE, self.postage_rows(letter)),
            (SUBJECT, subject.into_iter().collect()),
        ]
    }

    fn postage_rows(&self, letter: &Letter) -> Vec<String> {
        let class = match letter.postage {
            PostageClass::Priority => &self.settings.priority_text,
            PostageClass::Economy => &self.settings.economy_text,
        };
        let registered = letter.registered.then_some(&self.settings.registered_text);
        std::iter::once(class).chain(registered).cloned().collect()
    }

    fn draw(&self, block: &Block, rows: &[String]) -> Vec<Op> {
        let size_pt = self.size_that_fits(block, rows);
        let mut baseline_mm = PAGE_HEIGHT_MM - block.y_mm;
        let mut ops = Vec::with_capacity(rows.len() * 5);
        for row in rows {
            baseline_mm -= size_pt * LINE_HEIGHT * POINT_MM;
            ops.extend(text(row, block.x_mm, baseline_mm, size_pt));
        }
        ops
    }

    fn size_that_fits(&self, block: &Block, rows: &[String]) -> f64 {
        let widths = rows.iter().map(|row| self.font.width_mm(row));
        let widest_mm = widths.fold(f64::EPSILON, f64::max);
        // The rows' descenders need a fifth of a line below the last baseline.
        let lines = f64::from(u32::try_from(rows.len()).unwrap_or(u32::MAX)) + 0.2;
        (block.width_mm / widest_mm)
            .min(block.height_mm / (lines * LINE_HEIGHT * POINT_MM))
            .min(block.max_size_pt)
    }
}

fn text(row: &str, x_mm: f64, baseline_mm: f64, size_pt: f64) -> [Op; 5] {
    [
        Op::StartTextSection,
        Op::SetFont {
            font: PdfFontHandle::External(FontId(FONT_NAME.to_owned())),
            size: Pt(single(size_pt)),
        },
        Op::SetTextCursor {
            pos: Point::new(Mm(single(x_mm)), Mm(single(baseline_mm))),
        },
        Op::ShowText {
            items: vec![TextItem::Text(row.to_owned())],
        },
        Op::EndTextSection,
    ]
}

/// Millimetres and points of a page keep their hundredths in single precision.
#[expect(
    clippy::cast_possible_truncation,
    reason = "printpdf measures in single precision"
)]
fn single(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{PostalAddress, Private},
        print::tests::letter,
    };

    fn return_address() -> Vec<String> {
        vec!["Example City".to_owned(), "00099 HELSINKI".to_owned()]
    }

    fn text_of(letter: &Letter) -> String {
        let pdf = address_page(letter, &return_address(), &AddressPageSettings::default());
        let document = lopdf::Document::load_mem(&pdf).unwrap();
        assert_eq!(document.get_pages().len(), 1);
        document.extract_text(&[1]).unwrap()
    }

    #[test]
    fn an_address_page_shows_sender_recipient_postage_and_subject() {
        let registered = Letter {
            registered: true,
            subject: Some("Päätös\tpäivähoidosta".into()),
            ..letter(1, 1)
        };
        insta::assert_snapshot!(text_of(&registered), @r#"
        Example City
        00099 HELSINKI
        Maija Mallikas
        Mallikatu 1 A 1
        00100 HELSINKI
        ECONOMY
        REGISTERED
        Päätös päivähoidosta
        "#);
    }

    proptest! {
        #[test]
        fn every_block_holds_its_rows(name in "[A-ZÅÄÖ ]{1,90}", street in "[W ]{1,90}") {
            let letter = Letter {
                address: PostalAddress {
                    additional_name: Some(Private::new(name.clone())),
                    name: Some(Private::new(name)),
                    street: Some(Private::new(street)),
                    country: "GB".parse().ok(),
                    ..letter(1, 1).address
                },
                ..letter(1, 1)
            };
            let sender = return_address();
            let settings = AddressPageSettings::default();
            let pages = AddressPages::for_letters([&letter], &sender, &settings);
            for (block, rows) in pages.blocks(&letter) {
                let size_pt = pages.size_that_fits(&block, &rows);
                let lines = f64::from(u8::try_from(rows.len()).unwrap());
                let height_mm = lines * size_pt * LINE_HEIGHT * POINT_MM;
                prop_assert!(height_mm <= block.height_mm);
                for row in &rows {
                    prop_assert!(pages.font.width_mm(row) * size_pt <= block.width_mm + 1e-9);
                }
            }
        }
    }
}
