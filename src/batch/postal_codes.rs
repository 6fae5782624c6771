use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// Which postal codes there are, and which localities they belong to: a table that the operator
/// gives, since codes change nearly every month.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct PostalCodes {
    /// Localities in capitals: Finnish, Swedish, and their abbreviations.
    localities: HashMap<u32, Vec<String>>,
}

/// A row of the table that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {problem}")]
pub struct BadRow {
    /// 1-based.
    pub line: u64,
    pub problem: &'static str,
}

/// A file that is no such table has a bad row a line; a few say enough.
const MAX_BAD_ROWS: usize = 20;

/// How each row of Posti's file begins.
const PCF_MARK: &[u8] = b"PONOT";

/// Characters of a row of Posti's file.
const PCF_ROW: usize = 220;

/// Where its fields are: the code, the locality in Finnish and in Swedish, both abbreviated.
const PCF_CODE: std::ops::Range<usize> = 13..18;
const PCF_LOCALITIES: [std::ops::Range<usize>; 4] = [18..48, 48..78, 78..90, 90..102];

const CSV_CODE: &str = "postal_code";
const CSV_LOCALITIES: [&str; 2] = ["locality_fi", "locality_sv"];

impl PostalCodes {
    /// Reads either form of the table.
    ///
    /// - Posti's PCF file: ISO-8859-1, rows of 220 characters that begin with `PONOT`.
    /// - CSV: UTF-8, comma or semicolon, with the columns `postal_code`, `locality_fi` and, if
    ///   wanted, `locality_sv`; others are passed over.
    ///
    /// # Errors
    ///
    /// The first bad rows, or that there is no row.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<BadRow>> {
        let rows = if bytes.starts_with(PCF_MARK) {
            pcf_rows(bytes).collect()
        } else {
            csv_rows(bytes).map_err(|bad| vec![bad])?
        };
        let mut table = Self::default();
        let mut bad = Vec::new();
        for (line, row) in rows {
            match row.and_then(Row::checked) {
                Ok((code, localities)) => {
                    let known = table.localities.entry(code).or_default();
                    known.extend(localities);
                }
                Err(problem) => bad.push(BadRow { line, problem }),
            }
        }
        if bad.is_empty() && table.localities.is_empty() {
            bad.push(BadRow {
                line: 1,
                problem: "is followed by no postal code",
            });
        }
        bad.truncate(MAX_BAD_ROWS);
        if bad.is_empty() { Ok(table) } else { Err(bad) }
    }

    /// How many codes there are.
    pub fn len(&self) -> usize {
        self.localities.len()
    }

    pub fn is_empty(&self) -> bool {
        self.localities.is_empty()
    }

    /// Whether a locality, written in any case, is one of the code's; `None` for a code that is not
    /// in the table.
    pub(super) fn is_of(&self, code: &str, locality: &str) -> Option<bool> {
        let known = self.localities.get(&number(code)?)?;
        let locality = normal(locality);
        Some(known.contains(&locality))
    }
}

/// A table of 3,000 rows says nothing in a log.
impl fmt::Debug for PostalCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostalCodes({} codes)", self.len())
    }
}

struct Row {
    code: String,
    localities: Vec<String>,
}

impl Row {
    fn checked(self) -> Result<(u32, Vec<String>), &'static str> {
        let code = number(self.code.trim()).ok_or("has no postal code of five digits")?;
        let localities = self.localities.iter().map(|name| normal(name));
        let localities: Vec<_> = localities.filter(|name| !name.is_empty()).collect();
        if localities.is_empty() {
            return Err("has no locality");
        }
        Ok((code, localities))
    }
}

type Numbered = (u64, Result<Row, &'static str>);

fn pcf_rows(bytes: &[u8]) -> impl Iterator<Item = Numbered> {
    let lines = (1..).zip(bytes.split(|b| *b == b'\n'));
    let rows = lines.map(|(number, line)| (number, line.strip_suffix(b"\r").unwrap_or(line)));
    rows.filter(|(_, line)| !line.is_empty() && *line != b"\x1a")
        .map(|(number, line)| (number, pcf_row(line)))
}

fn pcf_row(line: &[u8]) -> Result<Row, &'static str> {
    if line.len() != PCF_ROW || !line.starts_with(PCF_MARK) {
        return Err("is no row of 220 characters that begins with `PONOT`");
    }
    // Every byte of ISO-8859-1 is the code point of the same number.
    let field = |at: std::ops::Range<usize>| -> String {
        let bytes = line.get(at).unwrap_or_default();
        bytes.iter().copied().map(char::from).collect()
    };
    Ok(Row {
        code: field(PCF_CODE),
        localities: PCF_LOCALITIES.into_iter().map(field).collect(),
    })
}

