-- What operators watch: alerts that are on, starts of the daemon, and what `kuori status` counts by.

-- Alerts that are on; one that is over has no row.
CREATE TABLE alerts (
    code     TEXT    NOT NULL,
    -- A sender, a place or an inbox of the settings, or the house.
    subject  TEXT    NOT NULL,
    -- Since when it is so; it was told for the first time at `begun_at`, and last at `told_at`.
    since    INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    told_at  INTEGER NOT NULL,
    text     TEXT    NOT NULL,
    PRIMARY KEY (code, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE daemon_starts (
    id         INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    version    TEXT    NOT NULL,
    pid        INTEGER NOT NULL,
    -- When it was last seen that the database can be written.
    written_at INTEGER,
    -- Null: it runs, or did not end by itself.
    stopped_at INTEGER
) STRICT;

CREATE INDEX batches_by_state ON batches (state, received_at);
CREATE INDEX batches_received ON batches (received_at);
CREATE INDEX bundles_by_state ON bundles (state, planned_at);
-- Rare, and asked for often.
CREATE INDEX messages_held ON messages (batch) WHERE state = 'held';
CREATE INDEX messages_waiting ON messages (batch, waiting_since) WHERE state = 'waiting';
