-- What an operator picks messages by, and the way that one was made to go.

-- The channel that an operator chose. Null: the rules choose.
ALTER TABLE messages ADD COLUMN forced_channel TEXT;
-- Those whose letter id `letter_ids` does not lead to.
CREATE INDEX messages_without_letter_id ON messages (sender_letter_id)
 WHERE state IN ('refused', 'cancelled') AND sender_letter_id IS NOT NULL;
CREATE INDEX findings_of_repeats ON findings (batch, position) WHERE code = 'message-repeated';
CREATE INDEX batches_of_tests ON batches (sender) WHERE is_test = 1;
