-- Files of a feed that were taken, and of which some rows could not be used: how many are kept for an
-- operator, since when, and where the first of them lies.
ALTER TABLE consent_feeds ADD COLUMN bad       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE consent_feeds ADD COLUMN bad_since INTEGER;
ALTER TABLE consent_feeds ADD COLUMN bad_path  TEXT;
