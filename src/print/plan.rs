use std::{cmp::Ordering, collections::BTreeMap};

use crate::domain::{
    AddressBlock, Code, EnvelopeName, Finding, Letter, MessageId, Piece, Place, PostageClass,
    PostalAddress, is_printable, one_line,
};

use super::{
    Error, Mark, Settings,
    paper::{Paper, sides},
};

/// Which letters go into which bundle, in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    pub bundles: Vec<BundlePlan>,
    /// Letters that cannot be printed, in the order of their ids.
    pub refused: Vec<(MessageId, Finding)>,
}

/// One bundle: letters that one machine takes in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundlePlan {
    pub group: Group,
    /// In the order of their sequence numbers; never empty.
    pub pieces: Vec<PlannedPiece>,
}

/// What the letters of a bundle have in common. Foreign bundles come last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    pub destination: Destination,
    pub postage: PostageClass,
    pub registered: bool,
    pub colour: bool,
    pub duplex: bool,
    pub envelope: EnvelopeName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    Domestic,
    Foreign,
}

/// One letter in its place in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPiece {
    pub letter: Letter,
    /// 1-based in the bundle; never changes.
    pub sequence: u32,
    /// 1-based page of the bundle's PDF.
    pub first_page: u32,
    /// Pages in the bundle's PDF, the address page and blank backs counted.
    pub pages: u32,
    pub sheets: u32,
    pub envelope: EnvelopeName,
    /// Sheets and envelope, rounded up.
    pub weight_grams: u32,
}

/// Groups, sorts and splits. Arithmetic only: the same letters in any order give the same plan.
///
/// Domestic letters are sorted by postal code, then recipient; foreign ones by country first.
pub fn plan(letters: Vec<Letter>, settings: &Settings) -> Plan {
    plan_by_size(letters, |_| 0, settings)
}

/// As [`plan`], and splits by [`Settings::max_bundle_bytes`] too.
///
/// `bytes_of` estimates what a letter adds to its bundle. The size of its own PDF, or its share
/// of one with many letters, is an upper bound, since a bundle stores shared fonts and logos once.
pub fn plan_by_size(
    letters: Vec<Letter>,
    bytes_of: impl Fn(&Letter) -> u64,
    settings: &Settings,
) -> Plan {
    let mut groups: BTreeMap<Group, Vec<Fitted>> = BTreeMap::new();
    let mut refused = Vec::new();
    for letter in letters {
        match Fitted::from_letter(letter, &bytes_of, settings) {
            Ok(fitted) => groups.entry(fitted.group()).or_default().push(fitted),
            Err(refusal) => refused.push(refusal),
        }
    }
    refused.sort_by_key(|(message, _)| *message);
    let bundles = groups
        .into_iter()
        .flat_map(|(group, letters)| split(&group, letters, settings))
        .collect();
    Plan { bundles, refused }
}

/// Lays out one bundle from letters whose order was fixed earlier: each keeps its place.
///
/// # Errors
///
/// Letters that these settings would not put into one bundle are refused, so that settings that
/// changed meanwhile cannot change a bundle that somebody has seen.
pub fn lay_out(letters: Vec<Letter>, settings: &Settings) -> Result<BundlePlan, Error> {
    if letters.len() > max_pieces(settings) {
        return Err(Error::TooManyPieces {
            pieces: letters.len(),
            limit: max_pieces(settings),
        });
    }
    let mut fitted = Vec::with_capacity(letters.len());
    for letter in letters {
        let letter = Fitted::from_letter(letter, &|_| 0, settings)
            .map_err(|(message, finding)| Error::NotPrintable { message, finding })?;
        fitted.push(letter);
    }
    let group = fitted.first().ok_or(Error::NoLetters)?.group();
    if let Some(odd) = fitted.iter().find(|letter| letter.group() != group) {
        return Err(Error::MixedGroup {
            message: odd.letter.message,
        });
    }
    Ok(BundlePlan::new(group, fitted))
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

    fn new(group: Group, letters: Vec<Fitted>) -> Self {
        let mut first_page = 1;
        let pieces = (1..)
            .zip(letters)
            .map(|(sequence, fitted)| {
                let piece = fitted.into_piece(sequence, first_page);
                first_page += piece.pages;
                piece
            })
            .collect();
        Self { group, pieces }
    }
}

impl PlannedPiece {
    /// The piece as it stands in the store.
    pub fn to_piece(&self) -> Piece {
        Piece {
            message: self.letter.message,
            sequence: self.sequence,
            first_page: self.first_page,
            pages: self.pages,
            sheets: self.sheets,
        }
    }

