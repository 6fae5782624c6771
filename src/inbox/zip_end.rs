//! Whether the last bytes of a file are the end of a ZIP (APPNOTE 6.3.10, 4.3.14 to 4.3.16).

/// The end record without its comment.
const END_BYTES: usize = 22;
const LOCATOR_BYTES: usize = 20;
const ZIP64_END_BYTES: u64 = 56;
/// The longest end: record, comment, and the locator before it.
pub(super) const TAIL_BYTES: u64 = (END_BYTES + u16::MAX as usize + LOCATOR_BYTES) as u64;

const END: [u8; 4] = *b"PK\x05\x06";
const LOCATOR: [u8; 4] = *b"PK\x06\x07";

/// `tail` is the end of a file of `bytes`: all of it, or its last [`TAIL_BYTES`].
///
/// The end record has to reach to the last byte, so that the end of a ZIP inside a ZIP that is
/// still growing is not taken for it; and the directory that it tells of has to lie before it.
pub(super) fn is_zip_end(tail: &[u8], bytes: u64) -> bool {
    let Some(last) = tail.len().checked_sub(END_BYTES) else {
        return false;
    };
    let before_tail = bytes.saturating_sub(tail.len() as u64);
    (0..=last).rev().any(|at| ends_at(tail, at, before_tail))
}

fn ends_at(tail: &[u8], at: usize, before_tail: u64) -> bool {
    let Some(record) = tail.get(at..).filter(|record| record.starts_with(&END)) else {
        return false;
    };
    let comment = number::<2>(record, 20);
    if comment != Some((record.len() - END_BYTES) as u64) {
        return false;
    }
    let here = before_tail + at as u64;
    let (size, offset) = (number::<4>(record, 12), number::<4>(record, 16));
    let entries = number::<2>(record, 10);
    if entries == Some(0xFFFF) || size == Some(0xFFFF_FFFF) || offset == Some(0xFFFF_FFFF) {
        return has_zip64_end(tail, at, here) || lies_before(size, offset, here);
    }
    lies_before(size, offset, here)
}

fn has_zip64_end(tail: &[u8], at: usize, here: u64) -> bool {
    let locator = at
        .checked_sub(LOCATOR_BYTES)
        .and_then(|start| tail.get(start..at));
    let Some(locator) = locator.filter(|locator| locator.starts_with(&LOCATOR)) else {
        return false;
    };
    let end = number::<8>(locator, 8).and_then(|at| at.checked_add(ZIP64_END_BYTES));
    end.is_some_and(|end| end <= here - LOCATOR_BYTES as u64)
}

fn lies_before(size: Option<u64>, offset: Option<u64>, here: u64) -> bool {
    let end = size.zip(offset).and_then(|(size, at)| size.checked_add(at));
    end.is_some_and(|end| end <= here)
}

fn number<const BYTES: usize>(record: &[u8], at: usize) -> Option<u64> {
    let bytes = record.get(at..at + BYTES)?;
    let digits = bytes.iter().rev();
    Some(digits.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end record for a directory of `size` bytes at `offset`.
    fn end(size: u32, offset: u32, comment: &[u8]) -> Vec<u8> {
        let mut record = END.to_vec();
        record.extend([0, 0, 0, 0, 1, 0, 1, 0]);
        record.extend(size.to_le_bytes());
        record.extend(offset.to_le_bytes());
        record.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
        record.extend(comment);
        record
    }

    fn zip(comment: &[u8]) -> Vec<u8> {
        let mut zip = vec![b'x'; 100];
        zip.extend(end(40, 60, comment));
        zip
    }

    fn is_whole(file: &[u8]) -> bool {
        let from = file
            .len()
            .saturating_sub(usize::try_from(TAIL_BYTES).unwrap());
        is_zip_end(&file[from..], file.len() as u64)
    }

    #[test]
    fn a_zip_is_whole_with_or_without_a_comment() {
        assert!(is_whole(&zip(b"")));
        assert!(is_whole(&zip(b"made by hand")));
        assert!(is_whole(&zip(&vec![b'c'; 0xFFFF])));
    }

    #[test]
    fn a_zip_is_not_whole_until_its_last_byte() {
        let whole = zip(b"made by hand");
        for len in 0..whole.len() {
            assert!(!is_whole(&whole[..len]), "{len}");
        }
    }

    #[test]
    fn the_end_of_an_inner_zip_is_not_that_of_a_growing_outer_one() {
        let mut growing = zip(b"");
        growing.extend([0; 30]);
        assert!(!is_whole(&growing));
    }

    #[test]
    fn a_directory_has_to_lie_before_its_end() {
        assert!(!is_whole(&end(40, 60, b"")));
        assert!(is_whole(&end(0, 0, b"")));
    }

    #[test]
    fn a_large_zip_has_a_second_end_that_is_found_by_its_locator() {
        let with_locator = |offset: u64| {
            let mut zip = vec![b'x'; 100];
            zip.extend([0; 56]);
            zip.extend(LOCATOR);
            zip.extend([0; 4]);
            zip.extend(offset.to_le_bytes());
            zip.extend([1, 0, 0, 0]);
            zip.extend(end(0xFFFF_FFFF, 0xFFFF_FFFF, b"c"));
            zip
        };
        assert!(is_whole(&with_locator(100)));
        assert!(!is_whole(&with_locator(101)));
        let lost = zip_without_locator();
        assert!(!is_whole(&lost));
    }

    fn zip_without_locator() -> Vec<u8> {
        let mut zip = vec![b'x'; 200];
        zip.extend(end(0xFFFF_FFFF, 0xFFFF_FFFF, b""));
        zip
    }
}
