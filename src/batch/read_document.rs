use std::borrow::Cow;

use super::{
    Archive, Entry, Limits,
    contents::{Contents, is_archive},
};
use crate::domain::{Code, DocumentName, Finding, Place};

/// Reads a document again, by the name that messages carry.
///
/// For documents that are not on the shelf. One in a nested archive costs the unpacking of that
/// archive too, each time: who reads many keeps the [`inner_archives`] open.
pub fn read_document<'a>(
    archive: &Archive<'a>,
    name: &DocumentName,
    limits: &Limits,
) -> Result<Cow<'a, [u8]>, Finding> {
    let Some((outer, inner)) = split_name(archive, name) else {
        return archive.read(&name.0);
    };
    match archive.read(outer)? {
        Cow::Borrowed(bytes) => read_document(&reopened(bytes, limits)?, &inner, limits),
        Cow::Owned(bytes) => {
            let archive = reopened(&bytes, limits)?;
            read_document(&archive, &inner, limits).map(|content| Cow::Owned(content.into_owned()))
        }
    }
}

/// The archives inside one that has nothing else, in order of their names; none in any other.
pub fn inner_archives<'e>(archive: &'e Archive<'_>) -> Vec<&'e Entry> {
    match Contents::of(archive) {
        Ok(Contents::Archives(entries)) => entries,
        Ok(Contents::Table(_) | Contents::Bundles(_)) | Err(_) => Vec::new(),
    }
}

/// Of a document in a nested archive, that archive's entry in the outer one, and the document's
/// name in it; `None` where the outer archive holds the document itself.
pub fn split_name<'n>(
    archive: &Archive<'_>,
    name: &'n DocumentName,
) -> Option<(&'n str, DocumentName)> {
    let name = name.0.as_str();
    let mut separators = name.match_indices('/').map(|(at, _)| at);
    separators.find_map(|at| {
        let (outer, inner) = (name.get(..at)?, name.get(at + 1..)?);
        let is_nested = archive.entry(outer).is_some_and(is_archive);
        is_nested.then(|| (outer, DocumentName(inner.to_owned())))
    })
}

fn reopened<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Archive<'b>, Finding> {
    Archive::open(bytes, limits).map_err(|findings| {
        let first = findings.into_iter().next();
        first.unwrap_or_else(|| {
            Finding::new(Code::ArchiveUnreadable, Place::batch(), "it cannot be read")
        })
    })
}
