"""When a finding is in the audit log, and when in the metrics: looked at every few milliseconds by a thread of its own."""
import http.client
import json
import re
import threading
import time

LOOK = 0.01  # seconds


class Watch:
    def __init__(self, exeat):
        self.exeat, self._at, self._lines, self._over = exeat, 0, 0, threading.Event()
        self.in_the_log = {}  # client -> moment of its first finding
        self.in_the_metrics = []  # (moment, findings so far), each time that it was another number
        self._read_metrics()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        while not self._over.wait(LOOK):
            self._read_log()
            self._read_metrics()

    def _read_log(self):
        with self.exeat.audit_path.open("rb") as f:
            f.seek(self._at)
            whole, _, _ = f.read().rpartition(b"\n")
        self._at += len(whole) + bool(whole)
        for line in whole.splitlines():
            if b'"anomaly"' in line and (told := json.loads(line))["event.action"] == "anomaly":
                self.in_the_log.setdefault(told["source.ip"], time.monotonic())
                self._lines += 1
            elif b'"start"' in line:
                self._lines = 0  # the counters begin anew

    def _read_metrics(self):
        try:
            page = self.exeat.fetch("/metrics")[1]
        except (OSError, http.client.HTTPException):
            return  # it is being started anew
        found = sum(float(n) for n in re.findall(r"^exeat_anomalies_total\{.*\} (\S+)$", page, re.M))
        if not self.in_the_metrics or found != self.in_the_metrics[-1][1]:
            self.in_the_metrics.append((time.monotonic(), found))

    def found(self, clients):
        """All of them, and the metrics say as much."""
        return all(c in self.in_the_log for c in clients) and self.in_the_metrics[-1][1] >= self._lines

    def metric_rose_after(self, moment):
        pairs = zip(self.in_the_metrics, self.in_the_metrics[1:])
        return next((at for (_, before), (at, found) in pairs if at > moment and found > before), None)

    def stop(self):
        self._over.set()
        self._thread.join()
