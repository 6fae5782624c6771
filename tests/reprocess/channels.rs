//! Letters that an operator sends by a channel of their own.

use std::collections::BTreeMap;

use kuori::{
    domain::{Channel, MessageState, Reason, Step},
    pipeline::SenderSettings,
    sample::Spec,
    store::{Again, Blocked, MessageFilter, Reprocess, Way},
};

use super::{
    BOTH_AGAIN, FIRST, PRINT_AGAIN, all, done, forced, hands, letters, message, only, plan,
};
use crate::hub::{Hub, sample_bytes, sender};

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_is_found_by_its_senders_id_and_goes_on_paper() {
    let hub = Hub::new();
    let spec = Spec {
        digital_share: 1.0,
        ..letters(3)
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    let digital = hub.store.messages(FIRST, &[MessageState::Delivered], 0, 1);
    let row = digital.unwrap().remove(0);
    let letter_id = row.message.sender_letter_id.clone().unwrap();
    let from = "example-city".parse().unwrap();
    let found = hub.store.messages_of_letter(&from, letter_id.expose());
    assert_eq!(found.unwrap(), [row.id]);
    let before = hands(&hub);

    let settings = sender();
    forced(&hub.store, &settings, Channel::Print, |way| {
        let wanted = Reprocess {
            way,
            ..only(row.id)
        };
        // It lies in a mailbox: on paper it reaches its recipient a second time.
        assert_eq!(plan(&hub, &wanted).blocked, [Blocked::Delivered(row.id)]);
        let deliver = Again {
            print: false,
            deliver: true,
        };
        let wrong = Reprocess {
            again: deliver,
            ..wanted.clone()
        };
        assert_eq!(plan(&hub, &wrong).blocked, [Blocked::Delivered(row.id)]);
        let named = Reprocess {
            again: PRINT_AGAIN,
            ..wanted
        };
        let done = done(&hub, &named);
        assert!(done.is_done);
        assert!(done.plans[0].moves[0].prints_again);
        assert!(!done.plans[0].moves[0].delivers_again);
    });
    hub.run().await;
    let after = hands(&hub);
    assert_eq!(after.in_mailboxes, before.in_mailboxes);
    let printed = BTreeMap::from([(row.id.to_string(), 1)]);
    let mut expected = before.in_piece_lists;
    expected.extend(printed);
    assert_eq!(after.in_piece_lists, expected);
    let row = hub.store.message(row.id).unwrap();
    assert_eq!(row.reason, Some(Reason::OperatorChose));
    // That it went on paper lets it into the mailbox no second time.
    let by_the_rules = Reprocess {
        way: Way::ByTheRules,
        ..only(row.id)
    };
    assert_eq!(
        plan(&hub, &by_the_rules).blocked,
        [Blocked::Delivered(row.id)]
    );
    let named = Reprocess {
        again: BOTH_AGAIN,
        ..by_the_rules
    };
    assert!(done(&hub, &named).is_done);
    hub.run().await;
    let twice = |found: &BTreeMap<String, u32>| found[&row.id.to_string()];
    assert_eq!(twice(&hands(&hub).in_mailboxes), 2);
    assert_eq!(twice(&hands(&hub).in_piece_lists), 1);
    assert!(hub.receipt("processing-2").contains("operator-chose"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_was_chosen_holds_until_it_is_forgotten() {
    let hub = Hub::new();
    let spec = Spec {
        digital_share: 1.0,
        ..letters(3)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    let settings = sender();
    let wanted = Reprocess {
        from: Some(Step::Route),
        ..all(MessageFilter::of_batch(FIRST))
    };
    forced(&hub.store, &settings, Channel::Print, |way| {
        let wanted = Reprocess {
            way,
            ..wanted.clone()
        };
        assert!(done(&hub, &wanted).is_done);
    });
    // Everybody has a mailbox by now.
    hub.consent(&spec);
    hub.run_without_hand_over().await;
    assert_eq!(hub.counts().composed, 3);
    // Nor does opening again let go of it.
    let reopened = Reprocess {
        from: Some(Step::Open),
        ..wanted.clone()
    };
    assert!(done(&hub, &reopened).is_done);
    hub.run_without_hand_over().await;
    assert_eq!(hub.counts().composed, 3);
    let by_the_rules = Reprocess {
        way: Way::ByTheRules,
        ..wanted
    };
    assert!(done(&hub, &by_the_rules).is_done);
    hub.run().await;
    let delivered = hub.counts().delivered;
    assert!(delivered > 0, "{:?}", hub.counts());
    hands(&hub).assert_nothing_twice();
    assert_eq!(hands(&hub).letters(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_a_message_cannot_go_by_is_not_chosen_for_it() {
    let hub = Hub::new();
    hub.upload("batch.zip", &sample_bytes(&letters(3)));
    hub.run_without_hand_over().await;
    let forbidden = |sender: &SenderSettings, channel, position| {
        forced(&hub.store, sender, channel, |way| {
            let wanted = Reprocess {
                way,
                ..only(message(1, position))
            };
            match plan(&hub, &wanted).blocked[..] {
                [Blocked::Forbidden { reason, .. }] => reason,
                ref other => panic!("{other:?}"),
            }
        })
    };
    let without_contract = SenderSettings {
        print_house: None,
        ..sender()
    };
    let no_contract = forbidden(&without_contract, Channel::Print, 1);
    assert_eq!(no_contract, Reason::NoPrintContract);
    let digital = (1..=3).find(|&position| {
        let row = hub.store.message(message(1, position)).unwrap();
        row.reason == Some(Reason::MailboxInactive)
    });
    let no_mailbox = forbidden(&sender(), Channel::Mailbox, digital.unwrap());
    assert_eq!(no_mailbox, Reason::MailboxInactive);
    hub.run().await;
    assert_eq!(hands(&hub).letters(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_that_closes_before_delivery_does_not_let_the_letter_onto_paper() {
    let hub = Hub::new();
    let spec = Spec {
        digital_share: 1.0,
        ..letters(2)
    };
    hub.upload("batch.zip", &sample_bytes(&spec));
    hub.run_without_hand_over().await;
    hub.consent(&spec);
    let chosen = (1..=2)
        .map(|position| message(1, position))
        .find(|&id| hub.store.message(id).unwrap().reason == Some(Reason::MailboxInactive));
    let chosen = chosen.unwrap();
    forced(&hub.store, &sender(), Channel::Mailbox, |way| {
        let wanted = Reprocess {
            way,
            ..only(chosen)
        };
        assert!(done(&hub, &wanted).is_done);
    });
    hub.withdraw_consents(&spec);
    hub.run().await;
    let row = hub.store.message(chosen).unwrap();
    assert_eq!(row.state, MessageState::Refused);
    assert_eq!(row.reason, Some(Reason::ConsentWithdrawn));
    assert_eq!(hands(&hub).letters(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_has_begun_may_have_reached_the_mailbox() {
    let hub = Hub::new();
    let spec = Spec {
        digital_share: 1.0,
        ..letters(2)
    };
    hub.consent(&spec);
    hub.process("batch.zip", &sample_bytes(&spec)).await;
    // As a crash leaves it between the mailbox and the row.
    let database = rusqlite::Connection::open(hub.path().join("data/kuori.sqlite")).unwrap();
    let crash =
        "UPDATE messages SET state = 'routed', delivered_at = NULL WHERE state = 'delivered';
         UPDATE batches SET state = 'routed', delivery_begun_at = 1, due_at = 1;
         DELETE FROM message_events WHERE what = 'delivered'";
    database.execute_batch(crash).unwrap();
    let routed = hub.store.messages(FIRST, &[MessageState::Routed], 0, 1);
    let id = routed.unwrap()[0].id;
    forced(&hub.store, &sender(), Channel::Print, |way| {
        let wanted = Reprocess { way, ..only(id) };
        assert_eq!(plan(&hub, &wanted).blocked, [Blocked::MayBeDelivered(id)]);
    });
    hub.run().await;
    hands(&hub).assert_nothing_twice();
}
