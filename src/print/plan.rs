use std::iter;

use crate::domain::{AddressBlock, Code, Finding, Letter, Place, is_printable, one_line};

use super::{
    Group, Mark, Settings,
    group::{Kind, Manner},
    household::{self, Addressee, Sharer},
    paper::{Paper, own_sheets, sides},
    posting_order::PostingOrder,
};

/// Decides which letters of a batch go into which bundle, in which order. Arithmetic only: the same
/// letters in any order give the same plan.
///
/// Letters are shown to it one at a time; of each it keeps some seventy bytes, so that a batch of a
/// million fits. It speaks of them by their position in the batch.
pub struct Planner<'s> {
    settings: &'s Settings,
    order: PostingOrder,
    entries: Vec<Entry>,
    /// Letters that may share an envelope, each an entry too.
    sharers: Vec<Sharer>,
}

/// A plan that is ready: its bundles, one at a time, foreign ones last.
pub struct Plan<'s> {
    settings: &'s Settings,
    /// Sorted.
    entries: Vec<Entry>,
    /// Sorted.
    enclosed: Vec<Enclosed>,
    /// How many entries are in bundles that were given out.
    given: usize,
}

/// A bundle without its letters themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedBundle {
    pub group: Group,
    /// In the order of the PDF; never empty.
    pub letters: Vec<PlacedLetter>,
}

/// Where a letter stands in a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedLetter {
    /// In the batch.
    pub position: u32,
    /// Of its piece in the bundle, from 1. Letters of one piece stand one after the other.
    pub sequence: u32,
    /// 1-based page of the bundle's PDF.
    pub first_page: u32,
    /// Pages in the bundle's PDF, an address page in front of it and blank backs counted.
    pub pages: u32,
    pub sheets: u32,
}

/// What the plan keeps of a piece: 32 bytes, and its key.
struct Entry {
    key: usize,
    bytes: u64,
    /// Of its first letter.
    position: u32,
    /// 0 where the letter has gone into another one's envelope.
    sheets: u16,
    kind: Kind,
}

/// A letter in the envelope of another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Enclosed {
    /// Position of the first letter of the piece.
    piece: u32,
    position: u32,
    sheets: u16,
}

impl<'s> Planner<'s> {
    pub fn new(settings: &'s Settings) -> Self {
        Self {
            settings,
            order: PostingOrder::default(),
            entries: Vec::new(),
            sharers: Vec::new(),
        }
    }

    /// Takes a letter in. `bytes` is what it adds to its bundle at most: the size of its own PDF, or
    /// its share of one with many letters, since a bundle stores shared fonts and logos once.
    ///
    /// # Errors
    ///
    /// The reason why the letter cannot be printed; the plan goes on without it.
    pub fn add(&mut self, letter: &Letter, bytes: u64) -> Result<(), Finding> {
        let position = letter.message.position;
        let manner = Manner::of(letter, self.settings);
        let paper = paper_of(letter, manner, self.settings)?;
        if let Some(addressee) = Addressee::of(letter, manner) {
            let entry = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
            let own_sheets = paper.sheets - u16::from(letter.address_page);
            let sharer = Sharer::new(addressee, position, entry, own_sheets);
            self.sharers.push(sharer);
        }
        self.entries.push(Entry {
            key: self.order.key(&letter.address),
            bytes,
            position,
            sheets: paper.sheets,
            kind: Kind::new(manner, &paper),
        });
        Ok(())
    }

    /// Letters go into shared envelopes, then all are grouped and sorted: domestic ones by postal
    /// code, then recipient; foreign ones by country first.
    pub fn finish(mut self) -> Plan<'s> {
        let mut enclosed = self.share_envelopes();
        enclosed.sort_unstable();
        self.entries.retain(|entry| entry.sheets > 0);
        let Self {
            settings,
            order,
            mut entries,
            ..
        } = self;
        entries.sort_unstable_by(|a, b| {
            (a.kind.cmp(&b.kind))
                .then_with(|| order.compare(a.key, b.key))
                .then_with(|| a.position.cmp(&b.position))
        });
        Plan {
            settings,
            entries,
            enclosed,
            given: 0,
        }
    }

    fn share_envelopes(&mut self) -> Vec<Enclosed> {
        let mut sharers = std::mem::take(&mut self.sharers);
        household::gather(&mut sharers);
        let mut enclosed = Vec::new();
        for household in household::households(&sharers) {
            let mut letters = household.iter();
            let Some(mut first) = letters.next() else {
                continue;
            };
            for letter in letters {
                match self.enclose(first, letter) {
                    Some(inside) => enclosed.push(inside),
                    None => first = letter,
                }
            }
        }
        enclosed
    }

    /// `None` where no envelope, or no postage, is for both: the letter begins one of its own.
    fn enclose(&mut self, first: &Sharer, letter: &Sharer) -> Option<Enclosed> {
        let piece = self.entries.get(first.entry as usize)?;
        if !letter.may_join(first) {
            return None;
        }
        let sheets = u32::from(piece.sheets) + u32::from(letter.own_sheets);
        if self
            .settings
            .household_max_sheets
            .is_some_and(|most| sheets > most)
        {
            return None;
        }
        let manner = piece.kind.manner;
        let paper = Paper::of(sheets, manner, self.settings).ok()?;
        let inside = self.entries.get_mut(letter.entry as usize)?;
        inside.sheets = 0;
        let bytes = inside.bytes;
        let piece = self.entries.get_mut(first.entry as usize)?;
        piece.sheets = paper.sheets;
        piece.kind = Kind::new(manner, &paper);
        piece.bytes = piece.bytes.saturating_add(bytes);
        Some(Enclosed {
            piece: first.position,
            position: letter.position,
            sheets: letter.own_sheets,
        })
    }
}

