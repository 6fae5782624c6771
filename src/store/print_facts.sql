-- What a look at a message's pages found that its way onto paper depends on. Nobody looked at those of
-- older messages: their content may be out of balance, which is looked at again when they are composed,
-- and every page may be in colour.
ALTER TABLE messages ADD COLUMN colour_pages  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN lacks_address INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN is_unbalanced INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages ADD COLUMN has_landscape INTEGER NOT NULL DEFAULT 0;
UPDATE messages SET colour_pages = page_count;
