"""Behind a load balancer: listeners that believe a PROXY protocol header, from the balancers they name and from nobody else."""
import socket
import struct

import pytest
from harness import hello as tls
from harness.client import Reply, ask, connect_request, gone, http_request, read_exactly, read_to_end, take_head
from harness.exeat import free_port
from harness.oracle import refused
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.pods]
sources = ["10.42.0.0/16", "10.43.0.0/16", "fd00:42::/64"]
[groups.others]
sources = ["192.168.7.0/24"]
[groups.balancer]
sources = ["127.0.9.9"]
[[allow]]
name = "raw"
hosts = ["echo.px.test"]
ports = [7]
protocol = "tcp"
groups = ["pods"]
[[allow]]
name = "site"
hosts = ["site.px.test"]
groups = ["pods"]
[[allow]]
name = "plain"
hosts = ["plain.px.test"]
protocol = "http"
groups = ["pods", "balancer"]
"""
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
BALANCERS = ["127.0.9.0/24", "10.42.0.2", "10.43.0.2"]


def v1(source="10.42.3.7", port=54321):
    return f"PROXY TCP4 {source} 10.0.0.1 {port} 3128\r\n".encode()


def v2(source="10.42.3.7", port=54321, command=0x21, tlvs=b""):
    six = ":" in source
    family = socket.AF_INET6 if six else socket.AF_INET
    block = socket.inet_pton(family, source) + socket.inet_pton(family, "::1" if six else "10.0.0.1") + struct.pack("!HH", port, 3128) + tlvs
    return SIGNATURE + struct.pack("!BBH", command, 0x21 if six else 0x11, len(block)) + block


def local():
    return SIGNATURE + b"\x20\x00\x00\x00"


@pytest.fixture(scope="module")
def ports():
    return {"proxy": free_port(), "redirect": free_port(), "tproxy": free_port(), "sni": free_port()}


@pytest.fixture(scope="module")
def exeat(lab, ports):
    listen = [{"mode": "transparent", "via": via, "address": f"0.0.0.0:{ports[via]}"} for via in ("redirect", "tproxy")]
    listen += [{"mode": mode, "address": f"127.0.0.1:{ports[mode]}"} for mode in ("proxy", "sni")]
    listen = [dict(each, name=f"behind-{n}", proxy_protocol_from=BALANCERS) for n, each in enumerate(listen)]
    with lab.exeat(ALLOWLIST, listen=listen, limits={"head_timeout": "2s", "hello_timeout": "2s", "connections_per_source": 3}) as running:
        lab.topology.redirect(ports["redirect"])
        lab.topology.tproxy(ports["tproxy"])
        yield running


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.px.test", "plain.px.test", "site.px.test", v6=False)
    return lab.origin(host, 7), lab.http_origin(host), lab.tls_origin("site.px.test", host=host)


@pytest.fixture
def behind(exeat, ports):
    """A connection of the balancer's to the proxy listener that believes it."""
    made = []

    def connect(source="127.0.9.1", mode="proxy"):
        made.append(exeat.connect(port=ports[mode], source=source))
        return made[-1]

    yield connect
    for s in made:
        s.close()
    exeat.settled()


def said(exeat, before, **fields):
    return wait_until(lambda: exeat.audit(before, **fields), what=f"a line with {fields}")


@pytest.mark.parametrize("header, client", [(v1(), "10.42.3.7"), (v2(), "10.42.3.7"), (v2("fd00:42::7"), "fd00:42::7"), (v2(tlvs=b"\xea\0\2\1\1"), "10.42.3.7")])
def test_the_client_of_the_header_is_judged_logged_and_counted(exeat, behind, header, client):
    before = exeat.settled()
    s = behind()
    s.sendall(header + connect_request("echo.px.test:7"))
    assert take_head(s).startswith(b"HTTP/1.1 200 ")
    s.sendall(b"ping")
    assert read_exactly(s, 4) == b"ping"
    line = said(exeat, before, event__action="open")[0]
    assert (line["source.ip"], line["source.port"], line["exeat.group"]) == (client, 54321, "pods")


def test_a_client_of_no_group_is_refused_though_its_balancer_is_in_one(exeat, behind):
    s = behind("127.0.9.9")
    assert ask(s, v1("203.0.113.7") + http_request("GET", "http://plain.px.test/")).reason == "source_not_allowed"


def test_groups_of_the_balancer_are_not_the_clients(exeat, behind):
    s = behind("127.0.9.9")
    assert ask(s, v1("192.168.7.1") + http_request("GET", "http://plain.px.test/")).reason == "not_allowed"


@pytest.mark.parametrize("header", [local(), b"PROXY UNKNOWN\r\n", SIGNATURE + b"\x21\x00\x00\x00"])
def test_a_balancer_that_speaks_for_itself_is_the_client(exeat, behind, header):
    before = exeat.settled()
    s = behind("127.0.9.9")
    assert ask(s, header + http_request("GET", "http://plain.px.test/")).status == 200
    assert said(exeat, before, event__action="open")[0]["source.ip"] == "127.0.9.9"


def test_a_header_may_come_byte_by_byte_and_the_request_right_behind_it(exeat, behind):
    s = behind()
    for byte in v2()[:-1]:
        s.sendall(bytes([byte]))
    assert ask(s, v2()[-1:] + http_request("GET", "http://plain.px.test/")).status == 200


def test_on_a_kept_connection_the_client_stays_who_it_was(exeat, behind):
    before = exeat.settled()
    s = behind()
    assert ask(s, v2() + http_request("GET", "http://plain.px.test/a")).status == 200
    assert ask(s, http_request("GET", "http://plain.px.test/b")).status == 200
    wait_until(lambda: len(exeat.audit(before, event__action="open")) == 2)
    assert {line["source.ip"] for line in exeat.audit(before, event__action="open")} == {"10.42.3.7"}
    assert ask(s, v2("10.42.3.8") + http_request("GET", "http://plain.px.test/c")).status == 400