impl Iterator for Plan<'_> {
    type Item = PlannedBundle;

    fn next(&mut self) -> Option<PlannedBundle> {
        let rest = self.entries.get(self.given..)?;
        let first = rest.first()?;
        let mut load = Load::default();
        let fits = |entry: &&Entry| entry.kind == first.kind && load.takes(entry, self.settings);
        let pieces = rest.iter().take_while(fits).count().max(1);
        let bundle = PlannedBundle {
            group: first.kind.group(self.settings),
            letters: self.place(rest.get(..pieces)?),
        };
        self.given += pieces;
        Some(bundle)
    }
}

impl Plan<'_> {
    fn place(&self, pieces: &[Entry]) -> Vec<PlacedLetter> {
        let mut letters = Vec::with_capacity(pieces.len());
        let mut first_page = 1;
        for (sequence, piece) in (1..).zip(pieces) {
            let sides = sides(piece.kind.manner.duplex);
            for (position, sheets) in self.contents(piece) {
                letters.push(PlacedLetter {
                    position,
                    sequence,
                    first_page,
                    pages: sheets * sides,
                    sheets,
                });
                first_page += sheets * sides;
            }
        }
        letters
    }

    /// Position and sheets of each letter in an envelope.
    fn contents(&self, piece: &Entry) -> impl Iterator<Item = (u32, u32)> {
        let others = self.enclosed_in(piece.position);
        let told = |letter: &Enclosed| (letter.position, u32::from(letter.sheets));
        let enclosed: u32 = others.iter().map(|letter| u32::from(letter.sheets)).sum();
        let first = (piece.position, u32::from(piece.sheets) - enclosed);
        iter::once(first).chain(others.iter().map(told))
    }

    fn enclosed_in(&self, piece: u32) -> &[Enclosed] {
        let start = self.enclosed.partition_point(|letter| letter.piece < piece);
        let rest = self.enclosed.get(start..).unwrap_or_default();
        let length = rest.partition_point(|letter| letter.piece == piece);
        rest.get(..length).unwrap_or_default()
    }
}

/// What a bundle holds so far.
#[derive(Default)]
struct Load {
    pieces: u32,
    sheets: u32,
    bytes: u64,
}

impl Load {
    /// Takes a piece, or says that it would be too much.
    fn takes(&mut self, piece: &Entry, settings: &Settings) -> bool {
        self.pieces += 1;
        self.sheets = self.sheets.saturating_add(piece.sheets.into());
        self.bytes = self.bytes.saturating_add(piece.bytes);
        self.pieces <= max_pieces(settings)
            && self.bytes <= settings.max_bundle_bytes
            && settings
                .max_bundle_sheets
                .is_none_or(|most| self.sheets <= most)
    }
}

/// What a mark can count, at most.
pub(super) fn max_pieces(settings: &Settings) -> u32 {
    settings.max_pieces.clamp(1, Mark::MAX_SEQUENCE)
}

/// The paper of a letter that has an envelope to itself, or why it cannot be printed.
pub(super) fn paper_of(
    letter: &Letter,
    manner: Manner,
    settings: &Settings,
) -> Result<Paper, Finding> {
    let refusal = |code, detail: String| {
        let place = Place::message(letter.message.position);
        Finding::new(code, place, detail)
    };
    if let Some((code, detail)) = fault_of_address_page(letter) {
        return Err(refusal(code, detail.to_owned()));
    }
    let sheets = own_sheets(letter).saturating_add(u32::from(letter.address_page));
    Paper::of(sheets, manner, settings).map_err(|misfit| refusal(misfit.code(), misfit.detail()))
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

#[cfg(test)]
mod tests;
