#!/usr/bin/env python3
"""soak.py MINUTES: every kind of traffic and of trouble at once, with reloads and restarts, and then the books: what clients, metrics, audit log and
origins say of every entry, memory, descriptors. Prints figures and verdicts; exit 1 when one of them fails. As root (network namespaces)."""
import contextlib
import os
import pathlib
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
from harness import netns  # noqa: E402

netns.enter_new()

from harness import origin as harness_origin  # noqa: E402
from harness.exeat import free_port  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.wait import wait_until  # noqa: E402
from ledger import AuditTail, Books, Life, Seen, counted, cut_short, grows, orderly, slowed  # noqa: E402
import attackers  # noqa: E402
import traffic  # noqa: E402

MEMORY_ALLOWED = 8 << 20  # what allocators keep for the next peak, not what a leak of a minute's thousands of connections takes
DESCRIPTORS_ALLOWED = 4  # the resolvers' own sockets come and go; one leaked in each thousand connections would be more
PIPES_KEPT = 2 * 2 * 16 + 2  # both ends, two workers, idle_pipes; and the log's
RESTARTS = 4
SHORTEST = 0.3  # minutes
SLOWED_ALLOWED = 2.0  # an honest client beside a flood
TIMED = ["echoes", "posts", "fetches", "by_name", "redirected_tls", "redirected_http"]
QUIET_MOMENTS = 5  # of the last life, which is half of the run


