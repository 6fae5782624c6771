mod directory;
mod entry_name;
mod entry_reader;

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    io::{self, Cursor, Read},
    sync::Arc,
};

use zip::{CompressionMethod, ZipArchive, read::ZipFileEntry, result::ZipError};

use self::directory::{Directory, u16_at};
pub use self::entry_reader::EntryReader;
pub(super) use self::{
    entry_name::{is_clutter, shown},
    entry_reader::Problem,
};
use super::Limits;
use crate::domain::{Code, Finding, Place};

/// A file in the archive, checked: nothing but its content is still to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the archive spells it, with `/` between folders.
    pub name: String,
    /// Unpacked bytes. Declared, and held to while reading.
    pub size: u64,
    pub packed_size: u64,
    is_stored: bool,
    crc32: u32,
    data_start: usize,
}

impl Entry {
    /// Where findings say this is.
    pub fn place(&self) -> Place {
        Place::entry(shown(&self.name))
    }

    /// Whether the archive holds it as it is, so that it can be lent without copying.
    pub fn is_stored(&self) -> bool {
        self.is_stored
    }
}

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
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
    /// Files and folders.
    listed: u64,
}

/// An archive with everything wrong in it should not be answered with 200,000 findings.
const MAX_FINDINGS: usize = 100;

/// General purpose bit 11: the name is UTF-8. Source: APPNOTE.TXT 6.3.10, section 4.4.4.
const UTF8_NAME: u16 = 1 << 11;

impl<'a> Archive<'a> {
    /// Checks the archive's structure, all names and all declared sizes. Contents are checked
    /// when they are read.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Vec<Finding>> {
        let mut zip = directory(bytes, limits).map_err(|finding| vec![finding])?;
        let listed = zip.len() as u64;
        let (entries, mut findings) = entries(&zip, bytes, limits);
        findings.extend(duplicates(&entries));
        findings.extend(sizes(&entries, limits));
        if findings.is_empty() {
            findings.extend(contradiction(&mut zip));
        }
        if !findings.is_empty() {
            findings.truncate(MAX_FINDINGS);
            return Err(findings);
        }
        let name_of = |(at, entry): (usize, &Entry)| (entry.name.clone(), at);
        let by_name = entries.iter().enumerate().map(name_of).collect();
        Ok(Self {
            bytes,
            contents: Arc::new(Contents {
                entries,
                by_name,
                listed,
            }),
        })
    }

    /// The files, in the order of the directory. Folders are left out.
    pub fn entries(&self) -> &[Entry] {
        &self.contents.entries
    }

    /// How many files and folders the directory lists.
    pub fn listed(&self) -> u64 {
        self.contents.listed
    }

    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let at = *self.contents.by_name.get(name)?;
        self.contents.entries.get(at)
    }

    /// The whole content: lent where it is stored, unpacked where it is deflated.
    pub fn read(&self, name: &str) -> Result<Cow<'a, [u8]>, Finding> {
        let entry = self.entry(name).ok_or_else(|| missing(name))?;
        let mut reader = EntryReader::new(entry, self.packed(entry));
        if entry.is_stored {
            let counted = io::copy(&mut reader, &mut io::sink());
            counted.map_err(|error| problem_of(&error, entry))?;
            return Ok(Cow::Borrowed(self.packed(entry)));
        }
        // The declared size may be a lie of gigabytes: memory is taken as bytes come.
        let mut content = Vec::with_capacity(capacity(entry));
        let counted = reader.read_to_end(&mut content);
        counted.map_err(|error| problem_of(&error, entry))?;
        Ok(Cow::Owned(content))
    }

    /// The content as a stream, counted and checked as [`EntryReader`] says.
    pub fn reader(&self, name: &str) -> Result<EntryReader<'a>, Finding> {
        let entry = self.entry(name).ok_or_else(|| missing(name))?;
        Ok(EntryReader::new(entry, self.packed(entry)))
    }

    fn packed(&self, entry: &Entry) -> &'a [u8] {
        let length = usize::try_from(entry.packed_size).unwrap_or(usize::MAX);
        let end = entry.data_start.saturating_add(length);
        self.bytes.get(entry.data_start..end).unwrap_or_default()
    }
}

