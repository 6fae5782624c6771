//! Cross-references rebuilt by looking for objects in the bytes themselves.
//!
//! Of two objects with the same number the later one in the file counts, as it does in files that
//! were changed by appending. What stands in streams is no object.

use super::Refusal;
use super::dictionary::Dictionary;
use super::entries::{Entry, Settling};
use super::lexer::{Lexer, MOST_NESTING, is_regular, is_space};
use super::object::{Object, header_at};
use super::object_stream::ObjectStream;
use super::objects::{Lengths, Objects};
use super::xref::{self, CrossReferences, is_encrypted};

/// Looks through the whole file.
pub(super) fn rebuild(objects: &Objects<'_>) -> Result<CrossReferences, Refusal> {
    let mut scan = Scan {
        objects,
        found: CrossReferences::default(),
        catalog: None,
    };
    let mut position = 0;
    while let Some(word) = next_word(objects.bytes(), position) {
        position = match word {
            Word::Object(end) => scan.object(end)?,
            Word::Trailer(end) => scan.trailer(end)?,
        };
    }
    let mut found = scan.found;
    found.root = found.root.or(scan.catalog);
    Ok(found)
}

/// Corrects the entries that point at something else; tells whether any could be.
///
/// Where some do, a table may also miss objects: one counted from 1 instead of 0 names the last
/// of a section in no row, and calls the first free.
pub(super) fn mend(objects: &Objects<'_>, found: &mut CrossReferences) -> Result<bool, Refusal> {
    let misplaced = misplaced(objects.bytes(), &found.entries);
    if misplaced.is_empty() {
        return Ok(false);
    }
    let rebuilt = rebuild(objects)?;
    found.encrypted |= rebuilt.encrypted;
    let mut mended = false;
    for (number, offset) in misplaced {
        let better = rebuilt.entries.get(number);
        mended |= better.is_some();
        // Some producers mark what there is not as in use, at the start of the file.
        let otherwise = if offset == 0 {
            Entry::Absent
        } else {
            Entry::Lost
        };
        found.entries.put(number, better.unwrap_or(otherwise));
    }
    let end = found.entries.end();
    for (number, better) in rebuilt.entries.iter().filter(|(number, _)| *number < end) {
        if found.entries.get(number).unwrap_or_default() == Entry::Absent {
            found.entries.put(number, better);
        }
    }
    Ok(mended)
}

/// Numbers, and the offsets at which their objects are not.
fn misplaced(bytes: &[u8], entries: &Settling) -> Vec<(u32, usize)> {
    let is_misplaced = |(number, entry)| match entry {
        Entry::InFile(offset) => {
            let found = header_at(bytes, offset).map(|(found, _)| found);
            (found != Some(number)).then_some((number, offset))
        }
        _ => None,
    };
    entries.iter().filter_map(is_misplaced).collect()
}

/// A word worth a look, and where it ends.
enum Word {
    Object(usize),
    Trailer(usize),
}

fn next_word(bytes: &[u8], from: usize) -> Option<Word> {
    let rest = bytes.get(from..)?;
    let mut at = 0;
    loop {
        let found = rest
            .get(at..)?
            .iter()
            .position(|byte| matches!(byte, b'o' | b't'))?;
        at += found;
        let here = rest.get(at..)?;
        if here.starts_with(b"obj") {
            return Some(Word::Object(from + at + 3));
        }
        if here.starts_with(b"trailer") {
            return Some(Word::Trailer(from + at + 7));
        }
        at += 1;
    }
}

struct Scan<'o, 'a> {
    objects: &'o Objects<'a>,
    found: CrossReferences,
    /// The last catalog seen, for files without a trailer.
    catalog: Option<u32>,
}

impl Scan<'_, '_> {
    /// Takes the object whose `obj` ends there; returns where to go on.
    fn object(&mut self, word_end: usize) -> Result<usize, Refusal> {
        let objects = self.objects;
        let bytes = objects.bytes();
        let Some(offset) = header_before(bytes, word_end - 3) else {
            return Ok(word_end);
        };
        let mut value = Lexer::new(bytes, word_end);
        if value.skip_value(MOST_NESTING, |_| {}).is_err() {
            objects.rescans.spend(value.position() - word_end)?;
            return Ok(word_end);
        }
        match objects.object_at(offset, Lengths::InFile, &mut Vec::new()) {
            Ok((number, object)) => {
                self.take(number, offset, object)?;
                let data = object.data.unwrap_or_default();
                Ok(value.position() + data.len())
            }
            Err(refusal @ Refusal::Limit { .. }) => Err(refusal),
            Err(_) => Ok(value.position()),
        }
    }

