"""Peers that are slow, vanish, reset or do not read: each trouble has its word and its count."""
import contextlib
import os
import socket
import threading
import time

import pytest
from harness.client import Reply, alive, connect_reply, connect_request, gone, open_tunnel, read_exactly, reset_on_close
from harness.oracle import refused
from harness.wait import patience, sanitized, seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.trouble.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "sink"
hosts = ["echo.trouble.test"]
ports = [9]
protocol = "tcp"
[[allow]]
name = "fountain"
hosts = ["echo.trouble.test"]
ports = [12]
protocol = "tcp"
[[allow]]
name = "resets"
hosts = ["echo.trouble.test"]
ports = [11]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["echo.trouble.test"]
protocol = "http"
"""
ECHO = "echo.trouble.test:7"


def never_reads(peer):
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    threading.Event().wait(10)


def fountain(peer):
    peer.recv()
    while True:
        peer.send(bytes(1 << 20))


def resets(peer):
    peer.recv()
    peer.send(b"some")
    peer.recv()
    peer.reset()


@pytest.fixture(scope="module", autouse=True)
def echo(lab):
    host, _ = lab.place("echo.trouble.test", v6=False)
    lab.http_origin(host)
    lab.origin(host, 11, resets)
    lab.origin(host, 9, never_reads).deaf = True
    lab.origin(host, 12, fountain)
    return lab.origin(host, 7)


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST, limits={"head_timeout": "3s", "idle_timeout": "1h"}) as running:
        yield running


def test_a_slow_head_is_let_go(lab, exeat):
    """J1."""
    with refused(lab, exeat, "head_timeout"), exeat.connect() as s:
        s.sendall(b"CONNECT echo.trouble.test:7 HTTP/1.1\r\nX: ")
        reply = Reply(s)
        assert (reply.status, reply.reason) == (408, "head_timeout") and gone(s)


def test_a_head_that_drips_is_let_go_as_well(lab, exeat):
    with refused(lab, exeat, "head_timeout"), exeat.connect() as s:
        s.settimeout(0.1)
        received = b""
        with contextlib.suppress(ConnectionError):
            for _ in range(int(200 * patience)):
                s.sendall(b"C")
                with contextlib.suppress(TimeoutError):
                    received += s.recv(100)
                    break
        assert b"408" in received


def test_a_head_that_is_too_large_is_refused(lab, exeat):
    with refused(lab, exeat, "head_too_large"), exeat.connect() as s:
        s.sendall(b"GET http://echo.trouble.test/ HTTP/1.1\r\n" + b"X-Y: " + b"z" * 17_000)
        assert Reply(s).status == 431


def test_a_client_that_connects_and_goes_is_nothing(exeat):
    before = exeat.metrics()
    for _ in range(20):
        exeat.connect().close()
    wait_until(lambda: exeat.metric("connections_total") == before.of("exeat_connections_total") + 20)
    exeat.settled()
    assert exeat.metrics().of("exeat_denied_total") == before.of("exeat_denied_total")


def test_an_upstream_reset_resets_the_client_and_says_so(exeat):
    before = exeat.metric("tunnels_closed_total", cause="upstream_reset")
    with open_tunnel(exeat, "echo.trouble.test:11") as s:
        s.sendall(b"hello")
        assert read_exactly(s, 4) == b"some"
        s.sendall(b"x")
        s.settimeout(seconds(30))
        with pytest.raises(ConnectionResetError):
            s.recv(1)
    wait_until(lambda: exeat.metric("tunnels_closed_total", cause="upstream_reset") == before + 1)


def test_a_client_reset_resets_the_upstream_and_says_so(exeat, echo):
    before = exeat.metric("tunnels_closed_total", cause="client_reset")
    wait_until(echo.at_rest)
    echo.clear()
    s = open_tunnel(exeat, ECHO)
    assert alive(s)
    reset_on_close(s)
    s.close()
    wait_until(lambda: exeat.metric("tunnels_closed_total", cause="client_reset") == before + 1)
    wait_until(lambda: echo.peers[0].closed)
    assert isinstance(echo.peers[0].failed, ConnectionResetError)


def test_a_client_that_vanishes_while_the_name_is_looked_up_leaves_nothing(lab, exeat):
    lab.dns.set("echo.trouble.test", *lab.dns.table["echo.trouble.test"].addresses)
    accepted = exeat.metric("connections_total")
    for _ in range(20):
        s = exeat.connect()
        s.sendall(connect_request(ECHO))
        reset_on_close(s)
        s.close()
    wait_until(lambda: exeat.metric("connections_total") == accepted + 20)
    wait_until(lambda: exeat.metric("connections_active") == 0)
    wait_until(lambda: exeat.metric("tunnels_active") == 0)


def test_an_origin_that_does_not_read_holds_the_client_back_and_memory_stays(exeat):
    """J2."""
    with open_tunnel(exeat, "echo.trouble.test:9") as s:
        before = exeat.resident_bytes()
        s.settimeout(0.5)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 512 << 20:
                sent += s.send(bytes(1 << 20))
        assert sent < 64 << 20, f"somebody buffers {sent} bytes"
        assert exeat.resident_bytes() - before < (8 << 20) * patience


def test_a_client_that_does_not_read_holds_the_origin_back_and_memory_stays(lab, exeat):
    origin = next(o for o in lab.origins if o._serve is fountain)
    with open_tunnel(exeat, "echo.trouble.test:12") as s:
        before = exeat.resident_bytes()
        s.sendall(b"go")
        sent = wait_until(lambda: stalled(origin), what="the origin is held back")
        assert sent < 64 << 20
        assert exeat.resident_bytes() - before < (8 << 20) * patience
        reset_on_close(s)


def stalled(origin):
    """What the origin has sent, once that does not grow any more."""
    before = origin.sent_bytes
    time.sleep(0.3)
    return before if before and before == origin.sent_bytes else None


def test_an_idle_tunnel_ends(lab):
    with lab.exeat(ALLOWLIST, limits={"idle_timeout": "2s"}) as exeat:
        with open_tunnel(exeat, ECHO) as s:
            assert alive(s) and gone(s)
        wait_until(lambda: exeat.metric("tunnels_closed_total", cause="idle_timeout") == 1)


def test_a_resolver_that_is_down_is_a_502_and_comes_back(lab):
    with socket.socket(type=socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    with lab.exeat(ALLOWLIST, dns={"servers": [f"127.0.0.1:{port}"], "timeout": "300ms"}) as exeat:
        got = connect_reply(exeat, ECHO)
        assert (got.status, got.reason) == (502, "dns_failure")
        m = exeat.metrics()
        assert sum(m.of("exeat_resolver_queries_total", result=r) for r in ("refused", "failed", "timed_out")) >= 1


def test_a_second_resolver_is_asked_when_the_first_is_down(lab):
    with lab.exeat(ALLOWLIST, dns={"servers": ["127.0.0.1:1", lab.dns.address], "timeout": "1s"}) as exeat:
        assert connect_reply(exeat, ECHO).status == 200


def test_the_process_has_no_privilege_of_files_open_that_it_does_not_need(exeat):
    """Only sockets, epoll, eventfds, timers, pipes, inotify, the log, the three standard streams, and its own numbers (sandbox.cpp)."""
    for fd in os.listdir(f"/proc/{exeat.pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            target = os.readlink(f"/proc/{exeat.pid}/fd/{fd}")
            assert target.startswith(("socket:", "anon_inode:", "pipe:", "/dev/", f"/proc/{exeat.pid}", str(exeat.directory))), target
