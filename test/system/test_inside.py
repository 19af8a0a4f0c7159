"""What CONNECT's tunnel may hold when the entry says TLS: one hello, in the open, for the name that was asked for."""
import pathlib
import random
import time

import pytest
from harness import hello as tls
from harness.client import ask, connect_request, curl, gone, open_tunnel, read_exactly, read_to_end
from harness.oracle import refused
from harness.wait import seconds, stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "ok"
hosts = ["ok.test", "second.test", "talks-first.test"]
[[allow]]
name = "ech"
hosts = ["ech.test"]
ech = "allow"
[[allow]]
name = "browsers"
hosts = ["grease.test", "capture.test"]
ech = "grease"
"""
CHROMIUM = pathlib.Path(__file__).parents[1] / "unit/core/data/hellos/chromium.bin"  # with GREASE, to capture.test


NAMES = ["ok.test", "second.test", "ech.test", "grease.test", "capture.test"]


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST, limits={"hello_timeout": "60s"}) as running:
        yield running


@pytest.fixture(scope="module")
def impatient(lab):
    """For what is about the time that a hello may take: no other test should have to be quick."""
    with lab.exeat(ALLOWLIST, limits={"hello_timeout": "1s"}) as running:
        yield running


@pytest.fixture(scope="module")
def place(lab):
    return lab.place(*NAMES, v6=False)[0]


@pytest.fixture(scope="module")
def origin(lab, place):
    """Answers a hello with its first record, as any TLS server would."""
    return lab.tls_origin(*NAMES, host=place)


@pytest.fixture
def say(lab, exeat, origin, place):
    """Sends the parts through a tunnel to ok.test and expects this refusal; nothing may reach the origin."""

    def run(reason, alert, *parts, target="ok.test:443", at=exeat):
        with refused(lab, at, reason, resolves=NAMES, dials=[place]) as told, open_tunnel(at, target) as s:
            for part in parts:
                s.sendall(part)
            got = read_to_end(s)
            assert tls.alert_of(got) == alert, got
        return told[0]

    return run


def test_a_hello_for_another_host_is_refused(say):
    """F1, and decision 1: not even when that host is allowed too."""
    line = say("sni_mismatch", 112, tls.genuine("evil.test"))
    assert (line["destination.domain"], line["tls.client.server_name"]) == ("ok.test", "evil.test")
    say("sni_mismatch", 112, tls.genuine("second.test"))
    say("sni_mismatch", 112, tls.genuine("a.ok.test"))


def test_a_hello_without_a_name_is_refused(say):
    say("sni_missing", 112, tls.genuine(None))


def test_an_encrypted_hello_is_refused_whether_ech_or_esni(say):
    """F11, F12; GREASE ECH cannot be told apart."""
    line = say("ech", 49, tls.with_ech("ok.test"))
    assert line.get("exeat.tls.ech") is True
    say("ech", 49, tls.with_ech("ok.test", tls.ESNI))


def test_a_browser_s_hello_passes_where_an_entry_takes_grease(exeat, origin):
    """The first flight of a real Chromium, which is refused everywhere else."""
    lines = exeat.settled()
    with open_tunnel(exeat, "capture.test:443") as s:
        s.sendall(CHROMIUM.read_bytes())
        assert s.recv(1) == b"\x16"
    close = wait_until(lambda: exeat.audit(lines, event__action="close"))[0]
    assert (close["rule.name"], close["exeat.tls.ech"]) == ("browsers", True)


def test_what_grease_lets_pass_is_an_outer_hello_for_the_target_and_no_more(exeat, origin, say):
    with open_tunnel(exeat, "grease.test:443") as s:
        s.sendall(tls.with_ech("grease.test"))
        assert s.recv(1) == b"\x16"
    say("sni_mismatch", 112, tls.with_ech("public-name.test"), target="grease.test:443")
    say("sni_missing", 112, tls.with_ech(None), target="grease.test:443")
    say("ech", 49, tls.with_ech("grease.test", tls.ESNI), target="grease.test:443")
    inner, no_key = b"\x01", b"\0" + bytes([0, 1, 0, 1, 7]) + b"\0\0" + b"\0\x10" + bytes(16)
    for extension in (inner, no_key, b""):
        say("ech", 49, tls.hello("grease.test", ech=(tls.ECH, extension)), target="grease.test:443")


def test_an_entry_may_let_ech_through(exeat, origin):
    with open_tunnel(exeat, "ech.test:443") as s:
        s.sendall(tls.with_ech("ech.test"))
        assert s.recv(1) == b"\x16"


def test_an_entry_that_lets_ech_through_still_wants_the_name(say):
    say("sni_mismatch", 112, tls.with_ech("ok.test"), target="ech.test:443")


@pytest.mark.parametrize("first", [b"SSH-2.0-OpenSSH_9.2p1\r\n", b"get / HTTP/1.1\r\n\r\n", b"GET", b" GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\0" * 100, b"\x17\x03\x03\x00\x05hello",
                                   b"\x15\x03\x01\x00\x02\x01\x00"])
def test_what_is_no_tls_is_refused(say, first):
    """F16."""
    assert say("not_tls", 50, first)["rule.name"] == "ok"


@pytest.mark.parametrize("method, body", [("GET", b""), ("POST", b"x" * 20_000)], ids=["GET", "POST"])
def test_a_client_that_plainly_speaks_http_is_told_so_in_http(lab, exeat, origin, place, method, body):
    with refused(lab, exeat, "not_tls", resolves=NAMES, dials=[place]) as told, open_tunnel(exeat, "ok.test:443") as s:
        reply = ask(s, f"{method} / HTTP/1.1\r\nHost: ok.test\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        assert (reply.status, reply.reason) == (403, "not_tls") and b"it sent plain HTTP: use https://" in reply.body and gone(s)
    assert told[0]["rule.name"] == "ok"


def test_curl_shows_why_its_plain_request_got_no_further_in_a_tunnel_for_tls(exeat, origin):
    done = curl("-i", "--proxytunnel", "--proxy", exeat.url, "http://ok.test:443/")
    assert b"HTTP/1.1 403 Forbidden: not_tls\r\n" in done.stdout, done.stdout + done.stderr


def two_names():
    h = tls.Hello(tls.genuine("ok.test"))
    h.extensions.append((tls.SERVER_NAME, tls.server_name(b"evil.test")))
    return h.message()


MALFORMED = {
    "a length of 16 MiB": tls.record(b"\x01\xff\xff\xff" + b"\0" * 40),
    "an empty record": tls.record(b""),
    "an oversize record": b"\x16\x03\x01\xff\xff" + b"\x01\x00\x10\x00" + b"\0" * 100,
    "not a ClientHello": tls.record(b"\x02\x00\x00\x10" + b"\0" * 16),
    "extensions longer than the hello": tls.record(tls.Hello(tls.genuine("ok.test")).message(overlong=9)),
    "two server_name extensions": tls.record(two_names()),
    "two names in one extension": tls.record(tls.Hello(tls.genuine("ok.test")).with_extension(
        tls.SERVER_NAME, b"\x00\x18\x00\x00\x07ok.test\x00\x00\x09evil.test", first=True).message()),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_hello_is_refused(say, what):
    """F7."""
    say("tls_malformed", 50, MALFORMED[what])


@pytest.mark.parametrize("raw", [b"evil.test\0.ok.test", b"*.ok.test", b"ok.test\r\n", b"", b"a" * 300])
def test_a_name_that_is_no_host_is_refused(lab, exeat, origin, place, raw):
    """F9: the same host type as everywhere."""
    exeat.settled()
    before, sent = exeat.metrics(), lab.bytes_at_origins()
    with open_tunnel(exeat, "ok.test:443") as s:
        s.sendall(tls.named(raw))
        assert tls.alert_of(read_to_end(s)) in (50, 112)
    exeat.settled()
    after = exeat.metrics()
    rose = {r: after.of("exeat_denied_total", reason=r) - before.of("exeat_denied_total", reason=r) for r in ("host_syntax", "tls_malformed", "sni_missing")}
    assert sum(rose.values()) == 1 and lab.bytes_at_origins() == sent


def test_a_client_that_says_nothing_is_let_go(say, impatient):
    """F17."""
    say("hello_timeout", 50, at=impatient)


def test_half_a_hello_times_out(say, impatient):
    say("hello_timeout", 50, tls.genuine("ok.test")[:100], at=impatient)


def test_a_hello_is_refused_alike_however_it_is_cut(say):
    """F4, F5."""
    message = tls.Hello(tls.genuine("evil.test")).message()
    say("sni_mismatch", 112, tls.records(message, 1))
    say("sni_mismatch", 112, tls.records(message, 7))
    say("sni_mismatch", 112, *[bytes([b]) for b in tls.genuine("evil.test")])


ACCEPTED = {
    "as it comes": lambda: [tls.genuine("ok.test")],
    "in other case": lambda: [tls.genuine("OK.Test")],
    "with 1.6 KB of post-quantum keys": lambda: [tls.post_quantum("ok.test")],
    "with GREASE": lambda: [tls.hello("ok.test", grease=(tls.GREASE, b"\0"))],
    "in records of 1 byte": lambda: [tls.records(tls.Hello(tls.genuine("ok.test")).message(), 1)],
    "in records of 100 bytes": lambda: [tls.records(tls.Hello(tls.genuine("ok.test")).message(), 100)],
    "in segments of 1 byte": lambda: [bytes([b]) for b in tls.genuine("ok.test")],
}


@pytest.mark.parametrize("how", ACCEPTED)
def test_a_hello_for_the_right_host_reaches_the_origin_byte_for_byte(exeat, origin, how):
    """F6, F10, M1."""
    parts = ACCEPTED[how]()
    origin.clear()
    with open_tunnel(exeat, "ok.test:443") as s:
        for part in parts:
            s.sendall(part)
        assert s.recv(1)
        wait_until(lambda: origin.got(b"".join(parts)))


def test_a_hello_over_three_segments_200_ms_apart_is_accepted(exeat, origin):
    """M2. The pauses are the case."""
    whole = tls.genuine("ok.test")
    with open_tunnel(exeat, "ok.test:443") as s:
        for part in (whole[:3], whole[3:200], whole[200:]):
            s.sendall(part)
            time.sleep(0.2)
        assert s.recv(1) == b"\x16"


def test_before_the_last_byte_of_the_hello_nothing_goes_upstream(exeat, origin):
    whole = tls.genuine("ok.test")
    origin.clear()
    with open_tunnel(exeat, "ok.test:443") as s:
        s.sendall(whole[:-1])
        stays(lambda: origin.received_bytes == 0, 0.3)
        s.sendall(whole[-1:])
        assert s.recv(1) == b"\x16"


def test_an_upstream_that_talks_first_is_not_heard_before_the_hello(lab, impatient):
    def greet(peer):
        peer.send(b"220 welcome\r\n")
        while peer.recv():
            pass

    four, _ = lab.place("talks-first.test", v6=False)
    server = lab.origin(four, 443, greet)
    with open_tunnel(impatient, "talks-first.test:443") as s:
        wait_until(lambda: server.peers and server.peers[0].sent_bytes)
        got = read_to_end(s)
        assert tls.alert_of(got) == 50 and b"welcome" not in got
    server.close()


def test_a_tunnel_carries_what_follows_the_hello_at_once(exeat, origin):
    """Bytes behind the hello in the same segment are not lost."""
    whole = tls.genuine("ok.test") + tls.record(b"\x01", 0x14)
    origin.clear()
    with exeat.connect() as s:
        ask(s, connect_request("ok.test:443"), "CONNECT")
        s.sendall(whole)
        assert s.recv(1)
        wait_until(lambda: origin.got(whole))


def test_curl_with_another_connect_host_than_sni_fails(lab, exeat, origin):
    done = curl("--cacert", lab.authority.file, "--proxy", exeat.url, "--connect-to", "evil.test:443:ok.test:443", "https://evil.test/")
    assert done.returncode != 0 and b"hello from the origin" not in done.stdout


def test_random_bytes_never_pass(lab, exeat, impatient, origin):
    draw = random.Random(20261123)
    exeat.settled()
    sent = lab.bytes_at_origins()
    for _ in range(40):
        data = draw.choice([b"", b"\x16", b"\x16\x03\x01", b"\x16\x03\x01\x00\x30\x01\x00\x00\x2c\x03\x03"]) + draw.randbytes(draw.randrange(1, 300))
        with open_tunnel(impatient, "ok.test:443") as s:
            s.sendall(data)
            assert gone_with_an_alert(s)
    impatient.settled()
    assert lab.bytes_at_origins() == sent


def gone_with_an_alert(s):
    s.settimeout(seconds(30))
    return tls.alert_of(read_exactly(s, 7)) is not None and gone(s)
