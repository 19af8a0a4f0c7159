"""[network] of exeat.toml: what is the site's own though its class is public (B4, H10), NAT64 of the site's own (B6), and clients in IPv6, which have
as many addresses as they like."""
import ipaddress
import json
import socket

import pytest
from harness.client import Reply, ask, connect_reply, connect_request, open_tunnel, read_exactly, take_head
from harness.exeat import free_port, run
from harness.oracle import refused
from harness.origin import swallow
from harness.state import known_past
from harness.topology import public4, public6
from harness.wait import wait_until

MEBIBYTE = 1 << 20
NAT64 = ipaddress.ip_network("2606:2800:220:1:0:6464::/96")  # in the world, behind every interface of exeat's
INTERNAL4, INTERNAL6 = public4(240), public6(0x240)
HIDDEN = [("10.20.0.5", "addr_class"), ("100.64.0.1", "addr_class"), ("192.168.1.1", "addr_class"), ("127.0.0.1", "addr_class"), ("0.0.0.0", "addr_class"),
          ("169.254.169.254", "addr_class"), ("168.63.129.16", "addr_class"), ("100.100.100.200", "addr_class"), ("224.0.0.1", "addr_class"),
          (INTERNAL4, "addr_class"), ("10.200.0.1", "self_connect"), ("10.42.0.1", "self_connect")]
HOSTS = ["echo", "both", "internal4", "internal6", "translated", *(f"{kind}-{quad.replace('.', '-')}" for kind in ("alone", "beside") for quad, _ in HIDDEN)]
ALLOWLIST = f"""
serial = 7
[groups.lab]
sources = ["127.0.0.0/8", "fd00:77::/32"]
[[allow]]
name = "raw"
hosts = ["{{}}.site.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "wide"
hosts = ["*.names.test"]
protocol = "http"
names = 3
[[allow]]
name = "sink"
hosts = ["sink.site.test"]
ports = [9]
protocol = "tcp"
upload = "2 MiB/1h"
[[private_link]]
name = "link"
hosts = ["link4.site.test", "link6.site.test"]
ports = [7]
protocol = "tcp"
within = ["{INTERNAL4}/32", "{INTERNAL6}/128"]
[[private_link]]
name = "translated-link"
hosts = ["inner.site.test", "beside.site.test"]
ports = [7]
protocol = "tcp"
within = ["10.20.0.0/16"]
""".replace('"{}.site.test"', ", ".join(f'"{n}.site.test"' for n in HOSTS))
SITE = f"""
[network]
internal = ["{INTERNAL4}/32", "{INTERNAL6}/128", "2606:2800:220:1:0:6464::/96"]
nat64 = "{NAT64}"
"""


def translated(quad):
    return str(NAT64[int(ipaddress.ip_address(quad))])


def settings(running, text):
    running.config_path.write_text(running.config_path.read_text() + text)
    return running


@pytest.fixture(scope="module")
def exeat(lab):
    with settings(lab.exeat(ALLOWLIST), SITE) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.site.test", "sink.site.test", v6=False)
    lab.origin(host, 7)
    for address in (INTERNAL4, INTERNAL6, translated(public4(250)), translated("10.20.0.5")):
        lab.origin(address, 7)
    return lab.origin(host, 9, serve=swallow)


def passes(exeat, name):
    with open_tunnel(exeat, f"{name}:7") as s:
        s.sendall(b"ping")
        return read_exactly(s, 4) == b"ping"


# ---- what is the site's own

@pytest.mark.parametrize("name, address", [("internal4", INTERNAL4), ("internal6", INTERNAL6)])
def test_an_allowed_name_that_resolves_into_the_sites_own_network_is_refused(lab, exeat, name, address):
    host = f"{name}.site.test"
    lab.dns.set(host, address)
    with refused(lab, exeat, "addr_class", resolves=[host]):
        assert connect_reply(exeat, f"{host}:7").reason == "addr_class"


def test_one_address_of_the_sites_own_refuses_the_whole_answer(lab, exeat):
    lab.dns.set("both.site.test", public4(251), INTERNAL4)
    with refused(lab, exeat, "addr_class", resolves=["both.site.test"]):
        assert connect_reply(exeat, "both.site.test:7").reason == "addr_class"


@pytest.mark.parametrize("name, address", [("link4", INTERNAL4), ("link6", INTERNAL6)])
def test_a_private_link_that_names_the_sites_own_network_reaches_it(lab, exeat, name, address):
    lab.dns.set(f"{name}.site.test", address)
    assert passes(exeat, f"{name}.site.test")


