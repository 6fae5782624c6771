use std::io::{BufRead, BufReader, Read};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    address::postal_address,
    error::Error,
    records::{Fields, Form, Records},
    since::since_of,
};
use crate::{
    domain::{EmailAddress, Language, Matter, PostalAddress, RecipientId, without_identity_codes},
    store::{ConsentEntry, ConsentStatus, MatterWish, NoticeWish},
};

/// What a file may say of a recipient. The first three must be there.
pub const COLUMNS: [&str; 15] = [
    "recipient_id",
    "status",
    "since",
    "source",
    "matter",
    "print_only",
    "email",
    "language",
    "to_name",
    "to_additional_name",
    "to_address",
    "to_postal_code",
    "to_city",
    "to_country",
    "inferred",
];
const NEEDED: usize = 3;

/// Characters of a source.
const MAX_CHARS: usize = 200;

/// Stands where an e-mail address is taken back.
pub const NOWHERE: &str = "-";

/// The rows of a file of consents, one at a time.
pub struct Rows<R> {
    records: Records<BufReader<R>>,
    /// Where each of [`COLUMNS`] stands.
    columns: [Option<usize>; 15],
    /// Fields of the heading.
    width: usize,
    now: Timestamp,
}

/// A row that cannot be used. Its words are not repeated: they may be somebody's identity code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// 1-based line of the file.
    pub line: u64,
    pub problem: String,
}

/// Why a file as a whole, or the rest of it, cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    NoColumn(&'static str),
    ColumnTwice(&'static str),
    /// In the row that begins in this line.
    OpenQuote(u64),
}

impl<R: Read> Rows<R> {
    /// Reads the heading. Fields stand between commas or semicolons, whichever the heading has.
    pub fn open(file: R, now: Timestamp) -> Result<Result<Self, Unusable>, Error> {
        let mut file = BufReader::with_capacity(256 * 1024, file);
        let beginning = file.fill_buf().map_err(Error::Read)?;
        let delimiter = delimiter(beginning);
        if beginning.starts_with(BYTE_ORDER_MARK) {
            file.consume(BYTE_ORDER_MARK.len());
        }
        let mut records = Records::new(file, delimiter);
        let heading = records.next().map_err(Error::Read)?;
        if heading.is_some_and(|heading| heading.form == Form::OpenQuote) {
            return Ok(Err(Unusable::OpenQuote(1)));
        }
        let columns = match columns(records.fields()) {
            Ok(columns) => columns,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let width = records.fields().len();
        Ok(Ok(Self {
            records,
            columns,
            width,
            now,
        }))
    }

    /// Columns of which nothing is known.
    pub fn extra_columns(&self) -> u64 {
        let known = self.columns.iter().flatten().count();
        (self.width - known) as u64
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.records.bytes_read()
    }

    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Row>, Error> {
        let Some(record) = self.records.next().map_err(Error::Read)? else {
            return Ok(None);
        };
        let line = record.line;
        let bad = |problem| Row::Bad(BadRow { line, problem });
        Ok(Some(match record.form {
            Form::Line => match self.entry(self.records.fields()) {
                Ok(entry) => Row::Good(entry),
                Err(problem) => bad(problem),
            },
            // What a field brings along with it would be taken for rows, or rows for a field.
            Form::LinesTo(last) => bad(format!(
                "a quoted field goes on to line {last}; a row is one line, and none of these was read"
            )),
            Form::TooLong => bad("the line is longer than 64 KiB".to_owned()),
            Form::OpenQuote => Row::End(Unusable::OpenQuote(line)),
        }))
    }

    fn entry(&self, record: &Fields) -> Result<ConsentEntry, String> {
        // A delimiter in a field without quotation marks: those behind it stand under other names.
        if record.len() > self.width {
            return Err("the row has more fields than the heading".to_owned());
        }
        let fields = self.columns.map(|column| field(record, column));
        let [
            id,
            status,
            since,
            source,
            matter,
            paper,
            email,
            language,
            to @ ..,
            inferred,
        ] = fields;
        let recipient: RecipientId = id?.parse().map_err(|error| format!("{error}"))?;
        let said = said(status?, since?, self.now)?;
        let is_inferred = inferred_word(inferred?, said)?;
        let [name, more, street, code, city, country] = to;
        let to = postal_address([name?, more?, street?, code?, city?, country?])?;
        let matter = matter_wish(matter?, paper?, to)?;
        let notice = notice_wish(email?, language?)?;
        if said.is_none() && matter.is_none() && notice.is_none() {
            return Err("the row says nothing of its recipient".to_owned());
        }
        Ok(ConsentEntry {
            recipient,
            said,
            is_inferred,
            source: given_source(source?)?,
            matter,
            notice,
        })
    }
}

#[expect(
    clippy::large_enum_variant,
    reason = "there is one at a time, and it is moved into its page at once"
)]
pub(super) enum Row {
    Good(ConsentEntry),
    Bad(BadRow),
    /// No row behind this one can be read.
    End(Unusable),
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

fn columns(heading: &Fields) -> Result<[Option<usize>; 15], Unusable> {
    let places = |name: &'static str| {
        let fields = heading.iter().enumerate();
        let named = fields.filter(move |(_, field)| field.eq_ignore_ascii_case(name.as_bytes()));
        named.map(|(place, _)| place)
    };
    let columns = COLUMNS.map(|name| places(name).next());
    let mut needed = COLUMNS.into_iter().zip(columns).take(NEEDED);
    if let Some((name, _)) = needed.find(|(_, place)| place.is_none()) {
        return Err(Unusable::NoColumn(name));
    }
    let twice = COLUMNS
        .into_iter()
        .find(|name| places(name).nth(1).is_some());
    twice.map_or(Ok(columns), |name| Err(Unusable::ColumnTwice(name)))
}

