use std::{
    collections::HashSet,
    io::{Cursor, Read},
};

use quick_xml::{XmlVersion, events::Event};

use super::*;

mod faults;

/// A ZIP's entries in their order: name and bytes.
type Entries = Vec<(String, Vec<u8>)>;

fn batch(spec: &Spec) -> (Vec<u8>, Summary) {
    let mut out = Cursor::new(Vec::new());
    let summary = write(spec, &mut out, &|_| ()).unwrap();
    (out.into_inner(), summary)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the ZIP was written a moment ago, so there is no stranger to guard against"
)]
fn unpacked(zip: &[u8]) -> Entries {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn entries(spec: &Spec) -> Entries {
    unpacked(&batch(spec).0)
}

fn names(entries: &Entries) -> Vec<&str> {
    entries.iter().map(|(name, _)| name.as_str()).collect()
}

/// The values of an attribute of an element, in their order, after the declared encoding.
fn attributes(xml: &[u8], element: &str, attribute: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == element => {
                let value = tag.try_get_attribute(attribute).unwrap().unwrap();
                let value = value.normalized_value(XmlVersion::Explicit1_0).unwrap();
                found.push(value.into_owned());
            }
            _ => {}
        }
    }
}

fn document(entries: &Entries, name: &str) -> lopdf::Document {
    let (_, bytes) = entries.iter().find(|(entry, _)| entry == name).unwrap();
    lopdf::Document::load_mem(bytes).unwrap()
}

fn few(shape: Shape) -> Spec {
    let letters = if shape == Shape::OneLetter { 1 } else { 7 };
    Spec {
        letters,
        shape,
        ..Spec::default()
    }
}

const SHAPES: [Shape; 5] = [
    Shape::ManyInOne,
    Shape::OneLetter,
    Shape::ManyPairs,
    Shape::Nested,
    Shape::Csv,
];

#[test]
fn the_same_spec_gives_the_same_bytes_in_every_shape() {
    for shape in SHAPES {
        assert_eq!(batch(&few(shape)), batch(&few(shape)), "{shape:?}");
        let other = Spec {
            seed: 2,
            ..few(shape)
        };
        assert_ne!(batch(&few(shape)), batch(&other), "{shape:?}");
    }
}

#[test]
fn the_summary_counts_what_the_recipients_say() {
    for shape in SHAPES {
        let (_, summary) = batch(&few(shape));
        let recipients: Vec<SampleRecipient> = recipients(&few(shape)).collect();
        let pages = recipients.iter().map(|letter| u32::from(letter.pages));
        assert_eq!(summary.pages, pages.sum::<u32>());
        let mailboxes = recipients.iter().filter(|letter| letter.has_mailbox);
        assert_eq!(summary.with_mailbox as usize, mailboxes.count());
        assert_eq!(summary.letters as usize, recipients.len());
    }
}

#[test]
fn progress_is_told_of_each_letter() {
    let told = std::cell::RefCell::new(Vec::new());
    let progress = |done| told.borrow_mut().push(done);
    write(&few(Shape::Csv), &mut Cursor::new(Vec::new()), &progress).unwrap();
    assert_eq!(told.into_inner(), (1..=7).collect::<Vec<_>>());
}

#[test]
fn the_control_data_of_one_file_covers_its_pages_without_gap_or_overlap() {
    // More than one stretch of letters, and more than one node of the page tree.
    let spec = Spec {
        letters: 300,
        ..Spec::default()
    };
    let (zip, summary) = batch(&spec);
    let entries = unpacked(&zip);
    assert_eq!(names(&entries), ["kirjeet.pdf", "kirjeet.xml"]);
    assert_eq!(summary.pdf_bytes, entries[0].1.len() as u64);
    let starts = attributes(&entries[1].1, "Location", "startPage");
    let pages = attributes(&entries[1].1, "Location", "pages");
    let mut next_page = 1;
    for (start, pages) in starts.iter().zip(&pages) {
        assert_eq!(start.parse(), Ok(next_page));
        next_page += pages.parse::<usize>().unwrap();
    }
    assert_eq!(starts.len(), 300);
    let in_pdf = document(&entries, "kirjeet.pdf").get_pages().len();
    assert_eq!(in_pdf, next_page - 1);
    assert_eq!(in_pdf, summary.pages as usize);
}

#[test]
fn a_letter_shows_the_recipient_of_its_control_data() {
    let entries = entries(&few(Shape::ManyInOne));
    let pdf = document(&entries, "kirjeet.pdf");
    let xml = &entries[1].1;
    let starts = attributes(xml, "Location", "startPage");
    let letters = attributes(xml, "Eu1", "name");
    for (start, name) in starts.iter().zip(&letters) {
        let text = pdf.extract_text(&[start.parse().unwrap()]).unwrap();
        assert!(text.contains(name), "page {start}");
    }
}

