pub(super) mod deed;
pub(super) mod list;
mod service;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use self::{
    list::MessageLine,
    service::{PostLine, QueuedLine},
};
use super::{
    CommandError, Invocation,
    error::Outcome,
    finding_report::FindingReport,
    timer::TimerLine,
    words::{ChannelWord, Time, counted},
};
use crate::{
    domain::{Channel, Code, Language, MessageId, Reason, without_identity_codes},
    store::{MessageDeed, MessageRow},
};

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List the messages of a batch, or of all that are picked
    List(Box<list::Arguments>),
    /// Show where a message is and why
    Show {
        /// Such as `B-0007-12`
        message: MessageId,
    },
    /// Stop messages where they are, until they are released
    ///
    /// A message that stands in a bundle is taken out of it, as long as the bundle is here: the others
    /// are planned again. Of one for both channels that lies in its mailbox, the paper half is held. The
    /// sender reads the reason in its next delivery report.
    Hold(deed::Arguments),
    /// Let messages go on that an operator holds: they are routed again
    Release(deed::Arguments),
    /// Call messages off for good, as long as they have not left the house
    ///
    /// Their letter ids are free: the sender can send the letters anew. The sender reads the reason in
    /// its next delivery report.
    Cancel(deed::Arguments),
}

pub(super) fn run(
    command: &Command,
    invocation: &mut Invocation<'_>,
) -> Result<Outcome, CommandError> {
    match command {
        Command::Hold(arguments) => return deed::run(MessageDeed::Hold, arguments, invocation),
        Command::Release(arguments) => {
            return deed::run(MessageDeed::Release, arguments, invocation);
        }
        Command::Cancel(arguments) => return deed::run(MessageDeed::Cancel, arguments, invocation),
        Command::List(arguments) => list::run(arguments, invocation)?,
        Command::Show { message } => {
            let store = invocation.store()?;
            let row = store.message(*message)?;
            let mut findings = FindingReport::new(u32::MAX, Language::English);
            let found = store.message_findings(*message)?;
            for finding in &found {
                findings.add(finding);
            }
            let beside = store.messages_beside(&row)?;
            let held_why = store.message_hold(*message)?;
            if held_why.is_some() {
                let hint = format!("`kuori message release {message} --reason TEXT` lets it go on");
                invocation.output.hint(hint);
            }
            let queued = store.queued(*message)?;
            let ahead = queued.as_ref().map(|row| store.ahead_in_queue(row));
            let ahead = ahead.transpose()?.unwrap_or_default();
            let timer = store.timer(*message)?;
            let posts = store.posts_of(*message)?;
            let shown = MessageShown {
                held_why,
                timer: timer.map(|row| TimerLine::of(&row, invocation.now)),
                queued: queued.map(|row| QueuedLine::of(row, ahead)),
                at_services: posts.into_iter().map(PostLine::from).collect(),
                ..shown(&row, &beside, findings)
            };
            invocation.output.show(&shown)?;
        }
    }
    Ok(Outcome::Done)
}

/// `kuori message show`: where a message is, and why.
#[derive(Serialize, JsonSchema)]
pub(super) struct MessageShown {
    #[serde(flatten)]
    message: MessageLine,
    /// Why an operator holds it; absent where none does.
    held_why: Option<String>,
    /// Where it waits for a mailbox service; absent where it does not.
    queued: Option<QueuedLine>,
    /// As what mailbox services have it, the first one first.
    at_services: Vec<PostLine>,
    /// When it goes on paper if nobody reads or confirms it; absent where it does not.
    timer: Option<TimerLine>,
    /// The entry of the ZIP that holds its pages, but for identity codes.
    document: String,
    /// 1-based.
    first_page: u32,
    /// Its content can go to a mailbox.
    fit_for_mailbox: bool,
    fit_for_print: bool,
    /// Why an address page of ours goes in front on paper, whatever the sender's settings say: the
    /// finding `address-missing`, or the reason `address-incomplete`.
    address_page: Option<&'static str>,
    /// Pages on which something stands in colour.
    colour_pages: u32,
    /// Pages on their side are turned for print.
    turned: bool,
    /// On paper it goes against a receipt.
    registered: bool,
    /// Messages whose letters lie in the same envelope.
    in_one_envelope_with: Vec<String>,
    /// What the mailbox service or the register said: `active`, `inactive`, `withdrawn`, `unknown`.
    mailbox_status: Option<&'static str>,
    asked_at: Option<Time>,
    decided_at: Option<Time>,
    waiting_since: Option<Time>,
    delivered_at: Option<Time>,
    /// How often an operator asked for what had left the house already.
    repeats: u32,
    #[serde(flatten)]
    findings: FindingReport,
}

