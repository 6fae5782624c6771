-- What is due if nobody reads or confirms a message.

-- What each sender of the settings wants. One that has no row has what the settings say by default.
CREATE TABLE timer_rules (
    sender                  TEXT    NOT NULL PRIMARY KEY,
    acknowledge_within_days INTEGER NOT NULL,
    print_if_unread_days    INTEGER
) STRICT, WITHOUT ROWID;

-- One row a message that lies in its mailbox and may have to go on paper too. Gone once it has been
-- read or confirmed, or goes on paper.
CREATE TABLE timers (
    batch    INTEGER NOT NULL REFERENCES batches (id),
    position INTEGER NOT NULL,
    -- The event that is told when it is over: unacknowledged or unread.
    what     TEXT    NOT NULL,
    -- Who tells that it is read: a service, or nothing for the Maildirs.
    mailbox  TEXT    NOT NULL,
    begun_at INTEGER NOT NULL,
    due_at   INTEGER NOT NULL,
    -- When it is looked at: when it is due, and a day later each time that it could not be printed.
    look_at  INTEGER NOT NULL,
    stuck_at INTEGER,
    stuck_for TEXT,
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX timers_by_look ON timers (look_at);
CREATE INDEX timers_stuck ON timers (stuck_at) WHERE stuck_at IS NOT NULL;

-- When it was last seen, of each mailbox, what was read there.
CREATE TABLE mailbox_looks (
    mailbox    TEXT    NOT NULL PRIMARY KEY,
    looked_at  INTEGER NOT NULL,
    -- Nobody had looked for days, or the clock has leapt: nothing of it goes on paper before.
    wary_until INTEGER
) STRICT, WITHOUT ROWID;
