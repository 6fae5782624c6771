-- How the feeds of consents do: a row a feed that waits for somebody, as of its last look.
CREATE TABLE consent_feeds (
    name          TEXT    NOT NULL PRIMARY KEY,
    -- Whether each of its files is a list of all consents.
    is_full       INTEGER NOT NULL CHECK (is_full IN (0, 1)),
    -- Since then its folders could not be used; null: they can.
    failing_since INTEGER,
    error         TEXT,
    -- Refused files that are kept for an operator: how many, since when, where the first of them lies, and
    -- why the newest was refused.
    refused       INTEGER NOT NULL DEFAULT 0,
    refused_since INTEGER,
    refused_path  TEXT,
    refused_why   TEXT,
    -- Files that nobody takes, because of their names.
    others        INTEGER NOT NULL DEFAULT 0,
    others_since  INTEGER
) STRICT, WITHOUT ROWID;
