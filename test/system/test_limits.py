"""Bounds of limits.hpp at their value and one beyond, where it takes the real binary. test/promises/tidy/limits.txt says which test is for which."""
import socket
import time

import pytest
from harness import hello as tls
from harness.client import Reply, ask, connect_reply, connect_request, http_request, open_tunnel, read_to_end
from harness.crowd import Crowd, room_for
from harness.origin import swallow
from harness.topology import public4
from harness.wait import seconds, stays, wait_until
from test_hello_retry import RETRY, ask_again, retried, with_early_data

ALLOWLIST = """
serial = 7
[defaults]
upload = "100 GiB/1h"
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.limit.test", "many.limit.test", "one-more.limit.test"]
ports = [7, 9]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["echo.limit.test"]
protocol = "http"
[[allow]]
name = "stalled"
hosts = ["*.stalled.limit.test"]
names = 10000
[[allow]]
name = "retry"
hosts = ["retry.test"]
"""
ECHO = "echo.limit.test:7"
DNS_IN_FLIGHT, DNS_WAITERS, DNS_ADDRESSES = 2_048, 16_384, 64
RETRY_FLIGHT_BYTES = 16_384 + 5 * 1024 + 32 * 1024
PROGRESS_BYTES = 64 << 20
INTERIM_RESPONSES = 16
RESERVED_FDS, FDS_PER_WORKER, DNS_SOCKETS, FDS_PER_TUNNEL, SPARE_PART = 128, 16, 40, 2, 8


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def place(lab):
    host, _ = lab.place("echo.limit.test", v6=False)
    interim = lambda n: lambda peer, reader, head: peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" * n + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") or True
    lab.http_origin(host, routes={"/fits": interim(INTERIM_RESPONSES), "/beyond": interim(INTERIM_RESPONSES + 1)})
    lab.origin(host, 7)
    lab.origin(host, 9, swallow)
    return host


def test_an_origin_may_send_so_many_interim_responses_and_no_more(exeat):
    with exeat.connect() as s:
        said = ask(s, http_request("GET", "http://echo.limit.test/fits"))
        assert said.status == 200 and said.interim == [103] * INTERIM_RESPONSES
    with exeat.connect() as s:
        s.sendall(http_request("GET", "http://echo.limit.test/beyond"))
        read_to_end(s)
    wait_until(lambda: exeat.metric("denied_total", reason="upstream_malformed") == 1)


def test_what_comes_before_a_second_hello_is_bounded(lab, exeat):
    host, _ = lab.place("retry.test", v6=False)
    server = lab.origin(host, 443, ask_again)
    second = tls.genuine("retry.test")
    room = RETRY_FLIGHT_BYTES - len(second)
    for extra in (0, 1):
        denied = exeat.metric("denied_total", reason="tls_malformed")
        server.clear()
        with retried(exeat, with_early_data("retry.test")) as s:
            early = b"".join(tls.record(bytes(size), 0x17) for size in (16_000, 16_000, 16_000, room + extra - 48_000 - 4 * 5))
            flight = early + second
            assert len(flight) == RETRY_FLIGHT_BYTES + extra
            s.sendall(flight)
            if extra == 0:
                wait_until(lambda: server.peers and bytes(server.peers[0].received).endswith(second))
            else:
                s.settimeout(seconds(30))
                read_to_end(s)
                assert exeat.metric("denied_total", reason="tls_malformed") == denied + 1
                assert second not in bytes(server.peers[0].received)[len(second):]
    assert RETRY


def test_a_refused_client_that_goes_on_sending_is_heard_out_so_far_and_no_further(exeat):
    """linger_bytes, so that the refusal arrives; linger_time, so that it ends."""
    with exeat.connect() as s:
        s.sendall(b"NONSENSE\r\n\r\n" + bytes(60_000))
        assert Reply(s).status == 400 and s.recv(1) == b"", "the close is no reset"
    wait_until(lambda: exeat.metric("connections_active") == 0)
    with exeat.connect() as s:
        s.sendall(b"NONSENSE\r\n\r\n")
        assert Reply(s).status == 400
        with pytest.raises(ConnectionError):
            for _ in range(int(seconds(100))):
                s.sendall(b"more")
                time.sleep(0.1)
    wait_until(lambda: exeat.metric("connections_active") == 0)


