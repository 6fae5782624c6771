-- Files of feeds whose rows are recorded, and that are not answered yet: what became of each, without anybody in
-- it, as the answer tells it. It is answered from here, since what its rows say may not hold any more.
CREATE TABLE owed_consent_answers (
    sha256 TEXT NOT NULL PRIMARY KEY,
    file   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
