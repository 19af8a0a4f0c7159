"""Names to addresses: who is asked, how often, and what happens when the answer is bad or late."""
import socket
import struct
import time

import pytest
from harness.client import Reply, ask_once, connect_reply, http_request, open_tunnel, read_exactly, reset_on_close
from harness.dns import A, encode_name, question_of
from harness.http_origin import reply
from harness.wait import wait_until

RAW = "cached short rebinding absolute missing alias bad-alias servfail refused silent garbage empty long eyeballs several hole closed busy forged0 forged1 forged2 forged3"
ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = [HOSTS]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["*.dns.test"]
protocol = "http"
[[private_link]]
name = "pinned"
hosts = ["pinned.test"]
addresses = ["10.20.8.9"]
""".replace("[HOSTS]", str([f"{name}.dns.test" for name in RAW.split()]))


@pytest.fixture(scope="module")
def exeat(lab):
    # one worker: each has a cache of its own
    with lab.exeat(ALLOWLIST, limits={"workers": 1, "connect_timeout": "3s"}, dns={"timeout": "500ms"}) as running:
        yield running


@pytest.fixture(scope="module")
def echo4(lab):
    host, _ = lab.addresses()
    lab.origin(host, 7)
    return host


@pytest.fixture(scope="module")
def echo6(lab):
    _, host = lab.addresses()
    lab.origin(host, 7)
    return host


def reaches(exeat, name):
    with open_tunnel(exeat, f"{name}:7") as s:
        s.sendall(b"hello")
        return read_exactly(s, 5) == b"hello"


def test_a_second_request_within_the_ttl_asks_nothing(lab, exeat, echo4):
    lab.dns.set("cached.dns.test", echo4, ttl=60)
    assert reaches(exeat, "cached.dns.test")
    mark = lab.dns.mark()
    before = exeat.metric("resolver_queries_total", result="cached")
    assert reaches(exeat, "cached.dns.test") and reaches(exeat, "CACHED.dns.test.")
    assert lab.dns.mark() == mark
    assert exeat.metric("resolver_queries_total", result="cached") == before + 2
    assert exeat.metric("resolver_cache_entries") >= 1


def test_after_the_ttl_it_is_asked_again_and_the_new_address_taken(lab, exeat, echo4, echo6):
    lab.dns.set("short.dns.test", "93.184.216.249", ttl=1)
    assert connect_reply(exeat, "short.dns.test:7").reason == "connect_failure"
    lab.dns.set("short.dns.test", echo4, ttl=1)
    wait_until(lambda: connect_reply(exeat, "short.dns.test:7").status == 200, 5, "the new address is used")


def test_an_answer_that_changes_to_a_private_address_is_not_dialled(lab, exeat, echo4):
    """C3: rebinding. Whatever is dialled was checked itself, so the second answer is refused as it would have been at first."""
    answers = []

    def rebinding(kind):
        if kind != "A":
            return []
        answers.append(1)
        return [echo4] if len(answers) == 1 else ["127.0.0.1"]

    lab.dns.set("rebinding.dns.test", rebinding, ttl=0)
    assert reaches(exeat, "rebinding.dns.test")
    wait_until(lambda: connect_reply(exeat, "rebinding.dns.test:7").reason == "addr_class", 10)
    assert len(answers) >= 2


def forgeries(packet, reply, elsewhere):
    """What an attacker who guesses sends, each wrong in one thing, each with an address of his."""
    name, kind, question = question_of(packet)
    if kind != A:
        return []
    evil = b"\xc0\x0c" + struct.pack("!HHIH", A, 1, 60, 4) + bytes([93, 184, 216, 66])
    said = lambda identity, asked: identity + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + asked + evil  # noqa: E731
    identity = packet[:2]
    other = bytes([identity[0] ^ 1, identity[1]])
    foreign = encode_name("evil.dns.test") + question[-4:]
    return [(None, said(other, question)), (None, said(identity, foreign)), (None, said(identity, question[:-4] + b"\0\x1c\0\1")), (elsewhere, said(identity, question))]


@pytest.mark.parametrize("which", range(4), ids=["identity", "name", "type", "sender"])
def test_a_forged_answer_is_not_taken(lab, exeat, echo4, which):
    """C9: another identity, name, type or sender; then the genuine one."""
    lab.dns.set(f"forged{which}.dns.test", echo4)
    seen = []

    def forge(packet, reply):
        sent = forgeries(packet, reply, elsewhere)[which:which+1]
        seen.extend(sent)
        return sent

    with socket.socket(type=socket.SOCK_DGRAM) as elsewhere:
        elsewhere.bind(("127.0.0.1", 0))
        lab.topology.forget_dialled()
        lab.dns.forge = forge
        try:
            assert reaches(exeat, f"forged{which}.dns.test")
        finally:
            lab.dns.forge = lambda packet, reply: []
    assert len(seen) == 1 and {a for a, _ in lab.topology.dialled()} == {echo4}


def test_identities_of_questions_cannot_be_guessed(lab, exeat, echo4):
    """C9: RFC 5452."""
    identities, before = [], lab.dns.forge
    lab.dns.forge = lambda packet, reply: identities.append(packet[:2]) or []
    try:
        for n in range(20):
            with exeat.connect() as s:
                s.sendall(http_request("GET", f"http://n{n}.dns.test/"))
                Reply(s)
    finally:
        lab.dns.forge = before
    assert len(set(identities)) > 30
    steps = {(int.from_bytes(b) - int.from_bytes(a)) % 65536 for a, b in zip(identities, identities[1:])}
    assert len(steps) > 30


def test_names_are_asked_for_absolutely_and_only_a_and_aaaa(lab, exeat, echo4):
    """C2."""
    lab.dns.set("absolute.dns.test", echo4)
    mark = lab.dns.mark()
    assert reaches(exeat, "absolute.dns.test")
    assert connect_reply(exeat, "missing.dns.test:7").reason == "dns_failure"
    asked = {(name, kind) for name, kind, _ in lab.dns.queries[mark:]}
    assert {name for name, _ in asked} == {"absolute.dns.test", "missing.dns.test"}
    assert {kind for _, kind in asked} <= {"A", "AAAA"}


def test_a_cname_is_followed_and_its_end_judged(lab, exeat, echo4):
    lab.dns.set("alias.dns.test", cname="target.elsewhere.test")
    lab.dns.set("target.elsewhere.test", echo4)
    assert reaches(exeat, "alias.dns.test")
    lab.dns.set("bad-alias.dns.test", cname="inner.elsewhere.test")
    lab.dns.set("inner.elsewhere.test", "10.1.2.3")
    assert connect_reply(exeat, "bad-alias.dns.test:7").reason == "addr_class"


@pytest.mark.parametrize("behave", ["servfail", "refused", "silent", "garbage"])
def test_a_failing_server_is_a_502_and_nothing_is_dialled(lab, exeat, behave):
    """C6."""
    name = f"{behave}.dns.test"
    lab.dns.set(name, behave=behave)
    lab.topology.forget_dialled()
    got = connect_reply(exeat, f"{name}:7")
    assert (got.status, got.reason) == (502, "dns_failure") and "dns_error" in got.field("proxy-status")
    assert lab.topology.dialled() == set()


def test_a_name_without_addresses_is_a_502(lab, exeat):
    lab.dns.set("empty.dns.test")
    assert connect_reply(exeat, "empty.dns.test:7").reason == "dns_failure"


def test_a_truncated_answer_is_asked_for_again_over_tcp(lab, exeat, echo4):
    lab.dns.set("long.dns.test", echo4, behave="truncate")
    mark = lab.dns.mark()
    assert reaches(exeat, "long.dns.test")
    assert {transport for _, _, transport in lab.dns.asked("long.dns.test", mark)} == {"udp", "tcp"}


def test_a_pinned_private_link_asks_no_server(lab, exeat):
    origin = lab.tls_origin("pinned.test", host="10.20.8.9")
    mark = lab.dns.mark()
    assert connect_reply(exeat, "pinned.test:443").status == 200
    assert lab.dns.mark() == mark
    origin.close()


def test_ipv6_that_leads_nowhere_does_not_keep_ipv4_from_being_reached(lab, exeat, echo4):
    """RFC 8305: well before connect_timeout."""
    _, hole = lab.addresses()
    lab.topology.blackhole(hole)
    lab.dns.set("eyeballs.dns.test", hole, echo4)
    lab.topology.forget_dialled()
    begun = time.monotonic()
    assert reaches(exeat, "eyeballs.dns.test")
    assert time.monotonic() - begun < 2.9
    assert {hole, echo4} == {a for a, _ in lab.topology.dialled()}


def test_an_address_that_refuses_is_followed_by_the_next(lab, exeat, echo4):
    lab.dns.set("several.dns.test", "93.184.216.249", "2606:2800:220:1::f9", echo4)
    assert reaches(exeat, "several.dns.test")


def test_a_destination_that_stays_silent_is_a_504(lab, exeat):
    hole, _ = lab.addresses()
    lab.topology.blackhole(hole)
    lab.dns.set("hole.dns.test", hole)
    before = exeat.metric("upstream_errors_total", error="timed_out")
    got = connect_reply(exeat, "hole.dns.test:7")
    assert (got.status, got.reason) == (504, "connect_timeout") and "connection_timeout" in got.field("proxy-status")
    assert exeat.metric("upstream_errors_total", error="timed_out") > before


def test_a_destination_that_refuses_is_a_502(lab, exeat):
    lab.dns.set("closed.dns.test", "93.184.216.249")
    before = exeat.metric("upstream_errors_total", error="refused")
    got = connect_reply(exeat, "closed.dns.test:7")
    assert (got.status, got.reason) == (502, "connect_failure")
    assert exeat.metric("upstream_errors_total", error="refused") > before


def test_plain_http_takes_the_same_way_to_an_address(lab, exeat):
    _, six = lab.addresses()
    lab.http_origin(six, routes={"*": reply(b"six\n")})
    lab.dns.set("web.dns.test", six)
    assert ask_once(exeat, http_request("GET", "http://web.dns.test/")).body == b"six\n"
    lab.dns.set("broken.dns.test", behave="servfail")
    assert ask_once(exeat, http_request("GET", "http://broken.dns.test/")).reason == "dns_failure"


def test_names_that_wait_for_a_silent_server_are_bounded(lab):
    """C10."""
    allowlist = 'serial = 7\n[groups.lab]\nsources = ["127.0.0.1"]\n[[allow]]\nname = "wild"\nhosts = ["*.stalled.test"]\nnames = 5000\n'
    for n in range(2100):
        lab.dns.set(f"n{n}.stalled.test", behave="silent")
    with lab.exeat(allowlist, limits={"workers": 1}, dns={"timeout": "20s"}) as exeat:
        waiting = []
        for n in range(2100):
            s = exeat.connect()
            s.sendall(f"CONNECT n{n}.stalled.test:443 HTTP/1.1\r\nHost: n{n}.stalled.test:443\r\n\r\n".encode())
            waiting.append(s)
        wait_until(lambda: exeat.metric("denied_total", reason="dns_overload") >= 1)
        reply = Reply(waiting[-1])
        assert (reply.status, reply.reason) == (503, "dns_overload")
        assert exeat.metric("resolver_queries_total", result="overloaded") >= 1
        assert exeat.metric("connections_active") >= 1000, "the others go on waiting"
        for s in waiting:
            reset_on_close(s)
            s.close()
        wait_until(lambda: exeat.metric("connections_active") == 0, what="who has gone waits no more")


def test_many_clients_at_once_ask_once(lab, exeat, echo4):
    lab.dns.set("busy.dns.test", echo4)
    mark = lab.dns.mark()
    sockets = [exeat.connect() for _ in range(50)]
    for s in sockets:
        s.sendall(b"CONNECT busy.dns.test:7 HTTP/1.1\r\nHost: busy.dns.test:7\r\n\r\n")
    for s in sockets:
        assert read_exactly(s, 12) == b"HTTP/1.1 200"
        s.close()
    assert len(lab.dns.asked("busy.dns.test", mark)) <= 2
