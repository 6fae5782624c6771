//! The file that a page's content is read from, and what may still be spent on reading it.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::ContentLimits;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, elements, number, reference};
use crate::pdf::document::File;
use crate::pdf::filters::decoded;
use crate::pdf::font::Font;
use crate::pdf::layers::Layers;
use crate::pdf::object::Object;
use crate::pdf::objects::Objects;

/// What the looks at all pages of a file share.
pub(in crate::pdf) struct Shared {
    /// Decoded bytes of content of all pages. Pages of a file may share a picture of a megabyte, drawn
    /// with paths; but not a million pages one.
    spent: AtomicU64,
    /// Somebody asked for more than there was.
    is_exhausted: AtomicBool,
    file_bytes: u64,
    /// By object number.
    fonts: Mutex<HashMap<u32, Arc<Font>>>,
}

/// What the content of a large file may come to, as a multiple of its length.
const CONTENT_A_BYTE: u64 = 256;

/// Letters share a few fonts. A file of a million pages may have one a page.
const MOST_FONTS: usize = 256;

impl Shared {
    /// For a file of so many bytes.
    pub(in crate::pdf) fn new(bytes: usize) -> Self {
        Self {
            spent: AtomicU64::new(0),
            is_exhausted: AtomicBool::new(false),
            file_bytes: bytes as u64,
            fonts: Mutex::default(),
        }
    }

    /// Why a page was refused for what all pages ask for together, if any was.
    pub(in crate::pdf) fn exhausted(&self) -> Option<Refusal> {
        let is_exhausted = self.is_exhausted.load(Ordering::Relaxed);
        is_exhausted.then_some(DOCUMENT_TOO_LONG)
    }

    /// Counts content that is gone through.
    pub(in crate::pdf) fn spend(
        &self,
        bytes: usize,
        limits: &ContentLimits,
    ) -> Result<(), Refusal> {
        let of_large_file = self.file_bytes.saturating_mul(CONTENT_A_BYTE);
        let most = limits.max_document_bytes.max(of_large_file);
        let after = |spent: u64| {
            spent
                .checked_add(bytes as u64)
                .filter(|spent| *spent <= most)
        };
        let spent = self
            .spent
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, after);
        spent.map(drop).map_err(|_| {
            self.is_exhausted.store(true, Ordering::Relaxed);
            DOCUMENT_TOO_LONG
        })
    }
}

/// Values of a file, each counted against what one page may ask for.
pub(super) struct Source<'s> {
    pub(super) objects: &'s Objects<'s>,
    layers: &'s Layers,
    shared: &'s Shared,
    limits: ContentLimits,
    bytes_left: Cell<u64>,
    operators_left: Cell<u32>,
}

/// References to references, followed.
const MOST_ALIASES: usize = 32;

impl<'s> Source<'s> {
    pub(super) fn of(file: &'s File<'s>, limits: &ContentLimits) -> Self {
        Self {
            objects: &file.objects,
            layers: &file.layers,
            shared: &file.content,
            limits: *limits,
            bytes_left: Cell::new(limits.max_content_bytes),
            operators_left: Cell::new(limits.max_operators),
        }
    }

    pub(super) fn spend(&self, bytes: usize) -> Result<(), Refusal> {
        let left = self.bytes_left.get().checked_sub(bytes as u64);
        self.bytes_left.set(left.ok_or(TOO_LONG)?);
        self.shared.spend(bytes, &self.limits)
    }

    pub(super) fn spend_operators(&self, count: u32) -> Result<(), Refusal> {
        let left = self.operators_left.get().checked_sub(count);
        self.operators_left.set(left.ok_or(Refusal::Limit {
            what: "the operators of a page",
        })?);
        Ok(())
    }

    /// The object behind a reference, or the value itself.
    pub(super) fn object(&self, value: &'s [u8]) -> Result<Object<'s>, Refusal> {
        let mut object = Object { value, data: None };
        for _ in 0..MOST_ALIASES {
            let Some(number) = reference(object.value) else {
                return Ok(object);
            };
            object = self.numbered(number)?;
        }
        Ok(NULL)
    }

    pub(super) fn numbered(&self, number: u32) -> Result<Object<'s>, Refusal> {
        let object = self.objects.object(number)?.unwrap_or(NULL);
        self.spend(object.value.len())?;
        Ok(object)
    }

    /// Whether what has that `/OC` shows in print.
    pub(super) fn shows(&self, membership: &[u8]) -> Result<bool, Refusal> {
        self.layers.shows(self.objects, membership)
    }

    /// The value of a key, references followed; `None` if it is absent or `null`.
    pub(super) fn get(
        &self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<&'s [u8]>, Refusal> {
        let Some(value) = dictionary.get(key) else {
            return Ok(None);
        };
        let value = self.object(value)?.value;
        Ok(Some(value).filter(|value| *value != NULL.value))
    }

    pub(super) fn dictionary(
        &self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<Dictionary<'s>>, Refusal> {
        Ok(self.get(dictionary, key)?.and_then(Dictionary::of))
    }

    pub(super) fn number(
        &self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<f64>, Refusal> {
        Ok(self.get(dictionary, key)?.and_then(number))
    }

    /// The numbers of an array; `None` if they are fewer, or something else.
    pub(super) fn numbers<const N: usize>(
        &self,
        dictionary: Dictionary<'s>,
        key: &[u8],
    ) -> Result<Option<[f64; N]>, Refusal> {
        let Some(array) = self.get(dictionary, key)? else {
            return Ok(None);
        };
        let mut numbers = [0.0; N];
        let mut values = elements(array);
        for place in &mut numbers {
            let Some(value) = values.next() else {
                return Ok(None);
            };
            match number(self.object(value)?.value) {
                Some(value) => *place = value,
                None => return Ok(None),
            }
        }
        Ok(Some(numbers))
    }

    /// The bytes of a stream, filters undone; they are not yet counted. `None` if a filter is not read.
    pub(super) fn decoded(&self, stream: Object<'s>) -> Result<Option<Vec<u8>>, Refusal> {
        decoded(self.objects, stream, self.bytes_left.get())
    }

    /// The font behind a reference or in a dictionary. `None` if there is none.
    pub(super) fn font(&self, value: &'s [u8]) -> Result<Option<Arc<Font>>, Refusal> {
        let number = reference(value);
        if let Some(font) = number.and_then(|number| self.known_font(number)) {
            return Ok(Some(font));
        }
        let Some(dictionary) = Dictionary::of(self.object(value)?.value) else {
            return Ok(None);
        };
        let font = Arc::new(Font::read(self.objects, dictionary)?);
        if let Some(number) = number {
            self.keep_font(number, &font);
        }
        Ok(Some(font))
    }

    fn known_font(&self, number: u32) -> Option<Arc<Font>> {
        let fonts = self.shared.fonts.lock();
        let fonts = fonts.unwrap_or_else(PoisonError::into_inner);
        fonts.get(&number).cloned()
    }

    fn keep_font(&self, number: u32, font: &Arc<Font>) {
        let fonts = self.shared.fonts.lock();
        let mut fonts = fonts.unwrap_or_else(PoisonError::into_inner);
        if fonts.len() >= MOST_FONTS {
            fonts.clear();
        }
        fonts.insert(number, Arc::clone(font));
    }
}

const NULL: Object<'static> = Object {
    value: b"null",
    data: None,
};
const TOO_LONG: Refusal = Refusal::Limit {
    what: "the content of a page",
};
const DOCUMENT_TOO_LONG: Refusal = Refusal::Limit {
    what: "the content of all its pages",
};
