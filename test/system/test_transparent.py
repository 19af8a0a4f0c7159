"""Pods that know of no proxy: REDIRECT and TPROXY in a namespace of their own, IPv4 and IPv6; and the sni listener."""
import socket

import pytest
from harness import hello as tls
from harness.client import Reply, curl, gone, read_to_end
from harness.exeat import free_port
from harness.http_origin import reply
from harness.oracle import refused
from harness.origin import swallow
from harness.wait import seconds, wait_until

ALLOWLIST = """
serial = 7
[groups.pods]
sources = ["10.42.0.0/16", "10.43.0.0/16", "fd00:42::/64", "fd00:43::/64"]
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "site"
hosts = ["site.test", "*.w.test"]
[[allow]]
name = "plain"
hosts = ["plain.test"]
protocol = "http"
"""
ATTACKER = {4: "93.184.216.251", 6: "2606:2800:220:1::fb"}


@pytest.fixture(scope="module")
def ports():
    return {"redirect": free_port(), "tproxy": free_port(), "sni": free_port()}


@pytest.fixture(scope="module")
def exeat(lab, ports):
    listen = [{"mode": "transparent", "via": via, "address": f"{host}:{ports[via]}"} for via in ("redirect", "tproxy") for host in ("0.0.0.0", "[::]")]
    listen += [{"mode": "sni", "address": f"{host}:{ports['sni']}", "port": 443} for host in ("127.0.0.1", "10.42.0.1")]
    with lab.exeat(ALLOWLIST, listen=listen, limits={"hello_timeout": "2s", "head_timeout": "2s"}) as running:
        lab.topology.redirect(ports["redirect"])
        lab.topology.tproxy(ports["tproxy"])
        yield running


@pytest.fixture(scope="module")
def site(lab):
    four, _ = lab.place("site.test", "a.w.test", v6=False)
    return lab.tls_origin("site.test", "a.w.test", host=four)


@pytest.fixture(scope="module")
def plain(lab):
    _, six = lab.place("plain.test", v4=False)
    return lab.http_origin(six, routes={"*": reply(b"plain hello\n")})


@pytest.fixture(params=["redirect", "tproxy"])
def pod(lab, request):
    return lab.topology.pod if request.param == "redirect" else lab.topology.pod2


@pytest.mark.parametrize("version", [4, 6])
def test_curl_in_a_pod_needs_no_proxy_setting(lab, exeat, site, pod, version):
    """The pod's own DNS says nonsense: only the name counts."""
    there = ATTACKER[version]
    done = curl("--cacert", lab.authority.file, "--resolve", f"site.test:443:{there}", "https://site.test/", namespace=pod)
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr


@pytest.mark.parametrize("version", [4, 6])
def test_plain_http_goes_by_host(lab, exeat, plain, pod, version):
    done = curl("--resolve", f"plain.test:80:{ATTACKER[version]}", "http://plain.test/", namespace=pod)
    assert (done.returncode, done.stdout) == (0, b"plain hello\n"), done.stderr


def test_the_address_that_the_client_dialled_is_never_dialled(lab, exeat, site, pod):
    """F2: SNI of an allowed site, destination of the attacker."""
    evil = lab.origin(ATTACKER[4], 443, swallow)
    before = exeat.metric("orig_dst_mismatch_total")
    lab.topology.forget_dialled()
    with pod.connect(ATTACKER[4], 443, seconds(30)) as s, lab.authority.client_context().wrap_socket(s, server_hostname="site.test") as t:
        t.sendall(b"GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n")
        assert b"hello from the origin" in read_to_end(t)
    assert {a for a, _ in lab.topology.dialled()} == {lab.dns.table["site.test"].addresses[0]}
    assert not evil.peers
    wait_until(lambda: exeat.metric("orig_dst_mismatch_total") == before + 1)
    evil.close()


def test_requests_and_audit_carry_the_mode_and_the_pod(lab, exeat, site):
    lines, before = exeat.settled(), exeat.metric("requests_total", mode="transparent_tls", decision="allowed")
    curl("--cacert", lab.authority.file, "--resolve", f"a.w.test:443:{ATTACKER[4]}", "https://a.w.test/", namespace=lab.topology.pod)
    wait_until(lambda: exeat.metric("requests_total", mode="transparent_tls", decision="allowed") == before + 1)
    line = wait_until(lambda: exeat.audit(lines, event__action="close"))[0]
    assert (line["source.ip"], line["exeat.group"], line["tls.client.server_name"]) == ("10.42.0.2", "pods", "a.w.test")
    assert (line["exeat.mode"], line["rule.name"], line["destination.port"]) == ("transparent_tls", "site", 443)


REFUSED = [
    ("an unknown name", "not_allowed", 112, 443, lambda: tls.genuine("evil.test")),
    ("no name", "sni_missing", 112, 443, lambda: tls.genuine(None)),
    ("a wrong port", "port_not_allowed", 49, 22, lambda: tls.genuine("site.test")),
    ("ECH", "ech", 49, 443, lambda: tls.with_ech("site.test")),
    ("garbage", "not_tls", 50, 443, lambda: b"ssh-2.0 hello\r\n"),
    ("an address as name", "host_syntax", 50, 443, lambda: tls.named(b"93.184.216.34")),
    ("a NUL in the name", "host_syntax", 50, 443, lambda: tls.named(b"evil.test\0.site.test")),
    ("a wrong protocol", "protocol_not_allowed", 49, 443, lambda: tls.genuine("plain.test")),
]


