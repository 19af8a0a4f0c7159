"""What exeat sends on for a request is what HAProxy, nginx and Squid would have sent on for the same bytes; or it refuses. The table of
everything over which the four part ways is left in build/differential."""
import concurrent.futures
import os
import pathlib
import subprocess

import pytest

import requests_to_try
from harness.exeat import REPOSITORY, Exeat
from harness.wait import seconds
from proxies import Daemon
from recorder import Recorder

SEED, DRAWN = 11, int(os.environ.get("EXEAT_DRAWN", "500"))
# s without a byte after which a proxy is taken to wait for more: at the first look, and at the second, which tells slow from other. The
# proxies' own time-outs are longer.
GLANCE, PATIENCE = 0.3, seconds(5)
REDIRECTED = "127.0.0.9"
ALLOWLIST = """
serial = 1
[groups.local]
sources = ["127.0.0.0/8"]
[[private_link]]
name = "origin"
hosts = ["ok.test", "evil.test"]
addresses = ["127.0.0.1"]
ports = [80]
protocol = "http"
"""


class Nowhere:
    address = "127.0.0.1:53"  # every address is pinned


class ExeatProxy:
    name = "exeat"

    def __init__(self, exeat, address, recorder):
        self.recorder, self._exeat, self._address = recorder, exeat, address

    def connect(self):
        return self._exeat.connect(*self._address)


def converse(target, data, quiet):
    """What the proxy says until it ends, or says nothing for a while; and whether it has ended."""
    said = b""
    with target.connect() as s:
        s.settimeout(quiet)
        try:
            s.sendall(data)
            while got := s.recv(65536):
                said += got
        except TimeoutError:
            return said, False
        except OSError:
            pass
    return said, True


def observe(target, number, data, quiet=GLANCE):
    """The requests that were sent on, and the first line of the answer. What was given up before its body was whole, with the connection,
    was refused; what is not whole and waits for more is another reading of where the body ends."""
    said, ended = converse(target, data, quiet)
    requests = target.recorder.take(number)
    return [r for r in requests if r.whole or not ended], said.partition(b"\r\n")[0].decode("latin-1")


def differences(ours, theirs):
    """Pairs of requests in the same place that are not the same; where one goes on and the other has stopped, it has refused.
    Methods are case-sensitive (RFC 9110 section 9.1), and Squid yet writes "get" in capitals: that is not held against exeat."""
    return [(a, b) for a, b in zip(ours, theirs) if a != b and a != b._replace(method=a.method if a.method.upper() == b.method else b.method)]


def show(outcome):
    requests, said = outcome
    return " + ".join(f"{r.method} {r.host}{r.path} {r.body!r}{'' if r.whole else ' (goes on)'}" for r in requests) or f"nothing ({said})"


def observe_all(targets, inputs):
    with concurrent.futures.ThreadPoolExecutor(len(targets)) as pool:
        runs = list(pool.map(lambda t: [observe(t, n, data) for n, data in inputs], targets))
    return list(zip(*runs))


def judge(targets, inputs, path):
    """Writes the table; returns what exeat sent on and another read otherwise, seen twice."""
    wrong, forwarded, rows = [], 0, []
    for (number, data), (ours, *theirs) in zip(inputs, observe_all(targets, inputs)):
        forwarded += bool(ours[0])
        if any(other[0] != ours[0] for other in theirs):
            rows += [f"{data!r}", f"    exeat    {show(ours)}", *(f"    {t.name:8} {show(o)}" for t, o in zip(targets[1:], theirs)), ""]
        for target in [t for t, other in zip(targets[1:], theirs) if differences(ours[0], other[0])]:
            again, other = observe(targets[0], number, data, PATIENCE), observe(target, number, data, PATIENCE)
            if differences(again[0], other[0]):
                wrong.append(f"{data!r}\n    exeat    {show(again)}\n    {target.name:8} {show(other)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f"{len(inputs)} requests, exeat sent {forwarded} on, wholly or in part", "", *rows]))
    return wrong, forwarded


@pytest.fixture(scope="module")
def exeat(tmp_path_factory):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    rules = f"table ip t {{ chain c {{ type nat hook output priority -100; ip daddr {REDIRECTED} tcp dport 80 redirect to :3990; }}; }}"
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    listen = [{"mode": "transparent", "via": "redirect", "address": "127.0.0.1:3990"}]
    with Exeat(tmp_path_factory.mktemp("exeat"), ALLOWLIST, Nowhere, listen=listen, limits={"head_timeout": "30s"}) as running:
        yield running


@pytest.fixture(scope="module")
def origin():
    made = Recorder(80)
    yield made
    made.close()


@pytest.fixture
def daemons(request, tmp_path):
    mode, first_port = request.param
    made = []
    try:
        for n, name in enumerate(("haproxy", "nginx", "squid")):
            made.append(Daemon(name, pathlib.Path(tmp_path / name), first_port + n, mode))
        yield made
    finally:
        for d in made:
            d.close()


@pytest.mark.parametrize("daemons", [("", 4000)], indirect=True)
def test_a_proxy_request_that_is_sent_on_is_the_one_that_others_would_have_sent_on(exeat, origin, daemons):
    inputs = list(requests_to_try.all_of(b"http://ok.test", SEED, DRAWN))
    targets = [ExeatProxy(exeat, ("127.0.0.1", exeat.proxy_port), origin), *daemons]
    wrong, forwarded = judge(targets, inputs, REPOSITORY / "build/differential/proxy.txt")
    assert not wrong, "\n\n".join(wrong)
    assert forwarded > len(inputs) / 20


@pytest.mark.parametrize("daemons", [(" accel vhost", 4300)], indirect=True)
def test_a_redirected_request_that_is_sent_on_is_the_one_that_others_would_have_sent_on(exeat, origin, daemons):
    inputs = list(requests_to_try.all_of(b"", SEED + 1, DRAWN))
    targets = [ExeatProxy(exeat, (REDIRECTED, 80), origin), *daemons]
    wrong, forwarded = judge(targets, inputs, REPOSITORY / "build/differential/origin.txt")
    assert not wrong, "\n\n".join(wrong)
    assert forwarded > len(inputs) / 20
