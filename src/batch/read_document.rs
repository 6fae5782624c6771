use std::borrow::Cow;

use super::{Archive, Limits};
use crate::domain::{DocumentName, Finding};

/// Reads a document again, by the name that messages carry.
///
/// For documents that are not on the shelf. One in a nested archive costs the unpacking of that
/// archive too.
pub fn read_document<'a>(
    archive: &Archive<'a>,
    name: &DocumentName,
    limits: &Limits,
) -> Result<Cow<'a, [u8]>, Finding> {
    let name = name.0.as_str();
    let separators = name.match_indices('/').map(|(at, _)| at);
    let nested = separators.into_iter().find_map(|at| {
        let (outer, inner) = (name.get(..at)?, name.get(at + 1..)?);
        archive.entry(outer).map(|_| (outer, inner))
    });
    let Some((outer, inner)) = nested else {
        return archive.read(name);
    };
    let inner = DocumentName(inner.to_owned());
    match archive.read(outer)? {
        Cow::Borrowed(bytes) => read_document(&reopened(bytes, limits)?, &inner, limits),
        Cow::Owned(bytes) => {
            let archive = reopened(&bytes, limits)?;
            read_document(&archive, &inner, limits).map(|content| Cow::Owned(content.into_owned()))
        }
    }
}

fn reopened<'b>(bytes: &'b [u8], limits: &Limits) -> Result<Archive<'b>, Finding> {
    Archive::open(bytes, limits).map_err(|findings| {
        let first = findings.into_iter().next();
        first.unwrap_or_else(|| {
            use crate::domain::{Code, Place};
            Finding::new(Code::ArchiveUnreadable, Place::batch(), "it cannot be read")
        })
    })
}
