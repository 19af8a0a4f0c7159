"""What a process left in its state directory that knew its past, and in which nobody used a name of a wildcard: without it a start counts half
of each budget of names as used. It is of a version that did not keep whose the hosts were, so that none of that need be there."""
import hashlib
import struct
import time

FORMER, NAMES = b"exeat-names-1\n", b"exeat-names-2\n"


def sealed(magic, body):
    return magic + body + hashlib.sha256(magic + body).digest()


def known_past(directory):
    directory.mkdir(parents=True)
    (directory / "names").write_bytes(sealed(FORMER, struct.pack("<QBBBQII", int(time.time()) // 60, 0, 0, 1, 77, 0, 0)))
    return str(directory)
