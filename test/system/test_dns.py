"""Names to addresses: who is asked, how often, and what happens when the answer is bad or late."""
import socket
import struct
import time

import pytest
from harness.client import Reply, ask_once, connect_reply, http_request, open_tunnel, reaches, read_exactly, reset_on_close
from harness.crowd import Crowd
from harness.dns import A, encode_name, question_of
from harness.http_origin import reply
from harness.state import known_past
from harness.wait import wait_until

RAW = "cached short rebinding absolute missing alias bad-alias servfail refused silent garbage empty long eyeballs several hole closed busy forged0 forged1 forged2 forged3 lower "\
      "dns64-same dns64-other dns64-alone dns64-local dns64-10-0-0-5 dns64-127-0-0-1 dns64-169-254-169-254"
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


def test_a_second_request_within_the_ttl_asks_nothing(lab, exeat, echo4):
    lab.dns.set("cached.dns.test", echo4, ttl=60)
    assert reaches(exeat, "cached.dns.test:7")
    mark = lab.dns.mark()
    before = exeat.metric("resolver_queries_total", result="cached")
    assert reaches(exeat, "cached.dns.test:7") and reaches(exeat, "CACHED.dns.test.:7")
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
    assert reaches(exeat, "rebinding.dns.test:7")
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
            assert reaches(exeat, f"forged{which}.dns.test:7")
        finally:
            lab.dns.forge = lambda packet, reply: []
    assert len(seen) == 1 and {a for a, _ in lab.topology.dialled()} == {echo4}


def identities_of_questions(lab, exeat):
    identities, before = [], lab.dns.forge
    lab.dns.forge = lambda packet, reply: identities.append(int.from_bytes(packet[:2])) or []
    try:
        for n in range(20):
            with exeat.connect() as s:
                s.sendall(http_request("GET", f"http://n{n}.dns.test/"))
                Reply(s)
    finally:
        lab.dns.forge = before
    return identities


def test_identities_of_questions_cannot_be_guessed(lab):
    """C9: RFC 5452. Nor known from another life: c-ares takes rand() without a seed where it may not read the generator's device."""
    lives = []
    for _ in range(2):
        with lab.exeat(ALLOWLIST, limits={"workers": 1}) as exeat:
            lives.append(identities_of_questions(lab, exeat))
    for identities in lives:
        assert len(set(identities)) > 30
        assert len({(b - a) % 65536 for a, b in zip(identities, identities[1:])}) > 30
    assert len(set(lives[0]) & set(lives[1])) < 5


def test_names_are_asked_for_absolutely_and_only_a_and_aaaa(lab, exeat, echo4):
    """C2."""
    lab.dns.set("absolute.dns.test", echo4)
    mark = lab.dns.mark()
    assert reaches(exeat, "absolute.dns.test:7")
    assert connect_reply(exeat, "missing.dns.test:7").reason == "dns_failure"
    asked = {(name, kind) for name, kind, _ in lab.dns.queries[mark:]}
    assert {name for name, _ in asked} == {"absolute.dns.test", "missing.dns.test"}
    assert {kind for _, kind in asked} <= {"A", "AAAA"}


def test_a_cname_is_followed_and_its_end_judged(lab, exeat, echo4):
    lab.dns.set("alias.dns.test", cname="target.elsewhere.test")
    lab.dns.set("target.elsewhere.test", echo4)
    assert reaches(exeat, "alias.dns.test:7")
    lab.dns.set("bad-alias.dns.test", cname="inner.elsewhere.test")
    lab.dns.set("inner.elsewhere.test", "10.1.2.3")
    assert connect_reply(exeat, "bad-alias.dns.test:7").reason == "addr_class"


@pytest.mark.parametrize("behave, result, text", [
    ("servfail", "refused", b"failed (SERVFAIL)"), ("refused", "refused", b"refused the question"), ("silent", "timed_out", b"did not answer in time"), ("garbage", None, b"")])
