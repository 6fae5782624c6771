#[cfg(test)]
mod straightforward;
#[cfg(test)]
mod tests;
mod unusual;

use std::ops::Range;

use super::{
    blocks::Blocks,
    elements::{Elements, Home},
    tag::{Attribute, Extent, Tag},
};
use crate::{
    batch::Limits,
    domain::{Code, Finding, Place},
};

/// XML, well-formed to its end or refused with the line.
///
/// Nearly all of any control data is plain tags with white space between them: these are read here.
/// quick-xml reads the syntax of everything else, a token at a time, and expands no entity; what it
/// leaves open is closed here: one root and nothing beside it, every element closed, no DOCTYPE,
/// only characters that XML allows (XML 1.0, 2.2), and limits on depth, attributes and length.
pub(super) struct Markup<'b> {
    blocks: &'b mut dyn Blocks,
    /// The block that is being read, with what the one before it had left over.
    text: String,
    /// A block whose text was copied: its memory is used again.
    spare: String,
    /// Where in it the next token begins, and on which line.
    at: usize,
    line: u32,
    /// Whether no block follows.
    is_last: bool,
    elements: Elements,
    /// The start tag read last.
    tag: Tag,
    /// Its text where it was not plain: names, and values that were normalized.
    copied: String,
    /// Whether the innermost element is an empty one that nobody heard of the end of.
    is_empty: bool,
    place: &'b Place,
    max_depth: usize,
    max_attributes: usize,
    max_token_bytes: usize,
    has_root: bool,
    has_begun: bool,
}

#[derive(Debug)]
pub(super) enum Piece<'m> {
    Open(Element<'m>),
    Close,
    /// Text that is not only white space, and its line.
    Words(u32),
    End,
}

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'m> {
    /// Without prefix.
    pub(super) name: &'m str,
    pub(super) home: Home,
    pub(super) line: u32,
    text: &'m str,
    attributes: &'m [Attribute],
}

/// A token that somebody must hear of.
enum Step {
    Open {
        line: u32,
        home: Home,
        is_plain: bool,
    },
    Close,
    Words(u32),
    End,
}

impl<'m> Element<'m> {
    /// Names with their prefixes, and values; declarations of namespaces are left out.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'m str, &'m str)> + use<'m> {
        let text = self.text;
        self.attributes.iter().map(move |attribute| {
            let part = |place: &Range<usize>| text.get(place.clone()).unwrap_or_default();
            (part(&attribute.name), part(&attribute.value))
        })
    }
}

