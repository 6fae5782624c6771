-- What waits for a service of Suomi.fi Messages, which takes one message a request.

CREATE TABLE mailbox_queue (
    batch       INTEGER NOT NULL REFERENCES batches (id),
    position    INTEGER NOT NULL,
    service     TEXT    NOT NULL,
    door        TEXT    NOT NULL,
    -- By which the service knows a repeat: chosen before the first try, and the same for each.
    external_id TEXT    NOT NULL,
    queued_at   INTEGER NOT NULL,
    -- A courier has it in hand.
    is_sending  INTEGER NOT NULL DEFAULT 0,
    -- A try ended without an answer: the service may have it.
    is_in_doubt INTEGER NOT NULL DEFAULT 0,
    tries       INTEGER NOT NULL DEFAULT 0,
    -- Grows with every eighth try: what fails over and over lets the others of its batch go first.
    lap         INTEGER NOT NULL DEFAULT 0,
    -- What the service calls its uploaded files, one a line, and when the first was uploaded.
    uploads     TEXT    NOT NULL DEFAULT '',
    uploaded_at INTEGER,
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX mailbox_queue_in_order ON mailbox_queue (service, batch, lap, position)
    WHERE is_sending = 0;
CREATE UNIQUE INDEX mailbox_queue_by_id ON mailbox_queue (service, external_id);
CREATE INDEX mailbox_queue_in_hand ON mailbox_queue (batch) WHERE is_sending = 1;
CREATE INDEX mailbox_queue_in_doubt ON mailbox_queue (batch) WHERE is_in_doubt = 1;

-- The queue by batches: whose turn it is, is asked of these, however many messages wait.
CREATE TABLE queued_batches (
    service         TEXT    NOT NULL,
    batch           INTEGER NOT NULL REFERENCES batches (id),
    queued_at       INTEGER NOT NULL,
    waiting         INTEGER NOT NULL,
    sending         INTEGER NOT NULL,
    -- Since when a message that left the queue has a step of its batch to come: it is to be routed
    -- anew, or to be printed too.
    unsettled_since INTEGER,
    PRIMARY KEY (service, batch)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER message_is_queued AFTER INSERT ON mailbox_queue BEGIN
    INSERT INTO queued_batches (service, batch, queued_at, waiting, sending)
    SELECT NEW.service, NEW.batch, NEW.queued_at, 0, 0
     WHERE NOT EXISTS (SELECT 1 FROM queued_batches
                        WHERE service = NEW.service AND batch = NEW.batch);
    UPDATE queued_batches
       SET waiting = waiting + 1 - NEW.is_sending, sending = sending + NEW.is_sending
     WHERE service = NEW.service AND batch = NEW.batch;
END;
CREATE TRIGGER message_is_taken_in_hand AFTER UPDATE OF is_sending ON mailbox_queue BEGIN
    UPDATE queued_batches
       SET waiting = waiting + OLD.is_sending - NEW.is_sending,
           sending = sending - OLD.is_sending + NEW.is_sending
     WHERE service = NEW.service AND batch = NEW.batch;
END;
CREATE TRIGGER message_leaves_the_queue AFTER DELETE ON mailbox_queue BEGIN
    UPDATE queued_batches
       SET waiting = waiting - 1 + OLD.is_sending, sending = sending - OLD.is_sending
     WHERE service = OLD.service AND batch = OLD.batch;
    DELETE FROM queued_batches
     WHERE service = OLD.service AND batch = OLD.batch
       AND waiting = 0 AND sending = 0 AND unsettled_since IS NULL;
END;
-- What waits stays in the state in which it was queued. Whoever moves a message, in whichever way,
-- takes it out of the queue.
CREATE TRIGGER message_moves_elsewhere AFTER UPDATE OF state ON messages
WHEN NEW.state <> OLD.state BEGIN
    DELETE FROM mailbox_queue WHERE batch = NEW.batch AND position = NEW.position;
END;

-- Which sender's turn it is.
CREATE TABLE queue_senders (
    service   TEXT    NOT NULL,
    sender    TEXT    NOT NULL,
    turns     INTEGER NOT NULL,
    -- The number of its last turn among those of all.
    last_turn INTEGER NOT NULL,
    PRIMARY KEY (service, sender)
) STRICT, WITHOUT ROWID;

-- What the services have, by the ids under which they tell of it.
CREATE TABLE sent_posts (
    service         TEXT    NOT NULL,
    external_id     TEXT    NOT NULL,
    -- The service's own.
    number          INTEGER NOT NULL,
    batch           INTEGER NOT NULL REFERENCES batches (id),
    position        INTEGER NOT NULL,
    door            TEXT    NOT NULL,
    sent_at         INTEGER NOT NULL,
    -- An earlier try had reached the service.
    was_sent_before INTEGER NOT NULL,
    PRIMARY KEY (service, external_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_posts_by_number ON sent_posts (service, number);
CREATE INDEX sent_posts_of ON sent_posts (batch, position);
CREATE INDEX sent_posts_by_time ON sent_posts (service, sent_at);

-- How each service does: over restarts, and for commands beside the daemon.
CREATE TABLE mailbox_services (
    name           TEXT    NOT NULL PRIMARY KEY,
    -- What the last start knew of it.
    is_in_settings INTEGER NOT NULL DEFAULT 0,
    rate_per_sec   REAL,
    turns          INTEGER NOT NULL DEFAULT 0,
    -- Nothing is sent before, so that the rate holds over a restart too.
    next_turn_at   INTEGER,
    failing_since  INTEGER,
    failures       INTEGER NOT NULL DEFAULT 0,
    last_error     TEXT,
    retry_at       INTEGER
) STRICT, WITHOUT ROWID;
