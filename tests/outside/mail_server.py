"""A mail server of somebody else's making, aiosmtpd, that writes what it takes as JSON, a line a mail.

Usage: mail_server.py CERTIFICATE KEY OUT. Says its port on standard output. Wants STARTTLS and the login
`kuori`, `secret`. Refuses who begins with `nobody`, and puts `later` off once.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

certificate, key, out = sys.argv[1:]
put_off = set()


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return f"550 5.1.1 <{address}> unknown"
        if address.startswith("later") and address not in put_off:
            put_off.add(address)
            return f"451 4.7.1 <{address}> later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        told = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "is_encrypted": session.ssl is not None,
            "headers": {name: str(mail[name]) for name in mail.keys()},
            "defects": [str(it) for part in mail.walk() for it in part.defects],
            "text": mail.get_content(),
        }
        with open(out, "a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    is_right = (data.login, data.password) == (b"kuori", b"secret")
    return AuthResult(success=is_right, handled=False)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


async def serve():
    def session():
        return SMTP(
            Handler(),
            tls_context=context,
            require_starttls=True,
            authenticator=authenticate,
            auth_required=True,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(serve())
