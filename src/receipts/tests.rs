use super::*;
use crate::domain::{
    Asked, BatchId, BatchState, Channel, Code, Finding, Language, MailboxStatus, MessageId,
    MessageState, Place, Reason,
};

const SCHEMA: &str = include_str!("../../schemas/receipt.xsd");

fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        batch: BatchId(7),
        sender: "example-city".parse().unwrap(),
        file_name: "koha_20260612205000_Posti.zip".to_owned(),
        bytes: 1_048_576,
        sha256: "0123456789abcdef".repeat(4),
        received_at: "2026-06-12T17:50:03Z".parse().unwrap(),
    }
}

fn header() -> ProcessingHeader {
    ProcessingHeader {
        batch: BatchId(7),
        sender: "example-city".parse().unwrap(),
        file_name: "koha_20260612205000_Posti.zip".to_owned(),
        state: BatchState::Reported,
        reported_at: "2026-06-12T17:52:11.25Z".parse().unwrap(),
        language: Language::English,
        stopped: None,
        counts: Counts {
            received: 3,
            delivered: 1,
            printed: 1,
            refused: 1,
            ..Counts::default()
        },
        findings: Vec::new(),
    }
}

fn delivered() -> MessageLine {
    MessageLine {
        message: MessageId {
            batch: BatchId(7),
            position: 1,
        },
        sender_letter_id: Some("K-2026/118".into()),
        state: MessageState::Delivered,
        channel: Some(Channel::Mailbox),
        reason: Some(Reason::MailboxActive),
        asked: Some(Asked {
            status: MailboxStatus::Active,
            at: "2026-06-12T17:51:00Z".parse().unwrap(),
        }),
        decided_at: "2026-06-12T17:51:01Z".parse().ok(),
        delivered_at: "2026-06-12T17:51:30Z".parse().ok(),
        bundle: None,
        piece: None,
        findings: Vec::new(),
    }
}

fn refused() -> MessageLine {
    let place = Place::message(2).in_entry("letters.pdf").on_page(14);
    MessageLine {
        message: MessageId {
            batch: BatchId(7),
            position: 2,
        },
        sender_letter_id: None,
        state: MessageState::Refused,
        channel: None,
        reason: Some(Reason::ContentUnusable),
        asked: None,
        delivered_at: None,
        findings: vec![Finding::new(
            Code::PageSize,
            place,
            "the page is 216 × 279 mm",
        )],
        ..delivered()
    }
}

fn printed() -> MessageLine {
    MessageLine {
        message: MessageId {
            batch: BatchId(7),
            position: 3,
        },
        sender_letter_id: Some("K-2026/119".into()),
        state: MessageState::HandedOver,
        channel: Some(Channel::Print),
        reason: Some(Reason::NoRecipientId),
        asked: None,
        delivered_at: None,
        bundle: "P-0031".parse().ok(),
        piece: Some(3),
        ..delivered()
    }
}

fn acknowledged(acknowledgement: &Acknowledgement) -> String {
    let mut out = Vec::new();
    write_acknowledgement(acknowledgement, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn reported(header: &ProcessingHeader, lines: &[MessageLine]) -> String {
    let mut report = ProcessingReport::begin(header, Vec::new()).unwrap();
    for line in lines {
        report.message(line).unwrap();
    }
    String::from_utf8(report.finish().unwrap()).unwrap()
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
        <Message id="B-0007-1" senderLetterId="K-2026/118" state="delivered" channel="mailbox" reason="mailbox-active" decidedAt="2026-06-12T17:51:01Z" deliveredAt="2026-06-12T17:51:30Z">
          <Mailbox status="active" askedAt="2026-06-12T17:51:00Z"/>
        </Message>
        <Message id="B-0007-2" state="refused" reason="content-unusable" decidedAt="2026-06-12T17:51:01Z">
          <Finding code="page-size" severity="error" entry="letters.pdf" message="2" page="14">
            <Detail>the page is 216 × 279 mm</Detail>
            <WhatToDo>Set the page size to 210 × 297 mm.</WhatToDo>
          </Finding>
        </Message>
        <Message id="B-0007-3" senderLetterId="K-2026/119" state="handed-over" channel="print" reason="no-recipient-id" decidedAt="2026-06-12T17:51:01Z" bundle="P-0031" piece="3"/>
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
      <Finding code="archive-unreadable" severity="error">
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
fn the_schema_knows_every_word_that_a_receipt_can_say() {
    let words = (BatchState::ALL.map(BatchState::as_str).into_iter())
        .chain(MessageState::ALL.map(MessageState::as_str))
        .chain(Reason::ALL.map(Reason::as_str));
    for word in words {
        assert!(
            SCHEMA.contains(&format!("<xs:enumeration value=\"{word}\"/>")),
            "{word}"
        );
    }
}

#[test]
fn a_failed_write_names_the_receipt_and_the_batch() {
    let full: &mut [u8] = &mut [];
    let error = write_acknowledgement(&acknowledgement(), full).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write the receipt `acknowledgement` of batch `B-0007`"
    );
}
