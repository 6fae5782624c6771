use std::collections::HashSet;

use super::archive::{Archive, Entry, is_clutter};
use crate::domain::{Code, Finding, Place};

/// How a batch is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One PDF with all letters and one XML.
    ManyInOne,
    /// One PDF with one letter and one XML.
    OneLetter,
    /// Several XMLs, each with its PDF.
    ManyPairs,
    /// A ZIP of ZIPs.
    Nested,
    /// `batch.csv` and PDFs.
    Csv,
}

impl Shape {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ManyInOne => "many-in-one",
            Self::OneLetter => "one-letter",
            Self::ManyPairs => "many-pairs",
            Self::Nested => "nested",
            Self::Csv => "csv",
        }
    }
}

/// What an archive holds, sorted by what it is for.
#[derive(Debug)]
pub(super) enum Contents<'e> {
    Table(&'e Entry),
    /// One or more, in order of their names, so that the positions of messages do not hang on
    /// the order in which a tool packed them.
    Bundles(Vec<&'e Entry>),
    Archives(Vec<&'e Entry>),
}

const TABLE: &str = "batch.csv";

impl<'e> Contents<'e> {
    pub(super) fn of(archive: &'e Archive<'_>) -> Result<Self, Finding> {
        let entries = archive
            .entries()
            .iter()
            .filter(|entry| !is_clutter(&entry.name));
        let (archives, others): (Vec<_>, Vec<_>) = entries.partition(|entry| is_archive(entry));
        if !archives.is_empty() {
            return match (others.first(), below_another(&archives)) {
                (None, None) => Ok(Self::Archives(in_order(archives))),
                (Some(other), _) => Err(mixed(other)),
                (None, Some(below)) => Err(ambiguous(below)),
            };
        }
        let is_table = |entry: &&&Entry| file_name(&entry.name).eq_ignore_ascii_case(TABLE);
        let is_xml = |entry: &&Entry| has_extension(&entry.name, "xml");
        let bundles: Vec<_> = others.iter().copied().filter(is_xml).collect();
        let mut tables = others.iter().filter(is_table);
        match (tables.next(), tables.next(), bundles.first()) {
            (Some(table), None, None) => return Ok(Self::Table(table)),
            (Some(_), Some(second), _) => return Err(second_table(second)),
            (Some(_), None, Some(bundle)) => return Err(beside_table(bundle)),
            (None, ..) => {}
        }
        if bundles.is_empty() {
            let detail = "neither an XML nor `batch.csv` is there";
            return Err(Finding::new(
                Code::ControlDataMissing,
                Place::batch(),
                detail,
            ));
        }
        Ok(Self::Bundles(in_order(bundles)))
    }
}

pub(super) fn is_archive(entry: &Entry) -> bool {
    has_extension(&entry.name, "zip")
}

fn in_order(mut entries: Vec<&Entry>) -> Vec<&Entry> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

/// A ZIP that seems to stand inside another one: `a.zip/b.zip` beside `a.zip`. Messages name a
/// document by its way through the ZIPs, and `a.zip/b.zip/c.pdf` could then be either of two.
fn below_another<'e>(archives: &[&'e Entry]) -> Option<&'e Entry> {
    let names: HashSet<_> = archives.iter().map(|entry| entry.name.as_str()).collect();
    let is_below = |entry: &&&Entry| {
        let ends = entry.name.match_indices('/').map(|(at, _)| at);
        let mut above = ends.filter_map(|at| entry.name.get(..at));
        above.any(|above| names.contains(above))
    };
    archives.iter().find(is_below).copied()
}

fn ambiguous(below: &Entry) -> Finding {
    let detail = "another ZIP has the name of its folder";
    Finding::new(Code::ArchiveDuplicateName, below.place(), detail)
}

fn mixed(other: &Entry) -> Finding {
    let detail = "a ZIP that holds ZIPs may hold nothing else";
    Finding::new(Code::ShapeNotSupported, other.place(), detail)
}

fn second_table(second: &Entry) -> Finding {
    let detail = "a batch has one `batch.csv`";
    Finding::new(Code::ShapeNotSupported, second.place(), detail)
}

/// Which of the two describes the letters is not ours to guess: those of the other would be lost.
fn beside_table(bundle: &Entry) -> Finding {
    let detail = "an XML beside `batch.csv`: a batch has one or the other";
    Finding::new(Code::ShapeNotSupported, bundle.place(), detail)
}

/// The name behind the folders.
pub(super) fn file_name(entry: &str) -> &str {
    entry.rsplit('/').next().unwrap_or(entry)
}

/// The folders before the name, with the last `/`.
pub(super) fn folder(entry: &str) -> &str {
    entry
        .rfind('/')
        .and_then(|at| entry.get(..=at))
        .unwrap_or_default()
}

pub(super) fn has_extension(entry: &str, extension: &str) -> bool {
    let found = file_name(entry).rsplit_once('.').map(|(_, found)| found);
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

impl Contents<'_> {
    /// Whether the entry is control data, and so no file that a letter must name.
    pub(super) fn has_control(&self, entry: &Entry) -> bool {
        match self {
            Self::Table(table) => *table == entry,
            Self::Bundles(_) => has_extension(&entry.name, "xml"),
            Self::Archives(_) => true,
        }
    }
}
