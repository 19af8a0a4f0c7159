#!/usr/bin/env python3
"""quiet.py MINUTES: people at honest work through exeat, with the clients that they really use and at their usual pace, while Prometheus and
Alertmanager look on with the shipped rules. Nothing may be found, cut or alarmed. One line a minute, then verdicts; exit 1 when one fails. As root
(network namespaces)."""
import pathlib
import re
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "system")]
from harness import netns  # noqa: E402

netns.enter_new()

from harness import origin as harness_origin  # noqa: E402
from harness.exeat import free_port  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.preload import Preload  # noqa: E402
from harness.wait import wait_until  # noqa: E402
from watchers import Watchers  # noqa: E402
import shops  # noqa: E402
import staff  # noqa: E402
from silence import verdicts  # noqa: E402

SHORTEST = 0.5  # minutes
YESTERDAY = 26 * 3600  # seconds: only who was there for a day is a client to whom a host can be new
IN_BETWEEN = 30  # minutes from one reload to the next; the first comes half way when there is less time
ENTRIES = f"""
[groups.research]
sources = ["10.50.0.0/16"]
[[allow]]
name = "python-packages"
hosts = ["{shops.INDEX}", "{shops.FILES}"]
[[allow]]
name = "debian"
hosts = ["{shops.DEBIAN}"]
protocol = "http"
[[allow]]
name = "npm"
hosts = ["{shops.NPM}"]
[[allow]]
name = "models"
hosts = ["*.models.quiet.test"]
[[allow]]
name = "git"
hosts = ["{shops.GIT}"]
purpose = "api"
[[allow]]
name = "inference"
hosts = ["{shops.INFERENCE}", "{shops.NEW_INFERENCE}"]
purpose = "api"
[[allow]]
name = "telemetry"
hosts = ["{shops.TELEMETRY}"]
purpose = "telemetry"
"""


