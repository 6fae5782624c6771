"""Reads the only new message of a mailbox as a mail program does, which marks it as read.

`read_imap.py <port> <user> <message>` writes the message to <message> and tells its flags before and after.
"""

import imaplib
import json
import pathlib
import sys

with imaplib.IMAP4("127.0.0.1", int(sys.argv[1]), timeout=60) as server:
    server.login(sys.argv[2], "secret")
    server.select("INBOX")
    _, found = server.search(None, "UNSEEN")
    (number,) = found[0].split()
    _, before = server.fetch(number, "(FLAGS)")
    _, read = server.fetch(number, "(BODY[])")
    _, after = server.fetch(number, "(FLAGS)")
    pathlib.Path(sys.argv[3]).write_bytes(read[0][1])


def is_seen(answer):
    return "\\Seen" in [flag.decode() for flag in imaplib.ParseFlags(answer[0])]


print(json.dumps({"seen_before": is_seen(before), "seen_after": is_seen(after)}))
