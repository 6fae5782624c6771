-- Matters were kept as they were typed, with blanks around them that no letter's has: they were heeded by
-- nothing, and cannot be typed any more.
UPDATE OR IGNORE print_only_matters SET matter = trim(matter, char(9, 10, 13, 32))
 WHERE matter <> trim(matter, char(9, 10, 13, 32));
-- What is left stands there without its blanks, too, or is nothing else.
DELETE FROM print_only_matters
 WHERE matter <> trim(matter, char(9, 10, 13, 32)) OR matter = '';
UPDATE matter_history SET matter = trim(matter, char(9, 10, 13, 32))
 WHERE matter <> trim(matter, char(9, 10, 13, 32));
