"""What a tunnel holds that stalls after a HelloRetryRequest: one second hello at the most, and nothing of the first."""
import pathlib
import re

import pytest
from harness import hello as tls
from harness.client import open_tunnel, read_exactly
from harness.wait import sanitized, wait_until
from test_hello_retry import ALLOWLIST, RETRY, ask_again

TUNNELS = 1000
LIST = ALLOWLIST + 'purpose = "api"\n'  # whose budget so many long hellos do not spend
PADDING = 21  # RFC 7685
MOST = 16 * 1024  # octets of a hello's message

pytestmark = pytest.mark.skipif(sanitized, reason="a sanitizer's shadow is not exeat's memory")


def long_hello(name, of=MOST):
    """As long as a hello may be, in records of so much."""
    less = len(tls.Hello(tls.genuine(name)).with_extension(PADDING, b"").message())
    message = tls.Hello(tls.genuine(name)).with_extension(PADDING, bytes(MOST - less)).message()
    assert len(message) == MOST
    return b"".join(tls.record(message[at:at + of]) for at in range(0, MOST, of))


def own_bytes(exeat):
    rollup = pathlib.Path(f"/proc/{exeat.pid}/smaps_rollup").read_text()
    return int(re.search(r"^Private_Dirty:\s+(\d+) kB", rollup, re.M)[1]) * 1024


def each_costs(lab, stall):
    """Octets of memory that one of many such tunnels takes: of a fresh exeat, since memory that was given back is taken again."""
    with lab.exeat(LIST, limits={"hello_timeout": "60s", "connections": 5000}) as exeat:
        held = [stall(exeat) for _ in range(20)]
        before = own_bytes(exeat)
        held += [stall(exeat) for _ in range(TUNNELS)]
        wait_until(lambda: exeat.metric("tunnels_active") == TUNNELS + 20)
        exeat.caught_up()
        cost = (own_bytes(exeat) - before) / TUNNELS
        for s in held:
            s.close()
        wait_until(lambda: exeat.metric("tunnels_active") == 0)
    return cost


def asked_again(exeat, hello):
    s = open_tunnel(exeat, "retry.test:443")
    s.sendall(hello)
    assert read_exactly(s, len(RETRY)) == RETRY
    return s


def test_a_tunnel_that_stalls_after_a_hello_retry_request_holds_little(lab, measured):
    place = lab.place("retry.test", "grease.test", v6=False)[0]
    lab.origin(place, 443, ask_again)
    usual, most, second = tls.genuine("retry.test"), long_hello("retry.test"), long_hello("retry.test", 200)

    def with_most_of_a_second_hello(exeat):
        s = asked_again(exeat, most)
        for at in range(0, len(second) - 1, 4096):
            s.sendall(second[at:min(at + 4096, len(second) - 1)])
        return s

    few = each_costs(lab, lambda e: asked_again(e, usual))
    after_a_long_one = each_costs(lab, lambda e: asked_again(e, most))
    with_another = each_costs(lab, with_most_of_a_second_hello)
    measured(f"a tunnel that stalls after a HelloRetryRequest holds {few / 1024:.1f} KiB, after a hello of 16 KiB {after_a_long_one / 1024:.1f} KiB, "
             f"with all but the end of a second one {with_another / 1024:.1f} KiB")
    assert few < 6 * 1024 and after_a_long_one < 8 * 1024
    assert len(second) < with_another <= 20 * 1024


def test_a_second_hello_in_too_many_records_is_refused_at_once(lab):
    place = lab.place("retry.test", "grease.test", v6=False)[0]
    lab.origin(place, 443, ask_again)
    message = tls.Hello(tls.genuine("retry.test")).with_extension(PADDING, bytes(12 * 1024)).message()
    finely = b"".join(tls.record(message[at:at + 8]) for at in range(0, len(message), 8))
    with lab.exeat(ALLOWLIST, limits={"hello_timeout": "60s"}) as exeat:
        with asked_again(exeat, tls.genuine("retry.test")) as s:
            s.sendall(finely)
            wait_until(lambda: exeat.metric("denied_total", reason="tls_malformed") == 1)
        with asked_again(exeat, tls.genuine("retry.test")) as s:
            coarsely = b"".join(tls.record(message[at:at + 64]) for at in range(0, len(message), 64))
            s.sendall(coarsely)
            wait_until(lambda: exeat.metric("bytes_total", direction="upload") >= len(coarsely))
            assert exeat.metric("denied_total") == 1
