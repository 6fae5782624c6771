//! Messages of which the service chooses the way: into a mailbox, or on paper.

use super::*;

#[test]
fn what_a_service_put_into_a_mailbox_by_its_own_choice_is_a_message_there() {
    for is_told_first in [false, true] {
        let house = House::new("ordinary", 2);
        let message = leave_to_service(&house);
        let created = event(ServiceEventKind::Created, 2, 4);
        if is_told_first {
            house.told(std::slice::from_ref(&created), at(5));
        }
        house.send(2, at(5));
        let printed = house.store.counts(house.batch).unwrap().printed;
        assert_eq!(printed, u64::from(!is_told_first));
        house.told(&[created], at(5));
        let row = house.store.message(message).unwrap();
        assert_eq!(row.state.as_str(), "delivered", "{is_told_first}");
        assert_eq!(row.channel, Some(crate::domain::Channel::Mailbox));
        assert_eq!(row.delivered_at, Some(at(4)));
        let counts = house.store.counts(house.batch).unwrap();
        assert_eq!((counts.delivered, counts.printed), (2, 0));
        let timer = house.store.timer(message).unwrap().unwrap();
        assert_eq!(timer.due_at, at(3 * 86_400 + 5));
        assert_eq!(timer.service, Some(service()));
        house.told(&[event(ServiceEventKind::Read, 2, 9)], at(10));
        assert_eq!(house.store.timer(message).unwrap(), None);
        // Nobody takes it for printed.
        let again = Selection {
            batch: house.batch,
            positions: vec![2],
            from: Some(Step::Deliver),
            again: Again {
                deliver: true,
                print: false,
            },
        };
        let plan = house
            .store
            .plan_reprocess_of(house.batch, &(&again).into(), at(11))
            .unwrap();
        assert_eq!((plan.blocked.len(), plan.messages), (0, 1));
    }
}

#[test]
fn what_a_service_prints_by_its_own_choice_stays_handed_over() {
    let house = House::new("ordinary", 2);
    let message = leave_to_service(&house);
    house.send(2, at(5));
    let kinds = [
        ServiceEventKind::PaperCreated,
        ServiceEventKind::SentForPrinting,
    ];
    house.told(&kinds.map(|kind| event(kind, 2, 6)), at(7));
    let row = house.store.message(message).unwrap();
    assert_eq!(row.state.as_str(), "handed-over");
    assert_eq!(house.store.timer(message).unwrap(), None);
}
