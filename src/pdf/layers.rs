//! Optional content (ISO 32000-1, 8.11). Layers are not carried over: what is on stays, and a
//! file with anything that is off for print is refused, since it would become visible.

use super::Refusal;
use super::dictionary::{Dictionary, elements};
use super::objects::Objects;

/// Whether the document has layers at all; refuses it if one of them is hidden in print.
pub(super) fn check(objects: &Objects<'_>, catalog: Dictionary<'_>) -> Result<bool, Refusal> {
    let Some(properties) = objects.dictionary(catalog, b"OCProperties")? else {
        return Ok(false);
    };
    let Some(default) = objects.dictionary(properties, b"D")? else {
        return Ok(true);
    };
    let base_off = default.has_name(b"BaseState", b"OFF");
    let some_off = elements(objects.get(default, b"OFF")?.unwrap_or_default())
        .next()
        .is_some();
    if base_off || some_off || off_for_print(objects, properties, default)? {
        return Err(Refusal::HiddenLayers);
    }
    Ok(true)
}

/// Whether membership depends on a layer being *off* (8.11.2.2): content that shows once layers
/// are dropped.
pub(super) fn shows_when_off(dictionary: Dictionary<'_>) -> bool {
    dictionary.has_name(b"Type", b"OCMD")
        && (dictionary.has_name(b"P", b"AllOff")
            || dictionary.has_name(b"P", b"AnyOff")
            || dictionary.get(b"VE").is_some())
}

/// Whether printing turns a layer off (8.11.4.4).
fn off_for_print(
    objects: &Objects<'_>,
    properties: Dictionary<'_>,
    default: Dictionary<'_>,
) -> Result<bool, Refusal> {
    let mut automatic = false;
    for application in elements(objects.get(default, b"AS")?.unwrap_or_default()) {
        let application = Dictionary::of(objects.resolved(application)?);
        automatic |= application.is_some_and(|found| found.has_name(b"Event", b"Print"));
    }
    if !automatic {
        return Ok(false);
    }
    let mut lexed = 0_usize;
    for group in elements(objects.get(properties, b"OCGs")?.unwrap_or_default()) {
        let group = objects.resolved(group)?;
        lexed = lexed.saturating_add(group.len());
        objects.check_lexed(lexed)?;
        if let Some(group) = Dictionary::of(group)
            && let Some(usage) = objects.dictionary(group, b"Usage")?
            && let Some(print) = objects.dictionary(usage, b"Print")?
            && print.has_name(b"PrintState", b"OFF")
        {
            return Ok(true);
        }
    }
    Ok(false)
}