class Quiet:
    def __init__(self, directory, minutes):
        harness_origin.REMEMBERED = 0
        self.minutes, self.lab, self.record = minutes, Lab(directory), staff.Record()
        self.every, self.pause = (2, 3) if minutes < 10 else (5, 12)  # seconds between scrapes, and between two things that somebody does
        (directory / "state").mkdir()
        (directory / "repositories").mkdir()
        self.files, self.desk = shops.Files(self.lab, directory / "nginx"), shops.Desk(self.lab, directory / "repositories")
        self.clock = Preload(directory / "clock", False)
        self.clock.tell(wall_offset=-YESTERDAY, boot_offset=-YESTERDAY)  # both, or exeat sees that the clock was set
        port = free_port()
        self.exeat = self.lab.exeat(f"serial = 1\n{ENTRIES}", listen=[{"mode": "proxy", "address": f"0.0.0.0:{port}", "name": "pods"}],
                                    policy={"state": str(directory / "state")}, before=self.clock.before).start()
        self.people = [staff.Person(self.lab, n, trade, port, directory, self.record) for n, trade in enumerate(staff.TRADES, 1)]
        self.directory, self.watchers, self.serial = directory, None, 1

    # ---- what happens ----

    def yesterday(self):
        """All is done once; then a day goes by, and today each client is an old one with hosts that it knows."""
        self._all(staff.Person.each_once)
        self.clock.tell(wall_offset=0, boot_offset=0)

    def _all(self, work):
        threads = [threading.Thread(target=work, args=(person,)) for person in self.people]
        for t in threads:
            t.start()
        for t in threads:
            t.join()

    def today(self):
        (self.directory / "watchers").mkdir()
        self.watchers = Watchers(self.directory / "watchers", self.exeat.admin_port, f"{self.every}s")
        over, began = threading.Event(), time.monotonic()
        threads = [threading.Thread(target=person.day, args=(over, self.pause)) for person in self.people]
        for t in threads:
            t.start()
        self._minutes(began, min(self.minutes / 2, IN_BETWEEN) * 60)
        over.set()
        for t in threads:
            t.join()

    def _minutes(self, began, reload_each):
        reload_at, minute = began + reload_each, 0
        while (now := time.monotonic()) < began + self.minutes * 60:
            time.sleep(min(1, max(0, began + self.minutes * 60 - now)))
            if now >= reload_at:
                self.reload()
                reload_at += reload_each
            if now >= began + 60 * (minute + 1):
                minute += 1
                self.tell(f"minute {minute}")

    def reload(self):
        self.serial += 1
        self.exeat.reload(f"serial = {self.serial}\n{ENTRIES}")

    def tell(self, when):
        m = self.exeat.metrics()
        volume = lambda direction: m.of("exeat_bytes_total", direction=direction) / 1e6
        work = " ".join(f"{what} {n}" for what, n in sorted(self.record.well.items()))
        print(f"{when}: {sum(self.record.well.values())} done, {sum(self.record.broken.values())} failed; {volume('upload'):.1f} MB up, {volume('download'):.0f} MB down; "
              f"{m.of('exeat_anomalies_total'):.0f} findings, {len(self.watchers.pager.told)} alerts ({work})", flush=True)

    # ---- what is said of it ----

    def seen(self):
        """The last scrape, every alert that fired while Prometheus looked, and whether it did."""
        for person in self.people:
            person.leave()
        self.exeat.settled()
        after = time.time() + self.every
        wait_until(lambda: self.watchers.query(f'timestamp(up{{job="exeat"}}) > {after}'), 60, "two more scrapes")
        fired = {a["labels"]["alertname"] for _, a in self.watchers.pager.told}
        fired |= {r["metric"]["alertname"] for r in self._over_all('max_over_time(ALERTS{alertstate="firing"}[%s])')}
        return self.exeat.metrics(), fired, self._over_all('min_over_time(up{job="exeat"}[%s])')

    def _over_all(self, query):
        return self.watchers.query(query % f"{int(self.minutes) + 1}m")

    def margins(self):
        """How near the honest came to what they may not."""
        most = lambda query: max((float(r["value"][1]) for r in self._over_all(query)), default=0)
        z, used = most("max_over_time(cluster:exeat_upload_bytes:z[%s])"), most(
            "max_over_time(client:exeat_upload_counted_bytes:sum[%s]) / on (cluster, entry, purpose, window) group_left () purpose:exeat_upload_budget_bytes:max")
        return f"highest z of the cluster's upload {z:.1f} (an alert above 6 for ten minutes), most of a budget used {used:.0%} (an alert above 80 %)"

    def sees_a_theft(self):
        self.people[1].steals()
        told = lambda: self.exeat.metric("anomalies_total", detector="first_seen") == 1 and any(a["labels"]["alertname"] == "ExeatAnomaly" for _, a in self.watchers.pager.told)
        try:
            return wait_until(told, 120)
        except AssertionError:
            return False

    def close(self):
        if self.watchers is not None:
            self.watchers.stop()
        self.files.nginx.stop()
        self.desk.stop()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that exeat goes, too
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 60
    if minutes < SHORTEST:
        sys.exit(f"quiet.py: {SHORTEST} minutes at least: in less not everything happens once")
    for tool, why in staff.missing().items():
        print(f"skipped: {tool}: {why}")
    with tempfile.TemporaryDirectory() as directory:
        quiet = Quiet(pathlib.Path(directory), minutes)
        try:
            quiet.yesterday()
            quiet.today()
            quiet.tell("the end")
            metrics, fired, scraped = quiet.seen()
            margins, caught = quiet.margins(), quiet.sees_a_theft()
        finally:
            quiet.close()
            if sys.exc_info()[0] is not None:
                quiet.exeat.signal(signal.SIGKILL)
        quiet.exeat.stop()  # a clean end, and the log verified
        anomalies = quiet.exeat.audit(event__action="anomaly")
        honest = anomalies[:-1] if caught else anomalies
    for (what, error), n in sorted(quiet.record.broken.items()):
        print(f"BROKEN {what}: {error} ({n})")
    for line in anomalies:
        print(f"finding: {line['exeat.detector.name']} of {line['source.ip']}, {line['exeat.detector.value']} at {line['exeat.detector.threshold']}")
    print(f"alerts: {', '.join(sorted(fired)) or 'none'}; {margins}")
    work = {what for person in quiet.people for what in person.work}
    entries = set(re.findall(r'^name = "(.*)"', ENTRIES, re.M)) - staff.missing().keys()
    said = list(verdicts(quiet.record, work, entries, metrics, fired, scraped, honest, caught))
    for what, holds in said:
        print(f"{'ok  ' if holds else 'FAIL'}  {what}")
    failed = sum(not holds for _, holds in said)
    print(f"{len(said) - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
