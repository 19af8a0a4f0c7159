"""C7: data in the labels under an allowed wildcard. New names are counted before they are looked up, over all ways in and all workers."""
import pytest
from harness.client import ask_once, connect_reply, http_request, open_tunnel
from harness.http_origin import reply
from harness.oracle import refused

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "wide"
hosts = ["*.w.test", "exact.w.test"]
protocol = "http"
names = 3
[[allow]]
name = "wide-tunnels"
hosts = ["*.v.test"]
ports = [443]
names = MOST
"""


@pytest.fixture
def exeat(lab):
    with lab.exeat(ALLOWLIST.replace("MOST", "2"), limits={"workers": 2}) as running:
        yield running


@pytest.fixture(scope="module")
def origin(lab):
    host, _ = lab.addresses()
    lab.http_origin(host, routes={"*": reply(b"hello\n")})
    lab.origin(host, 443)
    for name in [f"n{i}.{parent}.test" for i in range(9) for parent in "wv"] + ["exact.w.test"]:
        lab.dns.set(name, host)
    return host


def get(exeat, name):
    return ask_once(exeat, http_request("GET", f"http://{name}/hello.txt", ["Connection: close"]))


def test_a_name_beyond_the_budget_is_refused_and_not_looked_up(lab, exeat, origin):
    for i in range(3):
        assert get(exeat, f"n{i}.w.test").status == 200
    with refused(lab, exeat, "name_budget") as told:
        reply = get(exeat, "n3.w.test")
        assert (reply.status, reply.reason) == (403, "name_budget")
    assert told[0]["rule.name"] == "wide" and told[0]["destination.domain"] == "n3.w.test"
    assert get(exeat, "N1.W.TEST.").status == 200  # one of the three
    assert get(exeat, "exact.w.test").status == 200  # named by itself, so no wildcard's


def test_a_client_has_a_hundred_names_of_a_wildcard_unless_the_entry_says(lab):
    with lab.exeat(ALLOWLIST.replace("names = 3\n", "").replace("MOST", "2"), limits={"workers": 1}) as exeat:
        verdicts = [get(exeat, f"some{i}.w.test").reason for i in range(101)]
    assert verdicts == ["dns_failure"] * 100 + ["name_budget"]


def test_names_that_fail_to_resolve_are_counted_too(lab, exeat):
    for i in range(3):
        assert get(exeat, f"absent{i}.w.test").reason == "dns_failure"
    with refused(lab, exeat, "name_budget"):
        assert get(exeat, "absent3.w.test").reason == "name_budget"


def test_each_client_has_a_budget_and_a_reload_gives_nothing_back(lab, exeat, origin):
    for i in range(2):
        open_tunnel(exeat, f"n{i}.v.test:443").close()
    assert connect_reply(exeat, "n2.v.test:443").reason == "name_budget"
    exeat.reload(ALLOWLIST.replace("MOST", "3"))
    open_tunnel(exeat, "n2.v.test:443").close()
    assert connect_reply(exeat, "n3.v.test:443").reason == "name_budget"
    with exeat.connect(source="127.0.0.9") as s:
        s.sendall(b"CONNECT n3.v.test:443 HTTP/1.1\r\nHost: n3.v.test:443\r\n\r\n")
        assert s.recv(12) == b"HTTP/1.1 200"


def test_workers_count_together(lab, exeat, origin):
    """Sixty connections spread over both workers by the kernel; each of them would have let three names pass."""
    verdicts = [get(exeat, f"many{i}.w.test").reason for i in range(60)]
    assert verdicts == ["dns_failure"] * 3 + ["name_budget"] * 57
