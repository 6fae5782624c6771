-- Why the mailbox of a message could not be looked into at the last look; null: it could.
ALTER TABLE read_marks ADD COLUMN missed_for TEXT;
