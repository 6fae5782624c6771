use jiff::Timestamp;
use proptest::prelude::*;

use super::{IncompleteAddress, Policy, Question, decide, needs_status, service_may_choose};
use crate::domain::{
    Asked, Channel, ChannelWish, Decision, DocumentName, Fitness, MailboxStatus, Message,
    PageRange, PostalAddress, Reason, Recipient, Route, ServiceKind, StatedRecipient,
};

const ONLY_PRINT: Fitness = Fitness {
    mailbox: false,
    print: true,
};
const ONLY_MAILBOX: Fitness = Fitness {
    mailbox: true,
    print: false,
};

/// One message with all that is known of it: everything in order, mailbox not asked about.
#[derive(Debug, Clone)]
struct Case {
    message: Message,
    fitness: Fitness,
    status: Option<Asked>,
    batch_print_only: bool,
    matter_is_print_only: bool,
    waiting_since: Option<Timestamp>,
    forced: Option<Channel>,
    policy: Policy,
}

impl Case {
    fn new() -> Self {
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

    fn mailbox(status: MailboxStatus) -> Self {
        Self::new().with(|case| case.status = Some(Asked { status, at: now() }))
    }

    fn active() -> Self {
        Self::mailbox(MailboxStatus::Active)
    }

    fn inactive() -> Self {
        Self::mailbox(MailboxStatus::Inactive)
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn question(&self) -> Question<'_> {
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

    fn decide(&self) -> Decision {
        decide(&self.question(), &self.policy, now())
    }

    fn needs_status(&self) -> bool {
        needs_status(&self.question(), &self.policy, now())
    }
}

fn now() -> Timestamp {
    at(1_000_000)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn message() -> Message {
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

fn address() -> PostalAddress {
    PostalAddress {
        name: Some("Maija Mallikas".into()),
        street: Some("Mallikatu 1".into()),
        postal_code: Some("00100".into()),
        city: Some("Helsinki".into()),
        ..PostalAddress::default()
    }
}

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
