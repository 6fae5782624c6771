//! Holds every room to the table of `ARCHITECTURE.md`: which rooms it may name, and, for the pure
//! ones, which words of the outer world it may not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Words that a pure room does not contain.
const OUTER_WORLD: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "russh",
    "rusqlite",
    "rustix",
    "::now(",
    "memmap2",
    "tempfile",
];

struct Source {
    room: String,
    path: PathBuf,
    text: String,
}

#[test]
fn no_room_names_a_room_that_the_table_does_not_allow() {
    let table = table();
    let mut wrong = Vec::new();
    for source in sources() {
        let allowed = &table[&source.room];
        for named in named_rooms(&source.text) {
            if named != source.room && !allowed.contains(&named) {
                let (path, room) = (source.path.display(), &source.room);
                wrong.push(format!("{path}: `{room}` may not name `{named}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_in_the_table_and_every_row_is_a_room() {
    let rooms: BTreeSet<_> = sources().into_iter().map(|source| source.room).collect();
    let rows: BTreeSet<_> = table().into_keys().collect();
    assert_eq!(rooms, rows);
}

#[test]
fn the_table_has_no_cycle() {
    let mut left = table();
    while !left.is_empty() {
        let names: BTreeSet<_> = left.keys().cloned().collect();
        let free: Vec<_> = left
            .iter()
            .filter(|(_, allowed)| allowed.is_disjoint(&names))
            .map(|(room, _)| room.clone())
            .collect();
        assert!(!free.is_empty(), "a cycle among {names:?}");
        left.retain(|room, _| !free.contains(room));
    }
}

#[test]
fn pure_rooms_know_nothing_of_the_outer_world() {
    let pure = pure_rooms();
    assert!(
        pure.contains("domain"),
        "no pure rooms found in ARCHITECTURE.md"
    );
    let mut wrong = Vec::new();
    for source in sources()
        .iter()
        .filter(|source| pure.contains(&source.room))
    {
        let code = without_comments(&source.text);
        for word in OUTER_WORLD.iter().filter(|word| code.contains(*word)) {
            wrong.push(format!("{}: `{word}`", source.path.display()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_named_room_is_found_in_every_form_of_a_path() {
    let text = "use crate::{\n    domain::{Batch, x::Y},\n    pdf,\n    store::{self, Z},\n};\n
        fn f(a: crate::print::Plan) {} // crate::comment::no";
    let named: Vec<_> = named_rooms(text).into_iter().collect();
    assert_eq!(named, ["domain", "pdf", "print", "store"]);
}

/// The rows of the table in `ARCHITECTURE.md`: room → rooms that it may name.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let mut table = BTreeMap::new();
    for row in architecture()
        .lines()
        .filter(|line| line.starts_with("| `"))
    {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let names = |cell: &str| -> BTreeSet<String> {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        for room in names(cells[0]) {
            assert!(
                table.insert(room.clone(), names(cells[1])).is_none(),
                "{room} has two rows"
            );
        }
    }
    table
}

/// Rooms whose row says `pure` in its third cell.
fn pure_rooms() -> BTreeSet<String> {
    let is_pure = |line: &&str| line.starts_with("| `") && line.contains("| pure");
    let architecture = architecture();
    let rows = architecture.lines().filter(is_pure);
    let names = rows.flat_map(|row| {
        row.trim_matches('|')
            .split('|')
            .next()
            .unwrap()
            .split('`')
            .skip(1)
            .step_by(2)
    });
    names.map(str::to_owned).collect()
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join("src"), &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let room = room_of(&path);
            if let Some(room) = room {
                found.push(Source { room, path, text });
            }
        }
    }
}

/// `src/print/plan.rs` and `src/print.rs` are in `print`; `lib.rs` and `main.rs` are doors, not rooms.
fn room_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_str()
        .unwrap();
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (room != "lib" && room != "main").then(|| room.to_owned())
}

fn named_rooms(text: &str) -> BTreeSet<String> {
    let code = without_comments(text);
    let mut named = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let path = &code[at + "crate::".len()..];
        if let Some(group) = path.strip_prefix('{') {
            named.extend(first_words_of_group(group));
        } else {
            named.extend(first_word(path));
        }
    }
    named
}

/// The first word of each path in `a::{b, c}, d::e, f}`.
fn first_words_of_group(group: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut depth, mut at_start) = (0_u32, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && depth == 0 && !c.is_whitespace() => {
                words.extend(first_word(&group[at..]));
                at_start = false;
            }
            _ => {}
        }
    }
    words
}

fn first_word(path: &str) -> Option<String> {
    let word: String = path
        .chars()
        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
        .collect();
    (!word.is_empty()).then_some(word)
}

fn without_comments(text: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}
