//! The rules that `kuori verify` holds a queue to.

use super::*;

#[test]
fn a_house_with_a_queue_keeps_to_the_rules_at_every_moment() {
    let house = House::new();
    let sound = |what: &str| {
        let rows = Verification::at_rest(at(20));
        let verified = house.store.verify(&rows, &|_| {}).unwrap();
        // The batches of these tests have no file.
        let of_rows = verified.problems.iter();
        let of_rows = of_rows.filter(|problem| problem.breach != Breach::FileMissing);
        let told: Vec<_> = of_rows.map(|problem| &problem.how).collect();
        assert!(told.is_empty(), "{what}: {told:#?}");
    };
    let known = ServiceInSettings {
        name: service(),
        rate_per_sec: 1.0,
    };
    house.store.know_services(&[known]).unwrap();
    let row = house.queued_batch("example-city", 3, at(1));
    sound("queued");
    house.take(row.id, 2);
    sound("in hand");
    house.store.record_sent(row.id, &[sent(1)], at(2)).unwrap();
    house.store.record_no_mailbox(row.id, &[2], at(2)).unwrap();
    sound("to be settled");
    house.take(row.id, 1);
    house.store.record_sent(row.id, &[sent(3)], at(3)).unwrap();
    house.store.settle_queues(at(3)).unwrap();
    sound("settled");
}

#[test]
fn a_queue_that_is_miscounted_or_of_no_service_of_the_settings_is_told() {
    let house = House::new();
    house.queued_batch("example-city", 2, at(1));
    house.sql("UPDATE queued_batches SET waiting = 7");
    let verified = house.store.verify(&Verification::at_rest(at(20)), &|_| {});
    let verified = verified.unwrap();
    assert_eq!(verified.found.get(&Breach::QueueMiscounted), Some(&1));
    assert_eq!(verified.found.get(&Breach::QueueForsaken), Some(&1));
}