def test_a_failing_server_is_a_502_and_nothing_is_dialled(lab, exeat, behave, result, text):
    """C6."""
    name = f"{behave}.dns.test"
    lab.dns.set(name, behave=behave)
    lab.topology.forget_dialled()
    lines = exeat.settled()
    got = connect_reply(exeat, f"{name}:7")
    assert (got.status, got.reason) == (502, "dns_failure") and "dns_error" in got.field("proxy-status") and text in got.body
    assert lab.topology.dialled() == set()
    line = wait_until(lambda: exeat.audit(lines, event__action="deny"))[0]
    assert line["exeat.dns.result"] == (result or line["exeat.dns.result"])


def test_a_name_without_addresses_is_a_502(lab, exeat):
    lab.dns.set("empty.dns.test")
    empty, missing = connect_reply(exeat, "empty.dns.test:7"), connect_reply(exeat, "missing.dns.test:7")
    assert empty.reason == missing.reason == "dns_failure"
    assert b"the name is in DNS and has no address" in empty.body and b"no such name (NXDOMAIN)" in missing.body
    assert connect_reply(exeat, "missing.dns.test:7").body[:200] == missing.body[:200], "the cache knows it as well"


def test_a_truncated_answer_is_asked_for_again_over_tcp(lab, exeat, echo4):
    lab.dns.set("long.dns.test", echo4, behave="truncate")
    mark = lab.dns.mark()
    assert reaches(exeat, "long.dns.test:7")
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
    assert reaches(exeat, "eyeballs.dns.test:7")
    assert time.monotonic() - begun < 2.9
    assert {hole, echo4} == {a for a, _ in lab.topology.dialled()}


def test_an_address_that_refuses_is_followed_by_the_next(lab, exeat, echo4):
    lab.dns.set("several.dns.test", "93.184.216.249", "2606:2800:220:1::f9", echo4)
    assert reaches(exeat, "several.dns.test:7")


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


