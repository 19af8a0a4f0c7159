"""Honest clients beside the thieves: they read much, call an API and report, and nothing of it may be cut or refused."""
import collections
import threading

from harness.client import read_exactly
from thieves import tunnel

DOWNLOAD = 20 << 20
HOSTS = {"reads": ("reads.wire.test:7000", "pull"), "calls": ("calls.wire.test:7001", "api"), "reports": ("reports.wire.test:7002", "telemetry")}


def serve_download(peer):
    """A request, and the file."""
    while peer.recv(64):
        peer.send(bytes(DOWNLOAD))


class Honest:
    def __init__(self, exeat):
        self.exeat, self.done, self.failed = exeat, collections.Counter(), []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(name, f"127.0.9.{n}")) for n, name in enumerate(HOSTS, 1)]
        for t in self._threads:
            t.start()

    def _work(self, name, source):
        try:
            while not self._over.wait(0.2):
                s = tunnel(self.exeat, source, HOSTS[name][0])
                assert s is not None, "refused"
                with s:
                    for _ in range(2):
                        getattr(self, name)(s)
                        self.done[name] += 1
        except (OSError, AssertionError) as e:
            self.failed.append(f"{name}: {type(e).__name__}: {e}")

    @staticmethod
    def reads(s):
        s.settimeout(60)
        s.sendall(b"GET the file")
        assert len(read_exactly(s, DOWNLOAD)) == DOWNLOAD, "the download was cut short"

    @staticmethod
    def _echo(s, size):
        s.sendall(bytes(size))
        assert len(read_exactly(s, size)) == size, "cut"

    def calls(self, s):
        self._echo(s, 6_000)

    def reports(self, s):
        self._echo(s, 2_000)

    def stop(self):
        self._over.set()
        for t in self._threads:
            t.join()
        return self
