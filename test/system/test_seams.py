"""Between two waits: the list changes after the connection and before its hello, or a client goes before it has said one."""
import hashlib
import socket

import pytest
from harness import hello as tls
from harness.client import connect_reply, gone, open_tunnel, read_to_end
from harness.exeat import free_port
from harness.oracle import refused
from harness.origin import swallow
from harness.wait import seconds, wait_until

MEBIBYTE = 1 << 20
ATTACKER = "93.184.216.251"


def entry(name, hosts, more=""):
    return f'[[allow]]\nname = "{name}"\nhosts = ["{hosts}"]\n{more}\n'


SITE = entry("site", "site.seam.test")
ALLOWLIST = 'serial = 7\n[groups.lab]\nsources = ["127.0.0.0/8", "10.42.0.0/16", "10.43.0.0/16"]\n' + entry("other", "other.seam.test")


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def ports():
    return {way: free_port() for way in ("sni", "redirect", "tproxy")}


@pytest.fixture(scope="module")
def module_exeat(lab, ports):
    listen = [{"mode": "sni", "address": f"127.0.0.1:{ports['sni']}", "port": 443}]
    listen += [{"mode": "transparent", "via": via, "address": f"0.0.0.0:{ports[via]}"} for via in ("redirect", "tproxy")]
    with lab.exeat(ALLOWLIST, listen=listen, limits={"hello_timeout": "4m"}) as running:
        lab.topology.redirect(ports["redirect"])
        lab.topology.tproxy(ports["tproxy"])
        yield running


@pytest.fixture
def exeat(module_exeat):
    """With the list that allows the site in force."""
    module_exeat.reload(ALLOWLIST + SITE)
    return module_exeat


@pytest.fixture(scope="module", autouse=True)
def site(lab):
    host, _ = lab.place("site.seam.test", *(f"n{n}.many.seam.test" for n in range(20)), v6=False)
    return lab.origin(host, 443, swallow)


@pytest.fixture(params=["sni", "redirect", "tproxy"])
def way_in(lab, ports, request, module_exeat):
    """A connection that has said nothing."""
    if request.param == "sni":
        return lambda: module_exeat.connect(port=ports["sni"])
    pod = lab.topology.pod if request.param == "redirect" else lab.topology.pod2
    return lambda: pod.connect(ATTACKER, 443, seconds(30))


def accepted(exeat):
    wait_until(lambda: exeat.metric("connections_active") == 1, what="a worker has the connection")


# ---- the hello is judged by the list that is in force when it has come


@pytest.mark.parametrize("already", [0, 100], ids=["silent", "half a hello"])
def test_a_hello_behind_a_reload_that_removes_its_entry_is_refused(lab, exeat, way_in, already):
    hello = tls.genuine("site.seam.test")
    with refused(lab, exeat, "not_allowed") as told, way_in() as s:
        s.sendall(hello[:already])
        accepted(exeat)
        exeat.reload(ALLOWLIST)
        s.sendall(hello[already:])
        assert tls.alert_of(read_to_end(s)) == 112
    assert told[0]["rule.version"] == sha256(ALLOWLIST)


def test_a_hello_behind_a_reload_that_adds_its_entry_passes(exeat, way_in, site):
    exeat.reload(ALLOWLIST)
    lines, hello = exeat.settled(), tls.genuine("site.seam.test")
    site.clear()
    with way_in() as s:
        accepted(exeat)
        exeat.reload(ALLOWLIST + SITE)
        s.sendall(hello)
        wait_until(lambda: site.got(hello))
    exeat.settled()
    assert [line["rule.version"] for line in exeat.audit(lines, event__action="open")] == [sha256(ALLOWLIST + SITE)]
    assert not exeat.audit(lines, event__action="deny")


def test_a_group_that_a_reload_takes_away_is_gone_for_a_silent_connection_too(lab, exeat, way_in):
    narrow = (ALLOWLIST + SITE).replace('"127.0.0.0/8", "10.42.0.0/16", "10.43.0.0/16"', '"10.9.9.9"')
    with refused(lab, exeat, "source_not_allowed") as told, way_in() as s:
        accepted(exeat)
        exeat.reload(narrow)
        s.sendall(tls.genuine("site.seam.test"))
        assert tls.alert_of(read_to_end(s)) == 49
    assert told[0]["rule.version"] == sha256(narrow)


