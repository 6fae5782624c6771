-- Messages in Maildirs that nobody was seen to read yet.
CREATE TABLE read_marks (
    batch    INTEGER NOT NULL REFERENCES batches (id),
    position INTEGER NOT NULL,
    -- When it was delivered.
    since    INTEGER NOT NULL,
    -- When the folder of read messages had changed last as it was looked into, in nanoseconds since 1970 by the
    -- file system's clock. Null: it is to be looked into.
    changed  INTEGER,
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;

-- What was delivered before anybody looked.
INSERT INTO read_marks (batch, position, since)
SELECT batch, position, delivered_at FROM messages
 WHERE delivered_at IS NOT NULL AND recipient_id IS NOT NULL;
