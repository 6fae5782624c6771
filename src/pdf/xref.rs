//! Cross-references as the file gives them: tables, streams, both at once, and the chain of
//! earlier ones behind them (ISO 32000-1, 7.5.4 to 7.5.8).

use super::Refusal;
use super::dictionary::{Dictionary, is_name};
use super::entries::{Entry, Settling};
use super::inflate::decoded;
use super::lexer::{Lexer, MOST_NESTING, Token};
use super::objects::{Lengths, Objects};

/// What the cross-references say.
#[derive(Default)]
pub(super) struct CrossReferences {
    /// Those that are free too.
    pub(super) entries: Settling,
    /// Object number of the catalog.
    pub(super) root: Option<u32>,
    pub(super) encrypted: bool,
}

/// Reads the newest section and all before it.
pub(super) fn read(objects: &Objects<'_>) -> Result<CrossReferences, Refusal> {
    let mut chain = Chain {
        objects,
        found: CrossReferences::default(),
    };
    let mut visited = std::collections::BTreeSet::new();
    let mut next = Some(newest_section(objects.bytes()).ok_or(DAMAGED)?);
    while let Some(offset) = next {
        if !visited.insert(offset) {
            break;
        }
        if visited.len() > MOST_SECTIONS {
            return Err(Refusal::Limit {
                what: "incremental updates",
            });
        }
        next = chain.read_section(offset)?;
    }
    Ok(chain.found)
}

const MOST_SECTIONS: usize = 4096;

pub(super) const DAMAGED: Refusal = Refusal::Unreadable {
    what: "the cross-references are damaged",
};

/// How far from the end `startxref` is looked for: what transports append must fit.
const TAIL: usize = 2048;

/// The offset behind the last `startxref`.
fn newest_section(bytes: &[u8]) -> Option<usize> {
    const WORD: &[u8] = b"startxref";
    let tail = bytes.get(bytes.len().saturating_sub(TAIL)..)?;
    let at = tail
        .windows(WORD.len())
        .rposition(|window| window == WORD)?;
    match Lexer::new(tail, at + WORD.len()).next()? {
        Token::Integer(offset) => usize::try_from(offset).ok(),
        _ => None,
    }
}

struct Chain<'o, 'a> {
    objects: &'o Objects<'a>,
    found: CrossReferences,
}

impl Chain<'_, '_> {
    /// Reads the section there and tells where the one before it is.
    fn read_section(&mut self, offset: usize) -> Result<Option<usize>, Refusal> {
        let mut lexer = Lexer::new(self.objects.bytes(), offset);
        match lexer.next() {
            Some(Token::Keyword(b"xref")) => self.read_table(lexer),
            Some(Token::Integer(_)) => self.read_stream(offset),
            _ => Err(DAMAGED),
        }
    }

    fn read_table(&mut self, mut lexer: Lexer<'_>) -> Result<Option<usize>, Refusal> {
        let mut free = Vec::new();
        loop {
            match lexer.next().ok_or(DAMAGED)? {
                Token::Integer(first) => self.read_subsection(&mut lexer, first, &mut free)?,
                Token::Keyword(b"trailer") => break,
                _ => return Err(DAMAGED),
            }
        }
        let bytes = self.objects.bytes();
        let place = lexer.skip_value(MOST_NESTING, |_| {})?;
        let trailer = bytes.get(place).and_then(Dictionary::of).ok_or(DAMAGED)?;
        self.take_trailer(trailer);
        // A hybrid file marks as free what only its cross-reference stream knows (7.5.8.4).
        if let Some(offset) = trailer.integer(b"XRefStm") {
            self.read_stream(usize::try_from(offset).map_err(|_| DAMAGED)?)?;
        }
        for number in free {
            self.settle(number, Entry::Absent)?;
        }
        previous(trailer)
    }

    fn read_subsection(
        &mut self,
        lexer: &mut Lexer<'_>,
        first: i64,
        free: &mut Vec<i64>,
    ) -> Result<(), Refusal> {
        let Some(Token::Integer(count)) = lexer.next() else {
            return Err(DAMAGED);
        };
        for number in first..first.saturating_add(count) {
            let (Some(Token::Integer(offset)), Some(Token::Integer(_)), Some(kind)) =
                (lexer.next(), lexer.next(), lexer.next())
            else {
                return Err(DAMAGED);
            };
            match kind {
                Token::Keyword(b"n") => {
                    let offset = usize::try_from(offset).map_err(|_| DAMAGED)?;
                    self.settle(number, Entry::InFile(offset))?;
                }
                Token::Keyword(b"f") => free.push(number),
                _ => return Err(DAMAGED),
            }
        }
        Ok(())
    }

