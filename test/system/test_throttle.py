"""What a finding throttles: the client's uploads over all workers together, measured where they arrive; its downloads and everybody else go on."""
import threading
import time

import pytest
from harness.client import Reply, connect_reply, http_request, open_tls, open_tunnel, read_exactly
from harness.http_origin import reply
from harness.origin import swallow
from harness.preload import Preload
from harness.wait import patience, seconds, wait_until

KIB, MIB = 1 << 10, 1 << 20
RATE = 512 * KIB           # a second
BURST = RATE // 4          # limits::throttle_burst_time
OTHER = "127.0.0.5"


def entry(name, port, protocol="tcp"):
    return (f'[[allow]]\nname = "{name}"\nhosts = ["{name}.slow.test"]\nports = [{port}]\nprotocol = "{protocol}"\nupload = "100 GiB/1h"\n')


ALLOWLIST = 'serial = 1\n[groups.lab]\nsources = ["127.0.0.0/8"]\n' + "".join([
    entry("sink", 9), entry("echo", 7), entry("reader", 19), entry("plain", 80, "http"), entry("tls", 443, "tls")])
RATE_TEXT = 'rate = "512 KiB/1s"\n'
PROBER = '[detect.denied_burst]\naction = "throttle"\n' + RATE_TEXT
DRIP = '[detect.drip]\naction = "throttle"\nthreshold = 100000\n' + RATE_TEXT


@pytest.fixture(scope="module")
def origins(lab):
    out = {}
    for name, port, serve in [("sink", 9, swallow), ("echo", 7, None), ("reader", 19, lambda peer: peer.recv() and peer.send(bytes(200 * MIB)))]:
        host, _ = lab.place(f"{name}.slow.test", v6=False)
        out[name] = lab.origin(host, port, **({"serve": serve} if serve else {}))
    host, _ = lab.place("plain.slow.test", v6=False)
    out["plain"] = lab.http_origin(host, routes={"*": reply(b"thanks")})
    host, _ = lab.place("tls.slow.test", v6=False)
    out["tls"] = lab.tls_origin("tls.slow.test", host=host)
    return out


@pytest.fixture
def start(lab, origins):
    def of(settings, **options):
        for o in origins.values():
            o.clear()
        running = lab.exeat(ALLOWLIST, limits={"workers": 4, "idle_timeout": "1d"}, **options)
        running.config_path.write_text(running.config_path.read_text() + settings)
        return running
    return of


def found(exeat, detector="denied_burst"):
    return exeat.metric("anomalies_total", detector=detector, action="throttle")


def probe(exeat):
    """Four refused hosts in a row, until every worker knows."""
    for n in range(4):
        connect_reply(exeat, f"door{n}.slow.test:443")
    is_throttled(exeat)


def is_throttled(exeat, detector="denied_burst"):
    """What was found is told to the thread that makes the pages before the finding's line is in the log, and by that to the workers."""
    wait_until(lambda: found(exeat, detector) == 1 and exeat.audit(event__action="anomaly"))
    exeat.metrics()
    exeat.caught_up()


def tunnel_of(exeat, target, source):
    s = exeat.connect(source=source)
    s.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert s.recv(1000).startswith(b"HTTP/1.1 200")
    return s


class Pushing:
    """Threads that send as much as is taken, until the end of the block."""

    def __init__(self, tunnels):
        self._tunnels = tunnels
        self._threads = [threading.Thread(target=self._push, args=(s,)) for s in tunnels]

    @staticmethod
    def _push(s):
        s.settimeout(None)
        try:
            while True:
                s.sendall(bytes(65536))
        except OSError:
            pass

    def __enter__(self):
        for t in self._threads:
            t.start()

    def __exit__(self, *_):
        for s in self._tunnels:
            s.shutdown(2)
            s.close()
        for t in self._threads:
            t.join()


def watched(origin, since, for_seconds, before=0, until=1):
    """What arrives, held against the promise at every look, for so long and until so much has come."""
    now, end = since, time.monotonic() + for_seconds
    arrived = 0
    while now < end or arrived < until:
        arrived = origin.received_bytes - before
        now = time.monotonic()
        assert arrived <= BURST + RATE * (now - since)
        assert now < end + seconds(120), f"no more than {arrived} has come"
        time.sleep(0.02)


def test_all_workers_pushing_at_once_stay_within_burst_and_rate_and_all_have_their_turn(start, origins):
    with start(PROBER) as exeat:
        probe(exeat)
        (line,) = exeat.audit(event__action="anomaly")
        assert line["exeat.detector.action"] == "throttle" and line["source.ip"] == "127.0.0.1"
        tunnels = [open_tunnel(exeat, "sink.slow.test:9") for _ in range(12)]
        began = time.monotonic()
        with Pushing(tunnels):
            watched(origins["sink"], began, 5, until=0.9 * RATE * 5 / patience)
            got = [p.received_bytes for p in origins["sink"].peers]
            assert len(got) == 12 and min(got) > max(got) / 10, got
            assert exeat.metric("tunnels_active", purpose="pull") == 12


