//! How much there is, by state.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    Day, InState, InboxFiles, OldestHandOver, PlaceQueue, Queue, list, lists::HELD_AT, queue,
};
use crate::{
    domain::{BatchId, BatchState, BundleState, Channel, MessageState},
    store::{
        Counts, Error, InboxLook, Outgoing, Place,
        columns::{Columns, Word, millis},
        error::Doing,
        inbox_looks::look_row,
        outgoing::outgoing_row,
    },
};

pub(super) fn batches(db: &Connection) -> Result<Vec<InState<BatchState>>, Error> {
    let sql =
        "SELECT state, COUNT(*) AS count, MIN(received_at) AS since FROM batches GROUP BY state";
    let mut found = list(db, "count batches", sql, [], in_state)?;
    found.sort_by_key(|it: &InState<BatchState>| place_in(&BatchState::ALL, &it.state));
    Ok(found)
}

pub(super) fn bundles(db: &Connection) -> Result<Vec<InState<BundleState>>, Error> {
    let sql =
        "SELECT state, COUNT(*) AS count, MIN(planned_at) AS since FROM bundles GROUP BY state";
    let mut found = list(db, "count bundles", sql, [], in_state)?;
    found.sort_by_key(|it: &InState<BundleState>| place_in(&BundleState::ALL, &it.state));
    Ok(found)
}

fn place_in<T: PartialEq>(all: &[T], one: &T) -> usize {
    all.iter().position(|it| it == one).unwrap_or(usize::MAX)
}

fn in_state<S: Word>(row: &Row<'_>) -> rusqlite::Result<InState<S>> {
    Ok(InState {
        state: row.word("state")?,
        queue: queue(row)?,
    })
}

/// Messages that something is still to come of. Those that are accepted or routed are only in batches
/// with steps to do, those that are composed in bundles of that state; so nothing that is done is read.
pub(super) fn messages(db: &Connection) -> Result<Vec<InState<MessageState>>, Error> {
    let [accepted, routed] = under_way(db)?;
    let waiting = "SELECT COUNT(*) AS count, MIN(waiting_since) AS since FROM messages
         INDEXED BY messages_waiting WHERE state = 'waiting'";
    let composed = "SELECT COALESCE(SUM(letters), 0) AS count, MIN(planned_at) AS since
          FROM bundles WHERE state = 'composed'";
    let held = format!(
        "SELECT COUNT(*) AS count, MIN(MAX({HELD_AT}, b.received_at)) AS since
          FROM messages m INDEXED BY messages_held CROSS JOIN batches b ON b.id = m.batch
         WHERE m.state = 'held'"
    );
    let one = |sql: &str| db.query_row(sql, [], queue).doing("count messages");
    let all = [
        (MessageState::Accepted, accepted),
        (MessageState::Waiting, one(waiting)?),
        (MessageState::Routed, routed),
        (MessageState::Composed, one(composed)?),
        (MessageState::Held, one(&held)?),
    ];
    let there = all.into_iter().filter(|(_, queue)| queue.count > 0);
    Ok(there
        .map(|(state, queue)| InState { state, queue })
        .collect())
}

fn under_way(db: &Connection) -> Result<[Queue; 2], Error> {
    let sql = "SELECT received_at,
            (SELECT COUNT(*) FROM messages m WHERE m.batch = b.id AND m.state = 'accepted') AS accepted,
            (SELECT COUNT(*) FROM messages m WHERE m.batch = b.id AND m.state = 'routed') AS routed
          FROM batches b
         WHERE state IN ('received', 'opened', 'routed', 'delivered', 'composed', 'held')";
    let rows = list(db, "count messages", sql, [], |row| {
        let counts: [u64; 2] = [row.get("accepted")?, row.get("routed")?];
        Ok((row.time("received_at")?, counts))
    })?;
    let mut queues = [Queue::default(); 2];
    for (received_at, counts) in rows {
        for (queue, count) in queues
            .iter_mut()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
        {
            queue.count += count;
            queue.since = Some(
                queue
                    .since
                    .map_or(received_at, |since| since.min(received_at)),
            );
        }
    }
    Ok(queues)
}

pub(super) fn arrivals(db: &Connection) -> Result<Queue, Error> {
    let sql = "SELECT COUNT(*) AS count, MIN(started_at) AS since FROM arrivals";
    db.query_row(sql, [], queue).doing("count arrivals")
}

pub(super) fn inboxes(db: &Connection) -> Result<Vec<InboxLook>, Error> {
    let sql = "SELECT * FROM inbox_looks ORDER BY place";
    list(db, "list looks", sql, [], look_row)
}

pub(super) fn inbox_files(db: &Connection) -> Result<Vec<InboxFiles>, Error> {
    let sql = "SELECT place, wait, COUNT(*) AS count, MIN(since) AS since FROM inbox_files
         GROUP BY place, wait ORDER BY place, since";
    list(db, "count waiting files", sql, [], |row| {
        Ok(InboxFiles {
            inbox: row.get("place")?,
            wait: row.word("wait")?,
            files: queue(row)?,
        })
    })
}

