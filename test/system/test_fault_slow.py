"""Crowds of clients that are slow, origins that are, and a resolver that is silent: bounded, told apart, and over when it is over."""
import contextlib
import socket
import threading

import pytest
from harness.client import alive, connect_reply, gone, open_tunnel
from harness.crowd import Crowd, room_for
from harness.preload import Preload
from harness.state import known_past
from harness.wait import sanitized, seconds, wait_until

CROWD = 2_000 if sanitized else 10_000  # AddressSanitizer's shadow makes each connection dear
MEBIBYTE = 1 << 20
ALLOWLIST = """
serial = 7
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.slow.test"]
ports = [7, 9, 10, 11]
protocol = "tcp"
[[allow]]
name = "stalled"
hosts = ["*.stalled.slow.test"]
names = 10000
protocol = "tls"
"""
ECHO = "echo.slow.test:7"


drop = threading.Semaphore(0)
DROPS = 12


def drips(peer):
    peer.recv()
    for _ in range(DROPS):
        drop.acquire(timeout=60)
        peer.send(b".")
    peer.finish()


def ends_first(peer):
    peer.finish()
    while peer.recv():
        pass


class Gate:
    """An origin that reads nothing until it is told to."""

    def __init__(self):
        self.open = threading.Event()

    def __call__(self, peer):
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.open.wait(120)
        while peer.recv():
            pass


gate = Gate()


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.slow.test", v6=False)
    made = {7: lab.origin(host, 7), 9: lab.origin(host, 9, gate), 10: lab.origin(host, 10, drips), 11: lab.origin(host, 11, ends_first)}
    return made


@pytest.fixture
def clock(tmp_path):
    """Hours go by when the test says so, and not while a busy machine is at its preparations."""
    return Preload(tmp_path / "clock", allocations=False)


def rest(exeat):
    exeat.settled()
    return exeat.open_descriptors(), exeat.resident_bytes()


def back_to(exeat, before, pipes=0, kept=4 * MEBIBYTE):
    exeat.settled()
    descriptors, memory = before
    wait_until(lambda: exeat.open_descriptors() <= descriptors + 2 * pipes, what="descriptors are back")
    wait_until(lambda: sanitized or exeat.resident_bytes() <= memory + kept, what="memory is back")


def deaf_to_answers(exeat):
    """Asks the admin page for more than fits on the way, and reads none of it: the connection, and how often it asked."""
    s, request, asked = exeat.connect(port=exeat.admin_port), b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 100_000
    s.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        for _ in range(asked):
            s.send(request)
    return s, asked


def received(s):
    n = 0
    with contextlib.suppress(ConnectionError):
        while got := s.recv(1 << 20):
            n += len(got)
    return n


def test_ten_thousand_slow_heads_are_all_let_go_and_others_are_served_meanwhile(lab, clock):
    """J1."""
    n = room_for(CROWD)
    with lab.exeat(ALLOWLIST, limits={"head_timeout": "5m", "connections_per_source": 20_000}, before=clock.before) as exeat:
        assert connect_reply(exeat, ECHO).status == 200
        before = rest(exeat)
        with Crowd(exeat, n, "CONNECT echo.slow.test:7 HTTP/1.1\r\nX-Slow: {n}", drip="x") as crowd:
            wait_until(lambda: exeat.metric("connections_active") == n, 60)
            assert sanitized or exeat.resident_bytes() - before[1] < n * 4096, "what a waiting client costs"
            silent = exeat.connect(port=exeat.admin_port)
            silent.sendall(b"GET /metrics HTTP/1.1\r\n")
            deaf, asked = deaf_to_answers(exeat)
            with open_tunnel(exeat, ECHO) as s:
                assert alive(s)
            assert connect_reply(exeat, "evil.slow.test:443").status == 403
            assert exeat.fetch("/readyz")[0] == 200
            clock.tell(steady_offset=700)
            assert crowd.replies() == {"408 head_timeout": n}
            assert gone(silent, 60), "a slow head has its time on the admin page as well (limits::admin_head_time)"
            silent.close()
            deaf.settimeout(seconds(60))
            assert received(deaf) < asked * 1_000, "and so has an answer that nobody reads (limits::admin_time)"
            deaf.close()
        assert exeat.metric("denied_total", reason="head_timeout") == n
        assert exeat.metric("audit_events_dropped_total") == 0
        back_to(exeat, before)


def test_sources_that_use_up_their_share_leave_the_others_theirs(lab, clock):
    with lab.exeat(ALLOWLIST, limits={"head_timeout": "5m", "connections_per_source": 100}, before=clock.before) as exeat:
        before = rest(exeat)
        with Crowd(exeat, 300, "CONNECT", source="127.0.1.1") as one, Crowd(exeat, 300, "CONNECT", source="127.0.1.2") as two:
            assert connect_reply(exeat, ECHO).status == 200
            clock.tell(steady_offset=700)
            for crowd in (one, two):
                said = crowd.replies()
                assert said["408 head_timeout"] == 100 and said["503 overload"] + said[""] == 200, said
        assert exeat.metric("denied_total", reason="overload") == 400
        back_to(exeat, before)


