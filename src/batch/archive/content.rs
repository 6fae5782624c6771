use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

use super::{Entry, entry_reader::Fault};

/// An entry's whole content, held to what is declared of it: lent where it is stored, unpacked in
/// one go where it is deflated.
pub(super) fn of<'a>(entry: &Entry, packed: &'a [u8]) -> Result<Cow<'a, [u8]>, Fault> {
    let content = if entry.is_stored {
        Cow::Borrowed(packed)
    } else {
        Cow::Owned(inflated(entry, packed)?)
    };
    if (content.len() as u64) < entry.size {
        return Err(Fault::Less);
    }
    (crc32fast::hash(&content) == entry.crc32)
        .then_some(content)
        .ok_or(Fault::Checksum)
}

/// The buffer has the declared size at once, so that nothing is copied as it grows and the
/// decoder can look back in it instead of in a window of its own.
fn inflated(entry: &Entry, packed: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut content = Vec::with_capacity(capacity(entry));
    let mut decoder = Decompress::new(false);
    let unpacked = decoder.decompress_vec(packed, &mut content, FlushDecompress::Finish);
    let is_at_end = match unpacked.map_err(|_| Fault::Damaged)? {
        Status::StreamEnd => true,
        Status::Ok | Status::BufError => is_at_end(&mut decoder, packed)?,
    };
    if is_at_end && decoder.total_in() < packed.len() as u64 {
        return Err(Fault::Less);
    }
    Ok(content)
}

/// Whether nothing but the mark of the end is left, now that the buffer is full.
fn is_at_end(decoder: &mut Decompress, packed: &[u8]) -> Result<bool, Fault> {
    let taken = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
    let rest = packed.get(taken..).unwrap_or_default();
    let before = decoder.total_out();
    let status = decoder.decompress(rest, &mut [0], FlushDecompress::Finish);
    let status = status.map_err(|_| Fault::Damaged)?;
    if decoder.total_out() > before {
        return Err(Fault::More);
    }
    (status == Status::StreamEnd)
        .then_some(true)
        .ok_or(Fault::Damaged)
}

/// The declared size is within the limits and within the ratio, or [`super::Archive::open`] would
/// have refused it; it may be a lie all the same, and memory that is never written costs nothing.
fn capacity(entry: &Entry) -> usize {
    /// No deflated byte unpacks to more. Source: zlib's technical details, "Maximum Expansion
    /// Factor".
    const DEFLATES_RATIO: u64 = 1_032;
    let most = entry.packed_size.saturating_mul(DEFLATES_RATIO);
    usize::try_from(entry.size.min(most)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(size: u64, packed_size: u64) -> Entry {
        Entry {
            name: "kirje.pdf".to_owned(),
            size,
            packed_size,
            local: 0,
            data: 0,
            crc32: 0,
            is_stored: false,
            is_streamed: false,
        }
    }

    #[test]
    fn the_buffer_is_as_large_as_declared_and_no_larger_than_can_be_true() {
        assert_eq!(capacity(&entry(1_031, 1)), 1_031);
        assert_eq!(capacity(&entry(1_033, 1)), 1_032);
        assert_eq!(capacity(&entry(u64::MAX, 10)), 10_320);
    }
}
