//! Annotations that a reader would print (ISO 32000-1, 12.5). They are not carried over, so the
//! caller must be told.

use super::Refusal;
use super::dictionary::{Dictionary, elements, is_name};
use super::objects::Objects;

/// Table 165.
const HIDDEN: i64 = 1 << 1;
const PRINT: i64 = 1 << 2;

/// Whether any of the page's `/Annots` shows in print. One that cannot be read may.
pub(super) fn any_prints(
    objects: &Objects<'_>,
    annotations: Option<&[u8]>,
) -> Result<bool, Refusal> {
    let Some(annotations) = annotations else {
        return Ok(false);
    };
    match any_of_prints(objects, annotations) {
        Err(Refusal::Unreadable { .. }) => Ok(true),
        told => told,
    }
}

fn any_of_prints(objects: &Objects<'_>, annotations: &[u8]) -> Result<bool, Refusal> {
    let mut lexed = 0_usize;
    for annotation in elements(objects.resolved(annotations)?) {
        let annotation = objects.resolved(annotation)?;
        lexed = lexed.saturating_add(annotation.len());
        objects.check_lexed(lexed)?;
        if let Some(annotation) = Dictionary::of(annotation)
            && prints(objects, annotation)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn prints(objects: &Objects<'_>, annotation: Dictionary<'_>) -> Result<bool, Refusal> {
    let flags = annotation.integer(b"F").unwrap_or(0);
    if flags & PRINT == 0 || flags & HIDDEN != 0 {
        return Ok(false);
    }
    let subtype = objects.get(annotation, b"Subtype")?.unwrap_or_default();
    if is_name(subtype, b"Link") || is_name(subtype, b"Popup") {
        return Ok(false);
    }
    // A field without appearance shows its value once a reader has drawn it.
    let field = is_name(subtype, b"Widget");
    let appearance = objects.get(annotation, b"AP")?.is_some();
    Ok(!field || appearance || objects.get(annotation, b"V")?.is_some())
}