/// Places with something to do, by name.
pub(super) fn places(db: &Connection, now: Timestamp) -> Result<Vec<PlaceQueue>, Error> {
    let sql = "SELECT place,
            SUM(held_at IS NULL) AS due, MIN(CASE WHEN held_at IS NULL
                THEN COALESCE(waits_since, due_at) END) AS due_since,
            SUM(held_at IS NOT NULL AND held_for IS NULL) AS held,
            MIN(CASE WHEN held_for IS NULL THEN held_at END) AS held_since,
            SUM(held_for IS NOT NULL) AS held_back,
            MIN(CASE WHEN held_for IS NOT NULL THEN held_at END) AS held_back_since,
            0 AS awaited, NULL AS awaited_since, 0 AS overdue, NULL AS overdue_since
          FROM outgoing
         WHERE id IN (SELECT id FROM outgoing WHERE due_at IS NOT NULL
                      UNION ALL SELECT id FROM outgoing WHERE held_at IS NOT NULL)
         GROUP BY place
        UNION ALL
        SELECT place, 0, NULL, 0, NULL, 0, NULL, COUNT(*), MIN(handed_over_at),
               COALESCE(SUM(overdue_at <= ?1), 0),
               MIN(CASE WHEN overdue_at <= ?1 THEN handed_over_at END)
          FROM outgoing WHERE awaits_pickup = 1 GROUP BY place";
    let rows = list(
        db,
        "count hand-overs",
        sql,
        params![millis(now)],
        place_queue,
    )?;
    let mut places: Vec<PlaceQueue> = Vec::new();
    for row in rows {
        match places.iter_mut().find(|known| known.place == row.place) {
            Some(known) => (known.awaited, known.overdue) = (row.awaited, row.overdue),
            None => places.push(row),
        }
    }
    places.sort_by_key(|queue| queue.place.to_string());
    for queue in &mut places {
        queue.oldest = oldest(db, &queue.place)?;
    }
    Ok(places)
}

fn place_queue(row: &Row<'_>) -> rusqlite::Result<PlaceQueue> {
    let queue = |count: &str, since: &str| {
        Ok::<_, rusqlite::Error>(Queue {
            count: row.get(count)?,
            since: row.maybe_time(since)?,
        })
    };
    Ok(PlaceQueue {
        place: row.parsed("place")?,
        due: queue("due", "due_since")?,
        held: queue("held", "held_since")?,
        held_back: queue("held_back", "held_back_since")?,
        awaited: queue("awaited", "awaited_since")?,
        overdue: queue("overdue", "overdue_since")?,
        oldest: None,
    })
}

fn oldest(db: &Connection, place: &Place) -> Result<Option<OldestHandOver>, Error> {
    let doing = "find the oldest hand-over";
    let held = "SELECT * FROM outgoing WHERE place = ?1 AND held_at IS NOT NULL
           AND held_for IS NULL
         ORDER BY held_at, id LIMIT 1";
    let due = "SELECT * FROM outgoing WHERE place = ?1 AND due_at IS NOT NULL
         ORDER BY due_at, id LIMIT 1";
    for sql in [held, due] {
        let mut query = db.prepare_cached(sql).doing(doing)?;
        let found = query.query_row([place.to_string()], outgoing_row);
        if let Some(row) = found.optional().doing(doing)? {
            return Ok(Some(of_row(row)));
        }
    }
    Ok(None)
}

fn of_row(row: Outgoing) -> OldestHandOver {
    OldestHandOver {
        batch: row.batch,
        what: row.what(),
        attempts: row.attempts,
        next_try: row.due_at.filter(|_| row.attempts > 0),
        error: row.last_error,
    }
}

/// What came since then, tests not counted. Numbers of batches are given out in the order of arrival,
/// so that the messages of a day are one stretch of an index.
pub(super) fn day(db: &Connection, since: Timestamp) -> Result<Day, Error> {
    let sql = "SELECT id, is_test FROM batches WHERE received_at >= ?1";
    let came = list(db, "list batches of a day", sql, [millis(since)], |row| {
        Ok((row.batch("id")?, row.get::<_, bool>("is_test")?))
    })?;
    let Some(first) = came.iter().map(|(id, _)| *id).min() else {
        return Ok(Day::default());
    };
    let real: HashSet<BatchId> = came
        .iter()
        .filter(|(_, test)| !test)
        .map(|(id, _)| *id)
        .collect();
    let sql = "SELECT batch, state, channel, COUNT(*) AS messages FROM messages
         WHERE batch >= ?1 GROUP BY batch, state, channel";
    let groups = list(db, "count messages of a day", sql, [first.0], group)?;
    let mut messages = Counts::default();
    for (_, state, channel, count) in groups.into_iter().filter(|(id, ..)| real.contains(id)) {
        messages.add(state, channel, count);
    }
    Ok(Day {
        batches: real.len() as u64,
        messages,
    })
}

fn group(row: &Row<'_>) -> rusqlite::Result<(BatchId, MessageState, Option<Channel>, u64)> {
    Ok((
        row.batch("batch")?,
        row.word("state")?,
        row.maybe_word("channel")?,
        row.get("messages")?,
    ))
}
