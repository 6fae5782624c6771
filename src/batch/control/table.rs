use std::{collections::HashSet, io::BufRead};

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::{ControlData, Draft, Fields, StatedPages, Text, Unknown, blocks::Blocks};
use crate::{
    batch::{Limits, archive::Problem},
    domain::{ChannelWish, Code, Finding, Place, PostageClass, ServiceKind},
};

/// `batch.csv`: UTF-8, comma or semicolon, RFC 4180, with a header row; one row a message.
pub(super) struct Table<'l> {
    reader: csv::Reader<Text<'l>>,
    /// What each column is; `None` where nobody knows.
    columns: Vec<Option<Column>>,
    row: StringRecord,
    limits: &'l Limits,
    place: &'l Place,
    unknown: Unknown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Column {
    LetterId,
    RecipientId,
    Name,
    Address,
    AdditionalName,
    PostalCode,
    City,
    Country,
    File,
    StartPage,
    Pages,
    Subject,
    Body,
    Service,
    Channel,
    Colour,
    Duplex,
    Postage,
    Matter,
    Attachments,
}

const COLUMNS: [(&str, Column); 20] = [
    ("letter_id", Column::LetterId),
    ("recipient_id", Column::RecipientId),
    ("name", Column::Name),
    ("address", Column::Address),
    ("additional_name", Column::AdditionalName),
    ("postal_code", Column::PostalCode),
    ("city", Column::City),
    ("country", Column::Country),
    ("file", Column::File),
    ("start_page", Column::StartPage),
    ("pages", Column::Pages),
    ("subject", Column::Subject),
    ("body", Column::Body),
    ("service", Column::Service),
    ("channel", Column::Channel),
    ("colour", Column::Colour),
    ("duplex", Column::Duplex),
    ("postage", Column::Postage),
    ("matter", Column::Matter),
    ("attachments", Column::Attachments),
];

/// Between the file names of one `attachments` field: no file name that people use holds it.
const BETWEEN_ATTACHMENTS: char = '|';

impl<'l> Table<'l> {
    /// Reads the header row.
    pub(super) fn open(
        blocks: &'l mut dyn Blocks,
        place: &'l Place,
        limits: &'l Limits,
    ) -> Result<Self, Finding> {
        let mut text = Text::new(blocks, place, limits.max_token_bytes);
        let delimiter = delimiter(&mut text, place)?;
        text.hold_quotes(delimiter);
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .has_headers(false)
            .from_reader(text);
        let mut table = Self {
            reader,
            columns: Vec::new(),
            row: StringRecord::new(),
            limits,
            place,
            unknown: Unknown::default(),
        };
        table.read_header()?;
        Ok(table)
    }

    fn read_header(&mut self) -> Result<(), Finding> {
        if self.read_row()?.is_none() {
            let detail = "it is empty";
            return Err(Finding::new(
                Code::CsvColumnMissing,
                self.place.clone(),
                detail,
            ));
        }
        for name in &self.row {
            let name = name.trim().to_ascii_lowercase();
            let known = COLUMNS.iter().find(|(known, _)| *known == name);
            if known.is_none() {
                self.unknown.column(&name, self.place.clone().on_line(1));
            }
            self.columns.push(known.map(|(_, column)| *column));
        }
        self.check_header()
    }

    fn check_header(&self) -> Result<(), Finding> {
        let refused =
            |code, detail: &str| Err(Finding::new(code, self.place.clone().on_line(1), detail));
        let named: Vec<_> = self.columns.iter().copied().flatten().collect();
        if named.iter().collect::<HashSet<_>>().len() < named.len() {
            return refused(Code::ControlDataMalformed, "two columns have the same name");
        }
        if !named.contains(&Column::File) {
            return refused(Code::CsvColumnMissing, "the column `file` is missing");
        }
        let address = [
            Column::Name,
            Column::Address,
            Column::PostalCode,
            Column::City,
        ];
        let has_address = address.iter().all(|column| named.contains(column));
        if !has_address && !named.contains(&Column::RecipientId) {
            let detail = "neither `recipient_id` nor all of `name`, `address`, `postal_code`, `city` are there";
            return refused(Code::CsvColumnMissing, detail);
        }
        Ok(())
    }