    fn read_stream(&mut self, offset: usize) -> Result<Option<usize>, Refusal> {
        let objects = self.objects;
        let (_, object) = objects.object_at(offset, Lengths::InFile, &mut Vec::new())?;
        let dictionary = Dictionary::of(object.value).ok_or(DAMAGED)?;
        if !dictionary.has_name(b"Type", b"XRef") {
            return Err(DAMAGED);
        }
        let rows = decoded(dictionary, object.data.ok_or(DAMAGED)?, &objects.inflation)?;
        let widths = widths(dictionary).ok_or(DAMAGED)?;
        self.take_trailer(dictionary);
        // Rows of free numbers hide what is older. Where nothing is, a million of them cost nothing.
        let hides = dictionary.get(b"Prev").is_some();
        let mut rows = rows.chunks_exact(widths.iter().sum());
        for (first, count) in subsections(dictionary) {
            for number in first..first.saturating_add(count) {
                let Some(row) = rows.next() else {
                    return previous(dictionary);
                };
                let entry = entry_of(row, widths);
                if let Some(entry) = entry.filter(|entry| hides || *entry != Entry::Absent) {
                    self.settle(number, entry)?;
                }
            }
        }
        previous(dictionary)
    }

    fn take_trailer(&mut self, trailer: Dictionary<'_>) {
        let found = &mut self.found;
        found.encrypted |= is_encrypted(trailer);
        found.root = found.root.or_else(|| trailer.reference(b"Root"));
    }

    /// Newer sections are read first, and stay.
    fn settle(&mut self, number: i64, entry: Entry) -> Result<(), Refusal> {
        // A number beyond the limit may be damage: rebuilding tells.
        let number = checked(number, self.objects).map_err(|_| DAMAGED)?;
        if self.found.entries.get(number).is_none() {
            put(&mut self.found.entries, number, entry, self.objects).map_err(|_| DAMAGED)?;
        }
        Ok(())
    }
}

/// Whether the trailer names an encryption dictionary.
pub(super) fn is_encrypted(trailer: Dictionary<'_>) -> bool {
    trailer
        .get(b"Encrypt")
        .is_some_and(|value| value != b"null")
}

/// An object number within the limit.
fn checked(number: i64, objects: &Objects<'_>) -> Result<u32, Refusal> {
    let number = u64::try_from(number).map_err(|_| DAMAGED)?;
    let within = u32::try_from(number).ok();
    within
        .filter(|number| *number <= objects.limits().max_objects)
        .ok_or(TOO_MANY)
}

/// Settles an entry, if there may be as many.
pub(super) fn put(
    entries: &mut Settling,
    number: u32,
    entry: Entry,
    objects: &Objects<'_>,
) -> Result<(), Refusal> {
    let number = checked(i64::from(number), objects)?;
    entries.put(number, entry);
    if entries.settled() > objects.most_entries() {
        return Err(TOO_MANY);
    }
    Ok(())
}

const TOO_MANY: Refusal = Refusal::Limit {
    what: "the number of objects",
};

fn previous(trailer: Dictionary<'_>) -> Result<Option<usize>, Refusal> {
    let offset = trailer.integer(b"Prev");
    offset.map(usize::try_from).transpose().map_err(|_| DAMAGED)
}

/// Widths of the three fields of a row. No row is wider than three numbers, or empty.
fn widths(dictionary: Dictionary<'_>) -> Option<[usize; 3]> {
    let mut values = super::dictionary::elements(dictionary.get(b"W")?);
    let mut width = || -> Option<usize> {
        let value = Lexer::new(values.next()?, 0).next()?;
        match value {
            Token::Integer(width @ 0..=8) => usize::try_from(width).ok(),
            _ => None,
        }
    };
    let widths = [width()?, width()?, width()?];
    (widths.iter().sum::<usize>() > 0).then_some(widths)
}

/// First number and count of each run of rows.
fn subsections(dictionary: Dictionary<'_>) -> Vec<(i64, i64)> {
    let Some(index) = dictionary.get(b"Index") else {
        return vec![(0, dictionary.integer(b"Size").unwrap_or(0))];
    };
    let mut lexer = Lexer::new(index, 0);
    lexer.next();
    std::iter::from_fn(|| match (lexer.next()?, lexer.next()?) {
        (Token::Integer(first), Token::Integer(count)) => Some((first, count)),
        _ => None,
    })
    .collect()
}

/// Table 18; kinds that do not exist yet count as absent.
fn entry_of(row: &[u8], widths: [usize; 3]) -> Option<Entry> {
    let [kind_width, second_width, _] = widths;
    let (kind, rest) = row.split_at_checked(kind_width)?;
    let (second, third) = rest.split_at_checked(second_width)?;
    let kind = if kind.is_empty() { 1 } else { big_endian(kind) };
    let second = big_endian(second);
    Some(match kind {
        1 => Entry::InFile(usize::try_from(second).ok()?),
        2 => Entry::InStream {
            stream: u32::try_from(second).ok()?,
            index: u32::try_from(big_endian(third)).ok()?,
        },
        _ => Entry::Absent,
    })
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Whether a dictionary is that of a cross-reference stream.
pub(super) fn is_section(dictionary: Dictionary<'_>) -> bool {
    dictionary
        .get(b"Type")
        .is_some_and(|value| is_name(value, b"XRef"))
}
