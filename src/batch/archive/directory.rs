use std::ops::Range;

use super::record::Record;
use crate::{
    batch::Limits,
    domain::{Code, Finding, Place},
};

/// Where the archive's directory is, once its end records agree on that with each other, with the
/// file's length and with the directory itself.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
#[derive(Debug)]
pub(super) struct Directory<'a> {
    bytes: &'a [u8],
    range: Range<usize>,
    entries: u64,
}

const END: [u8; 4] = *b"PK\x05\x06";
const END_BYTES: usize = 22;
const ZIP64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const ZIP64_LOCATOR_BYTES: usize = 20;
const ZIP64_END: [u8; 4] = *b"PK\x06\x06";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const CENTRAL_BYTES: usize = 46;
const MAX_COMMENT_BYTES: usize = 0xFFFF;

impl<'a> Directory<'a> {
    /// Finds the directory and counts it to its end, or to one entry more than the limit. Nothing
    /// is allocated for what the archive merely claims.
    pub(super) fn find(bytes: &'a [u8], limits: &Limits) -> Result<Self, Finding> {
        let end = end_record(bytes)?;
        let claimed = claimed(bytes, end)?;
        let range = claimed.range().ok_or_else(|| {
            inconsistent("there is something before the archive or between its parts")
        })?;
        let mut found = Self {
            bytes,
            range,
            entries: 0,
        };
        for header in found.headers() {
            header?;
            found.entries += 1;
            if found.entries > limits.max_entries {
                return Err(too_many(limits));
            }
        }
        if found.entries != claimed.entries {
            return Err(inconsistent(
                "its end record counts other entries than its directory has",
            ));
        }
        Ok(found)
    }

    /// Files and folders.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// Offset of the first header, which is where the last entry must end.
    pub(super) fn start(&self) -> usize {
        self.range.start
    }

    /// The headers in their order, each from its first byte on; none behind one that is damaged.
    pub(super) fn headers(&self) -> impl Iterator<Item = Result<Record<'a>, Finding>> + use<'a> {
        let (bytes, mut range) = (self.bytes, self.range.clone());
        std::iter::from_fn(move || {
            if range.is_empty() {
                return None;
            }
            let header = Record::signed(bytes, range.start, CENTRAL);
            let next = header
                .and_then(header_bytes)
                .and_then(|length| range.start.checked_add(length))
                .filter(|next| *next <= range.end);
            range.start = next.unwrap_or(range.end);
            let damaged = || inconsistent("its directory does not end where its end record says");
            Some(next.and(header).ok_or_else(damaged))
        })
    }
}

fn header_bytes(header: Record<'_>) -> Option<usize> {
    let [name, extra, comment] = [28, 30, 32].map(|field| header.u16(field).map(usize::from));
    Some(CENTRAL_BYTES + name? + extra? + comment?)
}

/// What the end of the archive says of its directory.
#[derive(Debug, Clone, Copy)]
struct Claimed {
    is_first_disk: bool,
    /// Entries in this file, and in all files of the archive.
    here: u64,
    entries: u64,
    size: u64,
    start: u64,
    /// Where the record that says it begins: the directory must reach to there.
    end: usize,
}

impl Claimed {
    fn of_one_file(self) -> Result<Self, Finding> {
        if !self.is_first_disk {
            return Err(unreadable("it is one part of several"));
        }
        let is_whole = self.here == self.entries;
        let differs = || inconsistent("its end record counts its entries in two ways");
        is_whole.then_some(self).ok_or_else(differs)
    }

    fn range(&self) -> Option<Range<usize>> {
        let start = usize::try_from(self.start).ok()?;
        let size = usize::try_from(self.size).ok()?;
        (start.checked_add(size)? == self.end).then_some(start..self.end)
    }
}

