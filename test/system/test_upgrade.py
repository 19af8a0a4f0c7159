"""A new process takes the place of the old one behind the same sockets, with another configuration: nobody is refused, live tunnels drain in
the old one. EXEAT_RESTARTS says how often (3); the same under a real systemd, with the package's own upgrade, is test/machine."""
import contextlib
import os
import signal
import threading

import pytest
from harness.client import open_tunnel, read_exactly
from harness.exeat import free_port
from harness.systemd import Sockets, listening
from harness.wait import wait_until

RESTARTS = int(os.environ.get("EXEAT_RESTARTS", "3"))
CLIENTS = 6
ALLOWLIST = """
serial = {serial}
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = ["echo.next.test"]
ports = [7]
protocol = "tcp"
"""


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    host, _ = lab.place("echo.next.test", v6=False)
    return lab.origin(host, 7)


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def held(port):
    made = Sockets(("proxy", listening("127.0.0.1", port)), ("proxy", listening("::1", port)))
    yield made
    made.close()


def answers(s, said=b"still there"):
    s.sendall(said)
    return read_exactly(s, len(said)) == said


class Load:
    """Clients that open a tunnel, use it, close it, and do so again."""

    def __init__(self, exeat):
        self.done, self.failed, self._stopped = [0] * CLIENTS, [], False
        self._threads = [threading.Thread(target=self._go, args=(exeat, n)) for n in range(CLIENTS)]
        for t in self._threads:
            t.start()

    def _go(self, exeat, n):
        while not self._stopped:
            try:
                with open_tunnel(exeat, "echo.next.test:7", timeout=60) as s:
                    assert answers(s)
                self.done[n] += 1
            except (OSError, AssertionError) as e:
                self.failed.append(repr(e))

    def goes_on(self):
        """That each of the clients has come round twice more: the second time all of it was after the call."""
        before = list(self.done)
        wait_until(lambda: all(now >= then + 2 for now, then in zip(self.done, before)), 60, "every client gets through")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopped = True
        for t in self._threads:
            t.join()


def generation(lab, held, port, n):
    """Another configuration each time: its list, its number of workers."""
    return lab.exeat(ALLOWLIST.format(serial=n + 1), sockets=held, proxy_port=port, limits={"workers": 1 + n % 2, "drain_timeout": "60s"})


def test_over_many_restarts_under_load_nobody_is_refused_and_no_tunnel_is_lost(lab, held, port):
    with contextlib.ExitStack() as all_of_it:
        old = generation(lab, held, port, 0).start()
        load = all_of_it.enter_context(Load(old))
        for n in range(1, RESTARTS + 1):
            live = all_of_it.enter_context(open_tunnel(old, "echo.next.test:7"))  # only the old one is there to take it
            new = generation(lab, held, port, n).start()
            old.signal(signal.SIGTERM)
            wait_until(lambda: old.metric("draining") == 1, what="the old one drains")
            load.goes_on()
            assert answers(live) and old.process.poll() is None
            live.close()
            assert old.wait(60) == 0 and "draining; connections: " in old.log()
            old.stop()
            old = new
        load.goes_on()
        assert old.metric("policy_info", serial=str(RESTARTS + 1)) == 1
    old.stop()
    assert load.failed == []
