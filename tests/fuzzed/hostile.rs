//! Control data and PDFs that are well-formed and mean no good.

use std::fmt::Write as _;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{select, subsequence},
};

const COLUMNS: [&str; 20] = [
    "file",
    "recipient_id",
    "name",
    "address",
    "postal_code",
    "city",
    "start_page",
    "pages",
    "letter_id",
    "additional_name",
    "country",
    "subject",
    "body",
    "service",
    "channel",
    "colour",
    "duplex",
    "postage",
    "matter",
    "attachments",
];

/// Numbers as pages and counts have them, and as nobody means them.
fn number() -> impl Strategy<Value = String> {
    const ODD: &[&str] = &[
        "",
        "0",
        "-1",
        "+1",
        " 2 ",
        "1.5",
        "1e3",
        "0x1",
        "٣",
        "00000000001",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "999999999999999999999999",
    ];
    prop_oneof![
        4 => (1_u32..5).prop_map(|number| number.to_string()),
        1 => any::<u32>().prop_map(|number| number.to_string()),
        2 => select(ODD).prop_map(str::to_owned),
    ]
}

/// Names of files that are there, and of files that are not.
fn file() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "kirjeet.pdf",
        "kirje-1.pdf",
        "kirje-2.pdf",
        "none.pdf",
        "batch.csv",
        "kirjeet.xml",
        "",
        "../kirjeet.pdf",
        "kirjeet.pdf/kirje-1.pdf",
        "./kirje-1.pdf",
        "KIRJE-1.PDF",
        "010190Y900P.pdf",
    ];
    select(NAMES).prop_map(str::to_owned)
}

/// Values of fields: of somebody, of another field, of nothing, and of too much.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &[&str] = &[
        "",
        "Maija Mallikas",
        "010190Y900P",
        "010190y900p",
        "1234567-1",
        "003712345671",
        "N/A",
        "FI",
        "XX",
        "true",
        "yes",
        "2",
        "any",
        "mailbox",
        "verifiable",
        "economy",
        "00100",
        "\u{200B}",
        "\u{85}",
        "a\tb",
        "&",
        "\"",
        ";",
        ",",
        "'",
        "<",
        "|",
    ];
    prop_oneof![
        8 => select(WORDS).prop_map(str::to_owned),
        1 => number(),
        1 => (500_usize..520).prop_map(|length| "ä".repeat(length)),
        1 => (1_usize..260).prop_map(|times| "x|".repeat(times)),
        1 => "\\PC{0,12}",
    ]
}

/// `batch.csv`, its columns in any order, some twice or unknown, its rows now and then too short.
pub(super) fn table() -> impl Strategy<Value = String> {
    let known = subsequence(COLUMNS.as_slice(), 1..=COLUMNS.len());
    let header = (known, vec(word(), 0..2), 0_u8..4).prop_map(|(known, unknown, chance)| {
        let known = known.into_iter().map(str::to_owned);
        let header: Vec<String> = known.chain(unknown).collect();
        if chance == 0 {
            header
        } else {
            with_what_is_needed(header)
        }
    });
    let rows = vec(vec((number(), file(), word()), 24), 0..6);
    (header, rows, select([',', ';'].as_slice()), 0_usize..20).prop_map(
        |(header, rows, comma, slip)| {
            let mut text = line(&header, comma);
            for (at, row) in rows.iter().enumerate() {
                let cells = header
                    .iter()
                    .zip(row)
                    .map(|(column, value)| cell(column, value));
                let missing = usize::from(slip == at);
                let cells: Vec<_> = cells.skip(missing).collect();
                text += &line(&cells, comma);
            }
            text
        },
    )
}

fn with_what_is_needed(mut header: Vec<String>) -> Vec<String> {
    for needed in ["file", "recipient_id"] {
        if !header.iter().any(|name| name == needed) {
            header.push(needed.to_owned());
        }
    }
    header
}

fn cell(column: &str, (number, file, word): &(String, String, String)) -> String {
    match column {
        "file" => file,
        "start_page" | "pages" => number,
        _ => word,
    }
    .clone()
}