fn capacity(entry: &Entry) -> usize {
    usize::try_from(entry.size.min(1 << 20)).unwrap_or_default()
}

fn problem_of(error: &io::Error, entry: &Entry) -> Finding {
    let found = Problem::inside(error).cloned();
    found.unwrap_or_else(|| Finding::new(Code::ArchiveDamaged, entry.place(), "it cannot be read"))
}

fn missing(name: &str) -> Finding {
    let place = Place::entry(shown(name));
    Finding::new(Code::DocumentMissing, place, "the ZIP has no such file")
}

fn directory<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<ZipArchive<Cursor<&'a [u8]>>, Finding> {
    if bytes.len() as u64 > limits.max_zip_bytes {
        let detail = format!(
            "the ZIP has {} bytes, the limit is {}",
            bytes.len(),
            limits.max_zip_bytes
        );
        return Err(Finding::new(Code::ArchiveTooLarge, Place::batch(), detail));
    }
    let surveyed = Directory::survey(bytes)?;
    if surveyed.entries > limits.max_entries {
        let detail = format!(
            "the ZIP has {} entries, the limit is {}",
            surveyed.entries, limits.max_entries
        );
        return Err(Finding::new(
            Code::ArchiveTooManyEntries,
            Place::batch(),
            detail,
        ));
    }
    let zip = ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| Finding::new(Code::ArchiveUnreadable, Place::batch(), reason(&error)))?;
    if zip.has_duplicate_names() {
        let detail = "two entries have the same name";
        return Err(Finding::new(
            Code::ArchiveDuplicateName,
            Place::batch(),
            detail,
        ));
    }
    let agrees = zip.offset() == 0
        && zip.central_directory_start() == surveyed.start
        && zip.len() as u64 == surveyed.entries;
    if !agrees {
        let detail = "two programs would find two different directories in it";
        return Err(Finding::new(
            Code::ArchiveInconsistent,
            Place::batch(),
            detail,
        ));
    }
    Ok(zip)
}

/// The crate's fixed texts only: others may repeat a file's name.
fn reason(error: &ZipError) -> String {
    match error {
        ZipError::InvalidArchive(Cow::Borrowed(what)) | ZipError::UnsupportedArchive(what) => {
            (*what).to_owned()
        }
        _ => "its directory cannot be read".to_owned(),
    }
}

fn entries(
    zip: &ZipArchive<Cursor<&[u8]>>,
    bytes: &[u8],
    limits: &Limits,
) -> (Vec<Entry>, Vec<Finding>) {
    let mut entries = Vec::with_capacity(zip.len());
    let mut findings = Vec::new();
    for at in 0..zip.len() {
        match zip.by_index_data(at) {
            Ok(file) => match entry(&file, bytes, limits) {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => {}
                Err(finding) => findings.push(finding),
            },
            Err(error) => findings.push(Finding::new(
                Code::ArchiveUnreadable,
                Place::batch(),
                reason(&error),
            )),
        }
    }
    (entries, findings)
}

/// One checked file, or `None` for a folder.
fn entry(file: &ZipFileEntry<'_>, bytes: &[u8], limits: &Limits) -> Result<Option<Entry>, Finding> {
    let name = name(file, limits)?;
    let place = || Place::entry(shown(&name));
    let refused = |code, detail: &str| Err(Finding::new(code, place(), detail));
    if file.encrypted() {
        return refused(Code::ArchiveEncrypted, "the entry is encrypted");
    }
    if file.is_symlink() {
        return refused(Code::ArchiveSymlink, "the entry is a symbolic link");
    }
    let is_stored = match file.compression() {
        CompressionMethod::Stored => true,
        CompressionMethod::Deflated => false,
        _ => {
            return refused(
                Code::ArchiveMethod,
                "the entry is neither stored nor deflated",
            );
        }
    };
    if is_stored && file.size() != file.compressed_size() {
        return refused(
            Code::ArchiveInconsistent,
            "the entry is stored, yet its two sizes differ",
        );
    }
    if name.ends_with('/') {
        return if file.size() == 0 {
            Ok(None)
        } else {
            refused(Code::ArchiveInconsistent, "a folder has content")
        };
    }
    let Some(data_start) = data_start(file.header_start(), bytes) else {
        return refused(
            Code::ArchiveInconsistent,
            "the entry's own header is cut off",
        );
    };
    Ok(Some(Entry {
        size: file.size(),
        packed_size: file.compressed_size(),
        is_stored,
        crc32: file.crc32(),
        data_start,
        name,
    }))
}

