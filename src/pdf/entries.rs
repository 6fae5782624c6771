//! Where the objects of a file stand, by number: dense where the numbers are, sparse where they are
//! not.
//!
//! A file may give its three objects the numbers 1, 2 and 8,000,000. What is held then is three
//! entries and not eight million: memory and time follow what the file says, not how high it counts.

use std::collections::BTreeMap;

/// Where an object stands, by the cross-references.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Entry {
    #[default]
    Absent,
    /// Gone, in a file that is damaged: what refers to it must not be printed without it.
    Lost,
    /// Offset of its `n g obj` from the start of the file.
    InFile(usize),
    /// In an object stream, at that index.
    InStream { stream: u32, index: u32 },
}

/// Entries as they are found, in any order of their numbers.
#[derive(Default)]
pub(super) struct Settling {
    /// By number from 0; `None` where nothing was said.
    dense: Vec<Option<Entry>>,
    sparse: BTreeMap<u32, Entry>,
    settled: usize,
}

/// A file may number its objects with so many gaps before its numbers count as sparse.
const GAPS: usize = 64;

impl Settling {
    /// Sets an entry whatever was said of that number before.
    pub(super) fn put(&mut self, number: u32, entry: Entry) {
        let index = number as usize;
        if index >= self.dense.len() && index < self.warranted() {
            self.widen(index + 1);
        }
        let before = match self.dense.get_mut(index) {
            Some(slot) => slot.replace(entry),
            None => self.sparse.insert(number, entry),
        };
        self.settled += usize::from(before.is_none());
    }

    /// What was said of that number; `None` where nothing was.
    pub(super) fn get(&self, number: u32) -> Option<Entry> {
        match self.dense.get(number as usize) {
            Some(slot) => *slot,
            None => self.sparse.get(&number).copied(),
        }
    }

    /// How many numbers something was said of.
    pub(super) fn settled(&self) -> usize {
        self.settled
    }

    /// One more than the highest number of which something was said.
    pub(super) fn end(&self) -> u32 {
        let sparse = self.sparse.last_key_value().map(|(number, _)| *number);
        let dense = self.dense.iter().rposition(Option::is_some);
        let dense = dense.and_then(|index| u32::try_from(index).ok());
        sparse.or(dense).map_or(0, |last| last.saturating_add(1))
    }

    /// Number and entry, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Entry)> {
        let dense = (0..).zip(&self.dense);
        let dense = dense.filter_map(|(number, slot)| Some((number, (*slot)?)));
        let sparse = self.sparse.iter().map(|(number, entry)| (*number, *entry));
        dense.chain(sparse)
    }

    /// How many numbers from 0 on the entries that there are make worth a slot each.
    fn warranted(&self) -> usize {
        self.settled.saturating_mul(2).saturating_add(GAPS)
    }

    fn widen(&mut self, length: usize) {
        self.dense.resize(length, None);
        while let Some(first) = self.sparse.first_entry() {
            let Some(slot) = self.dense.get_mut(*first.key() as usize) else {
                break;
            };
            *slot = Some(first.remove());
        }
    }

    pub(super) fn finish(mut self) -> Entries {
        let warranted = u32::try_from(self.warranted()).unwrap_or(u32::MAX);
        if let Some((last, _)) = self.sparse.range(..warranted).next_back() {
            self.widen(*last as usize + 1);
        }
        let dense = self.dense.into_iter().map(Option::unwrap_or_default);
        Entries {
            dense: dense.collect(),
            sparse: self.sparse.into_iter().collect(),
        }
    }
}

/// The entries of a file, settled. Each number that has one has a slot too: a place for it in tables
/// that are no longer than [`Entries::slots`].
#[derive(Default)]
pub(super) struct Entries {
    dense: Vec<Entry>,
    /// Of higher numbers, ascending.
    sparse: Vec<(u32, Entry)>,
}

