//! Dictionaries that the standard wants to be objects of their own, made so.

use lopdf::{Dictionary, Document, Object, ObjectId};

/// Levels of the page tree that are looked through.
const MOST_LEVELS: usize = 64;

/// The catalog (ISO 32000-1, 7.5.5), the page tree's nodes and the pages (7.7.3) must be indirect
/// objects. Some producers write them where the reference should stand.
pub(super) fn lift(document: &mut Document) {
    let Some(root) = lift_entry(document, None, b"Root") else {
        return;
    };
    let Some(pages) = lift_entry(document, Some(root), b"Pages") else {
        return;
    };
    let mut nodes = vec![pages];
    for _ in 0..MOST_LEVELS {
        nodes = nodes
            .into_iter()
            .flat_map(|node| lift_kids(document, node))
            .collect();
    }
}

/// The object behind a key of the trailer or of an object; a dictionary that stands there becomes one.
fn lift_entry(document: &mut Document, of: Option<ObjectId>, key: &[u8]) -> Option<ObjectId> {
    let dictionary = match of {
        None => &document.trailer,
        Some(id) => document.get_dictionary(id).ok()?,
    };
    match dictionary.get(key).ok()? {
        Object::Reference(id) => Some(*id),
        Object::Dictionary(direct) => {
            let direct = direct.clone();
            let id = document.add_object(direct);
            let dictionary = match of {
                None => &mut document.trailer,
                Some(of) => document.get_dictionary_mut(of).ok()?,
            };
            dictionary.set(key, Object::Reference(id));
            Some(id)
        }
        _ => None,
    }
}

/// Returns the kids that were lifted: others are as they should be.
fn lift_kids(document: &mut Document, node: ObjectId) -> Vec<ObjectId> {
    let kids = document.get_dictionary(node).and_then(kids_of);
    let Ok(mut kids) = kids.cloned() else {
        return Vec::new();
    };
    let (mut lifted, mut below) = (false, Vec::new());
    for kid in &mut kids {
        match kid {
            Object::Dictionary(direct) => {
                let mut direct = std::mem::take(direct);
                direct.set("Parent", Object::Reference(node));
                let id = document.add_object(direct);
                *kid = Object::Reference(id);
                below.push(id);
                lifted = true;
            }
            Object::Reference(id) => below.push(*id),
            _ => {}
        }
    }
    if lifted && let Ok(node) = document.get_dictionary_mut(node) {
        node.set("Kids", Object::Array(kids));
    }
    below
}

fn kids_of(node: &Dictionary) -> lopdf::Result<&Vec<Object>> {
    node.get(b"Kids").and_then(Object::as_array)
}
