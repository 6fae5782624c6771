//! Whether all that the pages need is there: the library passes over objects that it cannot read, and
//! a page without its font or picture would still be a page.

use std::collections::HashSet;

use lopdf::{Dictionary, Document, Object, ObjectId};

use super::verdict::Verdict;

/// Goes through all that the page tree leads to. `is_expected` tells whether an object that is not
/// there should be.
pub(super) fn check(document: &Document, is_expected: impl Fn(u32) -> bool) -> Result<(), Verdict> {
    let mut seen = HashSet::new();
    let mut due: Vec<ObjectId> = vec![page_tree(document).ok_or(Verdict::Unreadable)?];
    while let Some(id) = due.pop() {
        if !seen.insert(id) {
            continue;
        }
        match document.objects.get(&id) {
            Some(object) => references(object, &mut due),
            None if is_expected(id.0) => return Err(Verdict::NotWhole),
            None => {}
        }
    }
    Ok(())
}

fn page_tree(document: &Document) -> Option<ObjectId> {
    let catalog = document.catalog().ok()?;
    catalog.get(b"Pages").and_then(Object::as_reference).ok()
}

fn references(object: &Object, found: &mut Vec<ObjectId>) {
    let mut due = vec![object];
    while let Some(object) = due.pop() {
        match object {
            Object::Reference(id) => found.push(*id),
            Object::Array(elements) => due.extend(elements),
            Object::Dictionary(dictionary) => due.extend(values(dictionary)),
            Object::Stream(stream) => due.extend(values(&stream.dict)),
            _ => {}
        }
    }
}

fn values(dictionary: &Dictionary) -> impl Iterator<Item = &Object> {
    dictionary.iter().map(|(_, value)| value)
}
