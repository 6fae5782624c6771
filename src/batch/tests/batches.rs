use insta::assert_snapshot;

use super::build::*;
use crate::{
    batch::{OpenedMessage, Settings, Shape},
    domain::{ChannelWish, Code, Fitness, PostageClass, RecipientId, StatedRecipient},
};

fn many_in_one(pdf: &[u8], xml: &str) -> Result<Out, Vec<crate::domain::Finding>> {
    open_zip(&zip(&[
        ("letters.pdf", pdf),
        ("letters.xml", xml.as_bytes()),
    ]))
}

#[test]
fn one_pdf_with_many_letters_is_opened() {
    let out = many_in_one(&pdf(5), &bundle(&[(1, 2), (3, 1), (4, 2)])).unwrap();
    assert_eq!(out.opened.shape, Some(Shape::ManyInOne));
    assert_eq!(out.opened.findings, []);
    assert_eq!((out.opened.messages, out.opened.is_test), (3, false));
    let [document] = out.opened.documents.as_slice() else {
        panic!()
    };
    assert_eq!(
        (document.pages, document.letters, document.was_kept),
        (5, 3, true)
    );
    let message = &out.messages[2].message;
    assert_eq!(
        (message.position, message.pages.first, message.pages.count),
        (3, 4, 2)
    );
    assert_eq!(message.sender_letter_id, Some("K-3".into()));
    assert_eq!(message.subject, Some("Päätös".into()));
    assert_eq!(
        (message.postage, message.duplex),
        (Some(PostageClass::Economy), Some(true))
    );
    assert!(matches!(
        message.recipient.id,
        StatedRecipient::Valid(RecipientId::Person(_))
    ));
    assert_eq!(out.messages[2].fitness, Fitness::BOTH);
}

#[test]
fn one_letter_without_a_range_has_the_whole_pdf_of_the_same_name() {
    let xml = bundle_of(
        "",
        "<Letter><LetterMeta><Recipient SSN='N/A'/></LetterMeta></Letter>",
    );
    let out = open_zip(&zip(&[("7.xml", xml.as_bytes()), ("7.pdf", &pdf(3))])).unwrap();
    assert_eq!(out.opened.shape, Some(Shape::OneLetter));
    let message = &out.messages[0].message;
    assert_eq!(
        (message.pages.document.0.as_str(), message.pages.count),
        ("7.pdf", 3)
    );
    assert_eq!(message.recipient.id, StatedRecipient::Absent);
    assert_snapshot!(told(&Ok(out)), @"warning address-incomplete 7.xml line 5 message 1: the address lacks a name");
}

#[test]
fn latin1_and_the_older_namespace_with_a_prefix_are_read() {
    let xml = "<?xml version='1.0' encoding='iso-8859-1'?>\
        <k:LetterBundle xmlns:k='urn:itella-letterbundle-v0x4'><k:Bundle><k:BundleCommon isTest='true'/>\
        <k:Letter><k:LetterMeta><k:Recipient ovtID='003712345671'><k:Address><k:Eu1 name='\u{c4}mm\u{e4}' \
        countryCode='XX'/></k:Address></k:Recipient></k:LetterMeta></k:Letter></k:Bundle></k:LetterBundle>";
    let latin1: Vec<u8> = xml
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let out = open_zip(&zip(&[("a.xml", &latin1), ("a.pdf", &pdf(1))])).unwrap();
    assert!(out.opened.is_test);
    let recipient = &out.messages[0].message.recipient;
    assert_eq!(recipient.address.name, Some("Ämmä".into()));
    assert!(matches!(
        recipient.id,
        StatedRecipient::Valid(RecipientId::Business(_))
    ));
    assert!(recipient.address.is_foreign());
}

#[test]
fn many_pairs_in_folders_are_opened_in_order_of_their_names() {
    let xml = |file: &str| {
        bundle_of(
            &format!("<ExternalFile fileName='{file}'/>"),
            &letter(file, 1, 1),
        )
    };
    let out = open_zip(&zip(&[
        ("b/2.xml", xml("two.pdf").as_bytes()),
        ("b/two.pdf", &pdf(1)),
        ("a/1.xml", xml("one.pdf").as_bytes()),
        ("one.pdf", &pdf(1)),
    ]))
    .unwrap();
    assert_eq!(out.opened.shape, Some(Shape::ManyPairs));
    assert_eq!(out.opened.findings, []);
    let documents: Vec<_> = out
        .messages
        .iter()
        .map(|m| m.message.pages.document.0.as_str())
        .collect();
    assert_eq!(documents, ["one.pdf", "b/two.pdf"]);
}