# ---- NAT64

def test_a_public_address_behind_the_sites_nat64_is_reached(lab, exeat):
    lab.dns.set("translated.site.test", translated(public4(250)))
    assert passes(exeat, "translated.site.test")


@pytest.mark.parametrize("quad, reason", HIDDEN)
def test_what_hides_in_a_nat64_address_is_judged(lab, exeat, quad, reason):
    for kind, answer in (("alone", [translated(quad)]), ("beside", [public4(252), translated(quad)])):
        host = f"{kind}-{quad.replace('.', '-')}.site.test"
        lab.dns.set(host, *answer)
        with refused(lab, exeat, reason, resolves=[host]):
            assert connect_reply(exeat, f"{host}:7").reason == reason


def test_a_private_link_names_what_is_behind_nat64_in_ipv4(lab, exeat):
    lab.dns.set("inner.site.test", translated("10.20.0.5"))
    assert passes(exeat, "inner.site.test")
    lab.dns.set("beside.site.test", translated("10.21.0.5"))
    with refused(lab, exeat, "private_link_cidr", resolves=["beside.site.test"]):
        assert connect_reply(exeat, "beside.site.test:7").reason == "private_link_cidr"


def test_explain_and_check_judge_as_the_site_is(lab, exeat, tmp_path):
    literal = f'[[allow]]\nname = "literal"\nhosts = ["{INTERNAL4}"]\nports = [7]\nprotocol = "tcp"\n'
    changed = tmp_path / "allowlist.toml"
    changed.write_text(ALLOWLIST + literal)
    asked = ["explain", "--client", "127.0.0.1", "--format", "json", "--allowlist", changed, f"{INTERNAL4}:7"]
    with_site = json.loads(run(*asked, "--config", exeat.config_path).stdout)[0]
    assert (with_site["verdict"], with_site["allowed"]) == ("addr_class", False)
    assert f"{INTERNAL4} is private_use: it may not be dialled" in with_site["notes"], with_site
    assert json.loads(run(*asked).stdout)[0]["allowed"] is True
    assert f"{INTERNAL4} is private_use at this site" in run("check", "--config", exeat.config_path, changed).stdout
    assert "at this site" not in run("check", changed).stdout


def test_the_list_s_own_tests_know_the_site(exeat, tmp_path):
    text = ALLOWLIST + f'''[[allow]]
name = "literal"
hosts = ["{INTERNAL4}"]
ports = [7]
protocol = "tcp"
[[expect]]
client = "127.0.0.1"
target = "{INTERNAL4}:7"
verdict = "addr_class"
'''
    tested = tmp_path / "allowlist.toml"
    tested.write_text(text)
    assert run("check", "--config", exeat.config_path, tested).returncode == 0
    assert "is addr_class, but it is allowed by 'literal'" in run("check", tested).stdout
    granted = run("grant", "--config", exeat.config_path, "--allowlist", tested, "--entry", "x", "--for", "1h", "--host", "x.test", "--owner", "o", "--reason", "r")
    assert granted.returncode == 0, granted.stdout + granted.stderr
    exeat.reload(text)  # waits until it is in force
    assert connect_reply(exeat, f"{INTERNAL4}:7").reason == "addr_class"
    exeat.reload(ALLOWLIST)


# ---- who a client is

@pytest.fixture(scope="module")
def sources(lab):
    """Addresses of one /64, and one of another."""
    one, other = [f"fd00:77::{n:x}" for n in range(1, 9)], "fd00:77:0:1::1"
    for a in [*one, other]:
        lab.topology.inside.ip(f"-6 addr add {a}/128 dev lo nodad")
    yield one, other
    for a in [*one, other]:
        lab.topology.inside.ip(f"-6 addr del {a}/128 dev lo")


def ask_from(exeat, source, target="echo.site.test:7"):
    s = exeat.connect("::1", source=source)
    s.sendall(connect_request(target))
    return s


def fill(exeat, connect, one, other):
    """Three are open from three addresses of a /64. Then: whether a fourth address of it is refused."""
    held = [connect(a) for a in one[:3]]
    try:
        for s in held:
            assert take_head(s).startswith(b"HTTP/1.1 200 ")
        with connect(other) as s:
            assert take_head(s).startswith(b"HTTP/1.1 200 "), "another /64 is another client"
        with connect(one[3]) as s:
            return Reply(s, method="CONNECT").status == 503
    finally:
        for s in held:
            s.close()


