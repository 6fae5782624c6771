use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::Row;

use super::{DOING, Look, collect};
use crate::{
    domain::{BatchId, BundleId, HandOverFacts, OutgoingState},
    store::{
        Error, SpoolKey,
        columns::{Columns, Word},
        error::Doing,
        verify::{Verification, files::NamedFile},
    },
};

impl Look<'_> {
    /// By bundle: how many hand-overs it has, and the state of the last.
    pub(super) fn hand_overs(
        &mut self,
        options: &Verification,
        files: &mut Vec<NamedFile>,
    ) -> Result<HashMap<BundleId, (u64, OutgoingState)>, Error> {
        let sql = "SELECT *, due_at IS NOT NULL AS is_due, held_at IS NOT NULL AS is_held,
                handed_over_at IS NOT NULL AS was_handed_over
             FROM outgoing WHERE batch = ? ORDER BY id";
        let rows = collect(&mut self.query(sql)?, self.row.id, hand_over)?;
        let mut of_bundles = HashMap::new();
        for row in rows {
            let about = row.about(self.row.id);
            let Some(state) = OutgoingState::of(&row.state) else {
                self.unknown(&about, &row.state);
                continue;
            };
            let is_here = row.bundle.is_none() || self.row.payload_purged_at.is_none();
            let named = self.files_of(row.id)?;
            let facts = HandOverFacts {
                state,
                files: if is_here { named.len() as u64 } else { 1 },
                ..row.facts
            };
            self.found.add_all(&about, facts.broken());
            self.lease(&about, row.lease_until, options);
            if is_here && state != OutgoingState::Withdrawn {
                files.extend(named);
            }
            if let Some(bundle) = row.bundle {
                let (count, _) = of_bundles.get(&bundle).copied().unwrap_or((0, state));
                of_bundles.insert(bundle, (count + 1, state));
            }
        }
        Ok(of_bundles)
    }

    fn files_of(&self, outgoing: i64) -> Result<Vec<NamedFile>, Error> {
        let sql = "SELECT spool, bytes, sha256 FROM outgoing_files WHERE outgoing = ?";
        let mut query = self.query(sql)?;
        let rows = query.query_map([outgoing], |row| {
            Ok(NamedFile {
                key: SpoolKey(row.get("spool")?),
                bytes: row.get("bytes")?,
                sha256: row.get("sha256")?,
            })
        });
        rows.doing(DOING)?.collect::<Result<_, _>>().doing(DOING)
    }
}

struct HandOver {
    id: i64,
    bundle: Option<BundleId>,
    kind: String,
    state: String,
    lease_until: Option<Timestamp>,
    /// But for its state and files.
    facts: HandOverFacts,
}

impl HandOver {
    /// `P-0031`, or `processing of B-0007`.
    fn about(&self, batch: BatchId) -> String {
        match self.bundle {
            Some(bundle) => bundle.to_string(),
            None => format!("{} of {batch}", self.kind),
        }
    }
}

fn hand_over(row: &Row<'_>) -> rusqlite::Result<HandOver> {
    Ok(HandOver {
        id: row.get("id")?,
        bundle: row.maybe_bundle("bundle")?,
        kind: row.get("kind")?,
        state: row.get("state")?,
        lease_until: row.maybe_time("lease_until")?,
        facts: HandOverFacts {
            state: OutgoingState::Due,
            is_due: row.get("is_due")?,
            is_held: row.get("is_held")?,
            was_handed_over: row.get("was_handed_over")?,
            files: 0,
        },
    })
}
