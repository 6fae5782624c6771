//! Messages with all that is known of them.

use jiff::Timestamp;

use crate::{
    domain::{
        Asked, Channel, ChannelWish, Decision, DocumentName, Fitness, MailboxStatus, Message,
        PageRange, PostalAddress, Recipient, ServiceKind, StatedRecipient,
    },
    routing::{Policy, Question, decide, needs_status},
};

pub(super) const ONLY_PRINT: Fitness = Fitness {
    mailbox: false,
    print: true,
};
pub(super) const ONLY_MAILBOX: Fitness = Fitness {
    mailbox: true,
    print: false,
};

/// One message with all that is known of it: everything in order, mailbox not asked about.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) message: Message,
    pub(super) fitness: Fitness,
    pub(super) status: Option<Asked>,
    pub(super) batch_print_only: bool,
    pub(super) matter_is_print_only: bool,
    pub(super) waiting_since: Option<Timestamp>,
    pub(super) forced: Option<Channel>,
    pub(super) policy: Policy,
}

impl Case {
    pub(super) fn new() -> Self {
        Self {
            message: message(),
            fitness: Fitness::BOTH,
            status: None,
            batch_print_only: false,
            matter_is_print_only: false,
            waiting_since: None,
            forced: None,
            policy: Policy::default(),
        }
    }

    pub(super) fn mailbox(status: MailboxStatus) -> Self {
        Self::new().with(|case| case.status = Some(Asked { status, at: now() }))
    }

    pub(super) fn active() -> Self {
        Self::mailbox(MailboxStatus::Active)
    }

    pub(super) fn inactive() -> Self {
        Self::mailbox(MailboxStatus::Inactive)
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(super) fn question(&self) -> Question<'_> {
        Question {
            message: &self.message,
            fitness: self.fitness,
            status: self.status,
            batch_print_only: self.batch_print_only,
            matter_is_print_only: self.matter_is_print_only,
            waiting_since: self.waiting_since,
            forced: self.forced,
        }
    }

    pub(super) fn decide(&self) -> Decision {
        decide(&self.question(), &self.policy, now())
    }

    pub(super) fn needs_status(&self) -> bool {
        needs_status(&self.question(), &self.policy, now())
    }
}

pub(super) fn now() -> Timestamp {
    at(1_000_000)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(super) fn message() -> Message {
    Message {
        position: 1,
        sender_letter_id: None,
        recipient: Recipient {
            id: StatedRecipient::Valid("010190Y900P".parse().unwrap()),
            address: address(),
        },
        pages: PageRange {
            document: DocumentName("letters.pdf".to_owned()),
            first: 1,
            count: 2,
        },
        subject: None,
        body: None,
        service: ServiceKind::Ordinary,
        wish: ChannelWish::Any,
        deny_electronic_only: false,
        deny_electronic_copy: false,
        colour: None,
        duplex: None,
        postage: None,
        matter: None,
        attachments: Vec::new(),
    }
}

pub(super) fn address() -> PostalAddress {
    PostalAddress {
        name: Some("Maija Mallikas".into()),
        street: Some("Mallikatu 1".into()),
        postal_code: Some("00100".into()),
        city: Some("Helsinki".into()),
        ..PostalAddress::default()
    }
}
