//! Whether an address that stands on a page is that of the control data.
//!
//! A wrong *no* stops a letter that is in order; a wrong *yes* sends one to somebody else. What is
//! taken for the same, and why, is in `docs/print-rules.md`.

use crate::domain::{PostalAddress, Private};

use super::folded;

/// What rows of text say about whose letter it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Likeness {
    /// It is the recipient's, as far as there is anything to compare. The address ends in the row
    /// of that index; rows behind it may name the country.
    Same { last_row: usize },
    /// There is an address, and its postal code is another.
    OtherCode { is_name_known: bool },
    /// The postal code is the same, or nobody knows it, and no word of the name is there.
    OtherName,
    /// Nothing there looks like an address.
    NoAddress,
}

/// Compares rows from top to bottom with the recipient's address.
pub(super) fn compare(rows: &[&str], address: &PostalAddress) -> Likeness {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| folded::words(row)).collect();
    let known = Known::of(address);
    let last_row = rows.len().saturating_sub(1);
    let own_row = known.code.as_ref().and_then(|code| code.row_in(&rows));
    let last_code_row = rows
        .iter()
        .rposition(|row| begins_with_code(row, known.code.as_ref()));
    let Some(code_row) = own_row.or(last_code_row) else {
        return match known.is_named_in(&rows, None) {
            Named::Yes => Likeness::Same { last_row },
            Named::No | Named::Unsaid => Likeness::NoAddress,
        };
    };
    let named = known.is_named_in(&rows, Some(code_row));
    if own_row.is_none() && known.code.is_some() {
        let is_name_known = named == Named::Yes;
        return Likeness::OtherCode { is_name_known };
    }
    match named {
        Named::No => Likeness::OtherName,
        Named::Yes | Named::Unsaid => Likeness::Same { last_row: code_row },
    }
}

/// What the control data says of the recipient.
struct Known {
    code: Option<PostalCode>,
    /// Words of the name that tell people apart.
    names: Vec<String>,
    street: Vec<String>,
}

/// Whether a name is there; unsaid where either side has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    Yes,
    No,
    Unsaid,
}

impl Known {
    fn of(address: &PostalAddress) -> Self {
        let words = |field: &Option<Private<String>>| {
            let text = field.as_ref().map(|text| folded::words(text.expose()));
            text.unwrap_or_default()
        };
        let mut names = words(&address.name);
        names.extend(words(&address.additional_name));
        names.retain(|word| tells_apart(word));
        Self {
            code: PostalCode::of(address),
            names,
            street: words(&address.street),
        }
    }

    fn is_named_in(&self, rows: &[Vec<String>], code_row: Option<usize>) -> Named {
        if self.names.is_empty() {
            return Named::Unsaid;
        }
        let before_code = rows.iter().take(code_row.unwrap_or(rows.len()));
        let mut could_be_name = false;
        for row in before_code {
            if row.iter().any(|word| self.names.contains(word)) || self.is_spelled_in(row) {
                return Named::Yes;
            }
            could_be_name |= !self.is_street(row) && could_be_name_of(row);
        }
        let is_another_script = self.names.iter().all(|word| !word.is_ascii());
        if could_be_name && !is_another_script {
            Named::No
        } else {
            Named::Unsaid
        }
    }

    /// Whether the row has the name in letters that stand apart, or in parts: `M A I J A`.
    fn is_spelled_in(&self, row: &[String]) -> bool {
        let row = row.concat();
        let is_long = self.names.iter().map(String::len).sum::<usize>() >= 5;
        is_long && self.names.iter().all(|word| row.contains(word.as_str()))
    }

    fn is_street(&self, row: &[String]) -> bool {
        let is_shared = |word: &String| is_of_letters(word) && self.street.contains(word);
        row.concat() == self.street.concat() || row.iter().any(is_shared)
    }
}

/// Customer numbers and boxes are no names: `PL 100`.
fn could_be_name_of(row: &[String]) -> bool {
    let words = row
        .iter()
        .filter(|word| is_of_letters(word) && tells_apart(word));
    words.map(|word| word.chars().count()).sum::<usize>() > 2
}

fn is_of_letters(word: &str) -> bool {
    word.chars().all(char::is_alphabetic)
}

/// Folded: what every company, noble and household may be called tells nobody apart.
const COMMON: [&str; 36] = [
    "oy",
    "ab",
    "oyj",
    "abp",
    "ry",
    "rf",
    "tmi",
    "ky",
    "kb",
    "osk",
    "as",
    "bab",
    "asunto",
    "osakeyhtio",
    "aktiebolag",
    "ltd",
    "gmbh",
    "inc",
    "bv",
    "co",
    "c",
    "von",
    "van",
    "der",
    "de",
    "af",
    "av",
    "du",
    "la",
    "le",
    "och",
    "ja",
    "and",
    "und",
    "herra",
    "rouva",
];

fn tells_apart(word: &str) -> bool {
    word.chars().count() >= 2 && !COMMON.contains(&word)
}

/// A postal code without spaces and without the country before it.
struct PostalCode {
    text: String,
}

impl PostalCode {
    fn of(address: &PostalAddress) -> Option<Self> {
        let words = folded::words(address.postal_code.as_ref()?.expose());
        let country = folded::words(address.country_or_home().as_str());
        let text = match words.strip_prefix(country.as_slice()) {
            Some(rest) if !rest.is_empty() => rest.concat(),
            _ => words.concat(),
        };
        (!text.is_empty()).then_some(Self { text })
    }

    /// The last row that has it, whatever stands before and after.
    fn row_in(&self, rows: &[Vec<String>]) -> Option<usize> {
        rows.iter().rposition(|row| self.is_in(row))
    }

    fn is_in(&self, row: &[String]) -> bool {
        let starts = (0..row.len()).filter_map(|at| row.get(at..));
        let mut starts = starts.map(<[String]>::iter);
        starts.any(|words| {
            let mut rest = self.text.as_str();
            for word in words {
                match rest.strip_prefix(word.as_str()) {
                    Some("") => return true,
                    Some(after) => rest = after,
                    None => return false,
                }
            }
            false
        })
    }

    fn is_digits(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// Whether a row begins with a postal code of the form of the recipient's, or of five digits, and
/// letters follow: `00100 HELSINKI`.
fn begins_with_code(row: &[String], own: Option<&PostalCode>) -> bool {
    let row = without_country(row);
    let is_number = |word: &&String| word.bytes().all(|byte| byte.is_ascii_digit());
    let digits: usize = row.iter().take_while(is_number).map(String::len).sum();
    let has_letters = row
        .iter()
        .any(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 1);
    let length = own.filter(|own| own.is_digits()).map(|own| own.text.len());
    has_letters && (digits == 5 || Some(digits) == length && digits > 2)
}

/// Without the prefix of `FI-00100`, of the older `SF-00100`, or of `D-10115`.
fn without_country(row: &[String]) -> &[String] {
    match row {
        [first, rest @ ..] if first == "fin" || first.len() <= 2 && is_of_letters(first) => rest,
        row => row,
    }
}
