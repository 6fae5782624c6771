use std::{
    borrow::Cow,
    io::{self, Write},
};

use mail_builder::{
    MessageBuilder,
    headers::{content_type::ContentType, raw::Raw},
    mime::MimePart,
};

use super::{AttachedFile, Delivery, DeliveryId};
use crate::domain::{PersonalIdentityCode, ServiceKind};

/// The address of a sender is nobody's: `.invalid` is reserved for that (RFC 2606, section 2).
const SENDER_DOMAIN: &str = "kuori.invalid";

/// Writes a delivery as a MIME message (RFC 5322, RFC 2045): a plain text and the PDF.
///
/// The same delivery gives the same bytes. No header holds an identity code: mail servers log and
/// index headers.
pub(super) fn write(delivery: &Delivery, out: impl Write) -> io::Result<()> {
    let id = delivery.id;
    let address = format!("{}@{SENDER_DOMAIN}", delivery.sender);
    let service = match delivery.service {
        ServiceKind::Ordinary => "ordinary",
        ServiceKind::Verifiable => "verifiable",
    };
    MessageBuilder::new()
        .from((header_text(&delivery.sender_name), address))
        .subject(header_text(delivery.title.expose()))
        .date(delivery.created.as_second())
        .message_id(message_id(id))
        .header("X-Kuori-Message", Raw::new(id.message.to_string()))
        .header("X-Kuori-Service", Raw::new(service))
        .body(text_and_pdf(delivery))
        .write_to(out)
}

/// What a mail program finds the message by, without its angle brackets: `B-0007-12@kuori`.
pub(super) fn message_id(id: DeliveryId) -> String {
    format!("{id}@kuori")
}

fn text_and_pdf(delivery: &Delivery) -> MimePart<'_> {
    let text = with_mail_line_ends(delivery.body.expose());
    let boundary = boundary(delivery.id, &text);
    let mixed = ContentType::new("multipart/mixed").attribute("boundary", boundary);
    let text = MimePart::new("text/plain", text);
    let pdf = MimePart::new("application/pdf", delivery.pdf.as_slice())
        .attachment(header_text(&delivery.pdf_file_name));
    let attachments = delivery.attachments.iter().map(attachment);
    MimePart::new(
        mixed,
        [text, pdf]
            .into_iter()
            .chain(attachments)
            .collect::<Vec<_>>(),
    )
}

fn attachment(file: &AttachedFile) -> MimePart<'_> {
    MimePart::new(media_type(&file.name), file.bytes.as_slice()).attachment(header_text(&file.name))
}

/// By the end of the name: the types that Suomi.fi Messages takes. Others are bytes; a batch with one of
/// them is told so when it is opened.
pub fn media_type(name: &str) -> &'static str {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("doc") => "application/msword",
        Some("xls") => "application/vnd.ms-excel",
        Some("ppt") => "application/vnd.ms-powerpoint",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Some("odt") => "application/vnd.oasis.opendocument.text",
        Some("ods") => "application/vnd.oasis.opendocument.spreadsheet",
        _ => "application/octet-stream",
    }
}

/// Lines end with CR LF, in encoded text too (RFC 2046, section 4.1.1).
fn with_mail_line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// The text between the boundaries is the sender's. No text can hold a digest of itself, so none
/// can end its own part.
fn boundary(id: DeliveryId, text: &str) -> String {
    let mut digest = blake3::Hasher::new();
    digest.update(id.to_string().as_bytes());
    digest.update(text.as_bytes());
    format!("kuori-{}", digest.finalize().to_hex())
}

/// One line without identity codes, which mail programs show as it stands: a title that begins like an
/// encoded word (RFC 2047, section 2) would be decoded, so a joiner that nobody sees stands in it.
fn header_text(text: &str) -> String {
    let one_line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    without_identity_codes(one_line.trim()).replace("=?", "=\u{2060}?")
}

fn without_identity_codes(text: &str) -> Cow<'_, str> {
    match find_identity_code(text) {
        None => Cow::Borrowed(text),
        Some((before, after)) => {
            Cow::Owned(format!("{before}[hidden]{}", without_identity_codes(after)))
        }
    }
}

/// What stands before the first identity code, and what after it.
fn find_identity_code(text: &str) -> Option<(&str, &str)> {
    let digits = text.match_indices(|c: char| c.is_ascii_digit());
    digits.into_iter().find_map(|(start, _)| {
        let (before, rest) = text.split_at_checked(start)?;
        let (code, after) = rest.split_at_checked(11)?;
        code.parse::<PersonalIdentityCode>().ok()?;
        Some((before, after))
    })
}
