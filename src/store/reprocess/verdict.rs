//! What reprocessing does to messages, by all that decides it.

use super::{Again, Kind};
use crate::{
    domain::{BundleId, Channel, IllegalMove, MessageState, Step},
    store::mailbox_queue::InQueue,
};

/// All of a message that decides what becomes of it. Messages that have it in common are one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    pub(super) state: MessageState,
    pub(super) channel: Option<Channel>,
    pub(super) bundle: Option<BundleId>,
    /// By its row, whatever its state is: one that was held or printed later lies there still.
    pub(super) is_in_mailbox: bool,
    /// A mailbox has had it: also where it was set back since, by name, and its row tells nothing.
    pub(super) was_delivered: bool,
    /// A print house has had it, whatever its state is by now.
    pub(super) was_printed: bool,
    /// Its letter id belongs to another message by now.
    pub(super) was_sent_anew: bool,
    /// Where it stands in the queue of a mailbox service.
    pub(super) in_queue: Option<InQueue>,
    /// An operator holds it, and releases it.
    pub(super) is_on_hold: bool,
    /// What the rows said of its recipient is gone, since somebody asked for that.
    pub(super) is_erased: bool,
}

/// What decides it beside the messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    pub(super) from: Step,
    pub(super) forced: Option<Channel>,
    pub(super) again: Again,
    /// The delivery of the batch has begun and not ended.
    pub(super) is_delivering: bool,
    /// Single messages are named; what nobody names stays held by its operator, called off, or erased.
    pub(super) are_named: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Moves {
        to: MessageState,
        delivers_again: bool,
        prints_again: bool,
    },
    /// The step is not for it.
    PassedOver,
    Blocked(Hindrance),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hindrance {
    Delivered,
    MayBeDelivered,
    Printed,
    SentAnew,
    HandingOver(BundleId),
    Sending,
    OnHold,
    Erased,
    Illegal(IllegalMove),
}

/// `is_handing_over` is asked of the bundle that the message is in.
pub(super) fn of(standing: &Standing, terms: Terms, is_handing_over: bool) -> Verdict {
    let Some(to) = standing.before(terms.from) else {
        return Verdict::PassedOver;
    };
    // First what no `--print-again` can help.
    let lasting = match standing.state.move_to(to) {
        Err(illegal) => Some(Hindrance::Illegal(illegal)),
        Ok(_) if standing.is_on_hold => Some(Hindrance::OnHold),
        Ok(_) => standing.is_erased.then_some(Hindrance::Erased),
    };
    match lasting {
        Some(lasting) if terms.are_named => return Verdict::Blocked(lasting),
        Some(_) => return Verdict::PassedOver,
        None => {}
    }
    match standing.hindrance(terms, is_handing_over) {
        Some(hindrance) => Verdict::Blocked(hindrance),
        None => Verdict::Moves {
            to,
            delivers_again: standing.is_delivered_again(terms),
            prints_again: standing.is_printed_again(terms),
        },
    }
}

impl Standing {
    /// The state in which `step` is next for this message; `None` where the step is not for it.
    pub(super) fn before(&self, step: Step) -> Option<MessageState> {
        let uses = |of: fn(Channel) -> bool| self.channel.is_some_and(of);
        match step {
            Step::Open | Step::Route => Some(MessageState::Accepted),
            Step::Deliver => uses(Channel::uses_mailbox).then_some(MessageState::Routed),
            // Before its mailbox half is done, composing is not the next step for it anyway.
            Step::Compose if self.channel == Some(Channel::MailboxAndPrint) => {
                self.is_in_mailbox.then_some(MessageState::Delivered)
            }
            Step::Compose => uses(Channel::uses_print).then_some(MessageState::Routed),
            Step::Report => None,
        }
    }

    pub(super) fn kind(&self, to: MessageState, from: Step) -> Kind {
        Kind {
            state: self.state,
            channel: self.channel,
            is_in_mailbox: self.is_in_mailbox,
            to,
            leaves_mailbox: self.is_in_mailbox && from < Step::Compose,
        }
    }

    /// For each of [`Step::ALL`], whether it makes sense for this message.
    pub(super) fn possible(&self) -> [bool; 5] {
        Step::ALL.map(|step| {
            let before = self.before(step);
            before.is_some_and(|to| self.state.move_to(to).is_ok())
        })
    }

    /// Whether its live bundle has to be taken back before it moves.
    pub(super) fn is_bundled(&self) -> bool {
        matches!(
            self.state,
            MessageState::Composed | MessageState::Routed | MessageState::Delivered
        )
    }

    /// What has left the house is not sent again unless the operator says so by name.
    fn hindrance(&self, terms: Terms, is_handing_over: bool) -> Option<Hindrance> {
        let Terms { again, forced, .. } = terms;
        let may_print = again.print;
        let may_deliver = again.deliver;
        if self.in_queue == Some(InQueue::Sending) {
            return Some(Hindrance::Sending);
        }
        if self.is_delivered_again(terms) && !may_deliver {
            return Some(Hindrance::Delivered);
        }
        if forced == Some(Channel::Print) && self.was_delivered && !may_print {
            return Some(Hindrance::Delivered);
        }
        if self.may_be_printed_too(terms) && !may_print {
            return Some(Hindrance::MayBeDelivered);
        }
        if self.was_sent_anew {
            return Some(Hindrance::SentAnew);
        }
        if forced == Some(Channel::Mailbox) && self.was_printed && !may_deliver {
            return Some(Hindrance::Printed);
        }
        if self.would_reprint(terms) && !may_print {
            return Some(Hindrance::Printed);
        }
        match (self.state, self.bundle) {
            (MessageState::Composed, Some(bundle)) if is_handing_over => {
                Some(Hindrance::HandingOver(bundle))
            }
            _ => None,
        }
    }

    fn is_delivered_again(&self, terms: Terms) -> bool {
        self.was_delivered && terms.from < Step::Compose && terms.forced != Some(Channel::Print)
    }

    fn is_printed_again(&self, terms: Terms) -> bool {
        let from_mailbox = terms.forced == Some(Channel::Print) && self.was_delivered;
        from_mailbox || self.may_be_printed_too(terms) || self.would_reprint(terms)
    }

    /// No row tells yet whether the mailbox has it, and it may go on paper. A service that is sent it
    /// once more tells that it has it: there is no danger in that.
    fn may_be_printed_too(&self, terms: Terms) -> bool {
        let is_in_doubt = self.in_queue == Some(InQueue::InDoubt);
        match terms.forced {
            Some(Channel::Print) => is_in_doubt || self.may_be_in_mailbox(terms),
            Some(Channel::Mailbox) => false,
            Some(Channel::MailboxAndPrint) | None => is_in_doubt && terms.from <= Step::Route,
        }
    }

    /// Its own steps, or another routing, can bring it onto paper once more.
    fn would_reprint(&self, terms: Terms) -> bool {
        let is_routed_again = terms.from <= Step::Route;
        let uses_print = self.channel.is_some_and(Channel::uses_print);
        self.was_printed
            && terms.forced != Some(Channel::Mailbox)
            && (is_routed_again || uses_print)
    }

    /// No row tells yet whether the mailbox has it.
    fn may_be_in_mailbox(&self, terms: Terms) -> bool {
        let uses_mailbox = self.channel.is_some_and(Channel::uses_mailbox);
        terms.is_delivering && uses_mailbox && !self.was_delivered
    }
}
