"""Oracle 3: what real TLS servers acted on. A handmade client sends hellos of two names with every kind of record between its flights, in all
splits, through both ways in. Before the server's ServerHello the other name never reaches it, and no server ever acts on that name.
EXEAT_ORACLE_SECONDS: for how long (30); EXEAT_ORACLE_SEED: of a run that is to be repeated."""
import collections
import os
import random
import struct
import time

import pytest
from harness import hello as tls
from harness.client import open_tunnel
from harness.exeat import free_port
from harness.wait import wait_until
from tls_servers import CHECKED, OTHER, BoringSsl, Go, OpenSsl, Recorder, answered, handshake_bytes

SECONDS = float(os.environ.get("EXEAT_ORACLE_SECONDS", 30))
SEED = int(os.environ.get("EXEAT_ORACLE_SEED", random.SystemRandom().randrange(1 << 32)))
ALLOWLIST = f'serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n[[allow]]\nname = "ok"\nhosts = ["{CHECKED}"]\n'
SERVERS = [(kind, retries) for kind in (OpenSsl, Go, BoringSsl) for retries in (True, False)]

# The generator of P-384 (FIPS 186-4, D.1.2.4): a key share that every server takes.
P384 = 24, bytes.fromhex("04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
                         "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f")
SUPPORTED_VERSIONS, EARLY_DATA = 43, 42
BASE = tls.genuine(CHECKED)
USER_CANCELED, FATAL, CLOSE, CCS = tls.record(b"\x01\x5a", 21), tls.record(b"\x02\x28", 21), tls.record(b"\x01\x00", 21), tls.record(b"\x01", 20)
BETWEEN = [
    USER_CANCELED, tls.record(b"\x01\x64", 21), CLOSE, FATAL, tls.record(b"\x01\x5a" * 2, 21), tls.record(b"\x01", 21), CCS, tls.record(b"\x02", 20), tls.record(b"", 20),
    tls.record(bytes(40), 23), tls.record(b"", 23), tls.record(b"\x01\x00\x00", 24), tls.record(b"x", 99), tls.record(b"", 22), tls.record(bytes(4), 22),
    tls.record(b"\x10\x00\x00\x02\x00\x00", 22), b"\x16\x02\x00\x00\x01x", b"\x15\x03\x04\x00\x02\x01\x5a", b"\x80\x2e\x01\x03\x03" + bytes(43), b"GET / HTTP/1.1\r\n\r\n",
]


def message(name, second=False, old=False, early=False):
    h = tls.Hello(BASE).with_extension(tls.SERVER_NAME, tls.server_name(name.encode()), first=True)
    if second:
        share = struct.pack("!HH", P384[0], len(P384[1])) + P384[1]
        h.with_extension(tls.KEY_SHARE, struct.pack("!H", len(share)) + share)
    if early:
        h.with_extension(EARLY_DATA, b"")
    if old:
        h.extensions = [e for e in h.extensions if e[0] not in (SUPPORTED_VERSIONS, tls.KEY_SHARE)]
    return h.message()


def cut(draw, hello):
    return tls.records(hello, draw.choice([len(hello)] * 4 + [1, 7, 100]))


def flights(draw):
    """What the client sends before the server's answer, and after it."""
    between = lambda most: b"".join(draw.choice(BETWEEN if draw.random() < 0.5 else [USER_CANCELED, CCS]) for _ in range(draw.randrange(most + 1)))
    first = tls.record(message(CHECKED, old=draw.random() < 0.2, early=draw.random() < 0.2)) + between(2)
    if draw.random() < 0.25:
        first += cut(draw, message(OTHER, draw.random() < 0.5))
    second = between(3)
    if draw.random() < 0.2:
        second += cut(draw, message(CHECKED, True)) + between(1)
    return first, second + cut(draw, message(OTHER, draw.random() < 0.8))


def say(s, draw, data):
    size = draw.choice([len(data), len(data), 1400, 3, 1])
    at, cuts = 0, 0
    while at < len(data):
        n = size if cuts < 40 else len(data)
        s.sendall(data[at:at + n])
        at, cuts = at + n, cuts + 1
        if n < len(data):
            time.sleep(0.0005)


