-- A message lost its place in its batch by tries that said nothing of it, those of an outage among them.
-- What counts for its lap now is how often a courier ended in the middle of it.
ALTER TABLE mailbox_queue ADD COLUMN falls INTEGER NOT NULL DEFAULT 0;
UPDATE mailbox_queue SET lap = 0;

-- What is not decided waits for no service: routing need not look for it there.
DROP TRIGGER message_moves_elsewhere;
CREATE TRIGGER message_moves_elsewhere AFTER UPDATE OF state ON messages
WHEN NEW.state <> OLD.state AND OLD.state NOT IN ('accepted', 'waiting') BEGIN
    DELETE FROM mailbox_queue WHERE batch = NEW.batch AND position = NEW.position;
END;
