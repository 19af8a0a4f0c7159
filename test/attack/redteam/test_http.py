"""Classes D and E: requests, bodies and responses that mean one thing to one reader and another to the next."""
import random

import cases_http as cases
import pytest
import table
import ways
from harness.client import Reply
from harness.http_origin import reply
from harness.oracle import refused
from harness.origin import tls_echo

STATUS = {"not_allowed": 403, "port_not_allowed": 403, "upgrade": 403, "head_too_large": 431}


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ways.ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module", params=["at first", "after a reload"], autouse=True)
def before_and_after_a_reload(exeat, request):
    if request.param == "after a reload":
        exeat.reload(ways.ALLOWLIST + '[[deny]]\nname = "other"\nhosts = ["unrelated.test"]\n')


@pytest.fixture(scope="module")
def origin(lab):
    four, _ = lab.place("ok.test", v6=False)
    lab.origin(four, 443, tls_echo)
    return lab.http_origin(four, routes={"*": reply(ways.PAYLOAD)})


def ask(exeat, request):
    with exeat.connect() as s:
        try:
            s.sendall(request)
        except ConnectionError:
            pass  # refused before all of it was sent
        return Reply(s)


@pytest.mark.parametrize("case, severity, request_bytes, reason", cases.REQUESTS, ids=[f"{c}-{i}-{r}" for i, (c, _, _, r) in enumerate(cases.REQUESTS)])
def test_a_request_of_the_catalogue_is_refused(lab, exeat, origin, case, severity, request_bytes, reason):
    with refused(lab, exeat, reason):
        got = ask(exeat, request_bytes)
        assert (got.status, got.reason) == (STATUS.get(reason, 400), reason)
        assert got.field("proxy-status").startswith("exeat; error=") and got.field("connection") == "close"
    way = "connect" if request_bytes.startswith(b"CONNECT") else "http"
    table.saw(case, request_bytes[:60].decode("latin-1"), way, reason)


@pytest.mark.parametrize("chunks", cases.CHUNKS, ids=[f"E7-{i}" for i in range(len(cases.CHUNKS))])
def test_a_body_in_bad_chunks_never_becomes_a_second_request(lab, exeat, origin, chunks):
    """The head may have gone up by then; the bad chunk and what is behind it may not."""
    exeat.settled()
    lab.bytes_at_origins()
    seen = len(origin.requests)
    before = exeat.metric("denied_total", reason="chunk")
    with exeat.connect() as s:
        s.sendall(cases.get(cases.CHUNKED, method="POST") + chunks + cases.get(url="http://evil.test/", host="evil.test"))
        s.settimeout(30)
        while s.recv(65536):
            pass
    exeat.settled()
    lab.bytes_at_origins()
    assert exeat.metric("denied_total", reason="chunk") == before + 1
    assert len(origin.requests) <= seen + 1 and not any(b"evil" in r.head + r.body for r in origin.requests[seen:])
    table.saw("E7", chunks[:40].decode("latin-1"), "http", "chunk")


@pytest.mark.parametrize("i", range(len(cases.RESPONSES)))
def test_a_response_of_a_hostile_origin_is_not_passed_on(lab, exeat, i):
    said = cases.RESPONSES[i]
    host = f"hostile{i}.w.test"
    if host not in lab.dns.table:
        four, _ = lab.place(host, v6=False)
        lab.http_origin(four, routes={"*": lambda peer, reader, head: peer.send(said) or False})
    with exeat.connect() as s:
        s.sendall(cases.get(url=f"http://{host}/", host=host))
        got = Reply(s)
        assert (got.status, got.reason) == (502, "upstream_malformed")
    table.saw("E13", said[:60].decode("latin-1"), "http", "upstream_malformed")


@pytest.mark.parametrize("offer", [["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABk"], ["Upgrade: TLS/1.2", "Connection: upgrade"], ["Upgrade: x"]])
def test_an_upgrade_is_nothing_that_an_origin_hears_of(lab, exeat, origin, offer):
    """E12. What follows the head is the next request and no other protocol's."""
    seen = len(origin.requests)
    with exeat.connect() as s:
        s.sendall(cases.get(*offer) + b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        first = Reply(s)
        assert (first.status, Reply(s, first.left).reason) == (200, "request_line")
    assert len(origin.requests) == seen + 1
    assert not {n for n, _ in origin.requests[-1].fields} & {"upgrade", "connection", "http2-settings"}
    table.saw("E12", offer[0], "http", "taken out")


# ---- neighbours: variations of a good request, made from a seed; whatever passes must have been one request for ok.test to any reader ----

GOOD = b"POST http://ok.test/a HTTP/1.1\r\nHost: ok.test\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"
PIECES = [b"\r", b"\n", b"\r\n", b" ", b"\t", b"\0", b":", b",", b";", b"\x0b", b"\x85", b"\xa0", b"Host: evil.test\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n",
          b"Content-Length: 6\r\n", b"\r\n\r\n", b"\n\n", b"GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", b"chunked", b"%0d%0a", b"@evil.test", b"evil.test", b"X :y\r\n", b" folded\r\n"]


def mutated(dice):
    text = bytearray(GOOD)
    for _ in range(dice.randint(1, 2)):
        at = dice.randrange(len(text) + 1)
        text[at : at + dice.choice([0, 0, 1, 2])] = dice.choice(PIECES)
    return bytes(text)


def test_no_variation_of_a_request_reaches_anyone_else(lab, exeat, origin):
    """Two hundred and forty under one look at what left the machine."""
    dice = random.Random(20261123)
    asked, seen = lab.dns.mark(), len(origin.requests)
    lab.topology.forget_dialled()
    passed = 0
    for _ in range(240):
        with exeat.connect() as s:
            s.settimeout(30)
            try:
                s.sendall(mutated(dice))
                s.shutdown(1)
                while got := s.recv(65536):
                    passed += ways.PAYLOAD in got
            except ConnectionError:
                pass
    exeat.settled()
    lab.bytes_at_origins()  # each has read what it was sent
    assert {name for name, _, _ in lab.dns.queries[asked:]} <= {"ok.test"}
    assert {a for a, _ in lab.topology.dialled()} <= {lab.dns.table["ok.test"].addresses[0]}
    for request in origin.requests[seen:]:
        assert [v for n, v in request.fields if n == "host"] == ["ok.test"], request.head
        assert request.field("content-length") is None or request.field("transfer-encoding") is None, request.head
    assert 0 < passed < 240, "the variations are all bad, or all good"
