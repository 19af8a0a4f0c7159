"""Clocks to step and an allocator that fails, in front of the real binary: preload.c, and the page of memory by which a test tells it what to do."""
import mmap
import pathlib
import re
import struct
import subprocess

from .exeat import BINARY, DAEMON

SOURCE = pathlib.Path(__file__).with_name("preload.c")
_FIELDS = ("wall_offset", "seen", "first", "length", "failed", "every", "steady_offset", "boot_offset")


def address_sanitizer():
    """The path of its library, when the binary is built with it: its allocator must come first, and can be replaced by none."""
    found = re.search(r"libasan\S* => (\S+)", _libraries())
    return found[1] if found else None


def sanitizer():
    found = re.search(r"lib([at]san)", _libraries())
    return found[1] if found else None


def _libraries():
    return subprocess.run(["ldd", DAEMON], capture_output=True, text=True, check=True).stdout


class Preload:
    def __init__(self, directory, allocations):
        directory.mkdir(exist_ok=True)
        self._page, library = directory / "control", directory / "preload.so"
        self._page.write_bytes(bytes(4096))
        with open(self._page, "r+b") as f:
            self._shared = mmap.mmap(f.fileno(), 4096)
        subprocess.run(["g++", "-x", "c", "-O2", "-fPIC", "-shared", *(["-DALLOCATIONS"] if allocations else []), "-o", str(library), str(SOURCE)], check=True)
        self._libraries = [address_sanitizer(), str(library)]

    @property
    def before(self):
        """What starts exeat with it."""
        return ["env", f"FAULTS_CONTROL={self._page}", "LD_PRELOAD=" + ":".join(filter(None, self._libraries))]

    def tell(self, **fields):
        for name, value in fields.items():
            struct.pack_into("l", self._shared, 8 * _FIELDS.index(name), value)

    def told(self, name):
        return struct.unpack_from("l", self._shared, 8 * _FIELDS.index(name))[0]

    def fail(self, first, length=1):
        """The `first` allocation from now on fails, counted from 1, and so many after it."""
        self.tell(failed=0, length=length, first=self.told("seen") + first)

    def fail_no_more(self):
        self.tell(first=0)
        return self.told("failed")
