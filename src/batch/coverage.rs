/// Which pages of a document some letter has claimed: the control total of page ranges.
#[derive(Debug, Clone, Default)]
pub(super) struct Coverage {
    /// One bit a page, page 1 first.
    words: Vec<u64>,
    pages: u32,
}

/// Pages `first` to `last` of a document, 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Coverage {
    pub(super) fn of(pages: u32) -> Self {
        let words = usize::try_from(pages.div_ceil(64)).unwrap_or_default();
        Self {
            words: vec![0; words],
            pages,
        }
    }

    /// Claims pages that are in the document; the first one that was claimed before is told.
    pub(super) fn claim(&mut self, first: u32, last: u32) -> Result<(), u32> {
        let mut taken = None;
        for page in first..=last.min(self.pages) {
            if self.is_claimed(page) {
                taken = taken.or(Some(page));
            }
            self.set(page);
        }
        taken.map_or(Ok(()), Err)
    }

    /// The stretches that nobody has claimed, in order.
    pub(super) fn gaps(&self) -> impl Iterator<Item = Stretch> + '_ {
        let mut next = 1;
        std::iter::from_fn(move || {
            let first = (next..=self.pages).find(|&page| !self.is_claimed(page))?;
            let end = (first..=self.pages).find(|&page| self.is_claimed(page));
            let last = end.map_or(self.pages, |end| end - 1);
            next = last.saturating_add(1);
            Some(Stretch { first, last })
        })
    }

    fn is_claimed(&self, page: u32) -> bool {
        let (word, bit) = place(page);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    fn set(&mut self, page: u32) {
        let (word, bit) = place(page);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }
}

fn place(page: u32) -> (usize, u64) {
    let at = page.saturating_sub(1);
    (
        usize::try_from(at / 64).unwrap_or(usize::MAX),
        1 << (at % 64),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(coverage: &Coverage) -> Vec<(u32, u32)> {
        coverage.gaps().map(|gap| (gap.first, gap.last)).collect()
    }

    #[test]
    fn pages_that_nobody_claims_are_gaps() {
        let mut coverage = Coverage::of(130);
        assert_eq!(gaps(&coverage), [(1, 130)]);
        assert_eq!(coverage.claim(1, 63), Ok(()));
        assert_eq!(coverage.claim(66, 128), Ok(()));
        assert_eq!(gaps(&coverage), [(64, 65), (129, 130)]);
        assert_eq!(coverage.claim(129, 130), Ok(()));
        assert_eq!(coverage.claim(64, 65), Ok(()));
        assert_eq!(gaps(&coverage), []);
    }

    #[test]
    fn a_page_claimed_twice_is_told() {
        let mut coverage = Coverage::of(10);
        assert_eq!(coverage.claim(2, 5), Ok(()));
        assert_eq!(coverage.claim(4, 6), Err(4));
        assert_eq!(coverage.claim(6, 6), Err(6));
    }

    #[test]
    fn a_document_without_pages_has_no_gap() {
        assert_eq!(gaps(&Coverage::of(0)), []);
    }
}
