//! From a PDF to a plain one, by the other library.

use std::io::{self, Write};

use lopdf::{Document, LoadOptions, Object, xref::XrefType};

use super::{decrypt::decrypt, lift::lift, verdict::Verdict, whole};
use crate::pdf::Rewrite;

/// Of one stream that must be inflated to read the file.
const MAX_STREAM_BYTES: usize = 64 << 20;

/// The same file gives the same bytes: objects are written in the order of their numbers, and nothing
/// is added to them.
pub(super) fn rewrite(pdf: &[u8], wanted: Rewrite, most: u64) -> Result<Vec<u8>, Verdict> {
    let document = match wanted {
        Rewrite::Mend => mended(pdf)?,
        Rewrite::Decrypt => decrypt(pdf)?,
    };
    written(document, most)
}

fn mended(pdf: &[u8]) -> Result<Document, Verdict> {
    let mut document = load(pdf)?;
    // Damage may hide that a file is encrypted: then all in it is noise.
    if document.encryption_state.is_some() || document.trailer.has(b"Encrypt") {
        return Err(Verdict::Locked);
    }
    lift(&mut document);
    whole::check(&document, |_| true)?;
    Ok(document)
}

/// Reads a file; opens it, where it is encrypted, if the empty password does.
pub(super) fn load(pdf: &[u8]) -> Result<Document, Verdict> {
    let options = LoadOptions {
        max_decompressed_size: Some(MAX_STREAM_BYTES),
        ..LoadOptions::default()
    };
    Document::load_mem_with_options(pdf, options).map_err(|_| Verdict::Unreadable)
}

fn written(mut document: Document, most: u64) -> Result<Vec<u8>, Verdict> {
    for key in [
        b"Encrypt".as_slice(),
        b"Prev",
        b"XRefStm",
        b"Type",
        b"W",
        b"Index",
        b"Filter",
        b"DecodeParms",
        b"Length",
    ] {
        document.trailer.remove(key);
    }
    // They are not written, and the table ends where the last object does.
    let is_kept = |object: &Object| {
        !object
            .type_name()
            .is_ok_and(|it| it == b"ObjStm" || it == b"XRef")
    };
    document.objects.retain(|_, object| is_kept(object));
    let last = document.objects.last_key_value();
    document.max_id = last.map_or(0, |((number, _), _)| *number);
    document.reference_table.cross_reference_type = XrefType::CrossReferenceTable;
    let mut bounded = Bounded {
        bytes: Vec::new(),
        most,
    };
    match document.save_to(&mut bounded) {
        Ok(()) => Ok(bounded.bytes),
        Err(_) => Err(Verdict::GrowsTooLong),
    }
}

/// Takes so many bytes and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if (self.bytes.len() + bytes.len()) as u64 > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
