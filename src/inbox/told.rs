use std::collections::{HashMap, HashSet};

/// What the operator has been told of files, so that it is told once. It holds no more than files
/// that are there, and never more than [`MOST`].
#[derive(Debug, Default)]
pub(super) struct Told {
    of: HashMap<String, String>,
    is_full: bool,
}

/// What to do with something that could be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tell {
    Now,
    /// It is known, or there is too much of it.
    No,
    /// This is the first that is one too many: say that the rest is not told.
    AndNoMore,
}

const MOST: usize = 2_000;

impl Told {
    /// Whether `what` is news about the file.
    pub(super) fn tell(&mut self, name: &str, what: &str) -> Tell {
        if self.of.get(name).is_some_and(|known| known == what) {
            return Tell::No;
        }
        if self.of.len() < MOST || self.of.contains_key(name) {
            self.of.insert(name.to_owned(), what.to_owned());
            return Tell::Now;
        }
        if self.is_full {
            return Tell::No;
        }
        self.is_full = true;
        Tell::AndNoMore
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.of.remove(name);
    }

    /// Forgets what was told of files that are gone.
    pub(super) fn keep_only(&mut self, names: &HashSet<&str>) {
        self.of.retain(|name, _| names.contains(name.as_str()));
        self.is_full &= self.of.len() >= MOST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_told_once_and_another_of_the_same_file_once_more() {
        let mut told = Told::default();
        let tells = ["a", "a", "b", "b"].map(|what| told.tell("x.txt", what));
        assert_eq!(tells, [Tell::Now, Tell::No, Tell::Now, Tell::No]);
        told.keep_only(&HashSet::new());
        assert_eq!(told.tell("x.txt", "b"), Tell::Now);
    }

    #[test]
    fn the_last_one_that_fits_is_told_and_one_past_it_is_not() {
        let mut told = Told::default();
        for number in 0..MOST {
            assert_eq!(told.tell(&number.to_string(), "a"), Tell::Now);
        }
        assert_eq!(told.tell("one more", "a"), Tell::AndNoMore);
        assert_eq!(told.tell("two more", "a"), Tell::No);
        assert_eq!(told.of.len(), MOST);
        assert_eq!(told.tell("0", "b"), Tell::Now);
        told.keep_only(&HashSet::from(["0"]));
        assert_eq!(told.tell("one more", "a"), Tell::Now);
    }
}