fn said(
    status: &str,
    since: &str,
    now: Timestamp,
) -> Result<Option<(ConsentStatus, Timestamp)>, &'static str> {
    if status.is_empty() && since.is_empty() {
        return Ok(None);
    }
    let since = since_of(since, now)?;
    let status = ConsentStatus::from_word(&status.to_ascii_lowercase());
    let status = status.ok_or("the status is neither `granted` nor `withdrawn`")?;
    Ok(Some((status, since)))
}

/// Only a withdrawal may be one that nobody said.
fn inferred_word(
    text: &str,
    said: Option<(ConsentStatus, Timestamp)>,
) -> Result<bool, &'static str> {
    let is_inferred = match text {
        "" => false,
        text => yes_or_no(text).ok_or("`inferred` is neither `true` nor `false`")?,
    };
    let is_withdrawn = said.is_some_and(|(status, _)| status == ConsentStatus::Withdrawn);
    if is_inferred && !is_withdrawn {
        return Err("`inferred` stands without a withdrawal");
    }
    Ok(is_inferred)
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

fn matter_wish(
    matter: &str,
    print_only: &str,
    address: Option<PostalAddress>,
) -> Result<Option<MatterWish>, &'static str> {
    if matter.is_empty() && address.is_some() {
        return Err("the address stands without a matter");
    }
    if matter.is_empty() && print_only.is_empty() {
        return Ok(None);
    }
    if matter.is_empty() {
        return Err("`print_only` stands without a matter");
    }
    let matter: Matter = matter
        .parse()
        .map_err(|_| "the matter is no line of at most 512 characters")?;
    let print_only = yes_or_no(print_only).ok_or("`print_only` is neither `true` nor `false`")?;
    if address.is_some() && !print_only {
        return Err("letters that go to another address go on paper: `print_only` is `true`");
    }
    Ok(Some(MatterWish {
        matter,
        print_only,
        address,
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

fn field(record: &Fields, column: Option<usize>) -> Result<&str, String> {
    let bytes = column.and_then(|column| record.get(column));
    let text = std::str::from_utf8(bytes.unwrap_or_default());
    text.map_err(|_| "a field is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-03-01T00:00:00Z";

    fn entries(text: &str) -> Result<Vec<Result<ConsentEntry, BadRow>>, Unusable> {
        let mut rows = Rows::open(text.as_bytes(), NOW.parse().unwrap()).unwrap()?;
        let mut all = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            all.push(match row {
                Row::Good(entry) => Ok(entry),
                Row::Bad(bad) => Err(bad),
                Row::End(unusable) => return Err(unusable),
            });
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
        insta::assert_snapshot!(row("010190-999W,granted,2026-03-03"), @"`since` is in the future");
        insta::assert_snapshot!(row("010190-999W,granted"), @"`since` is not RFC 3339, nor a date");
        insta::assert_snapshot!(row("010190-999W,granted,2026-01-01,"), @"the row has more fields than the heading");
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
    fn a_withdrawal_alone_can_be_inferred() {
        let heading = "recipient_id,status,since,inferred";
        let row = |row: &str| format!("{heading}\n010190-999W,{row}\n");
        let inferred = |text: &str| {
            let entry = entries(&row(text)).unwrap().remove(0);
            entry.unwrap().is_inferred
        };
        assert!(inferred("withdrawn,2026-01-01,true"));
        assert!(!inferred("withdrawn,2026-01-01,"));
        assert!(!inferred("granted,2026-01-01,no"));
        insta::assert_snapshot!(bad(&row("granted,2026-01-01,true")), @"`inferred` stands without a withdrawal");
        insta::assert_snapshot!(bad(&row("withdrawn,2026-01-01,perhaps")), @"`inferred` is neither `true` nor `false`");
    }

    #[test]
    fn a_source_has_two_hundred_characters_at_most_and_a_matter_what_control_data_takes() {
        let row = |source: &str, matter: &str| {
            let text = format!(
                "recipient_id,status,since,source,matter,print_only\n010190-999W,,,{source},{matter},no\n"
            );
            entries(&text).unwrap().remove(0).is_ok()
        };
        let long = |chars: usize| "ä".repeat(chars);
        assert!(row(&long(200), &long(Matter::MAX_CHARS)));
        assert!(!row(&long(201), "school"));
        assert!(!row("", &long(Matter::MAX_CHARS + 1)));
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
        assert_eq!(error, Unusable::NoColumn("recipient_id"));
    }

    #[test]
    fn a_heading_that_has_a_column_twice_is_refused() {
        let error = entries("recipient_id,status,since,Status\n").err();
        assert_eq!(error, Some(Unusable::ColumnTwice("status")));
    }

    #[test]
    fn what_stands_in_a_quoted_field_is_no_row() {
        let note = "\"see\n010190-900P,granted,2026-01-01\nabove\"";
        let text = format!(
            "recipient_id,status,since,note\n010190-999W,granted,2026-01-01,{note}\n010190-999W,withdrawn,2026-02-01,\n"
        );
        let rows = entries(&text).unwrap();
        assert_eq!(rows.len(), 2);
        insta::assert_snapshot!(rows[0].as_ref().unwrap_err().problem, @"a quoted field goes on to line 4; a row is one line, and none of these was read");
        assert!(rows[1].is_ok());
    }

    #[test]
    fn rows_behind_an_open_quotation_mark_are_not_taken_for_a_note() {
        let text = "recipient_id,status,since,note\n010190-999W,granted,2026-01-01,\"a\n010190-900P,withdrawn,2026-01-01,\n";
        assert_eq!(entries(text).err(), Some(Unusable::OpenQuote(2)));
    }
}
