-- Claims of steps with a number, whose turn it is, and what a crash and a clock leave.

-- One row.
CREATE TABLE runner (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    -- Numbers the claims, one after the other: which of them holds a row, which sender was served
    -- longest ago, and where in the line a batch stands.
    last_turn   INTEGER NOT NULL,
    -- The latest time that was seen. A clock that shows an earlier one was set back.
    latest_time INTEGER,
    -- 1: the program was told to stop, so that what it left leased did not make it end.
    is_stopping INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO runner (id, last_turn) VALUES (1, 0);

-- The number of the claim that holds the row, or held it when somebody else took it over. 0: its own
-- step has let go of it.
ALTER TABLE batches ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
-- How often the program has ended in the middle of the step that the state names.
ALTER TABLE batches ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
-- Its place among the batches of its sender: lower numbers first.
ALTER TABLE batches ADD COLUMN line INTEGER NOT NULL DEFAULT 0;
-- The message behind which a step goes on that gave way to others.
ALTER TABLE batches ADD COLUMN resume_after INTEGER NOT NULL DEFAULT 0;

ALTER TABLE delivery_reports ADD COLUMN lease INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery_reports ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;

-- The number of the last claim of a batch of this sender.
ALTER TABLE senders ADD COLUMN last_turn INTEGER NOT NULL DEFAULT 0;
