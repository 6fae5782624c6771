use std::{
    io::{self, Read},
    sync::Arc,
};

use crate::domain::DocumentName;

/// Bytes that somebody keeps: a file mapped into memory, or a vector.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Where an unpacked document stands that is too large for memory, or that many letters share.
///
/// The caller implements it with a file of the spool. The same document may be kept twice, when
/// a batch is opened again; the content is then the same.
pub trait Shelf: Sync {
    /// Reads `content` to its end. An error of `content` is handed back as it is, and what was
    /// written until then is thrown away.
    fn keep(&self, document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes>;
}

/// A shelf for small batches and for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryShelf;

impl Shelf for MemoryShelf {
    fn keep(&self, _document: &DocumentName, content: &mut dyn Read) -> io::Result<SharedBytes> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        Ok(Arc::new(bytes))
    }
}