    /// Pages of this piece that stand before the sender's: the address page and its blank back.
    pub(super) fn pages_before_letter(&self) -> u32 {
        u32::from(self.letter.address_page) * sides(self.letter.duplex)
    }

    /// The 1-based sheet whose front the 0-based `page` of this piece is; `None` for a back.
    pub(super) fn sheet_in_front_of(&self, page: u32) -> Option<u32> {
        let sides = sides(self.letter.duplex);
        page.is_multiple_of(sides).then(|| page / sides + 1)
    }
}

impl Destination {
    pub fn of(address: &PostalAddress) -> Self {
        if address.is_foreign() {
            Self::Foreign
        } else {
            Self::Domestic
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Domestic => "domestic",
            Self::Foreign => "foreign",
        }
    }
}

/// A letter that an envelope holds.
struct Fitted {
    letter: Letter,
    paper: Paper,
    bytes: u64,
}

impl Fitted {
    fn from_letter(
        letter: Letter,
        bytes_of: &impl Fn(&Letter) -> u64,
        settings: &Settings,
    ) -> Result<Self, (MessageId, Finding)> {
        let refuse = |code, detail: String| {
            let place = Place::message(letter.message.position);
            Err((letter.message, Finding::new(code, place, detail)))
        };
        if let Some((code, detail)) = fault_of_address_page(&letter) {
            return refuse(code, detail.to_owned());
        }
        match Paper::of(&letter, settings) {
            Ok(paper) => Ok(Self {
                bytes: bytes_of(&letter),
                letter,
                paper,
            }),
            Err(sheets) => refuse(
                Code::TooManySheets,
                format!("{sheets} sheets are more than the largest envelope holds"),
            ),
        }
    }

    fn group(&self) -> Group {
        Group {
            destination: Destination::of(&self.letter.address),
            postage: self.letter.postage,
            registered: self.letter.registered,
            colour: self.letter.colour,
            duplex: self.letter.duplex,
            envelope: self.paper.envelope.clone(),
        }
    }

    fn into_piece(self, sequence: u32, first_page: u32) -> PlannedPiece {
        PlannedPiece {
            sequence,
            first_page,
            pages: self.paper.pages,
            sheets: self.paper.sheets,
            envelope: self.paper.envelope,
            weight_grams: self.paper.weight_grams,
            letter: self.letter,
        }
    }
}

/// Whatever the page would leave out: it must not go out with half an address.
fn fault_of_address_page(letter: &Letter) -> Option<(Code, &'static str)> {
    if !letter.address_page {
        return None;
    }
    let block = AddressBlock::of(&letter.address);
    let subject = letter.subject.as_ref().map(|text| one_line(text.expose()));
    if !(block.is_printable() && subject.as_deref().is_none_or(is_printable)) {
        let detail = "the address or subject has characters that the address page's font lacks";
        return Some((Code::AddressCharacter, detail));
    }
    block.cut().map(|_| {
        let detail = "a field of the address is longer than its two rows of the address page";
        (Code::AddressRowCut, detail)
    })
}

fn split(group: &Group, mut letters: Vec<Fitted>, settings: &Settings) -> Vec<BundlePlan> {
    letters.sort_by(|a, b| in_posting_order(&a.letter, &b.letter));
    let mut bundles = Vec::new();
    let mut current: Vec<Fitted> = Vec::new();
    let mut bytes: u64 = 0;
    for letter in letters {
        let is_full = current.len() >= max_pieces(settings)
            || bytes.saturating_add(letter.bytes) > settings.max_bundle_bytes;
        if is_full && !current.is_empty() {
            bundles.push(BundlePlan::new(group.clone(), std::mem::take(&mut current)));
            bytes = 0;
        }
        bytes = bytes.saturating_add(letter.bytes);
        current.push(letter);
    }
    bundles.push(BundlePlan::new(group.clone(), current));
    bundles
}

fn max_pieces(settings: &Settings) -> usize {
    let limit = settings.max_pieces.clamp(1, Mark::MAX_SEQUENCE);
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Domestic letters have one country, so that their postal codes decide.
fn in_posting_order(a: &Letter, b: &Letter) -> Ordering {
    posting_key(a).cmp(&posting_key(b))
}

fn posting_key(letter: &Letter) -> impl Ord + '_ {
    let address = &letter.address;
    (
        address.country_or_home(),
        &address.postal_code,
        &address.name,
        &address.additional_name,
        &address.street,
        letter.message,
    )
}