fn line(cells: &[String], comma: char) -> String {
    let quoted = cells
        .iter()
        .map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(&comma.to_string()) + "\n"
}

/// A `LetterBundle` of bundles and letters whose elements are repeated, left out and misplaced.
pub(super) fn bundle() -> impl Strategy<Value = String> {
    let piece = || prop_oneof![8 => element(), 1 => strange_element()];
    let letter = vec(piece(), 0..8).prop_map(|inside| {
        let inside = inside.concat();
        format!("<Letter senderLetterId='1'><LetterMeta>{inside}</LetterMeta></Letter>\n")
    });
    let common = vec(piece(), 0..4)
        .prop_map(|inside| format!("<BundleCommon>{}</BundleCommon>", inside.concat()));
    let bundle = (common, vec(letter, 0..6))
        .prop_map(|(common, letters)| format!("<Bundle>{common}{}</Bundle>\n", letters.concat()));
    vec(bundle, 0..3).prop_map(|bundles| {
        let namespace = "urn:itella.com:/schema/ipost/letterbundle/v1x0";
        format!(
            "<LetterBundle xmlns='{namespace}'>{}</LetterBundle>",
            bundles.concat()
        )
    })
}

fn element() -> impl Strategy<Value = String> {
    let location = (number(), number());
    prop_oneof![
        4 => location.prop_map(|(first, pages)| format!("<Location startPage='{first}' pages='{pages}'/>")),
        2 => file().prop_map(|file| format!("<ExternalFile fileName='{file}'/>")),
        1 => word().prop_map(|id| format!("<Recipient SSN='{}'/>", escaped(&id))),
        1 => word().prop_map(|name| format!("<Recipient><Address><Eu1 name='{}'/></Address></Recipient>", escaped(&name))),
        1 => word().prop_map(|text| format!("<LetterDetails><Subject text='{}'/></LetterDetails>", escaped(&text))),
        1 => word().prop_map(|flag| format!("<DeliveryChannelControl denyElectronicOnlyDelivery='{}'/>", escaped(&flag))),
    ]
}

/// Elements that nobody knows; one is named after a person's identity code.
fn strange_element() -> impl Strategy<Value = String> {
    let name = select(["X", "_010190Y900P", "Letter", "Bundle", "LetterMeta"].as_slice());
    (name, 1_usize..70).prop_map(|(name, times)| format!("<{name} {name}='1'/>").repeat(times))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('\'', "&apos;")
}

/// A PDF without cross-references, of objects whose values are put together at random.
pub(super) fn pdf() -> impl Strategy<Value = Vec<u8>> {
    vec(vec(token(), 0..12), 1..10)
        .prop_map(|objects| {
            let mut pdf = String::from("%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n");
            for (number, tokens) in (2..).zip(objects) {
                let value = tokens.concat();
                let _ = writeln!(pdf, "{number} 0 obj<</Type/Page{value}>>endobj");
            }
            pdf + "trailer<</Root 1 0 R>>"
        })
        .prop_map(String::into_bytes)
}

fn token() -> impl Strategy<Value = String> {
    const FIXED: &[&str] = &[
        "/Type/Pages",
        "/Type/Page",
        "/Kids[3 0 R 4 0 R]",
        "/Kids 3 0 R",
        "/Count 2",
        "/Parent 2 0 R",
        "/MediaBox[0 0 595 842]",
        "/MediaBox 5 0 R",
        "/CropBox[",
        "]",
        "<<",
        ">>",
        "/Contents 6 0 R",
        "/Resources<<",
        "/Annots[7 0 R]",
        "/Rotate -90",
        "/Rotate 1e9",
        "/UserUnit 0.0001",
        "/Length 7 0 R",
        ">>stream\nq Q\nendstream",
        "(",
        ")",
        "<41",
        ">",
        "/OCProperties<<",
        "%",
        "/Type/ObjStm/N 2/First 8",
        "null",
        "true",
        "[[[[[[[[",
    ];
    prop_oneof![
        6 => select(FIXED).prop_map(str::to_owned),
        1 => (0_u32..12).prop_map(|number| format!(" {number} 0 R")),
        1 => number().prop_map(|number| format!(" {number} ")),
    ]
}
