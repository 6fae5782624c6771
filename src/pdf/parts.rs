//! Document parts (ISO 16612-2): which pages are one piece, and what is known about it.

use std::io::{self, Write};

use super::output::Output;
use super::text::{put_name, put_text};

/// A value in the metadata of a document part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartValue<'a> {
    Text(&'a str),
    Number(i64),
}

/// The tree of parts: a root, and a leaf for each piece.
pub(super) struct Parts {
    /// Object number of the dictionary that the catalog names.
    root: u32,
    /// Object number of the one inner node.
    node: u32,
    leaves: Vec<u32>,
    open: Option<OpenPart>,
}

struct OpenPart {
    leaf: u32,
    metadata: Vec<u8>,
    /// Object numbers of its first and last page.
    pages: Option<(u32, u32)>,
}

/// Arrays of 8,191 elements or more are beyond some readers (ISO 32000-1, annex C).
const MOST_ELEMENTS: usize = 8_000;

impl Parts {
    pub(super) fn new<W: Write>(output: &mut Output<W>) -> io::Result<Self> {
        Ok(Self {
            root: output.reserve()?,
            node: output.reserve()?,
            leaves: Vec::new(),
            open: None,
        })
    }

    pub(super) fn begin(
        &mut self,
        leaf: u32,
        metadata: &[(&str, PartValue<'_>)],
    ) -> io::Result<()> {
        if self.open.is_some() {
            return Err(misuse("a document part begins inside another"));
        }
        self.open = Some(OpenPart {
            leaf,
            metadata: dictionary(metadata),
            pages: None,
        });
        Ok(())
    }

    /// Takes a page into the open part; returns the part's object number.
    pub(super) fn take_page(&mut self, page: u32) -> io::Result<u32> {
        let open = self.open.as_mut();
        let open = open.ok_or_else(|| misuse("a page stands outside all document parts"))?;
        let first = open.pages.map_or(page, |(first, _)| first);
        open.pages = Some((first, page));
        Ok(open.leaf)
    }

    pub(super) fn end<W: Write>(&mut self, output: &mut Output<W>) -> io::Result<()> {
        let open = self.open.take();
        let open = open.ok_or_else(|| misuse("a document part ends that never began"))?;
        let pages = open
            .pages
            .ok_or_else(|| misuse("a document part has no pages"))?;
        output.begin(open.leaf)?;
        output.put(b"<</Type/DPart/Parent ");
        output.reference(self.node);
        output.put(b"/Start ");
        output.reference(pages.0);
        // A part of one page has no `/End`.
        if pages.1 != pages.0 {
            output.put(b"/End ");
            output.reference(pages.1);
        }
        output.put(b"/DPM");
        output.put(&open.metadata);
        output.put(b">>");
        output.end();
        self.leaves.push(open.leaf);
        Ok(())
    }

    /// Writes the tree; returns the object number that the catalog names.
    pub(super) fn finish<W: Write>(self, output: &mut Output<W>) -> io::Result<u32> {
        if self.open.is_some() {
            return Err(misuse("a document part does not end"));
        }
        output.begin(self.root)?;
        output.put(b"<</Type/DPartRoot/RecordLevel 1/NodeNameList[/Bundle/Piece]/DPartRootNode ");
        output.reference(self.node);
        output.put(b">>");
        output.end();
        output.begin(self.node)?;
        output.put(b"<</Type/DPart/Parent ");
        output.reference(self.root);
        output.put(b"/DParts[");
        for leaves in self.leaves.chunks(MOST_ELEMENTS) {
            output.put(b"[");
            for leaf in leaves {
                output.reference(*leaf);
                output.put(b" ");
            }
            output.put(b"]");
        }
        output.put(b"]>>");
        output.end();
        Ok(self.root)
    }
}

fn dictionary(metadata: &[(&str, PartValue<'_>)]) -> Vec<u8> {
    let mut out = b"<<".to_vec();
    for (key, value) in metadata {
        put_name(&mut out, key);
        match value {
            PartValue::Text(text) => put_text(&mut out, text),
            PartValue::Number(number) => out.extend_from_slice(format!(" {number}").as_bytes()),
        }
    }
    out.extend_from_slice(b">>");
    out
}

fn misuse(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
