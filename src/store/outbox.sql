-- Lanes a place, holds and pick-ups of what goes out.

-- Not null: it waits for an operator, `last_error` says why, and nothing is due.
ALTER TABLE outgoing ADD COLUMN held_at INTEGER;
-- When it was first claimed. Of a bundle that is withdrawn later: files of it may stand at its place.
ALTER TABLE outgoing ADD COLUMN begun_at INTEGER;
-- Since when it waits to be handed over.
ALTER TABLE outgoing ADD COLUMN waits_since INTEGER;
-- 1: handed over, and looked for until the other side has taken it away.
ALTER TABLE outgoing ADD COLUMN awaits_pickup INTEGER NOT NULL DEFAULT 0;
-- When it has been waiting to be picked up for too long. Null: never.
ALTER TABLE outgoing ADD COLUMN overdue_at INTEGER;
-- When it was first seen that the other side had taken it away.
ALTER TABLE outgoing ADD COLUMN picked_up_at INTEGER;
UPDATE outgoing SET waits_since = due_at, begun_at = CASE WHEN attempts > 0 THEN due_at END
 WHERE due_at IS NOT NULL;

CREATE INDEX outgoing_due_of ON outgoing (place, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_leased ON outgoing (place) WHERE lease_until IS NOT NULL;
CREATE INDEX outgoing_held ON outgoing (place) WHERE held_at IS NOT NULL;
CREATE INDEX outgoing_awaited ON outgoing (place, id) WHERE awaits_pickup = 1;
CREATE INDEX outgoing_of_bundle ON outgoing (bundle) WHERE bundle IS NOT NULL;

-- What is known of places. One that is away, or holds, is asked by one row, or by none.
CREATE TABLE outgoing_places (
    place      TEXT    NOT NULL PRIMARY KEY,
    -- Since when it does not work. Null: it does.
    since      INTEGER,
    attempts   INTEGER NOT NULL DEFAULT 0,
    -- Before then it is not asked. Null in a place that does not work: not before an operator says so.
    next_try   INTEGER,
    last_error TEXT,
    -- When it was last told that the other side does not pick up.
    alerted_at INTEGER
) STRICT, WITHOUT ROWID;
