mod examples;

use self::examples::{
    acknowledgement, delivered, delivery_header, handed_over, header, printed, refused, returned,
};
use super::*;
use crate::domain::{
    BatchState, Code, Finding, Language, MessageEvent, MessageState, Place, Reason,
};

const XML_SCHEMA: &str = include_str!("../../schemas/receipt.xsd");
const JSON_SCHEMA: &str = include_str!("../../schemas/receipt.schema.json");

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn acknowledged_in(format: Format, acknowledgement: &Acknowledgement) -> String {
    text(write_acknowledgement(acknowledgement, format, Vec::new()).unwrap())
}

fn acknowledged(acknowledgement: &Acknowledgement) -> String {
    acknowledged_in(Format::Xml, acknowledgement)
}

fn reported_in(format: Format, header: &ProcessingHeader, lines: &[MessageLine]) -> String {
    let header = ReportHeader::Processing(header);
    let mut report = Report::begin(header, format, Vec::new()).unwrap();
    for line in lines {
        report.line(ReportLine::Processing(line)).unwrap();
    }
    text(report.finish().unwrap())
}

fn reported(header: &ProcessingHeader, lines: &[MessageLine]) -> String {
    reported_in(Format::Xml, header, lines)
}

fn told(format: Format, lines: &[DeliveryLine]) -> String {
    let header = delivery_header();
    let header = ReportHeader::Delivery(&header);
    let mut report = Report::begin(header, format, Vec::new()).unwrap();
    for line in lines {
        report.line(ReportLine::Delivery(line)).unwrap();
    }
    text(report.finish().unwrap())
}

