"""Does the steps of a file by paramiko: steps_paramiko.py PORT USER KEY STEPS."""

import os
import sys

import paramiko


def main(port, user, key, steps):
    transport = paramiko.Transport(("127.0.0.1", int(port)))
    transport.connect(username=user, pkey=paramiko.Ed25519Key.from_private_key_file(key))
    sftp = transport.open_sftp_client()
    with open(steps, "rb") as lines:
        for line in lines:
            verb, first, second = line.rstrip(b"\n").split(b"\t")
            STEPS[verb.decode()](sftp, first, second)
    transport.close()


def put(sftp, local, remote):
    sftp.put(os.fsdecode(local), remote)


def put_with_times(sftp, local, remote):
    put(sftp, local, remote)
    found = os.stat(local)
    sftp.utime(remote, (found.st_atime, found.st_mtime))
    sftp.chmod(remote, 0o644)


def resume(sftp, local, remote):
    have = sftp.stat(remote).st_size
    with open(local, "rb") as source, sftp.open(remote, "r+b") as target:
        source.seek(have)
        target.seek(have)
        target.set_pipelined(True)
        while chunk := source.read(1 << 20):
            target.write(chunk)


def get_rest(sftp, remote, local):
    with sftp.open(remote, "rb") as source, open(local, "ab") as target:
        source.seek(target.tell())
        while chunk := source.read(1 << 20):
            target.write(chunk)


def put_all(sftp, local, remote):
    for name in os.listdir(local):
        sftp.put(os.fsdecode(os.path.join(local, name)), os.path.join(remote, name))


def get_all(sftp, remote, local):
    for name in sftp.listdir(remote.decode()):
        sftp.get(f"{remote.decode()}/{name}", os.path.join(os.fsdecode(local), name))


def show(sftp, remote, _):
    print(*sftp.listdir(remote.decode()), sep="\n")


STEPS = {
    "put": put,
    "put-with-times": put_with_times,
    "resume": resume,
    "put-all": put_all,
    "get": lambda sftp, remote, local: sftp.get(remote, os.fsdecode(local)),
    "get-rest": get_rest,
    "get-all": get_all,
    "rename": lambda sftp, old, new: sftp.posix_rename(old, new),
    "remove": lambda sftp, remote, _: sftp.remove(remote),
    "list": show,
    "make-folder": lambda sftp, remote, _: sftp.mkdir(remote),
}

main(*sys.argv[1:])
