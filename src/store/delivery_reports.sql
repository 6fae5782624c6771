-- Schema 3: what happened to each message, and what of it the sender was told.

-- Rows are never changed.
CREATE TABLE message_events (
    batch    INTEGER NOT NULL REFERENCES batches (id),
    position INTEGER NOT NULL,
    -- 1, 2, … in each batch: what one transaction did to its messages.
    change   INTEGER NOT NULL,
    what     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    bundle   INTEGER REFERENCES bundles (id),
    -- Why a letter was returned.
    reason   TEXT,
    PRIMARY KEY (batch, position, change)
) STRICT, WITHOUT ROWID;

-- One row a batch with events.
CREATE TABLE delivery_reports (
    batch        INTEGER NOT NULL PRIMARY KEY REFERENCES batches (id),
    -- The newest change of the batch, and the newest that its sender was told of.
    newest       INTEGER NOT NULL DEFAULT 0,
    told         INTEGER NOT NULL DEFAULT 0,
    -- When the oldest change was made that is still to be told.
    untold_since INTEGER,
    reports      INTEGER NOT NULL DEFAULT 0,
    -- The last report said that nothing is under way any more.
    is_final     INTEGER NOT NULL DEFAULT 0,
    -- When to see whether a report is due. Null: nothing is to be told.
    due_at       INTEGER,
    lease_until  INTEGER,
    attempts     INTEGER NOT NULL DEFAULT 0,
    last_error   TEXT
) STRICT;
CREATE INDEX delivery_reports_due ON delivery_reports (due_at) WHERE due_at IS NOT NULL;
