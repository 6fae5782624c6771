use std::collections::BTreeMap;

use crate::domain::{Code, Finding, Place, without_identity_codes};

/// What control data holds that nobody here uses: counted by kind, so that 100,000 letters with
/// one strange attribute make one remark.
#[derive(Debug, Default)]
pub(in crate::batch) struct Unknown {
    kinds: BTreeMap<String, Seen>,
    beyond: u64,
}

#[derive(Debug)]
struct Seen {
    first: Place,
    times: u64,
}

/// Someone may give every letter an attribute of its own name.
const MAX_KINDS: usize = 50;
const MAX_NAME_CHARS: usize = 60;

impl Unknown {
    pub(super) fn element(&mut self, name: &str, place: Place) {
        self.note(format!("element `{}`", shortened(name)), place);
    }

    pub(super) fn attribute(&mut self, element: &str, name: &str, place: Place) {
        let (element, name) = (shortened(element), shortened(name));
        self.note(format!("attribute `{name}` of `{element}`"), place);
    }

    pub(super) fn column(&mut self, name: &str, place: Place) {
        self.note(format!("column `{}`", shortened(name)), place);
    }

    pub(super) fn note(&mut self, kind: String, place: Place) {
        let first = Seen {
            first: place,
            times: 1,
        };
        self.add(kind, first);
    }

    /// Adds what another file of the same batch holds.
    pub(in crate::batch) fn absorb(&mut self, other: Self) {
        self.beyond += other.beyond;
        for (kind, seen) in other.kinds {
            self.add(kind, seen);
        }
    }

    fn add(&mut self, kind: String, seen: Seen) {
        if let Some(known) = self.kinds.get_mut(&kind) {
            known.times += seen.times;
        } else if self.kinds.len() < MAX_KINDS {
            self.kinds.insert(kind, seen);
        } else {
            self.beyond += seen.times;
        }
    }

    /// One informational finding a kind.
    pub(in crate::batch) fn findings(&self) -> Vec<Finding> {
        let finding = |place, detail| Finding::new(Code::ControlDataUnknown, place, detail);
        let kinds = self.kinds.iter().map(|(kind, seen)| {
            let times = match seen.times {
                1 => "once".to_owned(),
                times => format!("{times} times"),
            };
            finding(seen.first.clone(), format!("{kind}, {times}"))
        });
        let beyond = (self.beyond > 0).then(|| {
            finding(
                Place::batch(),
                format!("{} more of other kinds", self.beyond),
            )
        });
        kinds.chain(beyond).collect()
    }
}

/// The name as findings may repeat it: a table without its header row has a person's identity
/// code, or a line break, where names of columns are read.
fn shortened(name: &str) -> String {
    let is_odd = |c: char| c.is_control();
    // More than is told, so that no code is cut in two before it is hidden.
    let head: String = name.chars().take(2 * MAX_NAME_CHARS).collect();
    let hidden = without_identity_codes(&head).replace(is_odd, " ");
    hidden.chars().take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_a_value_gives_nobody_away() {
        let code = "010190Y900P";
        let cases = [
            (code.to_owned(), "[hidden]".to_owned()),
            (
                format!("{}{code}", "x".repeat(55)),
                format!("{}[hidd", "x".repeat(55)),
            ),
            (
                code.repeat(20),
                "[hidden]".repeat(8).chars().take(60).collect(),
            ),
            ("a\nb\u{1}".to_owned(), "a b ".to_owned()),
        ];
        for (name, told) in cases {
            assert_eq!(shortened(&name), told);
        }
    }

    #[test]
    fn each_kind_is_told_once_and_the_kinds_are_bounded() {
        let mut unknown = Unknown::default();
        let mut other = Unknown::default();
        other.attribute("Letter", "colour", Place::batch().on_line(7));
        for line in 1..=3 {
            unknown.attribute("Letter", "colour", Place::batch().on_line(line));
        }
        for kind in 1..MAX_KINDS + 2 {
            unknown.element(&format!("x{kind:02}"), Place::batch());
        }
        unknown.absorb(other);
        let findings = unknown.findings();
        assert_eq!(findings.len(), MAX_KINDS + 1);
        assert_eq!(
            findings[0].detail,
            "attribute `colour` of `Letter`, 4 times"
        );
        assert_eq!(findings[0].place.line, Some(1));
        assert_eq!(findings[MAX_KINDS].detail, "2 more of other kinds");
    }
}
