"""tcpdump on the link to the world, and the TCP payload that it saw."""
import collections
import os
import signal
import socket
import struct
import subprocess
import threading

from .wait import seconds, wait_until

MARK = 0x88B5  # an Ethernet type for experiments (IEEE 802): nobody else sends it


class Capture:
    """Only headers are kept. `expression` is a pcap filter."""

    def __init__(self, path, expression, link="w0"):
        self.path, self.link = str(path), link
        argv = ["tcpdump", "-i", link, "-n", "-s", "128", "-B", "65536", "-Z", "root", "-U", "--immediate-mode", "-w", self.path, f"({expression}) or ether proto {MARK}"]
        self._process = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
        first = self._process.stderr.readline()
        assert "listening on" in first, first
        self._said = []
        self._reader = threading.Thread(target=lambda: self._said.extend(self._process.stderr), daemon=True)
        self._reader.start()

    def _written(self, mark):
        with open(self.path, "rb") as f:
            f.seek(max(0, os.stat(self.path).st_size - 65536))
            return mark in f.read()

    def stop(self):
        """tcpdump drops what it has not read yet when it is told to end: what went by before the last frame is written once that is."""
        mark = os.urandom(32)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
            s.bind((self.link, 0))
            s.send(b"\xff" * 6 + bytes(6) + struct.pack("!H", MARK) + mark)
        wait_until(lambda: self._written(mark), 60, "tcpdump has written all")
        self._process.send_signal(signal.SIGINT)
        self._process.wait(seconds(60))
        self._reader.join(seconds(30))
        dropped = [line for line in self._said if "dropped by kernel" in line]
        assert dropped and dropped[0].startswith("0 "), self._said
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.stop()

    def _packets(self):
        with open(self.path, "rb") as f:
            magic = struct.unpack("<I", f.read(24)[:4])[0]
            assert magic in (0xA1B2C3D4, 0xA1B23C4D)
            while len(header := f.read(16)) == 16:
                yield f.read(struct.unpack("<IIII", header)[2])

    def payload(self):
        """(source port, destination port) → bytes of payload, a retransmission not counted again."""
        spans = collections.defaultdict(list)
        for frame in self._packets():
            if segment := _segment(frame):
                ports, at, size = segment
                spans[ports].append((at, size))
        return {ports: _covered(each) for ports, each in spans.items()}

    def bytes_to(self, port):
        return sum(n for (_, to), n in self.payload().items() if to == port)

    def bytes_from(self, port):
        return sum(n for (source, _), n in self.payload().items() if source == port)


def _segment(frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == 0x0800:
        start, size = 14 + (frame[14] & 15) * 4, struct.unpack_from("!H", frame, 16)[0] - (frame[14] & 15) * 4
        if frame[23] != 6:
            return None
    elif kind == 0x86DD and frame[20] == 6:
        start, size = 54, struct.unpack_from("!H", frame, 18)[0]
    else:
        return None
    source, to, at = struct.unpack_from("!HHI", frame, start)
    return (source, to), at, size - (frame[start + 12] >> 4) * 4


def _covered(spans):
    """How many sequence numbers the spans cover; they may wrap once, counted from the first."""
    first = spans[0][0]
    ends, total = 0, 0
    for at, size in sorted((((at - first + (1 << 31)) % (1 << 32)), size) for at, size in spans):
        end = at + size
        total += max(0, end - max(at, ends))
        ends = max(ends, end)
    return total
