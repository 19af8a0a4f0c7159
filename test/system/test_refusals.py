"""Ways round, first part: what must not get out of the proxy port, judged by what left the machine. The letters are those of the case list."""
import json

import pytest
from harness import hello as tls
from harness.client import Reply, ask, ask_once, connect_reply, connect_request, http_request, read_to_end
from harness.oracle import refused

ALLOWLIST = """
serial = 7
deny_help = "Ask in #egress"
[groups.lab]
sources = ["127.0.0.0/8"]
[groups.others]
sources = ["10.99.0.0/16"]
[[allow]]
name = "ok"
hosts = ["ok.test", "*.w.test", "upload.ok.test", "**.addr.test"]
[[allow]]
name = "plain"
hosts = ["plain.test"]
protocol = "http"
[[allow]]
name = "others-only"
hosts = ["others.test"]
groups = ["others"]
[[allow]]
name = "old"
hosts = ["expired.test"]
expires = 2020-01-01T00:00:00Z
[[deny]]
name = "no-uploads"
hosts = ["upload.ok.test"]
[[private_link]]
name = "vault"
hosts = ["vault.test", "vault-moved.test", "vault-public.test", "vault-half.test", "vault-metadata.test"]
within = ["10.20.8.0/24"]
"""

LONG = "a" * 64


@pytest.fixture(scope="module")
def exeat(lab):
    with lab.exeat(ALLOWLIST) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def names(lab):
    lab.place("ok.test", "evil.test", "upload.ok.test", "expired.test", "others.test", "notok.test", "ok.test.evil.test")


@pytest.fixture(scope="module")
def plain(lab):
    four, _ = lab.place("plain.test", v6=False)
    return lab.http_origin(four)


# (id, host as it is written, reason); each goes through CONNECT, an absolute URL and the SNI
HOSTS = [
    ("A1", "evil.test\0.ok.test", "host_syntax"),
    ("A2", "evil.test.", "not_allowed"),
    ("A2", "EVIL.test", "not_allowed"),
    ("A2", "ok.test..", "host_syntax"),
    ("A4", "[evil.test]", "host_syntax"),
    ("A4", "[[evil.test]]", "host_syntax"),
    ("A5", "notok.test", "not_allowed"),
    ("A6", "ok.test.evil.test", "not_allowed"),
    ("A8", "ok.test\\", "host_syntax"),
    ("A8", "ok.test%2eevil.test", "host_syntax"),
    ("A10", "ⓔvil.test".encode().decode("latin-1"), "host_syntax"),
    ("A10", "evil。test".encode().decode("latin-1"), "host_syntax"),
    ("A11", "xn--80ak6aa92e.test", "not_allowed"),
    ("A11", "xn--ok-test-.test", "host_syntax"),
    ("A12", LONG + ".test", "host_syntax"),
    ("A12", ".".join(["a" * 49] * 5) + ".test", "host_syntax"),
    ("A14", ".", "host_syntax"),
    ("A14", "*", "host_syntax"),
    ("A14", "*.w.test", "host_syntax"),
    ("A14", "ok..test", "host_syntax"),
    ("A14", "-ok.test", "host_syntax"),
    ("B1", "127.0.0.1", "ip_literal"),
    ("B1", "0.0.0.0", "ip_literal"),
    ("B2", "2130706433", "host_syntax"),
    ("B2", "0x7f000001", "host_syntax"),
    ("B2", "0177.0.0.1", "host_syntax"),
    ("B2", "127.1", "host_syntax"),
    ("B2", "169.254.43518", "host_syntax"),
    ("B3", "169.254.169.254", "ip_literal"),
    ("B3", "168.63.129.16", "ip_literal"),
    ("B12", "93.184.216.34", "ip_literal"),
    ("C1", "mzxw6ytboi4dsojzhe4tsojzhe.evil.test", "not_allowed"),
    ("H5", "a.b.w.test", "not_allowed"),
    ("H5", "w.test", "not_allowed"),
    ("I17", "upload.ok.test", "denied_by_rule"),
]
IDS = [f"{case}-{host[:24]!r}" for case, host, _ in HOSTS]
STATUS = {"host_syntax": 400}