def test_tunnels_that_are_open_and_busy_are_slowed_others_are_not_and_downloads_go_on(start, origins):
    with start(PROBER) as exeat:
        tunnels = [open_tunnel(exeat, "sink.slow.test:9") for _ in range(8)]
        with Pushing(tunnels):
            wait_until(lambda: origins["sink"].received_bytes > 100 * MIB, 120)
            probe(exeat)
            began = time.monotonic()
            sent = exeat.metric("bytes_total", entry="sink", direction="upload")  # some of it stands in the sockets behind exeat
            watched(origins["sink"], began, 3, sent)
            with tunnel_of(exeat, "echo.slow.test:7", OTHER) as s:
                t = threading.Thread(target=s.sendall, args=(bytes(20 * MIB),))
                t.start()
                assert len(read_exactly(s, 20 * MIB)) == 20 * MIB, "another client is not slowed"
                t.join()
            with open_tunnel(exeat, "reader.slow.test:19", timeout=60 * patience) as s:
                s.sendall(b"?")
                assert len(read_exactly(s, 200 * MIB)) == 200 * MIB, "what comes down is not slowed"


def test_nothing_is_lost_and_every_entry_has_its_own_throttle(start, origins):
    with start(DRIP) as exeat:
        with open_tunnel(exeat, "echo.slow.test:7") as s:
            s.sendall(bytes(200 * KIB))
            read_exactly(s, 200 * KIB)
        is_throttled(exeat, "drip")
        sent = b"".join(n.to_bytes(4, "big") for n in range(MIB // 4))
        with open_tunnel(exeat, "echo.slow.test:7", timeout=30 * patience) as s:
            began = time.monotonic()
            t = threading.Thread(target=s.sendall, args=(sent,))
            t.start()
            assert read_exactly(s, MIB) == sent
            assert time.monotonic() - began >= (MIB - BURST) / RATE
            t.join()
        with open_tunnel(exeat, "sink.slow.test:9") as s:
            began = time.monotonic()
            s.sendall(bytes(20 * MIB))
            wait_until(lambda: origins["sink"].received_bytes == 20 * MIB)
            assert time.monotonic() - began < (20 * MIB - BURST) / RATE
        assert exeat.metric("bytes_total", entry="echo", direction="upload") == 200 * KIB + MIB


def test_a_plain_request_waits_and_goes_on(start, origins):
    with start(PROBER) as exeat:
        probe(exeat)
        body = bytes(range(256)) * (MIB // 256)
        with exeat.connect(timeout=30 * patience) as s:
            for _ in range(2):
                began = time.monotonic()
                s.sendall(http_request("POST", "http://plain.slow.test/", [f"Content-Length: {MIB}"], body))
                assert Reply(s).body == b"thanks"
                assert time.monotonic() - began >= (MIB - BURST) / RATE
        assert [r.body == body for r in origins["plain"].requests] == [True, True]


def test_a_hello_waits_for_its_rate_and_is_not_cut(lab, start, origins):
    """While others of the client use up all there is."""
    with start(PROBER.replace("512 KiB/1s", "4 KiB/1s")) as exeat:
        probe(exeat)
        with Pushing([open_tunnel(exeat, "sink.slow.test:9") for _ in range(4)]):
            wait_until(lambda: origins["sink"].received_bytes >= 16 * KIB)
            with open_tls(exeat, lab.authority, "tls.slow.test:443") as s:
                s.sendall(b"GET / HTTP/1.1\r\nHost: tls.slow.test\r\n\r\n")
                assert Reply(s).status == 200
        assert exeat.metric("tunnels_closed_total", cause="budget") == 0


def test_it_ends_an_hour_after_the_last_finding_on_open_tunnels_too(start, origins, tmp_path):
    clock = Preload(tmp_path / "clock", allocations=False)
    with start(PROBER, before=clock.before) as exeat:
        probe(exeat)
        with open_tunnel(exeat, "sink.slow.test:9") as s:
            began = time.monotonic()
            with Pushing([s]):
                watched(origins["sink"], began, 1)
                clock.tell(steady_offset=3_600)
                wait_until(lambda: origins["sink"].received_bytes > 100 * MIB, 120)


def test_a_finding_that_throttles_has_its_series_from_the_start(start):
    with start("") as exeat:
        assert found(exeat) == found(exeat, "drip") == 0
