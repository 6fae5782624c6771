-- Letters of a matter may go to another address than the control data's. Rows of an address: name, additional
-- name, street, postal code, city and country, a line each; an empty one is absent.
ALTER TABLE print_only_matters ADD COLUMN address TEXT;

-- Whether it was said that they go to another address; which one, only the register has.
ALTER TABLE matter_history ADD COLUMN has_address INTEGER NOT NULL DEFAULT 0;

-- Where a letter goes instead, as the register said when its way was decided.
ALTER TABLE messages ADD COLUMN other_address TEXT;