def test_as_many_connections_as_the_descriptors_allow_and_one_more_is_said(lab):
    descriptors, workers, listeners = 512, 2, 2
    left = descriptors - RESERVED_FDS - workers * (FDS_PER_WORKER + DNS_SOCKETS + listeners)
    affordable = (left - left // SPARE_PART // workers * workers) // FDS_PER_TUNNEL
    before = ["prlimit", f"--nofile={descriptors}:{descriptors}"]
    with lab.exeat(ALLOWLIST, limits={"connections": affordable}, before=before) as exeat:
        assert "fewer connections" not in exeat.log()
    with lab.exeat(ALLOWLIST, limits={"connections": affordable + 1}, before=before) as exeat:
        assert "fewer connections" in exeat.log()
        held = [open_tunnel(exeat, ECHO) for _ in range(affordable)]
        reply = connect_reply(exeat, ECHO)
        assert (reply.status, reply.reason) == (503, "overload")
        for s in held:
            s.close()
        wait_until(lambda: connect_reply(exeat, ECHO).status == 200)


def stalled(lab, *names):
    for name in names:
        lab.dns.set(name, behave="silent")
    return lab.dns.mark()


def test_one_client_looks_up_half_of_what_there_may_be_and_one_more_is_refused(lab):
    most = DNS_IN_FLIGHT // 2
    since = stalled(lab, *(f"n{n}.stalled.limit.test" for n in range(most + 1)))
    request = "CONNECT n{n}.stalled.limit.test:443 HTTP/1.1\r\nHost: n{n}.stalled.limit.test:443\r\n\r\n"
    limits = {"workers": 1, "connections_per_source": 20_000}
    with lab.exeat(ALLOWLIST, limits=limits, dns={"timeout": "60s"}) as exeat:
        with Crowd(exeat, most, request):
            wait_until(lambda: len({name for name, _, _ in lab.dns.asked(since=since)}) == most, 60)
            assert exeat.metric("resolver_queries_total", result="overloaded") == 0
            assert connect_reply(exeat, f"n{most}.stalled.limit.test:443", source="127.0.1.1").reason == "dns_overload"
            assert exeat.metric("resolver_queries_total", result="overloaded") == 1


def test_half_of_the_waiters_may_be_one_clients_and_one_more_is_refused(lab):
    most = DNS_WAITERS // 2
    if room_for(most + 10) < most + 10:
        pytest.skip(f"skipped: {most} connections take more descriptors than a process may have here")
    stalled(lab, "one.stalled.limit.test")
    request = "CONNECT one.stalled.limit.test:443 HTTP/1.1\r\nHost: one.stalled.limit.test:443\r\n\r\n"
    limits = {"workers": 1, "connections_per_source": 20_000}
    with lab.exeat(ALLOWLIST, limits=limits, dns={"timeout": "60s"}) as exeat:
        with Crowd(exeat, most, request):
            wait_until(lambda: exeat.metric("connections_active") == most, 120)
            exeat.caught_up()
            assert exeat.metric("resolver_queries_total", result="overloaded") == 0
            assert connect_reply(exeat, "one.stalled.limit.test:443", source="127.0.1.1").reason == "dns_overload"


def test_an_answer_has_so_many_addresses_and_one_more_refuses_it(lab, exeat, place):
    others = [public4(n) for n in range(255, 0, -1) if public4(n) != place]
    lab.dns.set("many.limit.test", place, *others[: DNS_ADDRESSES - 1])
    lab.dns.set("one-more.limit.test", place, *others[:DNS_ADDRESSES])
    assert connect_reply(exeat, "many.limit.test:7").status == 200
    lab.topology.forget_dialled()
    refused = connect_reply(exeat, "one-more.limit.test:7")
    assert refused.reason == "dns_failure" and b"more than 64" in refused.body
    assert exeat.metric("resolver_queries_total", result="too_many") == 1
    assert not lab.topology.dialled()


def test_a_progress_line_comes_with_the_byte_that_is_promised(exeat):
    uploaded = lambda: exeat.metric("bytes_total", entry="raw", direction="upload")
    before = uploaded()
    with open_tunnel(exeat, "echo.limit.test:9") as s:
        for _ in range(64):
            s.sendall(bytes(PROGRESS_BYTES // 64 - (1 if _ == 0 else 0)))
        wait_until(lambda: uploaded() == before + PROGRESS_BYTES - 1, 60)
        stays(lambda: not exeat.audit(event__action="progress"), 0.3)
        s.sendall(b"!")
        line = wait_until(lambda: exeat.audit(event__action="progress"))[0]
        assert line["source.bytes"] == PROGRESS_BYTES
        s.shutdown(socket.SHUT_WR)
        read_to_end(s)
