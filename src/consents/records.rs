use std::{
    io::{self, BufRead},
    ops::Range,
};

/// Bytes of one record, and so of what a file can take of memory.
const MAX_BYTES: usize = 64 * 1024;

/// Reads a file of comma-separated values record by record (RFC 4180, 2).
pub(super) struct Records<R> {
    file: R,
    delimiter: u8,
    record: Vec<u8>,
    fields: Fields,
    /// Lines that were read.
    lines: u64,
    bytes: u64,
}

/// What is known of a record beside its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// 1-based.
    pub(super) line: u64,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The fields are those of the line.
    Line,
    /// A quoted field goes on to another line, this one.
    LinesTo(u64),
    TooLong,
    /// A quotation mark has no other, and nobody knows where the next record begins.
    OpenQuote,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(file: R, delimiter: u8) -> Self {
        Self {
            file,
            delimiter,
            record: Vec::new(),
            fields: Fields::default(),
            lines: 0,
            bytes: 0,
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes
    }

    /// Of the record that was read last.
    pub(super) fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The next record that has anything in it; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            self.record.clear();
            let Some(is_cut) = self.read_line()? else {
                return Ok(None);
            };
            if !self.record.trim_ascii().is_empty() {
                let line = self.lines;
                let form = self.rest_of(line, is_cut)?;
                return Ok(Some(Record { line, form }));
            }
        }
    }

    /// Reads on to where the record that begins in `line` ends.
    fn rest_of(&mut self, line: u64, mut is_cut: bool) -> io::Result<Form> {
        loop {
            let split = self.fields.split(&self.record, self.delimiter);
            return Ok(match split {
                Ok(()) if is_cut => Form::TooLong,
                Ok(()) if self.lines > line => Form::LinesTo(self.lines),
                Ok(()) => Form::Line,
                Err(OpenQuote) if is_cut => Form::OpenQuote,
                Err(OpenQuote) => match self.read_to_quote()? {
                    Some(cut) => {
                        is_cut = cut;
                        continue;
                    }
                    None => Form::OpenQuote,
                },
            });
        }
    }

    /// Reads lines up to one with a quotation mark, for only there a field can end.
    fn read_to_quote(&mut self) -> io::Result<Option<bool>> {
        loop {
            let before = self.record.len();
            let Some(is_cut) = self.read_line()? else {
                return Ok(None);
            };
            let added = self.record.get(before..).unwrap_or_default();
            if is_cut || added.contains(&b'"') {
                return Ok(Some(is_cut));
            }
        }
    }

    /// Reads one more line into the record. Whether there was no room for all of it; `None` at the end.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        let (mut is_cut, mut is_begun) = (false, false);
        loop {
            let available = match self.file.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                self.lines += u64::from(is_begun);
                return Ok(is_begun.then_some(is_cut));
            }
            is_begun = true;
            let end = available.iter().position(|&byte| byte == b'\n');
            let used = end.map_or(available.len(), |end| end + 1);
            let (part, _) = available.split_at(used);
            let room = MAX_BYTES.saturating_sub(self.record.len());
            is_cut |= part.trim_ascii_end().len() > room;
            let kept = part.get(..room).unwrap_or(part);
            self.record.extend_from_slice(kept);
            self.file.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                self.lines += 1;
                return Ok(Some(is_cut));
            }
        }
    }
}

/// The fields of one record.
#[derive(Default)]
pub(super) struct Fields {
    bytes: Vec<u8>,
    places: Vec<Range<usize>>,
}

struct OpenQuote;

