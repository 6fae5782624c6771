-- Which message a service does not take while it takes the others: it waits by itself, and comes to an end.

-- How many messages each service has taken by each of its doors, ever: whether it has taken any since is
-- told from that, and not from a clock.
CREATE TABLE taken_by_services (
    service TEXT    NOT NULL,
    door    TEXT    NOT NULL,
    taken   INTEGER NOT NULL,
    PRIMARY KEY (service, door)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER service_takes_a_message AFTER INSERT ON sent_posts WHEN NEW.was_sent_before = 0 BEGIN
    INSERT INTO taken_by_services (service, door, taken) VALUES (NEW.service, NEW.door, 1)
    ON CONFLICT (service, door) DO UPDATE SET taken = taken + 1;
END;

-- How often the service was to take it in vain.
ALTER TABLE mailbox_queue ADD COLUMN refusals INTEGER NOT NULL DEFAULT 0;
-- Of them: it had taken others since the one before. And since when that is so.
ALTER TABLE mailbox_queue ADD COLUMN refusals_apart INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox_queue ADD COLUMN apart_since INTEGER;
-- How many it had taken by then, and its last words.
ALTER TABLE mailbox_queue ADD COLUMN refused_after INTEGER;
ALTER TABLE mailbox_queue ADD COLUMN last_refusal TEXT;
-- Until then the others go without it; null once it may go with them.
ALTER TABLE mailbox_queue ADD COLUMN retry_at INTEGER;
CREATE INDEX mailbox_queue_put_off ON mailbox_queue (service, retry_at) WHERE retry_at IS NOT NULL;

-- How many of those that wait are put off.
ALTER TABLE queued_batches ADD COLUMN put_off INTEGER NOT NULL DEFAULT 0;
CREATE TRIGGER message_is_put_off AFTER UPDATE OF retry_at ON mailbox_queue
WHEN (NEW.retry_at IS NULL) <> (OLD.retry_at IS NULL) BEGIN
    UPDATE queued_batches
       SET put_off = put_off + (NEW.retry_at IS NOT NULL) - (OLD.retry_at IS NOT NULL)
     WHERE service = NEW.service AND batch = NEW.batch;
END;
CREATE TRIGGER message_that_is_put_off_leaves_the_queue AFTER DELETE ON mailbox_queue
WHEN OLD.retry_at IS NOT NULL BEGIN
    UPDATE queued_batches SET put_off = put_off - 1
     WHERE service = OLD.service AND batch = OLD.batch;
END;
