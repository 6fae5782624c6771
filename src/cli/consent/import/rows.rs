use std::io::{BufRead, BufReader, Read};

use csv::{ByteRecord, ReaderBuilder};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::consent::moment,
    domain::{EmailAddress, Language, RecipientId, without_identity_codes},
    store::{ConsentEntry, ConsentStatus, MatterWish, NoticeWish},
};

/// What a file may say of a recipient. The first three must be there.
pub(in crate::cli::consent) const COLUMNS: [&str; 8] = [
    "recipient_id",
    "status",
    "since",
    "source",
    "matter",
    "print_only",
    "email",
    "language",
];
const NEEDED: usize = 3;

/// Characters of a source, and of a matter.
const MAX_CHARS: usize = 200;

/// Stands where an e-mail address is taken back.
pub(in crate::cli::consent) const NOWHERE: &str = "-";

/// The rows of a file of consents, one at a time.
pub(super) struct Rows<R> {
    csv: csv::Reader<BufReader<R>>,
    record: ByteRecord,
    /// Where each of [`COLUMNS`] stands.
    columns: [Option<usize>; 8],
    extra_columns: u64,
    now: Timestamp,
}

/// A row that cannot be used. Its words are not repeated: they may be somebody's identity code.
#[derive(Debug, Serialize, JsonSchema, PartialEq, Eq)]
pub(in crate::cli::consent) struct BadRow {
    /// 1-based line of the file.
    pub(in crate::cli::consent) line: u64,
    pub(in crate::cli::consent) problem: String,
}

/// Why the file as a whole cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Column(&'static str),
    Csv(csv::Error),
}

impl<R: Read> Rows<R> {
    /// Reads the heading. Fields stand between commas or semicolons, whichever the heading has.
    pub(super) fn open(file: R, now: Timestamp) -> Result<Self, Unusable> {
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let delimiter = delimiter(file.fill_buf().map_err(|e| Unusable::Csv(e.into()))?);
        let mut csv = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(file);
        let heading = csv.byte_headers().map_err(Unusable::Csv)?;
        let columns = COLUMNS.map(|name| {
            heading
                .iter()
                .position(|field| field.eq_ignore_ascii_case(name.as_bytes()))
        });
        let mut needed = COLUMNS.into_iter().zip(columns).take(NEEDED);
        if let Some((name, _)) = needed.find(|(_, place)| place.is_none()) {
            return Err(Unusable::Column(name));
        }
        let known = columns.iter().flatten().count();
        let extra_columns = (heading.len() - known) as u64;
        Ok(Self {
            csv,
            record: ByteRecord::new(),
            columns,
            extra_columns,
            now,
        })
    }

    pub(super) fn extra_columns(&self) -> u64 {
        self.extra_columns
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.csv.position().byte()
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Result<ConsentEntry, BadRow>>, csv::Error> {
        let mut record = std::mem::take(&mut self.record);
        let is_there = self.csv.read_byte_record(&mut record)?;
        let row = is_there.then(|| {
            let line = record.position().map_or(0, csv::Position::line);
            self.entry(&record)
                .map_err(|problem| BadRow { line, problem })
        });
        self.record = record;
        Ok(row)
    }

    fn entry(&self, record: &ByteRecord) -> Result<ConsentEntry, String> {
        let fields = self.columns.map(|column| field(record, column));
        let [id, status, since, source, matter, paper, email, language] = fields;
        let recipient: RecipientId = id?.parse().map_err(|error| format!("{error}"))?;
        let said = said(status?, since?, self.now)?;
        let matter = matter_wish(matter?, paper?)?;
        let notice = notice_wish(email?, language?)?;
        if said.is_none() && matter.is_none() && notice.is_none() {
            return Err("the row says nothing of its recipient".to_owned());
        }
        Ok(ConsentEntry {
            recipient,
            said,
            source: given_source(source?)?,
            matter,
            notice,
        })
    }
}

fn said(
    status: &str,
    since: &str,
    now: Timestamp,
) -> Result<Option<(ConsentStatus, Timestamp)>, &'static str> {
    if status.is_empty() && since.is_empty() {
        return Ok(None);
    }
    let since = moment(since).ok_or("`since` is not RFC 3339, nor a date")?;
    if since > now {
        return Err("`since` is in the future");
    }
    let status = ConsentStatus::from_word(&status.to_ascii_lowercase());
    let status = status.ok_or("the status is neither `granted` nor `withdrawn`")?;
    Ok(Some((status, since)))
}

fn matter_wish(matter: &str, print_only: &str) -> Result<Option<MatterWish>, &'static str> {
    if matter.is_empty() && print_only.is_empty() {
        return Ok(None);
    }
    if matter.is_empty() {
        return Err("`print_only` stands without a matter");
    }
    if !is_short_line(matter) {
        return Err("the matter is no line of at most 200 characters");
    }
    let print_only = match print_only.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => true,
        "false" | "no" | "0" => false,
        _ => return Err("`print_only` is neither `true` nor `false`"),
    };
    Ok(Some(MatterWish {
        matter: matter.to_owned(),
        print_only,
    }))
}

fn notice_wish(email: &str, language: &str) -> Result<Option<NoticeWish>, String> {
    let known = |language: &str| {
        let mut all = Language::ALL.into_iter();
        all.find(|known| known.as_str().eq_ignore_ascii_case(language))
            .ok_or("the language is neither `fi`, `sv` nor `en`")
    };
    match (email, language) {
        ("", "") => Ok(None),
        ("", _) => Err("the language stands without an e-mail address".to_owned()),
        (NOWHERE, _) => Ok(Some(NoticeWish {
            address: None,
            language: None,
        })),
        (email, language) => {
            let address: EmailAddress =
                email.parse().map_err(|error| format!("`email` {error}"))?;
            let language = match language {
                "" => None,
                language => Some(known(language)?),
            };
            Ok(Some(NoticeWish {
                address: Some(address),
                language,
            }))
        }
    }
}

