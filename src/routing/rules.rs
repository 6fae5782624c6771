use jiff::Timestamp;

use super::{IncompleteAddress, Policy, Question};
use crate::domain::{Channel, Decision, Fitness, MailboxStatus, Reason, Route, StatedRecipient};

/// Chooses a message's way at `now`. The first rule of `docs/routing.md` that matches decides.
///
/// Every message gets an answer. One that is to be printed and cannot be is refused; so is one
/// that would go both ways, because its sender said that the mailbox alone will not do.
pub fn decide(question: &Question<'_>, policy: &Policy, now: Timestamp) -> Decision {
    let without_asking = rule_without_status(question);
    let asked = question.status.filter(|_| without_asking.is_none());
    let ruling = without_asking.unwrap_or_else(|| {
        let status = policy.current(question.status, now);
        rule_by_status(question, policy, status, now)
    });
    let Ruling { route, reason } = settled(ruling, question, policy);
    Decision {
        route,
        reason,
        asked,
        registered: uses_print(route) && question.is_verifiable(),
    }
}

/// Whether somebody must be asked about the recipient's mailbox before [`decide`] can answer.
///
/// No, where the answer is known and fresh, and where it would change nothing: nobody is told
/// about a recipient without need.
pub fn needs_status(question: &Question<'_>, policy: &Policy, now: Timestamp) -> bool {
    rule_without_status(question).is_none()
        && policy.current(question.status, now) == MailboxStatus::Unknown
        && status_matters(question, policy)
}

/// Whether the service that prints may be left to choose between mailbox and paper, so that nobody
/// but the register is asked.
///
/// Not where both ways are not open alike, where somebody has chosen, and where the way is to be
/// known here: a letter of verifiable service is printed when nobody has confirmed it.
pub fn service_may_choose(question: &Question<'_>, policy: &Policy) -> bool {
    let either = Ruling::to(Channel::Print, Reason::ServiceChooses);
    policy.service_chooses
        && question.forced.is_none()
        && question.fitness.mailbox
        && !question.message.deny_electronic_only
        && !question.is_verifiable()
        && rule_without_status(question).is_none()
        && settled(either, question, policy).reason == Reason::ServiceChooses
}

/// A route and why, before and after it is known whether it can be printed.
#[derive(Clone, Copy)]
struct Ruling {
    route: Route,
    reason: Reason,
}

impl Ruling {
    fn to(channel: Channel, reason: Reason) -> Self {
        Self {
            route: Route::To(channel),
            reason,
        }
    }

    fn refused(reason: Reason) -> Self {
        Self {
            route: Route::Refused,
            reason,
        }
    }
}

/// The rules that need no mailbox status, in their order.
fn rule_without_status(question: &Question<'_>) -> Option<Ruling> {
    if question.fitness == Fitness::NEITHER {
        return Some(Ruling::refused(Reason::ContentUnusable));
    }
    if question.sender_wants_print() {
        return Some(Ruling::to(Channel::Print, Reason::SenderWantsPrint));
    }
    if question.forced == Some(Channel::Print) && question.recipient() != &StatedRecipient::Invalid
    {
        return Some(Ruling::to(Channel::Print, Reason::OperatorChose));
    }
    if question.matter_is_print_only {
        return Some(Ruling::to(Channel::Print, Reason::MatterIsPrintOnly));
    }
    match question.recipient() {
        StatedRecipient::Absent => Some(Ruling::to(Channel::Print, Reason::NoRecipientId)),
        // Never printed instead: an id with a slip in it may go with somebody else's address.
        StatedRecipient::Invalid => Some(Ruling::refused(Reason::RecipientIdInvalid)),
        StatedRecipient::Valid(_) => None,
    }
}

/// The rules that follow from the mailbox status.
fn rule_by_status(
    question: &Question<'_>,
    policy: &Policy,
    status: MailboxStatus,
    now: Timestamp,
) -> Ruling {
    match status {
        MailboxStatus::Active => rule_for_active(question),
        MailboxStatus::Inactive => Ruling::to(Channel::Print, Reason::MailboxInactive),
        MailboxStatus::Withdrawn => Ruling::to(Channel::Print, Reason::ConsentWithdrawn),
        MailboxStatus::Unknown => rule_for_unknown(question, policy, now),
    }
}

fn rule_for_active(question: &Question<'_>) -> Ruling {
    if !question.fitness.mailbox {
        return Ruling::to(Channel::Print, Reason::TooLargeForMailbox);
    }
    let channel = if question.message.deny_electronic_only {
        Channel::MailboxAndPrint
    } else {
        Channel::Mailbox
    };
    Ruling::to(channel, Reason::MailboxActive)
}

fn rule_for_unknown(question: &Question<'_>, policy: &Policy, now: Timestamp) -> Ruling {
    if service_may_choose(question, policy) {
        return Ruling::to(Channel::Print, Reason::ServiceChooses);
    }
    if !question.fitness.mailbox {
        return Ruling::to(Channel::Print, Reason::TooLargeForMailbox);
    }
    let ask_again = policy
        .ask_again_at(question.waiting_since, now)
        .filter(|_| status_matters(question, policy));
    let route = ask_again.map_or(Route::To(Channel::Print), |until| Route::Wait { until });
    Ruling {
        route,
        reason: Reason::StatusUnknown,
    }
}

/// Whether an active mailbox and no mailbox would lead to different routes.
fn status_matters(question: &Question<'_>, policy: &Policy) -> bool {
    let none = Ruling::to(Channel::Print, Reason::MailboxInactive);
    let active = settled(rule_for_active(question), question, policy);
    active.route != settled(none, question, policy).route
}

/// The ruling, where it is that of the operator too, and can be carried out.
fn settled(ruling: Ruling, question: &Question<'_>, policy: &Policy) -> Ruling {
    let ruling = match (question.forced, ruling.route) {
        // The mailbox or nothing: the reason says what stood in the way.
        (Some(Channel::Mailbox), Route::To(Channel::Print)) => Ruling::refused(ruling.reason),
        (Some(Channel::Mailbox), Route::To(channel)) => Ruling::to(channel, Reason::OperatorChose),
        _ => ruling,
    };
    with_print_possible(ruling, question, policy)
}

/// Replaces a ruling that needs print by a refusal where print is not possible.
fn with_print_possible(ruling: Ruling, question: &Question<'_>, policy: &Policy) -> Ruling {
    if !uses_print(ruling.route) {
        return ruling;
    }
    if question.sender_wants_mailbox() {
        return Ruling::refused(Reason::SenderWantsMailboxOnly);
    }
    if !question.fitness.print {
        return Ruling::refused(Reason::ContentUnusable);
    }
    if !policy.print_contract {
        return Ruling::refused(Reason::NoPrintContract);
    }
    if question.address_is_complete() {
        return ruling;
    }
    match policy.incomplete_address {
        IncompleteAddress::Refuse => Ruling::refused(Reason::AddressIncomplete),
        IncompleteAddress::UseSendersAddress => Ruling {
            reason: Reason::AddressIncomplete,
            ..ruling
        },
    }
}

fn uses_print(route: Route) -> bool {
    matches!(route, Route::To(channel) if channel.uses_print())
}
