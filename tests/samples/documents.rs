//! Batches in which the second letter's PDF is at fault.

use kuori::domain::Code;

use super::{
    catalogue::{Sample, Stops},
    parts::*,
};

pub(super) fn samples() -> Vec<Sample> {
    let letter = Sample::that_stops(Stops::Letter);
    vec![
        letter(
            Code::PdfUnreadable,
            "web-page.zip",
            "`kirje-2.pdf` is an error page of the server it was fetched from.",
            || second_letter(row(2), ERROR_PAGE.into()),
        ),
        letter(
            Code::PdfEncrypted,
            "password.zip",
            "`kirje-2.pdf` is locked with a password.",
            || with_trailer(ENCRYPTED),
        ),
        letter(
            Code::PdfLimits,
            "arrays-in-arrays.zip",
            "`kirje-2.pdf` has arrays within arrays, 1,000 deep.",
            || with_page(&format!("/Deep {}{}", "[".repeat(1_000), "]".repeat(1_000))),
        ),
        letter(
            Code::PageSize,
            "us-letter.zip",
            "The page of `kirje-2.pdf` is US Letter.",
            || second_letter(row(2), pdf(&[2], US_LETTER)),
        ),
        letter(
            Code::LetterNotComposable,
            "filled-in.zip",
            "A form field of `kirje-2.pdf` is filled in and does not say what it looks like.",
            || with_page(FILLED_IN),
        ),
        letter(
            Code::AttachmentNotPrintable,
            "leaflet.zip",
            "The second letter has `esite.pdf` attached, and its recipient has no mailbox.",
            || with_attachment("esite.pdf", pdf(&[2], A4)),
        ),
        letter(
            Code::AttachmentType,
            "program.zip",
            "The second letter has `lomake.exe` attached, which no mailbox takes; on paper it would be lost.",
            || with_attachment("lomake.exe", b"MZ\x90\0".to_vec()),
        ),
    ]
}

const ERROR_PAGE: &str = "<html><title>503 Service Unavailable</title></html>\n";

/// Keys made up: whoever has the password could not open it either.
const ENCRYPTED: &str = "/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 \
    /O <00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF> \
    /U <FFEEDDCCBBAA99887766554433221100FFEEDDCCBBAA99887766554433221100> >> \
    /ID [<00112233445566778899AABBCCDDEEFF> <00112233445566778899AABBCCDDEEFF>]";

/// Flag 4: it is printed too.
const FILLED_IN: &str = "/Annots [<< /Type /Annot /Subtype /Widget /FT /Tx /T (Viite) \
    /V (2026-118) /Rect [400 700 500 720] /F 4 >>]";

fn with_attachment(attachments: &'static str, content: Vec<u8>) -> Vec<u8> {
    let second = Row {
        attachments,
        ..row(2)
    };
    let mut files = csv_files(table(&[row(1), second]));
    files.push((attachments.to_owned(), content));
    zip(&files)
}

/// The second letter's PDF with something more in its trailer.
fn with_trailer(in_trailer: &str) -> Vec<u8> {
    let drawing = Drawing {
        in_trailer,
        ..Drawing::default()
    };
    second_letter(row(2), drawing.pdf())
}

/// The second letter's PDF with something more in its page.
fn with_page(in_page: &str) -> Vec<u8> {
    let drawing = Drawing {
        in_page,
        ..Drawing::default()
    };
    second_letter(row(2), drawing.pdf())
}
