use std::collections::{HashMap, HashSet};

use kuori::{
    batch::{Archive, DocumentFacts, Limits, Settings, inner_archives, read_document},
    domain::DocumentName,
    pdf::Document,
};

use super::run::Run;

/// Neither on the shelf nor in memory is more than the limits say.
pub(super) fn keep_the_limits(run: &Run, limits: &Limits) {
    let on_shelf = run
        .shelved
        .iter()
        .map(|(_, bytes)| size(bytes.as_ref().as_ref()));
    assert!(
        on_shelf
            .clone()
            .all(|size| size <= limits.max_document_bytes)
    );
    assert!(on_shelf.sum::<u64>() <= limits.max_unpacked_bytes);
    let facts = &run.opened.documents;
    assert!(
        facts
            .iter()
            .all(|document| document.bytes <= limits.max_document_bytes)
    );
    let unpacked: u64 = facts.iter().map(|document| document.bytes).sum();
    assert!(unpacked <= limits.max_unpacked_bytes);
    assert!(run.opened.messages <= limits.max_messages);
    let names: HashSet<_> = facts.iter().map(|document| &document.name).collect();
    assert_eq!(names.len(), facts.len(), "two documents of one name");
}

/// Every message that goes on has pages, all of them inside its PDF.
pub(super) fn hold_the_pages_of_their_messages(run: &Run) {
    let counts = page_counts(run);
    for message in run.messages.iter().filter(|message| !message.is_refused()) {
        let pages = &message.message.pages;
        let count = counts.get(&pages.document).copied().unwrap_or_default();
        assert!(
            pages.first >= 1 && pages.count >= 1,
            "{}..+{}",
            pages.first,
            pages.count
        );
        let last = u64::from(pages.first) + u64::from(pages.count) - 1;
        assert!(last <= u64::from(count), "page {last} of {count}");
        assert_eq!(u64::from(pages.last()), last);
    }
}

/// In a batch that is taken, nobody gets a page that somebody else gets.
pub(super) fn give_no_page_twice(run: &Run) {
    let mut given: HashMap<&DocumentName, Vec<(u32, u32)>> = HashMap::new();
    for message in run.messages.iter().filter(|message| !message.is_refused()) {
        let pages = &message.message.pages;
        let of_document = given.entry(&pages.document).or_default();
        of_document.push((pages.first, pages.last()));
    }
    for ranges in given.values_mut() {
        ranges.sort_unstable();
        let mut pairs = ranges.iter().zip(ranges.iter().skip(1));
        assert!(pairs.all(|((_, last), (next, _))| last < next));
    }
}

/// In a batch that is taken, no two files have one name, whatever ZIPs they are in.
pub(super) fn have_names_of_their_own(archive: &Archive<'_>, settings: &Settings) {
    let mut names = HashSet::new();
    for outer in inner_archives(archive) {
        let bytes = archive.read(&outer.name).expect("it was read before");
        let inner = Archive::open(&bytes, &settings.limits).expect("it was opened before");
        for entry in inner.entries() {
            let name = format!("{}/{}", outer.name, entry.name);
            assert!(names.insert(name), "two files of one name");
        }
    }
}

/// Each document of a batch that is taken is there for those who print it: on the shelf or in
/// the ZIP, with the bytes and the pages that were told.
pub(super) fn are_read_again(run: &Run, archive: &Archive<'_>, settings: &Settings) {
    for facts in run.opened.documents.iter().filter(|facts| facts.pages > 0) {
        if facts.was_kept {
            let kept = run.shelved.iter().find(|(name, _)| *name == facts.name);
            let (_, bytes) = kept.expect("it was kept");
            is_as_told(bytes.as_ref().as_ref(), facts, settings);
        } else {
            let bytes = read_document(archive, &facts.name, &settings.limits);
            is_as_told(&bytes.expect("it was read before"), facts, settings);
        }
    }
}

fn is_as_told(bytes: &[u8], facts: &DocumentFacts, settings: &Settings) {
    assert_eq!(size(bytes), facts.bytes);
    let document = Document::open(bytes, &settings.pdf).expect("it was opened before");
    assert_eq!(document.page_count(), facts.pages);
}

fn page_counts(run: &Run) -> HashMap<&DocumentName, u32> {
    let documents = run.opened.documents.iter();
    documents.map(|facts| (&facts.name, facts.pages)).collect()
}

fn size(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}
