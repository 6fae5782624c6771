-- More of what recipients have said.

-- Who told the house what the register has. Null: a word from before anybody was noted.
ALTER TABLE consents ADD COLUMN source TEXT;
UPDATE consents SET source = (
    SELECT h.source FROM consent_history h
     WHERE h.recipient_id = consents.recipient_id
     ORDER BY h.since DESC, h.id DESC LIMIT 1
);

-- A word is looked for by whose it is and since when, and the history of all is read in this order.
DROP INDEX consent_history_of;
CREATE INDEX consent_history_of ON consent_history (recipient_id, since);

-- What was said of matters, in order. Rows are never changed; what holds stands in
-- print_only_matters.
CREATE TABLE matter_history (
    id           INTEGER PRIMARY KEY,
    recipient_id TEXT    NOT NULL,
    matter       TEXT    NOT NULL,
    print_only   INTEGER NOT NULL CHECK (print_only IN (0, 1)),
    recorded_at  INTEGER NOT NULL,
    -- Null: recorded before anybody was noted.
    source       TEXT
) STRICT;
CREATE INDEX matter_history_of ON matter_history (recipient_id, matter);
INSERT INTO matter_history (recipient_id, matter, print_only, recorded_at)
    SELECT recipient_id, matter, 1, recorded_at FROM print_only_matters
     ORDER BY recorded_at, recipient_id, matter;

-- Files that were taken whole, so that each is taken once.
CREATE TABLE consent_files (
    sha256   TEXT    NOT NULL PRIMARY KEY,
    taken_at INTEGER NOT NULL,
    rows     INTEGER NOT NULL,
    bad      INTEGER NOT NULL,
    changed  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
