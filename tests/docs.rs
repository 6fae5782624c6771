//! Holds the documents to the repository: links lead somewhere, commands parse, paths exist.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Folders at the top whose files a document may name.
const TOP: [&str; 8] = [
    ".ci/", "benches/", "docs/", "fuzz/", "samples/", "schemas/", "src/", "tests/",
];

struct Document {
    path: PathBuf,
    text: String,
}

#[test]
fn every_relative_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        for link in links(&document.text) {
            if !leads_somewhere(&document, link) {
                wrong.push(format!("{}: `{link}`", document.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_command_parses_as_it_stands() {
    let mut wrong = Vec::new();
    for document in documents() {
        for words in commands(&document.text) {
            if let Err(told) = help(&words) {
                let path = document.path.display();
                wrong.push(format!("{path}: `kuori {}`\n{told}", words.join(" ")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_path_of_the_repository_is_there() {
    let mut wrong = Vec::new();
    for document in documents() {
        for span in spans(&document.text) {
            let is_path = TOP.iter().any(|top| span.starts_with(top)) && !span.contains('*');
            if is_path && !root().join(span).exists() {
                wrong.push(format!("{}: `{span}`", document.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn commands_are_found_in_spans_and_in_blocks() {
    let text = "See `kuori batch list --limit 3`.\n\n```console\n$ kuori reprocess B-0007 --reason \
                \"a jam\"  # why\nerror: no\n```\n`kuori run`\n```sh\ncargo run --release -- demo | head\n```\n\
                `kuori-data`, `kuori.toml`\n";
    let found: Vec<_> = commands(text).iter().map(|words| words.join("|")).collect();
    let expected = "batch|list|--limit|3 run reprocess|B-0007|--reason|a jam demo";
    assert_eq!(found.join(" "), expected);
}

/// Whether the program takes these words: `--help` behind them is reached only if it does.
fn help(words: &[String]) -> Result<(), String> {
    let mut kuori = Command::new(env!("CARGO_BIN_EXE_kuori"));
    let ran = kuori.args(words).arg("--help").output().unwrap();
    match ran.status.code() {
        Some(0) => Ok(()),
        _ => Err(String::from_utf8_lossy(&ran.stderr).into_owned()),
    }
}

fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    for folder in ["", "docs", "fuzz", "samples"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                found.push(Document { path, text });
            }
        }
    }
    assert!(found.len() > 5, "the documents are not where they were");
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands in the brackets of `](…)`.
fn links(text: &str) -> Vec<&str> {
    let ends = text.split("](").skip(1);
    ends.filter_map(|rest| rest.split(')').next()).collect()
}

fn leads_somewhere(document: &Document, link: &str) -> bool {
    if link.contains("://") {
        return true;
    }
    let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
    let target = match file {
        "" => document.path.clone(),
        file => document.path.parent().unwrap().join(file),
    };
    if anchor.is_empty() {
        return target.exists();
    }
    let text = fs::read_to_string(target).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(anchor_of).any(|heading| heading == anchor)
}

/// `## The piece list` is reached by `#the-piece-list`.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text
        .chars()
        .filter(|&c| c.is_alphanumeric() || " -_".contains(c));
    kept.collect::<String>().replace(' ', "-")
}

/// Inline code, outside of blocks.
fn spans(text: &str) -> Vec<&str> {
    let prose = text.split("\n```").step_by(2);
    prose
        .flat_map(|prose| prose.split('`').skip(1).step_by(2))
        .collect()
}

/// Lines of blocks, without the prompt.
fn block_lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split("\n```").skip(1).step_by(2).flat_map(str::lines);
    lines.map(|line| line.strip_prefix("$ ").unwrap_or(line))
}

/// Calls of the program, without its name, wherever a line or a span begins with one.
fn commands(text: &str) -> Vec<Vec<String>> {
    let calls = spans(text).into_iter().chain(block_lines(text));
    let calls = calls.filter_map(|call| {
        let starts = ["kuori ", "cargo run --release -- "];
        starts.iter().find_map(|start| call.strip_prefix(start))
    });
    calls.map(words).collect()
}

/// Splits as a shell does, up to a comment, a pipe or a redirection. Quotes are double ones.
fn words(call: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in call.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
            continue;
        }
        for word in part.split_whitespace() {
            if ["#", "|", ">", "<", "&", "2>", "\\"].contains(&word) {
                return words;
            }
            words.push(word.to_owned());
        }
    }
    words
}
