"""Heads as real clients write them: another place in a CONNECT's Host, a body of no octets, an offer to upgrade; and connections that say nothing."""
import os
import subprocess

import pytest
from harness import hello as tls
from harness.client import Reply, ask, ask_once, command, connect_request, curl, gone, http_request, open_tunnel, read_to_end, take_head
from harness.exeat import free_port
from harness.http_origin import reply
from harness.oracle import refused
from harness.origin import tls_echo
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8", "::1"]
[[allow]]
name = "sites"
hosts = ["ok.test"]
[[allow]]
name = "plain"
hosts = ["plain.test"]
protocol = "http"
"""


@pytest.fixture(scope="module")
def sni_port():
    return free_port()


@pytest.fixture(scope="module")
def exeat(lab, sni_port):
    listen = [{"mode": "sni", "address": f"127.0.0.1:{sni_port}", "port": 443}]
    with lab.exeat(ALLOWLIST, listen=listen, limits={"head_timeout": "2s", "hello_timeout": "2s"}) as running:
        yield running


@pytest.fixture(scope="module")
def site(lab):
    four, _ = lab.place("ok.test", v6=False)
    return lab.origin(four, 443, tls_echo)


@pytest.fixture(scope="module")
def plain(lab):
    def required(peer, reader, head):
        peer.send(reply(b"TLS, please\n", "426 Upgrade Required", ["Upgrade: TLS/1.2, HTTP/1.1", "Connection: Upgrade"]))
        return True

    def unasked(peer, reader, head):
        peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\nanything")
        return True

    four, _ = lab.place("plain.test", v6=False)
    return lab.http_origin(four, routes={"/required": required, "/unasked": unasked})


@pytest.fixture(autouse=True)
def forget(plain):
    plain.clear()


# ---- CONNECT

@pytest.mark.parametrize("host", ["localhost:3128", "127.0.0.1:3128", "exeat", "evil.test", "ok.test:8443"])
def test_a_connect_goes_to_its_target_whatever_its_host_says(exeat, site, host):
    """undici 5, @actions/http-client, proxytunnel and ureq name the proxy there."""
    lines, before = exeat.settled(), exeat.metric("connect_other_host_total")
    hello = tls.genuine("ok.test")
    with exeat.connect() as s:
        s.sendall(f"CONNECT ok.test:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert take_head(s).startswith(b"HTTP/1.1 200 ")
        s.sendall(hello)
        assert s.recv(1) == b"\x16"
    opened = wait_until(lambda: exeat.audit(lines, event__action="open"))
    assert (opened[0]["destination.domain"], opened[0]["destination.port"]) == ("ok.test", 443)
    assert exeat.metric("connect_other_host_total") == before + 1


def test_the_name_inside_is_held_to_the_target_and_not_to_the_host(lab, exeat, site):
    with refused(lab, exeat, "sni_mismatch", resolves=["ok.test"], dials=lab.dns.table["ok.test"].addresses), exeat.connect() as s:
        s.sendall(b"CONNECT ok.test:443 HTTP/1.1\r\nHost: evil.test\r\n\r\n")
        assert take_head(s).startswith(b"HTTP/1.1 200 ")
        s.sendall(tls.genuine("evil.test"))
        assert tls.alert_of(read_to_end(s)) == 112


def test_a_connect_whose_target_is_not_allowed_is_refused_whatever_its_host_says(lab, exeat, site):
    with refused(lab, exeat, "not_allowed"), exeat.connect() as s:
        assert ask(s, b"CONNECT evil.test:443 HTTP/1.1\r\nHost: ok.test\r\n\r\n", "CONNECT").status == 403


def test_a_connect_with_a_body_of_no_octets_is_a_connect(exeat, site):
    with exeat.connect() as s:
        s.sendall(connect_request("ok.test:443", ["Content-Length: 0"]))
        assert take_head(s).startswith(b"HTTP/1.1 200 ")
        s.sendall(tls.genuine("ok.test"))
        assert s.recv(1) == b"\x16"


def test_node_undici_5_with_its_own_proxy_agent(lab, exeat, site, tmp_path):
    """Debian's undici 5.15 writes the proxy's address into Host."""
    script = tmp_path / "fetch.js"
    script.write_text("""
