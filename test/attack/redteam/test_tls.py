"""Class F: what is said inside a tunnel, or at once where a connection was redirected."""
import cases_tls as cases
import pytest
import table
import ways
from harness import hello as tls
from harness.client import open_tunnel, read_to_end
from harness.oracle import refused
from harness.origin import tls_echo
from harness.wait import seconds

BY_HELLO = ["redirect tls", "tproxy tls", "sni"]


@pytest.fixture(scope="module")
def lane(lab):
    ports = ways.new_ports()
    with lab.exeat(ways.ALLOWLIST, listen=ways.listeners(ports), limits={"hello_timeout": "2s"}) as exeat:
        lab.topology.redirect(ports["redirect"])
        lab.topology.tproxy(ports["tproxy"])
        yield lab, exeat, ports


@pytest.fixture(scope="module", params=["at first", "after a reload"], autouse=True)
def before_and_after_a_reload(lane, request):
    if request.param == "after a reload":
        lane[1].reload(ways.ALLOWLIST + '[[deny]]\nname = "other"\nhosts = ["unrelated.test"]\n')


@pytest.fixture(scope="module", autouse=True)
def origin(lab):
    four, _ = lab.place("ok.test", "one.w.test", "opaque.test", v6=False)
    return lab.origin(four, 443, tls_echo)


def begin(lane, name, port=443):
    """A connection on which the next byte is the hello's first."""
    lab, exeat, ports = lane
    if name == "connect":
        return open_tunnel(exeat, "ok.test:443")
    if name == "sni":
        return exeat.connect(port=ports["sni"])
    return (lab.topology.pod if name == "redirect tls" else lab.topology.pod2).connect(ways.ATTACKER, port, seconds(30))


def say(lane, name, *parts):
    with begin(lane, name) as s:
        for part in parts:
            s.sendall(part)
        s.sendall(ways.PAYLOAD)
        return read_to_end(s)


@pytest.mark.parametrize("name", ["connect", *BY_HELLO])
@pytest.mark.parametrize("row", cases.REFUSED, ids=[f"{r[0]}-{r[2]}" for r in cases.REFUSED])
def test_a_first_flight_of_the_catalogue_is_refused(lane, name, row):
    case, _, what, first, inside, outside = row
    reason = inside if name == "connect" else outside
    if reason is None:
        why = "it is allowed by itself there" if case == "F1" else "a capital letter begins an HTTP request there"
        return table.cannot(case, what, name, why)
    names = ["ok.test"] if name == "connect" else []
    dials = lane[0].dns.table["ok.test"].addresses if name == "connect" else []
    with refused(lane[0], lane[1], reason, resolves=names, dials=dials):
        assert tls.alert_of(say(lane, name, first)) in (49, 50, 112)
    table.saw(case, what, name, reason)


@pytest.mark.parametrize("name", ["redirect tls", "tproxy tls"])
@pytest.mark.parametrize("port", [22, 8443, 65535])
def test_the_right_name_on_another_port_is_refused(lane, name, port):
    with refused(lane[0], lane[1], "port_not_allowed"), begin(lane, name, port) as s:
        s.sendall(tls.genuine("ok.test") + ways.PAYLOAD)
        assert tls.alert_of(read_to_end(s)) == 49
    table.saw("G3", f"ok.test on port {port}", name, "port_not_allowed")


@pytest.mark.parametrize("name", ["connect", *BY_HELLO])
def test_silence_and_half_a_hello_are_let_go(lane, name):
    """A client that says nothing on a connection of its own asked for nothing: it is let go without a word. A CONNECT has asked."""
    dials = lane[0].dns.table["ok.test"].addresses if name == "connect" else []
    for what, first in (("silence", b""), ("half a hello", tls.genuine("ok.test")[:90])):
        if name != "connect" and not first:
            before = lane[1].metric("silent_connections_total"), lane[1].metric("denied_total")
            with begin(lane, name) as s:
                assert read_to_end(s) == b""
            assert (lane[1].metric("silent_connections_total"), lane[1].metric("denied_total")) == (before[0] + 1, before[1])
            table.saw("F17", what, name, "let go")
            continue
        with refused(lane[0], lane[1], "hello_timeout", resolves=["ok.test"] if name == "connect" else [], dials=dials), begin(lane, name) as s:
            s.sendall(first)
            assert tls.alert_of(read_to_end(s)) == 50
        table.saw("F17", what, name, "hello_timeout")


@pytest.mark.parametrize("name", ["connect", *BY_HELLO])
@pytest.mark.parametrize("case, what, parts", cases.ACCEPTED, ids=[f"{c}-{w}" for c, w, _ in cases.ACCEPTED])
def test_a_genuine_first_flight_arrives_byte_for_byte(lane, origin, name, case, what, parts):
    sent = parts()
    with begin(lane, name) as s:
        for part in sent:
            s.sendall(part)
        whole = b"".join(sent)
        got = b""
        while len(got) < len(whole) and (more := s.recv(65536)):
            got += more
        assert got == tls.as_server_hello(whole)
    table.saw(case, what, name, "passes")


def test_ech_passes_where_an_entry_lets_it(lane):
    hello = tls.with_ech("opaque.test")
    with open_tunnel(lane[1], "opaque.test:443") as s:
        s.sendall(hello)
        assert s.recv(5) == hello[:5]
    table.saw("F11", "ECH on an entry with ech = \"allow\"", "connect", "passes")


# ---- neighbours: a hello cut at every place, into records and into segments, means what the whole means ----

@pytest.mark.parametrize("name", ["connect", *BY_HELLO])
def test_wherever_a_refused_hello_is_cut_it_is_refused_alike(lane, name):
    message = cases.message("evil.test")
    cuts = range(1, len(message), 17)
    dials = lane[0].dns.table["ok.test"].addresses if name == "connect" else []
    reason = "sni_mismatch" if name == "connect" else "not_allowed"
    with refused(lane[0], lane[1], reason, count=len(cuts), resolves=["ok.test"] if name == "connect" else [], dials=dials):
        for cut in cuts:
            assert tls.alert_of(say(lane, name, tls.record(message[:cut]) + tls.record(message[cut:]))) == 112
    table.saw("F4", "another name, cut into two records at every 17th byte", name, reason)


def test_wherever_an_allowed_hello_is_cut_it_passes(lane):
    message = cases.message("ok.test")
    for cut in range(1, len(message), 17):
        whole = tls.record(message[:cut]) + tls.record(message[cut:])
        with begin(lane, "redirect tls") as s:
            s.sendall(whole[: cut + 2])
            s.sendall(whole[cut + 2 :])
            got = b""
            while len(got) < len(whole) and (more := s.recv(65536)):
                got += more
            assert got == tls.as_server_hello(whole)
    table.saw("F4", "the right name, cut into two records at every 17th byte", "redirect tls", "passes")