/// Where the lines of a page begin: millimetres from the left and from the top of A4.
fn beginnings(pdf: &lopdf::Document, page: u32) -> Vec<(f32, f32)> {
    let id = pdf.get_pages()[&page];
    let content = lopdf::content::Content::decode(&pdf.get_page_content(id)).unwrap();
    let moves = content.operations.iter().filter(|op| op.operator == "Td");
    moves
        .map(|op| {
            let mm = |index: usize| op.operands[index].as_float().unwrap() * 25.4 / 72.0;
            (mm(0), 297.0 - mm(1))
        })
        .collect()
}

#[test]
fn the_windows_hold_the_address_alone_and_the_margin_is_empty() {
    let spec = few(Shape::Csv);
    let entries = entries(&spec);
    for recipient in recipients(&spec) {
        let pdf = document(&entries, &format!("{}.pdf", recipient.letter_id));
        let lines = beginnings(&pdf, 1);
        let in_window = |(x, y): &&(f32, f32)| *x < 93.0 && (55.0..=85.0).contains(y);
        assert_eq!(lines.iter().filter(in_window).count(), 3);
        let near_window = |(x, y): &&(f32, f32)| *x < 110.0 && (45.0..=95.0).contains(y);
        assert_eq!(lines.iter().filter(near_window).count(), 3);
        for page in 1..=u32::from(recipient.pages) {
            for (x, y) in beginnings(&pdf, page) {
                assert!(x >= 15.0 && (20.0..=285.0).contains(&y), "{x} {y}");
            }
        }
    }
}

#[test]
fn latin1_is_what_it_declares() {
    let spec = |encoding| Spec {
        encoding,
        version: Version::V0x4,
        ..few(Shape::ManyInOne)
    };
    let utf8 = entries(&spec(Encoding::Utf8)).pop().unwrap().1;
    let latin1 = entries(&spec(Encoding::Latin1)).pop().unwrap().1;
    assert!(std::str::from_utf8(&latin1).is_err());
    let decoded: String = latin1.iter().map(|&byte| char::from(byte)).collect();
    assert!(decoded.starts_with("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"));
    let redeclared = decoded.replace("ISO-8859-1", "UTF-8");
    assert_eq!(redeclared, String::from_utf8(utf8).unwrap());
}

