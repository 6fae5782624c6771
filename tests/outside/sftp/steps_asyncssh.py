"""Does the steps of a file by asyncssh: steps_asyncssh.py PORT USER KEY STEPS."""

import asyncio
import os
import sys

import asyncssh


async def main(port, user, key, steps):
    options = {"username": user, "client_keys": [key], "known_hosts": None, "config": None}
    async with asyncssh.connect("127.0.0.1", int(port), **options) as connection:
        async with connection.start_sftp_client() as sftp:
            with open(steps, "rb") as lines:
                for line in lines:
                    verb, first, second = line.rstrip(b"\n").split(b"\t")
                    await STEPS[verb.decode()](sftp, first, second)


async def resume(sftp, local, remote):
    have = await sftp.getsize(remote)
    with open(local, "rb") as source:
        source.seek(have)
        async with sftp.open(remote, "r+b") as target:
            await target.seek(have)
            while chunk := source.read(1 << 20):
                await target.write(chunk)


async def get_rest(sftp, remote, local):
    with open(local, "ab") as target:
        async with sftp.open(remote, "rb") as source:
            await source.seek(target.tell())
            while chunk := await source.read(1 << 20):
                target.write(chunk)


async def put_all(sftp, local, remote):
    await sftp.mput(os.path.join(local, b"*"), remote)


async def get_all(sftp, remote, local):
    await sftp.mget(os.path.join(remote, b"*"), local)


async def show(sftp, remote, _):
    print(*await sftp.listdir(remote.decode()), sep="\n")


STEPS = {
    "put": lambda sftp, local, remote: sftp.put(local, remote, sparse=False),
    "put-with-times": lambda sftp, local, remote: sftp.put(local, remote, preserve=True),
    "resume": resume,
    "put-all": put_all,
    "get": lambda sftp, remote, local: sftp.get(remote, local),
    "get-rest": get_rest,
    "get-all": get_all,
    "rename": lambda sftp, old, new: sftp.rename(old, new),
    "remove": lambda sftp, remote, _: sftp.remove(remote),
    "list": show,
    "make-folder": lambda sftp, remote, _: sftp.mkdir(remote),
}

asyncio.run(main(*sys.argv[1:]))
