use super::{extra::Extra, record::Record};

/// What an entry's header in the directory says, with large numbers from ZIP64's extra field.
///
/// Source: APPNOTE.TXT 6.3.10, section 4.3.12.
#[derive(Debug)]
pub(super) struct Central<'a> {
    pub(super) fields: Fields<'a>,
    pub(super) packed_size: u64,
    pub(super) size: u64,
    /// Offset of the local header.
    pub(super) local: u64,
    /// The system whose attributes follow: 0 is DOS, 3 is Unix.
    made_on: u8,
    attributes: u32,
}

/// An entry's own header, before its data. Source: APPNOTE.TXT 6.3.10, section 4.3.7.
#[derive(Debug)]
pub(super) struct Local<'a> {
    fields: Fields<'a>,
    /// Offset of the packed bytes: behind this header, whose variable parts may be of other
    /// lengths than those in the directory.
    pub(super) data: usize,
}

/// What both headers have in the same order.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    narrow_packed_size: u32,
    narrow_size: u32,
    pub(super) name: &'a [u8],
    pub(super) extra: Extra<'a>,
}

pub(super) const STORED: u16 = 0;
pub(super) const DEFLATED: u16 = 8;
/// The method's place holder in entries that AES encrypts. Source: APPNOTE.TXT, appendix E.
const AES: u16 = 99;

/// Bits of the flags. Source: APPNOTE.TXT 6.3.10, section 4.4.4.
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const PACKING_EFFORT: u16 = 0b11 << 1;
const STREAMED: u16 = 1 << 3;
const PATCH: u16 = 1 << 5;
const UTF8_NAME: u16 = 1 << 11;

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_BYTES: usize = 30;
const CENTRAL_BYTES: usize = 46;

const CUT_OFF: &str = "its header is cut off";

impl<'a> Central<'a> {
    /// Or why the header contradicts itself.
    pub(super) fn read(header: Record<'a>) -> Result<Self, &'static str> {
        let fields = Fields::read(header, 8, CENTRAL_BYTES)?;
        Self::of(fields, header).ok_or("its header points to a large number that is not there")?
    }

    fn of(fields: Fields<'a>, header: Record<'a>) -> Option<Result<Self, &'static str>> {
        let mut zip64 = fields.extra.zip64();
        let central = Self {
            size: zip64.number(fields.narrow_size)?,
            packed_size: zip64.number(fields.narrow_packed_size)?,
            local: zip64.number(header.u32(42)?)?,
            made_on: header.u16(4)?.to_le_bytes()[1],
            attributes: header.u32(38)?,
            fields,
        };
        Some(if zip64.disk(header.u16(34)?)? != 0 {
            Err("it is said to be in another part of the archive")
        } else if zip64.has_more() {
            Err("its header gives two sizes")
        } else {
            Ok(central)
        })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.fields.flags & ENCRYPTED != 0 || self.fields.method == AES
    }

    pub(super) fn is_patch(&self) -> bool {
        self.fields.flags & PATCH != 0
    }

    /// Whether sizes and checksum stand behind the data, since the packer did not know them before.
    pub(super) fn is_streamed(&self) -> bool {
        self.fields.flags & STREAMED != 0
    }

    pub(super) fn says_utf8(&self) -> bool {
        self.fields.flags & UTF8_NAME != 0
    }

    /// Whether an unpacking program would make a link, a device or a pipe of it.
    pub(super) fn is_special(&self) -> bool {
        /// `st_mode`, as Unix packers put it into the upper half. Source: inode(7).
        const KIND: u32 = 0o170_000;
        const FOLDER: u32 = 0o040_000;
        const FILE: u32 = 0o100_000;
        /// `FILE_ATTRIBUTE_REPARSE_POINT`. Source: MS-FSCC, section 2.6.
        const REPARSE_POINT: u32 = 0x400;
        const UNIX: u8 = 3;
        let kind = (self.attributes >> 16) & KIND;
        let is_reparse_point = self.made_on != UNIX && self.attributes & REPARSE_POINT != 0;
        !matches!(kind, 0 | FOLDER | FILE) || is_reparse_point
    }
}

impl<'a> Local<'a> {
    pub(super) fn read(archive: &'a [u8], offset: u64) -> Result<Self, &'static str> {
        let at = usize::try_from(offset).map_err(|_| CUT_OFF)?;
        let header = Record::signed(archive, at, LOCAL)
            .ok_or("the directory points to where its own header is not")?;
        let fields = Fields::read(header, 6, LOCAL_BYTES)?;
        let variable = [26, 28].map(|field| header.u16(field).map(usize::from));
        let [Some(name), Some(extra)] = variable else {
            return Err(CUT_OFF);
        };
        Ok(Self {
            fields,
            data: at + LOCAL_BYTES + name + extra,
        })
    }

    /// Where the entry's two headers contradict each other. Dates and the effort of packing may
    /// differ; all else decides what a program reads that goes by this header alone.
    pub(super) fn contradicts(&self, central: &Central<'_>) -> Option<&'static str> {
        let (local, listed) = (&self.fields, &central.fields);
        if local.name != listed.name {
            Some("its own header gives it another name than the directory")
        } else if local.method != listed.method {
            Some("its own header gives another method than the directory")
        } else if (local.flags ^ listed.flags) & !PACKING_EFFORT != 0 {
            Some("its own header has other flags than the directory")
        } else if self.has_other_numbers(central).unwrap_or(true) {
            Some("its own header gives other sizes or another checksum than the directory")
        } else {
            None
        }
    }

    fn has_other_numbers(&self, central: &Central<'_>) -> Option<bool> {
        let mut zip64 = self.fields.extra.zip64();
        let pairs = [
            (self.fields.crc32.into(), central.fields.crc32.into()),
            (zip64.number(self.fields.narrow_size)?, central.size),
            (
                zip64.number(self.fields.narrow_packed_size)?,
                central.packed_size,
            ),
        ];
        // Before streamed data they are not known yet; whoever knows them must know them well.
        let is_open = |number: u64| central.is_streamed() && number == 0;
        let differs = |&(own, listed): &(u64, u64)| own != listed && !is_open(own);
        Some(pairs.iter().any(differs))
    }

    /// The second name that this header alone might give.
    pub(super) fn unicode_path(&self) -> Option<Result<&'a str, &'static str>> {
        self.fields.extra.unicode_path(self.fields.name)
    }
}

impl<'a> Fields<'a> {
    fn read(header: Record<'a>, first: usize, name_at: usize) -> Result<Self, &'static str> {
        let numbers = || {
            Some(Self {
                flags: header.u16(first)?,
                method: header.u16(first + 2)?,
                crc32: header.u32(first + 8)?,
                narrow_packed_size: header.u32(first + 12)?,
                narrow_size: header.u32(first + 16)?,
                name: header.bytes(name_at, header.u16(first + 20)?.into())?,
                extra: Extra::default(),
            })
        };
        let fields = numbers().ok_or(CUT_OFF)?;
        let extra = header
            .u16(first + 22)
            .and_then(|length| header.bytes(name_at + fields.name.len(), length.into()));
        Ok(Self {
            extra: Extra::read(extra.ok_or(CUT_OFF)?)?,
            ..fields
        })
    }
}
