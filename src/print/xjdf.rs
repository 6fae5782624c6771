use std::io::{self, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, Event},
};

use super::{BundleIdentity, Error, JobTicket, job_ticket::write_empty};

const NAMESPACE: &str = "http://www.CIP4.org/JDFSchema_2_0";
/// A4, width and height in points.
const A4_POINTS: &str = "595.276 841.89";
const A4_SQUARE_METRES: f64 = 0.210 * 0.297;

/// Writes what of a bundle XJDF has words for (CIP4, namespace `JDFSchema_2_0`): the file, the paper,
/// how many sheets, on one side or both, and grey where it is.
///
/// Envelopes, postage and marks are for the job ticket to say: the `InsertingParams` of XJDF speak of
/// sheets that are put into newspapers and books.
pub fn write_xjdf<W: Write>(ticket: &JobTicket<'_>, out: W) -> Result<(), Error> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    write_document(&mut xml, ticket).map_err(Error::Xjdf)
}

fn write_document<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
    xml.write_event(Event::Decl(declaration))?;
    let bundle = ticket.identity.bundle.to_string();
    xml.create_element("XJDF")
        .with_attributes([
            ("xmlns", NAMESPACE),
            ("JobID", bundle.as_str()),
            ("DescriptiveName", title(ticket).as_str()),
            ("Types", "Interpreting Rendering DigitalPrinting"),
        ])
        .write_inner_content(|xml| {
            write_audit(xml, ticket.identity)?;
            write_run_list(xml, ticket)?;
            write_paper(xml, ticket)?;
            write_printing(xml, ticket)?;
            write_sheets(xml, ticket)
        })?;
    xml.get_mut().write_all(b"\n")?;
    xml.get_mut().flush()
}

fn title(ticket: &JobTicket<'_>) -> String {
    let identity = ticket.identity;
    let test = if identity.test {
        "TEST, do not post: "
    } else {
        ""
    };
    format!("{test}{} of {}", identity.bundle, identity.sender)
}

fn write_audit<W: Write>(xml: &mut Writer<W>, identity: &BundleIdentity) -> io::Result<()> {
    let created = identity.created.to_string();
    let header = [
        ("AgentName", "Kuori"),
        ("AgentVersion", env!("CARGO_PKG_VERSION")),
        ("DeviceID", "kuori"),
        ("Time", created.as_str()),
    ];
    nested(xml, "AuditPool", &[], |xml| {
        nested(xml, "AuditCreated", &[], |xml| {
            write_empty(xml, "Header", &header)
        })
    })
}

/// The PDF as a whole: its document parts and the piece list say where pieces begin.
fn write_run_list<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let (bytes, pages) = (
        ticket.pdf.bytes.to_string(),
        ticket.composed.pages.to_string(),
    );
    let file = [
        ("MimeType", "application/pdf"),
        ("URL", ticket.pdf.name.as_str()),
        ("FileSize", bytes.as_str()),
        ("NPage", pages.as_str()),
    ];
    resource(xml, "RunList", "Input", None, |xml| {
        nested(xml, "RunList", &[("Pages", "0 -1")], |xml| {
            write_empty(xml, "FileSpec", &file)
        })
    })
}

fn write_paper<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let grams = f64::from(ticket.settings.sheet_centigrams) / 100.0;
    let weight = format!("{:.1}", grams / A4_SQUARE_METRES);
    let paper = [
        ("MediaType", "Paper"),
        ("MediaUnit", "Sheet"),
        ("Dimension", A4_POINTS),
        ("Weight", weight.as_str()),
    ];
    let sheets = Some(ticket.composed.sheets);
    resource(xml, "Media", "Input", sheets, |xml| {
        write_empty(xml, "Media", &paper)
    })
}

fn write_printing<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let group = &ticket.plan.group;
    let sides = if group.duplex {
        "TwoSided"
    } else {
        "OneSidedFront"
    };
    resource(xml, "DigitalPrintingParams", "Input", None, |xml| {
        write_empty(xml, "DigitalPrintingParams", &[("Sides", sides)])
    })?;
    if group.colour {
        return Ok(());
    }
    resource(xml, "ColorantControl", "Input", None, |xml| {
        let grey = [("ProcessColorModel", "DeviceGray")];
        write_empty(xml, "ColorantControl", &grey)
    })
}

/// What comes out: printed sheets.
fn write_sheets<W: Write>(xml: &mut Writer<W>, ticket: &JobTicket<'_>) -> io::Result<()> {
    let sheets = Some(ticket.composed.sheets);
    resource(xml, "Component", "Output", sheets, |xml| {
        write_empty(xml, "Component", &[])
    })
}

/// A set of one resource.
fn resource<W: Write>(
    xml: &mut Writer<W>,
    name: &str,
    usage: &str,
    amount: Option<u32>,
    specific: impl FnOnce(&mut Writer<W>) -> io::Result<()>,
) -> io::Result<()> {
    let attributes = [("Name", name), ("Usage", usage)];
    nested(xml, "ResourceSet", &attributes, |xml| {
        nested(xml, "Resource", &[], |xml| {
            if let Some(amount) = amount {
                let amount = amount.to_string();
                nested(xml, "AmountPool", &[], |xml| {
                    write_empty(xml, "PartAmount", &[("Amount", amount.as_str())])
                })?;
            }
            specific(xml)
        })
    })
}

fn nested<W: Write>(
    xml: &mut Writer<W>,
    name: &str,
    attributes: &[(&str, &str)],
    inner: impl FnOnce(&mut Writer<W>) -> io::Result<()>,
) -> io::Result<()> {
    let element = xml.create_element(name);
    let element = element.with_attributes(attributes.iter().copied());
    element.write_inner_content(inner).map(|_| ())
}
