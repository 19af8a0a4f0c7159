"""What an adversary's connections cost: CPU by octet, descriptors and memory by admitted connection, beside honest ones in the same run."""
import contextlib
import os
import pathlib
import re
import resource

import pytest
from harness.client import Reply, connect_request, open_tunnel, read_exactly
from harness.hello import Hello, genuine, record
from harness.wait import sanitized, wait_until

MOST_BESIDE_HONEST = 20  # times the CPU of an honest segment
REPETITIONS = 3
CROWD = 2000
KIB_HALF_OPEN = 8  # of a connection that has said nothing, or half of a head
KIB_TUNNEL = 16  # of one whose upstream connection stalls
PADDING = 21  # RFC 7685
SPARE = 64  # descriptors that come and go: DNS, scrapes

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.cost.test", "hole.cost.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "tls"
hosts = ["tls.cost.test"]
"""
PATIENT = {"head_timeout": "5m", "hello_timeout": "5m", "connect_timeout": "60s", "connections": 5000, "connections_per_source": 5000, "workers": 1}


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.cost.test", v6=False)
    lab.origin(host, 7)
    host, _ = lab.place("tls.cost.test", v6=False)
    lab.origin(host, 443)
    host, _ = lab.place("hole.cost.test", v6=False)
    lab.topology.blackhole(host)


@pytest.fixture(scope="module", autouse=True)
def room_for_a_crowd():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def cpu(exeat):
    """Nanoseconds that its threads have run."""
    tasks = pathlib.Path(f"/proc/{exeat.pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def kib(exeat):
    return int(re.search(r"^Pss:\s+(\d+) kB", pathlib.Path(f"/proc/{exeat.pid}/smaps_rollup").read_text(), re.M)[1])


def taken(s):
    """That exeat has read all that was sent to it on this connection."""
    here, there = (f"{port:04X}" for port in (s.getsockname()[1], s.getpeername()[1]))
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines():
        fields = line.split()
        if fields[1].endswith(":" + there) and fields[2].endswith(":" + here):
            return fields[4].endswith(":00000000")
    return True  # it has closed it


def trickle(s, octets):
    """Each octet a segment of its own, and read as one."""
    for octet in octets:
        s.sendall(bytes([octet]))
        while not taken(s):
            os.sched_yield()


def of_trickling(exeat, octets, begin):
    """Nanoseconds for all the octets, the least of several times."""
    least = []
    for _ in range(REPETITIONS):
        with begin() as s:
            before = cpu(exeat)
            trickle(s, octets)
            least.append(cpu(exeat) - before)
    return min(least)


def head(octets):
    return b"GET http://echo.cost.test/ HTTP/1.1\r\nCookie: " + b"c" * octets


def tls_hello(octets):
    return record(Hello(genuine("tls.cost.test")).with_extension(PADDING, bytes(2 * octets)).message())[:octets]  # more is to come


def asked(exeat):
    s = exeat.connect()
    s.sendall(connect_request("tls.cost.test:443"))
    assert Reply(s, method="CONNECT").status == 200
    return s


@pytest.mark.parametrize("what", ["head", "hello"])
def test_octets_that_come_one_by_one_cost_no_more_each_than_in_an_open_tunnel(lab, measured, what):
    size = 512
    make, begin = (head, lambda e: e.connect()) if what == "head" else (tls_hello, asked)
    with lab.exeat(ALLOWLIST, limits=PATIENT) as exeat:
        honest = of_trickling(exeat, b"x" * size, lambda: open_tunnel(exeat, "echo.cost.test:7")) / size
        alone = of_trickling(exeat, make(size)[:size], lambda: begin(exeat)) / size
        measured(f"an octet of a {what} by itself: {alone:.0f} ns CPU, in an open tunnel {honest:.0f}")
        assert alone <= MOST_BESIDE_HONEST * honest


def silent(exeat):
    return exeat.connect()


def with_half_a_head(exeat):
    s = exeat.connect()
    s.sendall(head(64))
    return s


def with_a_stalled_connect(exeat):
    s = exeat.connect()
    s.sendall(connect_request("hole.cost.test:7"))
    return s


def without_a_hello(exeat):
    return asked(exeat)


def with_a_silent_tunnel(exeat):
    s = exeat.connect()
    s.sendall(connect_request("echo.cost.test:7"))
    assert Reply(s, method="CONNECT").status == 200
    s.sendall(b"ping")
    assert read_exactly(s, 4) == b"ping"
    return s


@pytest.mark.skipif(sanitized, reason="a sanitizer's memory is not exeat's")
@pytest.mark.parametrize("kind, descriptors, most", [(silent, 1, KIB_HALF_OPEN), (with_half_a_head, 1, KIB_HALF_OPEN), (with_a_stalled_connect, 2, KIB_TUNNEL),
                                                     (without_a_hello, 2, KIB_TUNNEL), (with_a_silent_tunnel, 2, KIB_TUNNEL)])
def test_a_connection_that_gets_nowhere_holds_little(lab, measured, kind, descriptors, most):
    with lab.exeat(ALLOWLIST, limits=PATIENT, before=("prlimit", "--nofile=16384")) as exeat, contextlib.ExitStack() as held:
        exeat.metrics()
        memory, open_before = kib(exeat), exeat.open_descriptors()
        for _ in range(CROWD):
            held.enter_context(kind(exeat))
        wait_until(lambda: exeat.metric("connections_active") >= CROWD, 30)
        by_connection = (kib(exeat) - memory) / CROWD
        by_descriptor = (exeat.open_descriptors() - open_before) / CROWD
        measured(f"a connection {kind.__name__.replace('_', ' ')}: {by_connection:.1f} KiB, {by_descriptor:.2f} descriptors")
        assert by_connection <= most
        assert exeat.open_descriptors() <= open_before + descriptors * CROWD + SPARE
        held.close()
        wait_until(lambda: exeat.open_descriptors() <= open_before + SPARE, 120, "what they held is given back")
