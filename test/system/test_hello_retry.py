"""F15: after a HelloRetryRequest the client says hello once more, and could say another name."""
import hashlib

import pytest
from harness import hello as tls
from harness.client import open_tunnel, read_exactly, read_to_end
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "ok"
hosts = ["retry.test"]
"""

# RFC 8446 section 4.1.3: a ServerHello with this random is a HelloRetryRequest. It asks for a key share of P-256 (23).
_BODY = (b"\x03\x03" + hashlib.sha256(b"HelloRetryRequest").digest() + b"\x00" + b"\x13\x01\x00" + b"\x00\x0c"
         + b"\x00\x2b\x00\x02\x03\x04" + b"\x00\x33\x00\x02\x00\x17")
RETRY = tls.record(b"\x02" + len(_BODY).to_bytes(3, "big") + _BODY)
CHANGE_CIPHER_SPEC = tls.record(b"\x01", 0x14)


def ask_again(peer):
    peer.recv()
    peer.send(RETRY)
    while peer.recv():
        pass


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def place(lab):
    return lab.place("retry.test", v6=False)[0]


@pytest.fixture(scope="module")
def server(lab, place):
    return lab.origin(place, 443, ask_again)


def retried(exeat):
    s = open_tunnel(exeat, "retry.test:443")
    s.sendall(tls.genuine("retry.test"))
    assert read_exactly(s, len(RETRY)) == RETRY
    return s


@pytest.mark.parametrize("between", [b"", CHANGE_CIPHER_SPEC], ids=["at once", "after change_cipher_spec"])
def test_a_second_hello_for_the_same_name_goes_through(exeat, server, between):
    server.clear()
    with retried(exeat) as s:
        second = between + tls.genuine("retry.test")
        s.sendall(second)
        wait_until(lambda: bytes(server.peers[0].received).endswith(second))


@pytest.mark.parametrize("between", [b"", CHANGE_CIPHER_SPEC], ids=["at once", "after change_cipher_spec"])
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