#[test]
fn an_acknowledgement_says_which_file_is_stored() {
    insta::assert_snapshot!(acknowledged(&acknowledgement()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <Acknowledgement xmlns="urn:kuori:receipt:v1" batch="B-0007" sender="example-city" receivedAt="2026-06-12T17:50:03Z">
      <File name="koha_20260612205000_Posti.zip" bytes="1048576" sha256="0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"/>
    </Acknowledgement>
    "#);
}

#[test]
fn a_report_says_what_became_of_each_message() {
    let lines = [delivered(), refused(), printed()];
    insta::assert_snapshot!(reported(&header(), &lines), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <ProcessingReport xmlns="urn:kuori:receipt:v1" batch="B-0007" sender="example-city" fileName="koha_20260612205000_Posti.zip" state="reported" reportedAt="2026-06-12T17:52:11.25Z">
      <Counts received="3" delivered="1" printed="1" alsoPrinted="0" refused="1" held="0" waiting="0" cancelled="0"/>
      <Messages>
        <Message id="B-0007-1" senderLetterId="K-2026/118" state="delivered" fit="both" channel="mailbox" reason="mailbox-active" decidedAt="2026-06-12T17:51:01Z" deliveredAt="2026-06-12T17:51:30Z">
          <Mailbox status="active" askedAt="2026-06-12T17:51:00Z"/>
        </Message>
        <Message id="B-0007-2" state="refused" fit="mailbox" reason="content-unusable" decidedAt="2026-06-12T17:51:01Z">
          <Finding code="page-size" severity="error" affects="print" closes="true" entry="letters.pdf" message="2" page="14">
            <Detail>the page is 216 × 279 mm</Detail>
            <WhatToDo>Set the page size to 210 × 297 mm.</WhatToDo>
          </Finding>
        </Message>
        <Message id="B-0007-3" senderLetterId="K-2026/119" state="handed-over" fit="both" channel="print" reason="no-recipient-id" decidedAt="2026-06-12T17:51:01Z" bundle="P-0031" piece="3"/>
      </Messages>
    </ProcessingReport>
    "#);
}

#[test]
fn a_report_of_a_refused_batch_says_why_and_what_to_do() {
    let refused = ProcessingHeader {
        state: BatchState::Refused,
        stopped: Some(Stopped {
            why: "The file is not a ZIP archive.".to_owned(),
            what_to_do: "Make the ZIP again.".to_owned(),
        }),
        counts: Counts::default(),
        findings: vec![Finding::new(
            Code::ArchiveUnreadable,
            Place::batch(),
            "no end of central directory in 12 bytes",
        )],
        ..header()
    };
    insta::assert_snapshot!(reported(&refused, &[]), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <ProcessingReport xmlns="urn:kuori:receipt:v1" batch="B-0007" sender="example-city" fileName="koha_20260612205000_Posti.zip" state="refused" reportedAt="2026-06-12T17:52:11.25Z">
      <Stopped>
        <Why>The file is not a ZIP archive.</Why>
        <WhatToDo>Make the ZIP again.</WhatToDo>
      </Stopped>
      <Counts received="0" delivered="0" printed="0" alsoPrinted="0" refused="0" held="0" waiting="0" cancelled="0"/>
      <Finding code="archive-unreadable" severity="error" affects="both" closes="true">
        <Detail>no end of central directory in 12 bytes</Detail>
        <WhatToDo>Make the ZIP again and check it with `unzip -t` before you upload it.</WhatToDo>
      </Finding>
      <Messages>
      </Messages>
    </ProcessingReport>
    "#);
}

#[test]
fn a_sender_is_told_what_to_do_in_its_own_language() {
    let remedy = |language| {
        let findings = vec![Finding::new(Code::ArchiveEncrypted, Place::batch(), "")];
        let header = ProcessingHeader {
            language,
            findings,
            ..header()
        };
        let report = reported(&header, &[refused()]);
        let told = report.lines().filter(|line| line.contains("WhatToDo"));
        told.map(str::trim).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(remedy(Language::Finnish), @r"
    <WhatToDo>Lähetä erä ilman ZIP-salasanaa. Tietoliikenneyhteys on jo salattu.</WhatToDo>
    <WhatToDo>Aseta sivukooksi 210 × 297 mm.</WhatToDo>
    ");
    insta::assert_snapshot!(remedy(Language::Swedish), @r"
    <WhatToDo>Skicka satsen utan ZIP-lösenord. Förbindelsen är redan krypterad.</WhatToDo>
    <WhatToDo>Ställ in sidstorleken 210 × 297 mm.</WhatToDo>
    ");
}

#[test]
fn a_delivery_report_says_what_has_happened_to_each_message() {
    insta::assert_snapshot!(told(Format::Xml, &[handed_over(), returned()]), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <DeliveryReport xmlns="urn:kuori:receipt:v1" batch="B-0007" sender="example-city" fileName="koha_20260612205000_Posti.zip" reportedAt="2026-06-13T03:00:00Z" final="true">
      <Counts received="3" delivered="1" printed="1" alsoPrinted="0" refused="1" held="0" waiting="0" cancelled="0"/>
      <Messages>
        <Message id="B-0007-3" senderLetterId="K-2026/119" channel="print">
          <Event what="composed" at="2026-06-12T17:52:00Z" bundle="P-0031" piece="3"/>
          <Event what="handed-over" at="2026-06-12T17:53:07Z" bundle="P-0031" piece="3"/>
        </Message>
        <Message id="B-0007-3" senderLetterId="K-2026/119" channel="print">
          <Event what="composed" at="2026-06-12T17:52:00Z" bundle="P-0031" piece="3"/>
          <Event what="handed-over" at="2026-06-12T17:53:07Z" bundle="P-0031" piece="3"/>
          <Event what="returned" at="2026-06-20T08:00:00Z" reason="R04"/>
          <Finding code="page-size" severity="error" affects="print" closes="true" entry="letters.pdf" message="2" page="14">
            <Detail>the page is 216 × 279 mm</Detail>
            <WhatToDo>Set the page size to 210 × 297 mm.</WhatToDo>
          </Finding>
        </Message>
      </Messages>
    </DeliveryReport>
    "#);
}

#[test]
fn the_same_is_said_in_json() {
    insta::assert_snapshot!(acknowledged_in(Format::Json, &acknowledgement()), @r#"
    {"receipt":"acknowledgement","batch":"B-0007","sender":"example-city","receivedAt":"2026-06-12T17:50:03Z","file":{"name":"koha_20260612205000_Posti.zip","bytes":1048576,"sha256":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}
    "#);
    insta::assert_snapshot!(reported_in(Format::Json, &header(), &[delivered(), refused()]), @r#"
    {"receipt":"processing","batch":"B-0007","sender":"example-city","fileName":"koha_20260612205000_Posti.zip","state":"reported","reportedAt":"2026-06-12T17:52:11.25Z","counts":{"received":3,"delivered":1,"printed":1,"alsoPrinted":0,"refused":1,"held":0,"waiting":0,"cancelled":0},"findings":[],"messages":[
    {"id":"B-0007-1","senderLetterId":"K-2026/118","state":"delivered","fit":"both","channel":"mailbox","reason":"mailbox-active","decidedAt":"2026-06-12T17:51:01Z","deliveredAt":"2026-06-12T17:51:30Z","mailbox":{"status":"active","askedAt":"2026-06-12T17:51:00Z"},"findings":[]},
    {"id":"B-0007-2","state":"refused","fit":"mailbox","reason":"content-unusable","decidedAt":"2026-06-12T17:51:01Z","findings":[{"code":"page-size","severity":"error","affects":"print","closes":true,"entry":"letters.pdf","message":2,"page":14,"detail":"the page is 216 × 279 mm","whatToDo":"Set the page size to 210 × 297 mm."}]}
    ]}
    "#);
    insta::assert_snapshot!(told(Format::Json, &[handed_over(), returned()]), @r#"
    {"receipt":"delivery","batch":"B-0007","sender":"example-city","fileName":"koha_20260612205000_Posti.zip","reportedAt":"2026-06-13T03:00:00Z","final":true,"counts":{"received":3,"delivered":1,"printed":1,"alsoPrinted":0,"refused":1,"held":0,"waiting":0,"cancelled":0},"messages":[
    {"id":"B-0007-3","senderLetterId":"K-2026/119","channel":"print","events":[{"what":"composed","at":"2026-06-12T17:52:00Z","bundle":"P-0031","piece":3},{"what":"handed-over","at":"2026-06-12T17:53:07Z","bundle":"P-0031","piece":3}],"findings":[]},
    {"id":"B-0007-3","senderLetterId":"K-2026/119","channel":"print","events":[{"what":"composed","at":"2026-06-12T17:52:00Z","bundle":"P-0031","piece":3},{"what":"handed-over","at":"2026-06-12T17:53:07Z","bundle":"P-0031","piece":3},{"what":"returned","at":"2026-06-20T08:00:00Z","reason":"R04"}],"findings":[{"code":"page-size","severity":"error","affects":"print","closes":true,"entry":"letters.pdf","message":2,"page":14,"detail":"the page is 216 × 279 mm","whatToDo":"Set the page size to 210 × 297 mm."}]}
    ]}
    "#);
    insta::assert_snapshot!(told(Format::Json, &[]), @r#"
    {"receipt":"delivery","batch":"B-0007","sender":"example-city","fileName":"koha_20260612205000_Posti.zip","reportedAt":"2026-06-13T03:00:00Z","final":true,"counts":{"received":3,"delivered":1,"printed":1,"alsoPrinted":0,"refused":1,"held":0,"waiting":0,"cancelled":0},"messages":[
    ]}
    "#);
}

#[test]
fn the_same_is_said_in_csv() {
    insta::assert_snapshot!(acknowledged_in(Format::Csv, &acknowledgement()), @r#"
    batch,sender,received_at,file_name,bytes,sha256
    B-0007,example-city,2026-06-12T17:50:03Z,koha_20260612205000_Posti.zip,1048576,0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    "#);
    insta::assert_snapshot!(reported_in(Format::Csv, &header(), &[delivered(), refused()]), @r#"
    batch,message,sender_letter_id,state,fit,channel,reason,decided_at,mailbox,mailbox_asked_at,delivered_at,bundle,piece,file_name,reported_at,stopped,stopped_what_to_do,findings,severities,affects,closes,places,details,what_to_do
    B-0007,,,reported,,,,,,,,,,koha_20260612205000_Posti.zip,2026-06-12T17:52:11.25Z,,,,,,,,,
    B-0007,B-0007-1,K-2026/118,delivered,both,mailbox,mailbox-active,2026-06-12T17:51:01Z,active,2026-06-12T17:51:00Z,2026-06-12T17:51:30Z,,,,,,,,,,,,,
    B-0007,B-0007-2,,refused,mailbox,,content-unusable,2026-06-12T17:51:01Z,,,,,,,,,,page-size,error,print,true,letters.pdf page 14 message 2,the page is 216 × 279 mm,Set the page size to 210 × 297 mm.
    "#);
    insta::assert_snapshot!(told(Format::Csv, &[handed_over(), returned()]), @r#"
    batch,message,sender_letter_id,channel,bundle,piece,delivered_at,read_at,acknowledged_at,unacknowledged_at,unread_at,notice_failed_at,composed_at,handed_over_at,printed_at,dispatched_at,returned_at,return_reason,unresolved_at,refused_at,held_at,cancelled_at,why,file_name,reported_at,final,findings,severities,affects,closes,places,details,what_to_do
    B-0007,,,,,,,,,,,,,,,,,,,,,,,koha_20260612205000_Posti.zip,2026-06-13T03:00:00Z,true,,,,,,,
    B-0007,B-0007-3,K-2026/119,print,P-0031,3,,,,,,,2026-06-12T17:52:00Z,2026-06-12T17:53:07Z,,,,,,,,,,,,,,,,,,,
    B-0007,B-0007-3,K-2026/119,print,P-0031,3,,,,,,,2026-06-12T17:52:00Z,2026-06-12T17:53:07Z,,,2026-06-20T08:00:00Z,R04,,,,,,,,,page-size,error,print,true,letters.pdf page 14 message 2,the page is 216 × 279 mm,Set the page size to 210 × 297 mm.
    "#);
}

#[test]
fn every_event_has_its_column() {
    for event in MessageEvent::ALL {
        let mut line = handed_over();
        line.events = vec![DeliveryEvent {
            what: event,
            at: "2026-06-20T08:00:00.123Z".parse().unwrap(),
            ..line.events.remove(0)
        }];
        let table = told(Format::Csv, &[line]);
        let [header, _, row] = table.lines().collect::<Vec<_>>()[..] else {
            panic!("{table}");
        };
        let at = row
            .split(',')
            .position(|cell| cell == "2026-06-20T08:00:00.123Z");
        let column = header.split(',').nth(at.unwrap()).unwrap();
        assert_eq!(column, format!("{}_at", event.as_str().replace('-', "_")));
    }
}

#[test]
fn several_findings_share_their_cells_and_stay_apart() {
    let mut line = refused();
    let second = Place::entry("a|b.pdf").of_message(2);
    line.findings.push(Finding::new(
        Code::DocumentMissing,
        second,
        "`a|b.pdf` is missing",
    ));
    let table = reported_in(Format::Csv, &header(), &[line]);
    assert!(
        table.contains("page-size|document-missing,error|error,print|both,true|true"),
        "{table}"
    );
    assert!(
        table.contains("letters.pdf page 14 message 2|a/b.pdf message 2"),
        "{table}"
    );
    assert!(table.contains("|`a/b.pdf` is missing"), "{table}");
}

#[test]
fn no_format_repeats_an_identity_code() {
    let code = "010190-999W";
    let named = |name: &str| format!("{name}_{code}.pdf");
    let place = Place {
        entry: Some(named("entry")),
        ..Place::message(2)
    };
    let finding = Finding {
        detail: named("detail"),
        ..Finding::new(Code::DocumentMissing, place, "")
    };
    let processing = ProcessingHeader {
        file_name: named("file"),
        stopped: Some(Stopped {
            why: named("why"),
            what_to_do: String::new(),
        }),
        findings: vec![finding.clone()],
        ..header()
    };
    let line = MessageLine {
        sender_letter_id: Some(code.into()),
        findings: vec![finding.clone()],
        ..refused()
    };
    let delivery = DeliveryLine {
        sender_letter_id: Some(code.into()),
        findings: vec![finding],
        ..returned()
    };
    let acknowledgement = Acknowledgement {
        file_name: named("file"),
        ..acknowledgement()
    };
    for format in [Format::Xml, Format::Csv, Format::Json] {
        let receipts = [
            acknowledged_in(format, &acknowledgement),
            reported_in(format, &processing, std::slice::from_ref(&line)),
            told(format, std::slice::from_ref(&delivery)),
        ];
        for receipt in receipts {
            assert!(
                receipt.contains("[hidden]") && !receipt.contains(code),
                "{receipt}"
            );
        }
    }
}

#[test]
fn a_hostile_file_name_stays_inside_its_attribute() {
    let hostile = Acknowledgement {
        file_name: "a\"/><x y='\u{1}\u{ffff}\n&amp;".to_owned(),
        ..acknowledgement()
    };
    let line = acknowledged(&hostile);
    let name = "a&quot;/&gt;&lt;x y=&apos;\u{fffd}\u{fffd}&#10;&amp;amp;";
    assert!(
        line.contains(&format!("<File name=\"{name}\" bytes=")),
        "{line}"
    );
}

#[test]
fn a_sender_who_wants_errors_only_hears_of_nothing_else() {
    let well = ProcessingHeader {
        counts: Counts::default(),
        ..header()
    };
    let level = Level::Errors;
    assert!(!level.wants_acknowledgement());
    assert!(level.wants_report(&header()) && !level.wants_report(&well));
    assert!(level.wants_message(&refused()) && !level.wants_message(&delivered()));
    assert!(Level::All.wants_report(&well) && !Level::None.wants_report(&header()));
}

#[test]
fn of_deliveries_a_sender_who_wants_errors_only_hears_what_did_not_arrive() {
    let level = Level::Errors;
    assert!(level.wants_delivery(&returned()) && !level.wants_delivery(&handed_over()));
    let unread = |why: Option<&str>| {
        let mut line = returned();
        line.events.push(DeliveryEvent {
            what: MessageEvent::Unacknowledged,
            why: why.map(str::to_owned),
            ..line.events[0].clone()
        });
        line
    };
    assert!(level.wants_delivery(&unread(Some("address-incomplete"))));
    assert!(!level.wants_delivery(&unread(None)), "it goes by post");
    assert!(Level::All.wants_delivery(&handed_over()) && !Level::None.wants_delivery(&returned()));
}

#[test]
fn the_schemas_know_every_word_that_a_receipt_can_say() {
    let words = (BatchState::ALL.map(BatchState::as_str).into_iter())
        .chain(MessageState::ALL.map(MessageState::as_str))
        .chain(MessageEvent::ALL.map(MessageEvent::as_str))
        .chain(Reason::ALL.map(Reason::as_str));
    for word in words {
        let in_xml = format!("<xs:enumeration value=\"{word}\"/>");
        assert!(XML_SCHEMA.contains(&in_xml), "{word}");
        assert!(JSON_SCHEMA.contains(&format!("\"{word}\"")), "{word}");
    }
}

#[test]
fn a_failed_write_names_the_receipt_and_the_batch() {
    let full: &mut [u8] = &mut [];
    let error = write_acknowledgement(&acknowledgement(), Format::Xml, full).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write the receipt `acknowledgement` of batch `B-0007`"
    );
}
