//! Form fields whose value a reader would draw itself (ISO 32000-1, 12.7.3.3).

use super::appearance::Look;
use crate::pdf::Refusal;
use crate::pdf::allowance::Allowance;
use crate::pdf::dictionary::{Dictionary, elements, is_array, is_name};
use crate::pdf::document::File;
use crate::pdf::inflate;
use crate::pdf::objects::Objects;

/// Fields above a field that it may inherit from.
const MOST_LEVELS: u32 = 32;

/// An appearance with more content than this shows something. Inflated, in bytes.
const MOST_CONTENT: u64 = 64 * 1024;

/// Whether the field shows something once a reader has drawn it: a text, a choice, a tick. The
/// value of a signature is not for show.
pub(super) fn has_value(objects: &Objects<'_>, widget: Dictionary<'_>) -> Result<bool, Refusal> {
    let kind = inherited(objects, widget, b"FT")?.unwrap_or_default();
    let Some(value) = inherited(objects, widget, b"V")? else {
        return Ok(false);
    };
    if is_name(kind, b"Sig") {
        return Ok(false);
    }
    if is_name(kind, b"Btn") {
        return Ok(!is_name(value, b"Off"));
    }
    if is_array(value) {
        return Ok(elements(value).next().is_some());
    }
    Ok(!is_empty_text(value))
}

/// Whether the field has a border, a background or a caption (12.5.6.19).
pub(super) fn has_frame(objects: &Objects<'_>, widget: Dictionary<'_>) -> Result<bool, Refusal> {
    let Some(frame) = objects.dictionary(widget, b"MK")? else {
        return Ok(false);
    };
    for key in [b"BC", b"BG", b"CA"] {
        let value = objects.get(frame, key)?.unwrap_or_default();
        let is_text = !value.is_empty() && !is_array(value) && !is_empty_text(value);
        if is_text || elements(value).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the form leaves it to readers to draw its fields anew, and the field has a text as value
/// while its appearance shows none: a program filled it and left the drawing to the reader.
pub(super) fn is_stale(
    file: &File<'_>,
    widget: Dictionary<'_>,
    look: &Look,
) -> Result<bool, Refusal> {
    let Look::Form(form) = look else {
        return Ok(false);
    };
    let objects = &file.objects;
    if !file.leaves_drawing_to_readers()? {
        return Ok(false);
    }
    let kind = inherited(objects, widget, b"FT")?.unwrap_or_default();
    let is_text = is_name(kind, b"Tx") || is_name(kind, b"Ch");
    if !is_text || !has_value(objects, widget)? {
        return Ok(false);
    }
    Ok(!may_show_text(objects, form.number())?)
}

/// Whether a form's content has an operator that shows text, or draws a form that may.
fn may_show_text(objects: &Objects<'_>, number: u32) -> Result<bool, Refusal> {
    let Some(form) = objects.object(number)? else {
        return Ok(false);
    };
    let dictionary = Dictionary::of(form.value).unwrap_or(Dictionary::EMPTY);
    let data = form.data.unwrap_or_default();
    let most = Allowance::new(MOST_CONTENT, "the content of an appearance");
    let Ok(content) = inflate::decoded(dictionary, data, &most) else {
        return Ok(true);
    };
    objects.count_reread(content.len())?;
    let shows = [&b"Tj"[..], b"TJ", b"'", b"\"", b"Do"];
    Ok(shows.iter().any(|operator| {
        content
            .windows(operator.len())
            .any(|window| window == *operator)
    }))
}

/// An attribute of the field itself or of the nearest field above it (12.7.3.1).
fn inherited<'o>(
    objects: &'o Objects<'_>,
    widget: Dictionary<'o>,
    key: &[u8],
) -> Result<Option<&'o [u8]>, Refusal> {
    let mut field = widget;
    for _ in 0..MOST_LEVELS {
        if let Some(value) = objects.get(field, key)? {
            return Ok(Some(value));
        }
        match objects.dictionary(field, b"Parent")? {
            Some(parent) => field = parent,
            None => break,
        }
    }
    Ok(None)
}

/// `()`, `<>`, or no more than a byte order mark.
fn is_empty_text(value: &[u8]) -> bool {
    let empty: [&[u8]; 4] = [b"()", b"<>", b"(\xfe\xff)", b"(\\376\\377)"];
    empty.contains(&value) || value.eq_ignore_ascii_case(b"<feff>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_nothing_is_empty_however_it_is_written() {
        for empty in ["()", "<>", "<FEFF>", "<feff>", "(\\376\\377)"] {
            assert!(is_empty_text(empty.as_bytes()), "{empty}");
        }
        assert!(is_empty_text(b"(\xfe\xff)"));
        assert!(!is_empty_text(b"( )"));
    }
}
