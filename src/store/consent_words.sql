-- Which of the words of one recipient stands.

-- A word that nobody said: a full list did not have the recipient. A later one that has them lifts it.
ALTER TABLE consent_history ADD COLUMN is_inferred INTEGER NOT NULL DEFAULT 0
    CHECK (is_inferred IN (0, 1));
-- From then on it stands no more.
ALTER TABLE consent_history ADD COLUMN lifted_at INTEGER;
UPDATE consent_history SET is_inferred = 1
 WHERE status = 'withdrawn' AND source GLOB 'not in the list *';
CREATE INDEX consent_history_inferred ON consent_history (recipient_id)
    WHERE is_inferred = 1 AND lifted_at IS NULL;

-- Of two words of one time the withdrawal stands, whichever was told later. It was the later one before.
UPDATE consents SET status = 'withdrawn', source = (
    SELECT h.source FROM consent_history h
     WHERE h.recipient_id = consents.recipient_id AND h.since = consents.since
       AND h.status = 'withdrawn'
     ORDER BY h.id DESC LIMIT 1)
 WHERE status = 'granted' AND EXISTS (
    SELECT 1 FROM consent_history h
     WHERE h.recipient_id = consents.recipient_id AND h.since = consents.since
       AND h.status = 'withdrawn');

-- When the newest full list that was taken was made: one row, or none.
CREATE TABLE consent_full_lists (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    as_of INTEGER NOT NULL
) STRICT;
INSERT INTO consent_full_lists (id, as_of)
    SELECT 1, MAX(since) FROM consent_history WHERE is_inferred = 1 HAVING MAX(since) IS NOT NULL;