@pytest.mark.parametrize("bits, full", [(None, True), (128, False), (48, None)])
def test_a_client_that_changes_its_address_within_a_64_has_one_share_of_the_connections(lab, sources, bits, full):
    port = free_port()
    running = lab.exeat(ALLOWLIST, listen=[{"mode": "proxy", "address": f"127.0.0.1:{port}", "proxy_protocol_from": ["127.0.9.9"]}],
                        limits={"connections_per_source": 3})
    with settings(running, f"[network]\nclient_prefix = {bits}\n" if bits else "") as exeat:
        one, other = sources

        def behind_a_balancer(source):
            s = exeat.connect(port=port, source="127.0.9.9")
            s.sendall(f"PROXY TCP6 {source} ::1 54321 3128\r\n".encode() + connect_request("echo.site.test:7"))
            return s

        for connect in (lambda source: ask_from(exeat, source), behind_a_balancer):
            if bits == 48:
                with pytest.raises(AssertionError, match="another /64"):
                    fill(exeat, connect, one, other)
            else:
                assert fill(exeat, connect, one, other) is full
            exeat.settled()
        assert {line["source.ip"] for line in exeat.audit(event__action="open")} >= set(one[:3]), "the log has the address itself"


def push(exeat, source, size):
    try:
        with open_tunnel(exeat, "sink.site.test:9", host="::1", source=source) as s:
            s.sendall(bytes(size))
            s.shutdown(socket.SHUT_WR)
            s.recv(1)
    except (OSError, AssertionError):
        pass  # cut, or refused from the start


def test_a_client_that_changes_its_address_within_a_64_has_one_budget(lab, sources, origins):
    """Half of 2 MiB: a start without a snapshot counts half as spent."""
    one, other = sources
    with lab.exeat(ALLOWLIST) as exeat:
        origins.clear()
        for source in one:
            push(exeat, source, MEBIBYTE // 2)
        exeat.settled()
        wait_until(origins.at_rest)
        assert origins.received_bytes == MEBIBYTE
        push(exeat, other, MEBIBYTE // 2)
        exeat.settled()
        wait_until(origins.at_rest)
        assert origins.received_bytes == MEBIBYTE * 3 // 2, "another /64 is another client"


def test_a_client_that_changes_its_address_within_a_64_has_one_budget_of_names(lab, sources, tmp_path):
    one, other = sources
    request = lambda n: f"GET http://n{n}.names.test/ HTTP/1.1\r\nHost: n{n}.names.test\r\nConnection: close\r\n\r\n".encode()
    with lab.exeat(ALLOWLIST, policy={"state": known_past(tmp_path / "state")}) as exeat:
        said = [ask(exeat.connect("::1", source=one[n]), request(n)).reason for n in range(5)]
        assert said == ["dns_failure"] * 3 + ["name_budget"] * 2
        assert ask(exeat.connect("::1", source=other), request(4)).reason == "dns_failure"


def test_a_client_that_changes_its_address_within_a_64_is_one_to_detectors_and_wherever_it_is_shown(lab, sources):
    one, _ = sources
    with lab.exeat(ALLOWLIST) as exeat:
        for n in range(6):  # one door each
            connect_reply(exeat, f"door{n}.site.test:443", host="::1", source=one[n])
        line = wait_until(lambda: exeat.audit(event__action="anomaly"))[0]
        assert line["event.reason"] == "denied_burst" and line["source.address"] == "fd00:77::/64" and "source.ip" not in line
        for source in one:
            push(exeat, source, MEBIBYTE // 2)
        wait_until(lambda: exeat.metric("client_bytes_total", client="lab/fd00:77::/64", direction="upload", purpose="pull") == MEBIBYTE)
        status = lambda: json.loads(exeat.fetch("/api/status")[1])
        wait_until(lambda: [c["client"] for c in status()["clients"]] == ["lab/fd00:77::/64"])
        assert {b["client"] for b in status()["budgets"]} == {"fd00:77::/64"}
        assert status()["anomalies"]["recent"][0]["client"] == "fd00:77::/64"
        with open_tunnel(exeat, "echo.site.test:7", host="::1", source=one[0]), open_tunnel(exeat, "echo.site.test:7", host="::1", source=one[1]):
            shown = lambda client: [t["client"] for t in json.loads(exeat.fetch(f"/api/tunnels?sort=client&client={client}")[1])["tunnels"]]
            assert shown("fd00:77::/64") == shown("fd00:77::%2f64") == one[:2]
            assert shown(one[1]) == one[1:2] and shown("fd00:77:0:1::/64") == []
