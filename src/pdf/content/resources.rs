//! What content calls by name (ISO 32000-1, 7.8.3), each looked up once.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use super::Paint;
use super::colour::Space;
use super::external::External;
use super::parameters::Parameters;
use super::pattern::Pattern;
use super::source::Source;
use crate::pdf::Refusal;
use crate::pdf::dictionary::{Dictionary, unescaped};

/// A resource dictionary.
pub(super) struct Resources<'s> {
    /// Which of the page's fonts.
    pub(super) fonts: Category<'s, usize>,
    pub(super) externals: Category<'s, External<'s>>,
    pub(super) parameters: Category<'s, Parameters>,
    pub(super) spaces: Category<'s, Space>,
    pub(super) patterns: Category<'s, Pattern>,
    /// What shadings look like.
    pub(super) shadings: Category<'s, Paint>,
    /// Whether what is marked so shows in print.
    pub(super) layers: Category<'s, bool>,
}

impl<'s> Resources<'s> {
    pub(super) fn new(dictionary: Option<Dictionary<'s>>) -> Rc<Self> {
        Rc::new(Self {
            fonts: Category::new(dictionary, b"Font"),
            externals: Category::new(dictionary, b"XObject"),
            parameters: Category::new(dictionary, b"ExtGState"),
            spaces: Category::new(dictionary, b"ColorSpace"),
            patterns: Category::new(dictionary, b"Pattern"),
            shadings: Category::new(dictionary, b"Shading"),
            layers: Category::new(dictionary, b"Properties"),
        })
    }
}

/// The resources of one kind, by name, and what is known of those that were asked for.
pub(super) struct Category<'s, K> {
    dictionary: Option<Dictionary<'s>>,
    key: &'static [u8],
    entries: RefCell<Option<Vec<Entry<'s, K>>>>,
}

/// A value as it stands in the file, and what is known of it.
type Named<'s, K> = (&'s [u8], Option<K>);

struct Entry<'s, K> {
    name: Cow<'s, [u8]>,
    value: &'s [u8],
    known: Option<K>,
}

impl<'s, K: Clone> Category<'s, K> {
    fn new(dictionary: Option<Dictionary<'s>>, key: &'static [u8]) -> Self {
        Self {
            dictionary,
            key,
            entries: RefCell::default(),
        }
    }

    /// What the name stands for; read when it is first asked for. `None` if there is no such name.
    pub(super) fn get(
        &self,
        source: &Source<'s>,
        name: &[u8],
        read: impl FnOnce(&'s [u8]) -> Result<K, Refusal>,
    ) -> Result<Option<K>, Refusal> {
        match self.lookup(source, name)? {
            Some((value, None)) => {
                let known = read(value)?;
                self.know(name, known.clone());
                Ok(Some(known))
            }
            found => Ok(found.and_then(|(_, known)| known)),
        }
    }

    /// The value that the name has in the file, and what is known of it.
    pub(super) fn lookup(
        &self,
        source: &Source<'s>,
        name: &[u8],
    ) -> Result<Option<Named<'s, K>>, Refusal> {
        if self.entries.borrow().is_none() {
            let entries = self.listed(source)?;
            self.entries.replace(Some(entries));
        }
        let entries = self.entries.borrow();
        let entries = entries.as_deref().unwrap_or_default();
        let entry = place_of(entries, name).and_then(|at| entries.get(at));
        Ok(entry.map(|entry| (entry.value, entry.known.clone())))
    }

    pub(super) fn know(&self, name: &[u8], known: K) {
        let mut entries = self.entries.borrow_mut();
        let entries = entries.as_deref_mut().unwrap_or_default();
        let entry = place_of(entries, name).and_then(|at| entries.get_mut(at));
        if let Some(entry) = entry {
            entry.known = Some(known);
        }
    }

    /// In order of the names.
    fn listed(&self, source: &Source<'s>) -> Result<Vec<Entry<'s, K>>, Refusal> {
        let Some(dictionary) = self.dictionary else {
            return Ok(Vec::new());
        };
        let Some(category) = source.dictionary(dictionary, self.key)? else {
            return Ok(Vec::new());
        };
        let entry = |name, value| Entry {
            name: plain(name),
            value,
            known: None,
        };
        let pairs = category.pairs();
        let mut entries: Vec<_> = pairs.map(|pair| entry(pair.key, pair.value)).collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }
}

fn place_of<K>(entries: &[Entry<'_, K>], name: &[u8]) -> Option<usize> {
    let name = plain(name);
    let at = entries.partition_point(|entry| *entry.name < *name);
    entries
        .get(at)
        .is_some_and(|entry| entry.name == name)
        .then_some(at)
}

/// A name without escapes (7.3.5).
fn plain(name: &[u8]) -> Cow<'_, [u8]> {
    if name.contains(&b'#') {
        Cow::Owned(unescaped(name).collect())
    } else {
        Cow::Borrowed(name)
    }
}
