use proptest::prelude::*;

use super::{straightforward::Straightforward, *};
use crate::batch::control::blocks::{Decoder, Fault};

fn names(xml: &[u8]) -> Result<Vec<String>, String> {
    let limits = Limits {
        max_xml_depth: 3,
        max_xml_attributes: 2,
        ..Limits::default()
    };
    let (mut blocks, place) = (Decoder::new(xml), Place::batch());
    let mut markup = Markup::new(&mut blocks, &place, &[], &limits);
    let mut names = Vec::new();
    loop {
        match markup.next() {
            Ok(Piece::End) => return Ok(names),
            Ok(Piece::Open(element)) => names.push(element.name.to_owned()),
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
    let xml =
        "<?xml version='1.0'?>\n<!-- a --><p:a xmlns:p='urn:x'><p:b c='&amp;&#228;'/>x&lt;</p:a>\n";
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

const OURS: [&str; 2] = [
    "urn:itella.com:/schema/ipost/letterbundle/v1x0",
    "urn:itella-letterbundle-v0x4",
];

/// Text in blocks that end where they will.
struct Cut<'t> {
    text: &'t str,
    lengths: Vec<usize>,
}

impl Blocks for Cut<'_> {
    fn next(&mut self, _: String) -> Result<Option<String>, Fault> {
        let wanted = self.lengths.pop().unwrap_or(usize::MAX);
        let end = self.text.ceil_char_boundary(wanted.min(self.text.len()));
        let (block, rest) = self.text.split_at(end);
        let is_end = self.text.is_empty();
        self.text = rest;
        Ok((!is_end).then(|| block.to_owned()))
    }
}

/// What a reading gives: pieces, and how it ends.
#[derive(Debug, PartialEq)]
struct Reading {
    pieces: Vec<String>,
    end: Result<(), String>,
}

fn limits() -> Limits {
    Limits {
        max_xml_depth: 5,
        max_xml_attributes: 6,
        ..Limits::default()
    }
}

fn read(blocks: &mut dyn Blocks) -> Reading {
    let (limits, place) = (limits(), Place::batch());
    let mut markup = Markup::new(blocks, &place, &OURS, &limits);
    let mut pieces = Vec::new();
    loop {
        pieces.push(match markup.next() {
            Ok(Piece::Open(element)) => {
                let Element {
                    name, home, line, ..
                } = element;
                let attributes: Vec<_> = element.attributes().collect();
                format!("open {name} {home:?} {line} {attributes:?}")
            }
            Ok(Piece::Close) => "close".to_owned(),
            Ok(Piece::Words(line)) => format!("words {line}"),
            Ok(Piece::End) => {
                return Reading {
                    pieces,
                    end: Ok(()),
                };
            }
            Err(finding) => {
                let line = finding.place.line.unwrap_or_default();
                let end = Err(format!("{line}: {} ({})", finding.detail, finding.code));
                return Reading { pieces, end };
            }
        });
    }
}

fn read_straightforwardly(text: &[u8]) -> Reading {
    let limits = limits();
    let mut straightforward = Straightforward::new(text, &OURS, &limits);
    let mut pieces = Vec::new();
    loop {
        match straightforward.next() {
            Ok(Some(piece)) => pieces.push(piece),
            Ok(None) => {
                return Reading {
                    pieces,
                    end: Ok(()),
                };
            }
            Err(end) => {
                return Reading {
                    pieces,
                    end: Err(end),
                };
            }
        }
    }
}

fn attribute() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec!["b='1'", "c=\"ä >\"", "p:d=''", "b=\"2\"", "e='x y'"]);
    let unusual = prop::sample::select(vec![
        "f='&amp;&#228;'",
        "g = 'a\nb'",
        "h='\u{FEFF}'",
        "i='&j;'",
        "k='\u{FFFE}'",
        "l",
    ]);
    let binding = prop::sample::select(vec![
        "xmlns='urn:itella-letterbundle-v0x4'",
        "xmlns='urn:x'",
        "xmlns=''",
        "xmlns:p='urn:itella.com:/schema/ipost/letterbundle/v1x0'",
        "xmlns:p='urn:x'",
        "xmlns:q='urn:itella-letterbundle-v0x4'",
        "xmlns:p=''",
        "xmlns:xml='urn:x'",
    ]);
    let space = prop::sample::select(vec![" ", "\n  ", "\t"]);
    let attribute = prop_oneof![8 => plain, 1 => unusual, 4 => binding];
    (space, attribute).prop_map(|(space, attribute)| format!("{space}{attribute}"))
}

fn between() -> impl Strategy<Value = String> {
    let usual = prop::sample::select(vec!["", "\n  ", " "]);
    let unusual = prop::sample::select(vec![
        "x",
        "\n x\n",
        "&lt;",
        "&#228;",
        "<!-- a\n -->",
        "<?a b?>",
        "<![CDATA[ <c> ]]>",
        "<![CDATA[\n]]>",
        "<?xml version='1.0'?>",
        "&d;",
        "\u{1}",
        "<!DOCTYPE a>",
        "\u{FEFF}",
    ]);
    prop_oneof![12 => usual, 1 => unusual].prop_map(str::to_owned)
}

