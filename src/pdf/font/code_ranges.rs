//! Ranges of codes, and what they map to.

/// Ranges of codes with what their first code maps to. Where they overlap, the later one holds.
pub(super) struct CodeRanges<T> {
    ranges: Vec<CodeRange<T>>,
}

struct CodeRange<T> {
    first: u32,
    last: u32,
    to: T,
}

/// More than the characters of any font; past it, ranges are passed over.
pub(super) const MOST_RANGES: usize = 1 << 17;

/// How many ranges that begin before a code are looked at. In honest maps they do not overlap.
const MOST_OVERLAPS: usize = 16;

impl<T: Copy> CodeRanges<T> {
    pub(super) fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    pub(super) fn push(&mut self, first: u32, last: u32, to: T) {
        if first <= last && !self.is_full() {
            self.ranges.push(CodeRange { first, last, to });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.ranges.len() >= MOST_RANGES
    }

    /// To be called between the last push and the first look.
    pub(super) fn sort(&mut self) {
        self.ranges.sort_by_key(|range| range.first);
    }

    /// How far the code stands behind the first of its range, and what that maps to.
    pub(super) fn find(&self, code: u32) -> Option<(u32, T)> {
        let end = self.ranges.partition_point(|range| range.first <= code);
        let before = self.ranges.get(..end)?.iter().rev();
        let mut near = before.take(MOST_OVERLAPS);
        let range = near.find(|range| code <= range.last)?;
        Some((code - range.first, range.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_its_range_and_the_later_of_two_holds() {
        let mut ranges = CodeRanges::new();
        ranges.push(10, 20, 'a');
        ranges.push(30, 30, 'b');
        ranges.push(12, 13, 'c');
        ranges.push(30, 30, 'd');
        ranges.push(5, 4, 'e');
        ranges.sort();
        let found = |code| ranges.find(code);
        assert_eq!(found(10), Some((0, 'a')));
        assert_eq!(found(13), Some((1, 'c')));
        assert_eq!(found(20), Some((10, 'a')));
        assert_eq!(found(30), Some((0, 'd')));
        for outside in [0, 5, 9, 21, 31, u32::MAX] {
            assert_eq!(found(outside), None);
        }
    }

    #[test]
    fn ranges_are_kept_up_to_the_limit() {
        let mut ranges = CodeRanges::new();
        for code in 0..=u32::try_from(MOST_RANGES).unwrap() {
            ranges.push(code, code, code);
        }
        assert_eq!(ranges.ranges.len(), MOST_RANGES);
        let last = u32::try_from(MOST_RANGES).unwrap() - 1;
        assert_eq!(ranges.find(last), Some((0, last)));
        assert_eq!(ranges.find(last + 1), None);
    }
}
