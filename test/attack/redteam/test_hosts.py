"""Classes A, B, C1, D3, D12, H and I17 by every way in, before and after a reload: refused by what left the machine."""
import cases_hosts as cases
import pytest
import table
import ways
from harness.http_origin import reply
from harness.oracle import refused
from harness.origin import tls_echo


@pytest.fixture(scope="module")
def way(lab):
    ports = ways.new_ports()
    with lab.exeat(ways.ALLOWLIST, listen=ways.listeners(ports)) as exeat:
        lab.topology.redirect(ports["redirect"])
        lab.topology.tproxy(ports["tproxy"])
        yield ways.Ways(lab, exeat, ports)


@pytest.fixture(scope="module", params=["at first", "after a reload"], autouse=True)
def before_and_after_a_reload(way, request):
    if request.param == "after a reload":
        way.exeat.reload(ways.ALLOWLIST + '[[deny]]\nname = "other"\nhosts = ["unrelated.test"]\n')


def expected(name, host, reason):
    if name in cases.TLS:
        return cases.NO_SERVER_NAME.get(reason, reason)
    return reason


@pytest.mark.parametrize("name", table.WAYS)
@pytest.mark.parametrize("case, severity, host, reason", cases.HOSTS, ids=[f"{c}-{i}" for i, (c, *_) in enumerate(cases.HOSTS)])
def test_a_host_that_is_not_allowed_is_refused_by_every_way(lab, way, name, case, severity, host, reason):
    reason = expected(name, host, reason)
    with refused(lab, way.exeat, reason):
        assert ways.PAYLOAD not in way.try_[name](host)
    table.saw(case, host, name, reason)


@pytest.mark.parametrize("name", table.WAYS)
@pytest.mark.parametrize("i", range(len(cases.ADDRESSES)), ids=[f"{c}-{'+'.join(a)}" for c, _, a, _ in cases.ADDRESSES])
def test_an_allowed_name_that_resolves_to_a_forbidden_address_is_refused(lab, way, name, i):
    case, _, answers, reason = cases.ADDRESSES[i]
    host = f"a{i}.w.test"
    lab.dns.set(host, *answers)
    with refused(lab, way.exeat, reason, resolves=[host]):
        assert ways.PAYLOAD not in way.try_[name](host)
    table.saw(case, "an answer of " + ", ".join(answers), name, reason)


@pytest.mark.parametrize("name", table.WAYS)
@pytest.mark.parametrize("i", range(len(cases.LINKS)), ids=[f"{c}-{i}" for i, (c, *_) in enumerate(cases.LINKS)])
def test_a_private_link_never_leads_elsewhere(lab, way, name, i):
    case, _, answers, reason = cases.LINKS[i]
    host = f"link{i}.test"
    if answers:
        lab.dns.set(host, *answers)
    with refused(lab, way.exeat, reason, resolves=[host]):
        assert ways.PAYLOAD not in way.try_[name](host)
    table.saw(case, "a private link that answers " + (", ".join(answers) if answers else "nothing"), name, reason)


@pytest.mark.parametrize("name", table.WAYS)
@pytest.mark.parametrize("case, severity, host, port, reason", cases.PORTS, ids=[f"{c}-{p}" for c, _, _, p, _ in cases.PORTS])
def test_a_port_that_is_none_or_not_allowed_is_refused(lab, way, name, case, severity, host, port, reason):
    if name == "sni":
        return table.cannot(case, f"port {port!r}", name, "the listener stands for one port")
    if name in ("redirect tls", "tproxy tls", "redirect http") and reason == "host_syntax":
        return table.cannot(case, f"port {port!r}", name, "the port is the one that was dialled")
    with refused(lab, way.exeat, reason):
        assert ways.PAYLOAD not in way.try_[name](host, port if name in ("connect", "http") else int(port))
    table.saw(case, f"port {port!r}", name, reason)


ACCEPTED = [("M1", "ok.test."), ("M1", "OK.Test"), ("M1", "ok.test"), ("A2", "oK.tEST."), ("A11", "a-b--c.w.test"), ("H5", "one.w.test")]


@pytest.fixture(scope="module")
def origins(lab):
    four, _ = lab.place("ok.test", "one.w.test", "a-b--c.w.test", v6=False)
    lab.origin(four, 443, tls_echo)
    return lab.http_origin(four, routes={"*": reply(ways.PAYLOAD)})


@pytest.mark.parametrize("name", table.WAYS)
@pytest.mark.parametrize("case, host", ACCEPTED)
def test_what_is_allowed_passes_by_every_way(way, origins, name, case, host):
    assert ways.PAYLOAD in way.try_[name](host), "over-blocking makes operators switch enforcement off"
    table.saw(case, host, name, "passes")


def test_a_name_that_is_allowed_and_follows_a_cname_passes(lab, way, origins):
    lab.dns.set("alias.w.test", cname="elsewhere.other.test")
    lab.dns.set("elsewhere.other.test", *lab.dns.table["ok.test"].addresses)
    assert ways.PAYLOAD in way.connect("alias.w.test")
    table.saw("C5", "an allowed name with a CNAME elsewhere", "connect", "passes")
