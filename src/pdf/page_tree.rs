//! The page tree, flattened (ISO 32000-1, 7.7.3).

use std::sync::Arc;

use super::Refusal;
use super::dictionary::{Dictionary, elements, reference};
use super::objects::Objects;

/// The pages of a file in order, and what they inherit.
pub(super) struct PageTree {
    /// Object number and index into `inherited`, by page.
    pages: Vec<(u32, u32)>,
    inherited: Vec<Inherited>,
    /// By the objects' slots: pages and nodes. A page that another object refers to must not take
    /// the whole file along.
    members: Vec<bool>,
}

/// The attributes that a page takes from the nodes above it (7.7.3.4), as they stand.
#[derive(Clone, Default)]
pub(super) struct Inherited {
    pub(super) resources: Option<Arc<[u8]>>,
    pub(super) media_box: Option<Arc<[u8]>>,
    pub(super) crop_box: Option<Arc<[u8]>>,
    pub(super) rotate: Option<Arc<[u8]>>,
}

impl PageTree {
    /// Walks down from the root node, each node once.
    pub(super) fn read(objects: &Objects<'_>, root: u32) -> Result<Self, Refusal> {
        let mut walk = Walk {
            objects,
            tree: Self {
                pages: Vec::new(),
                inherited: vec![Inherited::default()],
                members: vec![false; objects.slots()],
            },
            stack: Vec::new(),
            lexed: 0,
        };
        walk.visit(root, 0)?;
        while let Some(level) = walk.stack.last_mut() {
            let parent = level.inherited;
            match level.kids.next() {
                Some(kid) => walk.visit(kid, parent)?,
                None => drop(walk.stack.pop()),
            }
        }
        Ok(walk.tree)
    }

    /// Bytes of memory, but for what pages inherit.
    pub(super) fn held_bytes(&self) -> usize {
        size_of_val(self.pages.as_slice()).saturating_add(self.members.len())
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// The object number of the page of that number, from 1, and what it inherits.
    pub(super) fn page(&self, number: u32) -> Result<(u32, &Inherited), Refusal> {
        let count = self.count();
        let missing = Refusal::NoSuchPage { number, count };
        let index = (number as usize).checked_sub(1).ok_or(missing.clone())?;
        let (object, inherited) = self.pages.get(index).ok_or(missing.clone())?;
        let inherited = self.inherited.get(*inherited as usize).ok_or(missing)?;
        Ok((*object, inherited))
    }

    /// Whether the object is a page or a node of the tree.
    pub(super) fn contains(&self, objects: &Objects<'_>, number: u32) -> bool {
        let slot = objects.slot(number);
        slot.is_some_and(|slot| self.members.get(slot).copied().unwrap_or(false))
    }
}

struct Walk<'o, 'a> {
    objects: &'o Objects<'a>,
    tree: PageTree,
    stack: Vec<Level>,
    lexed: usize,
}

struct Level {
    kids: std::vec::IntoIter<u32>,
    /// Index of what the kids inherit.
    inherited: u32,
}

const DAMAGED: Refusal = Refusal::Unreadable {
    what: "the page tree is damaged",
};

impl Walk<'_, '_> {
    fn visit(&mut self, number: u32, parent: u32) -> Result<(), Refusal> {
        let object = self.objects.object(number)?.ok_or(DAMAGED)?;
        self.lexed = self.lexed.saturating_add(object.value.len());
        self.objects.check_lexed(self.lexed)?;
        let dictionary = Dictionary::of(object.value).ok_or(DAMAGED)?;
        let slot = self.objects.slot(number).ok_or(DAMAGED)?;
        let seen = match self.tree.members.get_mut(slot) {
            Some(member) => std::mem::replace(member, true),
            None => return Err(DAMAGED),
        };
        let kids = self.objects.get(dictionary, b"Kids")?;
        match kids.filter(|_| !dictionary.has_name(b"Type", b"Page")) {
            Some(_) if seen => Err(DAMAGED),
            Some(kids) => self.descend(dictionary, kids, parent),
            None => self.add_page(number, parent),
        }
    }

    fn add_page(&mut self, number: u32, parent: u32) -> Result<(), Refusal> {
        if self.tree.pages.len() >= self.objects.limits().max_pages as usize {
            return Err(Refusal::Limit {
                what: "the number of pages",
            });
        }
        self.tree.pages.push((number, parent));
        Ok(())
    }

    fn descend(&mut self, node: Dictionary<'_>, kids: &[u8], parent: u32) -> Result<(), Refusal> {
        if self.stack.len() >= usize::from(self.objects.limits().max_page_tree_depth) {
            return Err(Refusal::Limit {
                what: "levels of the page tree",
            });
        }
        let kids: Option<Vec<u32>> = elements(kids).map(reference).collect();
        let inherited = self.inherited_below(node, parent);
        self.stack.push(Level {
            kids: kids.ok_or(DAMAGED)?.into_iter(),
            inherited,
        });
        Ok(())
    }

    /// The index of what the kids of a node inherit: a new one only if the node adds something.
    fn inherited_below(&mut self, node: Dictionary<'_>, parent: u32) -> u32 {
        let above = self.tree.inherited.get(parent as usize);
        let mut below = above.cloned().unwrap_or_default();
        let mut adds = false;
        for pair in node.pairs() {
            let attribute = match pair.key {
                b"Resources" => &mut below.resources,
                b"MediaBox" => &mut below.media_box,
                b"CropBox" => &mut below.crop_box,
                b"Rotate" => &mut below.rotate,
                _ => continue,
            };
            *attribute = Some(pair.value.into());
            adds = true;
        }
        if !adds {
            return parent;
        }
        self.tree.inherited.push(below);
        u32::try_from(self.tree.inherited.len() - 1).unwrap_or(parent)
    }
}
