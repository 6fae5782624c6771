use jiff::{SignedDuration, Timestamp};
use rusqlite::named_params;

use super::{
    Error, Store, Transaction,
    columns::{Columns, millis},
    error::Doing,
};

/// A clock that is set back by less is not noticed, and the time is written down this often.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// What waits until a time. What was put off to a time that had been reached before the clock was set
/// back is due now; what had still to wait waits as much longer as it would have.
///
/// A lease that had run out by then is left: whoever holds it renews it, or is gone.
///
/// A message that waits for its mailbox status since a time to come waits since now. Where the
/// clock was wrong for a while only, it cannot be told when a wait began: it is rather too long than
/// cut short, since what ends it is a letter on paper.
///
/// What recipients have said from a time to come on, they have said from now on: else nothing that they say
/// until then would count. Words of one recipient keep their order, a millisecond apart.
///
/// A timer that began before the clock was wrong is over when it always was to be; one that began by
/// the wrong clock is pulled back whole. An older one whose message could not be printed is looked at as
/// soon as it would have been, but not before it is over.
const SET_BACK: &str = "
    UPDATE batches SET due_at = MAX(:now, due_at - :back) WHERE due_at > :now;
    UPDATE batches SET lease_until = lease_until - :back WHERE lease_until > :latest;
    UPDATE messages SET waiting_since = :now
     WHERE state = 'waiting' AND waiting_since > :now
       AND batch IN (SELECT id FROM batches WHERE due_at IS NOT NULL);
    UPDATE delivery_reports SET due_at = MAX(:now, due_at - :back) WHERE due_at > :now;
    UPDATE delivery_reports SET lease_until = lease_until - :back WHERE lease_until > :latest;
    UPDATE delivery_reports SET untold_since = :now WHERE untold_since > :now;
    UPDATE outgoing SET due_at = MAX(:now, due_at - :back) WHERE due_at > :now;
    UPDATE outgoing SET lease_until = lease_until - :back WHERE lease_until > :latest;
    UPDATE outgoing SET overdue_at = MAX(:now, overdue_at - :back)
     WHERE awaits_pickup = 1 AND overdue_at > :now;
    UPDATE outgoing_places SET next_try = MAX(:now, next_try - :back) WHERE next_try > :now;
    UPDATE outgoing_places SET alerted_at = MIN(:now, alerted_at - :back)
     WHERE alerted_at IS NOT NULL;
    UPDATE timers SET look_at = MAX(:now, due_at, look_at - :back)
     WHERE stuck_at IS NOT NULL AND look_at > :now AND begun_at <= :now;
    UPDATE timers SET stuck_at = :now WHERE stuck_at > :now;
    UPDATE timers SET due_at = due_at - :back, look_at = look_at - :back, begun_at = begun_at - :back
     WHERE begun_at > :now;
    UPDATE messages SET again_at = :now WHERE again_at > :now;
    UPDATE mailbox_looks SET looked_at = MIN(looked_at, :now), wary_until = wary_until - :back,
        failing_since = MIN(failing_since, :now);
    UPDATE mailbox_services SET next_turn_at = MAX(:now, next_turn_at - :back)
     WHERE next_turn_at > :now;
    UPDATE mailbox_services SET retry_at = MAX(:now, retry_at - :back) WHERE retry_at > :now;
    UPDATE mailbox_services SET failing_since = :now WHERE failing_since > :now;
    UPDATE mailbox_queue SET uploads = '', uploaded_at = NULL WHERE uploaded_at > :now;
    UPDATE mailbox_queue SET retry_at = MAX(:now, retry_at - :back) WHERE retry_at > :now;
    UPDATE mailbox_queue SET apart_since = :now WHERE apart_since > :now;
    UPDATE queued_batches SET unsettled_since = :now WHERE unsettled_since > :now;
    UPDATE queued_batches SET failing_since = :now WHERE failing_since > :now;
    UPDATE service_feeds SET retry_at = MAX(:now, retry_at - :back) WHERE retry_at > :now;
    UPDATE consent_feeds SET failing_since = MIN(:now, failing_since),
        refused_since = MIN(:now, refused_since), bad_since = MIN(:now, bad_since);
    UPDATE consents SET since = :now WHERE since > :now;
    UPDATE consent_history SET since = :now - newer.words
      FROM (SELECT id, DENSE_RANK() OVER (PARTITION BY recipient_id ORDER BY since DESC) - 1 AS words
              FROM consent_history WHERE since > :now) newer
     WHERE newer.id = consent_history.id;
    UPDATE consent_history SET recorded_at = :now WHERE recorded_at > :now;
    UPDATE consent_history SET lifted_at = :now WHERE lifted_at > :now;
    UPDATE consent_full_lists SET as_of = :now WHERE as_of > :now;
    UPDATE matter_history SET recorded_at = :now WHERE recorded_at > :now;
    UPDATE print_only_matters SET recorded_at = :now WHERE recorded_at > :now;
    UPDATE notice_addresses SET since = :now WHERE since > :now;
    UPDATE consent_files SET taken_at = :now WHERE taken_at > :now;
    UPDATE read_marks SET since = :now WHERE since > :now;
    UPDATE notices SET due_at = MAX(:now, due_at - :back) WHERE due_at > :now;
    UPDATE notices SET put_off_since = :now WHERE put_off_since > :now;
    UPDATE notice_server SET retry_at = MAX(:now, retry_at - :back) WHERE retry_at > :now;
    UPDATE alerts SET since = MIN(:now, since), begun_at = MIN(:now, begun_at),
        told_at = MIN(:now, told_at - :back);
    UPDATE runner SET latest_time = :now";