impl Entries {
    pub(super) fn get(&self, number: u32) -> Entry {
        match self.dense.get(number as usize) {
            Some(entry) => *entry,
            None => self.get_sparse(number),
        }
    }

    fn get_sparse(&self, number: u32) -> Entry {
        let entry = self.position(number).and_then(|at| self.sparse.get(at));
        entry.map_or(Entry::Absent, |(_, entry)| *entry)
    }

    /// `None` for a number without an entry.
    pub(super) fn slot(&self, number: u32) -> Option<usize> {
        let index = number as usize;
        if index < self.dense.len() {
            return Some(index);
        }
        self.position(number).map(|at| self.dense.len() + at)
    }

    pub(super) fn slots(&self) -> usize {
        self.dense.len() + self.sparse.len()
    }

    fn position(&self, number: u32) -> Option<usize> {
        let found = self
            .sparse
            .binary_search_by_key(&number, |(known, _)| *known);
        found.ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Entry> {
        let sparse = self.sparse.iter().map(|(_, entry)| *entry);
        self.dense.iter().copied().chain(sparse)
    }

    pub(super) fn held_bytes(&self) -> usize {
        size_of_val(self.dense.as_slice()).saturating_add(size_of_val(self.sparse.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settled(numbers: impl IntoIterator<Item = u32>) -> Entries {
        let mut settling = Settling::default();
        for number in numbers {
            settling.put(number, Entry::InFile(number as usize));
        }
        settling.finish()
    }

    #[test]
    fn a_number_costs_an_entry_however_high_it_is() {
        assert_eq!(settled([8_000_000]).slots(), 1);
        assert_eq!(settled([1, 2, 8_000_000, u32::MAX]).slots(), 5);
        let every_hundredth = settled((0..10_000).map(|number| number * 100));
        assert!(every_hundredth.slots() <= 3 * 10_000 + GAPS);
    }

    #[test]
    fn numbers_without_gaps_cost_sixteen_bytes_each_in_whatever_order() {
        assert_eq!(settled(0..100_000).held_bytes(), 1_600_000);
        assert_eq!(settled((0..100_000).rev()).held_bytes(), 1_600_000);
        let two_sections = (60_000..100_000).chain(0..60_000);
        assert_eq!(settled(two_sections).held_bytes(), 1_600_000);
    }

    #[test]
    fn the_end_is_behind_the_highest_number() {
        let mut settling = Settling::default();
        assert_eq!(settling.end(), 0);
        for (number, end) in [(3, 4), (1, 4), (9_000, 9_001)] {
            settling.put(number, Entry::Absent);
            assert_eq!(settling.end(), end);
        }
    }

    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(prop_oneof![0..300_u32, 0..3_000_u32, any::<u32>()], 0..400)
    }

    proptest! {
        #[test]
        fn what_was_put_last_is_found_and_slots_are_never_shared(numbers in numbers()) {
            let mut expected = BTreeMap::new();
            let mut settling = Settling::default();
            for (at, number) in numbers.into_iter().enumerate() {
                settling.put(number, Entry::InFile(at));
                expected.insert(number, Entry::InFile(at));
                prop_assert_eq!(settling.get(number), Some(Entry::InFile(at)));
            }
            prop_assert_eq!(settling.settled(), expected.len());
            prop_assert!(settling.iter().eq(expected.iter().map(|(number, entry)| (*number, *entry))));
            let entries = settling.finish();
            prop_assert!(entries.slots() <= 3 * expected.len() + GAPS);
            let mut slots: Vec<_> = expected.keys().map(|number| entries.slot(*number)).collect();
            slots.sort_unstable();
            slots.dedup();
            prop_assert_eq!(slots.len(), expected.len());
            prop_assert!(slots.into_iter().all(|slot| slot.is_some_and(|slot| slot < entries.slots())));
            for (number, entry) in &expected {
                prop_assert_eq!(entries.get(*number), *entry);
            }
        }
    }
}