fn csv_rows(bytes: &[u8]) -> Result<Vec<Numbered>, BadRow> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let header = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let delimiter = if header.contains(&b';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(bytes);
    let no_header = |_| BadRow {
        line: 1,
        problem: "is no header row in UTF-8",
    };
    let header = reader.headers().map_err(no_header)?.clone();
    let named: BTreeMap<_, _> = header
        .iter()
        .enumerate()
        .map(|(at, name)| (name.trim().to_ascii_lowercase(), at))
        .collect();
    let (Some(&code), Some(_)) = (named.get(CSV_CODE), named.get(CSV_LOCALITIES[0])) else {
        return Err(BadRow {
            line: 1,
            problem: "does not have the columns `postal_code` and `locality_fi`",
        });
    };
    let localities: Vec<usize> = CSV_LOCALITIES
        .iter()
        .filter_map(|name| named.get(*name).copied())
        .collect();
    Ok(reader
        .into_records()
        .map(|record| csv_row(record, code, &localities))
        .collect())
}

fn csv_row(record: csv::Result<csv::StringRecord>, code: usize, localities: &[usize]) -> Numbered {
    let line_of = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
    let record = match record {
        Ok(record) => record,
        Err(error) => {
            let problem = "is not UTF-8, or has more or fewer fields than the header";
            return (line_of(error.position()), Err(problem));
        }
    };
    let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
    let row = Row {
        code: field(code),
        localities: localities.iter().map(|&at| field(at)).collect(),
    };
    (line_of(record.position()), Ok(row))
}

fn number(code: &str) -> Option<u32> {
    let is_code = code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit());
    is_code.then(|| code.parse().ok()).flatten()
}

/// In capitals, with one space between words.
fn normal(locality: &str) -> String {
    let words: Vec<_> = locality.split_whitespace().collect();
    words.join(" ").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pcf(code: &str, fi: &str, sv: &str) -> String {
        let row = format!(
            "PONOT20260301{code}{fi:<30}{sv:<30}{:<12}{:<12}19730101100001{:<30}{:<30}091{:<20}{:<20}1",
            "HKI", "HFORS", "Uusimaa", "Nyland", "Helsinki", "Helsingfors"
        );
        format!("{row:<220}\r\n")
    }

    fn latin1(text: &str) -> Vec<u8> {
        text.chars().map(|c| u8::try_from(c).unwrap()).collect()
    }

    fn bad(bytes: &[u8]) -> Vec<String> {
        let rows = PostalCodes::parse(bytes).unwrap_err();
        rows.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn postis_file_gives_localities_in_both_languages_and_their_abbreviations() {
        let text =
            pcf("00100", "HELSINKI", "HELSINGFORS") + &pcf("44100", "ÄÄNEKOSKI", "ÄÄNEKOSKI");
        let table = PostalCodes::parse(&latin1(&text)).unwrap();
        assert_eq!(table.len(), 2);
        for locality in ["Helsinki", "helsingfors", "HKI", " Hfors "] {
            assert_eq!(table.is_of("00100", locality), Some(true), "{locality}");
        }
        assert_eq!(table.is_of("44100", "Äänekoski"), Some(true));
        assert_eq!(table.is_of("44100", "Helsinki"), Some(false));
        assert_eq!(table.is_of("44101", "Äänekoski"), None);
        assert_eq!(table.is_of("4410", "Äänekoski"), None);
    }

    #[test]
    fn a_csv_gives_the_same_whatever_else_it_has() {
        let comma = "Postal_Code,locality_fi,since,locality_sv\n00100,Helsinki,1973,Helsingfors\n";
        let semicolon = "\u{feff}locality_fi;postal_code\r\n\"Helsinki\";00100\r\n";
        for (text, swedish) in [(comma, Some(true)), (semicolon, Some(false))] {
            let table = PostalCodes::parse(text.as_bytes()).unwrap();
            assert_eq!(table.is_of("00100", "HELSINKI"), Some(true));
            assert_eq!(table.is_of("00100", "HELSINGFORS"), swedish);
        }
    }

    #[test]
    fn bad_rows_are_told_with_their_lines() {
        let text = pcf("00100", "HELSINKI", "")
            + "PONOT\r\n"
            + &pcf("0010X", "A", "")
            + &pcf("00120", "", "");
        let text = text.replace("HKI", "   ").replace("HFORS", "     ");
        assert_eq!(
            bad(&latin1(&text)),
            [
                "line 2 is no row of 220 characters that begins with `PONOT`",
                "line 3 has no postal code of five digits",
                "line 4 has no locality",
            ]
        );
        assert_eq!(
            bad(b"postal_code,locality_fi\n00100,Helsinki\n100,Helsinki\n00120\n\xff,b\n"),
            [
                "line 3 has no postal code of five digits",
                "line 4 is not UTF-8, or has more or fewer fields than the header",
                "line 5 is not UTF-8, or has more or fewer fields than the header",
            ]
        );
        let header = "line 1 does not have the columns `postal_code` and `locality_fi`";
        assert_eq!(bad(b"code,name\n"), [header]);
        assert_eq!(bad(b""), [header]);
        assert_eq!(
            bad(b"postal_code,locality_fi\n"),
            ["line 1 is followed by no postal code"]
        );
    }

    #[test]
    fn a_file_that_is_no_table_is_not_told_line_by_line() {
        let text = format!("postal_code,locality_fi\n{}", "x,y\n".repeat(1_000));
        assert_eq!(bad(text.as_bytes()).len(), MAX_BAD_ROWS);
    }
}
