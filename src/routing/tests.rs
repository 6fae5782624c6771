//! The rules, one by one.

mod case;
mod every_case;

use self::case::{Case, ONLY_MAILBOX, ONLY_PRINT, at, now};
use super::{IncompleteAddress, service_may_choose};
use crate::domain::{
    Asked, Channel, ChannelWish, Fitness, MailboxStatus, Reason, Route, ServiceKind,
    StatedRecipient,
};

#[track_caller]
fn check(case: &Case, route: Route, reason: Reason) {
    let decision = case.decide();
    assert_eq!(
        (decision.route, decision.reason),
        (route, reason),
        "{case:?}"
    );
}

const MAILBOX: Route = Route::To(Channel::Mailbox);
const PRINT: Route = Route::To(Channel::Print);
const BOTH: Route = Route::To(Channel::MailboxAndPrint);
const REFUSED: Route = Route::Refused;

#[test]
fn rule_1_content_fit_for_neither_channel_is_refused() {
    let unusable = Case::active().with(|case| case.fitness = Fitness::NEITHER);
    check(&unusable, REFUSED, Reason::ContentUnusable);
    let also_print_only = unusable.with(|case| case.batch_print_only = true);
    check(&also_print_only, REFUSED, Reason::ContentUnusable);
}

#[test]
fn rule_3_a_sender_who_wants_print_gets_print_though_the_mailbox_is_active() {
    let wants: [fn(&mut Case); 3] = [
        |case| case.message.wish = ChannelWish::PrintOnly,
        |case| case.batch_print_only = true,
        |case| {
            case.message.deny_electronic_only = true;
            case.message.deny_electronic_copy = true;
        },
    ];
    for want in wants {
        check(&Case::active().with(want), PRINT, Reason::SenderWantsPrint);
    }
    let matter = Case::active().with(|case| case.matter_is_print_only = true);
    check(&matter, PRINT, Reason::MatterIsPrintOnly);
}

#[test]
fn rule_4_without_a_recipient_id_the_letter_is_printed() {
    let absent = Case::new().with(|case| case.message.recipient.id = StatedRecipient::Absent);
    check(&absent, PRINT, Reason::NoRecipientId);
}

#[test]
fn rule_5_a_wrong_recipient_id_is_refused_and_never_printed() {
    let invalid = Case::new().with(|case| case.message.recipient.id = StatedRecipient::Invalid);
    check(&invalid, REFUSED, Reason::RecipientIdInvalid);
}

#[test]
fn rule_6_an_active_mailbox_gets_the_message_and_paper_goes_too_where_it_must() {
    check(&Case::active(), MAILBOX, Reason::MailboxActive);
    let both = Case::active().with(|case| case.message.deny_electronic_only = true);
    check(&both, BOTH, Reason::MailboxActive);
    let no_copy = Case::active().with(|case| case.message.deny_electronic_copy = true);
    check(&no_copy, MAILBOX, Reason::MailboxActive);
}

#[test]
fn rule_6_a_business_is_treated_as_a_person_is() {
    let business = Case::active().with(|case| {
        case.message.recipient.id = StatedRecipient::Valid("2077474-0".parse().unwrap());
    });
    check(&business, MAILBOX, Reason::MailboxActive);
}

#[test]
fn rule_7_what_is_too_large_for_the_mailbox_is_printed() {
    let large = Case::active().with(|case| case.fitness = ONLY_PRINT);
    check(&large, PRINT, Reason::TooLargeForMailbox);
    let not_asked = Case::new().with(|case| case.fitness = ONLY_PRINT);
    check(&not_asked, PRINT, Reason::TooLargeForMailbox);
}

#[test]
fn rule_8_without_a_mailbox_the_letter_is_printed() {
    check(&Case::inactive(), PRINT, Reason::MailboxInactive);
    let withdrawn = Case::mailbox(MailboxStatus::Withdrawn);
    check(&withdrawn, PRINT, Reason::ConsentWithdrawn);
}

