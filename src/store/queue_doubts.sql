-- What a house has to know to bring everything once, after a failure or a backup.

-- Why the house could not bring a batch at its last turn, and since when it cannot.
ALTER TABLE queued_batches ADD COLUMN last_error TEXT;
ALTER TABLE queued_batches ADD COLUMN failing_since INTEGER;

-- Batches up to this number came before the backup that the house was brought back from: what is queued
-- of them may have been sent since.
ALTER TABLE house ADD COLUMN doubted_to INTEGER;

-- Batches of which a service has told something before the house knew their messages: it came back from
-- a backup of before it opened them. Once it has, all events are read again.
CREATE TABLE early_events (
    service TEXT    NOT NULL,
    batch   INTEGER NOT NULL,
    PRIMARY KEY (service, batch)
) STRICT, WITHOUT ROWID;

-- When an operator wanted it delivered or printed once more: what was read before was another delivery.
ALTER TABLE messages ADD COLUMN again_at INTEGER;
