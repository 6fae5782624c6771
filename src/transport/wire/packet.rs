//! Packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as this room uses them.

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;

use super::{Segments, SftpFailure, StatusCode};

/// Requests by their number on the wire (section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::transport) enum Kind {
    Init = 1,
    Open = 3,
    Close = 4,
    Read = 5,
    Write = 6,
    Lstat = 7,
    Fstat = 8,
    OpenDir = 11,
    ReadDir = 12,
    Remove = 13,
    MakeDir = 14,
    Rename = 18,
    Extended = 200,
}

/// Flags of [`Kind::Open`] (section 6.3).
pub(in crate::transport) const READ: u32 = 0x01;
pub(in crate::transport) const CREATE_NEW: u32 = 0x02 | 0x08 | 0x20;

/// One field of a request.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) enum Field<'f> {
    U32(u32),
    U64(u64),
    Text(&'f [u8]),
}

impl Field<'_> {
    fn len(&self) -> usize {
        match self {
            Self::U32(_) => 4,
            Self::U64(_) => 8,
            Self::Text(text) => 4 + text.len(),
        }
    }

    fn put(&self, packet: &mut BytesMut) {
        match self {
            Self::U32(number) => packet.put_u32(*number),
            Self::U64(number) => packet.put_u64(*number),
            Self::Text(text) => {
                packet.put_u32(length(text.len()));
                packet.put_slice(text);
            }
        }
    }
}

