"""Oracle 5, where denials do not get a line each: whose the withheld ones were is in the log all the same."""
import collections
import signal

from harness import hello
from harness.client import Reply, connect_request, read_to_end
from harness.crowd import Crowd, room_for
from harness.exeat import free_port

ALLOWLIST = 'serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n[[allow]]\nname = "one"\nhosts = ["one.attr.test"]\n'


def test_denials_that_share_a_line_are_their_own_clients(lab):
    """More denials in a second than get lines of their own, by one client; another is refused a few times meanwhile.
    exeat is stopped until all of them wait for it: then they are judged at once, however loaded the machine is."""
    noisy, quiet, times = "127.0.1.1", "127.0.1.2", 20
    text = "GET http://door{n}.evil.test/ HTTP/1.1\r\nHost: door{n}.evil.test\r\n\r\n"
    with lab.exeat(ALLOWLIST, limits={"head_timeout": "60s", "connections_per_source": 8192, "log_lines_per_second": 10}) as exeat:
        crowd = room_for(2_400)
        exeat.signal(signal.SIGSTOP)
        try:
            with Crowd(exeat, crowd, text, source=noisy) as first:
                waiting = refused_later(exeat, quiet, times)
                with Crowd(exeat, crowd, text, source=noisy) as second:
                    waiting += refused_later(exeat, quiet, times)
                    exeat.signal(signal.SIGCONT)
                    assert first.replies() == second.replies() == {"403 not_allowed": crowd}
        finally:
            exeat.signal(signal.SIGCONT)
        for s in waiting:
            assert Reply(s).reason == "not_allowed"
            s.close()
        exeat.settled()
        denials, metrics = exeat.audit(event__action="deny"), exeat.metrics()
    found = {line["source.ip"]: line["exeat.detector.name"] for line in exeat.audit(event__action="anomaly")}
    logged = collections.Counter()
    for line in denials:
        logged[line["source.ip"]] += line.get("exeat.audit.stands_for", 1)
    assert len(denials) < 2 * (crowd + times) == sum(logged.values()), "some share a line"
    assert (logged, found) == ({noisy: 2 * crowd, quiet: 2 * times}, {noisy: "denied_burst"})
    assert metrics.of("exeat_client_denied_total", client=f"lab/{noisy}") == 2 * crowd
    assert metrics.of("exeat_client_denied_total", client=f"lab/{quiet}") == 2 * times


def test_wrong_names_behind_a_flood_have_lines_of_their_own(lab):
    """While one client floods, another sends hellos that name no server: thirty lines, each its own, and its finding."""
    flooding, wrong, times = "127.0.1.1", "127.0.1.3", 30
    text = "GET http://door{n}.evil.test/ HTTP/1.1\r\nHost: door{n}.evil.test\r\n\r\n"
    port = free_port()
    sni = {"mode": "sni", "address": f"127.0.0.1:{port}", "port": 443}
    limits = {"head_timeout": "60s", "hello_timeout": "60s", "connections_per_source": 8192, "log_lines_per_second": 10}
    with lab.exeat(ALLOWLIST, listen=[sni], limits=limits) as exeat:
        crowd = room_for(4_800)
        exeat.signal(signal.SIGSTOP)
        try:
            with Crowd(exeat, crowd, text, source=flooding) as first:
                waiting = [exeat.connect(port=port, source=wrong) for _ in range(times)]
                for s in waiting:
                    s.sendall(hello.genuine(None))
                exeat.signal(signal.SIGCONT)
                assert first.replies() == {"403 not_allowed": crowd}
        finally:
            exeat.signal(signal.SIGCONT)
        for s in waiting:
            read_to_end(s)
            s.close()
        exeat.settled()
        lines = exeat.audit(source__ip=wrong, event__action="deny")
        assert [(line["event.reason"], line.get("exeat.audit.stands_for", 1)) for line in lines] == [("sni_missing", 1)] * times
        found = {line["source.ip"]: line["exeat.detector.name"] for line in exeat.audit(event__action="anomaly")}
    assert found == {flooding: "denied_burst", wrong: "name_mismatch"}


def refused_later(exeat, source, times):
    waiting = [exeat.connect(source=source) for _ in range(times)]
    for s in waiting:
        s.sendall(connect_request("door.evil.test:443"))
    return waiting
