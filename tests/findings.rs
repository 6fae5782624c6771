//! The catalogue of findings that senders and operators read.

use std::{fmt::Write, fs};

use kuori::domain::{Affects, Code, Language, Words};

use crate::committed::{check_committed, in_repository};

#[test]
fn the_committed_catalogue_is_that_of_the_code() {
    check_committed("docs/findings.md", catalogue().as_bytes());
}

/// Words of the guide that look like a code: its first part is that of one.
fn looks_like_a_code(word: &str) -> bool {
    let first = |text: &str| text.split_once('-').map(|(first, _)| first.to_owned());
    let is_plain = word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_plain
        && first(word).is_some_and(|part| {
            Code::ALL
                .iter()
                .any(|code| first(code.as_str()) == Some(part.clone()))
        })
}

#[test]
fn every_code_that_the_guides_name_exists() {
    let mut named = 0;
    for path in ["docs/sender-guide.md", "docs/print-rules.md"] {
        let text = fs::read_to_string(in_repository(path)).unwrap();
        for word in text
            .split(['`', '"'])
            .filter(|word| looks_like_a_code(word))
        {
            assert!(Code::from_code(word).is_some(), "{path} names `{word}`");
            named += 1;
        }
    }
    assert!(named > 10, "{named}");
}

const HEAD: &str = "\
# Findings

What can be wrong with a batch, or worth saying about it. Receipts and `kuori check` carry the code, the place and this case in a sentence; this is what
each code means and what the sender does about it, in English, Finnish and Swedish. A code never changes its meaning. `kuori finding page-size` says the same
on the command line, with `--language fi` or `--language sv` too. Made from `src/domain/finding.rs` and the files of words beside it.

An *error* stops what it concerns: the batch, a letter, or a letter's way by one channel. A *warning* or an *info* stops nothing by itself. *Channel* is
the way that a finding is about, and **in bold** one that it closes: a letter to which both are closed is refused. `samples/batches/invalid/` has a batch for nearly every code.
";

const GROUPS: &[(&str, Code)] = &[
    ("The archive", Code::ArchiveUnreadable),
    ("The control data", Code::ControlDataMissing),
    ("Page ranges", Code::PageRangeMissing),
    ("The message", Code::MessageDuplicate),
    ("The PDF", Code::PdfUnreadable),
    ("What stands on the page", Code::FontNotEmbedded),
];

fn catalogue() -> String {
    let mut text = format!("{HEAD}\n## Overview\n\n");
    text += "| code | severity | channel | what it means |\n| --- | --- | --- | --- |\n";
    for &code in Code::ALL {
        text += &row(code);
    }
    for &code in Code::ALL {
        if let Some((title, _)) = GROUPS.iter().find(|(_, first)| *first == code) {
            write!(text, "\n## {title}\n").unwrap();
        }
        text += &section(code);
    }
    text
}

fn row(code: Code) -> String {
    let (severity, channel) = (code.severity().as_str(), code.affects().as_str());
    let channel = match code.closes() {
        Some(_) => format!("**{channel}**"),
        None => channel.to_owned(),
    };
    let meaning = code.words(Language::English).meaning;
    format!("| [`{code}`](#{code}) | {severity} | {channel} | {meaning} |\n")
}

fn section(code: Code) -> String {
    let channels = match code.affects() {
        Affects::Both => "both channels",
        Affects::Mailbox => "channel mailbox",
        Affects::Print => "channel print",
    };
    let mut text = format!(
        "\n### `{code}`\n\n{}, {channels}\n\n",
        code.severity().as_str()
    );
    text += "| | what it means | what to do |\n| --- | --- | --- |\n";
    for language in Language::ALL {
        let Words { meaning, remedy } = code.words(language);
        let name = language.as_str();
        writeln!(text, "| {name} | {meaning} | {remedy} |").unwrap();
    }
    text
}
