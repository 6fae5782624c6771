use std::{
    convert::Infallible,
    fmt::Write as _,
    io::{Cursor, Write as _},
};

use pdf_writer::{Pdf, Rect, Ref};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    batch::{Archive, LetterCheck, MemoryShelf, NoCheck, Opened, OpenedMessage, Settings, open},
    domain::Finding,
};

pub(super) const NAMESPACE: &str = "urn:itella.com:/schema/ipost/letterbundle/v1x0";

/// A ZIP of deflated files.
pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    zip_by(CompressionMethod::Deflated, files)
}

pub(super) fn zip_by(method: CompressionMethod, files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A PDF of upright A4 pages.
pub(super) fn pdf(pages: usize) -> Vec<u8> {
    pdf_of(&vec![(595.0, 842.0); pages])
}

/// A PDF of pages of these sizes, in points.
pub(super) fn pdf_of(sizes: &[(f32, f32)]) -> Vec<u8> {
    let mut pdf = Pdf::new();
    let (catalog, tree) = (Ref::new(1), Ref::new(2));
    let pages: Vec<Ref> = (3..).map(Ref::new).take(sizes.len()).collect();
    pdf.catalog(catalog).pages(tree);
    let count = i32::try_from(sizes.len()).unwrap();
    pdf.pages(tree).kids(pages.iter().copied()).count(count);
    for (&page, &(width, height)) in pages.iter().zip(sizes) {
        let mut page = pdf.page(page);
        page.parent(tree)
            .media_box(Rect::new(0.0, 0.0, width, height));
        page.resources();
    }
    pdf.finish()
}

/// A `LetterBundle` of `letters.pdf`, a `Letter` for each range of first page and pages.
pub(super) fn bundle(ranges: &[(u32, u32)]) -> String {
    let mut letters = String::new();
    for (at, (first, pages)) in ranges.iter().enumerate() {
        letters += &letter(&format!("K-{}", at + 1), *first, *pages);
    }
    bundle_of("<ExternalFile fileName='letters.pdf'/>", &letters)
}

pub(super) fn letter(id: &str, first: u32, pages: u32) -> String {
    letter_to("SSN='010190Y900P'", id, first, pages)
}

pub(super) fn letter_to(recipient: &str, id: &str, first: u32, pages: u32) -> String {
    format!(
        "<Letter senderLetterId='{id}'>\n\
           <LetterMeta><Location startPage='{first}' pages='{pages}'/>\
             <Recipient {recipient}><Address><Eu1 name='Maija Mallikas' address='Mallikatu 1' \
               postalCode='00100' city='Helsinki' countryCode='FI'/></Address></Recipient></LetterMeta>\
           <LetterDetails><Subject text='Päätös'/></LetterDetails></Letter>\n"
    )
}

pub(super) fn bundle_of(external_file: &str, letters: &str) -> String {
    format!(
        "<?xml version='1.0' encoding='UTF-8'?>\n\
         <LetterBundle xmlns='{NAMESPACE}' schemaVersion='v1x0'>\n<Bundle>\n\
         <BundleCommon isTest='false'><Sender companyName='Mallila'/><Processing>\
         <StdBundleProcessing customerId='900001' password='SECRET' letterClass='2' isDuplex='true'/>\
         </Processing>{external_file}</BundleCommon>\n{letters}</Bundle></LetterBundle>\n"
    )
}

/// What came out, with the messages of all pages together.
#[derive(Debug)]
pub(super) struct Out {
    pub(super) opened: Opened,
    pub(super) messages: Vec<OpenedMessage>,
    /// How many messages each page had.
    pub(super) pages: Vec<usize>,
}

pub(super) fn open_zip(bytes: &[u8]) -> Result<Out, Vec<Finding>> {
    open_named("mallila_20260301120000.zip", bytes, &Settings::default())
}

pub(super) fn open_named(
    name: &str,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Out, Vec<Finding>> {
    open_checked(name, bytes, settings, &NoCheck)
}

pub(super) fn open_checked(
    name: &str,
    bytes: &[u8],
    settings: &Settings,
    check: &dyn LetterCheck,
) -> Result<Out, Vec<Finding>> {
    let archive = Archive::open(bytes, &settings.limits)?;
    let (mut messages, mut pages) = (Vec::new(), Vec::new());
    let mut sink = |page: Vec<OpenedMessage>| {
        pages.push(page.len());
        messages.extend(page);
        Ok::<(), Infallible>(())
    };
    let opened = open(&archive, name, settings, &MemoryShelf, check, &mut sink).unwrap();
    Ok(Out {
        opened,
        messages,
        pages,
    })
}

/// Everything that was said, a line a finding: those of the batch first.
pub(super) fn told(out: &Result<Out, Vec<Finding>>) -> String {
    let mut text = String::new();
    let findings = match out {
        Ok(out) => {
            let of_messages = out.messages.iter().flat_map(|message| &message.findings);
            out.opened.findings.iter().chain(of_messages).collect()
        }
        Err(findings) => findings.iter().collect::<Vec<_>>(),
    };
    for finding in findings {
        let place = &finding.place;
        write!(text, "{} {}", finding.severity().as_str(), finding.code).unwrap();
        let entry = place.entry.as_ref().map(|entry| format!(" {entry}"));
        let parts = [
            ("line", place.line),
            ("message", place.message),
            ("page", place.page),
        ];
        text += &entry.unwrap_or_default();
        for (name, value) in parts {
            text += &value
                .map(|value| format!(" {name} {value}"))
                .unwrap_or_default();
        }
        writeln!(text, ": {}", finding.detail).unwrap();
    }
    text
}
