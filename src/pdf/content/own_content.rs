//! The content streams of a page, joined (ISO 32000-1, 7.8.2).

use super::source::Source;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{elements, is_array};
use crate::pdf::loose_ends::loose_ends;
use crate::pdf::page::Page;

/// Joined as [`crate::pdf::joined::Joined`] does it, so that both judge alike.
#[derive(Default)]
pub(super) struct OwnContent {
    pub(super) bytes: Vec<u8>,
    /// Why some of it is missing.
    pub(super) unread: Option<&'static str>,
}

/// What it costs to look at a stream, however short, in bytes of content.
const STREAM: usize = 64;

impl OwnContent {
    pub(super) fn read<'s>(source: &Source<'s>, page: &Page<'s>) -> Result<Self, Refusal> {
        let mut content = Self::default();
        let Some(contents) = page.contents else {
            return Ok(content);
        };
        let contents = match source.object(contents) {
            Ok(object) if is_array(object.value) => object.value,
            // A single stream, or what cannot be read.
            _ => {
                content.add(source, contents)?;
                return Ok(content);
            }
        };
        for stream in elements(contents) {
            content.add(source, stream)?;
        }
        Ok(content)
    }

    /// Whether anything may be drawn after it as it stands; not known of what cannot be read.
    pub(super) fn is_balanced(&self) -> Result<bool, Refusal> {
        Ok(self.unread.is_none() && loose_ends(&self.bytes)?.is_none())
    }

    fn add<'s>(&mut self, source: &Source<'s>, stream: &'s [u8]) -> Result<(), Refusal> {
        match decoded(source, stream) {
            Ok(Some(bytes)) => {
                if self.bytes.is_empty() {
                    self.bytes = bytes;
                } else {
                    self.bytes.extend_from_slice(&bytes);
                }
                self.bytes.push(b'\n');
            }
            Ok(None) => self.unread = Some("the content has a filter that is not read"),
            Err(Refusal::Unreadable { what }) => self.unread = Some(what),
            Err(refusal) => return Err(refusal),
        }
        Ok(())
    }
}

/// What is no stream holds nothing.
fn decoded<'s>(source: &Source<'s>, stream: &'s [u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let stream = source.object(stream)?;
    if stream.data.is_none() {
        return Ok(Some(Vec::new()));
    }
    let decoded = source.decoded(stream)?;
    let length = decoded.as_ref().map_or(0, Vec::len);
    source.spend(length.saturating_add(STREAM))?;
    Ok(decoded)
}
