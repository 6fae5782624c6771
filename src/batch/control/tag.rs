use std::ops::Range;

/// A start tag: where its parts stand in the text that holds it.
#[derive(Debug, Default)]
pub(super) struct Tag {
    /// With its prefix.
    pub(super) name: Range<usize>,
    /// The name without its prefix.
    pub(super) local: Range<usize>,
    pub(super) attributes: Vec<Attribute>,
    /// Whether it is its own end tag.
    pub(super) is_empty: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Attribute {
    /// With its prefix.
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// How far a plain tag reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Behind its `>`.
    pub(super) end: usize,
    pub(super) line_breaks: u32,
}

/// A tag with more attributes is not plain: each is compared with those before it.
const MAX_ATTRIBUTES: usize = 16;

impl Tag {
    /// Reads the start tag whose `<` stands at `start`, if it is plain: names in ASCII, values that
    /// mean what they say, one after another with white space between. `None` where it is anything
    /// else: then it is not refused, but has not been understood here.
    ///
    /// A plain tag is well-formed (XML 1.0, 3.1), and declares no namespace.
    pub(super) fn read_plain(&mut self, text: &str, start: usize) -> Option<Extent> {
        let mut cursor = Cursor {
            bytes: text.as_bytes(),
            at: start + 1,
        };
        self.set_name(cursor.name()?, cursor.bytes);
        // The name behind the prefix is one, too.
        is_of(BEGINS_NAME, *cursor.bytes.get(self.local.start)?).then_some(())?;
        self.attributes.clear();
        let mut line_breaks = 0;
        loop {
            let space = cursor.run(SPACE);
            line_breaks += cursor.line_breaks(&space);
            match cursor.peek()? {
                b'>' => self.is_empty = false,
                b'/' => {
                    cursor.at += 1;
                    self.is_empty = true;
                }
                _ if space.is_empty() => return None,
                _ => {
                    let attribute = cursor.attribute()?;
                    self.add(attribute, cursor.bytes)?;
                    continue;
                }
            }
            let end = cursor.past(b'>')?;
            return Some(Extent { end, line_breaks });
        }
    }

    /// Takes a name that stands there in the text, and parts it from its prefix.
    pub(super) fn set_name(&mut self, name: Range<usize>, text: &[u8]) {
        let full = text.get(name.clone()).unwrap_or_default();
        let colon = full.iter().position(|&byte| byte == b':');
        self.local = name.start + colon.map_or(0, |colon| colon + 1)..name.end;
        self.name = name;
    }

    fn add(&mut self, attribute: Attribute, bytes: &[u8]) -> Option<()> {
        let name = bytes.get(attribute.name.clone())?;
        let is_same = |known: &Attribute| bytes.get(known.name.clone()) == Some(name);
        let is_plain = !name.starts_with(b"xmlns")
            && self.attributes.len() < MAX_ATTRIBUTES
            && !self.attributes.iter().any(is_same);
        is_plain.then(|| self.attributes.push(attribute))
    }
}

struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Where it goes on behind that byte, which must stand here.
    fn past(&mut self, byte: u8) -> Option<usize> {
        (self.peek()? == byte).then(|| {
            self.at += 1;
            self.at
        })
    }

    /// The bytes of a class that stand here.
    fn run(&mut self, class: u8) -> Range<usize> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let length = rest.iter().position(|&byte| !is_of(class, byte));
        self.at += length.unwrap_or(rest.len());
        start..self.at
    }

    fn name(&mut self) -> Option<Range<usize>> {
        is_of(BEGINS_NAME, self.peek()?).then(|| self.run(IN_NAME))
    }

    fn attribute(&mut self) -> Option<Attribute> {
        let name = self.name()?;
        self.past(b'=')?;
        let (quote, class) = match self.peek()? {
            b'"' => (b'"', IN_DOUBLE_QUOTES),
            b'\'' => (b'\'', IN_SINGLE_QUOTES),
            _ => return None,
        };
        self.at += 1;
        let value = self.run(class);
        self.past(quote)?;
        Some(Attribute { name, value })
    }

    fn line_breaks(&self, place: &Range<usize>) -> u32 {
        let bytes = self.bytes.get(place.clone()).unwrap_or_default();
        bytes.iter().map(|&byte| u32::from(byte == b'\n')).sum()
    }
}