    /// The line on which the next row began, or `None` at the end.
    fn read_row(&mut self) -> Result<Option<u32>, Finding> {
        self.reader.get_mut().begin_token();
        let read = self.reader.read_record(&mut self.row);
        let line_of = |position: Option<&csv::Position>| {
            position.map_or(1, |position| {
                u32::try_from(position.line()).unwrap_or(u32::MAX)
            })
        };
        match read {
            Ok(true) => Ok(Some(line_of(self.row.position()))),
            Ok(false) => Ok(None),
            Err(error) => Err(self.refused(&error, line_of(error.position()))),
        }
    }

    fn refused(&self, error: &csv::Error, line: u32) -> Finding {
        let finding =
            |code, detail: &str| Finding::new(code, self.place.clone().on_line(line), detail);
        match error.kind() {
            ErrorKind::Io(cause) => Problem::inside(cause)
                .cloned()
                .unwrap_or_else(|| finding(Code::ControlDataMalformed, "it cannot be read")),
            ErrorKind::Utf8 { .. } => finding(Code::ControlDataEncoding, "the row is not UTF-8"),
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => finding(
                Code::ControlDataMalformed,
                &format!("the row has {len} fields, the header has {expected_len}"),
            ),
            _ => finding(Code::ControlDataMalformed, "the row is not well-formed"),
        }
    }

    fn draft(&self, line: u32) -> Draft {
        let mut draft = Draft::new(line);
        let mut fields = Fields::new(self.limits, self.place, line);
        let mut pages = (Ok(None), Ok(None));
        for (column, value) in self.columns.iter().zip(&self.row) {
            match column {
                Some(Column::StartPage) => pages.0 = fields.count("start_page", value),
                Some(Column::Pages) => pages.1 = fields.count("pages", value),
                Some(column) => take(*column, value, &mut draft, &mut fields),
                None => {}
            }
        }
        draft.pages = StatedPages::of(pages.0, pages.1, &mut fields);
        draft.finish(fields)
    }
}

impl ControlData for Table<'_> {
    fn next_draft(&mut self) -> Result<Option<Draft>, Finding> {
        let line = self.read_row()?;
        Ok(line.map(|line| self.draft(line)))
    }

    fn remarks(&mut self) -> Vec<Finding> {
        Vec::new()
    }

    fn unknown(&mut self) -> Unknown {
        std::mem::take(&mut self.unknown)
    }

    fn is_test(&self) -> bool {
        false
    }
}

fn take(column: Column, value: &str, draft: &mut Draft, fields: &mut Fields<'_>) {
    let address = &mut draft.address;
    match column {
        Column::LetterId => draft.letter_id = fields.private("letter_id", value),
        Column::RecipientId => draft.recipient = fields.recipient("recipient_id", value),
        Column::Name => address.name = fields.private("name", value),
        Column::Address => address.street = fields.private("address", value),
        Column::AdditionalName => {
            address.additional_name = fields.private("additional_name", value);
        }
        Column::PostalCode => address.postal_code = fields.private("postal_code", value),
        Column::City => address.city = fields.private("city", value),
        Column::Country => address.country = fields.country("country", value),
        Column::File => draft.file = file(value, fields),
        Column::Subject => draft.subject = fields.private("subject", value),
        Column::Body => draft.body = fields.paragraphs("body", value),
        Column::Service => draft.service = service(value, fields),
        Column::Channel => draft.wish = wish(value, fields),
        Column::Colour => draft.colour = fields.flag("colour", value),
        Column::Duplex => draft.duplex = fields.flag("duplex", value),
        Column::Postage => draft.postage = postage(value, fields),
        Column::Matter => draft.matter = fields.line("matter", value),
        Column::Attachments => draft.attachments = attachments(value, fields),
        Column::StartPage | Column::Pages => {}
    }
}

/// A row must name its PDF: `batch.pdf`, the twin of `batch.csv`, could be anybody's.
fn file(value: &str, fields: &mut Fields<'_>) -> Option<String> {
    if value.trim().is_empty() {
        fields.find(Code::ControlDataValue, "`file` is empty");
    }
    fields.line("file", value)
}

fn service(value: &str, fields: &mut Fields<'_>) -> ServiceKind {
    let allowed = [
        ("ordinary", ServiceKind::Ordinary),
        ("verifiable", ServiceKind::Verifiable),
    ];
    fields
        .choice("service", value, &allowed)
        .unwrap_or_default()
}

fn wish(value: &str, fields: &mut Fields<'_>) -> ChannelWish {
    let allowed = [
        ("any", ChannelWish::Any),
        ("mailbox", ChannelWish::MailboxOnly),
        ("print", ChannelWish::PrintOnly),
    ];
    fields
        .choice("channel", value, &allowed)
        .unwrap_or_default()
}

