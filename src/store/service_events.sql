-- What mailbox services have told.

-- How far the events of a service are read, and how that goes: a row a service.
CREATE TABLE service_feeds (
    service       TEXT    NOT NULL PRIMARY KEY,
    -- Where to go on. Null: at the beginning.
    continuation  TEXT,
    -- When all that there was had been read.
    read_at       INTEGER,
    -- Since then no page could be read; null: the last one could.
    failing_since INTEGER,
    last_error    TEXT,
    tries         INTEGER NOT NULL DEFAULT 0,
    retry_at      INTEGER
) STRICT, WITHOUT ROWID;

-- How many events there were of each kind, and what became of them.
CREATE TABLE service_event_counts (
    service      TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    became       TEXT    NOT NULL,
    events       INTEGER NOT NULL,
    -- When the last one came, and the service's number of its message.
    last_at      INTEGER NOT NULL,
    last_message INTEGER,
    PRIMARY KEY (service, kind, became)
) STRICT, WITHOUT ROWID;
