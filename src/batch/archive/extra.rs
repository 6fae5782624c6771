/// The extra fields of a header that say something of how to read the entry; all others are left
/// alone.
///
/// Source: APPNOTE.TXT 6.3.10, sections 4.5.2, 4.5.3 and 4.6.9.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extra<'a> {
    zip64: Option<&'a [u8]>,
    unicode_path: Option<&'a [u8]>,
}

const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;

impl<'a> Extra<'a> {
    /// Or why two programs could take the fields for different ones.
    pub(super) fn read(mut bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut extra = Self::default();
        // Tools that align the data fill up with fewer bytes than a field has.
        while let Some(([a, b, c, d], rest)) = bytes.split_first_chunk() {
            let (id, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
            let field = rest.split_at_checked(length.into());
            let (content, rest) = field.ok_or("an extra field of its header is cut off")?;
            bytes = rest;
            let place = match id {
                ZIP64 => &mut extra.zip64,
                UNICODE_PATH => &mut extra.unicode_path,
                _ => continue,
            };
            if place.replace(content).is_some() {
                return Err("an extra field of its header is there twice");
            }
        }
        Ok(extra)
    }

    pub(super) fn zip64(&self) -> Zip64<'a> {
        Zip64(self.zip64.unwrap_or_default())
    }

    /// The name that the field gives the entry in UTF-8, or why it cannot be taken.
    pub(super) fn unicode_path(&self, raw_name: &[u8]) -> Option<Result<&'a str, &'static str>> {
        let field = self.unicode_path?;
        let parts =
            field
                .split_first_chunk()
                .and_then(|([version, crc @ ..], name): (&[u8; 5], _)| {
                    let mut of_name = flate2::Crc::new();
                    of_name.update(raw_name);
                    let is_of_name = u32::from_le_bytes(*crc) == of_name.sum();
                    (*version == 1 && is_of_name).then_some(name)
                });
        let name = parts.and_then(|name| std::str::from_utf8(name).ok());
        Some(name.ok_or("its second name, in UTF-8, does not belong to the first"))
    }
}

/// Numbers too large for a header. They stand in a fixed order, and only those whose field in the
/// header is full. Source: APPNOTE.TXT 6.3.10, section 4.5.3.
#[derive(Debug, Clone, Copy)]
pub(super) struct Zip64<'a>(&'a [u8]);

impl Zip64<'_> {
    /// The number that the header means; `None` where it points here and nothing is here.
    pub(super) fn number(&mut self, narrow: u32) -> Option<u64> {
        if narrow != u32::MAX {
            return Some(narrow.into());
        }
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    pub(super) fn disk(&mut self, narrow: u16) -> Option<u32> {
        if narrow != u16::MAX {
            return Some(narrow.into());
        }
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    /// Whether numbers are left that no field of the header asks for: some programs take them.
    pub(super) fn has_more(&self) -> bool {
        !self.0.is_empty()
    }
}
