-- Notices by e-mail: a recipient is told that a message lies in their mailbox.

-- Where recipients want to be told. Rows live as long as the register of consents wants them.
CREATE TABLE notice_addresses (
    recipient_id TEXT    NOT NULL PRIMARY KEY,
    address      TEXT    NOT NULL,
    -- ISO 639-1. Null: nobody knows; the site's languages are used.
    language     TEXT,
    since        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a delivery whose recipient wants to be told. No address stands here: it is looked up when
-- the notice goes.
CREATE TABLE notices (
    batch         INTEGER NOT NULL REFERENCES batches (id),
    position      INTEGER NOT NULL,
    -- As in messages.again: which delivery of the message it tells of.
    repeat        INTEGER NOT NULL,
    -- due → sending → sent → (due → sending → reminded), or failed; dropped where nobody is to be told
    -- any more.
    state         TEXT    NOT NULL
        CHECK (state IN ('due', 'sending', 'sent', 'reminded', 'failed', 'dropped')),
    is_reminder   INTEGER NOT NULL DEFAULT 0,
    -- When the notice, or its reminder, came due first: its date.
    since         INTEGER NOT NULL,
    -- The next try; of one that is sent, when to remind.
    due_at        INTEGER,
    tries         INTEGER NOT NULL DEFAULT 0,
    -- When the mail server first put this notice off.
    put_off_since INTEGER,
    sent_at       INTEGER,
    failed_at     INTEGER,
    why           TEXT,
    PRIMARY KEY (batch, position, repeat)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_due ON notices (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notices_waiting ON notices (state, since) WHERE state IN ('due', 'sending');
CREATE INDEX notices_failed ON notices (failed_at) WHERE failed_at IS NOT NULL;

-- How the mail server does: the only row.
CREATE TABLE notice_server (
    id            INTEGER PRIMARY KEY CHECK (id = 1),
    failing_since INTEGER,
    retry_at      INTEGER,
    attempts      INTEGER NOT NULL DEFAULT 0,
    error         TEXT
) STRICT;
INSERT INTO notice_server (id) VALUES (1);
