use std::{cmp::Reverse, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    batch::{self, OpenedMessage},
    cli::words::counted,
    domain::{
        Affects, Asked, Channel, Code, Decision, MailboxStatus, Reason, Route, ServiceKind,
        StatedRecipient, expected_sheets,
    },
    pipeline::{Gate, SenderSettings},
    routing::{self, Policy, Question},
};

/// By which rules it is told what would become of a message.
pub(super) struct Rules {
    pub(super) gate: Gate,
    policy: Policy,
    service: ServiceKind,
    paper: batch::Paper,
    now: Timestamp,
}

impl Rules {
    /// Those that hold where a sender's settings say nothing.
    pub(super) fn ordinary(now: Timestamp) -> Self {
        Self {
            gate: Gate::default(),
            policy: Policy::default(),
            service: ServiceKind::default(),
            paper: batch::Paper::default(),
            now,
        }
    }

    pub(super) fn of(sender: &SenderSettings, paper: batch::Paper, now: Timestamp) -> Self {
        Self {
            gate: sender.gate,
            policy: sender.policy(),
            service: sender.service,
            paper,
            now,
        }
    }

    /// How a message would go to a recipient with such a mailbox.
    fn decide(&self, message: &OpenedMessage, status: MailboxStatus) -> Decision {
        let at = self.now;
        let question = Question {
            message: &message.message,
            fitness: message.fitness,
            status: Some(Asked { status, at }),
            // The file name's wish stands in the message already.
            batch_print_only: false,
            matter_is_print_only: false,
            waiting_since: None,
            forced: None,
        };
        routing::decide(&question, &self.policy, self.now)
    }
}

/// What would become of the messages of a batch.
#[derive(Serialize, JsonSchema, Default)]
pub(super) struct Verdict {
    /// Messages that go one way or the other.
    pub(super) accepted: u64,
    /// Messages that are accepted where the recipient has a mailbox, and refused where not.
    pub(super) accepted_with_mailbox: u64,
    pub(super) refused: u64,
    /// Of the refused, those whose own content leaves no way.
    #[serde(skip)]
    pub(super) unfit: u64,
    channels: Channels,
    paper: Paper,
}

/// What the messages that can be printed would be on paper, if all were.
#[derive(Serialize, JsonSchema, Default)]
struct Paper {
    /// Address pages among them.
    sheets: u64,
    /// Pages of messages on which something stands in colour.
    colour_pages: u64,
    /// Messages in front of which an address page of ours goes, since nothing stands in the
    /// envelope's window.
    added_address_pages: u64,
}

#[derive(Serialize, JsonSchema, Default)]
struct Channels {
    mailbox: ChannelVerdict,
    print: ChannelVerdict,
}

/// Which messages can go this way.
#[derive(Serialize, JsonSchema, Default)]
struct ChannelVerdict {
    /// Messages that go this way, to the mailbox where the recipient has one.
    open: u64,
    closed: u64,
    /// Why, the most frequent first; several codes can close the same message.
    closed_by: Vec<Closing>,
}

#[derive(Serialize, JsonSchema)]
struct Closing {
    /// A finding's code, or else a reason of docs/routing.md.
    code: &'static str,
    messages: u64,
}

impl Verdict {
    pub(super) fn count(&mut self, message: &mut OpenedMessage, rules: &Rules) {
        if rules.service == ServiceKind::Verifiable {
            message.message.service = ServiceKind::Verifiable;
        }
        let with = rules.decide(message, MailboxStatus::Active);
        let without = rules.decide(message, MailboxStatus::Inactive);
        let field = match (with.route, without.route) {
            (Route::Refused, _) => &mut self.refused,
            (_, Route::Refused) => &mut self.accepted_with_mailbox,
            _ => &mut self.accepted,
        };
        *field += 1;
        self.unfit += u64::from(message.is_refused());
        let Channels { mailbox, print } = &mut self.channels;
        let closes = |code: Code| code.closes().is_some_and(|closed| closed != Affects::Print);
        // Without an id no mailbox is found, whatever else keeps the letter from paper.
        let with = match message.message.recipient.id {
            StatedRecipient::Absent => Decision {
                reason: Reason::NoRecipientId,
                ..with
            },
            StatedRecipient::Valid(_) | StatedRecipient::Invalid => with,
        };
        mailbox.count(message, closes, &with, Channel::Mailbox);
        let closes = |code: Code| {
            code.closes()
                .is_some_and(|closed| closed != Affects::Mailbox)
        };
        if print.count(message, closes, &without, Channel::Print) {
            self.paper.add(message, &rules.paper);
        }
    }

    /// Puts the codes that close most messages first, once all are counted.
    pub(super) fn sort(&mut self) {
        for channel in [&mut self.channels.mailbox, &mut self.channels.print] {
            let most_first = |closing: &Closing| Reverse(closing.messages);
            channel.closed_by.sort_by_key(most_first);
        }
    }

    /// The batch as a whole is refused, whatever its messages are worth.
    pub(super) fn refuse(&mut self, messages: u64) {
        (self.accepted, self.accepted_with_mailbox) = (0, 0);
        self.refused = messages;
    }
}

fn goes(route: Route, channel: Channel) -> bool {
    match route {
        Route::To(Channel::MailboxAndPrint) => true,
        Route::To(chosen) => chosen == channel,
        Route::Wait { .. } | Route::Refused => false,
    }
}

impl Paper {
    fn add(&mut self, message: &OpenedMessage, paper: &batch::Paper) {
        let facts = message.facts;
        let duplex = message.message.duplex.unwrap_or(paper.duplex);
        let address_page = paper.address_page || facts.lacks_address;
        let sheets = expected_sheets(message.message.pages.count, duplex, address_page);
        self.sheets += u64::from(sheets);
        self.colour_pages += u64::from(facts.colour_pages);
        self.added_address_pages += u64::from(facts.lacks_address);
    }
}

impl ChannelVerdict {
    /// Takes a message into account that goes as `decision` says. Returns whether it can go this way.
    fn count(
        &mut self,
        message: &OpenedMessage,
        closes: impl Fn(Code) -> bool,
        decision: &Decision,
        channel: Channel,
    ) -> bool {
        if goes(decision.route, channel) {
            self.open += 1;
            return true;
        }
        self.closed += 1;
        let mut told: Vec<Code> = Vec::new();
        for finding in &message.findings {
            if closes(finding.code) && !told.contains(&finding.code) {
                told.push(finding.code);
                self.blame(finding.code.as_str());
            }
        }
        if told.is_empty() {
            self.blame(decision.reason.as_str());
        }
        false
    }

    fn blame(&mut self, code: &'static str) {
        match self.closed_by.iter_mut().find(|known| known.code == code) {
            Some(known) => known.messages += 1,
            None => self.closed_by.push(Closing { code, messages: 1 }),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Mailbox   {}", self.channels.mailbox)?;
        writeln!(f, "Print     {}", self.channels.print)
    }
}

/// `18 of 20 letters can go; 2 closed by page-size (1), recipient-id-invalid (1)`
impl fmt::Display for ChannelVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = counted(self.open + self.closed, "letter", "letters");
        write!(f, "{} of {letters} can go", self.open)?;
        match self.closed_by.as_slice() {
            [] => Ok(()),
            [only] => write!(f, "; {} closed by {}", self.closed, only.code),
            several => {
                let told: Vec<_> = several.iter().map(ToString::to_string).collect();
                write!(f, "; {} closed by {}", self.closed, told.join(", "))
            }
        }
    }
}

impl fmt::Display for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.code, self.messages)
    }
}
