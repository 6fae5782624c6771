//! What holds whatever is known of a message.

use proptest::prelude::*;

use super::{
    PRINT,
    case::{Case, at, message, now},
};
use crate::{
    domain::{
        Asked, Channel, ChannelWish, Fitness, MailboxStatus, Message, Reason, Route, ServiceKind,
        StatedRecipient,
    },
    routing::{IncompleteAddress, Policy},
};

prop_compose! {
    fn any_status()(status in prop::sample::select(vec![
        MailboxStatus::Active, MailboxStatus::Inactive,
        MailboxStatus::Withdrawn, MailboxStatus::Unknown,
    ]), second in 990_000_i64..1_010_000) -> Asked {
        Asked { status, at: at(second) }
    }
}

prop_compose! {
    fn any_policy()(
        patience_secs in prop_oneof![0_u64..20_000, Just(u64::MAX)],
        ask_again_secs in prop_oneof![0_u64..20_000, Just(u64::MAX)],
        print_contract: bool,
        to_sender: bool,
        service_chooses: bool,
    ) -> Policy {
        let incomplete_address = if to_sender {
            IncompleteAddress::UseSendersAddress
        } else {
            IncompleteAddress::Refuse
        };
        Policy {
            ask_again_secs, patience_secs, print_contract, incomplete_address, service_chooses,
            ..Policy::default()
        }
    }
}

prop_compose! {
    fn any_message()(
        wish in prop::sample::select(vec![
            ChannelWish::Any, ChannelWish::MailboxOnly, ChannelWish::PrintOnly,
        ]),
        id in prop::sample::select(vec![
            message().recipient.id, StatedRecipient::Absent, StatedRecipient::Invalid,
        ]),
        has_street: bool,
        verifiable: bool,
        deny_electronic_only: bool,
        deny_electronic_copy: bool,
    ) -> Message {
        let mut message = Message { wish, deny_electronic_only, deny_electronic_copy, ..message() };
        message.recipient.id = id;
        if !has_street {
            message.recipient.address.street = None;
        }
        if verifiable {
            message.service = ServiceKind::Verifiable;
        }
        message
    }
}

prop_compose! {
    fn any_case()(
        message in any_message(),
        mailbox: bool,
        print: bool,
        status in prop::option::of(any_status()),
        batch_print_only: bool,
        matter_is_print_only: bool,
        waiting_since in prop::option::of((990_000_i64..1_010_000).prop_map(at)),
        forced in prop::option::of(prop::sample::select(vec![Channel::Mailbox, Channel::Print])),
        policy in any_policy(),
    ) -> Case {
        Case {
            message, fitness: Fitness { mailbox, print }, status,
            batch_print_only, matter_is_print_only, waiting_since, forced, policy,
        }
    }
}

proptest! {
    #[test]
    fn what_a_service_may_choose_can_go_both_ways_and_nobody_has_said_no(case in any_case()) {
        if case.decide().reason == Reason::ServiceChooses {
            prop_assert_eq!(case.decide().route, PRINT);
            prop_assert!(case.fitness.mailbox && case.fitness.print);
            prop_assert_eq!(case.policy.current(case.status, now()), MailboxStatus::Unknown);
            prop_assert!(matches!(case.message.recipient.id, StatedRecipient::Valid(_)));
            prop_assert_eq!(case.message.wish, ChannelWish::Any);
        }
    }

    #[test]
    fn what_is_printed_can_be_printed_and_may_be(case in any_case()) {
        if matches!(case.decide().route, Route::To(channel) if channel.uses_print()) {
            let to_sender = case.policy.incomplete_address == IncompleteAddress::UseSendersAddress;
            prop_assert!(case.policy.print_contract && case.fitness.print);
            prop_assert!(to_sender || case.message.recipient.address.gap().is_none());
            prop_assert!(case.message.wish != ChannelWish::MailboxOnly);
        }
    }

    #[test]
    fn what_goes_to_a_mailbox_has_an_active_one(case in any_case()) {
        if matches!(case.decide().route, Route::To(channel) if channel.uses_mailbox()) {
            let status = case.status.map(|asked| asked.status);
            prop_assert_eq!(status, Some(MailboxStatus::Active));
            prop_assert!(matches!(case.message.recipient.id, StatedRecipient::Valid(_)));
            prop_assert!(case.fitness.mailbox && case.message.wish != ChannelWish::PrintOnly);
        }
    }

    #[test]
    fn what_an_operator_chose_goes_so_or_not_at_all(case in any_case()) {
        match (case.forced, case.decide().route) {
            (Some(Channel::Print), Route::To(to)) => prop_assert_eq!(to, Channel::Print),
            (Some(_), Route::To(to)) => prop_assert!(to.uses_mailbox()),
            _ => {}
        }
    }

    #[test]
    fn who_waits_waits_for_an_answer_that_matters_and_not_for_ever(case in any_case()) {
        if let Route::Wait { until } = case.decide().route {
            prop_assert!(until >= now() && case.needs_status());
            let impatient = case.with(|case| case.policy.patience_secs = 0);
            let waits = matches!(impatient.decide().route, Route::Wait { .. });
            // A wait that began in the future, after a clock was set back, may still go on.
            prop_assert!(!waits || impatient.waiting_since > Some(now()));
        }
    }

    #[test]
    fn an_answer_that_was_not_needed_changes_no_route(case in any_case(), answer in any_status()) {
        let answered = case.clone().with(|case| case.status = Some(Asked { at: now(), ..answer }));
        let was_unknown = case.policy.current(case.status, now()) == MailboxStatus::Unknown;
        if was_unknown && !case.needs_status() {
            prop_assert_eq!(case.decide().route, answered.decide().route);
        }
    }
}