/// It is shown to operators: an identity code in it is not kept.
fn given_source(text: &str) -> Result<Option<String>, &'static str> {
    if !is_short_line(text) {
        return Err("the source is no line of at most 200 characters");
    }
    Ok((!text.is_empty()).then(|| without_identity_codes(text).into_owned()))
}

fn is_short_line(text: &str) -> bool {
    text.chars().count() <= MAX_CHARS && !text.chars().any(char::is_control)
}

fn delimiter(beginning: &[u8]) -> u8 {
    let heading = beginning.split(|&byte| byte == b'\n').next();
    let has = |wanted: u8| heading.is_some_and(|heading| heading.contains(&wanted));
    if has(b';') && !has(b',') { b';' } else { b',' }
}

fn field(record: &ByteRecord, column: Option<usize>) -> Result<&str, String> {
    let bytes = column.and_then(|column| record.get(column));
    let text = std::str::from_utf8(bytes.unwrap_or_default());
    text.map_err(|_| "a field is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<Result<ConsentEntry, BadRow>>, Unusable> {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut rows = Rows::open(text.as_bytes(), now)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push(row);
        }
        Ok(all)
    }

    fn statuses(text: &str) -> Vec<&'static str> {
        let rows = entries(text).unwrap().into_iter();
        rows.map(|row| row.unwrap().said.unwrap().0.as_str())
            .collect()
    }

    fn bad(text: &str) -> String {
        let row = entries(text).unwrap().remove(0).unwrap_err();
        assert_eq!(row.line, 2);
        row.problem
    }

    #[test]
    fn columns_may_stand_in_any_order_and_others_beside_them() {
        let text = "note,since,recipient_id,Status\nx,2026-01-01,010190-999W,granted\n";
        assert_eq!(statuses(text), ["granted"]);
    }

    #[test]
    fn semicolons_and_a_byte_order_mark_are_fine() {
        let text =
            "\u{feff}recipient_id;status;since\n010190-999W;withdrawn;2026-01-01T00:00:00Z\n";
        assert_eq!(statuses(text), ["withdrawn"]);
    }

    #[test]
    fn a_bad_row_says_what_is_wrong_and_repeats_nothing() {
        let row = |row: &str| bad(&format!("recipient_id,status,since\n{row}\n"));
        insta::assert_snapshot!(row("010190-9991,granted,2026-01-01"), @"the check character of the identity code does not match");
        insta::assert_snapshot!(row("010190-999W,yes,2026-01-01"), @"the status is neither `granted` nor `withdrawn`");
        insta::assert_snapshot!(row("010190-999W,granted,yesterday"), @"`since` is not RFC 3339, nor a date");
        insta::assert_snapshot!(row("010190-999W,granted,2026-03-02"), @"`since` is in the future");
        insta::assert_snapshot!(row("010190-999W,granted"), @"`since` is not RFC 3339, nor a date");
        insta::assert_snapshot!(row("010190-999W,,"), @"the row says nothing of its recipient");
    }

    #[test]
    fn a_bad_matter_or_address_is_told_without_repeating_it() {
        let row = |row: &str| {
            let heading = "recipient_id,status,since,source,matter,print_only,email,language";
            bad(&format!("{heading}\n010190-999W,,,{row}\n"))
        };
        insta::assert_snapshot!(row(",,true,,"), @"`print_only` stands without a matter");
        insta::assert_snapshot!(row(",school,,,"), @"`print_only` is neither `true` nor `false`");
        insta::assert_snapshot!(row(",,,,fi"), @"the language stands without an e-mail address");
        insta::assert_snapshot!(row(",,,maija@example.fi,de"), @"the language is neither `fi`, `sv` nor `en`");
        insta::assert_snapshot!(row(",,,maija,"), @"`email` is no e-mail address such as `name@example.fi`; a domain beyond ASCII has its `xn--` form");
    }

    #[test]
    fn a_matter_and_a_source_have_two_hundred_characters_at_most() {
        let row = |source: &str, matter: &str| {
            let text = format!(
                "recipient_id,status,since,source,matter,print_only\n010190-999W,,,{source},{matter},no\n"
            );
            entries(&text).unwrap().remove(0).is_ok()
        };
        let (fits, too_long) = ("ä".repeat(200), "ä".repeat(201));
        assert!(row(&fits, &fits));
        assert!(!row(&too_long, &fits));
        assert!(!row(&fits, &too_long));
    }

    #[test]
    fn a_row_may_say_all_there_is_and_its_source_names_nobody() {
        let text = "recipient_id,status,since,source,matter,print_only,email,language\n\
            010190-999W,granted,2026-01-01,from 010190-999W,school,yes,maija@example.fi,SV\n\
            010190-999W,,,,,,-,\n";
        let rows = entries(text).unwrap();
        let full = rows[0].as_ref().unwrap();
        assert_eq!(full.source.as_deref(), Some("from [hidden]"));
        assert!(full.matter.as_ref().unwrap().print_only);
        let notice = full.notice.as_ref().unwrap();
        assert_eq!(notice.language, Some(Language::Swedish));
        let taken_back = rows[1].as_ref().unwrap().notice.as_ref().unwrap();
        assert_eq!(taken_back.address, None);
    }

    #[test]
    fn a_file_without_its_heading_is_refused_and_not_repeated() {
        let error = entries("010190-999W,granted,2026-01-01\n").err().unwrap();
        assert!(matches!(error, Unusable::Column("recipient_id")));
    }
}
