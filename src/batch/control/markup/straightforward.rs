//! The reading that [`Markup`](super::Markup) is compared with: quick-xml's `NsReader` over all of
//! the text, an event at a time, and every check made of every event.

use quick_xml::{
    Error, NsReader, XmlVersion,
    errors::IllFormedError,
    escape::EscapeError,
    events::{BytesRef, BytesStart, Event},
    name::ResolveResult,
};

use crate::batch::{Limits, control::elements::Home};

/// Pieces as text, and refusals with line and code.
pub(super) struct Straightforward<'t> {
    text: &'t [u8],
    reader: NsReader<&'t [u8]>,
    ours: &'static [&'static str],
    depth: usize,
    max_depth: usize,
    max_attributes: usize,
    has_root: bool,
    has_begun: bool,
}

impl<'t> Straightforward<'t> {
    pub(super) fn new(text: &'t [u8], ours: &'static [&'static str], limits: &Limits) -> Self {
        let mut reader = NsReader::from_reader(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        Self {
            text,
            reader,
            ours,
            depth: 0,
            max_depth: limits.max_xml_depth,
            max_attributes: limits.max_xml_attributes,
            has_root: false,
            has_begun: false,
        }
    }

    /// The next piece, or `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<String>, String> {
        loop {
            let line = self.line();
            let event = self.reader.read_event();
            let event = event.map_err(|error| refused(line, &error))?;
            let is_first = !std::mem::replace(&mut self.has_begun, true);
            if let Event::Eof = event {
                return self.end(line).map(|()| None);
            }
            if let Some(piece) = self.piece(&event, is_first, line)? {
                return Ok(Some(piece));
            }
        }
    }

    fn line(&self) -> u32 {
        let passed = usize::try_from(self.reader.buffer_position()).unwrap();
        let passed = self.text.iter().take(passed);
        1 + passed.map(|&byte| u32::from(byte == b'\n')).sum::<u32>()
    }

    fn piece(
        &mut self,
        event: &Event<'_>,
        is_first: bool,
        line: u32,
    ) -> Result<Option<String>, String> {
        match event {
            Event::Start(start) => self.open(start, line).map(Some),
            Event::End(_) => {
                self.depth -= 1;
                Ok(Some("close".to_owned()))
            }
            Event::Text(text) => self.words(text, line),
            Event::CData(data) => self.words(data, line),
            Event::GeneralRef(reference) => self.reference(reference, line),
            Event::Comment(text) => aside(text, line),
            Event::PI(instruction) => aside(instruction, line),
            Event::Decl(declaration) => {
                let version = declaration.xml_version();
                version.map_err(|error| refused(line, &error))?;
                require(
                    is_first,
                    line,
                    "an XML declaration stands only at the start",
                )
            }
            Event::DocType(_) => Err(doctype(line)),
            Event::Empty(_) | Event::Eof => Ok(None),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>, line: u32) -> Result<String, String> {
        if self.depth == 0 && self.has_root {
            return Err(malformed(line, "a second root element"));
        }
        if self.depth >= self.max_depth {
            return Err(malformed(line, "elements are nested too deep"));
        }
        self.has_root = true;
        self.depth += 1;
        let (namespace, name) = self.reader.resolver().resolve_element(start.name());
        let home = match namespace {
            ResolveResult::Bound(namespace) if self.ours.contains(&namespace.0) => Home::Ours,
            ResolveResult::Bound(_) => Home::Elsewhere,
            ResolveResult::Unbound => Home::Nowhere,
            ResolveResult::Unknown(_) => {
                return Err(malformed(line, "a prefix is bound to no namespace"));
            }
        };
        let name = name.as_ref().to_owned();
        require(is_name(&name), line, "an element's name is not a name")?;
        let attributes = self.attributes(start, line)?;
        Ok(format!("open {name} {home:?} {line} {attributes:?}"))
    }

    fn attributes(
        &self,
        start: &BytesStart<'_>,
        line: u32,
    ) -> Result<Vec<(String, String)>, String> {
        let mut attributes = Vec::new();
        for (at, attribute) in start.attributes().enumerate() {
            let attribute = attribute.map_err(|error| refused(line, &error.into()))?;
            require(
                at < self.max_attributes,
                line,
                "an element has too many attributes",
            )?;
            let name = attribute.key.as_ref();
            let is_plain = is_name(name) && !attribute.value.contains('<');
            require(is_plain, line, "an attribute is not well-formed")?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0);
            let value = value.map_err(|error| refused(line, &error))?;
            require_characters(&value, line)?;
            if attribute.key.as_namespace_binding().is_none() {
                attributes.push((name.to_owned(), value.into_owned()));
            }
        }
        Ok(attributes)
    }

    fn words(&self, text: &str, line: u32) -> Result<Option<String>, String> {
        require_characters(text, line)?;
        if text.trim_matches(is_space).is_empty() {
            return Ok(None);
        }
        require(
            self.depth > 0,
            line,
            "there is text outside the root element",
        )?;
        Ok(Some(format!("words {line}")))
    }

    fn reference(&self, reference: &BytesRef<'_>, line: u32) -> Result<Option<String>, String> {
        let character = reference.resolve_char_ref();
        match character.map_err(|error| refused(line, &error))? {
            Some(character) => {
                require(
                    is_allowed(character),
                    line,
                    "a character that XML does not allow",
                )?;
            }
            None => {
                if !matches!(reference.as_ref(), "amp" | "lt" | "gt" | "apos" | "quot") {
                    return Err(doctype(line));
                }
            }
        }
        require(
            self.depth > 0,
            line,
            "there is text outside the root element",
        )?;
        Ok(Some(format!("words {line}")))
    }

    fn end(&self, line: u32) -> Result<(), String> {
        let detail = "it ends before every element is closed";
        require(self.depth == 0, line, detail)?;
        require(self.has_root, line, "it has no root element")?;
        Ok(())
    }
}

fn aside(text: &str, line: u32) -> Result<Option<String>, String> {
    require_characters(text, line)?;
    Ok(None)
}

fn require_characters(text: &str, line: u32) -> Result<(), String> {
    let allowed = text.chars().all(is_allowed);
    require(allowed, line, "a character that XML does not allow")?;
    Ok(())
}

fn require(holds: bool, line: u32, otherwise: &str) -> Result<Option<String>, String> {
    if holds {
        Ok(None)
    } else {
        Err(malformed(line, otherwise))
    }
}

fn refused(line: u32, error: &Error) -> String {
    match error {
        Error::Io(_) => malformed(line, "it cannot be read"),
        Error::Encoding(_) => format!(
            "{line}: its bytes are not in the encoding that it declares (control-data-encoding)"
        ),
        Error::Escape(EscapeError::UnrecognizedEntity(..)) => doctype(line),
        Error::Escape(_) => malformed(line, "a reference is not well-formed"),
        Error::Syntax(_) => malformed(line, "a tag, comment or instruction is not closed"),
        Error::IllFormed(cause) => malformed(line, ill_formed(cause)),
        Error::InvalidAttr(_) => malformed(line, "an attribute is not well-formed"),
        Error::Namespace(_) => malformed(line, "a namespace is not well-formed"),
    }
}

fn doctype(line: u32) -> String {
    let detail = "a DOCTYPE, or an entity that is not XML's own";
    format!("{line}: {detail} (control-data-doctype)")
}

fn malformed(line: u32, detail: &str) -> String {
    format!("{line}: {detail} (control-data-malformed)")
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
