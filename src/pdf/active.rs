//! What a PDF does besides being shown: scripts, actions and media (ISO 32000-1, 12.6, 12.7.8 and 13).
//!
//! None of it runs on paper, so that what a reader shows may not be what is printed.

use super::dictionary::{Dictionary, elements, is_array, is_name};
use super::objects::Objects;
use super::{Document, Refusal};

/// What was found, in words, each once.
type Found = Vec<&'static str>;

impl Document<'_> {
    /// What the document as a whole does, in words: `JavaScript`. Looked for once.
    pub fn active_content(&self) -> Result<&[&'static str], Refusal> {
        let file = self.file();
        let found = file
            .active
            .get_or_init(|| of_catalog(&file.objects, file.catalog));
        found.as_deref().map_err(Clone::clone)
    }

    /// What the page of that number, from 1, and its annotations do.
    pub fn active_content_of_page(&self, number: u32) -> Result<Vec<&'static str>, Refusal> {
        let objects = &self.file().objects;
        let mut found = Found::new();
        let (object, _) = self.file().tree.page(number)?;
        let page = objects.object(object)?;
        if let Some(page) = page.and_then(|page| Dictionary::of(page.value)) {
            readable(of_page(objects, page, &mut found))?;
        }
        Ok(found)
    }
}

const JAVASCRIPT: &str = "JavaScript";
const FORM_THAT_CHANGES: &str = "an XFA form";
const MEDIA: &str = "media";

/// Actions that a letter has no use for (table 198). Links to places, pages of the web and named
/// ones change nothing that is shown.
const ACTIONS: [(&[u8], &str); 13] = [
    (b"JavaScript", JAVASCRIPT),
    (b"Launch", "an action that starts a program"),
    (b"GoToR", "a link into another file"),
    (b"GoToE", "a link into another file"),
    (b"SubmitForm", "a form that sends what is filled in"),
    (b"ImportData", "an action that reads a file"),
    (b"Hide", "an action that hides something"),
    (b"SetOCGState", "an action that switches layers"),
    (b"Rendition", MEDIA),
    (b"Movie", MEDIA),
    (b"Sound", MEDIA),
    (b"GoTo3DView", MEDIA),
    (b"RichMediaExecute", MEDIA),
];

/// Annotations that play something (table 169).
const PLAYERS: [&[u8]; 5] = [b"Movie", b"Sound", b"Screen", b"RichMedia", b"3D"];

/// Actions in a chain of `/Next` that are followed.
const MOST_ACTIONS: usize = 32;

fn of_catalog(objects: &Objects<'_>, catalog: u32) -> Result<Found, Refusal> {
    let mut found = Found::new();
    let catalog = objects.object(catalog)?;
    if let Some(catalog) = catalog.and_then(|catalog| Dictionary::of(catalog.value)) {
        readable(of_document(objects, catalog, &mut found))?;
    }
    Ok(found)
}

fn of_document(
    objects: &Objects<'_>,
    catalog: Dictionary<'_>,
    found: &mut Found,
) -> Result<(), Refusal> {
    action(objects, objects.get(catalog, b"OpenAction")?, found)?;
    additional_actions(objects, catalog, found)?;
    if let Some(names) = objects.dictionary(catalog, b"Names")?
        && let Some(scripts) = objects.dictionary(names, b"JavaScript")?
        && has_any(objects, scripts)?
    {
        add(found, JAVASCRIPT);
    }
    if let Some(form) = objects.dictionary(catalog, b"AcroForm")?
        && objects.get(form, b"XFA")?.is_some()
    {
        add(found, FORM_THAT_CHANGES);
    }
    Ok(())
}

/// Whether a name tree has anything in it (7.9.6).
fn has_any(objects: &Objects<'_>, tree: Dictionary<'_>) -> Result<bool, Refusal> {
    for key in [b"Names", &b"Kids"[..]] {
        let listed = objects.get(tree, key)?.unwrap_or_default();
        if elements(listed).next().is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_page(objects: &Objects<'_>, page: Dictionary<'_>, found: &mut Found) -> Result<(), Refusal> {
    additional_actions(objects, page, found)?;
    let Some(annotations) = objects.get(page, b"Annots")? else {
        return Ok(());
    };
    let mut lexed = 0_usize;
    for annotation in elements(annotations) {
        let annotation = objects.resolved(annotation)?;
        lexed = lexed.saturating_add(annotation.len());
        objects.check_lexed(lexed)?;
        if let Some(annotation) = Dictionary::of(annotation) {
            of_annotation(objects, annotation, found)?;
        }
    }
    Ok(())
}

fn of_annotation(
    objects: &Objects<'_>,
    annotation: Dictionary<'_>,
    found: &mut Found,
) -> Result<(), Refusal> {
    let subtype = objects.get(annotation, b"Subtype")?.unwrap_or_default();
    if PLAYERS.iter().any(|player| is_name(subtype, player)) {
        add(found, MEDIA);
    }
    action(objects, objects.get(annotation, b"A")?, found)?;
    additional_actions(objects, annotation, found)
}

fn additional_actions(
    objects: &Objects<'_>,
    owner: Dictionary<'_>,
    found: &mut Found,
) -> Result<(), Refusal> {
    let Some(actions) = objects.dictionary(owner, b"AA")? else {
        return Ok(());
    };
    for pair in actions.pairs() {
        action(objects, Some(objects.resolved(pair.value)?), found)?;
    }
    Ok(())
}

/// An action and those that follow it (12.6.2). A destination is no action.
fn action(objects: &Objects<'_>, first: Option<&[u8]>, found: &mut Found) -> Result<(), Refusal> {
    let mut left = MOST_ACTIONS;
    let mut due: Vec<&[u8]> = first.into_iter().collect();
    while let Some(action) = due.pop()
        && left > 0
    {
        left -= 1;
        let Some(action) = Dictionary::of(action) else {
            continue;
        };
        let kind = objects.get(action, b"S")?.unwrap_or_default();
        let known = ACTIONS.iter().find(|(name, _)| is_name(kind, name));
        if let Some((_, words)) = known {
            add(found, words);
        }
        let next = objects.get(action, b"Next")?.unwrap_or_default();
        if is_array(next) {
            for one in elements(next).take(left) {
                due.push(objects.resolved(one)?);
            }
        } else if !next.is_empty() {
            due.push(next);
        }
    }
    Ok(())
}

fn add(found: &mut Found, words: &'static str) {
    if !found.contains(&words) {
        found.push(words);
    }
}

/// What cannot be read does nothing either; a limit is one.
fn readable(looked: Result<(), Refusal>) -> Result<(), Refusal> {
    match looked {
        Err(Refusal::Unreadable { .. }) => Ok(()),
        looked => looked,
    }
}
