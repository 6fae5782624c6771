//! Points that no day of the matrix passes, and why.

pub(super) const NOT_PASSED: &[(&str, &str)] = &[
    (
        "commit/put the events of a mailbox service off",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/read the events of a mailbox service from their beginning",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record what a mailbox service tells",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/give a turn",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/try a mailbox service again",
        "an operator who does not wait",
    ),
    (
        "remote/courier: upload",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "remote/courier: send",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/take messages in hand",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/note uploaded files",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/put messages back",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/count a refusal",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/put messages off",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/try messages again",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record what was sent",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record who has no mailbox",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record what is too large",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record what a service refuses",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/settle a queue",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/release what was left in hand",
        "a courier that panics",
    ),
    (
        "commit/move a queue",
        "an operator who has named a service anew",
    ),
    (
        "commit/note how a turn went",
        "a batch that its house cannot bring",
    ),
    ("commit/hear early events again", "a restored house"),
    (
        "commit/queue messages",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record the mailbox services",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/put a mailbox service off",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/note that a mailbox service works",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    (
        "commit/record the next turn",
        "a mailbox service: `suomifi::crashes` kills there",
    ),
    // What the other side, the disk or the clock has to bring about.
    (
        "commit/put a hand-over off",
        "a line breaks: `faults` does that",
    ),
    (
        "commit/put a step off",
        "a mailbox that does not work: `flow` does that",
    ),
    ("commit/renew a claim", "a hand-over of hours"),
    ("commit/renew a lease", "a step of hours"),
    ("commit/give way", "a large batch beside small ones"),
    ("commit/put a step down", "a stop in the middle of a step"),
    (
        "commit/follow a clock that was set back",
        "a clock that is set back",
    ),
    ("commit/try to write", "somebody asks whether it is well"),
    ("commit/record alerts", "a trouble of minutes"),
    // What is waited for for days.
    (
        "commit/record what was read",
        "days that pass: `suomifi::weeks` kills there",
    ),
    (
        "commit/note a look into mailboxes",
        "days that pass: `suomifi::weeks` kills there",
    ),
    (
        "commit/note that mailboxes are away",
        "mailboxes on a disk that goes: noted again at the next look",
    ),
    (
        "commit/end timers",
        "days that pass: `suomifi::weeks` kills there",
    ),
    ("commit/stop a timer", "an operator wants no paper"),
    // Notices by e-mail need a mail server: `notices` kills at these points.
    (
        "commit/set a notice address",
        "a recipient who wants notices",
    ),
    (
        "commit/begin notices",
        "a mail server: `suomifi::weeks` kills there",
    ),
    (
        "commit/record a notice",
        "a mail server: `suomifi::weeks` kills there",
    ),
    (
        "commit/record a bounced notice",
        "a mail server: `suomifi::weeks` kills there",
    ),
    ("commit/resume notices", "a mail server"),
    ("commit/note that notices do not go", "a mail server"),
    (
        "remote/notices: send",
        "a mail server: `suomifi::weeks` kills there",
    ),
    (
        "rename/notices: a bounce is read",
        "a mail server: `suomifi::weeks` kills there",
    ),
    // A service of Suomi.fi Messages.
    ("remote/suomifi: upload", "a sender with a service"),
    ("remote/suomifi: send", "a sender with a service"),
    (
        "remote/suomifi: change the password",
        "an operator changes it",
    ),
    ("commit/note a changed password", "an operator changes it"),
    ("sync/suomifi: new password", "an operator changes it"),
    ("rename/suomifi: new password", "an operator changes it"),
    ("remove/suomifi: new password", "the service refuses it"),
    ("rename/suomifi: password", "an operator changes it"),
    (
        "sync/suomifi: folder of the password",
        "an operator changes it",
    ),
    // What is kept for days.
    ("commit/note a purge", "an operator purges"),
    ("commit/purge message rows", "rows that are old enough"),
    (
        "commit/purge the files of a batch",
        "files that are old enough",
    ),
    ("commit/erase a message", "rows that are old enough"),
    (
        "commit/record that message rows are purged",
        "rows that are old enough",
    ),
    ("remove/store: purge a file", "files that are old enough"),
    (
        "commit/let go of a hand-over",
        "a stop in the middle of a claim",
    ),
    (
        "commit/note a known file",
        "the same bytes under a new time",
    ),
    ("commit/note missing files", "a known file goes"),
    (
        "remote/inbox: adopt",
        "a claimed file whose row is lost, as with a restored backup",
    ),
    (
        "remote/inbox: clear done",
        "a file that has been done for days",
    ),
    (
        "remote/sftp: begin anew",
        "what a kill left: days with one pass it",
    ),
    (
        "remove/mailbox: draft",
        "consent that goes after a kill: `by_hand` does that",
    ),
    (
        "commit/route messages again",
        "consent that goes between two steps",
    ),
    (
        "commit/give up a plan",
        "settings that change between two starts",
    ),
    (
        "commit/break a delivery off",
        "a batch put on hold in the middle of its delivery: `holds` does that",
    ),
    (
        "commit/let go of a batch",
        "a batch put on hold in the middle of a step: `holds` does that",
    ),
    (
        "commit/hold a batch of a sender on hold",
        "a batch that comes while its sender is on hold: `holds` does that",
    ),
    // A house that comes back from a backup: `keeping` does that. Nothing runs in it until an operator
    // lets it go on, and a restore that was cut off is begun anew.
    ("commit/let a restored house go on", "a restored house"),
    ("commit/mark the house as restored", "a restored house"),
    ("commit/note printed letters", "a restored house"),
    ("commit/note what was brought back", "a restored house"),
    ("commit/settle printed letters", "a restored house"),
    ("rename/store: restore a backup", "a restored house"),
    // Letters that turn out bad once they are cut: a commit of one row beside others that are passed.
    (
        "commit/close a mailbox",
        "a letter that grows when it is cut",
    ),
    ("commit/hold a letter", "a letter that cannot be composed"),
    ("commit/hold a message", "a letter that cannot be cut"),
    (
        "commit/refuse a message",
        "a letter that is too heavy for all envelopes",
    ),
    (
        "commit/refuse a routed batch",
        "a sender whose batches go all or nothing",
    ),
    (
        "commit/record a matter",
        "an operator types it, and again where that failed",
    ),
    (
        "commit/record who wants paper",
        "a withdrawal while a message waits for a service, found again at the next try",
    ),
    (
        "commit/record consents",
        "an operator types it, and again where that failed",
    ),
    (
        "commit/begin a list of consents",
        "a full list, which is taken again where that failed",
    ),
    (
        "commit/lay out a list of consents",
        "a full list, which is taken again where that failed",
    ),
    (
        "commit/take a list of consents",
        "a full list, which is taken again where that failed",
    ),
    (
        "commit/forget a list of consents",
        "a full list, which is taken again where that failed",
    ),
    (
        "commit/owe an answer to a file of consents",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "commit/note a file of consents",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "commit/note how a feed of consents does",
        "a feed: the next look notes it",
    ),
    (
        "commit/forget a feed of consents",
        "a feed that the settings do not have any more",
    ),
    (
        "rename/consents: claim",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "write/consents: answer",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "rename/consents: answer",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "rename/consents: keep",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "remove/consents: taken",
        "a feed: `consent_feeds` kills there",
    ),
    (
        "commit/note an export of consents",
        "an operator takes the register out of the house",
    ),
    // What clients of the embedded server may do beside uploading; no file of theirs was received.
    (
        "remove/sftp_server: received",
        "a client removes its own unfinished file",
    ),
    (
        "remove/sftp_server: unfinished",
        "a client removes its own unfinished file",
    ),
    (
        "rename/sftp_server: received",
        "a client renames what it has uploaded",
    ),
    (
        "rename/sftp_server: take in",
        "an unfinished file of an earlier version",
    ),
    (
        "rename/sftp_server: unfinished",
        "a client renames what is unfinished",
    ),
];