const BEGINS_NAME: u8 = 1;
const IN_NAME: u8 = 2;
const SPACE: u8 = 4;
const IN_DOUBLE_QUOTES: u8 = 8;
const IN_SINGLE_QUOTES: u8 = 16;

/// The classes of each byte.
static CLASSES: [u8; 256] = classes();

fn is_of(class: u8, byte: u8) -> bool {
    CLASSES
        .get(usize::from(byte))
        .is_some_and(|classes| classes & class != 0)
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut rest: &mut [u8] = &mut table;
    let mut byte = 0;
    while let Some((entry, others)) = rest.split_first_mut() {
        *entry = classes_of(byte);
        byte = byte.wrapping_add(1);
        rest = others;
    }
    table
}

/// In values, what stands for something else is left out, and the first byte of U+F000 to U+FFFF:
/// the last two of these are no characters of XML.
const fn classes_of(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            BEGINS_NAME | IN_NAME | IN_DOUBLE_QUOTES | IN_SINGLE_QUOTES
        }
        b'0'..=b'9' | b':' | b'-' | b'.' => IN_NAME | IN_DOUBLE_QUOTES | IN_SINGLE_QUOTES,
        b' ' => SPACE | IN_DOUBLE_QUOTES | IN_SINGLE_QUOTES,
        b'\t' | b'\n' | b'\r' => SPACE,
        b'"' => IN_SINGLE_QUOTES,
        b'\'' => IN_DOUBLE_QUOTES,
        0..b' ' | b'<' | b'&' | 0xEF => 0,
        _ => IN_DOUBLE_QUOTES | IN_SINGLE_QUOTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a tag that is plain, with its length and line breaks.
    fn read(text: &str) -> Option<String> {
        let mut tag = Tag::default();
        let Extent { end, line_breaks } = tag.read_plain(text, 0)?;
        let mut told = text[tag.name.clone()].to_owned();
        for attribute in &tag.attributes {
            let part = |place: &Range<usize>| &text[place.clone()];
            told += &[" ", part(&attribute.name), "=", part(&attribute.value)].concat();
        }
        let kind = if tag.is_empty { "/" } else { "" };
        Some(format!("{told}{kind} {end} {line_breaks}"))
    }

    #[test]
    fn plain_tags_are_read() {
        assert_eq!(read("<a>x").as_deref(), Some("a 3 0"));
        assert_eq!(read("<p:a-1\n/>").as_deref(), Some("p:a-1/ 9 1"));
        assert_eq!(
            read("<a b='\"ä >' \r\n c=\"''\" >").as_deref(),
            Some("a b=\"ä > c='' 24 1")
        );
    }

    #[test]
    fn what_is_unusual_is_left_alone() {
        let unusual = [
            "<",
            "<a",
            "<a b='c'",
            "<a b='",
            "</a>",
            "<!--a-->",
            "<?a?>",
            "<1>",
            "<ä>",
            "<:a>",
            "<a:>",
            "<a:1>",
            "<a b>",
            "<a b=c>",
            "<a b = 'c'>",
            "<a b='c'd='e'>",
            "<a b='c' b='d'>",
            "<a / >",
            "<a b='&amp;'>",
            "<a b='<'>",
            "<a b='\n'>",
            "<a b='\u{1}'>",
            "<a b='\u{FFFF}'>",
            "<a xmlns='urn:x'>",
            "<a xmlns:p='urn:x'/>",
        ];
        for text in unusual {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_plain_tag_has_few_attributes() {
        let tag = |count: usize| {
            let attributes: Vec<_> = (0..count).map(|at| format!("a{at}=''")).collect();
            read(&format!("<a {}>", attributes.join(" "))).is_some()
        };
        assert!(tag(MAX_ATTRIBUTES));
        assert!(!tag(MAX_ATTRIBUTES + 1));
    }
}
