//! Archives inside the archive that nobody opens: what is in them would be lost, or come to light
//! where nobody counts it.

use crate::batch::contents::has_extension;

/// The longest sign.
pub(super) const HEAD_BYTES: u64 = 10;

/// Packed files of all kinds, but for the ZIP that a batch may be nested in.
const EXTENSIONS: [&str; 22] = [
    "7z", "ace", "arj", "br", "bz2", "cab", "cpio", "gz", "iso", "jar", "lha", "lz", "lz4", "lzh",
    "rar", "tar", "tbz2", "tgz", "txz", "xz", "zipx", "zst",
];

/// What packed files begin with. Source: the magic(5) file of file(1).
const SIGNS: [&[u8]; 11] = [
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"7z\xBC\xAF\x27\x1C",
    b"Rar!\x1A\x07",
    b"\x1F\x8B\x08",
    b"\xFD7zXZ\0",
    b"\x28\xB5\x2F\xFD",
    b"\x04\x22\x4D\x18",
    b"MSCF\0\0\0\0",
    // Bzip2, whose first three letters alone could be text.
    b"1AY&SY",
];

/// Documents of office programs are ZIPs by design, and attached to letters as they are.
const OFFICE: [&str; 6] = ["docx", "xlsx", "pptx", "odt", "ods", "odp"];

pub(super) fn has_name_of_archive(name: &str) -> bool {
    let has = |extension: &&str| has_extension(name, extension);
    EXTENSIONS.iter().any(has)
}

/// Whether content that begins like this is an archive, which its name does not tell.
pub(super) fn is_hidden(name: &str, head: &[u8]) -> bool {
    let is_open = |extension: &&str| has_extension(name, extension);
    let is_packed = || {
        let head = head
            .strip_prefix(b"BZh")
            .and_then(|head| head.get(1..))
            .unwrap_or(head);
        SIGNS.iter().any(|sign| head.starts_with(sign))
    };
    !OFFICE.iter().chain(&["zip"]).any(is_open) && is_packed()
}
