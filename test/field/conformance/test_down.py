"""The same pods after exeat has been killed: the rules stand in the kernel and know nothing of its life."""
import pytest
from gateway import LONG, settled
from test_fence import OF_A_POD_AS_ROOT, arguments, failed


@pytest.fixture(scope="module")
def killed(gateway):
    with gateway.exeat() as running:
        gateway.kill(running)
        yield running


PAIRS = [("redirect", "proxy"), ("tproxy", "redirection")]


@pytest.mark.parametrize("via, by", PAIRS + [(via, "redirection" if by == "proxy" else "proxy") for via, by in PAIRS if LONG])
def test_with_exeat_killed_nothing_gets_out(gateway, killed, via, by):
    side = gateway.sides[via]
    gateway.tap.forget()
    code, told = gateway.probe(side, *arguments(side, killed, by), "--down")
    assert (failed(told), code) == ({}, 0) and told["allowed"][0] == "PASS"
    gateway.probe(side, *arguments(side, killed, by), "--down", "--skip", "privileges", prefix=OF_A_POD_AS_ROOT)
    assert settled(gateway.tap) == set(), "not even to what is allowed"