def test_nobody_else_is_believed_or_served(exeat, behind):
    before = exeat.settled()
    s = behind("127.0.0.1")
    assert ask(s, v1() + http_request("GET", "http://plain.px.test/")).reason == "proxy_sender"
    line = said(exeat, before, event__action="deny")[0]
    assert line["source.ip"] == "127.0.0.1"


def test_an_ordinary_listener_believes_no_header(exeat):
    with exeat.connect(source="127.0.9.1") as s:
        assert ask(s, v1() + http_request("GET", "http://plain.px.test/")).status in (400, 403)


@pytest.mark.parametrize("bytes_sent", [
    http_request("GET", "http://plain.px.test/"), b"\x16\x03\x01\x02\x00", v1().replace(b" 54321", b""), v1().replace(b"10.42.3.7", b"10.42.3.07"),
    v1().replace(b"\r\n", b"\n" * 107), b"PROXY UNKNOWN " + b"f" * 100, v2(command=0x11), SIGNATURE + b"\x21\x12\x00\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\x00\x04" + bytes(4), SIGNATURE + b"\x21\x11\x08\x00", SIGNATURE + b"\x20\x00\xff\xff"])
def test_what_is_no_header_is_refused_and_goes_nowhere(lab, exeat, behind, bytes_sent):
    lab.topology.forget_dialled()
    s = behind()
    reply = ask(s, bytes_sent)
    assert (reply.status, reply.reason) == (400, "proxy_header")
    assert not lab.topology.dialled()


@pytest.mark.parametrize("begun", [b"PROXY TCP4 10.42", v2()[:20]])
def test_a_header_that_does_not_come_in_time_is_refused(exeat, behind, begun):
    s = behind()
    s.sendall(begun)
    assert Reply(s).reason == "proxy_header"


def test_who_says_nothing_before_a_header_or_behind_it_is_let_go_without_a_word(exeat, behind):
    before = exeat.metric("silent_connections_total"), exeat.metric("denied_total")
    for said in (b"", b"PROXY TCP4 10.42.0.7 10.42.0.1 4711 3128\r\n"):
        s = behind()
        s.sendall(said)
        assert read_to_end(s) == b""
    wait_until(lambda: exeat.metric("silent_connections_total") == before[0] + 2)
    assert exeat.metric("denied_total") == before[1]


def test_a_balancer_that_only_looks_whether_the_port_is_open_leaves_no_line(exeat, behind):
    before, accepted = exeat.settled(), exeat.metric("connections_total")
    behind().close()
    wait_until(lambda: exeat.metric("connections_total") == accepted + 1)
    assert exeat.settled() == before


def test_connections_are_counted_for_the_client_and_not_for_its_balancer(exeat, behind):
    """connections_per_source is 3."""
    open_now = []
    for n in range(1, 5):
        s = behind()
        s.sendall(v1(f"10.42.3.{n}") + connect_request("echo.px.test:7"))
        assert take_head(s).startswith(b"HTTP/1.1 200 ")
        open_now.append(s)
    for _ in range(2):
        s = behind()
        s.sendall(v1("10.42.3.1") + connect_request("echo.px.test:7"))
        assert take_head(s).startswith(b"HTTP/1.1 200 ")
        open_now.append(s)
    assert ask(behind(), v1("10.42.3.1") + connect_request("echo.px.test:7")).reason == "overload"
    open_now[0].close()

    def place_again():
        s = behind()
        s.sendall(v1("10.42.3.1") + connect_request("echo.px.test:7"))
        return Reply(s, method="CONNECT").status == 200

    wait_until(place_again)


def handshake(lab, s, header):
    s.sendall(header)
    with lab.authority.client_context().wrap_socket(s, server_hostname="site.px.test") as t:
        t.sendall(b"GET / HTTP/1.1\r\nHost: site.px.test\r\n\r\n")
        return Reply(t).status


@pytest.mark.parametrize("header", [v1(), v2()])
def test_on_the_sni_listener(lab, exeat, behind, header):
    before = exeat.settled()
    assert handshake(lab, behind(mode="sni"), header) == 200
    assert said(exeat, before, event__action="open")[0]["source.ip"] == "10.42.3.7"


def test_on_the_sni_listener_a_refusal_is_an_alert(lab, exeat, behind):
    with refused(lab, exeat, "proxy_header"):
        s = behind(mode="sni")
        s.sendall(tls.genuine("site.px.test"))
        assert read_to_end(s)[:1] == b"\x15"
    with refused(lab, exeat, "proxy_sender"):
        s = behind("127.0.0.1", mode="sni")
        s.sendall(v1() + tls.genuine("site.px.test"))
        assert read_to_end(s)[:1] == b"\x15"


@pytest.mark.parametrize("via", ["redirect", "tproxy"])
def test_on_a_transparent_listener(lab, exeat, via):
    before = exeat.settled()
    pod = lab.topology.pod if via == "redirect" else lab.topology.pod2
    with pod.connect("93.184.216.251", 443, seconds(30)) as s:
        assert handshake(lab, s, v2("10.42.9.9")) == 200
    assert said(exeat, before, event__action="open")[0]["source.ip"] == "10.42.9.9"
    with pod.connect("93.184.216.251", 443, seconds(30)) as s:
        s.sendall(tls.genuine("site.px.test"))
        assert read_to_end(s)[:1] == b"\x15"
        assert gone(s)
    exeat.settled()
    assert said(exeat, before, event__action="deny")[0]["event.reason"] == "proxy_header"
