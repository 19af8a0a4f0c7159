"""Reloads as fast as they come, under traffic: no race, no lost tunnel, no byte lost. Also run with ThreadSanitizer."""
import signal
import threading
import time

import pytest
from harness.client import connect_reply, open_tunnel, read_exactly
from harness.wait import wait_until


def allowlist(serial, extra):
    more = '[[allow]]\nname = "sometimes"\nhosts = ["sometimes.load.test"]\nports = [7]\nprotocol = "tcp"\n' if extra else ""
    return f"""serial = {serial}
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
    with lab.exeat(allowlist(1, True)) as running:
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
    with open_tunnel(exeat, "always.load.test:7", timeout=20) as s:
        s.sendall(bytes(20_000))
        assert read_exactly(s, 20_000) == bytes(20_000)


def sometimes(exeat):
    said = connect_reply(exeat, "sometimes.load.test:7")
    assert said.status == 200 or said.reason in ("not_allowed", "policy_revoked"), said.reason


def test_hundreds_of_reloads_under_load_lose_nothing(exeat):
    """I8, M6."""
    held = [open_tunnel(exeat, "always.load.test:7", timeout=20) for _ in range(50)]
    traffic = Traffic()
    for _ in range(3):
        traffic.add(lambda: always(exeat))
    traffic.add(lambda: sometimes(exeat))
    traffic.add(exeat.metrics)
    for serial in range(2, 202):
        exeat.write_allowlist(allowlist(serial, serial % 2 == 0))
        exeat.signal(signal.SIGHUP)
        time.sleep(0.005)
    traffic.stop()
    assert traffic.done > 20
    wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="201"))
    assert exeat.metric("policy_reloads_total", result="error") == 0
    for s in held:
        s.sendall(b"ping")
        assert read_exactly(s, 4) == b"ping"
        s.close()
    assert exeat.metric("tunnels_closed_total", cause="internal_error") == 0


def test_tunnels_that_a_reload_cuts_all_end(exeat):
    exeat.reload(allowlist(300, True))
    held = [open_tunnel(exeat, "sometimes.load.test:7", timeout=20) for _ in range(200)]
    wait_until(lambda: exeat.metric("tunnels_active") == 200)
    cut = exeat.metric("tunnels_closed_total", cause="policy_revoked")
    exeat.reload(allowlist(301, False))
    wait_until(lambda: exeat.metric("tunnels_active") == 0, 5)
    assert exeat.metric("tunnels_closed_total", cause="policy_revoked") == cut + 200
    for s in held:
        s.close()
