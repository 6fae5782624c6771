use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, BufWriter, IntoInnerError, Write},
};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

/// The namespace of `schemas/receipt.xsd`.
const NAMESPACE: &str = "urn:kuori:receipt:v1";

/// A start tag with its attributes, in the order in which they were given.
pub(super) struct Element(BytesStart<'static>);

impl Element {
    pub(super) fn new(name: &'static str) -> Self {
        Self(BytesStart::new(name))
    }

    /// The document's element, which names the schema.
    pub(super) fn root(name: &'static str) -> Self {
        Self::new(name).with("xmlns", NAMESPACE)
    }

    pub(super) fn with(mut self, key: &'static str, value: impl Display) -> Self {
        let value = value.to_string();
        self.0
            .push_attribute((key, only_xml_characters(&value).as_ref()));
        self
    }

    /// Leaves the attribute out where there is no value.
    pub(super) fn maybe(self, key: &'static str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }
}

/// Writes indented XML 1.0 in UTF-8. It buffers: the XML writer writes a few bytes at a time.
pub(super) struct Xml<W: Write>(Writer<BufWriter<W>>);

impl<W: Write> Xml<W> {
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let mut writer = Writer::new_with_indent(BufWriter::new(out), b' ', 2);
        writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        Ok(Self(writer))
    }

    pub(super) fn open(&mut self, element: &Element) -> io::Result<()> {
        self.0.write_event(Event::Start(element.0.borrow()))
    }

    pub(super) fn close(&mut self, name: &'static str) -> io::Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name)))
    }

    pub(super) fn empty(&mut self, element: &Element) -> io::Result<()> {
        self.0.write_event(Event::Empty(element.0.borrow()))
    }

    pub(super) fn text(&mut self, name: &'static str, text: &str) -> io::Result<()> {
        self.open(&Element::new(name))?;
        self.0
            .write_event(Event::Text(BytesText::new(&only_xml_characters(text))))?;
        self.close(name)
    }

    /// Ends the last line and flushes.
    pub(super) fn finish(self) -> io::Result<W> {
        let mut out = self.0.into_inner();
        out.write_all(b"\n")?;
        out.flush()?;
        out.into_inner().map_err(IntoInnerError::into_error)
    }
}

/// Replaces what XML 1.0 cannot hold even when escaped (section 2.2, `Char`). A file name may
/// hold such characters, and one of them would make the whole receipt unreadable.
fn only_xml_characters(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml_character) {
        return Cow::Borrowed(text);
    }
    let or_replaced = |c| {
        if is_xml_character(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    Cow::Owned(text.chars().map(or_replaced).collect())
}

fn is_xml_character(c: char) -> bool {
    let is_control = c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    !is_control && !matches!(c, '\u{fffe}' | '\u{ffff}')
}
