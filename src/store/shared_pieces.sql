-- Schema 4: letters that share an envelope, and postage by weight.

-- A row is a letter; those of one sequence lie in one envelope, in the order of their positions. Pages
-- and sheets are the letter's own, an address page counted with the letter behind it.
CREATE TABLE pieces_by_letter (
    bundle     INTEGER NOT NULL REFERENCES bundles (id),
    sequence   INTEGER NOT NULL,
    batch      INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    first_page INTEGER NOT NULL,
    pages      INTEGER NOT NULL,
    sheets     INTEGER NOT NULL,
    PRIMARY KEY (bundle, sequence, position)
) STRICT, WITHOUT ROWID;
INSERT INTO pieces_by_letter (bundle, sequence, batch, position, first_page, pages, sheets)
    SELECT bundle, sequence, batch, position, first_page, pages, sheets FROM pieces;
DROP TABLE pieces;
ALTER TABLE pieces_by_letter RENAME TO pieces;
CREATE INDEX pieces_of_message ON pieces (batch, position);

ALTER TABLE bundles ADD COLUMN letters INTEGER NOT NULL DEFAULT 0;
UPDATE bundles SET letters = pieces;
-- Null: the print house has no postage table.
ALTER TABLE bundles ADD COLUMN postage_code TEXT;