def test_connections_at_every_point_of_their_hello_are_refused_behind_a_reload(lab, exeat, ports):
    hello = tls.genuine("site.seam.test")
    with refused(lab, exeat, "not_allowed", count=12) as told:
        held = [exeat.connect(port=ports["sni"]) for _ in range(12)]
        for n, s in enumerate(held):
            s.sendall(hello[: n * len(hello) // 12])
        wait_until(lambda: exeat.metric("connections_active") == 12)
        exeat.reload(ALLOWLIST)
        for n, s in enumerate(held):
            s.sendall(hello[n * len(hello) // 12 :])
        assert [tls.alert_of(read_to_end(s)) for s in held] == [112] * 12
        for s in held:
            s.close()
    assert {line["rule.version"] for line in told} == {sha256(ALLOWLIST)}


# ---- the budget is the one of the list that is in force when the first byte leaves


LEFT = 32 * 1024  # of 64 KiB, for a start without a snapshot counts half as used
GENEROUS, NARROW = 'upload = "1 GiB/1h"', 'upload = "64 KiB/1h"'
CHANGES = {
    "less": (GENEROUS, NARROW),
    "the purpose's to its own": ('purpose = "api"', f'purpose = "api"\n{NARROW}'),
    "one of all clients added": (GENEROUS, f'{GENEROUS}\nupload_total = "64 KiB/1h"'),
}


@pytest.fixture(scope="module")
def web(lab):
    host, _ = lab.place("budget.seam.test", v6=False)
    return lab.origin(host, 443, swallow, lab.authority.server_context("budget.seam.test"))


def push(s, most):
    try:
        for _ in range(most // 65536):
            s.sendall(bytes(65536))
        s.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it is cut


@pytest.mark.parametrize("change", CHANGES)
def test_a_budget_that_a_reload_lowers_before_the_hello_holds(lab, web, change):
    before, after = (ALLOWLIST + entry("budget", "budget.seam.test", more) for more in CHANGES[change])
    web.clear()
    with lab.exeat(before, limits={"hello_timeout": "4m"}) as exeat:
        with open_tunnel(exeat, "budget.seam.test:443") as s:
            exeat.reload(after)
            with lab.authority.client_context().wrap_socket(s, server_hostname="budget.seam.test") as t:
                push(t, 8 * MEBIBYTE)
                assert gone(t)
        exeat.settled()
        wait_until(web.at_rest)
        assert exeat.metric("bytes_total", entry="budget", direction="upload") == LEFT
        assert 0 < web.received_bytes <= LEFT, "a reset may take back what the origin had not read"
        (line,) = exeat.audit(event__action="close")
        assert (line["event.reason"], line["source.bytes"], line["rule.version"]) == ("budget", LEFT, sha256(after))
        assert connect_reply(exeat, "budget.seam.test:443").reason == "budget"


def test_a_budget_that_another_tunnel_has_spent_is_spent_for_one_that_waits_for_its_hello(lab, web):
    """With two tunnels before the reload: the second has its 200 and no byte left when its hello comes."""
    before, after = (ALLOWLIST + entry("budget", "budget.seam.test", more) for more in (GENEROUS, NARROW))
    web.clear()
    with lab.exeat(before, limits={"hello_timeout": "4m"}) as exeat:
        with open_tunnel(exeat, "budget.seam.test:443") as first, open_tunnel(exeat, "budget.seam.test:443") as second:
            with lab.authority.client_context().wrap_socket(first, server_hostname="budget.seam.test") as t:
                push(t, MEBIBYTE)
                wait_until(lambda: web.received_bytes > MEBIBYTE)
                exeat.reload(after)
                assert tls.alert_of(read_to_end(second)) == 49
        exeat.settled()
        assert [line["event.reason"] for line in exeat.audit(event__action="deny")] == ["budget"]


# ---- who connects somebody and goes has been seen


NAMES = [f"n{n}.many.seam.test" for n in range(20)]


def test_who_has_upstreams_connected_and_says_nothing_leaves_lines_and_is_found(lab, site):
    running = lab.exeat(ALLOWLIST + entry("many", "*.many.seam.test"), limits={"hello_timeout": "4m"})
    running.config_path.write_text(running.config_path.read_text() + "[detect.fan_out]\nthreshold = 15\n")
    with running as exeat:
        asked = lab.dns.mark()
        for name in NAMES:
            assert connect_reply(exeat, f"{name}:443").status == 200
        assert {name for name, _, _ in lab.dns.queries[asked:]} == set(NAMES)
        exeat.settled()
        (address,) = lab.dns.table[NAMES[0]].addresses
        opened, closed = (exeat.audit(event__action=action) for action in ("open", "close"))
        for lines in (opened, closed):
            assert sorted(line["destination.domain"] for line in lines) == sorted(NAMES)
            assert {(line["source.ip"], line["rule.name"], line["destination.ip"]) for line in lines} == {("127.0.0.1", "many", address)}
        assert {line["event.id"] for line in opened} == {line["event.id"] for line in closed}
        assert {(line["event.reason"], line["source.bytes"], line["destination.bytes"]) for line in closed} == {("client_closed", 0, 0)}
        assert exeat.metric("tunnels_closed_total", cause="client_closed") == len(NAMES)
        wait_until(lambda: exeat.metric("anomalies_total", detector="fan_out") == 1)
        (found,) = exeat.audit(event__action="anomaly")
        assert (found["event.reason"], found["source.ip"], found["rule.name"]) == ("fan_out", "127.0.0.1", "many")


def test_who_goes_while_the_name_is_looked_up_or_the_address_is_silent_leaves_a_line(lab):
    """Whoever was asked, or dialled, has seen something of this client."""
    lab.dns.set("silent.many.seam.test", behave="silent")
    host, _ = lab.place("hole.many.seam.test", v6=False)
    lab.topology.blackhole(host)
    with lab.exeat(ALLOWLIST + entry("many", "*.many.seam.test"), limits={"connect_timeout": "2s"}) as exeat:
        lab.topology.forget_dialled()
        gone_early = []
        for name, seen in (("silent", lambda: lab.dns.asked("silent.many.seam.test")), ("hole", lambda: (host, 443) in lab.topology.dialled())):
            with exeat.connect() as s:
                s.sendall(f"CONNECT {name}.many.seam.test:443 HTTP/1.1\r\nHost: {name}.many.seam.test:443\r\n\r\n".encode())
                wait_until(seen)
            gone_early.append(f"{name}.many.seam.test")
        exeat.settled()
        told = [line["destination.domain"] for line in exeat.audit() if "destination.domain" in line]
        assert set(told) == set(gone_early), exeat.audit()