def hear(s, within):
    s.settimeout(within)
    said = b""
    try:
        while not (answered(said) or len(handshake_bytes(said)) >= 38 or said[:1] == b"\x15"):
            got = s.recv(65536)
            if not got:
                break
            said += got
    except (TimeoutError, ConnectionError):
        pass
    return said


def converse(s, draw, first, second):
    """What the server said until it was sent the second flight."""
    said = b""
    with s:
        try:
            say(s, draw, first)
            said = hear(s, 0.5)
            say(s, draw, second)
            hear(s, 0.1)
        except OSError:
            pass
    return said


@pytest.fixture(scope="module")
def exeat(lab, server):  # one for each server: it would know the name of the one before
    with lab.exeat(ALLOWLIST, listen=[{"mode": "sni", "address": f"127.0.0.1:{(port := free_port())}", "port": 443}], limits={"hello_timeout": "2s"}) as running:
        running.sni_port = port
        yield running


@pytest.fixture(scope="module", params=SERVERS, ids=lambda p: f"{p[0].title}-{'retry' if p[1] else 'plain'}")
def server(request, lab):
    kind, retries = request.param
    if missing := getattr(kind, "missing", lambda: None)():
        pytest.skip(f"skipped: {kind.title}: {missing}")
    port = free_port()
    running = kind(lab, port, retries)
    running.port, running.retries = port, retries
    host, _ = lab.place(CHECKED, v6=False)
    running.recorder = Recorder(lab, host, port)
    yield running
    running.close()
    running.recorder.origin.close()


def directly(lab, server, first, second):
    return converse(lab.topology.world.connect("127.0.0.1", server.port, 5), random.Random(0), first, second)


def test_the_oracle_sees_what_a_server_acts_on(lab, server):
    """Without exeat between: or this would prove nothing."""
    directly(lab, server, tls.record(message(OTHER)), tls.record(message(OTHER, True)) if server.retries else b"")
    wait_until(lambda: OTHER in server.acted_on)
    server.acted_on.clear()
    if server.retries:
        said = directly(lab, server, tls.record(message(CHECKED)), USER_CANCELED + tls.record(message(OTHER, True)))
        assert handshake_bytes(said)[:1] == b"\x02" and not answered(said), "it answers with a HelloRetryRequest"
        if isinstance(server, OpenSsl):
            wait_until(lambda: server.acted_on == [CHECKED, OTHER])


def test_no_server_takes_another_hello_after_its_server_hello(lab, server):
    """Why the watch may end there: TLS 1.2 and TLS 1.3, without exeat between."""
    for old in (True, False):
        if server.retries and not old:
            continue
        server.acted_on.clear()
        for between in (b"", USER_CANCELED, CCS):
            said = directly(lab, server, tls.record(message(CHECKED, old=old)), between + tls.record(message(OTHER, old=old)))
            assert answered(said)
        wait_until(lambda: len(server.acted_on) >= 3)
        assert OTHER not in server.acted_on


def test_no_server_hears_or_acts_on_a_name_that_was_not_checked(lab, exeat, server):
    print(f"\nEXEAT_ORACLE_SEED={SEED}")
    draw = random.Random(SEED)
    host = server.recorder.origin
    server.acted_on.clear()
    end, seen = time.monotonic() + SECONDS / len(SERVERS), collections.Counter()
    while time.monotonic() < end or seen["cases"] < 10:
        first, second = flights(draw)
        way = draw.choice(["connect", "sni"])
        s = open_tunnel(exeat, f"{CHECKED}:443") if way == "connect" else exeat.connect(port=exeat.sni_port)
        said = converse(s, draw, first, second)
        seen["cases"] += 1
        seen["answered"] += answered(said)
        seen["retried"] += len(handshake_bytes(said)) >= 38 and not answered(said)
        told = f"seed {SEED}, case {seen['cases']}, {way}: {first.hex()} then {second.hex()}"
        assert not server.recorder.early, told
        assert OTHER not in server.acted_on, told
    wait_until(host.at_rest)
    wait_until(lambda: exeat.metric("connections_active") == 0)
    assert not server.recorder.early and OTHER not in server.acted_on, f"seed {SEED}"
    assert server.recorder.streams > 0 and seen["retried" if server.retries else "answered"] > 0, seen