/// A request up to its data, of which `data` bytes follow.
pub(super) fn head(kind: Kind, number: u32, fields: &[Field<'_>], data: usize) -> Bytes {
    let body: usize = fields.iter().map(Field::len).sum();
    let mut packet = BytesMut::with_capacity(9 + body);
    packet.put_u32(length(5 + body + data));
    packet.put_u8(kind as u8);
    packet.put_u32(number);
    for field in fields {
        field.put(&mut packet);
    }
    packet.freeze()
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What a request is answered with.
#[derive(Debug)]
pub(in crate::transport) enum Reply {
    Done,
    /// How the server calls the file or folder that it opened.
    Handle(Bytes),
    Data(Segments),
    /// Count of the entries and the entries: see [`Entry::read`].
    Names(Segments),
    Attributes(Attributes),
    Extended(Segments),
}

/// A packet, taken apart: the number of the request and its reply.
pub(super) type Numbered = (u32, Result<Reply, SftpFailure>);

pub(super) fn read_reply(mut packet: Segments) -> Result<Numbered, SftpFailure> {
    let kind = packet.u8()?;
    let number = packet.u32()?;
    let reply = match kind {
        101 => status(&mut packet),
        102 => Ok(Reply::Handle(packet.string()?)),
        103 => Ok(Reply::Data(data(packet)?)),
        104 => Ok(Reply::Names(packet)),
        105 => Ok(Reply::Attributes(Attributes::read(&mut packet)?)),
        201 => Ok(Reply::Extended(packet)),
        _ => {
            return Err(SftpFailure::Protocol {
                what: "an answer of an unknown kind",
            });
        }
    };
    Ok((number, reply))
}

fn status(packet: &mut Segments) -> Result<Reply, SftpFailure> {
    let code = StatusCode::new(packet.u32()?);
    if code == StatusCode::Ok {
        return Ok(Reply::Done);
    }
    // Old servers send no words.
    let words = packet.string().unwrap_or_default();
    Err(SftpFailure::refused(code, &words))
}

fn data(mut packet: Segments) -> Result<Segments, SftpFailure> {
    let told = packet.u32()? as usize;
    if told == packet.len() {
        Ok(packet)
    } else {
        Err(SftpFailure::Protocol {
            what: "data of another length than it tells",
        })
    }
}

/// The server's greeting: the extensions that it offers, by name.
pub(super) fn read_version(mut packet: Segments) -> Result<Vec<String>, SftpFailure> {
    if packet.u8()? != 2 {
        return Err(SftpFailure::Protocol {
            what: "no greeting",
        });
    }
    if packet.u32()? < 3 {
        return Err(SftpFailure::Protocol {
            what: "a version of SFTP before 3",
        });
    }
    let mut offered = Vec::new();
    while !packet.is_empty() {
        offered.push(String::from_utf8_lossy(&packet.string()?).into_owned());
        packet.string()?;
    }
    Ok(offered)
}

/// What is told of a file (section 5); owners are not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::transport) struct Attributes {
    pub(in crate::transport) bytes: Option<u64>,
    pub(in crate::transport) mode: Option<u32>,
    pub(in crate::transport) modified: Option<Timestamp>,
}

impl Attributes {
    const TYPE: u32 = 0o170_000;

    pub(in crate::transport) fn read(packet: &mut Segments) -> Result<Self, SftpFailure> {
        let flags = packet.u32()?;
        let has = |flag: u32| flags & flag != 0;
        let mut found = Self::default();
        if has(0x1) {
            found.bytes = Some(packet.u64()?);
        }
        if has(0x2) {
            packet.u64()?;
        }
        if has(0x4) {
            found.mode = Some(packet.u32()?);
        }
        if has(0x8) {
            packet.u32()?;
            found.modified = Timestamp::from_second(i64::from(packet.u32()?)).ok();
        }
        if has(0x8000_0000) {
            for _ in 0..packet.u32()? {
                packet.string()?;
                packet.string()?;
            }
        }
        Ok(found)
    }

    /// `None` where the server tells no kind.
    pub(in crate::transport) fn is_file(&self) -> Option<bool> {
        let kind = self.mode? & Self::TYPE;
        (kind != 0).then_some(kind == 0o100_000)
    }

    pub(in crate::transport) fn is_folder(&self) -> bool {
        self.mode.is_some_and(|mode| mode & Self::TYPE == 0o040_000)
    }
}

/// One entry of a folder.
#[derive(Debug)]
pub(in crate::transport) struct Entry {
    /// In whatever encoding the server has it.
    pub(in crate::transport) name: Bytes,
    pub(in crate::transport) is_file: bool,
    pub(in crate::transport) attributes: Attributes,
}

impl Entry {
    /// All entries of a reply.
    pub(in crate::transport) fn read_all(names: &mut Segments) -> Result<Vec<Self>, SftpFailure> {
        let count = names.u32()?;
        (0..count).map(|_| Self::read(names)).collect()
    }

    fn read(names: &mut Segments) -> Result<Self, SftpFailure> {
        let name = names.string()?;
        let long = names.string()?;
        let attributes = Attributes::read(names)?;
        // As `ls -l` would show it, for servers that tell the kind nowhere else.
        let looks_like_file =
            !matches!(long.first(), Some(b'd' | b'l' | b'p' | b's' | b'c' | b'b'));
        Ok(Self {
            is_file: attributes.is_file().unwrap_or(looks_like_file),
            name,
            attributes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(bytes: &[u8]) -> Segments {
        let mut segments = Segments::default();
        segments.push(Bytes::copy_from_slice(bytes));
        segments
    }

    #[test]
    fn a_request_tells_its_length_with_the_data_that_follow() {
        let head = head(
            Kind::Write,
            7,
            &[Field::Text(b"h"), Field::U64(1), Field::U32(2)],
            2,
        );
        let expected = [
            0, 0, 0, 24, 6, 0, 0, 0, 7, 0, 0, 0, 1, b'h', 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2,
        ];
        assert_eq!(head.as_ref(), expected);
    }

    #[test]
    fn a_status_is_done_or_refused() {
        let (number, reply) = read_reply(segments(&[101, 0, 0, 0, 9, 0, 0, 0, 0])).unwrap();
        assert_eq!(number, 9);
        assert!(matches!(reply, Ok(Reply::Done)), "{reply:?}");
        let (_, reply) = read_reply(segments(&[101, 0, 0, 0, 9, 0, 0, 0, 3])).unwrap();
        let code = reply.unwrap_err().code();
        assert_eq!(code, Some(StatusCode::PermissionDenied));
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_against_the_protocol() {
        for bad in [
            [103, 0, 0, 0, 1, 0, 0, 0, 9].as_slice(),
            &[101, 0, 0],
            &[],
            &[9, 0, 0, 0, 1],
            &[105, 0, 0, 0, 1, 0x80, 0, 0, 0, 255, 255, 255, 255],
        ] {
            assert!(read_reply(segments(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_entry_without_mode_is_what_its_long_name_shows() {
        let entry = |long: &[u8]| {
            let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0, 0, 0, 1];
            bytes.extend(long);
            bytes.extend([0; 4]);
            Entry::read_all(&mut segments(&bytes)).unwrap().remove(0)
        };
        assert!(entry(b"-").is_file);
        assert!(!entry(b"d").is_file);
        assert_eq!(entry(b"-").name.as_ref(), [0xff]);
    }
}
