use std::{collections::HashMap, fs::File, io, os::unix::fs::FileExt};

use bytes::{BufMut, Bytes};
use russh_sftp::{
    extensions::{self, LimitsExtension, Statvfs},
    protocol::{
        self, Attrs, ExtendedReply, FileAttributes, Handle, Name, Packet, StatusCode, Version,
    },
    ser,
};
use rustix::fs::StatVfs;

use super::{
    refusal::Refusal,
    settings::Settings,
    usage::{Bounds, Total},
};

/// `SSH_FXP_DATA` (draft-ietf-secsh-filexfer-02, section 3).
const DATA: u8 = 103;

/// Bytes of a data reply before the data: length, type, request, length of the data.
pub(super) const DATA_HEADER_BYTES: usize = 13;

/// Longest read that is answered in one reply; OpenSSH's server has the same.
pub(super) const MAX_READ_BYTES: u32 = 255 * 1024;

pub(super) const POSIX_RENAME: &str = "posix-rename@openssh.com";

/// A reply as it goes over the wire, or why there is none.
pub(super) type Reply = Result<Bytes, Refusal>;

pub(super) fn version() -> Option<Bytes> {
    let offered = [
        (extensions::LIMITS, "1"),
        (extensions::FSYNC, "1"),
        (extensions::STATVFS, "2"),
        (POSIX_RENAME, "1"),
    ];
    let extensions: HashMap<_, _> = offered
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .into();
    let version = Version {
        version: protocol::VERSION,
        extensions,
    };
    Bytes::try_from(Packet::from(version)).ok()
}

pub(super) fn done(id: u32) -> Reply {
    encoded(Packet::error(id, StatusCode::Ok))
}

pub(super) fn refused(id: u32, refusal: &Refusal) -> Option<Bytes> {
    let packet = Packet::status(id, refusal.status(), &refusal.to_string(), "en");
    Bytes::try_from(packet).ok()
}

pub(super) fn handle(id: u32, handle: String) -> Reply {
    encoded(Packet::from(Handle { id, handle }))
}

pub(super) fn attributes(id: u32, attrs: FileAttributes) -> Reply {
    encoded(Packet::from(Attrs { id, attrs }))
}

pub(super) fn names(id: u32, entries: Vec<(String, FileAttributes)>) -> Reply {
    let files = entries
        .into_iter()
        .map(|(name, attributes)| protocol::File::new(name, attributes))
        .collect();
    encoded(Packet::from(Name { id, files }))
}

/// Up to `len` bytes of `file` at `offset`; at its end there are none, which is a refusal.
///
/// The data is read straight into the reply: the codec would copy it twice.
pub(super) fn data(id: u32, file: &File, offset: u64, len: u32) -> Reply {
    let len = len.min(MAX_READ_BYTES) as usize;
    let mut reply = vec![0; DATA_HEADER_BYTES + len];
    let (mut header, space) = reply.split_at_mut(DATA_HEADER_BYTES);
    let read = read_fully(file, space, offset)?;
    if read == 0 && len > 0 {
        return Err(Refusal::End);
    }
    let data_len = u32::try_from(read).unwrap_or(0);
    header.put_u32(data_len + 9);
    header.put_u8(DATA);
    header.put_u32(id);
    header.put_u32(data_len);
    reply.truncate(DATA_HEADER_BYTES + read);
    Ok(reply.into())
}

pub(super) fn limits(id: u32, settings: &Settings) -> Reply {
    let limits = LimitsExtension {
        max_packet_len: settings.max_packet_bytes as u64,
        max_read_len: u64::from(MAX_READ_BYTES),
        max_write_len: (settings.max_packet_bytes as u64).saturating_sub(1024),
        max_open_handles: settings.max_handles as u64,
    };
    extended(id, &limits)
}

/// An account with a quota sees it as the size of the file system.
pub(super) fn file_system(id: u32, found: &StatVfs, used: Total, bounds: Bounds) -> Reply {
    let block = found.f_frsize.max(1);
    let within = |bound: Option<u64>, used: u64, size: u64, free: u64| match bound {
        Some(bound) => (bound, bound.saturating_sub(used).min(free)),
        None => (size, free),
    };
    let bytes = bounds.bytes.map(|bytes| bytes / block);
    let in_blocks = used.bytes.div_ceil(block);
    let (blocks, blocks_avail) = within(bytes, in_blocks, found.f_blocks, found.f_bavail);
    let (inodes, inodes_avail) = within(bounds.files, used.files, found.f_files, found.f_favail);
    let reply = Statvfs {
        block_size: found.f_bsize,
        fragment_size: block,
        blocks,
        blocks_free: blocks_avail,
        blocks_avail,
        inodes,
        inodes_free: inodes_avail,
        inodes_avail,
        fs_id: 0,
        flags: 0,
        name_max: found.f_namemax,
    };
    extended(id, &reply)
}

fn extended(id: u32, reply: &impl serde::Serialize) -> Reply {
    let data = ser::to_bytes(reply).map_err(unwritable)?.to_vec();
    encoded(Packet::from(ExtendedReply { id, data }))
}

fn encoded(packet: Packet) -> Reply {
    Bytes::try_from(packet).map_err(unwritable)
}

fn unwritable<E>(_: E) -> Refusal {
    Refusal::Unsupported("the reply cannot be written")
}

/// Reads until `space` is full or the file ends: a short reply would make clients that take its
/// length for the chunk size crawl.
fn read_fully(file: &File, space: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = space.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset.saturating_add(filled as u64)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
