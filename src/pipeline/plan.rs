//! Letters that are in no bundle yet become bundles: rows, and no file.

use super::{
    Error, House, PrintHouseSettings, SenderSettings,
    compose::{letter, print_house},
    documents::Letters,
};
use crate::{
    print::{self, PlannedBundle, Planner},
    store::{BatchRow, BundleGroup, NewBundle, NewPiece},
};

/// Messages loaded at a time.
const PAGE: u32 = 1_000;

pub(super) fn has_letters_to_plan(house: &House, row: &BatchRow) -> Result<bool, Error> {
    Ok(!house.store.messages_to_plan(row.id, 0, 1)?.is_empty())
}

/// Plans all letters that are in no bundle yet. Returns how many were refused.
///
/// Page by page, since a plan needs much less of a message than its row holds.
pub(super) fn run(
    house: &House,
    sender: &SenderSettings,
    row: &BatchRow,
    letters: &Letters<'_>,
) -> Result<usize, Error> {
    let (mut after, mut refused) = (0, 0);
    let mut page = house.store.messages_to_plan(row.id, after, PAGE)?;
    if page.is_empty() {
        return Ok(0);
    }
    let print_house = print_house(house, sender)?;
    let mut planner = Planner::new(&print_house.print);
    while let Some(last) = page.last() {
        after = last.id.position;
        for stored in page {
            let letter = letter(sender, stored);
            if let Err(finding) = planner.add(&letter, letters.bytes_of(&letter.pages)) {
                house.store.refuse_message(letter.message, &finding)?;
                refused += 1;
            }
        }
        page = house.store.messages_to_plan(row.id, after, PAGE)?;
    }
    let bundles = planner.finish();
    let bundles = bundles.map(|bundle| new_bundle(print_house, &bundle));
    let now = house.clock.now();
    house.store.record_plan(row.id, bundles, now)?;
    Ok(refused)
}

/// How the store has what the pieces of a bundle have in common.
pub(super) fn stored_group(group: &print::Group) -> BundleGroup {
    BundleGroup {
        postage: group.postage,
        postage_code: group.postage_code.clone(),
        registered: group.registered,
        colour: group.colour,
        duplex: group.duplex,
        envelope: group.envelope.clone(),
        foreign: group.destination == print::Destination::Foreign,
    }
}

fn new_bundle(print_house: &PrintHouseSettings, bundle: &PlannedBundle) -> NewBundle {
    let piece = |letter: &print::PlacedLetter| NewPiece {
        position: letter.position,
        sequence: letter.sequence,
        first_page: letter.first_page,
        pages: letter.pages,
        sheets: letter.sheets,
    };
    NewBundle {
        print_house: print_house.id.clone(),
        group: stored_group(&bundle.group),
        pieces: bundle.letters.iter().map(piece).collect(),
    }
}