FLOOD = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "first"
hosts = ["*.flood0.test"]
names = 10000
[[allow]]
name = "second"
hosts = ["*.flood1.test"]
names = 10000
[[allow]]
name = "honest"
hosts = [HOSTS]
ports = [7]
protocol = "tcp"
""".replace("[HOSTS]", str([f"h{n}.honest.test" for n in range(60)]))


def connect_to(name, port=443):
    return f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}:{port}\r\n\r\n"


def test_a_flood_of_names_leaves_room_for_the_next_ones_and_what_has_expired_goes(lab, echo4, tmp_path):
    """Fault 9: more names than the cache holds, then many answers in one turn: each of them reaches who waits for it."""
    names = [f"h{n}.honest.test" for n in range(60)]
    for name in names:
        lab.dns.set(name, echo4, ttl=60)
    with lab.exeat(FLOOD, limits={"workers": 1, "connections_per_source": 20_000}, policy={"state": known_past(tmp_path / "state")}) as exeat:
        for wave in range(17):
            with Crowd(exeat, 1_000, connect_to(f"w{wave}x{{n}}.flood{wave % 2}.test")) as crowd:
                assert crowd.replies() == {"502 dns_failure": 1_000}
        sockets = [exeat.connect() for _ in names]
        for s, name in zip(sockets, names):
            s.sendall(connect_to(name, 7).encode())
        for s in sockets:
            assert read_exactly(s, 12) == b"HTTP/1.1 200"
            s.close()
        wait_until(lambda: exeat.metric("resolver_cache_entries") == len(names), what="failures are believed for a second")


def test_one_clients_slow_names_do_not_refuse_anothers(lab, echo4):
    for n in range(2_100):
        lab.dns.set(f"n{n}.flood0.test", behave="silent")
    lab.dns.set("h0.honest.test", echo4)
    limits = {"workers": 1, "connections_per_source": 20_000}
    with lab.exeat(FLOOD, limits=limits, dns={"timeout": "60s"}) as exeat, Crowd(exeat, 2_100, connect_to("n{n}.flood0.test")):
        wait_until(lambda: exeat.metric("denied_total", reason="dns_overload") >= 1, 20)
        assert connect_reply(exeat, "new.flood0.test:443", source="127.0.1.1").reason == "dns_overload"
        assert connect_reply(exeat, "h0.honest.test:7", source="127.0.1.2").status == 200


def test_eighty_questions_leave_by_many_ports_and_in_many_cases(lab):
    """RFC 5452: who forges an answer has to guess more than 16 bits."""
    for n in range(40):
        lab.dns.set(f"eighty{n}.flood0.test", behave="silent")
    begun = len(lab.dns.senders)
    with lab.exeat(FLOOD, limits={"workers": 1}, dns={"timeout": "60s"}) as exeat:
        waiting = [exeat.connect() for _ in range(40)]
        for n, s in enumerate(waiting):
            s.sendall(connect_to(f"eighty{n}.flood0.test").encode())
        ours = lambda: [(name, port) for name, port in lab.dns.senders[begun:] if name.lower().startswith("eighty")]
        wait_until(lambda: len(ours()) >= 80)
        assert len({port for _, port in ours()}) == 32  # limits::dns_ports
        assert len({name[-11:] for name, _ in ours()}) > 20
        for s in waiting:
            s.close()


def test_one_name_after_the_other_leaves_by_ports_that_change(lab, exeat):
    begun = len(lab.dns.senders)
    for n in range(20):
        ask_once(exeat, http_request("GET", f"http://turn{n}.dns.test/"))
    ports = [port for name, port in lab.dns.senders[begun:] if name.lower().startswith("turn")]
    assert len(ports) == 40 and len(set(ports)) > 35


def test_a_server_that_does_not_keep_the_case_is_asked_over_tcp(lab, exeat, echo4):
    lab.dns.set("lower.dns.test", echo4, behave="lower")
    mark = lab.dns.mark()
    assert reaches(exeat, "lower.dns.test:7")
    assert {transport for _, _, transport in lab.dns.asked("lower.dns.test", mark)} == {"udp", "tcp"}


# ---- DNS64 (RFC 6147) where [network] nat64 is not named

@pytest.mark.parametrize("name, translated", [("dns64-same", None), ("dns64-other", "93.184.216.77")])
def test_what_dns64_adds_to_an_answer_is_left_out_and_the_address_itself_dialled(lab, exeat, name, translated):
    """EKS: each IPv4-only name has an AAAA in 64:ff9b::/96 as well (RFC 6052); it may also be that of another public address."""
    host, _ = lab.addresses()
    lab.origin(host, 7)
    lab.dns.set(f"{name}.dns.test", host, f"64:ff9b::{translated or host}")
    with open_tunnel(exeat, f"{name}.dns.test:7") as s:
        s.sendall(b"ping")
        assert read_exactly(s, 4) == b"ping"


@pytest.mark.parametrize("name, addresses", [("dns64-alone", ["64:ff9b::93.184.216.77"]), ("dns64-local", ["93.184.216.77", "64:ff9b:1::5db8:d84d"])])
def test_an_answer_that_only_a_translator_could_reach_is_refused_and_the_setting_named(lab, exeat, name, addresses):
    lab.dns.set(f"{name}.dns.test", *addresses)
    reply = connect_reply(exeat, f"{name}.dns.test:7")
    assert (reply.status, reply.reason) == (403, "addr_class")
    assert b"'nat64' in [network] of exeat.toml" in reply.body


@pytest.mark.parametrize("quad", ["10.0.0.5", "127.0.0.1", "169.254.169.254"])
def test_a_translated_address_that_nobody_may_dial_still_refuses_the_whole_answer(lab, exeat, quad):
    name = f"dns64-{quad.replace('.', '-')}.dns.test"
    lab.dns.set(name, "93.184.216.77", f"64:ff9b::{quad}")
    assert connect_reply(exeat, f"{name}:7").reason == "addr_class"
