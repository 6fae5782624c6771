//! The points: where a process was killed or is to be, what a run has passed, what the sources have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};

use crate::program::files_below;

/// Which of the processes of a house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Daemon,
    /// What an operator types.
    Command,
}

/// A process ends at the n-th pass of a point.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kill {
    pub(super) who: Who,
    pub(super) point: String,
    pub(super) pass: u64,
}

impl Kill {
    /// As `KUORI_CRASH_AT` takes it.
    pub(super) fn at(&self) -> String {
        format!("{}#{}", self.point, self.pass)
    }
}

impl fmt::Display for Kill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {}", self.who, self.at())
    }
}

/// How often each point was passed.
#[derive(Debug, Default)]
pub(super) struct Passed(pub(super) BTreeMap<(Who, String), u64>);

impl Passed {
    /// Counts what `KUORI_CRASH_LOG` has collected.
    pub(super) fn count(&mut self, who: Who, log: &Path) {
        for line in fs::read_to_string(log).unwrap_or_default().lines() {
            *self.0.entry((who, line.to_owned())).or_default() += 1;
        }
    }

    /// Names as `<effect>/<what>`.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let names = self
            .0
            .keys()
            .filter_map(|(_, point)| point.rsplit_once('/'));
        names.map(|(name, _side)| name.to_owned()).collect()
    }
}

/// All points that the sources have, as `<effect>/<what>`.
pub(super) fn in_sources() -> BTreeSet<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for path in files_below(&src) {
        let is_source = path.extension().is_some_and(|ending| ending == "rs");
        if is_source && !path.ends_with("crash_points.rs") {
            collect(&fs::read_to_string(path).unwrap(), &mut found);
        }
    }
    found
}

fn collect(text: &str, found: &mut BTreeSet<String>) {
    for (call, effect) in [
        ("around_remote(", Some("remote")),
        ("around(", None),
        ("crash_points::before(", None),
        ("self.write(", Some("commit")),
        ("self.change(", Some("commit")),
        ("self.free(", Some("commit")),
    ] {
        for (at, _) in text.match_indices(call) {
            let words = first_words(&text[at + call.len()..]);
            let point = match (effect, words.as_slice()) {
                (Some("commit"), []) => said_before(text, at).map(|what| format!("commit/{what}")),
                (Some(effect), [what, ..]) => Some(format!("{effect}/{what}")),
                (None, [effect]) if effect == "commit" => {
                    said_before(text, at).map(|what| format!("commit/{what}"))
                }
                (None, [effect, what, ..]) => Some(format!("{effect}/{what}")),
                _ => None,
            };
            found.extend(point);
        }
    }
}

/// The string literals that a list of arguments begins with.
fn first_words(arguments: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = arguments.trim_start();
    while let Some(quoted) = rest.strip_prefix('"') {
        let Some((word, after)) = quoted.split_once('"') else {
            break;
        };
        words.push(word.to_owned());
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    words
}

/// What `doing` was set to last before `at`, in the same function.
fn said_before(text: &str, at: usize) -> Option<String> {
    let before = &text[..at];
    let body = &before[before.rfind("fn ").unwrap_or(0)..];
    let said = body.rsplit_once("let doing = \"")?.1;
    said.split_once('"').map(|(word, _)| word.to_owned())
}

#[test]
fn points_are_found_in_every_form_of_a_call() {
    let mut found = BTreeSet::new();
    let text = r#"
        fn a() { let doing = "do b"; self.write(doing, |tx| {}) }
        fn c(doing: &str) { self.write(doing, |tx| {}) }
        fn d() { self.write("do d", |tx| {}); self.change(
            "do e", 1); self.free("do i", 1) }
        fn f() { let doing = "do f"; around("commit", doing, || 1) }
        fn g() { around(
            "rename",
            "g: it", || 1); around_remote("g: that", 1).await }"#;
    collect(text, &mut found);
    let expected = [
        "commit/do b",
        "commit/do d",
        "commit/do e",
        "commit/do f",
        "commit/do i",
        "remote/g: that",
        "rename/g: it",
    ];
    assert_eq!(found.into_iter().collect::<Vec<_>>(), expected);
}
