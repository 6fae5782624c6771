//! Consecutive pages of a document, and the walk that digests what they reach.

mod wrap;

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::annotations::{Annotations, Flattened};
use super::dictionary::{elements, is_array, reference};
use super::digest::{Digest, DigestKey, DigestTable, Digester, Sharing};
use super::document::File;
use super::loose_ends::LooseEnds;
use super::object::{Holds, Object, Slot};
use super::page::Page;
use super::{ContentLimits, Document, PageGeometry, Refusal};
pub(super) use wrap::{Form, Wrapped};

/// Consecutive pages of a document, walked and digested, ready to be written. Made on any thread;
/// outlives its [`Document`]. Costs what its pages touch and no other fragment of the document
/// has touched before.
pub struct Fragment<'a> {
    pub(super) file: Arc<File<'a>>,
    pub(super) digests: Arc<DigestTable>,
    pub(super) pages: Vec<FragmentPage>,
}

/// What is done with pages that cannot be laid over as they stand. They are *wrapped*: their
/// content becomes a form (ISO 32000-1, 8.10) that an upright page of ours draws. A page whose
/// `/UserUnit` is not 1 is wrapped whatever is said here, since some presses ignore the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Treatment {
    /// Content may leave something open or do harm to what is drawn after it: each page is looked
    /// through, which inflates its content, and wrapped if it does.
    pub may_be_unbalanced: bool,
    /// Pages that lie on their side are turned upright.
    pub turn_landscape: bool,
    /// What content may come to where it is looked through or joined: as it was when the pages were
    /// looked at first, so that what passed then passes now.
    pub content_limits: ContentLimits,
}

/// What is written of a page.
pub(super) struct FragmentPage {
    /// Of the page as it is written.
    pub(super) geometry: PageGeometry,
    pub(super) body: Body,
    /// The annotations that print.
    pub(super) annotations: Option<Flattened>,
}

/// What a page draws.
pub(super) enum Body {
    AsItStands {
        resources: Option<Attached>,
        group: Option<Attached>,
        /// Object numbers of its content streams.
        contents: Vec<u32>,
    },
    Wrapped(Wrapped),
}

/// The value of an attribute of a page.
pub(super) enum Attached {
    /// An object of the file.
    Object(u32),
    /// A value without a number of its own.
    Value(Arc<[u8]>, Sharing),
    /// A stream of the file, made a form.
    AsForm(u32, Sharing),
}

impl<'a> Fragment<'a> {
    /// `pages` are numbers from 1.
    pub fn of(
        document: &Document<'a>,
        pages: RangeInclusive<u32>,
        key: &DigestKey,
        treatment: &Treatment,
    ) -> Result<Self, Refusal> {
        if pages.is_empty() {
            return Err(Refusal::NoSuchRange { pages });
        }
        let file = Arc::clone(document.file());
        // The last page first: a range that is too long is refused before anything is built.
        file.tree.page(*pages.end())?;
        let digests = file.digests(key);
        let mut walk = Walk {
            file: &file,
            digests: &digests,
            digester: Digester::new(key),
            stack: Vec::new(),
            slots: Vec::new(),
            found: Vec::new(),
            values: Values::new(),
            lexed: 0,
        };
        let pages = pages
            .map(|number| walk.page(number, *treatment))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            file,
            digests,
            pages,
        })
    }

    pub fn page_count(&self) -> u32 {
        u32::try_from(self.pages.len()).unwrap_or(u32::MAX)
    }

    /// The size of a page of the fragment, counted from 0.
    pub fn page(&self, index: u32) -> Option<PageGeometry> {
        Some(self.pages.get(index as usize)?.geometry)
    }
}

