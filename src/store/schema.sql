-- Schema 1. Times are milliseconds since 1970 in UTC. States are the words of src/domain/lifecycle.rs.

CREATE TABLE batches (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    sender      TEXT    NOT NULL,
    file_name   TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    sha256      TEXT    NOT NULL,
    spool       TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    state       TEXT    NOT NULL,
    shape       TEXT,
    is_test     INTEGER NOT NULL DEFAULT 0,
    print_only  INTEGER NOT NULL DEFAULT 0,
    reason      TEXT,
    -- When the step that the state names is due. Null: nothing is to be done.
    due_at      INTEGER,
    lease_until INTEGER,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    reports     INTEGER NOT NULL DEFAULT 0,
    -- The same file twice is one batch.
    UNIQUE (sender, sha256)
) STRICT;
CREATE INDEX batches_due ON batches (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE messages (
    batch            INTEGER NOT NULL REFERENCES batches (id),
    position         INTEGER NOT NULL,
    state            TEXT    NOT NULL,
    sender_letter_id TEXT,
    recipient_kind   TEXT    NOT NULL,
    recipient_id     TEXT,
    name             TEXT,
    additional_name  TEXT,
    street           TEXT,
    postal_code      TEXT,
    city             TEXT,
    country          TEXT,
    document         TEXT    NOT NULL,
    first_page       INTEGER NOT NULL,
    page_count       INTEGER NOT NULL,
    subject          TEXT,
    body             TEXT,
    service          TEXT    NOT NULL,
    wish             TEXT    NOT NULL,
    deny_only        INTEGER NOT NULL,
    deny_copy        INTEGER NOT NULL,
    colour           INTEGER,
    duplex           INTEGER,
    postage          TEXT,
    matter           TEXT,
    attachments      TEXT    NOT NULL,
    fit_mailbox      INTEGER NOT NULL,
    fit_print        INTEGER NOT NULL,
    channel          TEXT,
    reason           TEXT,
    asked_status     TEXT,
    asked_at         INTEGER,
    registered       INTEGER NOT NULL DEFAULT 0,
    decided_at       INTEGER,
    waiting_since    INTEGER,
    delivered_at     INTEGER,
    mailbox_reference TEXT,
    -- How often an operator asked by name for a repeat of what had left the house.
    again            INTEGER NOT NULL DEFAULT 0,
    -- The live bundle, once the plan has chosen one.
    bundle           INTEGER REFERENCES bundles (id),
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;
-- Messages are counted by both, without a look at the rows.
CREATE INDEX messages_by_state ON messages (batch, state, channel);
CREATE INDEX messages_by_bundle ON messages (bundle) WHERE bundle IS NOT NULL;

-- Which message a sender's own letter id belongs to: the first usable one. A refused message lets go
-- of its id, so that the sender can send the letter again, corrected.
CREATE TABLE letter_ids (
    sender    TEXT    NOT NULL,
    letter_id TEXT    NOT NULL,
    batch     INTEGER NOT NULL,
    position  INTEGER NOT NULL,
    PRIMARY KEY (sender, letter_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_ids_by_message ON letter_ids (batch, position);

CREATE TABLE findings (
    id       INTEGER PRIMARY KEY,
    batch    INTEGER NOT NULL REFERENCES batches (id),
    -- Null: the whole batch.
    position INTEGER,
    code     TEXT    NOT NULL,
    detail   TEXT    NOT NULL,
    entry    TEXT,
    line     INTEGER,
    page     INTEGER
) STRICT;
CREATE INDEX findings_of ON findings (batch, position);

CREATE TABLE bundles (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    batch          INTEGER NOT NULL REFERENCES batches (id),
    print_house    TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    planned_at     INTEGER NOT NULL,
    composed_at    INTEGER,
    handed_over_at INTEGER,
    postage        TEXT    NOT NULL,
    registered     INTEGER NOT NULL,
    colour         INTEGER NOT NULL,
    duplex         INTEGER NOT NULL,
    envelope       TEXT    NOT NULL,
    foreign_post   INTEGER NOT NULL,
    pieces         INTEGER NOT NULL,
    pages          INTEGER NOT NULL,
    sheets         INTEGER NOT NULL
) STRICT;
CREATE INDEX bundles_of ON bundles (batch, state);

CREATE TABLE pieces (
    bundle     INTEGER NOT NULL REFERENCES bundles (id),
    sequence   INTEGER NOT NULL,
    batch      INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    first_page INTEGER NOT NULL,
    pages      INTEGER NOT NULL,
    sheets     INTEGER NOT NULL,
    PRIMARY KEY (bundle, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX pieces_of_message ON pieces (batch, position);

-- What is to leave the house: one row a hand-over, its files in order, the marker last.
CREATE TABLE outgoing (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    batch          INTEGER NOT NULL REFERENCES batches (id),
    bundle         INTEGER REFERENCES bundles (id),
    kind           TEXT    NOT NULL,
    place          TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    due_at         INTEGER,
    lease_until    INTEGER,
    attempts       INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT,
    handed_over_at INTEGER
) STRICT;
CREATE INDEX outgoing_due ON outgoing (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_of ON outgoing (batch);

CREATE TABLE outgoing_files (
    outgoing INTEGER NOT NULL REFERENCES outgoing (id),
    ordinal  INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    spool    TEXT    NOT NULL,
    bytes    INTEGER NOT NULL,
    sha256   TEXT    NOT NULL,
    PRIMARY KEY (outgoing, ordinal)
) STRICT, WITHOUT ROWID;

-- Intents of the inbox: a file that is being taken. Gone once the remote file is.
CREATE TABLE arrivals (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    sender     TEXT    NOT NULL,
    place      TEXT    NOT NULL,
    file_name  TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    batch      INTEGER REFERENCES batches (id),
    started_at INTEGER NOT NULL
) STRICT;
CREATE INDEX arrivals_of ON arrivals (place);

CREATE TABLE consents (
    recipient_id TEXT    NOT NULL PRIMARY KEY,
    status       TEXT    NOT NULL,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE consent_history (
    id           INTEGER PRIMARY KEY,
    recipient_id TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    since        INTEGER NOT NULL,
    recorded_at  INTEGER NOT NULL,
    source       TEXT    NOT NULL
) STRICT;
CREATE INDEX consent_history_of ON consent_history (recipient_id);

-- Matters in which a recipient gets paper whatever the consent says.
CREATE TABLE print_only_matters (
    recipient_id TEXT    NOT NULL,
    matter       TEXT    NOT NULL,
    recorded_at  INTEGER NOT NULL,
    PRIMARY KEY (recipient_id, matter)
) STRICT, WITHOUT ROWID;

-- What happened, who did it and why. Rows are never changed.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    batch    INTEGER,
    position INTEGER,
    actor    TEXT    NOT NULL,
    what     TEXT    NOT NULL,
    why      TEXT
) STRICT;
CREATE INDEX events_of ON events (batch, position);