#[test]
fn a_zip_of_zips_is_opened_one_level_deep() {
    let inner = zip(&[
        ("letters.pdf", &pdf(1)),
        ("letters.xml", bundle(&[(1, 1)]).as_bytes()),
    ]);
    let xml = bundle_of(
        "<ExternalFile fileName='letters.pdf'/>",
        &letter("K-9", 1, 1),
    );
    let other = zip(&[("letters.pdf", &pdf(1)), ("letters.xml", xml.as_bytes())]);
    let outer = zip(&[("1.zip", &inner), ("2.zip", &other)]);
    let out = open_zip(&outer).unwrap();
    assert_eq!(out.opened.shape, Some(Shape::Nested));
    assert_eq!(
        out.messages[1].message.pages.document.0,
        "2.zip/letters.pdf"
    );
    assert_snapshot!(told(&Ok(out)), @"");
    let too_deep = zip(&[("outer.zip", &outer)]);
    assert_snapshot!(told(&open_zip(&too_deep)), @"error archive-nested-too-deep outer.zip/1.zip: a ZIP is nested deeper than is read");
}

#[test]
fn zips_whose_documents_could_have_one_name_are_refused() {
    let outer = zip(&[("a.zip", b""), ("a.zip-1.zip", b""), ("a.zip/b.zip", b"")]);
    assert_snapshot!(told(&open_zip(&outer)), @"error archive-duplicate-name a.zip/b.zip: another ZIP has the name of its folder");
}

#[test]
fn of_hundreds_of_missing_attachments_a_few_are_told() {
    let files = "x|".repeat(200);
    let csv = format!("recipient_id,file,attachments\n,own.pdf,{files}\n");
    let bytes = zip(&[("batch.csv", csv.as_bytes()), ("own.pdf", &pdf(1))]);
    let out = open_zip(&bytes).unwrap();
    let missing = |finding: &&crate::domain::Finding| finding.code == Code::DocumentMissing;
    assert_eq!(out.messages[0].findings.iter().filter(missing).count(), 10);
    assert_eq!(out.messages[0].message.attachments, [], "what is not there");
}

#[test]
fn a_document_can_be_read_again_by_the_name_that_messages_carry() {
    let content = pdf(1);
    let inner = zip(&[
        ("letters.pdf", &content),
        ("letters.xml", bundle(&[(1, 1)]).as_bytes()),
    ]);
    let settings = Settings::default();
    for outer in [
        zip(&[("1.zip", &inner)]),
        zip_by(zip::CompressionMethod::Stored, &[("1.zip", &inner)]),
    ] {
        let name = open_zip(&outer).unwrap().messages[0]
            .message
            .pages
            .document
            .clone();
        let archive = crate::batch::Archive::open(&outer, &settings.limits).unwrap();
        let read = crate::batch::read_document(&archive, &name, &settings.limits).unwrap();
        assert_eq!(read, content);
        let (inside, document) = crate::batch::split_name(&archive, &name).unwrap();
        assert_eq!((inside, document.0.as_str()), ("1.zip", "letters.pdf"));
        let nested = crate::batch::inner_archives(&archive);
        assert_eq!(nested.len(), 1);
        assert_eq!(nested[0].name, "1.zip");
    }
}

