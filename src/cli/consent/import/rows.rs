use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use csv::{ByteRecord, ReaderBuilder};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    cli::{CommandError, consent::moment},
    domain::RecipientId,
    store::{ConsentChange, ConsentStatus},
};

const COLUMNS: [&str; 3] = ["recipient_id", "status", "since"];

/// The rows of a file of consents, one at a time.
pub(super) struct Rows<R> {
    csv: csv::Reader<BufReader<R>>,
    record: ByteRecord,
    /// Where each of [`COLUMNS`] stands.
    columns: [usize; 3],
    extra_columns: u64,
    now: Timestamp,
}

/// A row that cannot be used. Its words are not repeated: they may be somebody's identity code.
#[derive(Debug, Serialize, JsonSchema, PartialEq, Eq)]
pub(super) struct BadRow {
    /// 1-based line of the file.
    pub(super) line: u64,
    pub(super) problem: String,
}

/// Why the file as a whole cannot be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Column(&'static str),
    Csv(csv::Error),
}

impl Unusable {
    pub(super) fn of_file(self, path: &Path) -> CommandError {
        let path = path.display();
        match self {
            Self::Column(name) => CommandError::failed(format!("`{path}` has no column `{name}`"))
                .hint("the first line says `recipient_id,status,since`, in any order"),
            Self::Csv(error) => {
                CommandError::failed(format!("cannot read `{path}`")).caused_by(error.to_string())
            }
        }
    }
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
        let of = |name: &'static str| {
            let found = heading.iter().position(|field| field == name.as_bytes());
            found.ok_or(Unusable::Column(name))
        };
        let [id, status, since] = COLUMNS;
        let columns = [of(id)?, of(status)?, of(since)?];
        let extra_columns = (heading.len() - COLUMNS.len()) as u64;
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
    pub(super) fn next(&mut self) -> Result<Option<Result<ConsentChange, BadRow>>, Unusable> {
        let mut record = std::mem::take(&mut self.record);
        let is_there = self
            .csv
            .read_byte_record(&mut record)
            .map_err(Unusable::Csv)?;
        let row = is_there.then(|| {
            let line = record.position().map_or(0, csv::Position::line);
            self.change(&record)
                .map_err(|problem| BadRow { line, problem })
        });
        self.record = record;
        Ok(row)
    }

    fn change(&self, record: &ByteRecord) -> Result<ConsentChange, String> {
        let [id, status, since] = self.columns.map(|column| field(record, column));
        let recipient: RecipientId = id?.parse().map_err(|error| format!("{error}"))?;
        let status = ConsentStatus::from_word(status?);
        let since = moment(since?).ok_or("`since` is not RFC 3339, nor a date")?;
        if since > self.now {
            return Err("`since` is in the future".to_owned());
        }
        Ok(ConsentChange {
            recipient,
            status: status.ok_or("the status is neither `granted` nor `withdrawn`")?,
            since,
        })
    }
}

fn delimiter(beginning: &[u8]) -> u8 {
    let heading = beginning.split(|&byte| byte == b'\n').next();
    let has = |wanted: u8| heading.is_some_and(|heading| heading.contains(&wanted));
    if has(b';') && !has(b',') { b';' } else { b',' }
}

fn field(record: &ByteRecord, column: usize) -> Result<&str, String> {
    let bytes = record.get(column).unwrap_or_default();
    std::str::from_utf8(bytes).map_err(|_| "a field is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Result<&'static str, BadRow>>, Unusable> {
        let now = "2026-03-01T00:00:00Z".parse().unwrap();
        let mut rows = Rows::open(text.as_bytes(), now)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(row.map(|change| change.status.as_str()));
        }
        Ok(all)
    }

    fn bad(text: &str) -> String {
        let row = rows(text).unwrap().remove(0).unwrap_err();
        assert_eq!(row.line, 2);
        row.problem
    }

    #[test]
    fn columns_may_stand_in_any_order_and_others_beside_them() {
        let text = "note,since,recipient_id,status\nx,2026-01-01,010190-999W,granted\n";
        assert_eq!(rows(text).unwrap(), [Ok("granted")]);
    }

    #[test]
    fn semicolons_and_a_byte_order_mark_are_fine() {
        let text =
            "\u{feff}recipient_id;status;since\n010190-999W;withdrawn;2026-01-01T00:00:00Z\n";
        assert_eq!(rows(text).unwrap(), [Ok("withdrawn")]);
    }

    #[test]
    fn a_bad_row_says_what_is_wrong_and_repeats_nothing() {
        let row = |row: &str| bad(&format!("recipient_id,status,since\n{row}\n"));
        insta::assert_snapshot!(row("010190-9991,granted,2026-01-01"), @"the check character of the identity code does not match");
        insta::assert_snapshot!(row("010190-999W,yes,2026-01-01"), @"the status is neither `granted` nor `withdrawn`");
        insta::assert_snapshot!(row("010190-999W,granted,yesterday"), @"`since` is not RFC 3339, nor a date");
        insta::assert_snapshot!(row("010190-999W,granted,2026-03-02"), @"`since` is in the future");
        insta::assert_snapshot!(row("010190-999W,granted"), @"`since` is not RFC 3339, nor a date");
    }

    #[test]
    fn a_file_without_its_heading_is_refused_and_not_repeated() {
        let error = rows("010190-999W,granted,2026-01-01\n").err().unwrap();
        assert!(matches!(error, Unusable::Column("recipient_id")));
    }
}
