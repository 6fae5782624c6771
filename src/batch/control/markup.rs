use std::io::Read;

use quick_xml::{
    Error, NsReader, XmlVersion,
    errors::IllFormedError,
    escape::EscapeError,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use super::Text;
use crate::{
    batch::{Limits, archive::Problem},
    domain::{Code, Finding, Place},
};

/// XML, well-formed to its end or refused with the line.
///
/// quick-xml reads the syntax and expands no entity; what it leaves open is closed here: one root
/// and nothing beside it, every element closed, no DOCTYPE, only characters that XML allows
/// (XML 1.0, 2.2), and limits on depth, attributes and length.
pub(super) struct Markup<R: Read> {
    reader: NsReader<Text<R>>,
    buffer: Vec<u8>,
    place: Place,
    /// The namespaces that the caller knows.
    ours: &'static [&'static str],
    depth: usize,
    max_depth: usize,
    max_attributes: usize,
    has_root: bool,
    has_begun: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Open(Element),
    Close,
    /// Text that is not only white space, and its line.
    Words(u32),
    End,
}

/// A start tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Element {
    /// Without prefix.
    pub(super) name: String,
    pub(super) home: Home,
    /// Names with their prefixes; declarations of namespaces are left out.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) line: u32,
}

/// The namespace of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// One of those that the caller knows.
    Ours,
    /// None at all.
    Nowhere,
    Elsewhere,
}

