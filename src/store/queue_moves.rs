//! What a service has and what waits for it goes under another name, where the settings name it anew.

use rusqlite::{Connection, params};

use super::{Error, NewEvent, Store, Transaction, error::Doing, events};
use crate::domain::ServiceName;

/// What goes under another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueMove {
    /// Messages that wait.
    pub waiting: u64,
    /// Of them: the service may have them, since no answer came.
    pub in_doubt: u64,
    /// Messages that it has, of which it may tell something yet.
    pub sent: u64,
}

/// Why nothing goes under another name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotMoveQueue {
    #[error("mailbox service `{0}` is in the settings: what waits for it is sent")]
    InSettings(ServiceName),
    #[error("mailbox service `{0}` is not in the settings that the house runs with")]
    NotInSettings(ServiceName),
    #[error("no mailbox service of that name is known: `{0}`")]
    Unknown(ServiceName),
    #[error("{0} messages are being sent at this moment")]
    Sending(u64),
}

impl Store {
    /// What [`Store::move_queue`] would do at this moment.
    pub fn plan_queue_move(
        &self,
        old: &ServiceName,
        new: &ServiceName,
    ) -> Result<Result<QueueMove, CannotMoveQueue>, Error> {
        self.read(|db| plan(db, old, new))
    }

    /// Takes all that waits for a service, and all that it has, for another name of the same service: in
    /// one transaction, under the same ids, in the same order. For another service than that it is wrong:
    /// what the first one may have would come twice.
    pub fn move_queue(
        &self,
        old: &ServiceName,
        new: &ServiceName,
        action: &NewEvent,
    ) -> Result<Result<QueueMove, CannotMoveQueue>, Error> {
        self.write("move a queue", |tx| {
            let moved = plan(tx, old, new)?;
            if let Ok(moved) = &moved {
                carry_out(tx, old, new)?;
                let what = format!(
                    "took mailbox service {old} for {new}: {} messages wait, {} were sent",
                    moved.waiting, moved.sent
                );
                events::note_house(tx, action, &what)?;
            }
            Ok(moved)
        })
    }
}

fn plan(
    db: &Connection,
    old: &ServiceName,
    new: &ServiceName,
) -> Result<Result<QueueMove, CannotMoveQueue>, Error> {
    let doing = "look at a queue that is to be moved";
    let number = |sql: &str, name: &ServiceName| -> Result<u64, Error> {
        let mut query = db.prepare_cached(sql).doing(doing)?;
        query
            .query_row([name.as_str()], |row| row.get(0))
            .doing(doing)
    };
    let in_settings = "SELECT COUNT(*) FROM mailbox_services WHERE name = ? AND is_in_settings";
    if number(in_settings, old)? > 0 {
        return Ok(Err(CannotMoveQueue::InSettings(old.clone())));
    }
    if number(in_settings, new)? == 0 {
        return Ok(Err(CannotMoveQueue::NotInSettings(new.clone())));
    }
    let is_known = "SELECT EXISTS (SELECT 1 FROM mailbox_services WHERE name = ?1)
            OR EXISTS (SELECT 1 FROM queued_batches WHERE service = ?1)
            OR EXISTS (SELECT 1 FROM sent_posts WHERE service = ?1)";
    if number(is_known, old)? == 0 {
        return Ok(Err(CannotMoveQueue::Unknown(old.clone())));
    }
    let sending = "SELECT COUNT(*) FROM mailbox_queue WHERE service = ? AND is_sending = 1";
    let sending = number(sending, old)?;
    if sending > 0 {
        return Ok(Err(CannotMoveQueue::Sending(sending)));
    }
    let in_doubt = "SELECT COUNT(*) FROM mailbox_queue WHERE service = ? AND is_in_doubt = 1";
    Ok(Ok(QueueMove {
        waiting: number("SELECT COUNT(*) FROM mailbox_queue WHERE service = ?", old)?,
        in_doubt: number(in_doubt, old)?,
        sent: number("SELECT COUNT(*) FROM sent_posts WHERE service = ?", old)?,
    }))
}