impl Fields {
    /// Without the white space around it.
    pub(super) fn get(&self, index: usize) -> Option<&[u8]> {
        let place = self.places.get(index)?.clone();
        Some(self.bytes.get(place)?.trim_ascii())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.places.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    fn split(&mut self, record: &[u8], delimiter: u8) -> Result<(), OpenQuote> {
        self.bytes.clear();
        self.places.clear();
        let mut rest = Some(record);
        while let Some(record) = rest {
            let begin = self.bytes.len();
            rest = self.take_one(record, delimiter)?;
            self.places.push(begin..self.bytes.len());
        }
        Ok(())
    }

    /// Answers what stands behind the next delimiter.
    fn take_one<'a>(
        &mut self,
        field: &'a [u8],
        delimiter: u8,
    ) -> Result<Option<&'a [u8]>, OpenQuote> {
        let mut rest = field;
        if let Some(quoted) = field.trim_ascii_start().strip_prefix(b"\"") {
            rest = self.take_quoted(quoted)?;
        }
        let end = rest.iter().position(|&byte| byte == delimiter);
        let (plain, behind) = rest.split_at(end.unwrap_or(rest.len()));
        self.bytes.extend_from_slice(plain);
        Ok(end.and(behind.get(1..)))
    }

    /// Answers what stands behind the closing mark.
    fn take_quoted<'a>(&mut self, mut quoted: &'a [u8]) -> Result<&'a [u8], OpenQuote> {
        loop {
            let mark = quoted.iter().position(|&byte| byte == b'"');
            let (text, behind) = quoted.split_at(mark.ok_or(OpenQuote)?);
            self.bytes.extend_from_slice(text);
            match behind.strip_prefix(b"\"\"") {
                Some(more) => {
                    self.bytes.push(b'"');
                    quoted = more;
                }
                None => return Ok(behind.get(1..).unwrap_or_default()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where each record begins, its form, and its fields with `|` between them.
    fn records(text: &str) -> Vec<(u64, Form, String)> {
        let mut records = Records::new(text.as_bytes(), b',');
        let mut found = Vec::new();
        while let Some(Record { line, form }) = records.next().unwrap() {
            let fields: Vec<_> = records.fields().iter().collect();
            let fields = String::from_utf8(fields.join(&b'|')).unwrap();
            found.push((line, form, fields));
        }
        assert_eq!(records.bytes_read(), text.len() as u64);
        found
    }

    fn fields(line: &str) -> String {
        let found = records(line).remove(0);
        assert_eq!(found.1, Form::Line);
        found.2
    }

    #[test]
    fn fields_are_what_stands_between_delimiters_or_quotation_marks() {
        assert_eq!(fields("a, b ,c"), "a|b|c");
        assert_eq!(fields("a,,\r\n"), "a||");
        assert_eq!(fields(r#""a,b", "say ""no""",c"d"#), r#"a,b|say "no"|c"d"#);
        assert_eq!(fields(r#""a"b,c"#), "ab|c");
    }

    #[test]
    fn empty_lines_are_counted_and_passed_over() {
        let lines: Vec<_> = records("ab\r\n\n \nc\n\nd")
            .into_iter()
            .map(|it| it.0)
            .collect();
        assert_eq!(lines, [1, 4, 6]);
        assert!(records("").is_empty());
    }

    #[test]
    fn a_field_that_goes_over_lines_takes_no_line_behind_it() {
        let found = records("a,\"b\n\nc,d\",e\nf\n");
        assert_eq!(found[0].1, Form::LinesTo(3));
        assert_eq!(found[1], (4, Form::Line, "f".to_owned()));
    }

    #[test]
    fn a_quotation_mark_without_its_other_ends_the_file() {
        for text in ["a,\"b\nc\nd", "a,\"b", "a\n\"b\n"] {
            assert_eq!(records(text).last().unwrap().1, Form::OpenQuote, "{text}");
        }
        let long = format!("a,\"b\n{}", "c\n".repeat(MAX_BYTES));
        let mut records = Records::new(long.as_bytes(), b',');
        let record = records.next().unwrap().unwrap();
        assert_eq!((record.line, record.form), (1, Form::OpenQuote));
    }

    #[test]
    fn a_record_has_sixty_four_kibibytes_at_most_and_the_next_one_is_read() {
        let form = |bytes: usize| {
            let found = records(&format!("{}\ny\n", "x".repeat(bytes)));
            assert_eq!(found[1], (2, Form::Line, "y".to_owned()));
            found[0].1
        };
        assert_eq!(form(MAX_BYTES), Form::Line);
        assert_eq!(form(MAX_BYTES + 1), Form::TooLong);
    }
}