#[test]
fn a_bundle_of_either_version_reads_like_those_of_real_senders() {
    let spec = Spec {
        letters: 1,
        pages: 2..=2,
        ..Spec::default()
    };
    let xml = String::from_utf8(entries(&spec).pop().unwrap().1).unwrap();
    insta::assert_snapshot!(xml, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <LetterBundle xmlns="urn:itella.com:/schema/ipost/letterbundle/v1x0" schemaVersion="v1x0">
      <Bundle senderBundleId="S-1">
        <BundleCommon isTest="false">
          <Sender companyName="Esimerkkilän kaupunki" contact="Asiakaspalvelu" email="kirjaamo@esimerkkila.example" ovtID="003712345671"/>
          <StdBundleProcessing customerId="000000" password="none" serviceFunction="0" electronicArchiving="T" letterClass="2" envelope="S" paper="0" fileFormat="0" isDuplex="true" departmentClassification="false"/>
          <DeliveryChannelControl denyElectronicCopyDelivery="false" denyElectronicOnlyDelivery="false"/>
          <ExternalFile fileName="kirjeet.pdf" senderFileId="S-1"/>
        </BundleCommon>
        <Letter senderLetterId="L-1-1">
          <LetterMeta>
            <Location startPage="1" pages="2"/>
            <Recipient SSN="250484V949M">
              <Address>
                <Eu1 name="Erik Mörsky" address="Storgatan 13" postalCode="00810" city="Helsinki" countryCode="FI"/>
              </Address>
            </Recipient>
          </LetterMeta>
          <LetterDetails>
            <Subject text="Naapurin kuuleminen rakennuslupa-asiassa"/>
          </LetterDetails>
        </Letter>
      </Bundle>
    </LetterBundle>
    "#);
    let older = Spec {
        version: Version::V0x4,
        is_test: true,
        ..spec
    };
    let xml = String::from_utf8(entries(&older).pop().unwrap().1).unwrap();
    let head: Vec<&str> = xml.lines().skip(1).take(3).collect();
    insta::assert_snapshot!(head.join("\n"), @r#"
    <lb:LetterBundle xmlns:lb="urn:itella-letterbundle-v0x4" schemaVersion="v0x4">
      <lb:Bundle senderBundleId="S-1">
        <lb:BundleCommon isTest="true">
    "#);
}

#[test]
fn pairs_name_each_other() {
    let entries = entries(&few(Shape::ManyPairs));
    assert_eq!(entries.len(), 14);
    for pair in entries.chunks(2) {
        let file = attributes(&pair[1].1, "ExternalFile", "fileName");
        assert_eq!(file, [pair[0].0.clone()]);
        assert_eq!(pair[1].0, pair[0].0.replace(".pdf", ".xml"));
        let pages = attributes(&pair[1].1, "Location", "pages");
        let pdf = lopdf::Document::load_mem(&pair[0].1).unwrap();
        assert_eq!(pages, [pdf.get_pages().len().to_string()]);
    }
}

#[test]
fn nested_zips_hold_at_most_500_letters_each() {
    let spec = Spec {
        letters: 501,
        pages: 1..=1,
        ..few(Shape::Nested)
    };
    let outer = entries(&spec);
    assert_eq!(names(&outer), ["kirjeet_001.zip", "kirjeet_002.zip"]);
    let letters = |zip: &[u8]| {
        let inner = unpacked(zip);
        assert_eq!(
            document(&inner, &inner[0].0).get_pages().len(),
            attributes(&inner[1].1, "Letter", "senderLetterId").len()
        );
        attributes(&inner[1].1, "Location", "startPage")
    };
    assert_eq!(letters(&outer[0].1).len(), 500);
    assert_eq!(letters(&outer[1].1), ["1"]);
}

#[test]
fn each_row_of_the_csv_names_its_pdf() {
    let entries = entries(&few(Shape::Csv));
    let (name, csv) = entries.last().unwrap();
    assert_eq!(name, "batch.csv");
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let columns = reader.headers().unwrap().clone();
    let of = |row: &csv::StringRecord, column: &str| {
        let index = columns.iter().position(|name| name == column).unwrap();
        row[index].to_owned()
    };
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 7);
    for row in &rows {
        let pages = document(&entries, &of(row, "file")).get_pages().len();
        assert_eq!(of(row, "pages"), pages.to_string());
        assert_eq!(of(row, "start_page"), "1");
    }
}

#[test]
fn letter_ids_are_distinct_and_carry_the_seed() {
    let ids: HashSet<String> = recipients(&Spec::default())
        .map(|letter| letter.letter_id)
        .collect();
    assert_eq!(ids.len(), 1_000);
    assert!(ids.contains("L-1-1000"));
}

#[test]
fn who_has_a_mailbox_does_not_depend_on_the_rest_of_the_batch() {
    let mailboxes = |spec: Spec| -> Vec<bool> {
        recipients(&spec)
            .take(100)
            .map(|letter| letter.has_mailbox)
            .collect()
    };
    let other = Spec {
        letters: 100,
        pages: 4..=4,
        ..few(Shape::Csv)
    };
    assert_eq!(mailboxes(Spec::default()), mailboxes(other));
}

fn refusal(spec: &Spec) -> String {
    let refused = write(spec, Cursor::new(Vec::new()), &|_| ());
    refused.unwrap_err().to_string()
}

#[test]
fn a_batch_that_cannot_be_made_is_refused_in_words() {
    let spec = Spec::default;
    let wrong = [
        Spec {
            letters: 0,
            ..spec()
        },
        Spec {
            shape: Shape::OneLetter,
            letters: 2,
            ..spec()
        },
        Spec {
            digital_share: 1.1,
            ..spec()
        },
        Spec {
            digital_share: f64::NAN,
            ..spec()
        },
        Spec {
            pages: 0..=1,
            ..spec()
        },
        Spec {
            letters: 80_001,
            pages: 1..=100,
            ..spec()
        },
        Spec {
            shape: Shape::Csv,
            encoding: Encoding::Latin1,
            ..spec()
        },
    ];
    let said: Vec<String> = wrong.iter().map(refusal).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    a batch needs at least one letter
    a batch of the shape one-letter holds 1 letter, not 2
    the digital share is a fraction from 0 to 1, not 1.1
    the digital share is a fraction from 0 to 1, not NaN
    pages a letter are a range from 1 upwards, such as 1 to 3
    8000100 pages are more than a batch may have (8000000)
    `batch.csv` is always UTF-8; ISO-8859-1 is for `LetterBundle` XML
    ");
}

#[test]
fn the_largest_batches_are_not_refused() {
    let most_letters = Spec {
        letters: 8_000_000,
        pages: 1..=1,
        ..Spec::default()
    };
    assert!(most_letters.check().is_ok());
    let most_pages = Spec {
        letters: 80_000,
        pages: 1..=100,
        ..Spec::default()
    };
    assert!(most_pages.check().is_ok());
}

fn consents(spec: &Spec) -> (u32, Vec<u8>) {
    let since = "2026-01-15T08:00:00Z".parse().unwrap();
    let mut out = Vec::new();
    let rows = write_consents(spec, since, &mut out).unwrap();
    (rows, out)
}

#[test]
fn consents_are_granted_by_those_with_a_mailbox_and_by_no_others() {
    let spec = Spec::default();
    let (rows, csv) = consents(&spec);
    let text = String::from_utf8(csv).unwrap();
    assert_eq!(text.lines().next(), Some("recipient_id,status,since"));
    assert_eq!(text.lines().count(), rows as usize + 1);
    let granted: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_suffix(",granted,2026-01-15T08:00:00Z"))
        .collect();
    let with_mailbox: Vec<String> = recipients(&spec)
        .filter(|recipient| recipient.has_mailbox)
        .filter_map(|recipient| recipient.id.map(|id| id.expose().to_owned()))
        .collect();
    assert_eq!(granted, with_mailbox);
    assert!(text.contains(",withdrawn,"));
}
