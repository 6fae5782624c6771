use crate::domain::{Code, Finding, Place};

/// What the end of the archive says about its directory, checked against the directory itself
/// before anything is allocated for it.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    /// Offset of the first central header.
    pub(super) start: u64,
    pub(super) entries: u64,
}

const END: &[u8] = b"PK\x05\x06";
const END_BYTES: usize = 22;
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_LOCATOR_BYTES: usize = 20;
const ZIP64_END: &[u8] = b"PK\x06\x06";
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_BYTES: usize = 46;
const MAX_COMMENT_BYTES: usize = 0xFFFF;

impl Directory {
    /// Finds the directory, and counts it to its end.
    pub(super) fn survey(bytes: &[u8]) -> Result<Self, Finding> {
        let end = end_record(bytes)?;
        let claimed = claimed(bytes, end)
            .ok_or_else(|| inconsistent("its end record points to where nothing is"))?;
        if claimed.start.checked_add(claimed.size) != Some(claimed.end) {
            return Err(inconsistent(
                "there is something before the archive or between its parts",
            ));
        }
        let counted = count(bytes, claimed.start, claimed.end)?;
        if counted != claimed.entries {
            return Err(inconsistent(
                "its end record counts other entries than its directory has",
            ));
        }
        Ok(Self {
            start: claimed.start,
            entries: counted,
        })
    }
}

struct Claimed {
    entries: u64,
    size: u64,
    start: u64,
    /// Where the directory must end.
    end: u64,
}

/// The offset of the one end record whose comment reaches exactly to the end of the file.
fn end_record(bytes: &[u8]) -> Result<usize, Finding> {
    let earliest = bytes.len().saturating_sub(END_BYTES + MAX_COMMENT_BYTES);
    let tail = bytes.get(earliest..).unwrap_or_default();
    let signs = tail.windows(END.len()).enumerate();
    let found: Vec<usize> = signs
        .filter_map(|(at, window)| (window == END).then_some(earliest + at))
        .collect();
    let mut fitting = found.iter().copied().filter(|&at| {
        u16_at(bytes, at + 20)
            .is_some_and(|comment| at + END_BYTES + usize::from(comment) == bytes.len())
    });
    match (fitting.next(), fitting.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(inconsistent("it has two end records")),
        (None, _) if found.is_empty() => Err(unreadable("it has no end record")),
        (None, _) => Err(inconsistent("there is something behind its end record")),
    }
}

fn claimed(bytes: &[u8], end: usize) -> Option<Claimed> {
    let entries = u16_at(bytes, end + 10)?;
    let (size, start) = (u32_at(bytes, end + 12)?, u32_at(bytes, end + 16)?);
    let is_zip64 = entries == u16::MAX || size == u32::MAX || start == u32::MAX;
    let locator = end.checked_sub(ZIP64_LOCATOR_BYTES);
    if let Some(locator) = locator.filter(|&at| starts_with(bytes, at, ZIP64_LOCATOR) && is_zip64) {
        let at = u64_at(bytes, locator + 8)?;
        let record = usize::try_from(at).ok()?;
        return starts_with(bytes, record, ZIP64_END).then_some(Claimed {
            entries: u64_at(bytes, record.checked_add(32)?)?,
            size: u64_at(bytes, record.checked_add(40)?)?,
            start: u64_at(bytes, record.checked_add(48)?)?,
            end: at,
        });
    }
    Some(Claimed {
        entries: entries.into(),
        size: size.into(),
        start: start.into(),
        end: u64::try_from(end).ok()?,
    })
}

fn count(bytes: &[u8], start: u64, end: u64) -> Result<u64, Finding> {
    let damaged = || inconsistent("its directory does not end where its end record says");
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let mut rest = range
        .and_then(|(start, end)| bytes.get(start..end))
        .ok_or_else(damaged)?;
    let mut entries = 0;
    while !rest.is_empty() {
        let length = central_header_bytes(rest).ok_or_else(damaged)?;
        rest = rest.get(length..).ok_or_else(damaged)?;
        entries += 1;
    }
    Ok(entries)
}

fn central_header_bytes(at: &[u8]) -> Option<usize> {
    let variable = [28, 30, 32].map(|field| u16_at(at, field).map(usize::from));
    let [name, extra, comment] = variable;
    at.starts_with(CENTRAL)
        .then_some(CENTRAL_BYTES + name? + extra? + comment?)
}

fn starts_with(bytes: &[u8], at: usize, sign: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|rest| rest.starts_with(sign))
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn unreadable(what: &str) -> Finding {
    Finding::new(Code::ArchiveUnreadable, Place::batch(), what)
}

fn inconsistent(what: &str) -> Finding {
    Finding::new(Code::ArchiveInconsistent, Place::batch(), what)
}