/// Depth first, children before parents, without recursion.
pub(super) struct Walk<'w, 'a> {
    pub(super) file: &'w File<'a>,
    pub(super) digests: &'w DigestTable,
    digester: Digester<'w>,
    stack: Vec<Visit<'w>>,
    /// The slots of all visits on the stack, one after another.
    slots: Vec<Slot>,
    /// The slots of the object read last.
    pub(super) found: Vec<Slot>,
    values: Values,
    lexed: usize,
}

/// Values of attributes, by where they stand in memory: address and length.
type Values = HashMap<(usize, usize), (Arc<[u8]>, Sharing)>;

/// An object whose children are being visited.
struct Visit<'w> {
    number: u32,
    object: Object<'w>,
    first_slot: usize,
    next_slot: usize,
    on_cycle: bool,
}

impl Walk<'_, '_> {
    fn page(&mut self, number: u32, treatment: Treatment) -> Result<FragmentPage, Refusal> {
        let file = self.file;
        let page = file.page(number)?;
        let mut geometry = page.geometry(&file.objects)?;
        let annotations = Annotations::of(file, &page, geometry.rotate)?;
        geometry.lost = annotations.lost;
        let contents = self.contents(page.contents)?;
        let turns = treatment.turn_landscape && geometry.lies_on_its_side();
        let must_wrap = turns || geometry.has_unit();
        let is_drawn_over = !annotations.drawn.is_empty();
        let must_join = must_wrap && contents.len() > 1;
        let loose_ends = if treatment.may_be_unbalanced || is_drawn_over || must_join {
            self.loose_ends(&contents, &treatment.content_limits)?
        } else {
            None
        };
        let seen = if turns {
            geometry.turned_upright()
        } else {
            geometry
        };
        let drawn = &annotations.drawn;
        Ok(match loose_ends.or(must_wrap.then(LooseEnds::default)) {
            Some(loose_ends) => FragmentPage {
                annotations: self.flattened_over_form(drawn, seen.matrix_to_seen())?,
                ..self.wrapped(&page, &seen, contents, loose_ends)?
            },
            None => FragmentPage {
                annotations: self.flattened(drawn, page.resources)?,
                ..self.as_it_stands(&page, geometry, contents)?
            },
        })
    }

    fn as_it_stands(
        &mut self,
        page: &Page<'_>,
        geometry: PageGeometry,
        contents: Vec<u32>,
    ) -> Result<FragmentPage, Refusal> {
        for content in &contents {
            self.digest(*content)?;
        }
        let body = Body::AsItStands {
            resources: self.attached(page.resources)?,
            group: self.attached(page.group)?,
            contents,
        };
        Ok(FragmentPage {
            geometry,
            body,
            annotations: None,
        })
    }

    /// The streams of `/Contents`, be it one or an array of them. A page whose content is something
    /// else is refused: without it the page would be blank, and nobody would know.
    fn contents(&mut self, value: Option<&[u8]>) -> Result<Vec<u32>, Refusal> {
        let objects = &self.file.objects;
        let Some(value) = value else {
            return Ok(Vec::new());
        };
        let target = objects.resolved(value)?;
        let candidates: Vec<u32> = if is_array(target) {
            self.count_lexed(target.len())?;
            elements(target).filter_map(reference).collect()
        } else {
            reference(value).into_iter().collect()
        };
        let mut streams = Vec::with_capacity(candidates.len());
        for number in candidates {
            if self.file.is_null(number) {
                continue;
            }
            if !self.is_stream(number)? {
                let what = "the content of a page is no stream";
                return Err(Refusal::Unreadable { what });
            }
            streams.push(number);
        }
        Ok(streams)
    }

    fn is_stream(&self, number: u32) -> Result<bool, Refusal> {
        let object = self.file.objects.object(number)?;
        Ok(object.is_some_and(|object| object.data.is_some()))
    }

