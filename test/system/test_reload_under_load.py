"""Reloads as fast as they come, under traffic: no race, no lost tunnel, no byte lost. Also run with ThreadSanitizer."""
import signal
import threading
import time

import pytest
from harness.client import connect_reply, open_tunnel, read_exactly
from harness.wait import sanitized, wait_until


def allowlist(serial, extra):
    more = '[[allow]]\nname = "sometimes"\nhosts = ["sometimes.load.test"]\nports = [7]\nprotocol = "tcp"\n' if extra else ""
    return f"""serial = {serial}
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "always"
hosts = ["always.load.test"]
ports = [7]
protocol = "tcp"
{more}"""


@pytest.fixture(scope="module")
def exeat(lab):
    host, _ = lab.place("always.load.test", "sometimes.load.test", v6=False)
    lab.origin(host, 7)
    with lab.exeat(allowlist(1, True), limits={"connections_per_source": 4096}) as running:
        yield running


class Traffic:
    """Threads that work until told to stop; what one of them asserts is raised by stop()."""

    def __init__(self):
        self._stopping, self._threads, self._failed = threading.Event(), [], []
        self.done = 0

    def add(self, work):
        def run():
            while not self._stopping.is_set():
                try:
                    work()
                    self.done += 1
                except BaseException as e:
                    self._failed.append(e)
                    return

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def stop(self):
        self._stopping.set()
        for t in self._threads:
            t.join(60)
        if self._failed:
            raise self._failed[0]


def always(exeat):
    with open_tunnel(exeat, "always.load.test:7", timeout=60) as s:
        s.sendall(bytes(20_000))
        assert read_exactly(s, 20_000) == bytes(20_000)


def sometimes(exeat):
    said = connect_reply(exeat, "sometimes.load.test:7")
    assert said.status == 200 or said.reason in ("not_allowed", "policy_revoked"), said.reason


RELOADS = 1_000


def test_a_thousand_reloads_in_a_minute_under_load_lose_nothing(exeat):
    """I8, M6. Files that change and signals, a list that is wrong now and then, and nothing grows. Each fourth list is waited for: how many others are
    taken between depends on the machine."""
    held = [open_tunnel(exeat, "always.load.test:7", timeout=60) for _ in range(50)]
    descriptors, memory = exeat.open_descriptors(), 0
    traffic = Traffic()
    for _ in range(3):
        traffic.add(lambda: always(exeat))
    traffic.add(lambda: sometimes(exeat))
    traffic.add(exeat.metrics)
    for serial in range(2, RELOADS + 2):
        exeat.write_allowlist("serial = " if serial % 50 == 0 else allowlist(serial, serial % 2 == 0))
        before = exeat.metric("policy_reloads_total")
        exeat.signal(signal.SIGHUP)
        time.sleep(0.005)
        if serial % 4 == 3:
            wait_until(lambda: exeat.metric("policy_reloads_total") > before)  # noqa: B023
        if serial == RELOADS // 2:
            memory = exeat.resident_bytes()
    traffic.stop()
    assert traffic.done > 20
    wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial=str(RELOADS + 1)))
    taken = {result: exeat.metric("policy_reloads_total", result=result) for result in ("ok", "error")}
    assert taken["ok"] >= RELOADS / 4 and taken["error"] > 0, taken
    for s in held:
        s.sendall(b"ping")
        assert read_exactly(s, 4) == b"ping"
    wait_until(lambda: exeat.metric("tunnels_active") == len(held), what="of the others none is left")
    wait_until(lambda: sanitized or exeat.resident_bytes() < memory + (8 << 20), what="old lists go")
    for s in held:
        s.close()
    assert exeat.metric("tunnels_closed_total", cause="internal_error") == 0
    exeat.settled()
    wait_until(lambda: exeat.open_descriptors() <= descriptors, what="descriptors are back")
    assert exeat.metric("audit_events_dropped_total") == 0


def test_tunnels_that_a_reload_cuts_all_end(exeat):
    exeat.reload(allowlist(3000, True))
    held = [open_tunnel(exeat, "sometimes.load.test:7", timeout=60) for _ in range(200)]
    wait_until(lambda: exeat.metric("tunnels_active") == 200)
    cut = exeat.metric("tunnels_closed_total", cause="policy_revoked")
    exeat.reload(allowlist(3001, False))
    wait_until(lambda: exeat.metric("tunnels_active") == 0)
    wait_until(lambda: exeat.metric("tunnels_closed_total", cause="policy_revoked") == cut + 200)
    for s in held:
        s.close()
