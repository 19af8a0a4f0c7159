"""Answers of which one half, A or AAAA, is late or never comes, and servers that do not answer."""
import socket

import pytest
from harness.client import connect_reply, open_tunnel, reaches, read_exactly
from harness.dns import DnsServer
from harness.wait import wait_until

NAMES = "half0 half1 half2 half3 late joined slow silent"
ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.1"]
[[allow]]
name = "raw"
hosts = [HOSTS]
ports = [7]
protocol = "tcp"
""".replace("[HOSTS]", str([f"{name}.half.test" for name in NAMES.split()]))


@pytest.fixture(scope="module")
def servers(lab):
    """The lab's DNS server and two more that say the same."""
    others = [DnsServer(), DnsServer()]
    for other in others:
        other.table = lab.dns.table
    return [lab.dns.address, *(other.address for other in others)]


@pytest.mark.parametrize("dropped", ["A", "AAAA"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_resolver_that_drops_one_type_of_question_fails_nothing(lab, servers, echo4, echo6, count, dropped):
    """RFC 8305 section 3: what is there is used after the resolution delay, and is kept where the rest never comes."""
    names = [f"half{n}.half.test" for n in range(4)]
    for name in names:
        lab.dns.set(name, echo6 if dropped == "A" else echo4, behave="silent", types=(dropped,))
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"servers": servers[:count], "timeout": "2s"}) as exeat:
        assert all(reaches(exeat, f"{name}:7") for name in names)
        wait_until(lambda: exeat.metric("resolver_queries_total", result="partial") == len(names), what="their time is over")
        assert all(reaches(exeat, f"{name}:7") for name in names)
        assert exeat.metric("resolver_queries_total", result="cached") == len(names)
        assert exeat.metric("denied_total", reason="dns_failure") == 0


@pytest.mark.parametrize("held, good", [("AAAA", "A"), ("A", "AAAA")])
def test_a_late_half_is_checked_and_takes_the_name_back(lab, echo4, echo6, held, good):
    """Law 3: one bad address refuses the whole answer, from when it is there."""
    private = "fd00:20::9" if held == "AAAA" else "10.20.8.9"
    lab.dns.set("late.half.test", echo4 if good == "A" else echo6, private, behave="held", types=(held,))
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"timeout": "60s"}) as exeat, open_tunnel(exeat, "late.half.test:7") as tunnel:
        mark = lab.dns.mark()
        assert reaches(exeat, "late.half.test:7"), "who comes now joins the question that is in flight"
        assert lab.dns.mark() == mark
        lab.topology.forget_dialled()
        lab.dns.set("late.half.test", echo4 if good == "A" else echo6, private)
        lab.dns.release()
        wait_until(lambda: connect_reply(exeat, "late.half.test:7").reason == "addr_class", what="the late half is a part of the answer")
        lab.topology.forget_dialled()
        assert connect_reply(exeat, "late.half.test:7").reason == "addr_class"
        assert lab.topology.dialled() == set()
        tunnel.sendall(b"hello")
        assert read_exactly(tunnel, 5) == b"hello", "what was opened in between goes on"


def test_a_half_that_is_bad_is_refused_without_the_other(lab):
    lab.dns.set("slow.half.test", "10.20.8.9", behave="silent", types=("AAAA",))
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"timeout": "60s"}) as exeat:
        lab.topology.forget_dialled()
        assert connect_reply(exeat, "slow.half.test:7").reason == "addr_class"
        assert lab.topology.dialled() == set()


def test_silent_servers_however_many_are_a_502(lab, servers):
    lab.dns.set("silent.half.test", behave="silent")
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"servers": servers, "timeout": "1s"}) as exeat:
        assert connect_reply(exeat, "silent.half.test:7").reason == "dns_failure"
        assert exeat.metric("resolver_queries_total", result="timed_out") == 1


def test_a_server_that_refuses_on_loopback_is_followed_by_the_next(lab, echo4):
    with socket.socket(type=socket.SOCK_DGRAM) as closed:
        closed.bind(("127.0.0.1", 0))
        gone = "%s:%d" % closed.getsockname()
    lab.dns.set("joined.half.test", echo4)
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"servers": [gone, lab.dns.address], "timeout": "60s"}) as exeat:
        assert reaches(exeat, "joined.half.test:7")
    with lab.exeat(ALLOWLIST, limits={"workers": 1}, dns={"servers": [gone], "timeout": "60s"}) as exeat:
        assert connect_reply(exeat, "joined.half.test:7").reason == "dns_failure"
        assert exeat.metric("resolver_queries_total", result="refused") == 1
