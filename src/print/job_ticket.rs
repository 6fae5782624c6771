use std::io::{self, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{BundleIdentity, BundlePlan, Composed, Error, Mark, OmrSettings, Settings};

const NAMESPACE: &str = "urn:kuori:job-ticket:1";

/// A file of the bundle, as the print house can check it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    pub name: String,
    pub bytes: u64,
    /// SHA-256 in 64 lower-case hexadecimal digits.
    pub sha256: String,
}

/// What a job ticket speaks of.
#[derive(Clone, Copy)]
pub struct JobTicket<'a> {
    pub plan: &'a BundlePlan,
    pub identity: &'a BundleIdentity,
    pub settings: &'a Settings,
    pub composed: &'a Composed,
    pub pdf: &'a FileDigest,
    pub piece_list: &'a FileDigest,
    /// Where the print house wants it.
    pub xjdf: Option<&'a FileDigest>,
}

/// Writes the job ticket (`schemas/job-ticket.xsd`): what the bundle is, how to produce it, and
/// the digests of its PDF and its piece list. Written last, when both stand.
pub fn write_job_ticket<W: Write>(ticket: &JobTicket<'_>, out: W) -> Result<(), Error> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    write_document(&mut xml, ticket).map_err(Error::JobTicket)
}

fn write_document<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
    xml.write_event(Event::Decl(declaration))?;
    let bundle = ticket.identity.bundle.to_string();
    xml.create_element("jobTicket")
        .with_attributes([
            ("xmlns", NAMESPACE),
            ("bundle", &bundle),
            ("test", boolean(ticket.identity.test)),
        ])
        .write_inner_content(|xml| {
            write_parties(xml, ticket.identity)?;
            write_production(xml, ticket)?;
            write_counts(xml, ticket)?;
            write_mark(xml, ticket.settings)?;
            if let Some(omr) = &ticket.settings.marks.omr {
                write_omr(xml, omr)?;
            }
            write_pdf(xml, ticket)?;
            write_file(xml, "pieceList", ticket.piece_list)?;
            match ticket.xjdf {
                Some(xjdf) => write_file(xml, "xjdf", xjdf),
                None => Ok(()),
            }
        })?;
    xml.get_mut().write_all(b"\n")?;
    xml.get_mut().flush()
}

fn write_parties<W: Write>(xml: &mut Writer<W>, identity: &BundleIdentity) -> io::Result<()> {
    write_text(xml, "sender", identity.sender.as_str())?;
    write_text(xml, "printHouse", identity.print_house.as_str())?;
    write_text(xml, "created", &identity.created.to_string())?;
    match identity.due {
        Some(day) => write_text(xml, "due", &day.to_string()),
        None => Ok(()),
    }
}

fn write_production<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let group = &ticket.plan.group;
    let sheet_centigrams = ticket.settings.sheet_centigrams.to_string();
    let mut attributes = vec![
        ("envelope", group.envelope.0.as_str()),
        ("postage", group.postage.as_str()),
        ("destination", group.destination.as_str()),
        ("registered", boolean(group.registered)),
        ("colour", boolean(group.colour)),
        ("duplex", boolean(group.duplex)),
        ("paper", "A4"),
        ("sheetCentigrams", &sheet_centigrams),
    ];
    if let Some(code) = &group.postage_code {
        attributes.push(("postageCode", &code.0));
    }
    write_empty(xml, "production", &attributes)
}

fn write_counts<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    write_empty(
        xml,
        "counts",
        &[
            ("pieces", &ticket.plan.pieces.len().to_string()),
            ("pages", &ticket.composed.pages.to_string()),
            ("sheets", &ticket.composed.sheets.to_string()),
            ("weightGrams", &ticket.plan.weight_grams().to_string()),
        ],
    )
}

fn write_mark<W: Write>(xml: &mut Writer<W>, settings: &Settings) -> io::Result<()> {
    let marks = &settings.marks;
    write_empty(
        xml,
        "mark",
        &[
            ("symbology", "DataMatrix ECC 200"),
            ("digits", &Mark::DIGITS.to_string()),
            ("xMm", &marks.x_mm.to_string()),
            ("yMm", &marks.y_mm.to_string()),
            ("moduleMm", &marks.module_mm.to_string()),
        ],
    )
}

fn write_omr<W: Write>(xml: &mut Writer<W>, omr: &OmrSettings) -> io::Result<()> {
    let element = xml.create_element("omr").with_attributes([
        ("xMm", omr.x_mm.to_string().as_str()),
        ("yMm", &omr.y_mm.to_string()),
        ("lengthMm", &omr.length_mm.to_string()),
        ("thicknessMm", &omr.thickness_mm.to_string()),
        ("pitchMm", &omr.pitch_mm.to_string()),
        ("sequenceFrom", &omr.sequence.first().to_string()),
        ("parity", omr.parity.as_str()),
    ]);
    let written = element.write_inner_content(|xml| {
        let mut lines = omr.lines.iter();
        lines.try_for_each(|line| write_text(xml, "line", line.as_str()))
    });
    written.map(|_| ())
}

/// Why no conformance to PDF/X-4, and so none to PDF/VT-1, is claimed: senders' colours are left as
/// they are, and an output intent would shift them.
const WITHOUT_OUTPUT_INTENT: &str = "without-output-intent";

fn write_pdf<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let bytes = ticket.pdf.bytes.to_string();
    let mut attributes = vec![
        ("name", ticket.pdf.name.as_str()),
        ("bytes", &bytes),
        ("sha256", &ticket.pdf.sha256),
        ("version", ticket.settings.pdf_version.as_str()),
        ("conformance", "none"),
        ("conformanceReason", WITHOUT_OUTPUT_INTENT),
    ];
    if ticket.settings.document_parts {
        attributes.push(("pdfVt", "structure"));
    }
    write_empty(xml, "pdf", &attributes)
}

fn write_file<W: Write>(xml: &mut Writer<W>, kind: &str, file: &FileDigest) -> io::Result<()> {
    write_empty(
        xml,
        kind,
        &[
            ("name", &file.name),
            ("bytes", &file.bytes.to_string()),
            ("sha256", &file.sha256),
        ],
    )
}

fn write_text<W: Write>(xml: &mut Writer<W>, name: &str, text: &str) -> io::Result<()> {
    let element = xml.create_element(name);
    element.write_text_content(BytesText::new(text)).map(|_| ())
}

pub(super) fn write_empty<W: Write>(
    xml: &mut Writer<W>,
    name: &str,
    attributes: &[(&str, &str)],
) -> io::Result<()> {
    let element = xml.create_element(name);
    let element = element.with_attributes(attributes.iter().copied());
    element.write_empty().map(|_| ())
}

fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}
