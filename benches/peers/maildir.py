"""Delivers messages by Python's `mailbox`, one by one, each synced: `maildir.py ROOT < LIST`.

A line of the list is a message file and the mailbox it is for.
"""

import mailbox
import pathlib
import sys

root = pathlib.Path(sys.argv[1])
for line in sys.stdin:
    message, box = line.split()
    mailbox.Maildir(root / box).add(pathlib.Path(message).read_bytes())
