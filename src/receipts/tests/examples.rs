//! A batch of three messages: one delivered, one refused, one printed.

use crate::{
    domain::{
        Asked, BatchId, BatchState, Channel, Code, Finding, Fitness, Language, MailboxStatus,
        MessageEvent, MessageId, MessageState, Place, Reason,
    },
    receipts::{
        Acknowledgement, Counts, DeliveryEvent, DeliveryHeader, DeliveryLine, MessageLine,
        ProcessingHeader,
    },
};

pub(super) fn acknowledgement() -> Acknowledgement {
    Acknowledgement {
        batch: BatchId(7),
        sender: "example-city".parse().unwrap(),
        file_name: "koha_20260612205000_Posti.zip".to_owned(),
        bytes: 1_048_576,
        sha256: "0123456789abcdef".repeat(4),
        received_at: "2026-06-12T17:50:03Z".parse().unwrap(),
    }
}

pub(super) fn header() -> ProcessingHeader {
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

pub(super) fn delivered() -> MessageLine {
    MessageLine {
        message: MessageId {
            batch: BatchId(7),
            position: 1,
        },
        sender_letter_id: Some("K-2026/118".into()),
        state: MessageState::Delivered,
        fitness: Fitness::BOTH,
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

pub(super) fn refused() -> MessageLine {
    let place = Place::message(2).in_entry("letters.pdf").on_page(14);
    MessageLine {
        message: MessageId {
            batch: BatchId(7),
            position: 2,
        },
        sender_letter_id: None,
        state: MessageState::Refused,
        fitness: Fitness {
            mailbox: true,
            print: false,
        },
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

pub(super) fn printed() -> MessageLine {
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

pub(super) fn handed_over() -> DeliveryLine {
    let event = |what, at: &str| DeliveryEvent {
        what,
        at: at.parse().unwrap(),
        bundle: "P-0031".parse().ok(),
        piece: Some(3),
        reason: None,
        why: None,
    };
    DeliveryLine {
        message: printed().message,
        sender_letter_id: printed().sender_letter_id,
        channel: printed().channel,
        events: vec![
            event(MessageEvent::Composed, "2026-06-12T17:52:00Z"),
            event(MessageEvent::HandedOver, "2026-06-12T17:53:07Z"),
        ],
        is_stopped: false,
        findings: Vec::new(),
    }
}

pub(super) fn returned() -> DeliveryLine {
    let mut line = handed_over();
    line.events.push(DeliveryEvent {
        what: MessageEvent::Returned,
        at: "2026-06-20T08:00:00Z".parse().unwrap(),
        bundle: None,
        piece: None,
        reason: Some("R04".to_owned()),
        why: None,
    });
    line.findings = refused().findings;
    line
}

pub(super) fn delivery_header() -> DeliveryHeader {
    DeliveryHeader {
        batch: BatchId(7),
        sender: header().sender,
        file_name: header().file_name,
        reported_at: "2026-06-13T03:00:00Z".parse().unwrap(),
        language: Language::English,
        is_final: true,
        counts: header().counts,
    }
}
