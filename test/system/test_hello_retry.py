"""F15: after a HelloRetryRequest the client says hello once more, and could say another name. No record of its handshake passes unchecked
before the server's ServerHello. Real servers: test/attack/oracles/test_tls_servers.py."""
import hashlib
import time

import pytest
from harness import hello as tls
from harness.client import gone, open_tunnel, read_exactly, read_to_end
from harness.wait import seconds, stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "browsers"
hosts = ["grease.test"]
ech = "grease"
[[allow]]
name = "ok"
hosts = ["retry.test", "scripted.test"]
"""

# RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest. It asks for a key share of P-256 (23).
_BODY = (b"\x03\x03" + hashlib.sha256(b"HelloRetryRequest").digest() + b"\x00" + b"\x13\x01\x00" + b"\x00\x0c"
         + b"\x00\x2b\x00\x02\x03\x04" + b"\x00\x33\x00\x02\x00\x17")
RETRY = tls.record(b"\x02" + len(_BODY).to_bytes(3, "big") + _BODY)
_OTHER = _BODY.replace(hashlib.sha256(b"HelloRetryRequest").digest(), bytes(32))
SERVER_HELLO = tls.record(b"\x02" + len(_OTHER).to_bytes(3, "big") + _OTHER)
CHANGE_CIPHER_SPEC = tls.record(b"\x01", 0x14)
WARNING, FATAL = tls.record(b"\x01\x5a", 0x15), tls.record(b"\x02\x28", 0x15)  # user_canceled, handshake_failure
EARLY_DATA = 42
PLAIN = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nno\n"


def ask_again(peer):
    peer.recv()
    peer.send(RETRY)
    while peer.recv():
        pass


def with_early_data(name):
    return tls.record(tls.Hello(tls.genuine(name)).with_extension(EARLY_DATA, b"").message())


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def place(lab):
    return lab.place("retry.test", "grease.test", v6=False)[0]


@pytest.fixture(scope="module")
def server(lab, place):
    return lab.origin(place, 443, ask_again)


def retried(exeat, hello=None, name="retry.test"):
    s = open_tunnel(exeat, f"{name}:443")
    s.sendall(hello or tls.genuine(name))
    assert read_exactly(s, len(RETRY)) == RETRY
    return s


BETWEEN = pytest.mark.parametrize("between", [b"", CHANGE_CIPHER_SPEC, WARNING], ids=["at once", "after change_cipher_spec", "after an alert"])


@BETWEEN
def test_a_second_hello_for_the_same_name_goes_through(exeat, server, between):
    server.clear()
    with retried(exeat) as s:
        second = between + tls.genuine("retry.test")
        s.sendall(second)
        wait_until(lambda: bytes(server.peers[0].received).endswith(second))


@BETWEEN
@pytest.mark.parametrize("name", ["evil.test", None])
def test_a_second_hello_for_another_name_does_not(exeat, server, between, name):
    server.clear()
    before = exeat.metric("denied_total", reason="sni_changed")
    with retried(exeat) as s:
        s.sendall(between + tls.genuine(name))
        s.settimeout(seconds(3))
        read_to_end(s)
    assert exeat.metric("denied_total", reason="sni_changed") == before + 1
    assert b"evil.test" not in bytes(server.peers[0].received)


def test_a_second_hello_shows_whether_ech_was_grease(exeat, server):
    """RFC 9849: GREASE comes again as it was (section 6.2); the second hello of a real ECH has no key (section 5)."""
    server.clear()
    first = tls.with_ech("grease.test")
    with retried(exeat, first, "grease.test") as s:
        s.sendall(first)
        wait_until(lambda: bytes(server.peers[0].received) == first + first)
    server.clear()
    before = exeat.metric("denied_total", reason="ech")
    real = tls.hello("grease.test", ech=(tls.ECH, b"\0" + bytes([0, 1, 0, 1, 7]) + b"\0\0" + b"\0\x90" + bytes(144)))
    with retried(exeat, first, "grease.test") as s:
        s.sendall(real)
        s.settimeout(seconds(30))
        read_to_end(s)
    assert exeat.metric("denied_total", reason="ech") == before + 1
    assert bytes(server.peers[0].received) == first


@pytest.fixture(scope="module")
def scripted(lab):
    """A server that answers a hello as the test says: `say` bytes, after `wanted` octets have come."""
    host, _ = lab.place("scripted.test", v6=False)

    def serve(peer):
        while not getattr(origin, "wanted", 0) <= len(peer.received) > 0:
            if not peer.recv():
                return
        for part in origin.say:
            peer.send(part)
            time.sleep(0.02)
        while peer.recv():
            pass

    origin = lab.origin(host, 443, serve)
    return origin


def hello_to(exeat, scripted, say, more=b"", hello=None, wanted=0):
    scripted.clear()
    scripted.say, scripted.wanted = say, wanted
    s = open_tunnel(exeat, "scripted.test:443")
    s.sendall((hello or tls.genuine("scripted.test")) + more)
    return s


def cut(exeat, s, reason, before):
    s.settimeout(seconds(10))
    read_to_end(s)
    wait_until(lambda: exeat.metric("denied_total", reason=reason) == before + 1)


@pytest.mark.parametrize("name", ["evil.test", "scripted.test"])
def test_a_second_hello_in_the_first_flight_is_refused_and_does_not_leave(exeat, scripted, name):
    before = exeat.metric("denied_total", reason="tls_malformed")
    with hello_to(exeat, scripted, [SERVER_HELLO], more=tls.genuine(name)) as s:
        cut(exeat, s, "tls_malformed", before)
    wait_until(scripted.at_rest)
    assert b"evil.test" not in b"".join(bytes(p.received) for p in scripted.peers)


@pytest.mark.parametrize("alerts", [[WARNING], [WARNING, WARNING], [WARNING[:3], WARNING[3:]]], ids=["one", "two", "in two segments"])
def test_an_alert_of_the_server_does_not_end_the_watch(exeat, scripted, alerts):
    before = exeat.metric("denied_total", reason="sni_changed")
    with hello_to(exeat, scripted, [*alerts, RETRY]) as s:
        whole = b"".join(alerts) + RETRY
        assert read_exactly(s, len(whole)) == whole
        s.sendall(tls.genuine("evil.test"))
        cut(exeat, s, "sni_changed", before)
    wait_until(scripted.at_rest)
    assert b"evil.test" not in bytes(scripted.peers[0].received)


@pytest.mark.parametrize("answer", [[PLAIN], [FATAL], [RETRY, FATAL], [PLAIN[:1], PLAIN[1:]]], ids=["text", "fatal alert", "fatal alert after a retry", "text in two segments"])
def test_an_answer_that_ends_the_handshake_arrives_and_nothing_goes_up_any_more(exeat, scripted, answer):
    hello = tls.genuine("scripted.test")
    with hello_to(exeat, scripted, answer, hello=hello) as s:
        whole = b"".join(answer)
        assert read_exactly(s, len(whole)) == whole
        try:
            for _ in range(5):
                s.sendall(tls.genuine("evil.test"))
                time.sleep(0.02)
        except ConnectionError:
            pass
    wait_until(scripted.at_rest)
    assert bytes(scripted.peers[0].received) == hello


def test_early_data_reaches_the_server_before_its_answer(exeat, scripted):
    hello = with_early_data("scripted.test")
    early = CHANGE_CIPHER_SPEC + b"".join(tls.record(bytes([n]) * 16_000, 0x17) for n in range(20))
    with hello_to(exeat, scripted, [SERVER_HELLO], more=early, hello=hello, wanted=len(hello + early)) as s:
        assert read_exactly(s, len(SERVER_HELLO)) == SERVER_HELLO
        s.sendall(b"whatever the relay takes")
        wait_until(lambda: bytes(scripted.peers[0].received) == hello + early + b"whatever the relay takes")


def test_early_data_that_was_not_offered_is_refused(exeat, scripted):
    before = exeat.metric("denied_total", reason="tls_malformed")
    with hello_to(exeat, scripted, [], more=tls.record(b"early", 0x17)) as s:
        cut(exeat, s, "tls_malformed", before)


@pytest.mark.parametrize("action", ["throttle", "cut"])
def test_a_hello_that_the_budget_does_not_cover_waits_or_is_cut_as_the_entry_says(lab, scripted, action):
    hello = tls.post_quantum("scripted.test")
    assert len(hello) > 1024
    limited = ALLOWLIST + f'upload = "1 KiB/1h"\non_budget = "{action}"\n'
    with lab.exeat(limited) as exeat:
        with hello_to(exeat, scripted, [], hello=hello) as s:
            if action == "cut":
                assert gone(s)
            else:
                wait_until(lambda: exeat.metric("budget_exceeded_total", action="throttle") == 1)
                stays(lambda: scripted.received_bytes <= 1024 and exeat.metric("connections_active") == 1, 0.5)
                exeat.reload(limited.replace("1 KiB", "1 MiB").replace("serial = 7", "serial = 8"))
                s.sendall(CHANGE_CIPHER_SPEC)
                wait_until(lambda: bytes(scripted.peers[0].received) == hello + CHANGE_CIPHER_SPEC)
        wait_until(lambda: exeat.metric("connections_active") == 0)
        assert exeat.metric("tunnels_closed_total", cause="budget") == (action == "cut")
