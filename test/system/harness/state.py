"""What a process left in its state directory that knew its past, and in which nobody used a name of a wildcard: without it a start counts half
of each budget of names as used."""
import hashlib
import struct
import time

NAMES = b"exeat-names-1\n"


def sealed(body):
    return NAMES + body + hashlib.sha256(NAMES + body).digest()


def known_past(directory):
    directory.mkdir(parents=True)
    (directory / "names").write_bytes(sealed(struct.pack("<QBBBQII", int(time.time()) // 60, 0, 0, 1, 77, 0, 0)))
    return str(directory)