/// What the new name has already stays: it knows better. How far events are read, and when that was seen,
/// goes with the name, so that none is missed. A new name that has read events itself did so while it had
/// none of these messages: it reads all again, what comes again is known, and until then nobody has seen
/// more than was seen under the old name.
fn carry_out(tx: &Transaction<'_>, old: &ServiceName, new: &ServiceName) -> Result<(), Error> {
    let doing = "move a queue";
    for sql in [
        "INSERT INTO queued_batches (service, batch, queued_at, waiting, sending, put_off, unsettled_since)
         SELECT ?2, batch, queued_at, waiting, sending, put_off, unsettled_since FROM queued_batches
          WHERE service = ?1
         ON CONFLICT (service, batch) DO UPDATE SET queued_at = MIN(queued_at, excluded.queued_at),
            waiting = waiting + excluded.waiting, sending = sending + excluded.sending,
            put_off = put_off + excluded.put_off,
            unsettled_since = COALESCE(unsettled_since, excluded.unsettled_since)",
        "DELETE FROM queued_batches WHERE service = ?1 AND ?2 <> ''",
        "UPDATE mailbox_queue SET service = ?2 WHERE service = ?1",
        "UPDATE OR IGNORE sent_posts SET service = ?2 WHERE service = ?1",
        "UPDATE OR IGNORE taken_by_services SET service = ?2 WHERE service = ?1",
        "DELETE FROM taken_by_services WHERE service = ?1 AND ?2 <> ''",
        "UPDATE service_feeds SET continuation = NULL WHERE service = ?2 AND ?1 <> ''",
        "UPDATE OR IGNORE service_feeds SET service = ?2 WHERE service = ?1",
        "UPDATE OR IGNORE early_events SET service = ?2 WHERE service = ?1",
        "DELETE FROM early_events WHERE service = ?1 AND ?2 <> ''",
        "DELETE FROM mailbox_looks WHERE mailbox = ?2 AND ?1 <> ''",
        "UPDATE OR IGNORE mailbox_looks SET mailbox = ?2 WHERE mailbox = ?1",
        "UPDATE timers SET mailbox = ?2 WHERE mailbox = ?1",
        "DELETE FROM service_feeds WHERE service = ?1 AND ?2 <> ''",
        "DELETE FROM mailbox_services WHERE name = ?1 AND ?2 <> ''",
    ] {
        let mut change = tx.prepare_cached(sql).doing(doing)?;
        change
            .execute(params![old.as_str(), new.as_str()])
            .doing(doing)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::MessageId,
        store::{
            NewServiceEvent, NewServiceEvents, PutBack, ServiceEventKind, ServiceInSettings,
            Verification,
            service_events::tests::{House, at, event, service},
        },
    };

    fn new_name() -> ServiceName {
        "letters".parse().unwrap()
    }

    fn action() -> NewEvent {
        NewEvent {
            at: at(30),
            actor: "maija".to_owned(),
            why: "named anew".to_owned(),
        }
    }

    fn know(house: &House, name: ServiceName) {
        let known = ServiceInSettings {
            name,
            rate_per_sec: 1.0,
        };
        house.store.know_services(&[known]).unwrap();
    }

    /// One message is sent, one is in doubt, one waits.
    fn house() -> House {
        let house = House::new("verifiable", 4);
        house.sql("DELETE FROM mailbox_queue WHERE position = 4");
        house.send(1, at(5));
        (house.store)
            .begin_sending(house.batch, &service(), 1)
            .unwrap();
        let back = [(2, PutBack::InDoubt)];
        house.store.put_back(house.batch, &back).unwrap();
        house.page(&[], true, at(6));
        house
    }

    #[test]
    fn a_service_that_is_named_anew_keeps_what_waits_and_what_it_tells() {
        let house = house();
        know(&house, new_name());
        let moved = house.store.move_queue(&service(), &new_name(), &action());
        let all = QueueMove {
            waiting: 2,
            in_doubt: 1,
            sent: 1,
        };
        assert_eq!(moved.unwrap(), Ok(all));
        let store = &house.store;
        let turn = store.queue_turn(&new_name(), &[]).unwrap().unwrap();
        assert_eq!((turn.batch, turn.waiting), (house.batch, 2));
        let rows = store.begin_sending(house.batch, &new_name(), 9).unwrap();
        let told = |row: &crate::store::QueuedRow| (row.id.position, row.is_in_doubt);
        assert_eq!(
            rows.iter().map(told).collect::<Vec<_>>(),
            [(2, true), (3, false)]
        );
        let feed = store.service_feed(&new_name()).unwrap().unwrap();
        assert_eq!(feed.continuation.as_deref(), Some("behind it"));
        assert_eq!(store.service_feed(&service()).unwrap(), None);
        let message = MessageId {
            batch: house.batch,
            position: 1,
        };
        let timer = store.timer(message).unwrap().unwrap();
        assert_eq!(timer.service, Some(new_name()));
        let read = event(ServiceEventKind::Confirmed, 1, 10);
        house.page_of(&new_name(), &[read], true, at(31));
        assert_eq!(store.timer(message).unwrap(), None);
        let names: Vec<_> = store.queues(at(31)).unwrap();
        assert_eq!(names.len(), 1);
        let back = [(2, PutBack::InDoubt), (3, PutBack::NotSent)];
        store.put_back(house.batch, &back).unwrap();
        let verified = store.verify(&Verification::at_rest(at(32)), &|_| {});
        let queues = verified.unwrap().problems.into_iter();
        let queues: Vec<_> = queues.filter(|it| it.how.contains("queue")).collect();
        assert!(queues.is_empty(), "{queues:?}");
    }

    /// When a verifiable message is over that was delivered at 5.
    const OVER: i64 = 7 * 86_400 + 5;

    #[test]
    fn what_was_told_under_the_new_name_before_it_had_anything_is_heard_again() {
        let house = House::new("verifiable", 2);
        house.sql(
            "UPDATE messages SET channel = 'print', reason = 'service-chooses' WHERE position = 2",
        );
        house.send(2, at(5));
        house.page(&[], true, at(6));
        know(&house, new_name());
        let by_number = NewServiceEvent {
            external_id: None,
            ..event(ServiceEventKind::Confirmed, 1, 10)
        };
        let events = [by_number, event(ServiceEventKind::Created, 2, 11)];
        let became = |secs| {
            let tallies = house.page_of(&new_name(), &events, true, at(secs));
            let became = tallies.iter().map(|tally| tally.became.as_str());
            became.collect::<Vec<_>>()
        };
        assert_eq!(became(OVER), ["orphan", "orphan"]);

        let store = &house.store;
        let moved = store.move_queue(&service(), &new_name(), &action());
        assert_eq!(moved.unwrap().unwrap().sent, 2);
        let due = || store.due_timers(at(OVER + 1)).unwrap().len();
        let feed = || store.service_feed(&new_name()).unwrap().unwrap();
        assert_eq!((feed().continuation, due()), (None, 0));
        // A page that was on its way says nothing of those before it.
        let late = NewServiceEvents {
            events: &[],
            unreadable: 0,
            asked_from: Some("behind it"),
            continuation: "behind it",
            is_last: true,
        };
        store
            .record_service_events(&new_name(), &late, at(OVER + 1))
            .unwrap();
        assert_eq!((feed().continuation, due()), (None, 0));

        assert_eq!(became(OVER + 2), ["recorded", "recorded"]);
        assert_eq!(became(OVER + 3), ["known", "known"]);
        let history = house.history();
        assert!(history.contains(&"1 acknowledged 10000".to_owned()));
        assert!(history.contains(&"2 delivered 11000".to_owned()));
        let timers: Vec<_> = history.iter().filter(|it| it.contains("timer")).collect();
        assert_eq!(timers, [&format!("2 timer {}", (2 * OVER - 3) * 1_000)]);
    }

    #[test]
    fn a_batch_that_its_service_told_of_early_is_remembered_under_the_new_name() {
        let house = house();
        house.sql(
            "INSERT INTO early_events (service, batch)
             VALUES ('city-letters', 1), ('city-letters', 2), ('letters', 2)",
        );
        know(&house, new_name());
        let moved = house.store.move_queue(&service(), &new_name(), &action());
        assert!(moved.unwrap().is_ok());
        let heard = |name| house.store.hear_early_events_again(name).unwrap();
        assert_eq!((heard(&service()), heard(&new_name())), (false, true));
    }

    #[test]
    fn only_a_name_that_the_settings_have_lost_is_taken_for_one_that_they_have() {
        let house = house();
        know(&house, service());
        let moved = || (house.store).move_queue(&service(), &new_name(), &action());
        assert_eq!(
            moved().unwrap(),
            Err(CannotMoveQueue::InSettings(service()))
        );
        house.store.know_services(&[]).unwrap();
        assert_eq!(
            moved().unwrap(),
            Err(CannotMoveQueue::NotInSettings(new_name()))
        );
        know(&house, new_name());
        (house.store)
            .begin_sending(house.batch, &service(), 1)
            .unwrap();
        assert_eq!(moved().unwrap(), Err(CannotMoveQueue::Sending(1)));
        house.store.release_in_hand(&service()).unwrap();
        assert!(moved().unwrap().is_ok());
        // Nothing is left that has the name: it may as well be a slip.
        assert_eq!(moved().unwrap(), Err(CannotMoveQueue::Unknown(service())));
    }
}