@pytest.mark.parametrize("case, host, reason", HOSTS, ids=IDS)
def test_connect_to_a_host_that_is_not_allowed_is_refused(lab, exeat, case, host, reason):
    with refused(lab, exeat, reason) as told:
        reply = connect_reply(exeat, f"{host}:443")
        assert (reply.status, reply.reason) == (STATUS.get(reason, 403), reason)
    assert told[0]["exeat.mode"] in ("connect", "http")


@pytest.mark.parametrize("case, host, reason", HOSTS, ids=IDS)
def test_a_url_of_a_host_that_is_not_allowed_is_refused(lab, exeat, case, host, reason):
    with refused(lab, exeat, reason):
        reply = ask_once(exeat, http_request("GET", f"http://{host}/"))
        assert (reply.status, reply.reason) == (STATUS.get(reason, 403), reason)


REQUESTS = [
    ("A7", b"CONNECT ok.test@evil.test:443 HTTP/1.1\r\nHost: ok.test\r\n\r\n", "host_syntax"),
    ("A8", b"CONNECT ok.test\\@evil.test:443 HTTP/1.1\r\nHost: ok.test\r\n\r\n", "host_syntax"),
    ("A14", b"CONNECT :443 HTTP/1.1\r\nHost: ok.test\r\n\r\n", "host_syntax"),
    ("A15", connect_request("ok.test"), "host_syntax"),
    ("A15", connect_request("ok.test:"), "host_syntax"),
    ("A15", connect_request("ok.test:443:443"), "host_syntax"),
    *(("A16", connect_request(f"ok.test:{p}"), "host_syntax") for p in ("0", "65536", "4294967739", "+443", "0x1bb", "https", "000443", "-1")),
    ("B1", connect_request("[::]:443"), "ip_literal"),
    ("B1", connect_request("[::1]:443"), "ip_literal"),
    ("B6", connect_request("[::ffff:127.0.0.1]:443"), "ip_literal"),
    ("B6", connect_request("[64:ff9b::a9fe:a9fe]:443"), "ip_literal"),
    ("B9", connect_request("[fe80::1%25eth0]:443"), "host_syntax"),
    ("D1", b"CONNECT evil.test:443 HTTP/1.1\r\nHost: ok.test\r\n\r\n", "not_allowed"),
    ("D1", b"CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test\r\nHost: ok.test\r\n\r\n", "header"),
    ("D1", b"CONNECT ok.test:443 HTTP/1.1\r\nHost: ok.test, evil.test\r\n\r\n", "host_syntax"),
    ("D1", b"CONNECT ok.test:443 HTTP/1.1\r\nHost:\r\n\r\n", "host_syntax"),
    ("D3", connect_request("ok.test:22"), "port_not_allowed"),
    ("D4", connect_request("ok.test:443", ["Content-Length: 5"]) + b"hello", "connect_body"),
    ("D4", connect_request("ok.test:443", ["Transfer-Encoding: chunked"]) + b"0\r\n\r\n", "connect_body"),
    ("D4", connect_request("ok.test:443", ["Content-Length: 0", "Content-Length: 0"]), "connect_body"),
    ("D5", connect_request("evil.test:443") + tls.genuine("ok.test"), "not_allowed"),
    ("D6", connect_request("evil.test:443") + connect_request("ok.test:443"), "not_allowed"),
    ("D6", connect_request("evil.test:443") + http_request("GET", "http://plain.test/"), "not_allowed"),
    ("D7", connect_request("ok.test:443", ["X-Weights: " + "x" * 20000]), "head_too_large"),
    ("D8", connect_request("evil.test:443", ["X-Upstream-Https-Proxy: ok.test"]), "not_allowed"),
    ("D10", b"PROXY TCP4 10.42.0.9 10.0.0.1 1 2\r\n" + connect_request("ok.test:443"), "request_line"),
    ("D10", b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + connect_request("ok.test:443"), "request_line"),
    ("E1", b"GET http://plain.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n", "host_mismatch"),
    ("E1", b"GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\nHost: plain.test\r\n\r\n", "header"),
    ("E1", b"GET http://plain.test/ HTTP/1.1\r\n\r\n", "header"),
    ("E4", http_request("POST", "http://plain.test/", ["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n"), "framing"),
    *(("E5", http_request("POST", "http://plain.test/", [f"Content-Length: {v}"], b"hello"), "framing") for v in ("", "+5", "5,6", "0x5", "-1", "5 5", "9" * 30)),
    ("E5", http_request("POST", "http://plain.test/", ["Content-Length: 5", "Content-Length: 6"], b"hello!"), "framing"),
    *(("E6", http_request("POST", "http://plain.test/", [f"Transfer-Encoding: {v}"], b"0\r\n\r\n"), "framing")
      for v in ("xchunked", "chunked;x", "chunked, identity", "identity", "gzip, chunked", "chunked, chunked")),
    ("E6", http_request("POST", "http://plain.test/", ["Transfer-Encoding: \x0bchunked"], b"0\r\n\r\n"), "header"),
    ("E6", b"POST http://plain.test/ HTTP/1.0\r\nHost: plain.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "framing"),
    ("E10", http_request("GET", "https://ok.test/"), "scheme"),
    ("E10", http_request("GET", "ftp://plain.test/"), "scheme"),
    ("E10", b"GET urn:plain.test HTTP/1.1\r\nHost: plain.test\r\n\r\n", "scheme"),
    ("E10", b"GET http:plain.test HTTP/1.1\r\nHost: plain.test\r\n\r\n", "scheme"),
    ("E12", http_request("GET", "http://plain.test/", ["Connection: upgrade", "Upgrade: websocket"]), "upgrade"),
    ("E12", http_request("GET", "http://plain.test/", ["Connection: upgrade", "Upgrade: h2c, websocket"]), "upgrade"),
    ("E15", b"GET /metrics HTTP/1.1\r\nHost: plain.test\r\n\r\n", "target_form"),
    ("E15", b"OPTIONS * HTTP/1.1\r\nHost: plain.test\r\n\r\n", "target_form"),
    ("K3", connect_request("evil.test:443", ["X: \x1b[31mred"]), "header"),
    ("E", b"GET http://plain.test/ HTTP/1.1\r\nHost : plain.test\r\n\r\n", "header"),
    ("E", b"GET http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\nX: a\r\n b\r\n\r\n", "header"),
    ("E", b"GET http://plain.test/ HTTP/1.1\nHost: plain.test\n\n", "request_line"),
    ("E", b"GET http://plain.test/ HTTP/2.0\r\nHost: plain.test\r\n\r\n", "request_line"),
    ("E", b"GET  http://plain.test/ HTTP/1.1\r\nHost: plain.test\r\n\r\n", "request_line"),
    ("E", b"\x16\x03\x01\x02\x00" + tls.genuine("ok.test")[5:], "request_line"),
    ("F", http_request("GET", "http://ok.test/"), "port_not_allowed"),
    ("F", http_request("GET", "http://ok.test:443/"), "protocol_not_allowed"),
    ("G5", connect_request("others.test:443"), "not_allowed"),
    ("I13", connect_request("expired.test:443"), "expired"),
]


@pytest.mark.parametrize("case, request_bytes, reason", REQUESTS, ids=[f"{case}-{i}-{reason}" for i, (case, _, reason) in enumerate(REQUESTS)])
def test_a_request_that_must_not_pass_is_refused_by_its_reason(lab, exeat, case, request_bytes, reason):
    status = {"head_too_large": 431}.get(reason)
    with refused(lab, exeat, reason), exeat.connect() as s:
        reply = ask(s, request_bytes)
        assert reply.reason == reason
        assert reply.status == status or (status is None and reply.status in (400, 403))
        assert read_to_end(s) == b"", "nothing is answered after a refusal"


# B and C: the name is allowed, its addresses are not. One is enough.
ADDRESSES = ["127.0.0.1", "0.0.0.0", "10.0.0.5", "172.16.3.4", "192.168.1.1", "100.64.0.1", "169.254.169.254", "169.254.1.1", "168.63.129.16",
             "100.100.100.200", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fd00:20::5", "fe80::1", "fec0::1",
             "ff02::1", "fd00:ec2::254", "::ffff:10.0.0.5", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1"]


@pytest.mark.parametrize("bad", ADDRESSES)
def test_a_name_that_resolves_to_a_forbidden_address_is_refused_and_nothing_dialled(lab, exeat, bad):
    name = f"b{ADDRESSES.index(bad)}.addr.test"
    lab.dns.set(name, bad)
    with refused(lab, exeat, "addr_class", resolves=[name]):
        reply = connect_reply(exeat, f"{name}:443")
        assert (reply.status, reply.reason) == (403, "addr_class")
        assert "destination_ip_prohibited" in reply.field("proxy-status")


@pytest.mark.parametrize("bad", ["10.0.0.5", "169.254.169.254", "fd00:20::5"])
def test_one_forbidden_address_refuses_the_whole_answer(lab, exeat, bad):
    name = f"mixed-{ADDRESSES.index(bad)}.addr.test"
    lab.dns.set(name, *lab.addresses(), bad)
    with refused(lab, exeat, "addr_class", resolves=[name]):
        assert connect_reply(exeat, f"{name}:443").reason == "addr_class"


@pytest.mark.parametrize("own", ["10.200.0.1", "fd00:200::1", "10.42.0.1"])
def test_exeat_never_dials_an_address_of_its_own_machine(lab, exeat, own):
    name = f"own{own.replace(':', '-').replace('.', '-')}.addr.test"
    lab.dns.set(name, own)
    with refused(lab, exeat, "self_connect", resolves=[name]):
        reply = connect_reply(exeat, f"{name}:443")
        assert (reply.status, reply.reason) == (403, "self_connect")


def test_exeat_never_dials_its_own_ports_even_where_loopback_is_pinned(lab, exeat):
    """B14."""
    ports = [exeat.admin_port, exeat.proxy_port]
    exeat.reload(ALLOWLIST + f'[[private_link]]\nname = "self"\nhosts = ["self.test"]\naddresses = ["127.0.0.1"]\nports = {ports}\n')
    for port in ports:
        with refused(lab, exeat, "self_connect"):
            assert connect_reply(exeat, f"self.test:{port}").reason == "self_connect"
    exeat.reload(ALLOWLIST)


def test_after_a_reload_every_host_is_refused_as_before(lab, exeat):
    exeat.reload(ALLOWLIST.replace("serial = 7", "serial = 8"))
    mark = lab.dns.mark()
    for _, host, reason in HOSTS:
        assert connect_reply(exeat, f"{host}:443").reason == reason, host
    assert lab.dns.mark() == mark
    exeat.reload(ALLOWLIST)


@pytest.mark.parametrize("name, addresses, reason", [
    ("vault-public.test", ["93.184.216.240"], "private_link_public"),
    ("vault-half.test", ["10.20.8.4", "93.184.216.240"], "private_link_public"),
    ("vault-moved.test", ["10.20.9.4"], "private_link_cidr"),
    ("vault-metadata.test", ["169.254.169.254"], "addr_class"),
])
def test_a_private_link_refuses_every_address_but_its_own(lab, exeat, name, addresses, reason):
    """H6, H7: a zone that was unlinked silently makes the name public."""
    lab.dns.set(name, *addresses)
    with refused(lab, exeat, reason, resolves=[name]):
        assert connect_reply(exeat, f"{name}:443").reason == reason


def test_a_private_link_within_its_network_is_reached(lab, exeat):
    lab.dns.set("vault.test", "10.20.8.4")
    origin = lab.tls_origin("vault.test", host="10.20.8.4")
    assert connect_reply(exeat, "vault.test:443").status == 200
    origin.close()


@pytest.mark.parametrize("chunks", [b"7fffffffffffffff\r\n", b"+5\r\nhello\r\n", b"0x5\r\nhello\r\n", b"5;\nhello\r\n", b"5\r\nhelloXX0\r\n\r\n", b"5\nhello\n0\n\n",
                                    b"5 \r\nhello\r\n0\r\n\r\n", b"5;" + b"x" * 400 + b"\r\nhello\r\n0\r\n\r\n", b"-1\r\n", b"\r\n"])
def test_a_malformed_chunk_ends_the_request(exeat, plain, chunks):
    """E7: the head is out by then, what is malformed is not."""
    before = exeat.metrics().of("exeat_denied_total", reason="chunk")
    with exeat.connect() as s:
        s.sendall(http_request("POST", "http://plain.test/", ["Transfer-Encoding: chunked"], chunks))
        reply = Reply(s)
        assert (reply.status, reply.reason) == (400, "chunk")
        assert read_to_end(s) == b""
    assert exeat.metrics().of("exeat_denied_total", reason="chunk") == before + 1
    assert not plain.requests


def test_a_refusal_says_what_why_by_which_policy_and_whom_to_ask(lab, exeat):
    with refused(lab, exeat, "not_allowed") as told:
        reply = connect_reply(exeat, "evil.test:443")
    assert (reply.status, reply.reason, reply.field("connection")) == (403, "not_allowed", "close")
    assert reply.field("proxy-status") == 'exeat; error=http_request_denied; details="not_allowed"'
    text = reply_body(reply)
    for part in ("evil.test:443", "not_allowed", "7", told[0]["event.id"], "Ask in #egress"):
        assert part in text, text


def reply_body(reply):
    return (reply.body or reply.left).decode()


def test_a_refusal_is_json_for_who_accepts_it(exeat):
    got = json.loads(reply_body(connect_reply(exeat, "evil.test:443", ["Accept: application/json"])))
    assert (got["reason"], got["host"], got["port"], got["policy_serial"], got["help"]) == ("not_allowed", "evil.test", 443, 7, "Ask in #egress")
    plain = ask_once(exeat, http_request("GET", "http://evil.test/", ["Accept: text/html, application/json;q=0.9"]))
    assert plain.field("content-type") == "application/json" and plain.json()["port"] == 80


def test_a_client_in_no_group_is_refused_before_its_bytes_are_read(lab, exeat):
    with refused(lab, exeat, "source_not_allowed") as told, exeat.connect("::1") as s:
        reply = Reply(s)
        assert (reply.status, reply.reason) == (403, "source_not_allowed") and b"the address is ::1" in reply.body
    assert told[0]["source.ip"] == "::1"


def test_the_same_host_is_refused_by_the_same_word_in_every_mode(lab, exeat):
    """D12; the transparent modes have the same table in test_transparent.py."""
    assert connect_reply(exeat, "evil.test:443").reason == ask_once(exeat, http_request("GET", "http://evil.test:443/")).reason == "not_allowed"


def test_nothing_a_client_sent_becomes_a_metric_label(exeat):
    for i in range(50):
        connect_reply(exeat, f"random-{i}.evil.test:443")
    _, text = exeat.fetch("/metrics")
    assert "evil.test" not in text and "random-" not in text


def test_what_a_client_sent_is_escaped_and_capped_in_the_audit_log(lab, exeat):
    with refused(lab, exeat, "host_syntax"):
        connect_reply(exeat, 'x"},{"event.action":"open\x1b[2J' + "y" * 3000 + ":443")
    assert max(map(len, exeat.audit_path.read_bytes().splitlines())) < 2000


def test_the_admin_port_changes_nothing(exeat):
    """I16: there is no mutating HTTP."""
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/metrics", "/reload", "/mode", "/-/reload"):
            assert exeat.fetch(path, method)[0] in (404, 405)
    assert exeat.fetch("/healthz")[0] == 200
