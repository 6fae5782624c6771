//! Pages whose content becomes a form (ISO 32000-1, 8.10): what it leaves open ends with the form, and
//! the form's matrix turns and scales all of it, patterns too, which `cm` does not (8.7.3.1).

use std::io::Write as _;
use std::sync::Arc;

use super::{Attached, Body, FragmentPage, NULL, Walk};
use crate::pdf::dictionary::{Dictionary, name_is};
use crate::pdf::digest::Sharing;
use crate::pdf::joined::Joined;
use crate::pdf::loose_ends::{LooseEnds, loose_ends};
use crate::pdf::object::Object;
use crate::pdf::page::Page;
use crate::pdf::{ContentLimits, PageGeometry, Refusal};

/// A page of ours that draws a sender's as a form.
pub(in crate::pdf) struct Wrapped {
    /// `None` where the page has no content.
    pub(in crate::pdf) form: Option<Form>,
    /// The page's own: it is about the form as it was about the content, and blends alike.
    pub(in crate::pdf) group: Option<Attached>,
    /// What the form leaves open nevertheless.
    pub(in crate::pdf) loose_ends: LooseEnds,
}

/// The form, to be written once for all that digest alike.
pub(in crate::pdf) struct Form {
    /// Its dictionary, as it would stand in the sender's file.
    pub(in crate::pdf) value: Arc<[u8]>,
    /// The content streams that are its data: one as it stands, or several joined.
    pub(in crate::pdf) contents: Vec<u32>,
    pub(in crate::pdf) sharing: Sharing,
}

impl Walk<'_, '_> {
    /// What the content leaves open, if anything. Content that cannot be looked through may do
    /// anything, and what reaches past a form about it is then not known.
    ///
    /// It is counted as a look at the page's content is, and once a page: many may share a stream.
    pub(super) fn loose_ends(
        &self,
        contents: &[u32],
        limits: &ContentLimits,
    ) -> Result<Option<LooseEnds>, Refusal> {
        let joined = Joined::of(&self.file.objects, contents);
        match joined.content(limits.max_content_bytes)? {
            Some(content) => {
                self.file.content.spend(content.len(), limits)?;
                loose_ends(&content)
            }
            None if contents.len() > 1 => Err(NOT_JOINED),
            None => Ok(Some(LooseEnds::default())),
        }
    }

    /// `seen` is the page as it is to be seen, turned if it must be.
    pub(super) fn wrapped(
        &mut self,
        page: &Page<'_>,
        seen: &PageGeometry,
        contents: Vec<u32>,
        loose_ends: LooseEnds,
    ) -> Result<FragmentPage, Refusal> {
        let geometry = seen.unturned().ok_or(NO_SIZE)?;
        let form = match contents.as_slice() {
            [] => None,
            _ => Some(self.form(page, seen, contents)?),
        };
        let body = Body::Wrapped(Wrapped {
            form,
            group: self.attached(page.group)?,
            loose_ends,
        });
        Ok(FragmentPage {
            geometry,
            body,
            annotations: None,
        })
    }

    fn form(
        &mut self,
        page: &Page<'_>,
        seen: &PageGeometry,
        contents: Vec<u32>,
    ) -> Result<Form, Refusal> {
        let objects = &self.file.objects;
        let mut value = form_value(page, seen);
        objects.count_reread(value.len())?;
        for content in &contents {
            let object = objects.object(*content)?.unwrap_or(NULL);
            objects.count_work(object.value.len() + object.data.map_or(0, <[u8]>::len))?;
            if contents.len() == 1 {
                put_entries(&mut value, object.value, is_filter);
            }
            self.digest(*content)?;
        }
        if contents.len() > 1 {
            value.extend_from_slice(b"/Filter/FlateDecode");
        }
        value.extend_from_slice(b">>");
        let sharing = self.digest_form(&value, &contents)?;
        let value = value.into();
        Ok(Form {
            value,
            contents,
            sharing,
        })
    }

    /// Of the form's dictionary and of the streams that are its data: what comes of them need not be
    /// made to know it. No sender's object has such a digest, since no array has data.
    fn digest_form(&mut self, value: &[u8], contents: &[u32]) -> Result<Sharing, Refusal> {
        let mut all = [b"[", value].concat();
        for content in contents {
            // Writing to a vector does not fail.
            let _ = write!(all, " {content} 0 R");
        }
        all.push(b']');
        let mut slots = Vec::new();
        let value = self.file.objects.value_of(&all, &mut slots)?;
        self.digest_references(&slots)?;
        let data = Some(&b"form"[..]);
        Ok(self.sharing(Object { value, data }, &slots))
    }
}

const NO_SIZE: Refusal = Refusal::Unreadable {
    what: "a page has no size that can be written",
};
const NOT_JOINED: Refusal = Refusal::Unreadable {
    what: "a page's content streams must be joined, and one has a filter that is not read",
};

/// The form's dictionary but for its filters, and not closed.
fn form_value(page: &Page<'_>, seen: &PageGeometry) -> Vec<u8> {
    let mut out = b"<</Type/XObject/Subtype/Form/BBox".to_vec();
    put_numbers(&mut out, &seen.with_margin());
    out.extend_from_slice(b"/Matrix");
    put_numbers(&mut out, &seen.matrix_to_seen());
    out.extend_from_slice(b"/Resources ");
    out.extend_from_slice(page.resources.unwrap_or(b"<<>>"));
    out
}

/// Readers take the short names of inline images here too.
fn is_filter(key: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"Filter", b"DecodeParms", b"F", b"DP"];
    names.iter().any(|name| name_is(key, name))
}

fn put_numbers(out: &mut Vec<u8>, numbers: &[f64]) {
    for (at, number) in numbers.iter().enumerate() {
        let before = if at == 0 { '[' } else { ' ' };
        // Writing to a vector does not fail.
        let _ = write!(out, "{before}{number}");
    }
    out.push(b']');
}

/// The entries of a dictionary whose keys are wanted, as they stand.
fn put_entries(out: &mut Vec<u8>, dictionary: &[u8], wanted: impl Fn(&[u8]) -> bool) {
    let dictionary = Dictionary::of(dictionary).into_iter();
    for pair in dictionary.flat_map(Dictionary::pairs) {
        if wanted(pair.key) {
            out.push(b'/');
            out.extend_from_slice(pair.key);
            out.push(b' ');
            out.extend_from_slice(pair.value);
        }
    }
}