impl<'b> Markup<'b> {
    pub(super) fn new(
        blocks: &'b mut dyn Blocks,
        place: &'b Place,
        ours: &'static [&'static str],
        limits: &Limits,
    ) -> Self {
        Self {
            blocks,
            text: String::new(),
            spare: String::new(),
            at: 0,
            line: 1,
            is_last: false,
            elements: Elements::new(ours),
            tag: Tag::default(),
            copied: String::new(),
            is_empty: false,
            place,
            max_depth: limits.max_xml_depth,
            max_attributes: limits.max_xml_attributes,
            max_token_bytes: limits.max_token_bytes,
            has_root: false,
            has_begun: false,
        }
    }

    pub(super) fn next(&mut self) -> Result<Piece<'_>, Finding> {
        Ok(match self.step()? {
            Step::Open {
                line,
                home,
                is_plain,
            } => Piece::Open(self.element(line, home, is_plain)),
            Step::Close => Piece::Close,
            Step::Words(line) => Piece::Words(line),
            Step::End => Piece::End,
        })
    }

    fn element(&self, line: u32, home: Home, is_plain: bool) -> Element<'_> {
        let text = if is_plain { &self.text } else { &self.copied };
        Element {
            name: text.get(self.tag.local.clone()).unwrap_or_default(),
            home,
            line,
            text,
            attributes: &self.tag.attributes,
        }
    }

    fn step(&mut self) -> Result<Step, Finding> {
        if std::mem::take(&mut self.is_empty) {
            self.elements.close();
            return Ok(Step::Close);
        }
        loop {
            if let Some(step) = self.token()? {
                return Ok(step);
            }
        }
    }

    /// Reads on, by a token or a block.
    fn token(&mut self) -> Result<Option<Step>, Finding> {
        match self.text.as_bytes().get(self.at).copied() {
            Some(b'<') => match self.plain_tag() {
                Some(step) => Ok(Some(step)),
                None => self.unusual(),
            },
            Some(b'&') => self.unusual(),
            Some(_) if self.skip_space() => Ok(None),
            Some(_) => self.words(),
            None if self.is_last => self.end().map(Some),
            None => self.grow().map(|()| None),
        }
    }

    /// A tag that is plain and where it may be; whatever is to be refused is not.
    fn plain_tag(&mut self) -> Option<Step> {
        if self.text.as_bytes().get(self.at + 1) == Some(&b'/') {
            return self.plain_end();
        }
        let Extent { end, line_breaks } = self.tag.read_plain(&self.text, self.at)?;
        let is_held = (self.elements.depth() > 0 || !self.has_root)
            && self.elements.depth() < self.max_depth
            && self.tag.attributes.len() <= self.max_attributes
            && end - self.at <= self.max_token_bytes;
        let name = self.text.get(self.tag.name.clone()).filter(|_| is_held)?;
        let prefix = prefix(&self.text, &self.tag);
        let home = self.elements.home(name, prefix)?;
        self.elements.open(name);
        (self.has_begun, self.has_root) = (true, true);
        self.is_empty = self.tag.is_empty;
        let line = self.line;
        self.at = end;
        self.line = line.saturating_add(line_breaks);
        let is_plain = true;
        Some(Step::Open {
            line,
            home,
            is_plain,
        })
    }

    fn plain_end(&mut self) -> Option<Step> {
        let rest = self.text.get(self.at + 2..)?;
        let rest = rest.strip_prefix(self.elements.innermost()?)?;
        let rest = rest.strip_prefix('>')?;
        self.at = self.text.len() - rest.len();
        self.elements.close();
        Some(Step::Close)
    }

    /// Goes on to a tag, where nothing but white space stands before it.
    fn skip_space(&mut self) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let mut line_breaks = 0;
        let space = rest.iter().position(|&byte| {
            line_breaks += u32::from(byte == b'\n');
            !is_space(char::from(byte))
        });
        let is_held = |length: &usize| *length <= self.max_token_bytes;
        match space.filter(is_held) {
            Some(length) if rest.get(length) == Some(&b'<') => {
                self.at += length;
                self.line = self.line.saturating_add(line_breaks);
                self.has_begun = true;
                true
            }
            _ => false,
        }
    }

    /// Text up to the next tag or reference.
    fn words(&mut self) -> Result<Option<Step>, Finding> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let space = rest.bytes().position(|byte| !is_space(char::from(byte)));
        let space = space.unwrap_or(rest.len());
        let ends = |byte: u8| matches!(byte, b'<' | b'&');
        let words = rest.bytes().skip(space).position(ends);
        let length = match words {
            Some(words) => space + words,
            None if self.is_last => rest.len(),
            None => return self.grow().map(|()| None),
        };
        let line = self.line;
        let words = rest.get(space..length).unwrap_or_default();
        let are_allowed = words.chars().all(is_allowed);
        let is_held = self.elements.depth() > 0;
        let is_blank = words.is_empty();
        self.pass(length);
        self.require_length(length, line)?;
        self.require(are_allowed, line, NO_CHARACTER)?;
        self.require(is_held || is_blank, line, OUTSIDE)?;
        Ok((!is_blank).then_some(Step::Words(line)))
    }

    /// Goes behind a token, and counts its lines.
    fn pass(&mut self, length: usize) {
        let passed = self.text.as_bytes().iter().skip(self.at).take(length);
        let lines: u32 = passed.map(|&byte| u32::from(byte == b'\n')).sum();
        self.line = self.line.saturating_add(lines);
        self.at = self.at.saturating_add(length);
        self.has_begun = true;
    }

    /// Takes the next block behind what is left of this one: little or nothing, since blocks end
    /// behind tags.
    fn grow(&mut self) -> Result<(), Finding> {
        let left = self.text.len().saturating_sub(self.at);
        self.require_length(left, self.line)?;
        self.text.drain(..self.at);
        self.at = 0;
        let spent = if left == 0 {
            &mut self.text
        } else {
            &mut self.spare
        };
        let next = self.blocks.next(std::mem::take(spent));
        let place = || self.place.clone().on_line(self.line);
        match next.map_err(|fault| fault.finding(place()))? {
            Some(block) if left == 0 => self.text = block,
            Some(block) => {
                self.text.push_str(&block);
                self.spare = block;
            }
            None => self.is_last = true,
        }
        Ok(())
    }

    fn end(&self) -> Result<Step, Finding> {
        let detail = "it ends before every element is closed";
        self.require(self.elements.depth() == 0, self.line, detail)?;
        self.require(self.has_root, self.line, "it has no root element")?;
        Ok(Step::End)
    }

    fn require(&self, holds: bool, line: u32, otherwise: &str) -> Result<(), Finding> {
        if holds {
            Ok(())
        } else {
            Err(self.malformed(line, otherwise))
        }
    }

    fn require_length(&self, bytes: usize, line: u32) -> Result<(), Finding> {
        let detail = "a tag, a text or a row is longer than any that control data needs";
        self.require(bytes <= self.max_token_bytes, line, detail)
    }

    fn malformed(&self, line: u32, detail: &str) -> Finding {
        self.finding(Code::ControlDataMalformed, line, detail)
    }

    fn finding(&self, code: Code, line: u32, detail: &str) -> Finding {
        Finding::new(code, self.place.clone().on_line(line), detail)
    }
}

const NO_CHARACTER: &str = "a character that XML does not allow";
const OUTSIDE: &str = "there is text outside the root element";

/// The prefix of a tag's name with its colon, or nothing.
fn prefix<'t>(text: &'t str, tag: &Tag) -> &'t str {
    let prefix = text.get(tag.name.start..tag.local.start);
    prefix.unwrap_or_default()
}

/// `Char` of XML 1.0, 2.2.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r')
}
