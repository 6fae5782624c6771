use std::collections::BTreeMap;

use super::*;
use crate::{
    domain::{
        BatchId, BundleId, Code, DocumentName, Letter, MessageId, PageRange, PostageClass,
        PostageCode, PostalAddress, PrintFacts, Private,
    },
    pdf::DigestKey,
};

pub(super) fn letter(position: u32, pages: u32) -> Letter {
    Letter {
        message: MessageId {
            batch: BatchId(7),
            position,
        },
        pages: PageRange {
            document: DocumentName("letters.pdf".to_owned()),
            first: 1,
            count: pages,
        },
        address: PostalAddress {
            name: Some("Maija Mallikas".into()),
            street: Some("Mallikatu 1 A 1".into()),
            postal_code: Some("00100".into()),
            city: Some("Helsinki".into()),
            ..PostalAddress::default()
        },
        recipient: None,
        subject: None,
        postage: PostageClass::Economy,
        registered: false,
        colour: false,
        duplex: true,
        address_page: false,
        shares_envelope: false,
        facts: PrintFacts::default(),
    }
}

pub(super) fn identity() -> BundleIdentity {
    BundleIdentity {
        bundle: BundleId(31),
        sender: "example-city".parse().unwrap(),
        print_house: "example-print".parse().unwrap(),
        created: "2026-03-01T06:12:09Z".parse().unwrap(),
        due: Some("2026-03-03".parse().unwrap()),
        test: false,
        digest_key: DigestKey([7; 32]),
        return_address: vec!["Example City".to_owned(), "PL 1, 00099 HELSINKI".to_owned()],
    }
}

pub(super) fn posted_to(letter: Letter, code: &str, country: &str) -> Letter {
    Letter {
        address: PostalAddress {
            postal_code: Some(Private::new(code.to_owned())),
            country: country.parse().ok(),
            ..letter.address.clone()
        },
        ..letter
    }
}

/// A plan whose bundles are laid out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) bundles: Vec<BundlePlan>,
    /// By position.
    pub(super) refused: BTreeMap<u32, Code>,
}

/// Plans letters, lays each bundle out, and holds the one to the other.
pub(super) fn plan(letters: &[Letter], settings: &Settings) -> Planned {
    plan_by_size(letters, |_| 0, settings)
}

pub(super) fn plan_by_size(
    letters: &[Letter],
    bytes_of: impl Fn(&Letter) -> u64,
    settings: &Settings,
) -> Planned {
    let mut planner = Planner::new(settings);
    let mut refused = BTreeMap::new();
    for letter in letters {
        if let Err(finding) = planner.add(letter, bytes_of(letter)) {
            refused.insert(letter.message.position, finding.code);
        }
    }
    let by_position = letters
        .iter()
        .map(|letter| (letter.message.position, letter));
    let by_position: BTreeMap<_, _> = by_position.collect();
    let bundles = planner.finish().map(|planned| {
        let pieces = planned.letters.chunk_by(|a, b| a.sequence == b.sequence);
        let pieces = pieces.map(|placed| {
            let mut letters = placed
                .iter()
                .map(|placed| by_position[&placed.position].clone());
            Contents {
                letter: letters.next().unwrap(),
                others: letters.collect(),
            }
        });
        let bundle = lay_out(pieces.collect(), settings).unwrap();
        assert_eq!(
            (&planned.group, planned.letters),
            (&bundle.group, placed(&bundle))
        );
        bundle
    });
    Planned {
        bundles: bundles.collect(),
        refused,
    }
}

/// Where the letters of a bundle stand by its pieces.
fn placed(bundle: &BundlePlan) -> Vec<PlacedLetter> {
    let mut letters = Vec::new();
    for piece in &bundle.pieces {
        let mut end = piece.first_page + piece.pages;
        let sides = piece.pages / piece.sheets;
        let mut of_piece: Vec<_> = piece.letters_by_page().collect();
        of_piece[0].1 = 0;
        for (letter, page) in of_piece.into_iter().rev() {
            let first_page = piece.first_page + page;
            letters.push(PlacedLetter {
                position: letter.message.position,
                sequence: piece.sequence,
                first_page,
                pages: end - first_page,
                sheets: (end - first_page) / sides,
            });
            end = first_page;
        }
    }
    letters.sort_by_key(|letter| letter.first_page);
    letters
}