fn element() -> impl Strategy<Value = String> {
    let name = || {
        prop::sample::select(vec![
            "a", "Letter", "p:a", "q:Letter", "p:ä", "p:a:b", "_1.-",
        ])
    };
    let attributes = || proptest::collection::vec(attribute(), 0..3).prop_map(|all| all.concat());
    let space = || prop::sample::select(vec!["", "", " ", "\n"]);
    let leaf = (name(), attributes(), space())
        .prop_map(|(name, attributes, space)| format!("<{name}{attributes}{space}/>"));
    leaf.prop_recursive(6, 24, 4, move |inner| {
        let content = proptest::collection::vec((between(), inner), 0..4);
        (name(), attributes(), space(), content, between()).prop_map(
            |(name, attributes, space, content, last)| {
                let content: String = content.into_iter().map(|(a, b)| a + &b).collect();
                format!("<{name}{attributes}{space}>{content}{last}</{name}{space}>")
            },
        )
    })
}

fn document() -> impl Strategy<Value = String> {
    let declaration = prop::sample::select(vec!["", "<?xml version='1.0'?>\n", "\n"]);
    // With a root that binds the prefixes, most documents are well-formed.
    let bound = element().prop_map(|inner| {
        format!(
            "<r xmlns:p='{}' xmlns:q='urn:x'\nxmlns='urn:y'>{inner}</r>",
            OURS[0]
        )
    });
    let root = prop_oneof![3 => bound, 1 => element()];
    (declaration, root, between())
        .prop_map(|(before, root, after)| format!("{before}{root}{after}"))
}

type Change = (prop::sample::Index, usize, &'static str);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let put = prop::sample::select(vec![
        "", "", "<", ">", "/", "&", "'", "\"", "=", " ", "\n", "!", "-", "?", "]", ":", ";", "x",
        "<!--", "-->", "</", "/>", "\u{1}", "ä",
    ]);
    proptest::collection::vec((any::<prop::sample::Index>(), 0..3_usize, put), 0..3)
}

fn changed(mut text: String, changes: &[Change]) -> String {
    for (at, removed, put) in changes {
        let start = text.floor_char_boundary(at.index(text.len() + 1));
        let end = text.ceil_char_boundary((start + removed).min(text.len()));
        text.replace_range(start..end, put);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: ProptestConfig::default().cases.max(2_000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn it_reads_and_refuses_what_a_straightforward_reading_does(
        text in document(), changes in changes(), lengths in proptest::collection::vec(1..40_usize, 0..20),
    ) {
        let text = changed(text, &changes);
        let expected = read_straightforwardly(text.as_bytes());
        prop_assert_eq!(&read(&mut Decoder::new(text.as_bytes())), &expected, "{}", text);
        prop_assert_eq!(&read(&mut Cut { text: &text, lengths }), &expected, "{}", text);
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_where_a_straightforward_reading_does(
        text in document(), at in any::<prop::sample::Index>(), byte in 0x80..=0xFF_u8,
    ) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (reading, expected) = (read(&mut Decoder::new(&bytes[..])), read_straightforwardly(&bytes));
        prop_assert_eq!(reading.pieces, expected.pieces);
        prop_assert_eq!(reading.end.is_ok(), expected.end.is_ok());
    }
}

fn homes(xml: &str) -> Result<Vec<String>, String> {
    let reading = read(&mut Decoder::new(xml.as_bytes()));
    let opened = reading
        .pieces
        .iter()
        .filter_map(|piece| piece.strip_prefix("open "));
    let homes = opened.map(|piece| piece.split(' ').take(2).collect::<Vec<_>>().join(" "));
    reading.end.map(|()| homes.collect())
}

#[test]
fn a_prefix_means_what_the_innermost_element_binds_it_to() {
    let [newer, older] = OURS;
    let xml = format!(
        "<p:a xmlns:p='{newer}'><p:b/><c xmlns:p='urn:x' xmlns='{older}'><p:d/><e/></c><p:f/><g/></p:a>"
    );
    let expected = [
        "a Ours",
        "b Ours",
        "c Ours",
        "d Elsewhere",
        "e Ours",
        "f Ours",
        "g Nowhere",
    ];
    assert_eq!(homes(&xml).unwrap(), expected);
}

#[test]
fn a_namespace_is_bound_until_its_element_ends_and_the_default_one_can_be_taken_back() {
    let [newer, _] = OURS;
    let inner = format!("<r><p:a xmlns:p='{newer}'/><p:b/></r>");
    let unbound = "1: a prefix is bound to no namespace (control-data-malformed)";
    assert_eq!(homes(&inner).unwrap_err(), unbound);
    let empty = format!("<a xmlns='{newer}'><b xmlns=''><c/></b><d/></a>");
    assert_eq!(
        homes(&empty).unwrap(),
        ["a Ours", "b Nowhere", "c Nowhere", "d Ours"]
    );
}

#[test]
fn a_token_may_be_as_long_as_the_limit_and_no_longer() {
    let read = |token: &str, limit: usize| {
        let (limits, place) = (
            Limits {
                max_token_bytes: limit,
                ..Limits::default()
            },
            Place::batch(),
        );
        let xml = format!("<a>{token}</a>");
        let lengths = vec![1; xml.len()];
        let mut blocks = Cut {
            text: &xml,
            lengths,
        };
        let mut markup = Markup::new(&mut blocks, &place, &[], &limits);
        loop {
            match markup.next() {
                Ok(Piece::End) => return None,
                Ok(_) => {}
                Err(finding) => return Some(finding.code),
            }
        }
    };
    for token in [
        "<b c='d' />",
        "<b c='&lt;'/>",
        "<!-- b -->",
        "some words",
        "\n\n\n\n\n\n\n\n",
    ] {
        assert_eq!(read(token, token.len()), None, "{token}");
        let refusal = Some(Code::ControlDataMalformed);
        assert_eq!(read(token, token.len() - 1), refusal, "{token}");
    }
}