class Soak:
    def __init__(self, directory):
        harness_origin.REMEMBERED = 0  # counted, not kept: an hour's bytes do not fit into memory
        self.lab, self.seen = Lab(directory), Seen()
        self.origins, self.arrived = traffic.build_origins(self.lab), Books()
        ports = {name: free_port() for name in ("redirect", "sni")}
        listen = [{"mode": "transparent", "via": "redirect", "address": f"0.0.0.0:{ports['redirect']}"},
                  {"mode": "sni", "address": f"127.0.0.1:{ports['sni']}", "port": 443}]
        self.lab.topology.redirect(ports["redirect"])
        limits = {"drain_timeout": "20s", "head_timeout": "2s", "connections_per_source": 4096, "refusals_per_second": 5}
        self.exeat = self.lab.exeat(traffic.allowlist(1), listen=listen, limits=limits, dns={"timeout": "2s"})
        with self.exeat.config_path.open("a") as f:
            f.write("".join(f'[detect.{each}]\naction = "cut"\n' for each in ("denied_burst", "name_mismatch")))
        self.exeat.start()
        self.attackers = attackers.Attackers(self.exeat)
        self.audit, self.lives, self._life_began_at = AuditTail(self.exeat.audit_path), [], Books()
        self.traffic = traffic.Traffic(self.lab, self.exeat, ports, self.seen, lambda: self.attackers.at_it)
        self.serial, self.reloads, self.samples = 1, {"ok": 0, "error": 0}, []

    # ---- what happens meanwhile ----

    def reload(self):
        """Every fifth list does not load; and an entry comes and goes."""
        self.serial += 1
        self.exeat.write_allowlist("serial = " if self.serial % 5 == 0 else traffic.allowlist(self.serial, self.serial % 2 == 0))

    def until(self, moment):
        while time.monotonic() < moment:
            self.reload()
            time.sleep(min(0.3, max(0, moment - time.monotonic())))
        if self.serial % 5 == 0:
            self.reload()  # what comes next may be a start, which takes no broken list

    def quiet(self):
        """All have finished, and all of it is logged. Returns the last scrape."""
        self.attackers.pause()
        self.traffic.pause()
        wait_until(lambda: self.exeat.metric("connections_active") == 0, 60, "no connection is open")
        wait_until(self._written, 60, "each opening has its end in the log")
        wait_until(lambda: all(o.at_rest() for o in self.origins.values()), 60, "the origins' connections have ended")
        return self.exeat.metrics()

    def _written(self):
        events = self.audit.read().events
        return events["open"] == events["close"]

    def collect_origins(self):
        for entry, origin in self.origins.items():
            done = [p for p in list(origin.peers) if p.closed]
            self.arrived.add(entry, sum(p.received_bytes for p in done), sum(p.sent_bytes for p in done))
            for each in done:
                origin.peers.remove(each)
            getattr(origin, "requests", []).clear()

    def end_life(self, quiet, metrics):
        for result in self.reloads:
            self.reloads[result] += int(metrics.of("exeat_policy_reloads_total", result=result))
        self.exeat.stop()  # a clean end, and the log verified
        self.audit.read()
        now = Books(self.audit.books)
        self.lives.append(Life(quiet, counted(metrics, traffic.ENTRIES), now - self._life_began_at))
        self._life_began_at = now

    def restart(self, quiet):
        if quiet:
            metrics = self.quiet()
        else:
            self.traffic.restart_begins()
            metrics = self.exeat.metrics()
        self.end_life(quiet, metrics)
        self.collect_origins()
        self.exeat.start()
        if quiet:
            self.traffic.resume()
        else:
            self.traffic.restart_is_over()

    def sample(self):
        metrics = self.quiet()
        self.collect_origins()
        self.samples.append((self.exeat.resident_bytes(), *self._descriptors()))
        return metrics

    def _descriptors(self):
        """Pipes aside: a worker keeps some for the next bulk transfer (limits.hpp: idle_pipes), others come and go with the load. What the last scrape or
        the last question to a resolver had may still be closing: as many as at three looks in a row."""
        seen = []

        def steady():
            seen.append(self._listed())
            return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3] and seen[-1]

        return wait_until(steady, 60, "descriptors do not change any more", step=0.1)

    def _listed(self):
        names = []
        for each in pathlib.Path(f"/proc/{self.exeat.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed since it was listed
                names.append(os.readlink(each))
        pipes = sum(name.startswith("pipe:") for name in names)
        return len(names) - pipes, pipes

    def run(self, duration):
        began, half = time.monotonic(), duration / 2
        self.traffic.start()
        for n in range(1, RESTARTS + 1):
            self.attackers.begin()
            self.until(began + half * n / RESTARTS)
            self.restart(quiet=n % 2 == 0)
        for n in range(1, QUIET_MOMENTS + 1):
            if n % 2 == 0:
                self.attackers.begin()
            self.until(began + half + half * n / QUIET_MOMENTS)
            metrics = self.sample()
            if n < QUIET_MOMENTS:
                self.traffic.resume()
        self.kept = metrics.of("exeat_audit_events_dropped_total") == 0, metrics.of("exeat_tunnels_closed_total", cause="internal_error") == 0
        self.traffic.stop()
        metrics = self.quiet()
        self.attackers.stop()
        self.end_life(True, metrics)
        self.collect_origins()

    # ---- what is said of it ----

    def verdicts(self):
        clients, audit, origins = self.seen.books, self.audit.books, self.arrived
        for e in traffic.ORDERLY:
            yield f"{e}: no byte is missing, at the client, in the log, at the origin", orderly(e, clients, audit, origins, e in traffic.ON_THE_WIRE)
        for e in traffic.CUT_SHORT:
            yield f"{e}: nobody received more than was sent to him", cut_short(e, clients, audit, origins)
        for e in traffic.ENTRIES:
            yield f"{e}: the metrics say what the log says, in each of {len(self.lives)} lives", all(life.agrees(e) for life in self.lives)
        for e in traffic.ENTRIES:
            yield f"{e}: there was traffic", audit[e].up > 0 and audit[e].down > 0
        yield "no operation ended as it should not", not self.seen.broken
        flood = self.attackers.replies
        yield "the flooding client was held to its rate", flood["refusals rate"] > 0
        yield "the framing client was found, and shut out", attackers.FRAMING in self.audit.accused and flood["name anomaly"] > 0
        yield "no finding names a client that did nothing", self.audit.accused <= {attackers.FLOODING, attackers.FRAMING, *traffic.REFUSED_OFTEN.values()}
        worst = max(self.slowed().values(), default=1)
        yield f"beside them nobody is slower than {SLOWED_ALLOWED:g} times", worst <= SLOWED_ALLOWED
        yield "each opening has its end in the log", self.audit.events["open"] == self.audit.events["close"] > 0
        yield "the log has lost nothing, and no tunnel ended by an error of exeat's own", all(self.kept)
        yield "lists were loaded, and wrong ones refused", self.reloads["ok"] > 0 < self.reloads["error"]
        yield f"memory does not grow by more than {MEMORY_ALLOWED >> 20} MiB", not grows([m for m, _, _ in self.samples], MEMORY_ALLOWED)
        yield "descriptors do not grow", not grows([d for _, d, _ in self.samples], DESCRIPTORS_ALLOWED)
        yield f"at most {PIPES_KEPT} pipe ends are kept for later", max(p for _, _, p in self.samples) <= PIPES_KEPT

    def slowed(self):
        return slowed(self.seen.times, TIMED)

    def tell(self, minutes):
        total = sum((life.metrics for life in self.lives), Books())
        print(f"{minutes:g} minutes, {len(self.lives)} lives, {self.serial} lists written ({self.reloads['ok']} loads, {self.reloads['error']} refused), "
              f"{sum(self.seen.ended.values())} operations\n")
        columns = [("clients", self.seen.books), ("log", self.audit.books), ("origins", self.arrived), ("scrapes", total)]
        print(f"{'bytes up / down':16}" + "".join(f"{name:>28}" for name, _ in columns))
        for e in traffic.ENTRIES:
            cell = lambda name, books, e=e: "as it arrived" if name == "clients" and books[e] == (0, 0) else f"{books[e].up} / {books[e].down}"
            print(f"{e:16}" + "".join(f"{cell(name, books):>28}" for name, books in columns))
        print(f"\n{'operation':20}{'how it ended':20}{'times':>10}")
        for (name, how), n in sorted(self.seen.ended.items()):
            print(f"{name:20}{how:20}{n:10}")
        for (name, error), n in sorted(self.seen.broken.items()):
            print(f"{name:20}BROKEN {error} {n}")
        print("\nlog: " + ", ".join(f"{n} {event}" for event, n in sorted(self.audit.events.items())) + "; closed by: " + ", ".join(f"{n} {c}" for c, n in sorted(self.audit.causes.items())))
        print("attackers: " + ", ".join(f"{n} {reply}" for reply, n in sorted(self.attackers.replies.items())))
        print("median time beside them, as a multiple: " + (", ".join(f"{o} {x:.2f}" for o, x in self.slowed().items()) or "too few were timed"))
        print("at quiet moments: " + ", ".join(f"{m / (1 << 20):.1f} MiB {d} fds and {p} of pipes" for m, d, p in self.samples) + "\n")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that exeat goes, too
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    if minutes < SHORTEST:
        sys.exit(f"soak.py: {SHORTEST} minutes at least: in less not everything happens once")
    with tempfile.TemporaryDirectory() as directory:
        soak = Soak(pathlib.Path(directory))
        try:
            soak.run(minutes * 60)
        finally:
            soak.attackers.kill()
            if soak.exeat.process.poll() is None:
                soak.exeat.signal(signal.SIGKILL)
        soak.tell(minutes)
    verdicts = list(soak.verdicts())
    for what, holds in verdicts:
        print(f"{'ok  ' if holds else 'FAIL'}  {what}")
    failed = sum(not holds for _, holds in verdicts)
    print(f"{len(verdicts) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
