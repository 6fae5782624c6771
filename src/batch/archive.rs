mod code_page;
mod content;
mod directory;
mod entry;
mod entry_name;
mod entry_reader;
mod extra;
mod foreign;
mod header;
mod layout;
mod names;
mod record;

use std::{borrow::Cow, io::Read, sync::Arc};

use self::{directory::Directory, header::Central, names::Names};
pub use self::{entry::Entry, entry_reader::EntryReader};
pub(super) use self::{entry_name::is_clutter, entry_reader::Problem};
use super::Limits;
use crate::domain::{Code, Finding, Place};

/// A ZIP over bytes that the caller keeps (usually a file mapped into memory). Cloning shares the
/// directory; reading needs no lock.
///
/// What is refused here is what two programs could read in two ways, and what is too much: see
/// the `archive-…` findings.
#[derive(Debug, Clone)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    contents: Arc<Contents>,
}

#[derive(Debug)]
struct Contents {
    /// In the order of the directory.
    files: Vec<Entry>,
    /// Of the files, and behind them of the folders.
    names: Names,
    /// Files and folders.
    listed: u64,
}

/// An archive with everything wrong in it should not be answered with 200,000 findings.
const MAX_FINDINGS: usize = 100;

impl<'a> Archive<'a> {
    /// Checks the archive's structure, all names and all declared sizes. Contents are checked
    /// when they are read.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Vec<Finding>> {
        let directory = directory(bytes, limits).map_err(|finding| vec![finding])?;
        let mut findings = Vec::new();
        let (files, folders) = entries(&directory, bytes, limits, &mut findings);
        let listed = || files.iter().chain(&folders);
        let names = Names::of(listed().map(|entry| entry.name.as_str()));
        findings.extend(alike(&names, &files, &folders));
        findings.extend(excess(&files, limits));
        if findings.is_empty() {
            findings = layout::faults(listed(), bytes, directory.start(), MAX_FINDINGS);
        }
        if !findings.is_empty() {
            findings.truncate(MAX_FINDINGS);
            return Err(findings);
        }
        let contents = Contents {
            listed: directory.entries(),
            files,
            names,
        };
        Ok(Self {
            bytes,
            contents: Arc::new(contents),
        })
    }

    /// The files, in the order of the directory. Folders are left out.
    pub fn entries(&self) -> &[Entry] {
        &self.contents.files
    }

    /// How many files and folders the directory lists.
    pub fn listed(&self) -> u64 {
        self.contents.listed
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let alike = self.contents.names.like(name);
        let mut files = alike.filter_map(|place| self.contents.files.get(place));
        files.find(|entry| entry.name == name)
    }

    /// The whole content: lent where it is stored, unpacked where it is deflated.
    pub fn read(&self, name: &str) -> Result<Cow<'a, [u8]>, Finding> {
        let entry = self.entry(name).ok_or_else(|| missing(name))?;
        let content = content::of(entry, self.packed(entry));
        let content = content.map_err(|fault| fault.finding(entry.place()))?;
        if foreign::is_hidden(&entry.name, &content) {
            return Err(hidden(entry));
        }
        Ok(content)
    }

    /// The content as a stream, counted and checked as [`EntryReader`] says.
    pub fn reader(&self, name: &str) -> Result<EntryReader<'a>, Finding> {
        let entry = self.entry(name).ok_or_else(|| missing(name))?;
        if let Some(finding) = self.hidden_archive(entry) {
            return Err(finding);
        }
        Ok(EntryReader::new(entry, self.packed(entry)))
    }

    /// What is to be said where the entry is an archive under the name of something else. Looks
    /// at its first bytes only.
    fn hidden_archive(&self, entry: &Entry) -> Option<Finding> {
        let reader = EntryReader::new(entry, self.packed(entry));
        let mut head = Vec::new();
        // Whoever reads on is told what is damaged; here counts what comes out.
        let _ = reader.take(foreign::HEAD_BYTES).read_to_end(&mut head);
        foreign::is_hidden(&entry.name, &head).then(|| hidden(entry))
    }

    fn packed(&self, entry: &Entry) -> &'a [u8] {
        let range = entry.data_end().map(|end| entry.data..end);
        range
            .and_then(|range| self.bytes.get(range))
            .unwrap_or_default()
    }
}

fn missing(name: &str) -> Finding {
    let place = Place::entry(name);
    Finding::new(Code::DocumentMissing, place, "the ZIP has no such file")
}

fn hidden(entry: &Entry) -> Finding {
    let detail = "the entry is an archive under the name of something else";
    Finding::new(Code::ArchiveHidden, entry.place(), detail)
}

fn directory<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Directory<'a>, Finding> {
    if bytes.len() as u64 > limits.max_zip_bytes {
        let detail = format!(
            "the ZIP has {} bytes, the limit is {}",
            bytes.len(),
            limits.max_zip_bytes
        );
        return Err(Finding::new(Code::ArchiveTooLarge, Place::batch(), detail));
    }
    Directory::find(bytes, limits)
}

/// The files and the folders that nothing is wrong with.
fn entries(
    directory: &Directory<'_>,
    bytes: &[u8],
    limits: &Limits,
    findings: &mut Vec<Finding>,
) -> (Vec<Entry>, Vec<Entry>) {
    let count = usize::try_from(directory.entries()).unwrap_or_default();
    let (mut files, mut folders) = (Vec::with_capacity(count), Vec::new());
    for header in directory.headers() {
        let central = header.and_then(|header| Central::read(header).map_err(inconsistent));
        match central.and_then(|central| Entry::read(&central, bytes, limits)) {
            Ok(entry) if entry.is_folder() => folders.push(entry),
            Ok(entry) => files.push(entry),
            Err(finding) => findings.push(finding),
        }
        if findings.len() >= MAX_FINDINGS {
            break;
        }
    }
    (files, folders)
}

fn inconsistent(detail: &'static str) -> Finding {
    Finding::new(
        Code::ArchiveInconsistent,
        Place::batch(),
        format!("of an entry, {detail}"),
    )
}

/// Names that an unpacking program could not keep apart on every system.
fn alike(names: &Names, files: &[Entry], folders: &[Entry]) -> Vec<Finding> {
    let entry = |place: usize| {
        let folder = place
            .checked_sub(files.len())
            .and_then(|at| folders.get(at));
        files.get(place).or(folder)
    };
    let repeated = names.repeated(|place| entry(place).map_or("", |entry| &entry.name));
    let detail = "another entry has this name, or one that differs in nothing but case or the \
                  way its letters are composed";
    let finding = |entry: &Entry| Finding::new(Code::ArchiveDuplicateName, entry.place(), detail);
    let first = repeated.into_iter().take(MAX_FINDINGS);
    first.filter_map(entry).map(finding).collect()
}

/// Declared sizes that are over the limits, each and all together.
fn excess(files: &[Entry], limits: &Limits) -> Vec<Finding> {
    let each = files.iter().filter_map(|entry| entry.excess(limits));
    let mut findings: Vec<_> = each.take(MAX_FINDINGS).collect();
    let sizes = files.iter().map(|entry| entry.size);
    let total = sizes.fold(0_u64, u64::saturating_add);
    if total > limits.max_unpacked_bytes {
        let detail = format!(
            "it unpacks to {total} bytes, the limit is {}",
            limits.max_unpacked_bytes
        );
        findings.push(Finding::new(Code::ArchiveTooLarge, Place::batch(), detail));
    }
    findings
}
