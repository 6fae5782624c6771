//! ZIPs that no tool would write: each field as the test says.

use std::{
    borrow::Cow,
    io::{Read, Write},
};

use flate2::{Compression, write::DeflateEncoder};

use crate::{
    batch::{Archive, Limits},
    domain::{Code, Finding},
};

/// An entry: its two headers, its data, and what stands behind that.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) local: Head,
    pub(super) central: Head,
    pub(super) data: Vec<u8>,
    pub(super) behind: Vec<u8>,
    pub(super) made_on: u8,
    pub(super) disk: u16,
    pub(super) attributes: u32,
    /// Where the directory says that the local header is, if not there.
    pub(super) offset: Option<u32>,
}

#[derive(Clone)]
pub(super) struct Head {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u32,
    pub(super) size: u32,
    pub(super) name: Vec<u8>,
    pub(super) extra: Vec<u8>,
}

/// Bit 3 of the flags: the numbers stand behind the data.
pub(super) const STREAMED: u16 = 1 << 3;
/// Bit 11 of the flags: the name is UTF-8.
pub(super) const UTF8: u16 = 1 << 11;

pub(super) fn crc(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

pub(super) fn deflated(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn bytes32(length: usize) -> u32 {
    u32::try_from(length).unwrap()
}

impl Part {
    pub(super) fn stored(name: &str, content: &[u8]) -> Self {
        Self::of(name, 0, content.to_vec(), content)
    }

    pub(super) fn deflated(name: &str, content: &[u8]) -> Self {
        Self::of(name, 8, deflated(content), content)
    }

    fn of(name: &str, method: u16, data: Vec<u8>, content: &[u8]) -> Self {
        let head = Head {
            flags: 0,
            method,
            crc: crc(content),
            packed: bytes32(data.len()),
            size: bytes32(content.len()),
            name: name.into(),
            extra: Vec::new(),
        };
        Self {
            local: head.clone(),
            central: head,
            data,
            behind: Vec::new(),
            made_on: 3,
            disk: 0,
            attributes: 0,
            offset: None,
        }
    }

    /// The same change in both headers.
    pub(super) fn both(mut self, change: impl Fn(&mut Head)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// As a packer writes it that cannot go back: numbers behind the data only.
    pub(super) fn streamed(self, descriptor: impl FnOnce(&Head) -> Vec<u8>) -> Self {
        self.both(|head| head.flags |= STREAMED).with(|part| {
            part.behind = descriptor(&part.central);
            (part.local.crc, part.local.packed, part.local.size) = (0, 0, 0);
        })
    }
}

/// A data descriptor, with or without a sign, with sizes of four or eight bytes.
pub(super) fn descriptor(head: &Head, sign: &[u8], is_wide: bool) -> Vec<u8> {
    let mut bytes = [sign, &head.crc.to_le_bytes()].concat();
    for size in [head.packed, head.size] {
        let width = if is_wide { 8 } else { 4 };
        bytes.extend(&u64::from(size).to_le_bytes()[..width]);
    }
    bytes
}

pub(super) fn extra(id: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    [&id.to_le_bytes(), &length.to_le_bytes(), content].concat()
}

/// Where the parts of a forged archive are.
pub(super) struct Forged {
    pub(super) bytes: Vec<u8>,
    pub(super) directory: usize,
    pub(super) end: usize,
}

pub(super) fn forge(parts: &[Part]) -> Forged {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for part in parts {
        let offset = part.offset.unwrap_or(bytes32(bytes.len()));
        bytes.extend(b"PK\x03\x04\x14\0");
        bytes.extend(head(&part.local));
        bytes.extend(
            [
                part.local.name.as_slice(),
                &part.local.extra,
                &part.data,
                &part.behind,
            ]
            .concat(),
        );
        directory.extend([b'P', b'K', 1, 2, 20, part.made_on, 20, 0]);
        directory.extend(head(&part.central));
        directory.extend([0, 0]);
        directory.extend(part.disk.to_le_bytes());
        directory.extend([0, 0]);
        directory.extend(part.attributes.to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend([part.central.name.as_slice(), &part.central.extra].concat());
    }
    let start = bytes.len();
    bytes.extend(&directory);
    let end = bytes.len();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    let count = u16::try_from(parts.len()).unwrap().to_le_bytes();
    bytes.extend([count, count].concat());
    bytes.extend(bytes32(directory.len()).to_le_bytes());
    bytes.extend(bytes32(start).to_le_bytes());
    bytes.extend([0, 0]);
    Forged {
        bytes,
        directory: start,
        end,
    }
}

/// From the flags to the length of the extra fields; dates are zero.
fn head(head: &Head) -> Vec<u8> {
    let mut bytes = [head.flags.to_le_bytes(), head.method.to_le_bytes()].concat();
    bytes.extend([0; 4]);
    for number in [head.crc, head.packed, head.size] {
        bytes.extend(number.to_le_bytes());
    }
    for length in [head.name.len(), head.extra.len()] {
        bytes.extend(u16::try_from(length).unwrap().to_le_bytes());
    }
    bytes
}

impl Forged {
    /// Overwrites bytes at an offset of the end record.
    pub(super) fn at_end(mut self, offset: usize, bytes: &[u8]) -> Vec<u8> {
        let at = self.end + offset;
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.bytes
    }
}

pub(super) fn findings(bytes: &[u8]) -> Vec<Finding> {
    let opened = Archive::open(bytes, &Limits::default());
    opened.err().unwrap_or_default()
}

/// Of one entry, or of several.
pub(super) fn told(parts: &[Part]) -> Vec<(Code, String)> {
    let found = findings(&forge(parts).bytes).into_iter();
    found
        .map(|finding| (finding.code, finding.detail))
        .collect()
}

pub(super) fn codes(parts: &[Part]) -> Vec<Code> {
    told(parts).into_iter().map(|(code, _)| code).collect()
}

pub(super) fn check_refused(part: Part, code: Code, says: &str) {
    let told = told(&[part]);
    let [(found, detail)] = told.as_slice() else {
        panic!("{says}: {told:?}")
    };
    assert!(*found == code && detail.contains(says), "{says}: {told:?}");
}

pub(super) fn inconsistent(part: Part, says: &str) {
    check_refused(part, Code::ArchiveInconsistent, says);
}

pub(super) fn letter() -> Part {
    Part::deflated("kirje.pdf", &b"kirje ".repeat(100))
}

pub(super) fn content(bytes: &[u8], name: &str) -> Result<Vec<u8>, Code> {
    let archive = Archive::open(bytes, &Limits::default()).map_err(|findings| findings[0].code)?;
    let whole = archive.read(name).map(Cow::into_owned);
    let streamed = archive.reader(name).and_then(|mut reader| {
        let mut bytes = Vec::new();
        let read = reader.read_to_end(&mut bytes).is_ok();
        assert_eq!(read, reader.problem().is_none());
        reader
            .problem()
            .map_or(Ok(bytes), |problem| Err(problem.clone()))
    });
    assert_eq!(whole, streamed, "both ways to read tell the same");
    whole.map_err(|finding| finding.code)
}
