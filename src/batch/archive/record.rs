/// Bytes of the archive, with numbers in them: little-endian, at offsets from the first byte.
///
/// Source: APPNOTE.TXT 6.3.10, section 4.4.1.1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// What begins at an offset of the archive with these four bytes, and goes on to its end.
    pub(super) fn signed(archive: &'a [u8], offset: usize, sign: [u8; 4]) -> Option<Self> {
        let rest = archive.get(offset..)?;
        rest.starts_with(&sign).then_some(Self(rest))
    }

    pub(super) fn u16(self, at: usize) -> Option<u16> {
        Some(u16::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    pub(super) fn u32(self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    pub(super) fn u64(self, at: usize) -> Option<u64> {
        Some(u64::from_le_bytes(*self.0.get(at..)?.first_chunk()?))
    }

    pub(super) fn bytes(self, at: usize, length: usize) -> Option<&'a [u8]> {
        self.0.get(at..at.checked_add(length)?)
    }
}
