use std::io::{self, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use super::{BundleIdentity, BundlePlan, Composed, Error, Mark, Settings};

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
            write_file(xml, "pdf", ticket.pdf)?;
            write_file(xml, "pieceList", ticket.piece_list)
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

fn write_empty<W: Write>(
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
