"""J5: an allocation that fails, wherever it is, denies what was not decided and nothing else: each allocation of each kind of request in turn, and all."""
import contextlib
import http.client
import itertools
import signal

import pytest
from harness.client import Reply, connect_request, http_request, open_tunnel, read_exactly
from harness.preload import Preload, sanitizer
from harness.wait import stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.memory.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["*.plain.memory.test"]
names = 1000
protocol = "http"
"""
ECHO = "echo.memory.test:7"
OUTCOMES = {None, "overload", "dns_failure"}  # closed, or refused for no other reason than that


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.memory.test", *(f"n{n}.plain.memory.test" for n in range(400)), v6=False)
    return lab.origin(host, 7), lab.http_origin(host)


@pytest.fixture(scope="module")
def memory(tmp_path_factory):
    if sanitizer():
        pytest.skip("skipped: a sanitizer's allocator cannot be replaced by one that fails")
    return Preload(tmp_path_factory.mktemp("memory"), allocations=True)


@pytest.fixture
def exeat(lab, memory):
    limits = {"workers": 1, "head_timeout": "2s"}
    with lab.exeat(ALLOWLIST, before=memory.before, limits=limits, dns={"timeout": "300ms"}) as running:
        yield running
        memory.fail_no_more()


def asked(exeat, request, method="GET"):
    """The reply, or None when the connection just ends."""
    with contextlib.suppress(AssertionError, ConnectionError), exeat.connect() as s:
        s.sendall(request)
        return Reply(s, method=method)
    return None


def raw(exeat, _):
    with contextlib.suppress(AssertionError, ConnectionError), exeat.connect() as s:
        s.sendall(connect_request(ECHO))
        reply = Reply(s, method="CONNECT")
        if reply.status != 200:
            return reply.reason
        s.sendall(b"ping")
        if read_exactly(s, 4) == b"ping":
            return "allowed"
    return None


def plain(exeat, n):
    reply = asked(exeat, http_request("GET", f"http://n{n}.plain.memory.test/"))
    return reply and (reply.reason or "allowed")


def forbidden(exeat, _):
    reply = asked(exeat, connect_request("evil.memory.test:443", ["Accept: application/json"]), "CONNECT")
    assert reply is None or reply.status in (403, 503), reply.status
    return reply and reply.reason


@pytest.mark.parametrize("ask,right", [(raw, "allowed"), (plain, "allowed"), (forbidden, "not_allowed")], ids=["raw", "plain", "forbidden"])
def test_whichever_allocation_fails_what_was_not_decided_is_denied_and_it_lives_on(lab, exeat, memory, ask, right):
    for n in range(390, 394):  # what is allocated once and kept
        assert ask(exeat, n) == right
    exeat.settled()
    descriptors, queries, said = exeat.open_descriptors(), lab.dns.mark(), set()
    for nth in itertools.count(1):
        assert nth < 380
        memory.fail(nth)
        said.add(ask(exeat, nth))
        assert exeat.process.poll() is None, f"allocation {nth} ended it: {exeat.log()}"
        if memory.fail_no_more() == 0:
            break
    assert nth > 5, "some have failed"
    assert ask(exeat, 395) == right
    assert said <= OUTCOMES | {right} and right in said and len(said) > 1, said
    assert not lab.dns.asked("evil.memory.test", queries)
    lines = exeat.settled()
    m = exeat.metrics()
    assert m.of("exeat_out_of_memory_total") > 0
    told = sum(line["event.action"] in ("open", "deny") for line in exeat.audit())
    assert lines and m.of("exeat_requests_total") == told
    unheard = m.of("exeat_connections_total") - told  # given up before there was a tunnel, or before a byte was read
    assert 0 <= unheard <= m.of("exeat_out_of_memory_total")
    wait_until(lambda: exeat.open_descriptors() <= descriptors, what="descriptors are back")


def test_without_any_memory_open_tunnels_go_on_new_ones_are_denied_and_then_all_is_well(lab, exeat, memory):
    with open_tunnel(exeat, ECHO) as held:
        held.sendall(b"ping")
        assert read_exactly(held, 4) == b"ping"
        memory.fail(1, 1 << 60)
        for n in range(60):
            assert asked(exeat, connect_request(ECHO), "CONNECT") is None
            held.sendall(b"%04d" % n)
            assert read_exactly(held, 4) == b"%04d" % n
        assert memory.fail_no_more() >= 60
        assert exeat.metric("out_of_memory_total") >= 60 and exeat.metric("tunnels_active") == 1
        wait_until(lambda: raw(exeat, 0) == "allowed", what="it serves again")
    exeat.settled()


def test_a_question_that_could_not_be_asked_is_asked_by_the_next(lab, exeat, memory):
    """A name must not stay dead because memory failed once between waiting for it and asking for it."""
    names = range(200, 260)
    for nth, n in enumerate(names, 1):
        memory.fail(nth)
        plain(exeat, n)
        memory.fail_no_more()
    for n in names:
        wait_until(lambda: plain(exeat, n) == "allowed", what=f"n{n} is found")  # noqa: B023


def test_an_event_that_cannot_be_written_down_for_lack_of_memory_waits_and_the_chain_is_whole(exeat, memory):
    """The journal's thread: its allocations fail, too, in turn and then all of them for a while."""
    for _ in range(5):
        forbidden(exeat, 0)
    exeat.settled()
    for nth in range(1, 100):
        memory.tell(every=1)
        memory.fail(nth)
        forbidden(exeat, 0)
        stays(lambda: exeat.process.poll() is None, 0.04, f"it lives on after allocation {nth} failed")
        memory.fail_no_more()
        memory.tell(every=0)
    exeat.settled()
    wait_until(lambda: exeat.metric("audit_healthy") == 1)
    assert exeat.metric("audit_events_dropped_total") == 0


def test_scrapes_and_reloads_for_which_there_is_no_memory_are_tried_again_and_nothing_stays_behind(exeat, memory):
    for nth in [*range(1, 30), *range(30, 300, 9), *range(300, 1500, 151)]:
        memory.tell(every=1)
        memory.fail(nth)
        exeat.write_allowlist(ALLOWLIST.replace("serial = 7", f"serial = {nth + 10}"))
        exeat.signal(signal.SIGHUP)
        with contextlib.suppress(OSError, http.client.HTTPException), exeat.connect(port=exeat.admin_port, timeout=1) as s:
            s.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            s.recv(100)
        assert exeat.process.poll() is None, f"allocation {nth} ended it: {exeat.log()}"
        memory.fail_no_more()
        memory.tell(every=0)
    exeat.write_allowlist(ALLOWLIST.replace("serial = 7", "serial = 9999"))
    wait_until(lambda: exeat.metrics().has("exeat_policy_info", serial="9999"), what="the list is taken, and told of")
    assert raw(exeat, 0) == "allowed"
