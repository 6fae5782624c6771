//! What a file of our own says of its pages, read back out of it: to hold it to what was wanted.

use std::collections::HashMap;

use super::dictionary::{Dictionary, elements};
use super::objects::Objects;
use super::page::{Page, rectangle};
use super::{Document, PageGeometry, Refusal, filters};

/// A page as it stands in a file that [`super::Writer`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenPage {
    pub geometry: PageGeometry,
    /// Whether its `TrimBox` is all that is visible of it.
    pub is_trimmed: bool,
    /// The document part that it says it belongs to.
    pub part: Option<PartId>,
}

/// Tells the document parts of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartId(u32);

/// A document part with pages of its own (ISO 16612-2, 6.5).
#[derive(Clone, Copy)]
pub struct WrittenPart<'s> {
    pub id: PartId,
    /// From 1.
    pub first_page: u32,
    pub last_page: u32,
    metadata: Dictionary<'s>,
}

impl WrittenPart<'_> {
    /// A number in its metadata.
    pub fn number(&self, key: &str) -> Option<i64> {
        self.metadata.integer(key.as_bytes())
    }
}

impl Document<'_> {
    /// The page of that number, from 1.
    pub fn written_page(&self, number: u32) -> Result<WrittenPage, Refusal> {
        let file = self.file();
        let (object, inherited) = file.tree.page(number)?;
        let dictionary = dictionary(&file.objects, object)?;
        let geometry = Page::of(dictionary, inherited).geometry(&file.objects)?;
        let trim = rectangle(&file.objects, dictionary.get(b"TrimBox"))?;
        Ok(WrittenPage {
            is_trimmed: trim == Some(geometry.visible),
            part: dictionary.reference(b"DPart").map(PartId),
            geometry,
        })
    }

    /// The document parts that have pages, in their order; `None` where the file has no parts.
    pub fn written_parts(&self) -> Result<Option<Vec<WrittenPart<'_>>>, Refusal> {
        let file = self.file();
        let catalog = dictionary(&file.objects, file.catalog)?;
        let Some(root) = catalog.reference(b"DPartRoot") else {
            return Ok(None);
        };
        let root = dictionary(&file.objects, root)?;
        let node = root.reference(b"DPartRootNode").ok_or(BROKEN_PARTS)?;
        let node = dictionary(&file.objects, node)?;
        let leaves = node.get(b"DParts").ok_or(BROKEN_PARTS)?;
        let numbers = self.page_numbers()?;
        let leaves = elements(leaves).flat_map(elements).map(|leaf| {
            let leaf = super::dictionary::reference(leaf).ok_or(BROKEN_PARTS)?;
            part(&file.objects, leaf, &numbers)
        });
        leaves.collect::<Result<_, _>>().map(Some)
    }

    /// What the last content stream of a page holds, which is where its overlay is. `None` where
    /// there is no such stream, or its filter is not read.
    pub fn last_content(&self, number: u32, most_bytes: u64) -> Result<Option<Vec<u8>>, Refusal> {
        let file = self.file();
        let contents = file.page(number)?.contents.unwrap_or_default();
        let last = elements(contents).last();
        let Some(last) = last.and_then(super::dictionary::reference) else {
            return Ok(None);
        };
        match file.objects.object(last)? {
            Some(stream) => filters::decoded(&file.objects, stream, most_bytes),
            None => Ok(None),
        }
    }

    /// By object number.
    fn page_numbers(&self) -> Result<HashMap<u32, u32>, Refusal> {
        let tree = &self.file().tree;
        let numbers = (1..=tree.count()).map(|number| Ok((tree.page(number)?.0, number)));
        numbers.collect()
    }
}

fn part<'s>(
    objects: &'s Objects<'_>,
    leaf: u32,
    numbers: &HashMap<u32, u32>,
) -> Result<WrittenPart<'s>, Refusal> {
    let part = dictionary(objects, leaf)?;
    let page_of = |key| part.reference(key).and_then(|page| numbers.get(&page));
    let first_page = *page_of(b"Start").ok_or(BROKEN_PARTS)?;
    let last_page = match part.get(b"End") {
        Some(_) => *page_of(b"End").ok_or(BROKEN_PARTS)?,
        None => first_page,
    };
    let metadata = part.get(b"DPM").and_then(Dictionary::of);
    Ok(WrittenPart {
        id: PartId(leaf),
        first_page,
        last_page,
        metadata: metadata.unwrap_or(Dictionary::EMPTY),
    })
}

fn dictionary<'s>(objects: &'s Objects<'_>, number: u32) -> Result<Dictionary<'s>, Refusal> {
    let object = objects.object(number)?;
    let dictionary = object.and_then(|object| Dictionary::of(object.value));
    dictionary.ok_or(Refusal::Unreadable {
        what: "an object is no dictionary where one must be",
    })
}

const BROKEN_PARTS: Refusal = Refusal::Unreadable {
    what: "the document parts are broken",
};