impl<R: Read> Markup<R> {
    pub(super) fn new(
        source: R,
        place: Place,
        ours: &'static [&'static str],
        limits: &Limits,
    ) -> Self {
        let text = Text::new(source, place.clone(), limits.max_token_bytes);
        let mut reader = NsReader::from_reader(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        Self {
            reader,
            buffer: Vec::new(),
            place,
            ours,
            depth: 0,
            max_depth: limits.max_xml_depth,
            max_attributes: limits.max_xml_attributes,
            has_root: false,
            has_begun: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Piece, Finding> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let piece = self.advance(&mut buffer);
        self.buffer = buffer;
        piece
    }

    fn advance(&mut self, buffer: &mut Vec<u8>) -> Result<Piece, Finding> {
        loop {
            buffer.clear();
            let line = self.reader.get_ref().line();
            self.reader.get_mut().begin_token();
            let event = self.reader.read_event_into(buffer);
            let event = event.map_err(|error| self.refused(line, &error))?;
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            let piece = match event {
                Event::Start(start) => Some(self.open(&start, line)?),
                Event::End(_) => Some(self.close()),
                Event::Text(text) => self.words(&text, line)?,
                Event::CData(data) => self.words(&data, line)?,
                Event::GeneralRef(reference) => self.reference(&reference, line)?,
                Event::Comment(text) => self.aside(&text, line)?,
                Event::PI(instruction) => self.aside(&instruction, line)?,
                Event::Decl(declaration) => {
                    let version = declaration.xml_version();
                    version.map_err(|error| self.refused(line, &error))?;
                    self.require(
                        is_first,
                        line,
                        "an XML declaration stands only at the start",
                    )?
                }
                Event::DocType(_) => return Err(self.doctype(line)),
                Event::Empty(_) | Event::Eof => Some(self.end(line)?),
            };
            if let Some(piece) = piece {
                return Ok(piece);
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: u32) -> Result<Piece, Finding> {
        if self.depth == 0 && self.has_root {
            return Err(self.malformed(line, "a second root element"));
        }
        if self.depth >= self.max_depth {
            return Err(self.malformed(line, "elements are nested too deep"));
        }
        self.has_root = true;
        self.depth += 1;
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let home = match namespace {
            ResolveResult::Bound(namespace) if self.ours.contains(&namespace.0) => Home::Ours,
            ResolveResult::Bound(_) => Home::Elsewhere,
            ResolveResult::Unbound => Home::Nowhere,
            ResolveResult::Unknown(_) => {
                return Err(self.malformed(line, "a prefix is bound to no namespace"));
            }
        };
        let name = name.as_ref().to_owned();
        self.require(is_name(&name), line, "an element's name is not a name")?;
        Ok(Piece::Open(Element {
            attributes: self.attributes(start, line)?,
            name,
            home,
            line,
        }))
    }

    fn attributes(
        &self,
        start: &BytesStart<'_>,
        line: u32,
    ) -> Result<Vec<(String, String)>, Finding> {
        let mut attributes = Vec::new();
        for (at, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|error| self.refused(line, &error.into()))?;
            self.require(
                at < self.max_attributes,
                line,
                "an element has too many attributes",
            )?;
            let name = attribute.key.as_ref();
            let is_plain = is_name(name) && !attribute.value.contains('<');
            self.require(is_plain, line, "an attribute is not well-formed")?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| self.refused(line, &error))?;
            self.require_characters(&value, line)?;
            if attribute.key.as_namespace_binding().is_none() {
                attributes.push((name.to_owned(), value.into_owned()));
            }
        }
        Ok(attributes)
    }

    fn close(&mut self) -> Piece {
        self.depth = self.depth.saturating_sub(1);
        Piece::Close
    }

    fn words(&self, text: &str, line: u32) -> Result<Option<Piece>, Finding> {
        self.require_characters(text, line)?;
        if text.trim_matches(is_space).is_empty() {
            return Ok(None);
        }
        self.require(
            self.depth > 0,
            line,
            "there is text outside the root element",
        )?;
        Ok(Some(Piece::Words(line)))
    }

    fn reference(&self, reference: &BytesRef<'_>, line: u32) -> Result<Option<Piece>, Finding> {
        let character = reference.resolve_char_ref();
        match character.map_err(|error| self.refused(line, &error))? {
            Some(character) => {
                self.require(
                    is_allowed(character),
                    line,
                    "a character that XML does not allow",
                )?;
            }
            None => {
                if !matches!(reference.as_ref(), "amp" | "lt" | "gt" | "apos" | "quot") {
                    return Err(self.doctype(line));
                }
            }
        }
        self.require(
            self.depth > 0,
            line,
            "there is text outside the root element",
        )?;
        Ok(Some(Piece::Words(line)))
    }

    fn aside(&self, text: &str, line: u32) -> Result<Option<Piece>, Finding> {
        self.require_characters(text, line)?;
        Ok(None)
    }

    fn end(&self, line: u32) -> Result<Piece, Finding> {
        self.require(
            self.depth == 0,
            line,
            "it ends before every element is closed",
        )?;
        self.require(self.has_root, line, "it has no root element")?;
        Ok(Piece::End)
    }

    fn require_characters(&self, text: &str, line: u32) -> Result<(), Finding> {
        let allowed = text.chars().all(is_allowed);
        self.require(allowed, line, "a character that XML does not allow")?;
        Ok(())
    }

    fn require(&self, holds: bool, line: u32, otherwise: &str) -> Result<Option<Piece>, Finding> {
        if holds {
            Ok(None)
        } else {
            Err(self.malformed(line, otherwise))
        }
    }

    /// What quick-xml refused. Its own texts repeat names and values, so only the kind is told.
    fn refused(&self, line: u32, error: &Error) -> Finding {
        match error {
            Error::Io(cause) => Problem::inside(cause)
                .cloned()
                .unwrap_or_else(|| self.malformed(line, "it cannot be read")),
            Error::Encoding(_) => {
                let detail = "its bytes are not in the encoding that it declares";
                self.finding(Code::ControlDataEncoding, line, detail)
            }
            Error::Escape(EscapeError::UnrecognizedEntity(..)) => self.doctype(line),
            Error::Escape(_) => self.malformed(line, "a reference is not well-formed"),
            Error::Syntax(_) => self.malformed(line, "a tag, comment or instruction is not closed"),
            Error::IllFormed(cause) => self.malformed(line, ill_formed(cause)),
            Error::InvalidAttr(_) => self.malformed(line, "an attribute is not well-formed"),
            Error::Namespace(_) => self.malformed(line, "a namespace is not well-formed"),
        }
    }

    fn doctype(&self, line: u32) -> Finding {
        let detail = "a DOCTYPE, or an entity that is not XML's own";
        self.finding(Code::ControlDataDoctype, line, detail)
    }

    fn malformed(&self, line: u32, detail: &str) -> Finding {
        self.finding(Code::ControlDataMalformed, line, detail)
    }

    fn finding(&self, code: Code, line: u32, detail: &str) -> Finding {
        Finding::new(code, self.place.clone().on_line(line), detail)
    }
}

fn ill_formed(error: &IllFormedError) -> &'static str {
    match error {
        IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_) => {
            "an end tag does not match its start tag"
        }
        IllFormedError::MissingEndTag(_) => "it ends before every element is closed",
        IllFormedError::DoubleHyphenInComment => "a comment holds `--`",
        IllFormedError::UnclosedReference => "`&` begins no reference",
        IllFormedError::MissingDeclVersion(_)
        | IllFormedError::UnknownVersion
        | IllFormedError::MissingDoctypeName => "the XML declaration is not well-formed",
    }
}

