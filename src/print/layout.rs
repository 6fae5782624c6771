use std::iter;

use crate::domain::{BundleId, EnvelopeName, Letter, PostageCode};

use super::{
    Error, Group, Mark, Settings,
    group::{Kind, Manner},
    household::Addressee,
    mark_drawing::SheetMarks,
    paper::{Paper, own_sheets, sides},
    plan::{max_pieces, paper_of},
};

/// One bundle with its letters: what one machine takes in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePlan {
    pub group: Group,
    /// In the order of their sequence numbers; never empty.
    pub pieces: Vec<PlannedPiece>,
}

/// What goes into one envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub letter: Letter,
    /// Further letters to the same recipient.
    pub others: Vec<Letter>,
}

/// One envelope in its place in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPiece {
    /// The first letter, whose id is the piece's. Its address page, if it has one, is the piece's.
    pub letter: Letter,
    /// Further letters to the same recipient, in their order. They get no address page.
    pub others: Vec<Letter>,
    /// 1-based in the bundle; never changes.
    pub sequence: u32,
    /// 1-based page of the bundle's PDF.
    pub first_page: u32,
    /// Pages in the bundle's PDF, the address page and blank backs counted.
    pub pages: u32,
    pub sheets: u32,
    pub envelope: EnvelopeName,
    pub postage_code: Option<PostageCode>,
    /// Sheets and envelope, rounded up.
    pub weight_grams: u32,
}

/// Lays out one bundle from letters whose order was fixed earlier: each keeps its place.
///
/// # Errors
///
/// Letters that these settings would not put into one bundle, or into one envelope, are refused, so
/// that settings that changed meanwhile cannot change a bundle that somebody has seen.
pub fn lay_out<C: Into<Contents>>(
    pieces: Vec<C>,
    settings: &Settings,
) -> Result<BundlePlan, Error> {
    let limit = usize::try_from(max_pieces(settings)).unwrap_or(usize::MAX);
    if pieces.len() > limit {
        return Err(Error::TooManyPieces {
            pieces: pieces.len(),
            limit,
        });
    }
    let mut bundle: Option<Layout> = None;
    for contents in pieces {
        let contents = contents.into();
        let (kind, paper) = fit(&contents, settings)?;
        let layout = bundle.get_or_insert_with(|| Layout::new(kind, settings));
        if layout.kind != kind {
            let message = contents.letter.message;
            return Err(Error::MixedGroup { message });
        }
        layout.add(contents, &paper);
    }
    bundle.map(|layout| layout.plan).ok_or(Error::NoLetters)
}

impl BundlePlan {
    pub fn pages(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.pages).sum()
    }

    pub fn sheets(&self) -> u32 {
        self.pieces.iter().map(|piece| piece.sheets).sum()
    }

    /// All pieces together.
    pub fn weight_grams(&self) -> u64 {
        let weights = self.pieces.iter();
        weights.map(|piece| u64::from(piece.weight_grams)).sum()
    }
}

impl Contents {
    fn letters_mut(&mut self) -> impl Iterator<Item = &mut Letter> {
        iter::once(&mut self.letter).chain(&mut self.others)
    }
}

impl From<Letter> for Contents {
    fn from(letter: Letter) -> Self {
        Self {
            letter,
            others: Vec::new(),
        }
    }
}

impl PlannedPiece {
    /// All letters of the envelope, in the order of their sheets.
    pub fn letters(&self) -> impl Iterator<Item = &Letter> {
        iter::once(&self.letter).chain(&self.others)
    }

    /// Each letter with the 0-based page of the piece on which its own pages begin: behind the
    /// address page and its blank back, and always on a front.
    pub(super) fn letters_by_page(&self) -> impl Iterator<Item = (&Letter, u32)> {
        let sides = sides(self.letter.duplex);
        let mut sheet = u32::from(self.letter.address_page);
        self.letters().map(move |letter| {
            let first = sheet * sides;
            sheet += own_sheets(letter);
            (letter, first)
        })
    }

    /// What is printed on the 0-based `page` of this piece; `None` for a back.
    pub(super) fn marks_on(&self, page: u32, bundle: BundleId) -> Option<SheetMarks> {
        let sides = sides(self.letter.duplex);
        let sheet = page / sides;
        page.is_multiple_of(sides).then_some(SheetMarks {
            mark: Mark {
                bundle,
                sequence: self.sequence,
                sheet: sheet + 1,
                sheets: self.sheets,
            },
            // All pieces of a bundle are duplex, or none is.
            number: (self.first_page - 1) / sides + sheet,
        })
    }
}

/// A bundle that is being laid out.
struct Layout {
    kind: Kind,
    plan: BundlePlan,
    next_page: u32,
}

impl Layout {
    fn new(kind: Kind, settings: &Settings) -> Self {
        Self {
            kind,
            plan: BundlePlan {
                group: kind.group(settings),
                pieces: Vec::new(),
            },
            next_page: 1,
        }
    }

    fn add(&mut self, mut contents: Contents, paper: &Paper) {
        // Grey where the print house has settled so, whatever the letter asked for.
        let colour = self.plan.group.colour;
        contents
            .letters_mut()
            .for_each(|letter| letter.colour = colour);
        let pages = u32::from(paper.sheets) * sides(contents.letter.duplex);
        let sequence = self.plan.pieces.last().map_or(1, |last| last.sequence + 1);
        self.plan.pieces.push(PlannedPiece {
            letter: contents.letter,
            others: contents.others,
            sequence,
            first_page: self.next_page,
            pages,
            sheets: paper.sheets.into(),
            envelope: self.plan.group.envelope.clone(),
            postage_code: self.plan.group.postage_code.clone(),
            weight_grams: paper.weight_grams,
        });
        self.next_page += pages;
    }
}

fn fit(contents: &Contents, settings: &Settings) -> Result<(Kind, Paper), Error> {
    let first = &contents.letter;
    let not_printable = |finding| Error::NotPrintable {
        message: first.message,
        finding,
    };
    let manner = Manner::of(first, settings);
    let alone = paper_of(first, manner, settings).map_err(not_printable)?;
    let mut piece = (Addressee::of(first, manner), alone);
    for letter in &contents.others {
        let (addressee, paper) = beside(piece, letter, settings).ok_or(Error::NotShared {
            message: letter.message,
        })?;
        piece = (Some(addressee), paper);
    }
    let (_, paper) = piece;
    Ok((Kind::new(manner, &paper), paper))
}

/// A piece with one letter more; `None` where that does not belong into the envelope.
fn beside(
    (addressee, paper): (Option<Addressee>, Paper),
    letter: &Letter,
    settings: &Settings,
) -> Option<(Addressee, Paper)> {
    let manner = Manner::of(letter, settings);
    let addressee = addressee?.with(&Addressee::of(letter, manner)?)?;
    let sheets = u32::from(paper.sheets).saturating_add(own_sheets(letter));
    if settings
        .household_max_sheets
        .is_some_and(|most| sheets > most)
    {
        return None;
    }
    Some((addressee, Paper::of(sheets, manner, settings).ok()?))
}
