use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    batch::{document::Lent, kept::Kept},
    domain::DocumentName,
    pdf::Document,
};

/// The documents of an archive that several letters share, as far as they stand open.
///
/// One is opened when the first page of messages names it, and stays open for the others.
pub(super) struct SharedDocuments<'d> {
    pub(super) kept: &'d Kept,
    standing: HashMap<DocumentName, Standing<'d>>,
}

/// A shared document whose bytes stay.
pub(super) struct Standing<'d> {
    pub(super) lent: Lent<'d>,
    /// `None` where it was closed to make room.
    pub(super) document: Option<Document<'d>>,
}

/// Bytes that all open documents together may hold between two pages of messages, beside their
/// files; a little more, since one of them always stays open. Two million pages hold less.
const MOST_HELD: u64 = 256 << 20;

impl<'d> SharedDocuments<'d> {
    pub(super) fn new(kept: &'d Kept) -> Self {
        Self {
            kept,
            standing: HashMap::new(),
        }
    }

    pub(super) fn get(&self, name: &DocumentName) -> Option<&Standing<'d>> {
        self.standing.get(name)
    }

    pub(super) fn stand(&mut self, name: DocumentName, standing: Standing<'d>) {
        self.standing.insert(name, standing);
    }

    /// How much room there is for more; where that is little, those that are not wanted are closed.
    pub(super) fn room(&mut self, is_wanted: impl Fn(&DocumentName) -> bool) -> Room {
        if self.held() > MOST_HELD / 2 {
            for (name, standing) in &mut self.standing {
                standing.document.take_if(|_| !is_wanted(name));
            }
        }
        Room {
            left: AtomicU64::new(MOST_HELD.saturating_sub(self.held())),
        }
    }

    fn held(&self) -> u64 {
        let open = self.standing.values();
        let open = open.filter_map(|standing| standing.document.as_ref());
        open.map(Document::held_bytes).sum()
    }
}

/// Bytes that documents may still hold. Shared between threads.
pub(super) struct Room {
    left: AtomicU64,
}

impl Room {
    /// Whether the document may stay open.
    pub(super) fn takes(&self, document: &Document<'_>) -> bool {
        let held = document.held_bytes();
        let take = |left: u64| (left > 0).then(|| left.saturating_sub(held));
        let taken = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        taken.is_ok()
    }
}