def stalled(n):
    return f"CONNECT n{n}.stalled.slow.test:443 HTTP/1.1\r\nHost: n{n}.stalled.slow.test:443\r\n\r\n"


@pytest.mark.parametrize("name", ["{n}", "one"])
def test_ten_thousand_look_ups_at_a_silent_resolver_are_bounded_and_end(lab, name, tmp_path):
    """C10. As many different names, or one name that all want."""
    n = room_for(CROWD)
    for i in [*range(n), "one"]:
        lab.dns.set(f"n{i}.stalled.slow.test", behave="silent")
    in_flight = 2 * 2048 // 2  # limits::dns_in_flight of each worker, of which one client has half at most
    with lab.exeat(ALLOWLIST, limits={"connections_per_source": 20_000}, dns={"timeout": "4s"},
                   policy={"state": known_past(tmp_path / "state")}) as exeat:
        assert all(connect_reply(exeat, ECHO).status == 200 for _ in range(30)), "each worker learns the name"
        before = rest(exeat)
        with Crowd(exeat, n, stalled(name)) as crowd:
            assert connect_reply(exeat, ECHO).status == 200, "a name that is known is served"
            said = crowd.replies()
        assert set(said) <= {"502 dns_failure", "503 dns_overload"} and said.total() == n, said
        waited = n if name == "one" else min(n, in_flight)
        assert said["502 dns_failure"] >= waited * 0.9 and (name != "one" or said["502 dns_failure"] == n), said
        for reason in ("dns_failure", "dns_overload"):
            assert exeat.metric("denied_total", reason=reason) == sum(v for k, v in said.items() if k.endswith(reason))
        assert exeat.metric("resolver_queries_total", result="overloaded") == said["503 dns_overload"]
        lab.dns.set("n0.stalled.slow.test", *lab.dns.table["echo.slow.test"].addresses)
        wait_until(lambda: connect_reply(exeat, "n0.stalled.slow.test:443").reason == "connect_failure", what="names are found again")
        back_to(exeat, before, kept=32 * MEBIBYTE)  # the cache keeps what it learnt of each name, as many as it may
    for i in [*range(n), "one"]:
        del lab.dns.table[f"n{i}.stalled.slow.test"]


def test_an_origin_that_drips_keeps_its_tunnel_open_and_each_byte_is_counted(lab, clock):
    """In an hour, with pauses of a third of the idle time. That the worker has seen one is known by a client whose time for its head is over then."""
    limits = {"workers": 1, "idle_timeout": "15m", "head_timeout": "1m"}
    with lab.exeat(ALLOWLIST, limits=limits, before=clock.before) as exeat, open_tunnel(exeat, "echo.slow.test:10") as s:
        s.sendall(b"go")
        for i in range(1, DROPS + 1):
            drop.release()
            assert s.recv(10) == b"."
            wait_until(lambda: exeat.metric("bytes_total", direction="download") >= i)  # noqa: B023
            with exeat.connect() as other:
                wait_until(lambda: exeat.metric("connections_total") == 1 + i)  # noqa: B023
                clock.tell(steady_offset=i * 300)
                assert gone(other)
        assert s.recv(10) == b""
        assert exeat.metric("bytes_total", direction="download") == DROPS and exeat.metric("bytes_total", direction="upload") == 2


def test_what_an_origin_has_not_read_is_counted_as_written_and_all_of_it_arrives(lab, origins):
    """J2."""
    with lab.exeat(ALLOWLIST) as exeat:
        before = rest(exeat)
        with open_tunnel(exeat, "echo.slow.test:9") as s:
            s.settimeout(0.5)
            sent = 0
            with pytest.raises(TimeoutError):
                while sent < 512 * MEBIBYTE:
                    sent += s.send(bytes(MEBIBYTE))
            counted = wait_until(lambda: exeat.metric("bytes_total", direction="upload"))
            assert 0 < counted <= sent < 64 * MEBIBYTE
            gate.open.set()
            s.shutdown(socket.SHUT_WR)
            wait_until(lambda: origins[9].received_bytes == sent, 60)
        wait_until(lambda: exeat.metric("bytes_total", direction="upload") == sent)
        back_to(exeat, before, pipes=1)


@pytest.mark.parametrize("port,client_ends", [(7, False), (9, True), (11, False)], ids=["neither", "client", "origin"])
def test_hundreds_of_half_closed_tunnels_end_when_they_have_been_idle(lab, origins, clock, port, client_ends):
    """Half a tunnel may stay open as long as a whole one, and not longer."""
    gate.open.clear()
    n = 300
    with lab.exeat(ALLOWLIST, limits={"idle_timeout": "10m", "connections_per_source": 20_000}, before=clock.before) as exeat:
        before = rest(exeat)
        held = [open_tunnel(exeat, f"echo.slow.test:{port}") for _ in range(n)]
        for s in held:
            if client_ends:
                s.shutdown(socket.SHUT_WR)
            if port == 11:
                assert s.recv(1) == b""
        wait_until(lambda: exeat.metric("tunnels_active") == n)
        clock.tell(steady_offset=700)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="idle_timeout") == n, 60)
        assert all(gone(s) for s in held)
        for s in held:
            s.close()
        back_to(exeat, before)
    gate.open.set()
