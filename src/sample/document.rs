use std::io::{self, BufWriter, IntoInnerError, Write};

use pdf_writer::{Chunk, Date, Filter, Finish, Name, Rect, Ref, Str, TextStr};

use super::{
    Error, coat_of_arms,
    page_tree::{Children, PageTree},
    typeface::{FontRefs, Typeface},
};

/// The names under which a page knows the font and the coat of arms.
pub(super) const FONT_NAME: Name = Name(b"F1");
pub(super) const ARMS_NAME: Name = Name(b"Arms");

const CATALOG: i32 = 1;
const INFO: i32 = 2;
const FONT: i32 = 3;
const DESCENDANT_FONT: i32 = 4;
const FONT_DESCRIPTOR: i32 = 5;
const FONT_PROGRAM: i32 = 6;
const TO_UNICODE: i32 = 7;
const ARMS: i32 = 8;
const FIRST_NODE: i32 = 9;

/// What all letters share: the font, and the objects of every file that embed it and the arms.
pub(super) struct Stationery {
    pub(super) typeface: Typeface,
    objects: Vec<Chunk>,
}

impl Stationery {
    pub(super) fn new() -> Result<Self, Error> {
        let typeface = Typeface::subset()?;
        let mut objects = typeface.objects(&FontRefs {
            font: Ref::new(FONT),
            descendant: Ref::new(DESCENDANT_FONT),
            descriptor: Ref::new(FONT_DESCRIPTOR),
            program: Ref::new(FONT_PROGRAM),
            to_unicode: Ref::new(TO_UNICODE),
        });
        objects.push(coat_of_arms::object(Ref::new(ARMS)));
        Ok(Self { typeface, objects })
    }
}

/// A page ready to be written.
pub(super) struct Page {
    /// The content stream, deflated.
    pub(super) content: Vec<u8>,
    /// Width and height in points.
    pub(super) size: (f32, f32),
}

/// A PDF that is written as its pages come.
///
/// Only the offsets of its objects are kept: 16 bytes a page. The version is 1.7, the
/// cross-references are a classic table (ISO 32000-1, 7.5.4).
pub(super) struct Document<W: Write> {
    out: BufWriter<W>,
    written: u64,
    /// Offset of each object; the first is number 1.
    offsets: Vec<u64>,
    tree: PageTree,
    pages_written: u32,
}

impl<W: Write> Document<W> {
    /// Writes all but the pages, of which exactly `pages` must follow.
    pub(super) fn start(out: W, stationery: &Stationery, pages: u32) -> io::Result<Self> {
        let tree = PageTree::of(pages);
        let objects = FIRST_NODE.unsigned_abs() - 1 + tree.nodes() + 2 * pages;
        let mut document = Self {
            out: BufWriter::new(out),
            written: 0,
            offsets: vec![0; objects as usize],
            tree,
            pages_written: 0,
        };
        // The second line tells transfer programs that the file is binary (7.5.2).
        document.put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")?;
        document.object(&catalog(node_ref(document.tree.root())))?;
        document.object(&info())?;
        for object in &stationery.objects {
            document.object(object)?;
        }
        document.write_tree()?;
        Ok(document)
    }

    pub(super) fn page(&mut self, page: &Page) -> io::Result<()> {
        let number = self.pages_written;
        let (id, content) = self.page_refs(number);
        let parent = node_ref(PageTree::parent_of_page(number));
        self.object(&page_dictionary(id, parent, content, page.size))?;
        let mut stream = Chunk::new();
        stream
            .stream(content, &page.content)
            .filter(Filter::FlateDecode);
        self.object(&stream)?;
        self.pages_written += 1;
        Ok(())
    }

    /// Writes the cross-references and gives the length of the file.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        let start = self.written;
        let size = self.offsets.len() + 1;
        self.put(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes())?;
        for offset in std::mem::take(&mut self.offsets) {
            self.put(format!("{offset:010} 00000 n \n").as_bytes())?;
        }
        let trailer = format!(
            "trailer\n<< /Size {size} /Root {CATALOG} 0 R /Info {INFO} 0 R >>\n\
             startxref\n{start}\n%%EOF\n"
        );
        self.put(trailer.as_bytes())?;
        self.out.into_inner().map_err(IntoInnerError::into_error)?;
        Ok(self.written)
    }

    fn write_tree(&mut self) -> io::Result<()> {
        let nodes: Vec<_> = self.tree.walk().collect();
        for node in nodes {
            let children: Vec<Ref> = match node.children {
                Children::Pages(pages) => pages.map(|page| self.page_refs(page).0).collect(),
                Children::Nodes(nodes) => nodes.map(node_ref).collect(),
            };
            let mut chunk = Chunk::new();
            let mut pages = chunk.pages(node_ref(node.number));
            pages
                .kids(children)
                .count(i32::try_from(node.pages).unwrap_or(i32::MAX));
            if let Some(parent) = node.parent {
                pages.parent(node_ref(parent));
            }
            pages.finish();
            self.object(&chunk)?;
        }
        Ok(())
    }

    /// The page object and its content stream; pages are counted from 0.
    fn page_refs(&self, page: u32) -> (Ref, Ref) {
        let id = node_ref(self.tree.nodes() + 2 * page);
        (id, id.next())
    }

    /// Writes a chunk of one object and notes where it stands.
    fn object(&mut self, object: &Chunk) -> io::Result<()> {
        let number = object.refs().next().map(Ref::get);
        let index = number.and_then(|number| usize::try_from(number - 1).ok());
        let written = self.written;
        if let Some(offset) = index.and_then(|index| self.offsets.get_mut(index)) {
            *offset = written;
        }
        self.put(object.as_bytes())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.written += bytes.len() as u64;
        Ok(())
    }
}

/// Nodes of the page tree stand behind the shared objects, pages behind the nodes.
fn node_ref(number: u32) -> Ref {
    // Eight million pages, the most of a batch, have 16 million objects: far from any limit.
    Ref::new(FIRST_NODE.saturating_add_unsigned(number))
}

fn catalog(root: Ref) -> Chunk {
    let mut chunk = Chunk::new();
    let mut catalog = chunk.indirect(Ref::new(CATALOG)).dict();
    catalog
        .pair(Name(b"Type"), Name(b"Catalog"))
        .pair(Name(b"Pages"), root)
        .pair(Name(b"Lang"), Str(b"fi-FI"));
    catalog.finish();
    chunk
}

fn info() -> Chunk {
    let mut chunk = Chunk::new();
    let mut info = chunk.indirect(Ref::new(INFO)).dict();
    info.pair(Name(b"Title"), TextStr("Esimerkkilän kaupungin kirjeet"))
        .pair(Name(b"Producer"), TextStr("Kuori sample"))
        // A fixed date: the same spec gives the same bytes on any day.
        .pair(Name(b"CreationDate"), Date::new(2026).month(3).day(2));
    info.finish();
    chunk
}

/// Boxes and resources stand on every page: inheriting them is allowed, and a known trap.
fn page_dictionary(id: Ref, parent: Ref, content: Ref, (width, height): (f32, f32)) -> Chunk {
    let mut chunk = Chunk::new();
    let mut page = chunk.page(id);
    page.parent(parent)
        .media_box(Rect::new(0.0, 0.0, width, height))
        .contents(content);
    let mut resources = page.resources();
    resources.fonts().pair(FONT_NAME, Ref::new(FONT));
    resources.x_objects().pair(ARMS_NAME, Ref::new(ARMS));
    resources.finish();
    page.finish();
    chunk
}
