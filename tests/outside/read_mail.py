"""Reads one Maildir message as a mail program does, and tells it as JSON.

`read_mail.py <message> <pdf>` writes the attachment to <pdf>.
"""

import hashlib
import json
import pathlib
import sys
from email import message_from_bytes, policy

raw = pathlib.Path(sys.argv[1]).read_bytes()
message = message_from_bytes(raw, policy=policy.default)
defects = [repr(defect) for part in message.walk() for defect in part.defects]
defects += [repr(defect) for value in message.values() for defect in value.defects]
attachments = list(message.iter_attachments())
pathlib.Path(sys.argv[2]).write_bytes(attachments[0].get_content())
told = {
    "defects": defects,
    "message": message["X-Kuori-Message"],
    "message_id": message["Message-ID"],
    "subject": message["Subject"],
    "from": message["From"],
    "date": message["Date"].datetime.isoformat(),
    "body": message.get_body(("plain",)).get_content(),
    "attachments": [
        {
            "type": part.get_content_type(),
            "name": part.get_filename(),
            "sha256": hashlib.sha256(part.get_payload(decode=True)).hexdigest(),
        }
        for part in attachments
    ],
    "longest_line": max(len(line) for line in raw.split(b"\r\n")),
    "bare_line_ends": raw.count(b"\n") - raw.count(b"\r\n"),
}
print(json.dumps(told))
