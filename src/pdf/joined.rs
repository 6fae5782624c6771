//! The content streams of a page as one (ISO 32000-1, 7.8.2).

use std::io::{self, Write as _};

use flate2::{Compression, write::ZlibEncoder};

use super::Refusal;
use super::filters::decoded;
use super::objects::Objects;

/// Content streams of one page, read one after another when asked for.
pub(super) struct Joined<'j, 'a> {
    objects: &'j Objects<'a>,
    streams: &'j [u32],
}

impl<'j, 'a> Joined<'j, 'a> {
    pub(super) fn of(objects: &'j Objects<'a>, streams: &'j [u32]) -> Self {
        Self { objects, streams }
    }

    /// All of the content, a newline behind each stream, of so many bytes at most. `None` if a filter is
    /// not read.
    pub(super) fn content(&self, most: u64) -> Result<Option<Vec<u8>>, Refusal> {
        let mut content = Vec::new();
        for stream in self.streams {
            let Some(object) = self.objects.object(*stream)? else {
                continue;
            };
            let left = most.saturating_sub(content.len() as u64);
            let Some(bytes) = decoded(self.objects, object, left)? else {
                return Ok(None);
            };
            content.extend_from_slice(&bytes);
            content.push(b'\n');
        }
        Ok(Some(content))
    }

    /// The same, deflated: it was looked at once before, and has its length. The level is part of what makes the same input give the same bytes.
    pub(super) fn deflated(&self) -> io::Result<Vec<u8>> {
        let content = self.content(u64::MAX).map_err(io::Error::other)?;
        let content = content.ok_or_else(|| io::Error::other("content that cannot be joined"))?;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(&content)?;
        encoder.finish()
    }
}
