-- Since when, and why, nobody can look into the mailboxes at all; null: somebody has, the last time.
ALTER TABLE mailbox_looks ADD COLUMN failing_since INTEGER;
ALTER TABLE mailbox_looks ADD COLUMN error TEXT;
