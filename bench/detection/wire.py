#!/usr/bin/env python3
"""wire.py [--quick]: thefts through the real binary, over real sockets in namespaces of their own, and what arrived: the payload on the wire to the
origins, by a packet capture, held against the budget that was left. What was sent beyond it, or counted otherwise than the wire saw it, or cut of honest
work beside it, is exit 1. As root."""
import argparse
import collections
import concurrent.futures
import contextlib
import pathlib
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "test" / "system")]
from harness import netns  # noqa: E402

netns.enter_new()

from harness import origin as harness_origin  # noqa: E402
from harness.capture import Capture  # noqa: E402
from harness.http_origin import reply  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.origin import echo, swallow  # noqa: E402
from harness.wait import wait_until  # noqa: E402
import honest  # noqa: E402
import thieves  # noqa: E402
from rows import HOURLY, TOTAL, WRITTEN, Row, table, verdicts  # noqa: E402
from watch import Watch  # noqa: E402

PURPOSES = ["pull", "api", "telemetry", "push"]
FIRST_PORT = 10_001
RELOADS_APART = 0.05  # seconds
SPLIT = 4  # clients
REPLICAS = 3
TUNNELS = thieves.TUNNELS


def at_once(count, slowly=False):
    return lambda exeat, sources, target: thieves.through_tunnels(exeat, sources, target, count, slowly)


# What it is called, how it is done, and what differs from one client with tunnels of its own.
THEFTS = {
    "one tunnel": (at_once(1), {}),
    f"{TUNNELS} tunnels at once": (at_once(TUNNELS), {}),
    "512 KB pieces, a tunnel each": (thieves.in_pieces, {}),
    "plain HTTP requests of 512 KB": (thieves.by_requests, {}),
    f"split over {SPLIT} clients": (at_once(TUNNELS), {"clients": SPLIT}),
    f"{SPLIT} clients, upload_total": (at_once(TUNNELS), {"clients": SPLIT, "total": True}),
    "eight tunnels, reloads meanwhile": (at_once(8, slowly=True), {}),
}
CLEAN, SAVED, UNSAVED = "a clean restart in the middle", "SIGKILL in the middle, just after a snapshot", "SIGKILL before the next snapshot"
ACROSS = f"through {REPLICAS} replicas at once"


def entry(row):
    port, protocol = FIRST_PORT + row.number, "http" if "HTTP" in row.theft else "tcp"
    more = f'owner = "tests"\nreason = "wire"\nexpires = 2099-01-01T00:00:00Z\nupload = "{WRITTEN >> 20} MiB/1h"\n' if row.purpose == "push" else ""
    more += f'upload_total = "{TOTAL >> 20} MiB/1h"\n' if row.total else ""
    return f'[[allow]]\nname = "t{row.number}"\nhosts = ["{name(row)}"]\nports = [{port}]\nprotocol = "{protocol}"\npurpose = "{row.purpose}"\n{more}'


def name(row):
    return f"t{row.number}.wire.test"


def target(row):
    return f"{name(row)}:{FIRST_PORT + row.number}"


def sources(row):
    return [f"127.1.{row.number}.{n + 1}" for n in range(row.clients)]


class Requests:
    """Of an HTTP origin: how many heads came."""

    def __init__(self):
        self.count = 0

    def __call__(self, peer, reader, head):
        self.count += 1
        reader.body_of(head)
        peer.send(reply(b"ok"))
        return True


