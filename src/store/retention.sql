-- Keeping and forgetting.

-- When the sender's file and the bundles made of it were removed. Null: they are here.
ALTER TABLE batches ADD COLUMN payload_purged_at INTEGER;
-- When what the rows of its messages say of people was removed.
ALTER TABLE batches ADD COLUMN messages_purged_at INTEGER;
-- When what this one row says of a person was erased, at somebody's request.
ALTER TABLE messages ADD COLUMN erased_at INTEGER;
-- What is kept is looked through from the oldest, once a day.
CREATE INDEX batches_with_payload ON batches (received_at) WHERE payload_purged_at IS NULL;
CREATE INDEX batches_with_people ON batches (received_at) WHERE messages_purged_at IS NULL;

-- The moment of the backup that this house was brought back from. Not null: nobody has said yet what
-- was done after it, and nothing may be done.
ALTER TABLE house ADD COLUMN restored_at INTEGER;
-- Letters that the print house had got after that moment, as its piece lists say.
CREATE TABLE printed_before (
    batch    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    bundle   INTEGER NOT NULL,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;