@pytest.mark.parametrize("what, reason, alert, port, first", REFUSED, ids=[r[0] for r in REFUSED])
def test_a_refused_hello_gets_an_alert_and_nothing_else_happens(lab, exeat, site, plain, pod, what, reason, alert, port, first):
    if reason == "protocol_not_allowed":
        port = 80
    with refused(lab, exeat, reason) as told:
        with pod.connect(ATTACKER[4], port, seconds(30)) as s:
            s.sendall(first())
            assert tls.alert_of(read_to_end(s)) == alert
    assert told[0]["exeat.mode"].startswith("transparent") and told[0]["exeat.group"] == "pods"


@pytest.mark.parametrize("host, reason, status", [("evil.test", "not_allowed", 403), ("site.test:443", "protocol_not_allowed", 403), ("site.test:8443", "host_mismatch", 400), ("a b", "host_syntax", 400)])
def test_a_refused_plain_request_gets_a_reply(lab, exeat, pod, host, reason, status):
    with refused(lab, exeat, reason):
        with pod.connect(ATTACKER[6], 443 if "site" in host else 80, seconds(30)) as s:
            s.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            got = Reply(s)
            assert (got.status, got.reason) == (status, reason)


def test_a_rule_that_goes_closes_redirected_connections(lab, exeat, site, pod):
    with pod.connect(ATTACKER[4], 443, seconds(30)) as s, lab.authority.client_context().wrap_socket(s, server_hostname="a.w.test") as t:
        t.sendall(b"GET / HTTP/1.1\r\nHost: a.w.test\r\n\r\n")
        assert b"hello from the origin" in Reply(t).body
        exeat.reload(ALLOWLIST.replace(', "*.w.test"', ""))
        assert gone(t)
    exeat.reload(ALLOWLIST)


def test_who_dials_the_transparent_port_itself_is_refused(lab, exeat, ports):
    """G1: no original destination, or our own."""
    with refused(lab, exeat, "no_orig_dst"), exeat.connect(port=ports["redirect"]) as s:
        s.sendall(tls.genuine("site.test"))
        assert tls.alert_of(read_to_end(s)) == 49
    with refused(lab, exeat, "no_orig_dst"), lab.topology.pod.connect("10.42.0.1", ports["redirect"], seconds(30)) as s:
        assert gone_or_alerted(s)


def gone_or_alerted(s):
    return tls.alert_of(read_to_end(s)) == 49


def test_who_is_in_no_group_is_refused_before_a_byte_is_read(lab, exeat, ports):
    with refused(lab, exeat, "source_not_allowed"), exeat.connect("::1", ports["redirect"]) as s:
        assert tls.alert_of(read_to_end(s)) == 49


def test_a_silent_client_is_let_go(lab, exeat, pod):
    before = exeat.metric("silent_connections_total"), exeat.metric("denied_total")
    with pod.connect(ATTACKER[4], 443, seconds(30)) as s:
        assert read_to_end(s) == b""
    pod.connect(ATTACKER[4], 443, seconds(30)).close()
    wait_until(lambda: exeat.metric("silent_connections_total") == before[0] + 2)
    assert exeat.metric("denied_total") == before[1]


@pytest.mark.parametrize("port, first", [(443, b"\x16"), (80, b"G")])
def test_a_client_that_says_part_of_what_it_wants_is_refused(lab, exeat, pod, port, first):
    with refused(lab, exeat, "hello_timeout" if port == 443 else "head_timeout"), pod.connect(ATTACKER[4], port, seconds(30)) as s:
        s.sendall(first)
        assert read_to_end(s) != b""


def test_a_hello_in_three_segments_is_one_hello(lab, exeat, site, pod):
    with pod.connect(ATTACKER[4], 443, seconds(30)) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = tls.genuine("site.test")
        for part in (first[:1], first[1:120], first[120:]):
            s.sendall(part)
        assert s.recv(1) == b"\x16"


def test_openssl_s_client_in_a_pod(lab, exeat, site, pod):
    done = pod.command("openssl", "s_client", "-connect", f"{ATTACKER[4]}:443", "-servername", "site.test", "-CAfile", lab.authority.file, "-verify_return_error",
                       "-quiet", "-ign_eof", input="GET / HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n\r\n", check=False)
    assert "hello from the origin" in done.stdout, done.stderr


def test_the_sni_listener_stands_for_its_port(lab, exeat, site, ports):
    done = curl("--cacert", lab.authority.file, "--resolve", f"site.test:{ports['sni']}:127.0.0.1", f"https://site.test:{ports['sni']}/")
    assert (done.returncode, done.stdout) == (0, b"hello from the origin\n"), done.stderr
    assert exeat.metric("requests_total", mode="sni", decision="allowed") >= 1


@pytest.mark.parametrize("name, reason, alert", [("evil.test", "not_allowed", 112), (None, "sni_missing", 112), ("plain.test", "protocol_not_allowed", 49)])
def test_the_sni_listener_refuses_with_an_alert(lab, exeat, ports, name, reason, alert):
    if name == "plain.test":
        reason = "port_not_allowed"  # it is allowed on 80 only
    with refused(lab, exeat, reason) as told, exeat.connect(port=ports["sni"]) as s:
        s.sendall(tls.genuine(name))
        assert tls.alert_of(read_to_end(s)) == alert
    assert told[0]["exeat.mode"] == "sni"


def test_no_traffic_of_a_pod_passes_by(lab, exeat):
    """What is not TCP finds no way: the namespace forwards nothing."""
    lab.topology.forget_dialled()
    s = lab.topology.pod.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"x", (ATTACKER[4], 443))
    lab.topology.pod.connect(ATTACKER[4], 443, seconds(30)).close()  # by the same link: what was sent before it has arrived as well
    assert lab.topology.dialled() == set()
