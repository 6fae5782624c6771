-- Holds by operators: of batches, of messages, and of the bundles that wait with their batch or sender.

-- Who holds the batch. Null: the gate does.
ALTER TABLE holds ADD COLUMN held_by TEXT;
-- What a failed step held the batch for, before an operator did: that comes back with the release.
ALTER TABLE holds ADD COLUMN held_before TEXT;
-- Not null: an operator holds the message, and why. Its state is `held`.
ALTER TABLE messages ADD COLUMN held_why TEXT;
-- `batch` or `sender`: the bundle waits because that is on hold. Null: it does not, or something failed.
ALTER TABLE outgoing ADD COLUMN held_for TEXT;
CREATE INDEX outgoing_held_back ON outgoing (held_for, batch) WHERE held_for IS NOT NULL;
