//! The catalogue of findings that senders and operators read.

use std::fmt::Write;

use kuori::domain::{Affects, Code, Severity};

use crate::committed::check_committed;

#[test]
fn the_committed_catalogue_is_that_of_the_code() {
    check_committed("docs/findings.md", catalogue().as_bytes());
}

const HEAD: &str = "\
# Findings

What can be wrong with a batch, or worth saying about it. Receipts and `kuori check` carry the code, the place and this case in a sentence; this is what
each code means and what the sender does about it. A code never changes its meaning. Made from `src/domain/finding.rs`.

An *error* stops what it concerns: the batch, a letter, or a letter's way by one channel. A *warning* or an *info* stops nothing by itself. *Channel* is
the way that an error closes, or that a warning is about. `samples/batches/invalid/` has a batch for nearly every code.
";

const GROUPS: &[(&str, Code)] = &[
    ("The archive", Code::ArchiveUnreadable),
    ("The control data", Code::ControlDataMissing),
    ("Page ranges", Code::PageRangeMissing),
    ("The message", Code::MessageDuplicate),
    ("The PDF", Code::PdfUnreadable),
];

fn catalogue() -> String {
    let mut text = HEAD.to_owned();
    for &code in Code::ALL {
        if let Some((title, _)) = GROUPS.iter().find(|(_, first)| *first == code) {
            write!(text, "\n## {title}\n\n").unwrap();
            text += "| code | severity | channel | what it means | what to do |\n| --- | --- | --- | --- | --- |\n";
        }
        text += &row(code);
    }
    text
}

fn row(code: Code) -> String {
    let severity = match code.severity() {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let channel = match code.affects() {
        Affects::Both => "both",
        Affects::Mailbox => "mailbox",
        Affects::Print => "print",
    };
    let (meaning, remedy) = (code.meaning(), code.remedy());
    format!("| `{code}` | {severity} | {channel} | {meaning} | {remedy} |\n")
}