impl Store {
    /// Writes down how late it is. Where it was later before, by more than a minute, the clock was set
    /// back: what waits for a time that only then seemed near is pulled back by the difference, which
    /// is returned.
    pub fn notice_time(&self, now: Timestamp) -> Result<Option<SignedDuration>, Error> {
        let Some(latest) = self.latest_time()? else {
            self.write("write the time down", |tx| note(tx, now))?;
            return Ok(None);
        };
        let passed = now.duration_since(latest);
        if passed < -TOLERANCE {
            self.write("follow a clock that was set back", |tx| {
                set_back(tx, latest, now)
            })?;
            return Ok(Some(-passed));
        }
        if passed >= TOLERANCE {
            self.write("write the time down", |tx| note(tx, now))?;
        }
        Ok(None)
    }

    /// The latest time that was written down.
    fn latest_time(&self) -> Result<Option<Timestamp>, Error> {
        let doing = "look at the time";
        self.read(|db| {
            let mut query = db
                .prepare_cached("SELECT latest_time FROM runner")
                .doing(doing)?;
            query
                .query_row([], |row| row.maybe_time("latest_time"))
                .doing(doing)
        })
    }
}

fn note(tx: &Transaction<'_>, now: Timestamp) -> Result<(), Error> {
    let doing = "write the time down";
    tx.execute("UPDATE runner SET latest_time = ?", [millis(now)])
        .doing(doing)?;
    Ok(())
}

fn set_back(tx: &Transaction<'_>, latest: Timestamp, now: Timestamp) -> Result<(), Error> {
    let doing = "follow a clock that was set back";
    let (latest, now) = (millis(latest), millis(now));
    for sql in SET_BACK.split_inclusive(';') {
        let mut update = tx.prepare(sql).doing(doing)?;
        let all = named_params! {":now": now, ":back": latest - now, ":latest": latest};
        for (name, value) in all {
            // Each statement names those that it needs.
            if let Some(index) = update.parameter_index(name).doing(doing)? {
                update.raw_bind_parameter(index, value).doing(doing)?;
            }
        }
        update.raw_execute().doing(doing)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::RecipientId,
        store::{ConsentChange, ConsentStatus, TakenConsents},
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_was_said_by_a_clock_that_was_ahead_can_be_taken_back_once_it_is_right() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let person = RecipientId::Person("010190-900P".parse().unwrap());
        let say = |status, since, now| {
            let change = ConsentChange {
                recipient: person.clone(),
                status,
                since: at(since),
            };
            let changed = store.record_consents(&[change], "set by maija", at(now));
            assert_eq!(changed.unwrap(), 1);
        };
        let told = |as_of| {
            let consent = store.consent_as_of(&person, at(as_of)).unwrap();
            consent.said.map(|said| said.status)
        };
        let (granted, withdrawn) = (ConsentStatus::Granted, ConsentStatus::Withdrawn);
        say(granted, 1_000, 1_000);
        say(withdrawn, 4_000, 4_000);
        say(granted, 4_600, 4_600);
        let file = TakenConsents {
            sha256: "ab".repeat(32),
            rows: 1,
            bad: 0,
            changed: 1,
        };
        store.note_taken_consents(&file, at(4_600)).unwrap();
        let list = "INSERT INTO consent_full_lists (id, as_of) VALUES (1, 4600000)";
        let doing = "record a full list";
        store
            .write(doing, |tx| tx.execute_batch(list).doing(doing))
            .unwrap();
        store.notice_time(at(4_700)).unwrap();

        store.notice_time(at(1_100)).unwrap();
        assert_eq!(told(1_100), Some(granted), "the last word");
        let words = store.consent_history(&person).unwrap();
        assert!(words.iter().all(|word| word.recorded_at <= at(1_100)));
        assert_eq!(
            store.consents_taken_at(&file.sha256).unwrap(),
            Some(at(1_100))
        );
        let made = "SELECT as_of FROM consent_full_lists";
        let made = store.read(|db| {
            let made = db.query_row(made, [], |row| row.get::<_, i64>(0));
            made.doing(doing)
        });
        assert_eq!(made.unwrap(), 1_100_000, "a list of today is no older one");
        say(withdrawn, 1_200, 1_200);
        assert_eq!(told(1_200), Some(withdrawn));
        let now = store.consent(&person).unwrap().said.unwrap();
        assert_eq!(now.status, withdrawn);
    }
}