    fn take(&mut self, number: u32, offset: usize, object: Object<'_>) -> Result<(), Refusal> {
        self.settle(number, Entry::InFile(offset))?;
        let Some(dictionary) = Dictionary::of(object.value) else {
            return Ok(());
        };
        if xref::is_section(dictionary) {
            self.take_trailer(dictionary);
        } else if dictionary.has_name(b"Type", b"Catalog") {
            self.catalog = Some(number);
        } else if dictionary.has_name(b"Type", b"ObjStm") {
            self.take_stream(number, object)?;
        } else if encrypts(dictionary) {
            self.found.encrypted = true;
        }
        Ok(())
    }

    fn take_stream(&mut self, stream: u32, object: Object<'_>) -> Result<(), Refusal> {
        let inflated = match ObjectStream::of(object, &self.objects.inflation) {
            Ok(inflated) => inflated,
            Err(refusal @ Refusal::Limit { .. }) => return Err(refusal),
            Err(_) => return Ok(()),
        };
        for (index, number) in (0..).zip(inflated.numbers()) {
            self.settle(number, Entry::InStream { stream, index })?;
            let value = inflated.place_of(number, index);
            let dictionary = value.and_then(Dictionary::of);
            if dictionary.is_some_and(|found| found.has_name(b"Type", b"Catalog")) {
                self.catalog = Some(number);
            }
        }
        Ok(())
    }

    fn trailer(&mut self, word_end: usize) -> Result<usize, Refusal> {
        let bytes = self.objects.bytes();
        let mut lexer = Lexer::new(bytes, word_end);
        if let Ok(place) = lexer.skip_value(MOST_NESTING, |_| {})
            && let Some(trailer) = bytes.get(place).and_then(Dictionary::of)
        {
            self.take_trailer(trailer);
            return Ok(lexer.position());
        }
        self.objects.rescans.spend(lexer.position() - word_end)?;
        self.found.encrypted |= mentions_encryption(bytes, word_end);
        Ok(word_end)
    }

    fn take_trailer(&mut self, trailer: Dictionary<'_>) {
        self.found.encrypted |= is_encrypted(trailer);
        self.found.root = trailer.reference(b"Root").or(self.found.root);
    }

    fn settle(&mut self, number: u32, entry: Entry) -> Result<(), Refusal> {
        xref::put(&mut self.found.entries, number, entry, self.objects)
    }
}

/// Where the `n g ` before an `obj` begins.
fn header_before(bytes: &[u8], word: usize) -> Option<usize> {
    let before = bytes.get(..word)?;
    let before = before.get(before.len().saturating_sub(32)..)?;
    let generation = digits_end(trimmed(before)?)?;
    let number = digits_end(trimmed(generation)?)?;
    if number
        .last()
        .copied()
        .is_some_and(|byte| is_regular(byte) && !ends_object(number))
    {
        return None;
    }
    Some(word - before.len() + number.len())
}

/// `endobj1 0 obj` happens.
fn ends_object(before: &[u8]) -> bool {
    before.ends_with(b"endobj")
}

/// Without the space at its end, of which there must be some.
fn trimmed(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().rposition(|&byte| !is_space(byte))?;
    (last + 1 < bytes.len()).then(|| bytes.get(..=last))?
}

/// Without the digits at its end, of which there must be some.
fn digits_end(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes.iter().rposition(|byte| !byte.is_ascii_digit());
    let start = last.map_or(0, |last| last + 1);
    (start < bytes.len()).then(|| bytes.get(..start))?
}

/// An encryption dictionary (table 20), which counts even if the trailer is gone.
fn encrypts(dictionary: Dictionary<'_>) -> bool {
    let has = |key: &[u8]| dictionary.get(key).is_some();
    dictionary.has_name(b"Filter", b"Standard") && has(b"O") && has(b"U") && has(b"P")
        || has(b"Filter") && has(b"SubFilter") && has(b"Recipients")
        || has(b"CF") && has(b"StmF")
}

/// Whether a trailer that cannot be read names `/Encrypt`.
fn mentions_encryption(bytes: &[u8], from: usize) -> bool {
    let trailer = bytes.get(from..).unwrap_or_default();
    let trailer = trailer.get(..4096).unwrap_or(trailer);
    trailer.windows(8).any(|window| window == b"/Encrypt")
}
