//! Whether an address that stands on a page is that of the control data.
//!
//! A wrong *no* stops a letter that is in order; a wrong *yes* sends one to somebody else. What is
//! taken for the same, and why, is in `docs/print-rules.md`.

use crate::domain::{PostalAddress, Private};

use super::folded;

/// Addresses in a window: the recipient's, and the sender's to return it to.
const MOST_ADDRESSES: usize = 2;

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
    let is_named = |code_row| known.is_named_in(&rows, Some(code_row)) == Named::Yes;
    let other_row = known.other_code_row(&rows);
    let own_row = known.code.as_ref().and_then(|code| code.row_in(&rows));
    // A return address above may have the recipient's code by chance.
    let own_row = own_row.filter(|own| other_row.is_none_or(|row| row < *own) || is_named(*own));
    if let (true, None, Some(row)) = (known.code.is_some(), own_row, other_row) {
        let is_name_known = is_named(row);
        return Likeness::OtherCode { is_name_known };
    }
    let code_row = own_row.or(other_row);
    match (known.is_named_in(&rows, code_row), code_row) {
        (Named::Yes, None) => Likeness::Same {
            last_row: rows.len().saturating_sub(1),
        },
        (Named::Yes | Named::Unsaid, Some(last_row)) => Likeness::Same { last_row },
        (Named::No, Some(_)) => Likeness::OtherName,
        (Named::No | Named::Unsaid, None) => Likeness::NoAddress,
    }
}

/// What the control data says of the recipient.
struct Known {
    code: Option<PostalCode>,
    /// Words that tell people apart, of the name and of the additional name.
    names: [Vec<String>; 2],
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
        let names = [&address.name, &address.additional_name].map(|field| {
            let mut names = words(field);
            names.retain(|word| tells_apart(word));
            names
        });
        Self {
            code: PostalCode::of(address),
            names,
            street: words(&address.street),
        }
    }

    fn is_named_in(&self, rows: &[Vec<String>], code_row: Option<usize>) -> Named {
        if self.names.iter().all(Vec::is_empty) {
            return Named::Unsaid;
        }
        let before_code = rows.iter().take(code_row.unwrap_or(rows.len()));
        let mut could_be_name = false;
        for row in before_code {
            if self.has_name_in(row) || self.is_spelled_in(row) {
                return Named::Yes;
            }
            could_be_name |= !self.is_street(row) && could_be_name_of(row);
        }
        let is_another_script = self.names.iter().flatten().all(|word| !word.is_ascii());
        if could_be_name && !is_another_script {
            Named::No
        } else {
            Named::Unsaid
        }
    }

    /// Whether a word of the name is there. In the street's row its own words are none:
    /// `Aleksis Kiven katu` does not make a letter Aleksis Virtanen's.
    fn has_name_in(&self, row: &[String]) -> bool {
        let mut street = self.street.iter().filter(|word| is_of_letters(word));
        let is_street = street.all(|word| row.contains(word));
        let is_name = |word: &String| self.names.iter().any(|names| names.contains(word));
        row.iter()
            .any(|word| is_name(word) && !(is_street && self.street.contains(word)))
    }

    /// Whether the row has a name in letters that stand apart, or in parts: `M A I J A`.
    fn is_spelled_in(&self, row: &[String]) -> bool {
        let row = row.concat();
        self.names.iter().any(|names| {
            let is_long = names.iter().map(String::len).sum::<usize>() >= 5;
            is_long && names.iter().all(|word| row.contains(word.as_str()))
        })
    }

    /// The last row with a postal code that is not the recipient's. Without the name above it, it
    /// has to be a locality's, and not one of many: product numbers look like codes too.
    fn other_code_row(&self, rows: &[Vec<String>]) -> Option<usize> {
        let is_own = |row: &[String]| self.code.as_ref().is_some_and(|code| code.is_in(row));
        // `12345 Main Street`
        let is_house = |row: &[String]| row.first().is_some_and(|word| self.street.contains(word));
        let is_other = |row: &&Vec<String>| {
            begins_with_code(row, self.code.as_ref()) && !is_own(row) && !is_house(row)
        };
        let last = rows.iter().rposition(|row| is_other(&row))?;
        if self.is_named_in(rows, Some(last)) == Named::Yes {
            return Some(last);
        }
        let is_list = rows.iter().filter(is_other).count() > MOST_ADDRESSES;
        rows.get(last)
            .is_some_and(|row| !is_list && is_locality(row))
            .then_some(last)
    }

    /// Whether the row is the street's, however it is shortened. A name may have one of its words.
    fn is_street(&self, row: &[String]) -> bool {
        let words = || row.iter().filter(|word| is_of_letters(word));
        let shared = words().filter(|word| self.street.contains(word)).count();
        let has_number = words().count() < row.len();
        row.concat() == self.street.concat()
            || shared > 0 && (has_number || 2 * shared > words().count())
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
const COMMON: &[&str] = &[
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
    "et",
    "of",
    "the",
    "da",
    "dos",
    "del",
    "di",
    "den",
    "ten",
    "el",
    "al",
    "bin",
    "zu",
    "ag",
    "kg",
    "sa",
    "nv",
    "aps",
    "llc",
    "plc",
    "ou",
    "herra",
    "rouva",
    "herr",
    "fru",
    "frau",
    "mr",
    "mrs",
    "ms",
    "perhe",
    "familjen",
    "kuolinpesa",
    "dodsbo",
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

/// Whether nothing but a place's name follows the code, and at most the number of its post office:
/// `00100 HELSINKI 10`, `75008 PARIS CEDEX 08`.
fn is_locality(row: &[String]) -> bool {
    let is_number = |word: &&String| word.bytes().all(|byte| byte.is_ascii_digit());
    let behind = without_country(row).iter().skip_while(is_number);
    let behind: Vec<_> = behind.collect();
    match behind.split_last() {
        Some((last, names)) => {
            names.iter().all(|word| is_of_letters(word)) && (is_of_letters(last) || last.len() <= 2)
        }
        None => false,
    }
}

/// Without the prefix of `FI-00100`, of the older `SF-00100`, or of `D-10115`.
fn without_country(row: &[String]) -> &[String] {
    match row {
        [first, rest @ ..] if first == "fin" || first.len() <= 2 && is_of_letters(first) => rest,
        row => row,
    }
}
