use std::collections::HashMap;

use rusqlite::Row;

use super::{DOING, Look, collect};
use crate::{
    domain::{BundleFacts, BundleId, BundleState, OutgoingState},
    store::{
        Error,
        columns::{Columns, Word},
        error::Doing,
    },
};

/// How bundles stand, and which of their letters lie in one that was not withdrawn.
pub(super) struct Bundles {
    pub(super) states: HashMap<BundleId, BundleState>,
    /// Position and bundle, in this order.
    pub(super) live: Vec<(u32, BundleId)>,
    pub(super) planned: u64,
}

impl Look<'_> {
    /// Holds each bundle to its pieces and hand-overs.
    pub(super) fn bundles(
        &mut self,
        hand_overs: &HashMap<BundleId, (u64, OutgoingState)>,
    ) -> Result<Bundles, Error> {
        let sql = "SELECT id, state, pieces, letters, pages, sheets FROM bundles WHERE batch = ?";
        let rows = collect(&mut self.query(sql)?, self.row.id, counted_bundle)?;
        let mut bundles = Bundles {
            states: HashMap::new(),
            live: Vec::new(),
            planned: 0,
        };
        for (id, state, counted) in rows {
            self.found.bundles += 1;
            let Some(state) = BundleState::of(&state) else {
                self.unknown(&id, &state);
                continue;
            };
            let pieces = self.pieces(id, state, &mut bundles.live)?;
            let hand_over = hand_overs.get(&id);
            let facts = BundleFacts {
                state,
                hand_overs: hand_over.map_or(0, |(count, _)| *count),
                hand_over: hand_over.map(|(_, state)| *state),
                is_unbroken: pieces.is_unbroken,
                strangers: pieces.strangers,
                counted,
                found: pieces.found,
            };
            self.found.add_all(&id, facts.broken());
            bundles.planned += u64::from(state == BundleState::Planned);
            bundles.states.insert(id, state);
        }
        bundles.live.sort_unstable();
        Ok(bundles)
    }

    fn pieces(
        &self,
        bundle: BundleId,
        state: BundleState,
        live: &mut Vec<(u32, BundleId)>,
    ) -> Result<Pieces, Error> {
        let sql = "SELECT sequence, batch, position, pages, sheets FROM pieces WHERE bundle = ?
             ORDER BY sequence, position";
        let mut query = self.query(sql)?;
        let mut rows = query.query([bundle.0]).doing(DOING)?;
        let mut pieces = Pieces {
            is_unbroken: true,
            strangers: 0,
            found: [0; 4],
        };
        while let Some(row) = rows.next().doing(DOING)? {
            pieces.count(row).doing(DOING)?;
            if row.batch("batch").doing(DOING)? != self.row.id {
                pieces.strangers += 1;
                continue;
            }
            if state != BundleState::Withdrawn {
                live.push((row.get("position").doing(DOING)?, bundle));
            }
        }
        Ok(pieces)
    }
}

struct Pieces {
    is_unbroken: bool,
    strangers: u64,
    /// Envelopes, letters, pages, sheets.
    found: [u64; 4],
}

impl Pieces {
    /// Rows come in the order of their sequence.
    fn count(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let [last, letters, pages, sheets] = &mut self.found;
        let sequence: u64 = row.get("sequence")?;
        self.is_unbroken &= sequence == *last + 1 || sequence == *last && *letters > 0;
        *last = sequence;
        *letters += 1;
        *pages += row.get::<_, u64>("pages")?;
        *sheets += row.get::<_, u64>("sheets")?;
        Ok(())
    }
}

fn counted_bundle(row: &Row<'_>) -> rusqlite::Result<(BundleId, String, [u64; 4])> {
    let counted = [
        row.get("pieces")?,
        row.get("letters")?,
        row.get("pages")?,
        row.get("sheets")?,
    ];
    Ok((BundleId(row.get("id")?), row.get("state")?, counted))
}
