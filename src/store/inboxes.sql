-- Any number of inboxes, each file of them exactly once.

-- Who this data folder is to others who take from the same inbox: its name is part of the name that a
-- claimed file gets.
CREATE TABLE house (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
) STRICT;
INSERT INTO house VALUES (1, lower(hex(randomblob(6))));
-- Null: the file was claimed under the number of its row alone.
ALTER TABLE arrivals ADD COLUMN house TEXT;

-- Files of inboxes where nothing may be renamed or removed: what has been taken of what stands there.
CREATE TABLE known_files (
    place       TEXT    NOT NULL,
    file_name   TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    -- Seconds, by the clock of the other side; null where it tells none.
    modified    INTEGER,
    sha256      TEXT    NOT NULL,
    batch       INTEGER NOT NULL REFERENCES batches (id),
    -- Not null: it is no longer listed, and will be forgotten.
    missing_since INTEGER,
    PRIMARY KEY (place, file_name)
) STRICT, WITHOUT ROWID;

-- The last look into each inbox, and what was waiting there.
CREATE TABLE inbox_looks (
    place     TEXT    NOT NULL PRIMARY KEY,
    sender    TEXT    NOT NULL,
    looked_at INTEGER NOT NULL,
    -- Why nothing could be seen; null where the look went well.
    error     TEXT,
    -- Since when looks have been going well, or badly.
    since     INTEGER NOT NULL,
    -- How many files wait; `inbox_files` names the first of them.
    waiting   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE inbox_files (
    place     TEXT    NOT NULL,
    file_name TEXT    NOT NULL,
    bytes     INTEGER NOT NULL,
    wait      TEXT    NOT NULL,
    detail    TEXT,
    since     INTEGER NOT NULL,
    until     INTEGER,
    PRIMARY KEY (place, file_name)
) STRICT, WITHOUT ROWID;

-- An operator wants the inbox looked into now.
CREATE TABLE inbox_requests (
    place    TEXT    NOT NULL PRIMARY KEY,
    asked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
