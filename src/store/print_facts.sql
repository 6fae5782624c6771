-- What a look at a message's pages found that its way onto paper depends on.
ALTER TABLE messages ADD COLUMN colour_pages  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN lacks_address INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN is_unbalanced INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN has_landscape INTEGER NOT NULL DEFAULT 0;
