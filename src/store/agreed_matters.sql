-- The register of matters and its history had some with white space around them, and each kept them apart from
-- those without: what was taken back by one name stood by the other. It says what the history says last.
CREATE TEMP TABLE white_space (signs TEXT NOT NULL);
INSERT INTO temp.white_space VALUES (char(9, 10, 11, 12, 13, 32, 133, 160, 5760, 8192, 8193, 8194, 8195,
    8196, 8197, 8198, 8199, 8200, 8201, 8202, 8232, 8233, 8239, 8287, 12288));

UPDATE matter_history SET matter = trim(matter, (SELECT signs FROM temp.white_space))
 WHERE matter <> trim(matter, (SELECT signs FROM temp.white_space));
DELETE FROM matter_history WHERE matter = '';

-- Of two that are one now, the one that was recorded later.
DELETE FROM print_only_matters WHERE EXISTS (
    SELECT 1 FROM print_only_matters o
     WHERE o.recipient_id = print_only_matters.recipient_id
       AND trim(o.matter, (SELECT signs FROM temp.white_space))
         = trim(print_only_matters.matter, (SELECT signs FROM temp.white_space))
       AND (o.recorded_at, o.matter) > (print_only_matters.recorded_at, print_only_matters.matter));
UPDATE print_only_matters SET matter = trim(matter, (SELECT signs FROM temp.white_space))
 WHERE matter <> trim(matter, (SELECT signs FROM temp.white_space));
DELETE FROM print_only_matters WHERE matter = '' OR 0 = (
    SELECT h.print_only FROM matter_history h
     WHERE h.recipient_id = print_only_matters.recipient_id
       AND h.matter = print_only_matters.matter
     ORDER BY h.id DESC LIMIT 1);

DROP TABLE temp.white_space;
