"""The same pods under gVisor: a kernel of its own makes the packets, and the same rules hold them."""
import gvisor
import pytest
from gateway import LONG, settled
from test_fence import arguments, failed


@pytest.fixture(scope="module", autouse=True)
def sandbox():
    reason = gvisor.why_not()
    if reason:
        pytest.skip(f"skipped: {reason}; the same probes ran without a sandbox")


@pytest.fixture(scope="module")
def exeat(gateway):
    with gateway.exeat() as running:
        yield running


def fenced(gateway, exeat, via):
    side = gateway.new_pod(via)
    gateway.inside.nft(side.rules(exeat.for_pods))
    gateway.tap.forget()
    return side


@pytest.mark.parametrize("via", ["redirect", "tproxy"] if LONG else ["redirect"])
def test_under_gvisor_only_what_the_allowlist_names_gets_out(gateway, exeat, via):
    side = fenced(gateway, exeat, via)
    code, told = gvisor.probe(gateway, side, *arguments(side, exeat, "redirection"))
    assert (failed(told), code) == ({}, 0) and "certificate for site.test" in told["allowed"][1]
    settled(gateway.tap)
    assert gateway.left() == set() and gateway.tap.seen()


def test_under_gvisor_raw_packets_get_no_further(gateway, exeat):
    side = fenced(gateway, exeat, "redirect")
    before = gateway.counters(side)
    code, told = gvisor.probe(gateway, side, *arguments(side, exeat, "redirection"), "--skip", "privileges", capabilities=["CAP_NET_RAW", "CAP_NET_ADMIN"])
    assert (failed(told), code) == ({}, 0), told
    settled(gateway.tap)
    after = gateway.counters(side)
    assert gateway.left() == set() and after["refused_quic"] > before["refused_quic"] and "sent, with privileges" in told["other IP protocols and forged sources"][1]


def test_under_gvisor_with_exeat_killed_nothing_gets_out(gateway, exeat):
    gateway.kill(exeat)
    side = fenced(gateway, exeat, "redirect")
    code, told = gvisor.probe(gateway, side, *arguments(side, exeat, "redirection"), "--down")
    assert (failed(told), code) == ({}, 0) and settled(gateway.tap) == set()


def test_without_the_rules_a_sandbox_is_no_fence(gateway, exeat):
    """gVisor holds the node's kernel off, not the network: without the rules everything gets out."""
    gateway.open_fence()
    side = gateway.new_pod("redirect")
    _, told = gvisor.probe(gateway, side, "--transparent", "--resolver", "192.0.2.53", "--admin", "192.0.2.9:9464", wait=10)
    assert {"direct TLS to a public address", "direct TCP to any port", "DNS over UDP to a public resolver", "QUIC over UDP 443", "cloud metadata"} <= set(failed(told))