/// `Char` of XML 1.0, 2.2.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}

/// Near enough to `Name` of XML 1.0, 2.3: what is let through has no meaning here.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
    begins
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.' | '·'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(xml: &[u8]) -> Result<Vec<String>, String> {
        let limits = Limits {
            max_xml_depth: 3,
            max_xml_attributes: 2,
            ..Limits::default()
        };
        let mut markup = Markup::new(xml, Place::batch(), &[], &limits);
        let mut names = Vec::new();
        loop {
            match markup.next() {
                Ok(Piece::End) => return Ok(names),
                Ok(Piece::Open(element)) => names.push(element.name),
                Ok(_) => {}
                Err(finding) => {
                    let line = finding.place.line.unwrap_or_default();
                    return Err(format!("{line}: {} ({})", finding.detail, finding.code));
                }
            }
        }
    }

    fn check(xml: &str, expected: &str) {
        assert_eq!(names(xml.as_bytes()).unwrap_err(), expected, "{xml}");
    }

    #[test]
    fn well_formed_xml_is_read_with_any_prefix() {
        let xml = "<?xml version='1.0'?>\n<!-- a --><p:a xmlns:p='urn:x'><p:b c='&amp;&#228;'/>x&lt;</p:a>\n";
        assert_eq!(names(xml.as_bytes()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused_with_its_line() {
        check(
            "<a/>\n<b/>",
            "2: a second root element (control-data-malformed)",
        );
        check(
            "<a>\n<b>",
            "2: it ends before every element is closed (control-data-malformed)",
        );
        check(
            "<a>\n</b>",
            "2: an end tag does not match its start tag (control-data-malformed)",
        );
        check(
            "<a/>\nx",
            "1: there is text outside the root element (control-data-malformed)",
        );
        check(
            "<a/>&amp;",
            "1: there is text outside the root element (control-data-malformed)",
        );
        check("", "1: it has no root element (control-data-malformed)");
        check(
            "<a\n",
            "1: a tag, comment or instruction is not closed (control-data-malformed)",
        );
        check(
            "<a b='1' b='2'/>",
            "1: an attribute is not well-formed (control-data-malformed)",
        );
        check(
            "<a b='<'/>",
            "1: an attribute is not well-formed (control-data-malformed)",
        );
        check(
            "<a b=1/>",
            "1: an attribute is not well-formed (control-data-malformed)",
        );
        check(
            "<p:a/>",
            "1: a prefix is bound to no namespace (control-data-malformed)",
        );
        check(
            "<a><!-- -- --></a>",
            "1: a comment holds `--` (control-data-malformed)",
        );
        check(
            "<a>\n&</a>",
            "2: `&` begins no reference (control-data-malformed)",
        );
        check(
            " <?xml version='1.0'?><a/>",
            "1: an XML declaration stands only at the start (control-data-malformed)",
        );
    }

    #[test]
    fn characters_that_xml_does_not_allow_are_refused_however_they_are_written() {
        let detail = "1: a character that XML does not allow (control-data-malformed)";
        check("<a b='\u{1}'/>", detail);
        check(
            "<a>\u{0}</a>",
            "1: a character that XML does not allow (control-data-malformed)",
        );
        check("<a>&#1;</a>", detail);
        check("<a b='&#xFFFF;'/>", detail);
    }

    #[test]
    fn a_doctype_and_entities_of_its_own_are_refused() {
        let detail = "1: a DOCTYPE, or an entity that is not XML's own (control-data-doctype)";
        check("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", detail);
        check("<a>&b;</a>", detail);
        check("<a b='&c;'/>", detail);
    }

    #[test]
    fn elements_may_be_as_deep_as_the_limit_and_no_deeper() {
        assert!(names(b"<a><a><a/></a></a>").is_ok());
        check(
            "<a><a><a><a/></a></a></a>",
            "1: elements are nested too deep (control-data-malformed)",
        );
    }

    #[test]
    fn an_element_may_have_as_many_attributes_as_the_limit_and_no_more() {
        assert!(names(b"<a b='' c=''/>").is_ok());
        check(
            "<a b='' c='' d=''/>",
            "1: an element has too many attributes (control-data-malformed)",
        );
    }

    #[test]
    fn bytes_in_another_encoding_than_declared_are_refused() {
        assert_eq!(
            names(b"<a>\n<b c='\xE4'/></a>").unwrap_err(),
            "2: its bytes are not in the encoding that it declares (control-data-encoding)"
        );
    }
}