fn postage(value: &str, fields: &mut Fields<'_>) -> Option<PostageClass> {
    let allowed = [
        ("priority", PostageClass::Priority),
        ("economy", PostageClass::Economy),
    ];
    fields.choice("postage", value, &allowed)
}

fn attachments(value: &str, fields: &mut Fields<'_>) -> Vec<String> {
    let all = fields.line("attachments", value).unwrap_or_default();
    let names = all.split(BETWEEN_ATTACHMENTS).map(str::trim);
    names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// What separates the columns: whichever of comma and semicolon the header row has more of.
fn delimiter(text: &mut Text<'_>, place: &Place) -> Result<u8, Finding> {
    let head = text.fill_buf().map_err(|error| {
        Problem::inside(&error).cloned().unwrap_or_else(|| {
            Finding::new(
                Code::ControlDataMalformed,
                place.clone(),
                "it cannot be read",
            )
        })
    })?;
    let header = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let times = |wanted| header.split(|&byte| byte == wanted).count();
    Ok(if times(b';') > times(b',') {
        b';'
    } else {
        b','
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{batch::control::blocks::Decoder, domain::StatedRecipient};

    fn drafts(csv: &[u8]) -> Result<(Vec<Draft>, Vec<Finding>), Finding> {
        let limits = Limits::default();
        let (mut blocks, place) = (Decoder::new(csv), Place::batch());
        let mut table = Table::open(&mut blocks, &place, &limits)?;
        let mut drafts = Vec::new();
        while let Some(draft) = table.next_draft()? {
            drafts.push(draft);
        }
        Ok((drafts, table.unknown().findings()))
    }

    fn refusal(csv: &str) -> String {
        let finding = drafts(csv.as_bytes()).unwrap_err();
        let line = finding.place.line.unwrap_or_default();
        format!("{line}: {} ({})", finding.detail, finding.code)
    }

    #[test]
    fn the_schema_and_the_sender_guide_know_the_same_columns() {
        let schema = include_str!("../../../schemas/batch-csv.csvw.json");
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let columns = schema["tableSchema"]["columns"].as_array().unwrap();
        let described: Vec<_> = columns.iter().map(|column| &column["titles"]).collect();
        assert_eq!(described, COLUMNS.map(|(name, _)| name));

        let guide = include_str!("../../../docs/sender-guide.md");
        let (_, guide) = guide.split_once("### `batch.csv`").unwrap();
        let (guide, _) = guide.split_once("###").unwrap();
        let cells = guide.lines().filter_map(|line| line.strip_prefix("| `"));
        let cells = cells.filter_map(|line| line.split_once("` |"));
        let told: HashSet<_> = cells.flat_map(|(names, _)| names.split("`, `")).collect();
        assert_eq!(told, HashSet::from(COLUMNS.map(|(name, _)| name)));
    }

    #[test]
    fn every_column_is_read() {
        let csv = "letter_id,recipient_id,name,address,additional_name,postal_code,city,country,file,start_page,\
                   pages,subject,body,service,channel,colour,duplex,postage,matter,attachments\n\
                   1,010190Y900P,Maija Mallikas,\"Tie 1, A\",c/o,00100,Helsinki,FI,a.pdf,3,2,Hei,\"a\nb\",verifiable,\
                   any,true,0,economy,daycare,a.pdf | b.pdf\n";
        let (drafts, remarks) = drafts(csv.as_bytes()).unwrap();
        let [draft] = drafts.as_slice() else { panic!() };
        assert_eq!(draft.findings, []);
        assert_eq!(remarks, []);
        assert_eq!((draft.line, draft.file.as_deref()), (2, Some("a.pdf")));
        assert_eq!(draft.pages, StatedPages::Range { first: 3, count: 2 });
        assert_eq!(draft.service, ServiceKind::Verifiable);
        assert_eq!((draft.colour, draft.duplex), (Some(true), Some(false)));
        assert_eq!(draft.postage, Some(PostageClass::Economy));
        assert_eq!(draft.attachments, ["a.pdf", "b.pdf"]);
        assert_eq!(draft.address.street, Some("Tie 1, A".into()));
        assert!(matches!(draft.recipient, StatedRecipient::Valid(_)));
    }

    #[test]
    fn a_spreadsheets_semicolons_and_mark_are_understood() {
        let csv = "\u{FEFF}File;Recipient_ID;shoe size\r\na,b.pdf;010190Y900P;44\r\n";
        let (drafts, remarks) = drafts(csv.as_bytes()).unwrap();
        assert_eq!(drafts[0].file.as_deref(), Some("a,b.pdf"));
        assert_eq!(drafts[0].pages, StatedPages::Whole);
        assert_eq!(remarks[0].detail, "column `shoe size`, once");
    }

    #[test]
    fn a_header_without_what_every_batch_needs_is_refused() {
        assert_eq!(refusal(""), "0: it is empty (csv-column-missing)");
        assert_eq!(
            refusal("recipient_id\n"),
            "1: the column `file` is missing (csv-column-missing)"
        );
        assert_eq!(
            refusal("file,name,address,city\n"),
            "1: neither `recipient_id` nor all of `name`, `address`, `postal_code`, `city` are there (csv-column-missing)"
        );
        assert_eq!(
            refusal("file,file\n"),
            "1: two columns have the same name (control-data-malformed)"
        );
    }

    #[test]
    fn a_row_that_cannot_be_read_refuses_the_file_with_its_line() {
        let row = "file,recipient_id\na.pdf,\n";
        assert_eq!(
            refusal(&format!("{row}a.pdf\n")),
            "3: the row has 1 fields, the header has 2 (control-data-malformed)"
        );
        let latin1 = [row.as_bytes(), b"\xE4.pdf,\n"].concat();
        let finding = drafts(&latin1).unwrap_err();
        assert_eq!(
            (finding.code, finding.place.line),
            (Code::ControlDataEncoding, Some(3))
        );
    }

    #[test]
    fn a_quote_that_would_hide_the_rows_behind_it_refuses_the_file() {
        let table = |rows: &str| format!("file,recipient_id,body\n{rows}");
        let unclosed = "a.pdf,010190Y900P,\"hello\nb.pdf,010190-999W,hello\n";
        assert_eq!(
            refusal(&table(unclosed)),
            "4: a quote is not closed before the end (control-data-malformed)"
        );
        let closed_by_the_next = "a.pdf,,\"hello\nb.pdf,,\"hello\"\nc.pdf,,\n";
        assert_eq!(
            refusal(&table(closed_by_the_next)),
            "3: behind the quote that closes a field stands something else (control-data-malformed)"
        );
        let far_behind = format!("a.pdf,,\"{}\nb.pdf,,\n", "x\n".repeat(300_000));
        assert!(refusal(&table(&far_behind)).contains("not closed"));
        let (drafts, _) =
            drafts(table("a.pdf,,\"5\"\" nails\nand 6\"\" nails\"\n").as_bytes()).unwrap();
        assert_eq!(drafts[0].body, Some("5\" nails\nand 6\" nails".into()));
    }

    #[test]
    fn a_row_with_a_wrong_value_is_a_finding_and_stops_nothing() {
        let csv = "file,recipient_id,channel,start_page\na.pdf,010190Y900A,pigeon,0\nb.pdf,010190Y900P,print,1\n";
        let (drafts, _) = drafts(csv.as_bytes()).unwrap();
        let told: Vec<_> = drafts[0].findings.iter().map(|f| f.code.as_str()).collect();
        let expected = [
            "recipient-id-invalid",
            "control-data-value",
            "control-data-value",
        ];
        assert_eq!(told, expected);
        assert_eq!(drafts[0].pages, StatedPages::Unusable);
        assert_eq!(drafts[1].findings[0].code, Code::PageRangeMissing);
    }

    #[test]
    fn a_row_that_names_no_file_is_told_so() {
        let csv = "file,recipient_id\n ,010190Y900P\nb.pdf,010190Y900P\n";
        let (drafts, _) = drafts(csv.as_bytes()).unwrap();
        let finding = &drafts[0].findings[0];
        assert_eq!(finding.code, Code::ControlDataValue);
        assert_eq!(finding.detail, "`file` is empty");
        assert!(drafts[1].findings.iter().all(|f| !f.is_error()));
    }

    #[test]
    fn an_endless_row_is_refused() {
        let limits = Limits {
            max_token_bytes: 200_000,
            ..Limits::default()
        };
        let csv = format!("file,recipient_id\n\"{}", "x".repeat(1 << 20));
        let (mut blocks, place) = (Decoder::new(csv.as_bytes()), Place::batch());
        let mut table = Table::open(&mut blocks, &place, &limits).unwrap();
        assert_eq!(
            table.next_draft().unwrap_err().code,
            Code::ControlDataMalformed
        );
    }
}
