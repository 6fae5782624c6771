use std::hash::{BuildHasher, RandomState};

use unicode_normalization::UnicodeNormalization;

/// Finds an entry by its name, and the names that some system would take for the same.
///
/// Twelve bytes an entry: of a name stands here a keyed hash, the name itself in its entry alone.
/// What is hashed is the name without regard to case and Unicode form, so that one table serves
/// both questions.
#[derive(Debug)]
pub(super) struct Names {
    hashing: RandomState,
    /// In order; beside each the place of its name.
    hashes: Vec<u64>,
    places: Vec<u32>,
}

impl Names {
    /// Of names with `/` or nothing at their end: a file and a folder of one name are alike too.
    pub(super) fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let hashing = RandomState::new();
        let mut rows: Vec<_> = names
            .zip(0_u32..)
            .map(|(name, place)| (hash(&hashing, name), place))
            .collect();
        rows.sort_unstable();
        Self {
            hashes: rows.iter().map(|(hash, _)| *hash).collect(),
            places: rows.into_iter().map(|(_, place)| place).collect(),
            hashing,
        }
    }

    /// Places of names that may be this one. Nearly always there is one at most.
    pub(super) fn like(&self, name: &str) -> impl Iterator<Item = usize> {
        let sought = hash(&self.hashing, name);
        let first = self.hashes.partition_point(|hash| *hash < sought);
        let rows = self.hashes.iter().zip(&self.places).skip(first);
        rows.take_while(move |(hash, _)| **hash == sought)
            .map(|(_, place)| *place as usize)
    }

    /// Places of names that are alike, but for the first of each kind.
    pub(super) fn repeated<'n>(&self, name_at: impl Fn(usize) -> &'n str) -> Vec<usize> {
        let pairs = self.hashes.windows(2).zip(self.places.windows(2));
        let alike = pairs.filter_map(|(hashes, places)| match (hashes, places) {
            (&[one, other], &[first, second]) if one == other => {
                Some((first as usize, second as usize))
            }
            _ => None,
        });
        let mut repeated: Vec<_> = alike
            .filter(|&(first, second)| folded(name_at(first)) == folded(name_at(second)))
            .map(|(_, second)| second)
            .collect();
        repeated.sort_unstable();
        repeated
    }
}

fn hash(hashing: &RandomState, name: &str) -> u64 {
    hashing.hash_one(folded(name))
}

/// The name as a file system sees it that knows neither case nor Unicode form: decomposed,
/// case-folded, and decomposed again, since folding can compose. Upper case comes first so that
/// `ß` meets `SS`, and a final sigma any other.
///
/// Source: The Unicode Standard, section 3.13, definition D145.
fn folded(name: &str) -> String {
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let upper = name.nfd().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfd().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeated(names: &[&str]) -> Vec<usize> {
        Names::of(names.iter().copied()).repeated(|place| names[place])
    }

    #[test]
    fn names_that_some_system_takes_for_the_same_are_alike() {
        let alike = [
            ["kirje.pdf", "KIRJE.PDF"],
            ["\u{e4}.pdf", "a\u{308}.pdf"],
            ["\u{c4}.pdf", "a\u{308}.PDF"],
            ["Stra\u{df}e", "STRASSE"],
            ["\u{3c3}\u{3bf}\u{3c2}", "\u{3a3}\u{39f}\u{3a3}"],
            ["\u{212a}", "k"],
            ["kirjeet", "kirjeet/"],
        ];
        for names in alike {
            assert_eq!(repeated(&names), [1], "{names:?}");
        }
    }

    #[test]
    fn names_that_every_system_keeps_apart_are_not_alike() {
        let apart = [
            "a.pdf",
            "\u{e4}.pdf",
            "\u{e5}.pdf",
            "a_.pdf",
            "a/a.pdf",
            "aa.pdf",
        ];
        assert_eq!(repeated(&apart), [0_usize; 0]);
    }

    #[test]
    fn every_repetition_is_told_in_the_order_of_the_names() {
        assert_eq!(repeated(&["b", "a", "B", "b/", "A"]), [2, 3, 4]);
    }

    #[test]
    fn a_name_is_found_among_many() {
        let names: Vec<_> = (0..1_000).map(|number| format!("{number}.pdf")).collect();
        let table = Names::of(names.iter().map(String::as_str));
        for (place, name) in names.iter().enumerate() {
            assert_eq!(table.like(name).collect::<Vec<_>>(), [place]);
        }
        assert_eq!(table.like("x").next(), None);
    }
}