#[test]
fn rule_9_an_unknown_mailbox_is_waited_for_until_the_patience_is_over() {
    let unknown = Case::mailbox(MailboxStatus::Unknown).with(|case| {
        case.policy.ask_again_secs = 600;
        case.policy.patience_secs = 1_000;
    });
    let wait = |second| Route::Wait { until: at(second) };
    check(&unknown, wait(1_000_600), Reason::StatusUnknown);

    let since = |second| {
        unknown
            .clone()
            .with(|case| case.waiting_since = Some(at(second)))
    };
    check(&since(999_500), wait(1_000_500), Reason::StatusUnknown);
    check(&since(999_001), wait(1_000_001), Reason::StatusUnknown);
    check(&since(999_000), PRINT, Reason::StatusUnknown);
}

#[test]
fn an_answer_is_believed_for_its_age_and_not_a_second_longer() {
    let asked_at = |second| {
        Case::active().with(|case| {
            case.policy.status_max_age_secs = 3_600;
            case.status = Some(Asked {
                status: MailboxStatus::Active,
                at: at(second),
            });
        })
    };
    check(&asked_at(996_400), MAILBOX, Reason::MailboxActive);
    assert_eq!(asked_at(996_399).decide().reason, Reason::StatusUnknown);
    check(&asked_at(1_003_600), MAILBOX, Reason::MailboxActive);
    assert_eq!(asked_at(1_003_601).decide().reason, Reason::StatusUnknown);
}

#[test]
fn print_without_a_contract_is_refused() {
    let no_contract = |case: &mut Case| case.policy.print_contract = false;
    let inactive = Case::inactive().with(no_contract);
    check(&inactive, REFUSED, Reason::NoPrintContract);
    check(
        &Case::active().with(no_contract),
        MAILBOX,
        Reason::MailboxActive,
    );
    let both = Case::active()
        .with(no_contract)
        .with(|case| case.message.deny_electronic_only = true);
    check(&both, REFUSED, Reason::NoPrintContract);
}

#[test]
fn print_without_a_full_address_is_refused_or_goes_to_the_sender() {
    let no_street = Case::inactive().with(|case| case.message.recipient.address.street = None);
    check(&no_street, REFUSED, Reason::AddressIncomplete);
    let to_sender = no_street
        .with(|case| case.policy.incomplete_address = IncompleteAddress::UseSendersAddress);
    check(&to_sender, PRINT, Reason::AddressIncomplete);
}

#[test]
fn print_of_content_that_only_a_mailbox_can_take_is_refused() {
    let inactive = Case::inactive().with(|case| case.fitness = ONLY_MAILBOX);
    check(&inactive, REFUSED, Reason::ContentUnusable);
    let active = Case::active().with(|case| case.fitness = ONLY_MAILBOX);
    check(&active, MAILBOX, Reason::MailboxActive);
}

#[test]
fn a_sender_who_wants_the_mailbox_only_never_gets_paper() {
    let only = |case: &mut Case| case.message.wish = ChannelWish::MailboxOnly;
    check(&Case::active().with(only), MAILBOX, Reason::MailboxActive);
    let refused = [
        Case::inactive(),
        Case::active().with(|case| case.fitness = ONLY_PRINT),
        Case::new().with(|case| case.message.recipient.id = StatedRecipient::Absent),
        Case::active().with(|case| case.batch_print_only = true),
        Case::active().with(|case| case.message.deny_electronic_only = true),
    ];
    for case in refused {
        check(&case.with(only), REFUSED, Reason::SenderWantsMailboxOnly);
    }
}

#[test]
fn a_verifiable_letter_is_registered_on_paper_only() {
    let verifiable = |case: &mut Case| case.message.service = ServiceKind::Verifiable;
    assert!(Case::inactive().with(verifiable).decide().registered);
    assert!(!Case::active().with(verifiable).decide().registered);
    assert!(!Case::inactive().decide().registered);
}

#[test]
fn a_decision_carries_what_was_asked_only_where_it_was_used() {
    assert_eq!(Case::inactive().decide().asked, Case::inactive().status);
    let print_only = Case::inactive().with(|case| case.batch_print_only = true);
    assert_eq!(print_only.decide().asked, None);
}

#[test]
fn nobody_is_asked_where_the_answer_is_known_or_changes_nothing() {
    assert!(Case::new().needs_status());
    assert!(Case::mailbox(MailboxStatus::Unknown).needs_status());
    let pointless: [fn(&mut Case); 6] = [
        |case| case.status = Case::inactive().status,
        |case| case.batch_print_only = true,
        |case| case.fitness = ONLY_PRINT,
        |case| case.fitness = Fitness::NEITHER,
        |case| case.message.recipient.id = StatedRecipient::Absent,
        |case| {
            case.message.deny_electronic_only = true;
            case.policy.print_contract = false;
        },
    ];
    for change in pointless {
        let case = Case::new().with(change);
        assert!(!case.needs_status(), "{case:?}");
    }
}

