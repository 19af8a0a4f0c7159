"""C7: data in the labels under an allowed wildcard. New names are counted before they are looked up, over all ways in and all workers. A
start without a snapshot counts half as used, so what is left of a budget at first is half of it."""
import struct

import pytest
from harness.client import ask_once, connect_reply, http_request, open_tunnel, read_exactly
from harness.http_origin import reply
from harness.oracle import refused
from harness.preload import Preload
from harness.state import NAMES, known_past, sealed

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "wide"
hosts = ["*.w.test", "exact.w.test"]
protocol = "http"
names = 6
[[allow]]
name = "wide-tunnels"
hosts = ["*.v.test"]
ports = [443]
names = MOST
"""


@pytest.fixture
def exeat(lab):
    with lab.exeat(ALLOWLIST.replace("MOST", "4"), limits={"workers": 2}) as running:
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


def saved_before(path, hours):
    """The snapshot as if it had been saved so much earlier."""
    body = path.read_bytes()[len(NAMES):-32]
    path.write_bytes(sealed(NAMES, struct.pack("<Q", struct.unpack_from("<Q", body)[0] - 60 * hours) + body[8:]))


@pytest.fixture
def state(tmp_path):
    known_past(tmp_path / "state")
    return tmp_path / "state"


def asked(exeat, kind, count, parent="w"):
    return [get(exeat, f"{kind}{i}.{parent}.test").reason for i in range(count)]


def test_a_client_has_a_hundred_names_of_a_wildcard_unless_the_entry_says(lab, state):
    with lab.exeat(ALLOWLIST.replace("names = 6\n", "").replace("MOST", "2"), limits={"workers": 1}, policy={"state": str(state)}) as exeat:
        assert asked(exeat, "some", 101) == ["dns_failure"] * 100 + ["name_budget"]


def test_a_restart_is_no_reset(lab, state):
    """Neither a clean end nor kill -9 nor another order of entries; and without what was known before, half counts as used."""
    entries = ALLOWLIST.replace("MOST", "2")
    head, *tables = entries.partition("[[allow]]")
    first, second = ("[[allow]]" + t for t in "".join(tables).split("[[allow]]")[1:])
    with lab.exeat(entries, policy={"state": str(state)}) as exeat:
        assert asked(exeat, "a", 4) == ["dns_failure"] * 4
        exeat.stop()
        assert (state / "names").stat().st_mode & 0o777 == 0o600
        exeat.allowlist_path.write_text(head + second + '[[allow]]\nname = "new"\nhosts = ["new.test"]\n' + first)
        exeat.start()
        assert asked(exeat, "a", 4) == ["dns_failure"] * 4
        assert asked(exeat, "b", 4) == ["dns_failure"] * 2 + ["name_budget"] * 2
        exeat.stop()
        exeat.start()
        exeat.process.kill()
        exeat.process.wait()
        exeat.start()
        assert asked(exeat, "b", 4) == ["dns_failure"] * 2 + ["name_budget"] * 2
        exeat.stop()
        (state / "names").write_bytes(NAMES + b" damaged")
        exeat.start()
        assert "the wildcard names' snapshot cannot be read" in exeat.log() and "damaged" in exeat.log()
        assert asked(exeat, "c", 4) == ["dns_failure"] * 3 + ["name_budget"]
        exeat.stop()
        exeat.start()
        assert asked(exeat, "d", 1) == ["name_budget"], "what was forgotten stays so"


def test_no_edge_of_a_window_gives_a_client_twice_as_many_names(lab, state, tmp_path):
    """All of them a minute before the process is a day old, and then a minute after."""
    clock = Preload(tmp_path / "clock", allocations=False)
    day = 24 * 3_600
    with lab.exeat(ALLOWLIST.replace("MOST", "2"), policy={"state": str(state)}, limits={"workers": 1}, before=clock.before) as exeat:
        def step(to):
            with exeat.connect() as s:
                s.sendall(b"G")  # a client that says nothing gets no answer
                clock.tell(steady_offset=to)
                assert read_exactly(s, 12) == b"HTTP/1.1 408", "the worker has looked at its clock"

        step(day - 60)
        assert asked(exeat, "a", 7) == ["dns_failure"] * 6 + ["name_budget"]
        step(day + 60)
        assert asked(exeat, "b", 1) == ["name_budget"]
        step(2 * day + 3_600)
        assert asked(exeat, "b", 7) == ["dns_failure"] * 6 + ["name_budget"]


def test_the_window_slides_while_no_process_runs(lab, state):
    with lab.exeat(ALLOWLIST.replace("MOST", "2"), policy={"state": str(state)}) as exeat:
        assert asked(exeat, "a", 7) == ["dns_failure"] * 6 + ["name_budget"]
        for hours, then in ((22, ["name_budget"]), (4, ["dns_failure"])):
            exeat.stop()
            saved_before(state / "names", hours)
            exeat.start()
            assert asked(exeat, "b", 1) == then


def test_names_that_fail_to_resolve_are_counted_too(lab, exeat):
    for i in range(3):
        assert get(exeat, f"absent{i}.w.test").reason == "dns_failure"
    with refused(lab, exeat, "name_budget"):
        assert get(exeat, "absent3.w.test").reason == "name_budget"


def test_each_client_has_a_budget_and_a_reload_gives_nothing_back(lab, exeat, origin):
    for i in range(2):
        open_tunnel(exeat, f"n{i}.v.test:443").close()
    assert connect_reply(exeat, "n2.v.test:443").reason == "name_budget"
    exeat.reload(ALLOWLIST.replace("MOST", "6"))
    open_tunnel(exeat, "n2.v.test:443").close()
    assert connect_reply(exeat, "n3.v.test:443").reason == "name_budget"
    with exeat.connect(source="127.0.0.9") as s:
        s.sendall(b"CONNECT n3.v.test:443 HTTP/1.1\r\nHost: n3.v.test:443\r\n\r\n")
        assert s.recv(12) == b"HTTP/1.1 200"


def test_workers_count_together(lab, exeat, origin):
    """Sixty connections spread over both workers by the kernel; each of them would have let three names pass."""
    verdicts = [get(exeat, f"many{i}.w.test").reason for i in range(60)]
    assert verdicts == ["dns_failure"] * 3 + ["name_budget"] * 57