/// What a house asks for economy letters at home up to 50 g and 250 g, and abroad up to 50 g.
pub(super) fn postage_table() -> Vec<PostageRule> {
    let rows = [
        (Destination::Domestic, 50, "E-50"),
        (Destination::Domestic, 250, "E-250"),
        (Destination::Foreign, 50, "EX-50"),
    ];
    rows.map(|(destination, max_grams, code)| PostageRule {
        class: PostageClass::Economy,
        destination,
        max_grams,
        code: PostageCode(code.to_owned()),
    })
    .to_vec()
}

#[test]
fn the_piece_list_has_one_row_a_piece_and_names_nobody() {
    let letters = vec![
        letter(12, 3),
        posted_to(letter(3, 1), "=HYPERLINK(\"x\")", "FI"),
    ];
    insta::assert_snapshot!(piece_list(&letters, &Settings::default()), @r#"
    sequence,piece,first_page,pages,sheets,envelope,postage,weight_grams,postal_code,country,colour,duplex,registered,postage_code,messages
    1,B-0007-12,1,4,2,C5,economy,17,00100,FI,false,true,false,,B-0007-12
    2,B-0007-3,5,2,1,C5,economy,12,HYPERLINKx,FI,false,true,false,,B-0007-3
    "#);
}

#[test]
fn the_piece_list_has_the_postage_by_weight_and_all_messages_of_an_envelope() {
    let settings = Settings {
        postage: postage_table(),
        ..Settings::default()
    };
    let letters = [3, 12].map(|position| Letter {
        shares_envelope: true,
        ..letter(position, 3)
    });
    insta::assert_snapshot!(piece_list(&letters, &settings), @r#"
    sequence,piece,first_page,pages,sheets,envelope,postage,weight_grams,postal_code,country,colour,duplex,registered,postage_code,messages
    1,B-0007-3,1,8,4,C5,economy,27,00100,FI,false,true,false,E-50,B-0007-3 B-0007-12
    "#);
}

fn piece_list(letters: &[Letter], settings: &Settings) -> String {
    let mut list = Vec::new();
    write_piece_list(&plan(letters, settings).bundles[0], &mut list).unwrap();
    String::from_utf8(list).unwrap().replace("\r\n", "\n")
}

#[test]
fn the_job_ticket_says_how_to_produce_the_bundle() {
    insta::assert_snapshot!(job_ticket(&Settings::default()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <jobTicket xmlns="urn:kuori:job-ticket:1" bundle="P-0031" test="false">
      <sender>example-city</sender>
      <printHouse>example-print</printHouse>
      <created>2026-03-01T06:12:09Z</created>
      <due>2026-03-03</due>
      <production envelope="C5" postage="economy" destination="domestic" registered="false" colour="false" duplex="true" paper="A4" sheetCentigrams="499"/>
      <counts pieces="2" pages="6" sheets="3" weightGrams="29"/>
      <mark symbology="DataMatrix ECC 200" digits="24" xMm="4" yMm="12" moduleMm="0.5"/>
      <pdf name="P-0031.pdf" bytes="12345" sha256="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" version="1.7" conformance="none" conformanceReason="without-output-intent" pdfVt="structure"/>
      <pieceList name="P-0031.pieces.csv" bytes="222" sha256="bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"/>
    </jobTicket>
    "#);
}

#[test]
fn the_job_ticket_has_the_postage_by_weight() {
    let settings = Settings {
        postage: postage_table(),
        ..Settings::default()
    };
    assert!(job_ticket(&settings).contains(r#" postageCode="E-50"/>"#));
}

#[test]
fn the_job_ticket_has_the_lines_of_a_machine_that_reads_no_data_matrix() {
    let settings = Settings {
        marks: MarkSettings {
            omr: Some(OmrSettings::default()),
            ..MarkSettings::default()
        },
        ..Settings::default()
    };
    let ticket = job_ticket(&settings);
    let (_, omr) = ticket.split_once("<omr").unwrap();
    let (omr, _) = omr.split_once("</omr>").unwrap();
    insta::assert_snapshot!(omr, @r#"
    xMm="4" yMm="98" lengthMm="8" thicknessMm="0.5" pitchMm="4.233" sequenceFrom="0" parity="data">
       <line>start</line>
       <line>end-of-set</line>
       <line>sequence-4</line>
       <line>sequence-2</line>
       <line>sequence-1</line>
       <line>parity</line>
       <line>safety</line>
    "#);
}

#[test]
fn the_job_ticket_says_what_the_pdf_is_and_what_it_does_not_claim_to_be() {
    let pdf = |settings| -> String {
        let ticket = job_ticket(&settings);
        let (_, pdf) = ticket.split_once("<pdf name=\"P-0031.pdf\" ").unwrap();
        let (_, pdf) = pdf.split_once("a\" ").unwrap();
        pdf.split_once("/>").unwrap().0.to_owned()
    };
    let told = [
        pdf(Settings::default()),
        pdf(Settings {
            document_parts: false,
            pdf_version: PdfVersion::Pdf20,
            ..Settings::default()
        }),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    version="1.7" conformance="none" conformanceReason="without-output-intent" pdfVt="structure"
    version="2.0" conformance="none" conformanceReason="without-output-intent"
    "#);
}

#[test]
fn a_ticket_in_xjdf_has_the_file_the_paper_and_the_sheets() {
    let settings = Settings {
        xjdf: true,
        ..Settings::default()
    };
    let xjdf = written(&settings, |ticket, out| write_xjdf(ticket, out).unwrap());
    insta::assert_snapshot!(xjdf, @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <XJDF xmlns="http://www.CIP4.org/JDFSchema_2_0" JobID="P-0031" DescriptiveName="P-0031 of example-city" Types="Interpreting Rendering DigitalPrinting">
      <AuditPool>
        <AuditCreated>
          <Header AgentName="Kuori" AgentVersion="0.1.0" DeviceID="kuori" Time="2026-03-01T06:12:09Z"/>
        </AuditCreated>
      </AuditPool>
      <ResourceSet Name="RunList" Usage="Input">
        <Resource>
          <RunList Pages="0 -1">
            <FileSpec MimeType="application/pdf" URL="P-0031.pdf" FileSize="12345" NPage="6"/>
          </RunList>
        </Resource>
      </ResourceSet>
      <ResourceSet Name="Media" Usage="Input">
        <Resource>
          <AmountPool>
            <PartAmount Amount="3"/>
          </AmountPool>
          <Media MediaType="Paper" MediaUnit="Sheet" Dimension="595.276 841.89" Weight="80.0"/>
        </Resource>
      </ResourceSet>
      <ResourceSet Name="DigitalPrintingParams" Usage="Input">
        <Resource>
          <DigitalPrintingParams Sides="TwoSided"/>
        </Resource>
      </ResourceSet>
      <ResourceSet Name="ColorantControl" Usage="Input">
        <Resource>
          <ColorantControl ProcessColorModel="DeviceGray"/>
        </Resource>
      </ResourceSet>
      <ResourceSet Name="Component" Usage="Output">
        <Resource>
          <AmountPool>
            <PartAmount Amount="3"/>
          </AmountPool>
          <Component/>
        </Resource>
      </ResourceSet>
    </XJDF>
    "#);
    assert!(job_ticket(&settings).contains("<xjdf name=\"P-0031.xjdf\" bytes=\"333\""));
}

fn job_ticket(settings: &Settings) -> String {
    written(settings, |ticket, out| {
        write_job_ticket(ticket, out).unwrap();
    })
}

fn written(settings: &Settings, write: impl Fn(&JobTicket<'_>, &mut Vec<u8>)) -> String {
    let plan = &plan(&[letter(12, 3), letter(3, 1)], settings).bundles[0];
    let file = |name: &str, bytes, digit: &str| FileDigest {
        name: name.to_owned(),
        bytes,
        sha256: digit.repeat(64),
    };
    let xjdf = file("P-0031.xjdf", 333, "c");
    let ticket = JobTicket {
        plan,
        identity: &identity(),
        settings,
        composed: &Composed {
            pages: plan.pages(),
            sheets: plan.sheets(),
            bytes: 12_345,
        },
        pdf: &file("P-0031.pdf", 12_345, "a"),
        piece_list: &file("P-0031.pieces.csv", 222, "b"),
        xjdf: settings.xjdf.then_some(&xjdf),
    };
    let mut xml = Vec::new();
    write(&ticket, &mut xml);
    String::from_utf8(xml).unwrap()
}