const { fetch, ProxyAgent } = require('/usr/share/nodejs/undici');
fetch(process.argv[3], { dispatcher: new ProxyAgent(process.argv[2]) }).then(r => r.text()).then(t => process.stdout.write(t), e => { console.error(e); process.exit(1); });
""")
    done = command("node", script, exeat.url, "http://plain.test/", env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr


def test_proxytunnel(exeat, site):
    """Its Host is the proxy's address."""
    before = exeat.metric("connect_other_host_total")
    with subprocess.Popen(["proxytunnel", "-q", "-p", f"127.0.0.1:{exeat.proxy_port}", "-d", "ok.test:443"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tunnel:
        tunnel.stdin.write(tls.genuine("ok.test"))
        tunnel.stdin.flush()
        assert tunnel.stdout.read(1) == b"\x16"
    assert exeat.metric("connect_other_host_total") == before + 1


# ---- upgrades (RFC 9110 section 7.8)

@pytest.mark.parametrize("fields", [["Upgrade: TLS/1.2", "Connection: Upgrade"], ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAA"],
                                    ["Upgrade: h2c", "HTTP2-Settings: AAMAAABk"], ["Connection: upgrade"]])
def test_an_offer_to_upgrade_is_taken_out_and_the_request_goes_on(exeat, plain, fields):
    assert ask_once(exeat, http_request("GET", "http://plain.test/", ["X-Mine: a", *fields])).body == b"hello from the origin\n"
    names = {n for n, _ in plain.requests[0].fields}
    assert "x-mine" in names and not names & {"upgrade", "http2-settings", "connection"}


def test_curl_that_offers_http2_is_answered_by_http1(exeat, plain):
    done = curl("--proxy", exeat.url, "--http2", "--write-out", "%{http_version}", "http://plain.test/")
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n1.1"), done.stderr


def test_an_origin_that_insists_on_an_upgrade_says_so_to_the_client(exeat, plain):
    """RFC 9110 section 15.5.22: a 426 names the protocols."""
    with exeat.connect() as s:
        got = ask(s, http_request("GET", "http://plain.test/required", ["Upgrade: TLS/1.2", "Connection: Upgrade"]))
        assert (got.status, got.body, got.field("upgrade")) == (426, b"TLS, please\n", "TLS/1.2, HTTP/1.1")
        assert got.field("connection") == "keep-alive, upgrade"
        again = ask(s, http_request("GET", "http://plain.test/"))
        assert (again.status, again.field("upgrade"), again.field("connection")) == (200, None, "keep-alive")


def test_a_101_never_reaches_the_client(exeat, plain):
    got = ask_once(exeat, http_request("GET", "http://plain.test/unasked", ["Upgrade: TLS/1.2", "Connection: Upgrade"]))
    assert (got.status, got.reason) == (502, "upstream_malformed")


# ---- what the log says of a head that is refused for its form

@pytest.mark.parametrize("request_bytes, reason, mode, place", [
    (b"GET http://plain.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", "host_mismatch", "http", ("plain.test", 80)),
    (http_request("GET", "http://plain.test/", ["Upgrade: websocket", "Connection: Upgrade"]), "upgrade", "http", ("plain.test", 80)),
    (http_request("POST", "http://plain.test/", ["Content-Length: x"]), "framing", "http", ("plain.test", 80)),
    (b"CONNECT ok.test:443 HTTP/1.1\r\n\r\n", "header", "connect", ("ok.test", 443)),
    (connect_request("ok.test:443", ["Content-Length: 5"]), "connect_body", "connect", ("ok.test", 443)),
    (b"CONNECT ok.test:443 HTTP/1.1\r\nHost: \r\n\r\n", "host_syntax", "connect", ("ok.test", 443)),
    (connect_request("ok.test:443", ["X: " + "x" * 17_000]), "head_too_large", "connect", ("ok.test", 443)),
    (connect_request("localhost:443"), "host_syntax", "connect", (None, None)),
    (b"GET / HTTP/1.1\r\nHost: ok.test\r\n\r\n", "target_form", "http", (None, None)),
])
def test_the_log_says_what_could_be_read_of_a_head_that_is_refused(lab, exeat, site, plain, request_bytes, reason, mode, place):
    with refused(lab, exeat, reason) as told:
        assert ask_once(exeat, request_bytes).reason == reason
    assert told[0]["exeat.mode"] == mode
    assert (told[0].get("destination.domain"), told[0].get("destination.port")) == place


# ---- connections that say nothing

def test_who_connects_and_says_nothing_gets_no_answer_and_is_no_denial(exeat, sni_port):
    """Chromium opens connections before it needs them, and balancers look whether somebody listens. Sixty denials would be a finding."""
    lines, before = exeat.settled(), exeat.metrics()
    held = [exeat.connect(port=port) for port in (exeat.proxy_port, sni_port) for _ in range(30)]
    for s in held:
        s.settimeout(seconds(30))
        assert read_to_end(s) == b""
        s.close()
    for port in (exeat.proxy_port, sni_port):
        exeat.connect(port=port).close()
    wait_until(lambda: exeat.metric("silent_connections_total") == before.of("exeat_silent_connections_total") + 62)
    exeat.settled()
    after = exeat.metrics()
    for name in ("exeat_denied_total", "exeat_requests_total", "exeat_anomalies_total", "exeat_tunnels_closed_total", "exeat_client_denied_total"):
        assert after.of(name) == before.of(name), name
    assert not [line for line in exeat.audit(lines) if "source.ip" in line]


@pytest.mark.parametrize("first, reason", [(b"C", "head_timeout"), (b"GET http://ok.test/ HTTP/1.1\r\n", "head_timeout")])
def test_who_says_part_of_a_head_is_refused(lab, exeat, site, first, reason):
    with refused(lab, exeat, reason), exeat.connect() as s:
        assert (got := ask(s, first)).status == 408 and got.reason == reason and gone(s)


def test_who_says_part_of_a_hello_is_refused(lab, exeat, site, sni_port):
    with refused(lab, exeat, "hello_timeout"), exeat.connect(port=sni_port) as s:
        s.sendall(b"\x16")
        assert tls.alert_of(read_to_end(s)) == 50


def test_silence_inside_a_tunnel_is_refused_as_ever(lab, exeat, site):
    with refused(lab, exeat, "hello_timeout", resolves=["ok.test"], dials=lab.dns.table["ok.test"].addresses), open_tunnel(exeat, "ok.test:443") as s:
        assert tls.alert_of(read_to_end(s)) == 50
