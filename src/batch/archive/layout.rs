use super::Entry;
use crate::domain::{Code, Finding};

/// What is wrong with how the entries lie: from the archive's first byte to its directory, each
/// must begin where the one before it ends. An entry inside another, one that the directory does
/// not list, and whatever else hides between two, cannot be without breaking that.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.3.6 and 4.3.9.
pub(super) fn faults<'e>(
    entries: impl Iterator<Item = &'e Entry>,
    bytes: &[u8],
    directory: usize,
    most: usize,
) -> Vec<Finding> {
    let mut entries: Vec<_> = entries.collect();
    if !entries.is_sorted_by_key(|entry| entry.local) {
        entries.sort_unstable_by_key(|entry| entry.local);
    }
    let ends = entries.iter().skip(1).map(|next| next.local);
    let first = entries.first().filter(|entry| entry.local != 0);
    let before = first.map(|entry| inconsistent(entry, "there is something before it"));
    let faults = entries
        .iter()
        .zip(ends.chain([directory]))
        .filter_map(|(entry, end)| fault(entry, bytes, end));
    before.into_iter().chain(faults).take(most).collect()
}

fn fault(entry: &Entry, bytes: &[u8], end: usize) -> Option<Finding> {
    let Some(behind) = entry.data_end().and_then(|data| bytes.get(data..end)) else {
        return Some(inconsistent(entry, "it reaches into what comes after it"));
    };
    if entry.is_streamed {
        let detail = "what stands behind it gives other sizes or another checksum";
        return (!describes(behind, entry)).then(|| inconsistent(entry, detail));
    }
    let detail = "something stands behind it that the directory does not list";
    (!behind.is_empty()).then(|| inconsistent(entry, detail))
}

/// Whether this is the data descriptor of a streamed entry: its checksum and two sizes, these in
/// four or eight bytes, with or without a sign before.
fn describes(behind: &[u8], entry: &Entry) -> bool {
    const SIGN: &[u8] = b"PK\x07\x08";
    let is_signed = matches!(behind.len(), 16 | 24);
    let numbers = if is_signed {
        behind.strip_prefix(SIGN)
    } else {
        Some(behind)
    };
    let Some((crc, sizes)) = numbers.and_then(<[u8]>::split_first_chunk) else {
        return false;
    };
    u32::from_le_bytes(*crc) == entry.crc32
        && two_sizes(sizes) == Some([entry.packed_size, entry.size])
}

fn two_sizes(bytes: &[u8]) -> Option<[u64; 2]> {
    let (packed, size) = bytes.split_at_checked(bytes.len() / 2)?;
    Some([number(packed)?, number(size)?])
}

fn number(bytes: &[u8]) -> Option<u64> {
    let narrow = bytes.try_into().map(u32::from_le_bytes);
    let wide = || bytes.try_into().map(u64::from_le_bytes).ok();
    narrow.ok().map(u64::from).or_else(wide)
}

fn inconsistent(entry: &Entry, detail: &str) -> Finding {
    Finding::new(Code::ArchiveInconsistent, entry.place(), detail)
}