fn name(file: &ZipFileEntry<'_>, limits: &Limits) -> Result<String, Finding> {
    let refused = |detail| Finding::new(Code::ArchiveEntryName, Place::batch(), detail);
    let raw = file.name_raw();
    if raw.contains(&0) {
        return Err(refused("an entry's name holds a control character"));
    }
    // The crate would fall back to code page 437 and find other letters than were meant.
    let says_utf8 = file.flags().as_u16() & UTF8_NAME != 0;
    if says_utf8 && std::str::from_utf8(raw).is_err() {
        return Err(refused("an entry's name is not text"));
    }
    let name = file.name();
    let name = name.map_err(|_| refused("an entry's name is not text"))?;
    match entry_name::fault(&name, limits.max_field_chars) {
        Some(fault) => Err(refused(fault)),
        None => Ok(name.into_owned()),
    }
}

/// Where an entry's packed bytes begin: behind its local header, whose variable parts may differ
/// from those in the directory. Source: APPNOTE.TXT 6.3.10, section 4.3.7.
fn data_start(header: u64, bytes: &[u8]) -> Option<usize> {
    const LOCAL: &[u8] = b"PK\x03\x04";
    const LOCAL_BYTES: usize = 30;
    let at = usize::try_from(header).ok()?;
    let header = bytes.get(at..)?;
    let variable = usize::from(u16_at(header, 26)?) + usize::from(u16_at(header, 28)?);
    header
        .starts_with(LOCAL)
        .then_some(at + LOCAL_BYTES + variable)
}

/// Names that an unpacking program could not keep apart on every system.
fn duplicates(entries: &[Entry]) -> Vec<Finding> {
    let mut seen = HashSet::with_capacity(entries.len());
    let twice = entries
        .iter()
        .filter(|entry| !seen.insert(entry.name.to_lowercase()));
    let detail = "another entry's name differs in nothing but upper and lower case";
    twice
        .map(|entry| Finding::new(Code::ArchiveDuplicateName, entry.place(), detail))
        .collect()
}

fn sizes(entries: &[Entry], limits: &Limits) -> Vec<Finding> {
    let mut findings: Vec<_> = entries
        .iter()
        .filter_map(|entry| size(entry, limits))
        .collect();
    let total = entries
        .iter()
        .fold(0_u64, |sum, entry| sum.saturating_add(entry.size));
    if total > limits.max_unpacked_bytes {
        let detail = format!(
            "it unpacks to {total} bytes, the limit is {}",
            limits.max_unpacked_bytes
        );
        findings.push(Finding::new(Code::ArchiveTooLarge, Place::batch(), detail));
    }
    findings
}

fn size(entry: &Entry, limits: &Limits) -> Option<Finding> {
    if entry.size > limits.max_document_bytes {
        let detail = format!(
            "{} bytes, the limit is {}",
            entry.size, limits.max_document_bytes
        );
        return Some(Finding::new(
            Code::ArchiveEntryTooLarge,
            entry.place(),
            detail,
        ));
    }
    let plausible = entry.packed_size.saturating_mul(limits.max_ratio);
    let implausible = entry.size > limits.ratio_floor_bytes && entry.size > plausible;
    implausible.then(|| {
        let detail = format!(
            "{} bytes unpack to {}, more than {} times as many",
            entry.packed_size, entry.size, limits.max_ratio
        );
        Finding::new(Code::ArchiveRatio, entry.place(), detail)
    })
}

/// Local headers that differ from the directory, entries that overlap, entries that the directory
/// does not list.
fn contradiction(zip: &mut ZipArchive<Cursor<&[u8]>>) -> Option<Finding> {
    let error = zip.validate_header_consistency().err()?;
    Some(Finding::new(
        Code::ArchiveInconsistent,
        Place::batch(),
        reason(&error),
    ))
}
