"""Who says how many bytes: the clients, exeat's metrics, its audit log, the origins; and whether they agree."""
import collections
import json
import statistics
import threading
import typing


OF_REFUSALS = ("denied_burst", "name_mismatch")


class Bytes(typing.NamedTuple):
    up: int = 0
    down: int = 0

    def __add__(self, other):
        return Bytes(self.up + other.up, self.down + other.down)

    def __le__(self, other):
        return self.up <= other.up and self.down <= other.down


class Books(dict):
    """Entry -> Bytes."""

    def __missing__(self, _):
        return Bytes()

    def add(self, entry, up, down):
        self[entry] = self[entry] + Bytes(up, down)

    def __add__(self, other):
        return Books({e: self[e] + other[e] for e in {*self, *other}})

    def __sub__(self, other):
        return Books({e: Bytes(self[e].up - other[e].up, self[e].down - other[e].down) for e in {*self, *other}})


class Seen:
    """What the clients saw: their bytes, and how each operation ended."""

    def __init__(self):
        self.books, self.ended, self.broken, self._lock = Books(), collections.Counter(), collections.Counter(), threading.Lock()
        self.times = collections.defaultdict(list)  # (operation, whether others attacked meanwhile) -> seconds

    def note(self, entry, up=0, down=0):
        with self._lock:
            self.books.add(entry, up, down)

    def count(self, name, how):
        with self._lock:
            self.ended[name, how] += 1

    def took(self, name, under_attack, seconds):
        with self._lock:
            self.times[name, under_attack].append(seconds)

    def breaks(self, name, error):
        with self._lock:
            self.broken[name, f"{type(error).__name__}: {error}"[:100]] += 1


class AuditTail:
    """Reads what was added since it last looked: the log of an hour is read once."""

    def __init__(self, path):
        self._path, self._at, self.books = path, 0, Books()
        self.events, self.causes = collections.Counter(), collections.Counter()
        self._open, self.accused = set(), set()  # the latter: clients that a finding about refusals names

    def read(self):
        if not self._path.exists():
            return self
        with self._path.open("rb") as f:
            f.seek(self._at)
            whole, _, _ = f.read().rpartition(b"\n")
        self._at += len(whole) + bool(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))
        return self

    def _take(self, line):
        action = line["event.action"]
        times = line.get("exeat.audit.stands_for", 1)
        self.events[action] += times
        if action == "anomaly" and line["exeat.detector.name"] in OF_REFUSALS:
            self.accused.add(line.get("source.ip"))
        if action == "open":
            self._open.add(line.get("event.id"))
        if action == "close":
            if line.get("event.id") not in self._open:  # exchanges that are summed have no line for their beginning
                self.events["open"] += times
            self._open.discard(line.get("event.id"))
            self.books.add(line["rule.name"], line["source.bytes"], line["destination.bytes"])
            self.causes[line["event.reason"]] += times


def counted(metrics, entries):
    """The books of one scrape."""
    of = lambda entry, direction: int(metrics.of("exeat_bytes_total", entry=entry, direction=direction))
    return Books({entry: Bytes(of(entry, "upload"), of(entry, "download")) for entry in entries})


class Life:
    """One process of exeat: its last scrape, what its log says of it, and whether it was quiet when it ended."""

    def __init__(self, quiet, metrics, audit):
        self.quiet, self.metrics, self.audit = quiet, metrics, audit

    def agrees(self, entry):
        """A scrape under load is older than the end of the process: it may say less, never more."""
        return self.metrics[entry] == self.audit[entry] if self.quiet else self.metrics[entry] <= self.audit[entry]


def orderly(entry, clients, audit, origins, on_the_wire):
    """Not a byte is missing, anywhere. Where clients see another wire (TLS, rewritten heads) they have compared what it carried themselves."""
    return audit[entry] == origins[entry] and (not on_the_wire or clients[entry] == audit[entry])


def cut_short(entry, clients, audit, origins):
    """A reset throws away what is under way; nobody receives more than was sent to him."""
    up = origins[entry].up <= audit[entry].up <= clients[entry].up
    return up and clients[entry].down <= audit[entry].down <= origins[entry].down


def slowed(times, operations, fewest=50):
    """Operation -> its median time while others attacked, as a multiple of the one while nobody did; where both were timed often enough."""
    enough = [o for o in operations if min(len(times[o, True]), len(times[o, False])) >= fewest]
    return {o: statistics.median(times[o, True]) / statistics.median(times[o, False]) for o in enough}


def grows(samples, allowed):
    """Whether the last quiet moment has more than the first, which came after all had been used once."""
    return samples[-1] - samples[0] > allowed
