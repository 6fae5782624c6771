-- Schema 6: accounts on the embedded server, as commands change them and as their owners use them.

-- Senders and print houses of the settings, since the last start that knew them.
CREATE TABLE accounts (
    name            TEXT    NOT NULL PRIMARY KEY,
    role            TEXT    NOT NULL,
    -- 0: the settings have its folders elsewhere, or name it no more.
    is_served       INTEGER NOT NULL,
    disabled_at     INTEGER,
    -- An argon2id hash as a PHC string.
    password_hash   TEXT,
    -- Addresses and networks beside those of the settings, with spaces between.
    addresses       TEXT    NOT NULL DEFAULT '',
    login_at        INTEGER,
    login_from      TEXT,
    -- The key's fingerprint, or `password`.
    login_by        TEXT,
    -- Logins that were refused since the last one that was not.
    refused         INTEGER NOT NULL DEFAULT 0,
    refused_at      INTEGER,
    refused_from    TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE account_keys (
    account     TEXT    NOT NULL REFERENCES accounts (name),
    fingerprint TEXT    NOT NULL,
    -- As in `authorized_keys`.
    line        TEXT    NOT NULL,
    in_settings INTEGER NOT NULL,
    -- Null: no command added it.
    added_at    INTEGER,
    added_by    TEXT,
    -- Null: for ever. A key of the settings that a command ended stays here, so that it stays ended.
    valid_until INTEGER,
    PRIMARY KEY (account, fingerprint)
) STRICT, WITHOUT ROWID;

-- One row: counts what changes who may log in, so that the daemon can look each second.
CREATE TABLE account_changes (changes INTEGER NOT NULL) STRICT;
INSERT INTO account_changes VALUES (0);

-- Events of an account have no batch.
ALTER TABLE events ADD COLUMN account TEXT;
CREATE INDEX events_of_account ON events (account) WHERE account IS NOT NULL;
