use std::ops::Range;

use quick_xml::{
    Error, Reader, XmlVersion,
    errors::IllFormedError,
    escape::EscapeError,
    events::{BytesRef, BytesStart, Event},
    name::QName,
};

use super::{Markup, NO_CHARACTER, OUTSIDE, Step, is_allowed, is_space, prefix};
use crate::{
    batch::control::{blocks::Fault, tag::Attribute},
    domain::{Code, Finding},
};

/// What quick-xml made of a token.
enum Unusual {
    Read(Option<Step>),
    /// The block ends within it.
    Cut,
}

impl Markup<'_> {
    /// Reads whatever is no plain tag, and no text.
    pub(super) fn unusual(&mut self) -> Result<Option<Step>, Finding> {
        let text = std::mem::take(&mut self.text);
        let read = self.read_unusual(text.get(self.at..).unwrap_or_default());
        self.text = text;
        match read? {
            (Unusual::Read(step), length) => {
                self.pass(length);
                Ok(step)
            }
            (Unusual::Cut, _) => self.grow().map(|()| None),
        }
    }

    /// Reads the token at the front of the text, whatever it is, and tells its length.
    fn read_unusual(&mut self, text: &str) -> Result<(Unusual, usize), Finding> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().allow_unmatched_ends = true;
        reader.config_mut().check_comments = true;
        let event = reader.read_event();
        let length = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        // Even `<!` may be cut off before what it begins.
        let is_at_end = length >= text.len() || text.len() < 3;
        if is_at_end && !self.is_last && event.as_ref().is_err_and(is_unclosed) {
            return Ok((Unusual::Cut, 0));
        }
        let line = self.line;
        let event = event.map_err(|error| self.refused(line, &error))?;
        self.require_length(length, line)?;
        Ok((Unusual::Read(self.take(&event, line)?), length))
    }

    fn take(&mut self, event: &Event<'_>, line: u32) -> Result<Option<Step>, Finding> {
        match event {
            Event::Start(start) => self.open(start, line).map(Some),
            Event::Empty(start) => {
                self.is_empty = true;
                self.open(start, line).map(Some)
            }
            Event::End(end) => self.close(end.name().as_ref(), line).map(Some),
            Event::Text(text) => self.data(text, line),
            Event::CData(data) => self.data(data, line),
            Event::GeneralRef(reference) => self.reference(reference, line).map(Some),
            Event::Comment(text) => self.aside(text, line),
            Event::PI(instruction) => self.aside(instruction, line),
            Event::Decl(declaration) => {
                let version = declaration.xml_version();
                version.map_err(|error| self.refused(line, &error))?;
                let detail = "an XML declaration stands only at the start";
                self.require(!self.has_begun, line, detail).map(|()| None)
            }
            Event::DocType(_) => Err(self.doctype(line)),
            Event::Eof => self.end().map(Some),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: u32) -> Result<Step, Finding> {
        let is_binding = |name: QName<'_>| name.as_namespace_binding().is_some();
        let mut attributes = start.attributes();
        let mut attributes = attributes.with_checks(false).flatten();
        let declares = attributes.any(|attribute| is_binding(attribute.key));
        let is_second = self.elements.depth() == 0 && self.has_root;
        let is_too_deep = self.elements.depth() >= self.max_depth;
        if declares {
            let opened = self.elements.open_declaring(start);
            opened.map_err(|error| self.refused(line, &error.into()))?;
        } else {
            self.elements.open(start.name().as_ref());
        }
        self.require(!is_second, line, "a second root element")?;
        self.require(!is_too_deep, line, "elements are nested too deep")?;
        self.has_root = true;
        self.copied.clear();
        let name = push(&mut self.copied, start.name().as_ref());
        self.tag.set_name(name, self.copied.as_bytes());
        let prefix = prefix(&self.copied, &self.tag);
        let home = self.elements.home(&self.copied, prefix);
        let home = home.ok_or_else(|| self.malformed(line, "a prefix is bound to no namespace"))?;
        let is_named = is_name(start.local_name().as_ref());
        self.require(is_named, line, "an element's name is not a name")?;
        self.copy_attributes(start, line)?;
        let is_plain = false;
        Ok(Step::Open {
            line,
            home,
            is_plain,
        })
    }

    fn copy_attributes(&mut self, start: &BytesStart<'_>, line: u32) -> Result<(), Finding> {
        self.tag.attributes.clear();
        for (at, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|error| self.refused(line, &error.into()))?;
            let is_few = at < self.max_attributes;
            self.require(is_few, line, "an element has too many attributes")?;
            let name = attribute.key.as_ref();
            let is_plain = is_name(name) && !attribute.value.contains('<');
            self.require(is_plain, line, "an attribute is not well-formed")?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| self.refused(line, &error))?;
            self.require(value.chars().all(is_allowed), line, NO_CHARACTER)?;
            if attribute.key.as_namespace_binding().is_none() {
                let name = push(&mut self.copied, name);
                let value = push(&mut self.copied, &value);
                self.tag.attributes.push(Attribute { name, value });
            }
        }
        Ok(())
    }

    fn close(&mut self, name: &str, line: u32) -> Result<Step, Finding> {
        let is_innermost = self.elements.innermost() == Some(name);
        self.require(is_innermost, line, MISMATCHED)?;
        self.elements.close();
        Ok(Step::Close)
    }

    fn data(&self, text: &str, line: u32) -> Result<Option<Step>, Finding> {
        self.require(text.chars().all(is_allowed), line, NO_CHARACTER)?;
        if text.trim_matches(is_space).is_empty() {
            return Ok(None);
        }
        self.require(self.elements.depth() > 0, line, OUTSIDE)?;
        Ok(Some(Step::Words(line)))
    }

    fn reference(&self, reference: &BytesRef<'_>, line: u32) -> Result<Step, Finding> {
        let character = reference.resolve_char_ref();
        match character.map_err(|error| self.refused(line, &error))? {
            Some(character) => self.require(is_allowed(character), line, NO_CHARACTER)?,
            None => {
                if !matches!(reference.as_ref(), "amp" | "lt" | "gt" | "apos" | "quot") {
                    return Err(self.doctype(line));
                }
            }
        }
        self.require(self.elements.depth() > 0, line, OUTSIDE)?;
        Ok(Step::Words(line))
    }

    fn aside(&self, text: &str, line: u32) -> Result<Option<Step>, Finding> {
        self.require(text.chars().all(is_allowed), line, NO_CHARACTER)?;
        Ok(None)
    }

    /// What quick-xml refused. Its own texts repeat names and values, so only the kind is told.
    fn refused(&self, line: u32, error: &Error) -> Finding {
        match error {
            Error::Io(_) => self.malformed(line, "it cannot be read"),
            Error::Encoding(_) => Fault::NotText.finding(self.place.clone().on_line(line)),
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
}

const MISMATCHED: &str = "an end tag does not match its start tag";

/// Whether more text may turn the error into none.
fn is_unclosed(error: &Error) -> bool {
    let is_reference = |cause: &IllFormedError| matches!(cause, IllFormedError::UnclosedReference);
    match error {
        Error::Syntax(_) => true,
        Error::IllFormed(cause) => is_reference(cause),
        _ => false,
    }
}

fn push(text: &mut String, part: &str) -> Range<usize> {
    let start = text.len();
    text.push_str(part);
    start..text.len()
}

fn ill_formed(error: &IllFormedError) -> &'static str {
    match error {
        IllFormedError::MismatchedEndTag { .. } | IllFormedError::UnmatchedEndTag(_) => MISMATCHED,
        IllFormedError::MissingEndTag(_) => "it ends before every element is closed",
        IllFormedError::DoubleHyphenInComment => "a comment holds `--`",
        IllFormedError::UnclosedReference => "`&` begins no reference",
        IllFormedError::MissingDeclVersion(_)
        | IllFormedError::UnknownVersion
        | IllFormedError::MissingDoctypeName => "the XML declaration is not well-formed",
    }
}

/// Near enough to `Name` of XML 1.0, 2.3: what is let through has no meaning here.
fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | ':'));
    begins
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '-' | '.' | '·'))
}
