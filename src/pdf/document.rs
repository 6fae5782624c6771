//! A sender's PDF, opened.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::annotations::Annotations;
use super::dictionary::Dictionary;
use super::digest::{DigestKey, DigestTable};
use super::entries::Entries;
use super::layers::Layers;
use super::objects::Objects;
use super::page::Page;
use super::page_tree::PageTree;
use super::xref::CrossReferences;
use super::{Limits, PageGeometry, Reading, Refusal, content, repair, xref};

/// A sender's PDF, opened: zero copy over its bytes, shared freely between threads.
#[derive(Clone)]
pub struct Document<'a> {
    file: Arc<File<'a>>,
}

impl<'a> Document<'a> {
    /// Reads the cross-references and the page tree; rebuilds them by scanning where they are
    /// damaged. Refuses what is encrypted.
    pub fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, Refusal> {
        Self::open_rewritten(bytes, limits, Reading::AsSent)
    }

    /// The same for bytes that may stand for the sender's.
    pub fn open_rewritten(
        bytes: &'a [u8],
        limits: &Limits,
        reading: Reading,
    ) -> Result<Self, Refusal> {
        let mut objects = Objects::new(bytes, limits);
        let (opened, repaired) = match open_as_stated(&mut objects) {
            Err(Refusal::Unreadable { .. }) => (open_rebuilt(&mut objects)?, true),
            opened => opened?,
        };
        let file = Arc::new(File {
            objects,
            tree: opened.tree,
            catalog: opened.catalog,
            layers: opened.layers,
            leaves_drawing: OnceLock::new(),
            repaired,
            reading,
            digests: Mutex::default(),
            content: content::Shared::new(bytes.len()),
            active: OnceLock::new(),
        });
        Ok(Self { file })
    }

    pub fn page_count(&self) -> u32 {
        self.file.tree.count()
    }

    /// Whether cross-references had to be rebuilt.
    pub fn was_repaired(&self) -> bool {
        self.file.repaired
    }

    /// Whether the bytes are the sender's own.
    pub fn reading(&self) -> Reading {
        self.file.reading
    }

    /// The page of that number, from 1.
    pub fn page(&self, number: u32) -> Result<PageGeometry, Refusal> {
        let page = self.file.page(number)?;
        let mut geometry = page.geometry(&self.file.objects)?;
        geometry.lost = Annotations::of(&self.file, &page, geometry.rotate)?.lost;
        Ok(geometry)
    }

    /// Why some page was refused for what all pages ask for together, if any was. Which of them that
    /// is hangs on their order.
    pub fn exhausted(&self) -> Option<Refusal> {
        let of_content = self.file.content.exhausted();
        of_content.or_else(|| self.file.objects.exhausted())
    }

    /// About how many bytes of memory it holds, beside the file's own.
    pub fn held_bytes(&self) -> u64 {
        let held = self.file.objects.held_bytes();
        held.saturating_add(self.file.tree.held_bytes()) as u64
    }

    pub(super) fn file(&self) -> &Arc<File<'a>> {
        &self.file
    }
}

/// What a document and its fragments share.
pub(super) struct File<'a> {
    pub(super) objects: Objects<'a>,
    pub(super) tree: PageTree,
    pub(super) layers: Layers,
    /// Found out when first asked for.
    leaves_drawing: OnceLock<Result<bool, Refusal>>,
    pub(super) catalog: u32,
    repaired: bool,
    reading: Reading,
    /// What the document does besides being shown, once it was looked for.
    pub(super) active: OnceLock<Result<Vec<&'static str>, Refusal>>,
    /// A table for each of the keys used last.
    digests: Mutex<Vec<(DigestKey, Arc<DigestTable>)>>,
    pub(super) content: content::Shared,
}

/// A document seldom goes into more bundles than this at a time.
const MOST_KEYS: usize = 4;

impl File<'_> {
    pub(super) fn page(&self, number: u32) -> Result<Page<'_>, Refusal> {
        let (object, inherited) = self.tree.page(number)?;
        let object = self.objects.object(object)?;
        let dictionary = object.and_then(|object| Dictionary::of(object.value));
        Ok(Page::of(dictionary.ok_or(NO_PAGE)?, inherited))
    }

    /// Whether readers are to draw the fields of the form anew (`/NeedAppearances`, 12.7.2).
    pub(super) fn leaves_drawing_to_readers(&self) -> Result<bool, Refusal> {
        let leaves = self.leaves_drawing.get_or_init(|| {
            let catalog = self.objects.object(self.catalog)?;
            let catalog = catalog.and_then(|catalog| Dictionary::of(catalog.value));
            let form = match catalog {
                Some(catalog) => self.objects.dictionary(catalog, b"AcroForm")?,
                None => None,
            };
            let form = form.unwrap_or(Dictionary::EMPTY);
            let needs = self.objects.get(form, b"NeedAppearances")?;
            Ok(needs == Some(b"true"))
        });
        leaves.clone()
    }

    /// Whether a reference to that object leads nowhere in a new file: to nothing, or out of
    /// the page into the page tree and the rest of the document.
    pub(super) fn is_null(&self, number: u32) -> bool {
        number == self.catalog
            || self.tree.contains(&self.objects, number)
            || self.objects.is_absent(number)
    }

    pub(super) fn digests(&self, key: &DigestKey) -> Arc<DigestTable> {
        let mut tables = self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, table)) = tables.iter().find(|(known, _)| known == key) {
            return Arc::clone(table);
        }
        if tables.len() == MOST_KEYS {
            tables.remove(0);
        }
        let table = Arc::new(DigestTable::new(self.objects.slots()));
        tables.push((key.clone(), Arc::clone(&table)));
        table
    }
}

const NO_PAGE: Refusal = Refusal::Unreadable {
    what: "a page is no dictionary",
};
const NO_CATALOG: Refusal = Refusal::Unreadable {
    what: "the catalog is missing",
};

struct Opened {
    catalog: u32,
    tree: PageTree,
    layers: Layers,
}

fn open_as_stated(objects: &mut Objects<'_>) -> Result<(Opened, bool), Refusal> {
    let mut found = xref::read(objects)?;
    if found.encrypted {
        return Err(Refusal::Encrypted);
    }
    let mended = repair::mend(objects, &mut found)?;
    Ok((open_tree(objects, found)?, mended))
}

fn open_rebuilt(objects: &mut Objects<'_>) -> Result<Opened, Refusal> {
    objects.set_entries(Entries::default());
    let found = repair::rebuild(objects)?;
    objects.expect_all();
    open_tree(objects, found)
}

fn open_tree(objects: &mut Objects<'_>, found: CrossReferences) -> Result<Opened, Refusal> {
    if found.encrypted {
        return Err(Refusal::Encrypted);
    }
    objects.set_entries(found.entries.finish());
    let root = found.root.ok_or(NO_CATALOG)?;
    let catalog = objects
        .object(root)?
        .and_then(|root| Dictionary::of(root.value));
    let catalog = catalog.ok_or(NO_CATALOG)?;
    let pages = catalog.reference(b"Pages").ok_or(NO_CATALOG)?;
    let tree = PageTree::read(objects, pages)?;
    if tree.count() == 0 {
        return Err(Refusal::Unreadable {
            what: "there are no pages",
        });
    }
    let layers = Layers::read(objects, catalog)?;
    Ok(Opened {
        catalog: root,
        tree,
        layers,
    })
}