#[test]
fn an_operator_who_chose_paper_is_heeded_as_far_as_paper_is_possible() {
    let paper = |case: Case| case.with(|case| case.forced = Some(Channel::Print));
    let to_print = Route::To(Channel::Print);
    check(&paper(Case::active()), to_print, Reason::OperatorChose);
    check(&paper(Case::new()), to_print, Reason::OperatorChose);
    let without_contract = paper(Case::active()).with(|case| case.policy.print_contract = false);
    check(&without_contract, Route::Refused, Reason::NoPrintContract);
    let unfit = paper(Case::active()).with(|case| case.fitness = ONLY_MAILBOX);
    check(&unfit, Route::Refused, Reason::ContentUnusable);
    let unaddressed = paper(Case::active()).with(|case| case.message.recipient.address.city = None);
    check(&unaddressed, Route::Refused, Reason::AddressIncomplete);
    let mailbox_only =
        paper(Case::active()).with(|case| case.message.wish = ChannelWish::MailboxOnly);
    check(
        &mailbox_only,
        Route::Refused,
        Reason::SenderWantsMailboxOnly,
    );
    let slip =
        paper(Case::active()).with(|case| case.message.recipient.id = StatedRecipient::Invalid);
    check(&slip, Route::Refused, Reason::RecipientIdInvalid);
}

#[test]
fn an_operator_who_chose_the_mailbox_gets_it_or_nothing() {
    let mailbox = |case: Case| case.with(|case| case.forced = Some(Channel::Mailbox));
    let to_mailbox = Route::To(Channel::Mailbox);
    check(&mailbox(Case::active()), to_mailbox, Reason::OperatorChose);
    check(
        &mailbox(Case::inactive()),
        Route::Refused,
        Reason::MailboxInactive,
    );
    let wants_print = mailbox(Case::active()).with(|case| case.batch_print_only = true);
    check(&wants_print, Route::Refused, Reason::SenderWantsPrint);
    assert!(mailbox(Case::new()).needs_status());
    let too_large = mailbox(Case::active()).with(|case| case.fitness = ONLY_PRINT);
    check(&too_large, Route::Refused, Reason::TooLargeForMailbox);
}

#[test]
fn a_service_that_prints_chooses_where_nobody_knows_better() {
    let left = Case::new().with(|case| case.policy.service_chooses = true);
    assert!(left.needs_status(), "the register may say no");
    check(&left, PRINT, Reason::ServiceChooses);
    let with = |status| {
        let asked = Some(Asked { status, at: now() });
        left.clone().with(|case| case.status = asked)
    };
    check(&with(MailboxStatus::Unknown), PRINT, Reason::ServiceChooses);
    check(&with(MailboxStatus::Active), MAILBOX, Reason::MailboxActive);
    let withdrawn = with(MailboxStatus::Withdrawn);
    check(&withdrawn, PRINT, Reason::ConsentWithdrawn);
}

#[test]
fn a_service_chooses_for_no_message_that_has_its_way() {
    let ways: [fn(&mut Case); 9] = [
        |case| case.policy.service_chooses = false,
        |case| case.batch_print_only = true,
        |case| case.matter_is_print_only = true,
        |case| case.forced = Some(Channel::Mailbox),
        |case| case.message.recipient.id = StatedRecipient::Absent,
        |case| case.message.wish = ChannelWish::MailboxOnly,
        |case| case.message.deny_electronic_only = true,
        |case| case.message.service = ServiceKind::Verifiable,
        |case| {
            case.message.recipient.address.city = None;
            case.policy.incomplete_address = IncompleteAddress::UseSendersAddress;
        },
    ];
    for (nth, way) in ways.into_iter().enumerate() {
        let case = Case::new().with(|case| case.policy.service_chooses = true);
        let case = case.with(way);
        assert!(!service_may_choose(&case.question(), &case.policy), "{nth}");
        assert_ne!(case.decide().reason, Reason::ServiceChooses, "{nth}");
    }
}