#[test]
fn a_table_with_pdfs_is_opened() {
    let csv = "letter_id;recipient_id;file;start_page;pages;channel;attachments;size\n\
               1;010190Y900P;both.pdf;1;2;mailbox;map.pdf;\n\
               2;010523B902P;both.pdf;3;1;;missing.pdf;\n\
               2;N/A;own.pdf;;;print;;\n";
    let out = open_zip(&zip(&[
        ("batch.csv", csv.as_bytes()),
        ("both.pdf", &pdf(3)),
        ("own.pdf", &pdf(2)),
        ("map.pdf", &pdf(1)),
        ("forgotten.pdf", &pdf(1)),
    ]));
    assert_snapshot!(told(&out), @r"
    warning document-unused forgotten.pdf: no letter names this file
    info control-data-unknown batch.csv line 1: column `size`, once
    error attachment-not-printable batch.csv line 2 message 1: files attached to the letter: 1
    error document-missing missing.pdf line 3 message 2: the attachment is not in the ZIP
    error attachment-not-printable batch.csv line 3 message 2: files attached to the letter: 1
    warning address-incomplete batch.csv line 3 message 2: the address lacks a name
    error message-duplicate batch.csv line 4 message 3: a letter before it in this batch has the same id
    warning address-incomplete batch.csv line 4 message 3: the address lacks a name
    ");
    let out = out.unwrap();
    assert_eq!(out.opened.shape, Some(Shape::Csv));
    assert!(!out.opened.is_refused());
    assert_eq!(out.messages[2].message.pages.count, 2);
    let refused: Vec<_> = out.messages.iter().map(OpenedMessage::is_refused).collect();
    assert_eq!(refused, [false, true, true]);
}

#[test]
fn a_letter_that_is_attached_to_a_letter_refuses_the_whole_file() {
    let csv = "recipient_id,file,channel,attachments\n\
               010190Y900P,a.pdf,mailbox,b.pdf|map.pdf\n\
               N/A,b.pdf,mailbox,map.pdf\n";
    let out = open_zip(&zip(&[
        ("batch.csv", csv.as_bytes()),
        ("a.pdf", &pdf(1)),
        ("b.pdf", &pdf(1)),
        ("map.pdf", &pdf(1)),
    ]));
    let findings = out.unwrap().opened.findings;
    let [finding] = findings.as_slice() else {
        panic!("{findings:?}")
    };
    assert_eq!(finding.code, Code::PageRangeOverlap);
    assert_eq!(finding.place.entry.as_deref(), Some("b.pdf"));
}

#[test]
fn the_file_name_can_force_everything_onto_paper() {
    let bytes = zip(&[
        ("letters.pdf", &pdf(1)),
        ("letters.xml", bundle(&[(1, 1)]).as_bytes()),
    ]);
    let wish = |name: &str| {
        let out = open_named(name, &bytes, &Settings::default()).unwrap();
        (out.opened.print_only, out.messages[0].message.wish)
    };
    let forced = (true, ChannelWish::PrintOnly);
    assert_eq!(wish("koha_20260612205000_suoratulostus_Posti.zip"), forced);
    assert_eq!(wish("koha_20260612205000_suoratulostus.zip"), forced);
    assert_eq!(wish("koha_20260612205000_Suoratulostus.zip.ok"), forced);
    assert_eq!(
        wish("suoratulostuskirjeet_2026.zip"),
        (false, ChannelWish::Any)
    );
}

#[test]
fn messages_come_in_pages_of_a_thousand() {
    let ranges: Vec<_> = (1..=2_001).map(|page| (page, 1)).collect();
    let out = many_in_one(&pdf(2_001), &bundle(&ranges)).unwrap();
    assert_eq!(out.pages, [1_000, 1_000, 1]);
    let positions: Vec<_> = out.messages.iter().map(|m| m.message.position).collect();
    assert_eq!(positions, (1..=2_001).collect::<Vec<_>>());
    assert_eq!(out.opened.findings, []);
}

#[test]
fn pages_that_overlap_or_are_left_over_refuse_the_whole_file() {
    let out = many_in_one(&pdf(9), &bundle(&[(1, 2), (2, 2), (5, 1), (9, 3)]));
    assert_snapshot!(told(&out), @r"
    error page-range-overlap letters.pdf page 2: message 2, line 7, claims page 2, as one before it does
    error page-range-gap letters.pdf page 4: page 4 belongs to no letter
    error page-range-gap letters.pdf page 6: pages 6 to 9 belong to no letter
    error page-range-outside letters.xml line 11 message 4: 3 pages from page 9 on, and the PDF has 9
    ");
    assert!(out.unwrap().opened.is_refused());
}

#[test]
fn a_letter_without_a_range_cannot_share_a_pdf() {
    let nobody = "<Letter><LetterMeta><Recipient SSN='010190Y900P'/></LetterMeta></Letter>";
    let half = "<Letter><LetterMeta><Location startPage='3'/></LetterMeta></Letter>";
    let letters = format!("{}{nobody}{half}", letter("1", 1, 1));
    let xml = bundle_of("<ExternalFile fileName='letters.pdf'/>", &letters);
    assert_snapshot!(told(&many_in_one(&pdf(3), &xml)), @r"
    error page-range-gap letters.pdf page 2: pages 2 to 3 belong to no letter
    warning address-incomplete letters.xml line 7 message 2: the address lacks a name
    error page-range-missing letters.xml line 7 message 2: the PDF holds several letters, and this one does not say which pages are its own
    error page-range-missing letters.xml line 7 message 3: the first page and the number of pages must both be given
    warning address-incomplete letters.xml line 7 message 3: the address lacks a name
    ");
}

#[test]
fn a_shared_pdf_that_is_not_taken_is_told_once() {
    let out = many_in_one(b"this is no PDF", &bundle(&[(1, 2), (3, 1)]));
    assert_snapshot!(told(&out), @"error pdf-unreadable letters.pdf: the PDF cannot be read: the catalog is missing");
    assert!(out.unwrap().messages.iter().all(OpenedMessage::is_refused));
    let missing = open_zip(&zip(&[(
        "letters.xml",
        bundle(&[(1, 1), (2, 1)]).as_bytes(),
    )]));
    assert_snapshot!(told(&missing), @"error document-missing letters.pdf: the ZIP has no such file");
}

#[test]
fn a_bad_letter_leaves_the_good_ones_beside_it() {
    let csv =
        "file,recipient_id\ngood.pdf,010190Y900P\nbad.pdf,010190Y900P\nmissing.pdf,010190Y900P\n";
    let out = open_zip(&zip(&[
        ("batch.csv", csv.as_bytes()),
        ("good.pdf", &pdf(1)),
        ("bad.pdf", b"%PDF-1.7 and nothing more"),
    ]))
    .unwrap();
    assert!(!out.opened.is_refused());
    let refused: Vec<_> = out.messages.iter().map(OpenedMessage::is_refused).collect();
    assert_eq!(refused, [false, true, true]);
}

#[test]
fn wrong_fields_are_told_without_their_values() {
    let letters = "<Letter senderLetterId='1'>\n<LetterMeta><Location startPage='1' pages='x'/>\
        <Recipient SSN='010190Y900A' ovtID='0037'><Address><Eu1 name='Maija\u{9}Mallikas' postalCode='1' \
        city='H' countryCode='Suomi'/></Address></Recipient></LetterMeta></Letter>\n\
        <Letter senderLetterId='1'><LetterMeta><Location startPage='1' pages='1'/>\
        <Recipient/><Recipient/></LetterMeta></Letter>";
    let xml = bundle_of("<ExternalFile fileName='letters.pdf'/>", letters);
    assert_snapshot!(told(&many_in_one(&pdf(1), &xml)), @r"
    error control-data-value letters.xml line 5 message 1: `pages` is no whole number from 1
    error recipient-id-invalid letters.xml line 5 message 1: `SSN`: the check character of the identity code does not match
    error recipient-id-invalid letters.xml line 5 message 1: `ovtID`: an OVT id is 0037, eight digits of the business id, and up to five more characters
    warning country-invalid letters.xml line 5 message 1: `countryCode` is not two letters
    warning address-incomplete letters.xml line 5 message 1: the address lacks a street address
    error control-data-value letters.xml line 7 message 2: the letter has a second `Recipient`
    error message-duplicate letters.xml line 7 message 2: a letter before it in this batch has the same id
    warning address-incomplete letters.xml line 7 message 2: the address lacks a name
    ");
}

#[test]
fn what_nobody_uses_is_told_once_a_kind_and_never_by_value() {
    let letters = "<Letter colour='SECRET'><Foo><Eu1 name='SECRET'/></Foo><LetterMeta/></Letter>\
        <Letter colour='x'><LetterMeta/></Letter>";
    let xml = bundle_of("<ExternalFile fileName='letters.pdf'/>", letters)
        .replace("letterClass='2'", "letterClass='9'");
    let told = told(&many_in_one(&pdf(1), &xml));
    assert!(!told.contains("SECRET"));
    assert_snapshot!(told, @r"
    error page-range-gap letters.pdf page 1: page 1 belongs to no letter
    info control-data-unknown letters.xml line 5: attribute `colour` of `Letter`, 2 times
    info control-data-unknown letters.xml line 5: element `Foo`, once
    info control-data-unknown letters.xml line 4: value of `letterClass`, once
    warning address-incomplete letters.xml line 5 message 1: the address lacks a name
    error page-range-missing letters.xml line 5 message 1: the PDF holds several letters, and this one does not say which pages are its own
    warning address-incomplete letters.xml line 5 message 2: the address lacks a name
    error page-range-missing letters.xml line 5 message 2: the PDF holds several letters, and this one does not say which pages are its own
    ");
}

#[test]
fn control_data_that_breaks_off_refuses_the_batch_with_the_line() {
    let whole = bundle(&[(1, 1), (2, 1)]);
    let cut = whole.replace("</Bundle></LetterBundle>", "");
    assert_snapshot!(told(&many_in_one(&pdf(2), &cut)), @"error control-data-malformed letters.xml line 10: it ends before every element is closed");
    let other = "<Invoice xmlns='urn:x'/>";
    assert_snapshot!(told(&many_in_one(&pdf(2), other)), @"error control-data-version letters.xml line 1: the root element is no `LetterBundle` of a known namespace");
    assert_snapshot!(told(&many_in_one(&pdf(2), &bundle(&[]))), @r"
    warning document-unused letters.pdf: no letter names this file
    error no-messages: the control data describes no letter
    ");
}

#[test]
fn a_batch_without_control_data_or_of_mixed_shape_is_refused() {
    assert_snapshot!(told(&open_zip(&zip(&[("a.pdf", &pdf(1))]))), @"error control-data-missing: neither an XML nor `batch.csv` is there");
    let mixed = zip(&[("a.zip", &zip(&[])), ("b.xml", b"<a/>")]);
    assert_snapshot!(told(&open_zip(&mixed)), @"error shape-not-supported b.xml: a ZIP that holds ZIPs may hold nothing else");
}

#[test]
fn an_attachment_that_is_an_archive_under_another_name_refuses_its_letter_only() {
    let csv =
        "recipient_id,file,attachments\n010190Y900P,a.pdf,map.pdf\n010523B902P,b.pdf,form.docx\n";
    let inner = zip(&[("salaa.txt", b"")]);
    let out = open_zip(&zip(&[
        ("batch.csv", csv.as_bytes()),
        ("a.pdf", &pdf(1)),
        ("b.pdf", &pdf(1)),
        ("map.pdf", &inner),
        ("form.docx", &inner),
    ]));
    let [hiding, open] = &out.unwrap().messages[..] else {
        panic!("two letters")
    };
    let codes =
        |message: &OpenedMessage| message.findings.iter().map(|f| f.code).collect::<Vec<_>>();
    assert!(codes(hiding).contains(&Code::ArchiveHidden));
    assert!(!codes(open).contains(&Code::ArchiveHidden));
}

#[test]
fn what_an_operating_system_adds_is_passed_over() {
    let out = open_zip(&zip(&[
        ("letters.pdf", &pdf(1)),
        ("letters.xml", bundle(&[(1, 1)]).as_bytes()),
        ("__MACOSX/._letters.xml", b"\0"),
        (".DS_Store", b"\0"),
    ]));
    assert_eq!(told(&out), "");
}

#[test]
fn what_nobody_uses_is_told_once_for_all_pairs_together() {
    let xml = |id: &str| {
        bundle_of(
            "",
            &letter(id, 1, 1).replace("<Letter ", "<Letter speed='1' "),
        )
    };
    let out = open_zip(&zip(&[
        ("1.xml", xml("1").as_bytes()),
        ("1.pdf", &pdf(1)),
        (
            "2.xml",
            xml("2")
                .replace("</LetterMeta>", "Hei!</LetterMeta>")
                .as_bytes(),
        ),
        ("2.pdf", &pdf(1)),
    ]));
    assert_snapshot!(told(&out), @r"
    info control-data-unknown 1.xml line 5: attribute `speed` of `Letter`, 2 times
    info control-data-unknown 2.xml line 6: text in `LetterMeta`, once
    ");
}

#[test]
fn letters_of_an_xml_beside_a_table_are_not_passed_over() {
    let csv = b"file,recipient_id\na.pdf,010190Y900P\n".as_slice();
    let (xml, pdf) = (bundle(&[(1, 1)]), pdf(1));
    let both = [
        ("batch.csv", csv),
        ("a.pdf", &pdf),
        ("letters.pdf", &pdf),
        ("letters.xml", xml.as_bytes()),
    ];
    let out = open_zip(&zip(&both));
    assert_snapshot!(told(&out), @"error shape-not-supported letters.xml: an XML beside `batch.csv`: a batch has one or the other");
    let clutter = open_zip(&zip(&[both[0], both[1], ("__MACOSX/letters.xml", b"")])).unwrap();
    assert_eq!(
        (clutter.messages.len(), clutter.opened.is_refused()),
        (1, false)
    );
}