/// The offset of the one end record whose comment reaches exactly to the end of the file.
fn end_record(bytes: &[u8]) -> Result<usize, Finding> {
    let earliest = bytes.len().saturating_sub(END_BYTES + MAX_COMMENT_BYTES);
    let tail = bytes.get(earliest..).unwrap_or_default();
    let signs = tail.windows(END.len()).enumerate();
    let found: Vec<usize> = signs
        .filter_map(|(at, window)| (window == END).then_some(earliest + at))
        .collect();
    let Some(last) = found.last().copied() else {
        return Err(unreadable("it has no end record"));
    };
    let fits = |at: usize| {
        let comment = Record::signed(bytes, at, END).and_then(|end| end.u16(20));
        comment.is_some_and(|comment| at + END_BYTES + usize::from(comment) == bytes.len())
    };
    let mut fitting = found.into_iter().filter(|&at| fits(at));
    match (fitting.next(), fitting.next()) {
        // A program that looks from behind would take one that stands in the comment.
        (Some(only), None) if only == last => Ok(only),
        (Some(_), _) => Err(inconsistent("it has two end records")),
        (None, _) => Err(inconsistent("there is something behind its end record")),
    }
}

fn claimed(bytes: &[u8], end: usize) -> Result<Claimed, Finding> {
    let nowhere = || inconsistent("its end record points to where nothing is");
    let narrow = narrow(bytes, end).ok_or_else(nowhere)?;
    let locator = end
        .checked_sub(ZIP64_LOCATOR_BYTES)
        .and_then(|at| Record::signed(bytes, at, ZIP64_LOCATOR).zip(Some(at)));
    let Some((locator, locator_at)) = locator else {
        return narrow.of_one_file();
    };
    let wide = wide(bytes, locator, locator_at).ok_or_else(nowhere)?;
    // Some programs take the wide record wherever there is one, others where a number is full.
    let agrees = is_told(narrow.entries, u16::MAX.into(), wide.entries)
        && is_told(narrow.here, u16::MAX.into(), wide.here)
        && is_told(narrow.size, u32::MAX.into(), wide.size)
        && is_told(narrow.start, u32::MAX.into(), wide.start);
    if !agrees {
        return Err(inconsistent(
            "its two end records tell of different directories",
        ));
    }
    wide.of_one_file()
}

fn is_told(narrow: u64, full: u64, wide: u64) -> bool {
    narrow == full || narrow == wide
}

fn narrow(bytes: &[u8], end: usize) -> Option<Claimed> {
    let record = Record::signed(bytes, end, END)?;
    // Writers of ZIP64 may fill the disks' numbers too.
    let is_first = |disk| disk == 0 || disk == u16::MAX;
    Some(Claimed {
        is_first_disk: is_first(record.u16(4)?) && is_first(record.u16(6)?),
        here: record.u16(8)?.into(),
        entries: record.u16(10)?.into(),
        size: record.u32(12)?.into(),
        start: record.u32(16)?.into(),
        end,
    })
}

fn wide(bytes: &[u8], locator: Record<'_>, locator_at: usize) -> Option<Claimed> {
    let at = usize::try_from(locator.u64(8)?).ok()?;
    let record = Record::signed(bytes, at, ZIP64_END)?;
    // Its size does not count the twelve bytes of its sign and of the size itself.
    let length = usize::try_from(record.u64(4)?).ok()?.checked_add(12)?;
    if at.checked_add(length)? != locator_at {
        return None;
    }
    let disks = [locator.u32(4)?, record.u32(16)?, record.u32(20)?];
    Some(Claimed {
        is_first_disk: disks == [0; 3] && locator.u32(16)? <= 1,
        here: record.u64(24)?,
        entries: record.u64(32)?,
        size: record.u64(40)?,
        start: record.u64(48)?,
        end: at,
    })
}

fn too_many(limits: &Limits) -> Finding {
    let detail = format!("the ZIP has more than {} entries", limits.max_entries);
    Finding::new(Code::ArchiveTooManyEntries, Place::batch(), detail)
}

fn unreadable(what: &str) -> Finding {
    Finding::new(Code::ArchiveUnreadable, Place::batch(), what)
}

fn inconsistent(what: &str) -> Finding {
    Finding::new(Code::ArchiveInconsistent, Place::batch(), what)
}
