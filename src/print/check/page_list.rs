use std::fmt;

/// Pages of a document that have something in common: `pages 1, 3 and 12 more`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PageList {
    /// The first ones, at most [`NAMED`].
    first: Vec<u32>,
    count: u32,
    last: u32,
}

/// Pages that are named; the others are counted.
const NAMED: usize = 3;

impl PageList {
    /// Pages come in their order; one that is there already is not counted again.
    pub(super) fn add(&mut self, page: u32) {
        if self.count > 0 && self.last == page {
            return;
        }
        self.last = page;
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(page);
        }
    }

    pub(super) fn first(&self) -> Option<u32> {
        self.first.first().copied()
    }
}

impl fmt::Display for PageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first.as_slice(), self.count) {
            ([page], _) => write!(f, "page {page}"),
            ([one, two], _) => write!(f, "pages {one} and {two}"),
            ([one, two, three], 3) => write!(f, "pages {one}, {two} and {three}"),
            ([one, two, ..], count) => write!(f, "pages {one}, {two} and {} more", count - 2),
            ([], _) => f.write_str("no page"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_named_up_to_three_and_then_counted() {
        let told = |pages: &[u32]| {
            let mut list = PageList::default();
            for page in pages {
                list.add(*page);
            }
            list.to_string()
        };
        assert_eq!(told(&[7, 7]), "page 7");
        assert_eq!(told(&[1, 3]), "pages 1 and 3");
        assert_eq!(told(&[1, 3, 4]), "pages 1, 3 and 4");
        assert_eq!(told(&[1, 3, 4, 9]), "pages 1, 3 and 2 more");
    }
}
