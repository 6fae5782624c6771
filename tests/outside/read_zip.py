"""Lists a ZIP's files as JSON: the name, and the SHA-256 of the content or null where it cannot be read.

Prints null where the whole ZIP cannot be read.
"""

import hashlib
import json
import sys
import zipfile

UTF8_NAME = 1 << 11


def name(info):
    """Python takes every name for code page 437 that is not marked as UTF-8."""
    if info.flag_bits & UTF8_NAME:
        return info.orig_filename
    raw = info.orig_filename.encode("cp437")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


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
