-- The audit: what operators did, each row bound to the one before it.

CREATE TABLE audit (
    -- 1, 2, … without a gap.
    id       INTEGER PRIMARY KEY,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    what     TEXT    NOT NULL,
    -- `B-0007`, `sender:<name>`, `account:<name>` or `house`.
    about    TEXT    NOT NULL,
    why      TEXT,
    -- SHA-256 in lower-case hex: of the row before this one, and of this one with that.
    previous TEXT    NOT NULL,
    hash     TEXT    NOT NULL
) STRICT;
CREATE INDEX audit_about ON audit (about, id);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the audit are never changed'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the audit are never removed'); END;

-- How many rows there are and the hash of the last, so that one that is gone at the end is missed. The
-- first row is written by the program that finds this table empty.
CREATE TABLE audit_head (
    id   INTEGER PRIMARY KEY CHECK (id = 1),
    rows INTEGER NOT NULL,
    hash TEXT    NOT NULL
) STRICT;
