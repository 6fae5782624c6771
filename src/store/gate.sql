-- Schema 2: the gate before routing, senders on hold, and who lets go of what.

-- When the gate first let the batch through. Null: it has not, or nothing was there to go.
ALTER TABLE batches ADD COLUMN gate_passed_at INTEGER;
-- From before the first message is put into a mailbox until all of them are recorded. Not null: a
-- message may lie in a mailbox that no row tells of.
ALTER TABLE batches ADD COLUMN delivery_begun_at INTEGER;
-- What had been routed before there was a gate is not asked again.
UPDATE batches SET gate_passed_at = received_at
 WHERE is_test = 0 AND state NOT IN ('received', 'opened', 'refused')
   AND (state <> 'held' OR EXISTS (SELECT 1 FROM messages m WHERE m.batch = batches.id
                                    AND m.decided_at IS NOT NULL));
UPDATE batches SET delivery_begun_at = received_at
 WHERE EXISTS (SELECT 1 FROM messages m WHERE m.batch = batches.id
               AND m.state IN ('routed', 'held') AND m.delivered_at IS NULL AND m.channel <> 'print');

-- Why a batch is held before it is routed.
CREATE TABLE holds (
    batch       INTEGER NOT NULL REFERENCES batches (id),
    cause       TEXT    NOT NULL,
    why         TEXT    NOT NULL,
    held_at     INTEGER NOT NULL,
    -- Not null: the cause holds this batch no more.
    approved_at INTEGER,
    PRIMARY KEY (batch, cause)
) STRICT, WITHOUT ROWID;

-- Those of the settings, since the last start that knew them. `held_at` not null: on hold.
CREATE TABLE senders (
    name     TEXT NOT NULL PRIMARY KEY,
    held_at  INTEGER,
    held_by  TEXT,
    held_why TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO senders (name) SELECT DISTINCT sender FROM batches;

-- Events of a sender have no batch.
ALTER TABLE events ADD COLUMN sender TEXT;
CREATE INDEX events_of_sender ON events (sender) WHERE sender IS NOT NULL;
