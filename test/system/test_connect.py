"""CONNECT, as real and as hand-made clients say it."""
import socket

import pytest
from harness.client import ask, connect_reply, connect_request, curl, open_tls, open_tunnel, read_exactly, read_to_end
from harness.origin import echo
from harness.wait import wait_until
from harness.web import Nginx

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8", "::1"]
[[allow]]
name = "sites"
hosts = ["site.test", "four.test", "six.test", "alias.test", "*.w.test", "**.deep.test"]
[[allow]]
name = "raw"
hosts = ["echo.test"]
ports = [7]
protocol = "tcp"
"""


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module")
def web(lab, tmp_path_factory):
    names = ("site.test", "four.test", "six.test", "alias.test", "any.w.test", "a.b.deep.test")
    nginx = Nginx(lab, tmp_path_factory.mktemp("nginx"), *names)
    lab.dns.set("four.test", nginx.host4)
    lab.dns.set("six.test", nginx.host6)
    yield nginx
    nginx.stop()


@pytest.fixture(scope="module")
def raw(lab):
    four, _ = lab.place("echo.test", v6=False)
    return lab.origin(four, 7, echo)


def fetch(lab, exeat, url, *more):
    return curl("--cacert", lab.authority.file, "--proxy", exeat.url, *more, url)


@pytest.mark.parametrize("name", ["site.test", "four.test", "six.test", "any.w.test", "a.b.deep.test", "SITE.test", "site.test."])
def test_curl_fetches_an_allowed_site_through_connect(lab, exeat, web, name):
    done = fetch(lab, exeat, f"https://{name}/hello.txt")
    assert (done.returncode, done.stdout) == (0, b"hello from nginx\n"), done.stderr


def test_http2_runs_inside_the_tunnel(lab, exeat, web):
    done = fetch(lab, exeat, "https://site.test/hello.txt", "--http2", "--write-out", "%{http_version}")
    assert done.stdout == b"hello from nginx\n2", done.stderr


def test_clients_come_over_ipv6_too(lab, exeat, web):
    with open_tls(exeat, lab.authority, "six.test:443", host="::1") as s:
        s.sendall(b"GET /hello.txt HTTP/1.0\r\nHost: six.test\r\n\r\n")
        assert b"hello from nginx" in read_to_end(s)


def test_connect_by_http_1_0_without_host_is_understood(exeat, raw):
    with exeat.connect() as s:
        assert ask(s, b"CONNECT echo.test:7 HTTP/1.0\r\n\r\n", "CONNECT").status == 200
        s.sendall(b"still there?")
        assert read_exactly(s, 12) == b"still there?"


@pytest.mark.parametrize("host", ["site.test", "site.test:443", "SITE.TEST."])
def test_host_may_leave_out_the_default_port_and_be_written_otherwise(exeat, web, host):
    with exeat.connect() as s:
        assert ask(s, f"CONNECT site.test:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), "CONNECT").status == 200


def test_the_head_may_come_byte_by_byte(exeat, raw):
    with exeat.connect() as s:
        for byte in connect_request("echo.test:7"):
            s.send(bytes([byte]))
        s.sendall(b"x")
        data = read_to_end_of_echo(s)
        assert data.startswith(b"HTTP/1.1 200 ") and data.endswith(b"\r\n\r\nx")


def read_to_end_of_echo(s):
    s.shutdown(socket.SHUT_WR)
    return read_to_end(s)


def test_bytes_sent_along_with_connect_reach_the_origin_after_the_verdict(exeat, raw):
    with exeat.connect() as s:
        s.sendall(connect_request("echo.test:7") + b"early")
        data = read_to_end_of_echo(s)
    assert data.endswith(b"\r\n\r\nearly")


def test_no_header_of_the_request_reaches_the_origin(exeat, raw):
    raw.clear()
    with exeat.connect() as s:
        reply = ask(s, connect_request("echo.test:7", ["X-Upstream-Https-Proxy: evil.test", "Proxy-Authorization: Basic c2VjcmV0"]), "CONNECT")
        assert reply.status == 200
        s.sendall(b"only this")
        assert read_exactly(s, 9) == b"only this"
    assert bytes(raw.peers[0].received) == b"only this"


def test_an_open_and_a_close_line_tell_the_tunnel(lab, exeat, raw):
    before = exeat.settled()
    with open_tunnel(exeat, "echo.test:7") as s:
        s.sendall(b"12345")
        assert read_exactly(s, 5) == b"12345"
        source = s.getsockname()
    wait_until(lambda: exeat.audit(before, event__action="close"), what="the close line")
    opened, closed = (exeat.audit(before, event__action=a) for a in ("open", "close"))
    assert len(opened) == len(closed) == 1 and opened[0]["event.id"] == closed[0]["event.id"]
    for line in (*opened, *closed):
        assert (line["source.ip"], line["source.port"]) == source
        assert (line["destination.domain"], line["destination.port"], line["rule.name"]) == ("echo.test", 7, "raw")
        assert line["destination.ip"] == lab.dns.table["echo.test"].addresses[0]
        assert (line["exeat.group"], line["exeat.mode"]) == ("lab", "connect")
    assert (closed[0]["source.bytes"], closed[0]["destination.bytes"]) == (5, 5)
    assert (closed[0]["event.reason"], closed[0]["event.outcome"]) in {("finished", "success"), ("client_closed", "success")}
    assert closed[0]["event.duration"] > 0


@pytest.mark.parametrize("name", ["w.test", "a.any.w.test", "deep.test"])
def test_a_wildcard_opens_neither_its_apex_nor_two_labels(lab, exeat, name):
    lab.dns.set(name, "93.184.216.1")
    mark = lab.dns.mark()
    reply = connect_reply(exeat, f"{name}:443")
    assert (reply.status, reply.reason) == (403, "not_allowed") and lab.dns.mark() == mark