class Wire:
    def __init__(self, directory, quick):
        harness_origin.REMEMBERED = 0
        self.lab, self.quick, self.directory = Lab(directory), quick, directory
        self.rows, self.origins, self.requests = [], {}, {}
        for theft, (_, more) in THEFTS.items():
            self._add(theft, **more)
        for theft in (UNSAVED,) if quick else (CLEAN, SAVED, UNSAVED):
            self._add(theft)
        if not quick:
            self._add(ACROSS, replicas=REPLICAS)
        self._place_origins()
        self.serial = 1

    def _add(self, theft, **more):
        for purpose in PURPOSES:
            if not self.quick or purpose in ("pull", "push") or theft == "one tunnel":
                self.rows.append(Row(theft, purpose, len(self.rows), **more))

    def _place_origins(self):
        host, _ = self.lab.place(*map(name, self.rows), *(at.split(":")[0] for at, _ in honest.HOSTS.values()), v6=False)
        for row in self.rows:
            port = FIRST_PORT + row.number
            if "HTTP" in row.theft:
                counts = self.requests[row.number] = Requests()
                self.origins[row.number] = self.lab.http_origin(host, port, routes={"*": counts})
            else:
                self.origins[row.number] = self.lab.origin(host, port, swallow)
        for at, purpose in honest.HOSTS.values():
            self.lab.origin(host, int(at.split(":")[1]), honest.serve_download if purpose == "pull" else echo)

    def allowlist(self):
        beside = [f'[[allow]]\nname = "{n}"\nhosts = ["{at.split(":")[0]}"]\nports = [{at.split(":")[1]}]\nprotocol = "tcp"\npurpose = "{purpose}"\n'
                  for n, (at, purpose) in honest.HOSTS.items()]
        return "\n".join([f'serial = {self.serial}\n[groups.lab]\nsources = ["127.0.0.0/8"]\n', *map(entry, self.rows), *beside])

    def exeat(self, state):
        at = self.directory / state
        at.mkdir()
        return self.lab.exeat(self.allowlist(), policy={"state": str(at)}, limits={"workers": 4})

    # ---- the thefts that one life of exeat sees ----

    def in_one_life(self):
        with self.exeat("state") as exeat:
            watch, beside = Watch(exeat), honest.Honest(exeat)
            try:
                for row in (r for r in self.rows if r.theft in THEFTS):
                    self.commit(exeat, row, watch)
                    row.counted = self.counted(exeat, row)
            finally:
                beside.stop()
                watch.stop()
        self.done, self.failed = beside.done, beside.failed

    def commit(self, exeat, row, watch):
        act = THEFTS[row.theft][0]
        reloading = Reloads(self, exeat) if "reloads" in row.theft else None
        began = time.monotonic()
        theft = act(exeat, sources(row), target(row))
        if reloading:
            reloading.stop()
        row.cut_after = theft.ended - theft.began
        self.note_findings(row, watch, began, theft.began)

    @staticmethod
    def note_findings(row, watch, began, first_byte):
        """Waits until all of its clients were found, so that none is taken for the next row's."""
        wait_until(lambda: watch.found(sources(row)) and watch.metric_rose_after(began), 10, f"{row.theft}, {row.purpose}: a finding")
        row.log_after = min(watch.in_the_log[client] for client in sources(row)) - first_byte
        row.metric_after = watch.metric_rose_after(began) - first_byte

    @staticmethod
    def counted(exeat, row):
        return int(exeat.metric("bytes_total", entry=f"t{row.number}", direction="upload"))

    # ---- those that go on in the next one ----

    def over_a_restart(self, theft):
        rows = [r for r in self.rows if r.theft == theft]
        exeat = self.exeat(f"state{rows[0].number}").start()
        snapshot, watch = self.directory / f"state{rows[0].number}/uploads", Watch(exeat)
        try:
            began = time.monotonic()
            first = self._until_cut if theft == UNSAVED else self._half
            ends = self._each(rows, lambda r: first(exeat, r))
            if theft == UNSAVED:
                self._found(rows, watch, began)
            if theft == SAVED:
                quiet = time.time()
                wait_until(lambda: snapshot.stat().st_mtime > quiet, 20, "a snapshot")
            for r in rows:
                r.counted = self.counted(exeat, r)
            if theft == CLEAN:
                exeat.stop()
            else:
                exeat.signal(signal.SIGKILL)
                exeat.wait()
            exeat.start()
            again = self._each(rows, lambda r: self._until_cut(exeat, r))
            ends = ends if theft == UNSAVED else again  # which has nothing left after the crash
            for r in rows:
                r.counted += self.counted(exeat, r)
                r.cut_after = ends[r.number].ended - ends[r.number].began
            if theft != UNSAVED:
                self._found(rows, watch, min(e.began for e in ends.values()))
        finally:
            watch.stop()
            if sys.exc_info()[0] is not None:
                exeat.signal(signal.SIGKILL)
        exeat.stop()

    # ---- that goes through several which share nothing ----

    def through_replicas(self):
        rows = [r for r in self.rows if r.theft == ACROSS]
        with contextlib.ExitStack() as running:
            exeats = [running.enter_context(self.exeat(f"replica{n}")) for n in range(REPLICAS)]
            watch = Watch(exeats[0])
            running.callback(watch.stop)
            for r in rows:
                began = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(REPLICAS) as pool:
                    ends = list(pool.map(lambda exeat, r=r: self._until_cut(exeat, r), exeats))
                r.cut_after = max(e.ended for e in ends) - min(e.began for e in ends)
                self.note_findings(r, watch, began, ends[0].began)
                r.counted = sum(self.counted(exeat, r) for exeat in exeats)

    @staticmethod
    def _each(rows, work):
        """All purposes at once: number of the row -> what came of it."""
        with concurrent.futures.ThreadPoolExecutor(len(rows)) as pool:
            return dict(zip((r.number for r in rows), pool.map(work, rows)))

    def _found(self, rows, watch, began):
        for r in rows:
            self.note_findings(r, watch, began, began)

    def _half(self, exeat, row):
        """Half of what is left."""
        with thieves.tunnel(exeat, sources(row)[0], target(row)) as s:
            assert thieves.push(s, thieves.Theft(), HOURLY[row.purpose] // 4), "cut too early"
            wait_until(lambda: self.origins[row.number].received_bytes == HOURLY[row.purpose] // 4, 20, "it has arrived")

    @staticmethod
    def _until_cut(exeat, row):
        return thieves.through_tunnels(exeat, sources(row), target(row), 8)

    # ---- the whole ----

    def run(self):
        with Capture(self.directory / "pcap", f"tcp dst portrange {FIRST_PORT}-{FIRST_PORT + len(self.rows)}") as wire:
            self.in_one_life()
            for theft in (CLEAN, SAVED, UNSAVED):
                if any(r.theft == theft for r in self.rows):
                    self.over_a_restart(theft)
            if not self.quick:
                self.through_replicas()
            wire.stop()
        arrived = collections.Counter()
        for (_, to), octets in wire.payload().items():
            arrived[to] += octets
        for row in self.rows:
            origin = self.origins[row.number]
            row.arrived, row.came_down = arrived[FIRST_PORT + row.number], origin.sent_bytes
            row.opened = self.requests[row.number].count if row.number in self.requests else len(origin.peers)
        return self


class Reloads:
    """The list is written anew again and again, each time another one."""

    def __init__(self, wire, exeat):
        self.wire, self.exeat, self._over = wire, exeat, threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        self._wait_for_one()  # from here on they come one after the other

    def _wait_for_one(self):
        before = self._taken()
        wait_until(lambda: self._taken() > before, 60, "the list is taken")

    def _taken(self):
        return self.exeat.metric("policy_reloads_total", result="ok")

    def _work(self):
        while not self._over.wait(RELOADS_APART):
            self.wire.serial += 1
            self.exeat.write_allowlist(self.wire.allowlist())

    def stop(self):
        self._wait_for_one()
        self._over.set()
        self._thread.join()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that exeat goes, too
    parser = argparse.ArgumentParser(prog="./dev detection --wire", description="What thefts get past the budgets, over real sockets.")
    parser.add_argument("--quick", action="store_true", help="fewer of them: a quarter of a minute")
    quick, began = parser.parse_args().quick, time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        wire = Wire(pathlib.Path(directory), quick).run()
    print(f"Thefts over real sockets, 4 workers ({time.monotonic() - began:.0f} s); amounts in bytes\n")
    print("\n".join(table(wire.rows)))
    read = sum(o.received_bytes for o in wire.origins.values())
    print(f"\nOf {sum(r.arrived for r in wire.rows):,} bytes on the wire the origins had read {read:,} when the resets came. Honest work beside it: "
          + ", ".join(f"{n} {what}" for what, n in sorted(wire.done.items())))
    said = list(verdicts(wire.rows, wire.done, wire.failed))
    for what, holds in said:
        if not holds:
            print(f"FAIL  {what}")
    failed = sum(not holds for _, holds in said)
    print(f"{len(said) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
