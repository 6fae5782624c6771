//! Annotations made part of a page: their appearances become forms that the page's content draws.

use std::io::{self, Write};
use std::sync::Arc;

use super::{Appearance, Drawn};
use crate::pdf::Refusal;
use crate::pdf::copier::{Copier, Made};
use crate::pdf::dictionary::{Dictionary, unescaped};
use crate::pdf::digest::Sharing;
use crate::pdf::fragment::{Attached, Fragment, Walk};
use crate::pdf::object::{Holds, Object, Slot};
use crate::pdf::output::Output;

/// What is added to a page so that it shows its annotations.
pub(in crate::pdf) struct Flattened {
    /// In the order of their names.
    forms: Vec<Attached>,
    /// The number in the name of the first form.
    first_name: u64,
    /// The page's own resources; `None` where they have gone into a form.
    resources: Option<Resources>,
    /// Draws them in the page's coordinates; keeps the graphics state.
    pub(in crate::pdf) operators: Vec<u8>,
}

/// A dictionary of resources as it stands, but that its external objects are in it.
struct Resources {
    value: Arc<[u8]>,
    /// Where the names of the forms go.
    names_at: usize,
    /// With the forms.
    sharing: Sharing,
}

/// What the names of forms begin with. The number behind it is larger than that of any name of
/// the page that begins so as well.
const NAME: &str = "Annotation";

impl Walk<'_, '_> {
    /// On a page that is written as it stands. `None` if nothing is drawn.
    pub(in crate::pdf) fn flattened(
        &mut self,
        drawn: &[Drawn],
        resources: Option<&[u8]>,
    ) -> Result<Option<Flattened>, Refusal> {
        if drawn.is_empty() {
            return Ok(None);
        }
        let (mut resources, first_name) = self.with_place_for_names(resources)?;
        let forms = self.appearance_forms(drawn)?;
        resources.sharing = self.sharing_with_forms(&resources, first_name, &forms)?;
        Ok(Some(Flattened {
            forms,
            first_name,
            resources: Some(resources),
            operators: operators(drawn, first_name),
        }))
    }

    /// On a page whose content goes into a form: `matrix` is from its coordinates to the new page's.
    pub(in crate::pdf) fn flattened_over_form(
        &mut self,
        drawn: &[Drawn],
        matrix: [f64; 6],
    ) -> Result<Option<Flattened>, Refusal> {
        if drawn.is_empty() {
            return Ok(None);
        }
        let mut turned = b"q".to_vec();
        put_matrix(&mut turned, matrix);
        turned.push(b'\n');
        turned.extend_from_slice(&operators(drawn, 0));
        turned.extend_from_slice(b"Q\n");
        Ok(Some(Flattened {
            forms: self.appearance_forms(drawn)?,
            first_name: 0,
            resources: None,
            operators: turned,
        }))
    }

    fn appearance_forms(&mut self, drawn: &[Drawn]) -> Result<Vec<Attached>, Refusal> {
        let appearances = drawn.iter().filter_map(|drawn| match drawn {
            Drawn::Appearance(appearance) => Some(appearance),
            Drawn::Border(_) => None,
        });
        appearances
            .map(|appearance| self.appearance_form(appearance))
            .collect()
    }

    fn appearance_form(&mut self, appearance: &Appearance) -> Result<Attached, Refusal> {
        self.digest(appearance.number)?;
        if appearance.says_so {
            return Ok(Attached::Object(appearance.number));
        }
        match self.known_sharing(appearance.number) {
            Sharing::ByDigest(digest) => {
                let sharing = self.sharing_of_bytes(&[b"\0form", &digest.0[..]].concat());
                Ok(Attached::AsForm(appearance.number, sharing))
            }
            Sharing::Never => Err(ENDLESS_FORM),
        }
    }

    /// Inherited or shared resources stay as they are: this is a copy.
    fn with_place_for_names(
        &mut self,
        resources: Option<&[u8]>,
    ) -> Result<(Resources, u64), Refusal> {
        let objects = &self.file.objects;
        let resources = match resources {
            Some(resources) => objects.value_of(objects.resolved(resources)?, &mut self.found)?,
            None => b"<<>>",
        };
        let Some(dictionary) = Dictionary::of(resources) else {
            return self.with_place_for_names(None);
        };
        let mut pairs = dictionary.pairs();
        let Some(pair) = pairs.find(|pair| unescaped(pair.key).eq(*b"XObject")) else {
            let (before, behind) = (b"<</XObject<<".as_slice(), resources.get(2..));
            let value = [before, b">>", behind.unwrap_or_default()].concat();
            return Ok((Resources::new(value, before.len()), 0));
        };
        let named = objects.value_of(objects.resolved(pair.value)?, &mut self.found)?;
        let named = Dictionary::of(named).map_or(&b"<<>>"[..], |_| named);
        let before = resources.get(..pair.place.start).unwrap_or_default();
        let behind = resources.get(pair.place.end..).unwrap_or_default();
        // A value that was a reference may have had no space behind its key, but had one within.
        let value = [before, b" ", named, b" ", behind].concat();
        let resources = Resources::new(value, before.len() + " <<".len());
        let first_name = Dictionary::of(named).map_or(0, first_free_name);
        Ok((resources, first_name))
    }