fn shown(row: &MessageRow, beside: &[MessageId], findings: FindingReport) -> MessageShown {
    MessageShown {
        message: row.into(),
        held_why: None,
        queued: None,
        at_services: Vec::new(),
        timer: None,
        document: without_identity_codes(&row.message.pages.document.0).into_owned(),
        first_page: row.message.pages.first,
        fit_for_mailbox: row.fitness.mailbox,
        fit_for_print: row.fitness.print,
        address_page: address_page(row),
        colour_pages: row.facts.colour_pages,
        turned: row.facts.has_landscape,
        registered: row.registered,
        in_one_envelope_with: beside.iter().map(MessageId::to_string).collect(),
        mailbox_status: row.asked.map(|asked| asked.status.as_str()),
        asked_at: row.asked.map(|asked| Time(asked.at)),
        decided_at: row.decided_at.map(Time),
        waiting_since: row.waiting_since.map(Time),
        delivered_at: row.delivered_at.map(Time),
        repeats: row.again,
        findings,
    }
}

fn address_page(row: &MessageRow) -> Option<&'static str> {
    let to_sender = Reason::AddressIncomplete;
    if row.reason == Some(to_sender) {
        return Some(to_sender.as_str());
    }
    row.facts
        .lacks_address
        .then_some(Code::AddressMissing.as_str())
}

impl fmt::Display for MessageShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (label, text) in self.rows() {
            writeln!(f, "{label:<10}{text}")?;
        }
        if self.findings.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}", self.findings)
    }
}

impl MessageShown {
    fn rows(&self) -> Vec<(&'static str, String)> {
        let line = &self.message;
        let mut rows = vec![
            ("Message", line.message.clone()),
            ("State", self.standing()),
            ("Pages", self.pages()),
        ];
        rows.extend(self.route().map(|route| ("Route", route)));
        rows.extend(self.paper().map(|paper| ("Paper", paper)));
        if let (Some(status), Some(at)) = (self.mailbox_status, self.asked_at) {
            rows.push(("Mailbox", format!("{status}, asked {at}")));
        }
        rows.extend((self.queued.as_ref()).map(|queued| ("Queue", queued.to_string())));
        if let Some(at) = self.delivered_at {
            rows.push(("Delivered", at.to_string()));
        }
        rows.extend((self.at_services.iter()).map(|post| ("Service", post.to_string())));
        rows.extend((self.timer.as_ref()).map(|timer| ("Timer", timer.to_string())));
        if let (Some(bundle), Some(piece)) = (&line.bundle, line.piece) {
            let beside = self.in_one_envelope_with.join(" ");
            let with = if beside.is_empty() {
                ""
            } else {
                ", in one envelope with "
            };
            rows.push(("Bundle", format!("{bundle}, piece {piece}{with}{beside}")));
        }
        if self.repeats > 0 {
            rows.push(("Repeats", format!("{}, asked for by name", self.repeats)));
        }
        rows
    }

    fn standing(&self) -> String {
        let state = self.message.state;
        match (&self.held_why, self.waiting_since) {
            (Some(why), _) => format!("{state} by an operator: {why}"),
            (None, Some(since)) => format!("{state}, since {since}"),
            (None, None) => state.to_string(),
        }
    }

    fn route(&self) -> Option<String> {
        let reason = self.message.reason?;
        Some(match self.message.channel {
            Some(channel) => format!("{channel} ({reason})"),
            None => format!("none ({reason})"),
        })
    }

    /// What is to be known of it on paper, unless it never gets there.
    fn paper(&self) -> Option<String> {
        let is_printed = match self.message.channel {
            Some(ChannelWord(channel)) => channel != Channel::Mailbox,
            None => self.fit_for_print,
        };
        let colour = self.colour_pages;
        let told = [
            self.address_page
                .map(|why| format!("an address page in front ({why})")),
            (colour > 0).then(|| format!("{} in colour", counted(colour.into(), "page", "pages"))),
            self.turned
                .then(|| "pages on their side are turned".to_owned()),
        ];
        let told: Vec<_> = told.into_iter().flatten().collect();
        (is_printed && !told.is_empty()).then(|| told.join(", "))
    }

    fn pages(&self) -> String {
        let (pages, first) = (self.message.pages, self.first_page);
        let registered = if self.registered { ", registered" } else { "" };
        format!(
            "{pages} from page {first} of `{}`{registered}",
            self.document
        )
    }
}
