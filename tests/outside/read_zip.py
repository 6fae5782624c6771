"""Lists a ZIP's files as JSON: the name, and the SHA-256 of the content or null where it cannot be read.

Prints null where the whole ZIP cannot be read.
"""

import hashlib
import json
import struct
import sys
import zipfile

UTF8_NAME = 1 << 11


UNICODE_PATH = struct.pack("<H", 0x7075)


def name(info):
    """Before 3.12, Python takes every name for code page 437 that is not marked as UTF-8."""
    if info.flag_bits & UTF8_NAME:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return unicode_path(info.extra) or info.orig_filename


def unicode_path(extra):
    """The name in UTF-8 that Info-ZIP and 7-Zip put beside the other, behind five bytes."""
    while len(extra) >= 4:
        (length,) = struct.unpack("<H", extra[2:4])
        if extra[:2] == UNICODE_PATH:
            return extra[9 : 4 + length].decode("utf-8")
        extra = extra[4 + length :]
    return None


def digest(archive, info):
    try:
        return hashlib.sha256(archive.read(info)).hexdigest()
    except Exception:
        return None


def files(path):
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            return [[name(info), digest(archive, info)] for info in infos]
    except Exception:
        return None


print(json.dumps(files(sys.argv[1])))