    fn sharing_with_forms(
        &mut self,
        resources: &Resources,
        first_name: u64,
        forms: &[Attached],
    ) -> Result<Sharing, Refusal> {
        let mut slots = Vec::new();
        let value = self.file.objects.value_of(&resources.value, &mut slots)?;
        self.digest_references(&slots)?;
        Slot::insert(&mut slots, resources.place(), Holds::Forms);
        let object = Object { value, data: None };
        let mut bytes = b"\0resources".to_vec();
        bytes.extend_from_slice(&first_name.to_le_bytes());
        let all = std::iter::once(self.sharing(object, &slots));
        let forms = forms.iter().map(|form| match form {
            Attached::Object(number) => self.known_sharing(*number),
            Attached::AsForm(_, sharing) | Attached::Value(_, sharing) => *sharing,
        });
        for sharing in all.chain(forms.collect::<Vec<_>>()) {
            match sharing {
                Sharing::ByDigest(digest) => bytes.extend_from_slice(&digest.0),
                Sharing::Never => return Ok(Sharing::Never),
            }
        }
        Ok(self.sharing_of_bytes(&bytes))
    }

    fn known_sharing(&self, number: u32) -> Sharing {
        self.digests
            .get(self.file.objects.slot(number))
            .unwrap_or(Sharing::Never)
    }

    /// Bytes that begin with a zero are no value of a file, and so meet no object's digest.
    fn sharing_of_bytes(&mut self, value: &[u8]) -> Sharing {
        self.sharing(Object { value, data: None }, &[])
    }
}

const ENDLESS_FORM: Refusal = Refusal::Unreadable {
    what: "the appearance of an annotation contains itself",
};

impl Resources {
    fn new(value: Vec<u8>, names_at: usize) -> Self {
        Self {
            value: value.into(),
            names_at,
            sharing: Sharing::Never,
        }
    }

    fn place(&self) -> std::ops::Range<usize> {
        self.names_at..self.names_at
    }
}

/// Larger than the number in every name that looks like ours. Names with more digits than are
/// counted here are never reached.
fn first_free_name(named: Dictionary<'_>) -> u64 {
    let numbers = named.pairs().filter_map(|pair| {
        let key: Vec<u8> = unescaped(pair.key).take(NAME.len() + 18).collect();
        let digits = key.strip_prefix(NAME.as_bytes())?;
        std::str::from_utf8(digits).ok()?.parse::<u64>().ok()
    });
    numbers.max().map_or(0, |largest| largest + 1)
}

fn operators(drawn: &[Drawn], first_name: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let mut name = first_name;
    for drawn in drawn {
        out.extend_from_slice(b"q");
        match drawn {
            Drawn::Border(border) => {
                out.push(b' ');
                out.extend_from_slice(border);
            }
            Drawn::Appearance(appearance) => {
                put_matrix(&mut out, appearance.matrix);
                // Writing to a vector does not fail.
                let _ = write!(out, " /{NAME}{name} Do");
                name += 1;
            }
        }
        out.extend_from_slice(b" Q\n");
    }
    out
}

fn put_matrix(out: &mut Vec<u8>, matrix: [f64; 6]) {
    for coefficient in matrix {
        let _ = write!(out, " {coefficient}");
    }
    out.extend_from_slice(b" cm");
}

impl Copier {
    /// The object number of the page's resources with the forms in them; these are due to be
    /// written, or written.
    pub(in crate::pdf) fn place_resources<W: Write>(
        &mut self,
        flattened: &Flattened,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<Option<u32>> {
        let Some(resources) = &flattened.resources else {
            return Ok(None);
        };
        let new = match self.made(resources.sharing, output)? {
            Made::Written(known) => return Ok(Some(known)),
            Made::New(new) => new,
        };
        let names = self.place_appearances(flattened, fragment, output)?;
        let mut slots = Vec::new();
        let value = fragment.file.objects.value_of(&resources.value, &mut slots);
        let value = value.map_err(io::Error::other)?;
        Slot::insert(&mut slots, resources.place(), Holds::Forms);
        self.forms = names;
        self.write(new, Object { value, data: None }, &slots, fragment, output)?;
        Ok(Some(new))
    }

    /// Entries of a dictionary of external objects: the names that the operators use.
    pub(in crate::pdf) fn place_appearances<W: Write>(
        &mut self,
        flattened: &Flattened,
        fragment: &Fragment<'_>,
        output: &mut Output<W>,
    ) -> io::Result<Vec<u8>> {
        let mut names = Vec::new();
        for (number, form) in (flattened.first_name..).zip(&flattened.forms) {
            if let Some(form) = self.place_attached(form, fragment, output)? {
                write!(names, "/{NAME}{number} {form} 0 R ")?;
            }
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_free(names: &str) -> u64 {
        first_free_name(Dictionary::of(names.as_bytes()).unwrap())
    }

    #[test]
    fn names_are_counted_on_from_the_largest_that_looks_like_ours() {
        assert_eq!(first_free("<</Im0 1 0 R/Annotation 2 0 R>>"), 0);
        assert_eq!(first_free("<</Annotation7 1 0 R/Annotation3 2 0 R>>"), 8);
        assert_eq!(first_free("<</#41nnotation9 1 0 R>>"), 10);
        let most = format!("<</Annotation{} 1 0 R>>", "9".repeat(40));
        assert_eq!(first_free(&most), 1_000_000_000_000_000_000);
    }
}