    fn attached(&mut self, value: Option<&[u8]>) -> Result<Option<Attached>, Refusal> {
        let Some(value) = value else {
            return Ok(None);
        };
        if let Some(number) = reference(value) {
            self.digest(number)?;
            return Ok(Some(Attached::Object(number)));
        }
        // Every page below a node of the tree may inherit it.
        let place = (value.as_ptr().addr(), value.len());
        if let Some((value, sharing)) = self.values.get(&place) {
            return Ok(Some(Attached::Value(Arc::clone(value), *sharing)));
        }
        self.file.objects.count_reread(value.len())?;
        let mut slots = Vec::new();
        let value = self.file.objects.value_of(value, &mut slots)?;
        self.digest_references(&slots)?;
        let object = Object { value, data: None };
        let sharing = self.sharing(object, &slots);
        let value: Arc<[u8]> = value.into();
        self.values.insert(place, (Arc::clone(&value), sharing));
        Ok(Some(Attached::Value(value, sharing)))
    }

    pub(super) fn digest_references(&mut self, slots: &[Slot]) -> Result<(), Refusal> {
        for slot in slots {
            if let Holds::Reference(number) = slot.holds {
                self.digest(number)?;
            }
        }
        Ok(())
    }

    /// Finds out what the object and all below it digest to.
    pub(super) fn digest(&mut self, number: u32) -> Result<(), Refusal> {
        self.enter(number)?;
        while let Some(visit) = self.stack.last_mut() {
            let Some(slot) = self.slots.get(visit.next_slot) else {
                self.leave();
                continue;
            };
            visit.next_slot += 1;
            if let Holds::Reference(child) = slot.holds {
                self.enter(child)?;
            }
        }
        Ok(())
    }

    fn enter(&mut self, number: u32) -> Result<(), Refusal> {
        let known = self.digests.get(self.file.objects.slot(number)).is_some();
        if known || self.file.is_null(number) || self.closes_cycle(number) {
            return Ok(());
        }
        let objects = &self.file.objects;
        if self.stack.len() >= objects.limits().max_reference_depth as usize {
            return Err(Refusal::Limit {
                what: "references followed in a row",
            });
        }
        let object = objects.object_with_slots(number, &mut self.found)?;
        let object = object.unwrap_or(NULL);
        self.count_lexed(object.value.len())?;
        self.file.layers.mark(number, object.value, &mut self.found);
        let first_slot = self.slots.len();
        self.slots.append(&mut self.found);
        self.stack.push(Visit {
            number,
            object,
            first_slot,
            next_slot: first_slot,
            on_cycle: false,
        });
        Ok(())
    }

    /// Whether the object is being visited already; all on the way back to it are then on a cycle.
    fn closes_cycle(&mut self, number: u32) -> bool {
        let start = self.stack.iter().rposition(|visit| visit.number == number);
        let cycle = start.and_then(|start| self.stack.get_mut(start..));
        let closes = cycle.is_some();
        for visit in cycle.into_iter().flatten() {
            visit.on_cycle = true;
        }
        closes
    }

    fn leave(&mut self) {
        let Some(visit) = self.stack.pop() else {
            return;
        };
        let slots = self.slots.split_off(visit.first_slot);
        let sharing = if visit.on_cycle {
            Sharing::Never
        } else {
            self.sharing(visit.object, &slots)
        };
        let slot = self.file.objects.slot(visit.number);
        self.digests.set(slot, sharing);
    }

    pub(super) fn sharing(&mut self, object: Object<'_>, slots: &[Slot]) -> Sharing {
        let (file, digests) = (self.file, self.digests);
        self.digester.sharing(object, slots, |child| {
            if file.is_null(child) {
                return Some(Digest::NULL);
            }
            match digests.get(file.objects.slot(child)) {
                Some(Sharing::ByDigest(digest)) => Some(digest),
                Some(Sharing::Never) | None => None,
            }
        })
    }

    fn count_lexed(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.lexed = self.lexed.saturating_add(bytes);
        self.file.objects.check_lexed(self.lexed)
    }
}

const NULL: Object<'static> = Object {
    value: b"null",
    data: None,
};
