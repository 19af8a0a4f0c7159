"""From a pod, by every way that a pod may think of: only what the allowlist names gets out, and with exeat killed nothing at all."""
import contextlib

import pytest
from gateway import settled
from harness.client import curl

OF_A_POD_AS_ROOT = ()  # no prefix: all capabilities, as if the admission policy had been got round
PROXY_PROBES = {"denied name, CONNECT", "denied name, plain HTTP", "address instead of a name, CONNECT", "allowed name, other port, CONNECT",
                "allowed CONNECT, denied server name", "exeat's admin page"}


@pytest.fixture(scope="module")
def exeat(gateway):
    with gateway.exeat() as running:
        yield running


@pytest.fixture(params=["redirect", "tproxy"])
def side(gateway, request):
    return gateway.sides[request.param]


def arguments(side, exeat, by):
    common = ["--allowed", "site.test", "--denied", "evil.test", "--resolver", side.four, "--admin", f"{side.four}:{exeat.admin_port}"]
    return [*common, *(["--proxy", f"{side.four}:{exeat.for_pods}"] if by == "proxy" else ["--transparent", "--dial", "192.0.2.1"])]


def failed(told):
    return {name: words for name, (verdict, words) in told.items() if verdict == "FAIL"}


@pytest.mark.parametrize("by", ["proxy", "redirection"])
def test_only_what_the_allowlist_names_gets_out(gateway, exeat, side, by):
    gateway.tap.forget()
    code, told = gateway.probe(side, *arguments(side, exeat, by))
    assert (failed(told), code) == ({}, 0)
    assert told["allowed"][0] == "PASS" and "certificate for site.test" in told["allowed"][1]
    assert f"{side.four}:10250" in told["the node's kubelet"][1] and f"{side.four}:10255" in told["the node's kubelet"][1], "the default gateway is tried for a node"
    settled(gateway.tap)
    assert gateway.left() == set() and gateway.tap.seen(), "what is allowed got out, and nothing else"


def test_a_pod_with_privileges_gets_no_further(gateway, exeat, side):
    """Raw packets, other protocols, forged sources: the probe cannot tell, the tap can."""
    gateway.tap.forget()
    before = gateway.counters(side)
    code, told = gateway.probe(side, *arguments(side, exeat, "redirection"), "--skip", "privileges", prefix=OF_A_POD_AS_ROOT)
    assert (failed(told), code) == ({}, 0) and "sent, with privileges" in told["other IP protocols and forged sources"][1]
    settled(gateway.tap)
    assert gateway.left() == set()
    after = gateway.counters(side)
    for name in ("into_exeat", "forged_source", "refused_quic", "refused_dns", "refused_udp", "refused_icmp", "refused_other"):
        assert after[name] > before[name], f"{name} counts what it refused"


@contextlib.contextmanager
def without_fence(gateway, exeat):
    gateway.open_fence()
    try:
        yield
    finally:
        for each in gateway.sides.values():
            gateway.inside.nft(each.rules(exeat.for_pods))


def test_every_probe_finds_a_fence_that_is_not_there(gateway, exeat, side):
    """Without the rules each probe of the network must say that it got out: a probe that cannot fail shows nothing."""
    with without_fence(gateway, exeat):
        world = ["--resolver", "192.0.2.53", "--admin", "192.0.2.9:9464", "--node", "192.0.2.10", "--allowed", "site.test", "--dial", gateway.site]
        code, told = gateway.probe(side, "--transparent", *world, wait=10)  # what gets out is answered
        assert code == 1, told
        assert told["allowed"][0] != "FAIL", told["allowed"]
        silent = {"privileges", "allowed", "other IP protocols and forged sources", "the cluster's API server"}
        assert set(failed(told)) == set(told) - silent - (PROXY_PROBES - {"exeat's admin page"})
        for name, (_, words) in told.items():
            if name.startswith(("direct", "DNS over", "QUIC", "ping")):
                assert "1.1.1.1" in words and "2606:4700:4700::1111" in words, f"{name} finds both families: {words}"
        gateway.tap.forget()
        gateway.probe(side, "--transparent", "--skip", "privileges", prefix=OF_A_POD_AS_ROOT)
        kinds = {protocol for protocol, _, _ in settled(gateway.tap)}
        assert {"tcp", "udp", "icmp", 253} <= kinds, "the tap sees what has no answer, too"


def test_curl_is_told_at_once_and_not_left_to_wait(gateway, exeat, side):
    """Rejected and not dropped: a client that hangs is a client whose user switches the fence off."""
    there = curl("--cacert", gateway.lab.authority.file, "https://site.test/", "--resolve", f"site.test:443:{gateway.site}", namespace=side.pod)
    assert there.stdout == b"hello from the origin\n", there.stderr
    for refused in ("https://evil.test/", "http://evil.test/", f"https://{gateway.site}/", "telnet://evil.test:25"):
        done = curl("--resolve", "evil.test:443:93.184.216.250", "--resolve", "evil.test:80:93.184.216.250", "--resolve", "evil.test:25:93.184.216.250", "--fail", "-k",
                    refused, namespace=side.pod)
        assert done.returncode != 28, f"{refused}: its own patience was over"
        assert b"hello" not in done.stdout and b"internet" not in done.stdout


def test_the_gateway_itself_offers_a_pod_nothing_else(gateway, exeat, side):
    code, told = gateway.probe(side, *arguments(side, exeat, "redirection"))
    assert told["exeat's admin page"][0] == "PASS" and code == 0
    for other in (gateway.sides["tproxy" if side.via == "redirect" else "redirect"].four, "10.200.0.1"):
        with pytest.raises(OSError):
            side.pod.connect(other, exeat.admin_port, 5)
