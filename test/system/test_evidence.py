"""What the log keeps when clients flood it: nobody pays for a neighbour, nobody hides behind one, and a disk does not fill up with refusals."""
import collections
import gzip
import json

import pytest
from harness.client import Reply, ask, connect_reply, connect_request, http_request, open_tunnel
from harness.exeat import run
from harness.http_origin import reply
from harness.volume import fill, small_volume
from harness.wait import wait_until

ALLOWLIST = """
serial = 1
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "echo"
hosts = ["echo.evidence.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["echo.evidence.test", "met.evidence.test"]
protocol = "http"
"""
ECHO, NOISY, QUIET = "echo.evidence.test:7", "127.0.1.1", "127.0.1.2"
GET = http_request("GET", "http://echo.evidence.test/")


@pytest.fixture(scope="module", autouse=True)
def origins(lab):
    host, _ = lab.place("echo.evidence.test", "met.evidence.test", v6=False)
    lab.http_origin(host, routes={"*": reply(b"twelve bytes")})
    return lab.origin(host, 7)


def refusals(exeat, n, source=NOISY):
    """How often each reason was said to so many requests, one after the other."""
    said = collections.Counter()
    for i in range(n):
        said[connect_reply(exeat, f"n{i}.evil.test:443", source=source).reason] += 1
    return said


def weight(lines):
    return sum(line.get("exeat.audit.stands_for", 1) for line in lines)


# ---- the pace of a client ----

@pytest.mark.parametrize("limit, most", [("connections", 20), ("requests", 20), ("refusals", 20)])
def test_a_client_beyond_its_pace_gets_rate_and_others_are_served(lab, limit, most):
    with lab.exeat(ALLOWLIST, limits={f"{limit}_per_second": most // 10}) as exeat:
        said = refusals(exeat, 3 * most)
        assert set(said) == {"not_allowed", "rate"} and said["not_allowed"] >= most
        one = connect_reply(exeat, ECHO, source=NOISY)
        while one.reason is None:  # what came back to it meanwhile
            one = connect_reply(exeat, ECHO, source=NOISY)
            said["open"] += 1
        assert (one.status, one.reason) == (429, "rate")
        assert connect_reply(exeat, ECHO, source=QUIET).status == 200
        assert connect_reply(exeat, "evil.test:443", source=QUIET).reason == "not_allowed"
        exeat.settled()
        assert exeat.metric("client_rate_limited_total", limit=limit) == exeat.metric("denied_total", reason="rate") == said["rate"] + 1
        assert weight(exeat.audit(event__action="deny", event__reason="rate")) == said["rate"] + 1
        assert not exeat.audit(event__action="anomaly", source__ip=QUIET)


def test_tunnels_beyond_their_lines_get_rate_and_refusals_share_lines(lab):
    with lab.exeat(ALLOWLIST, limits={"log_lines_per_second": 1}) as exeat:
        said = [connect_reply(exeat, ECHO, source=NOISY).status for _ in range(30)]
        assert said[:5] == [200] * 5 and 429 in said
        for _ in range(30):
            assert connect_reply(exeat, "evil.test:443", source=NOISY).reason in ("rate", "not_allowed")
        assert connect_reply(exeat, ECHO, source=QUIET).status == 200
        exeat.settled()
        lines = exeat.audit(source__ip=NOISY)
        assert all("exeat.audit.stands_for" not in line for line in lines if line["event.action"] != "deny"), "tunnels are never summed"
        assert weight(x for x in lines if x["event.action"] == "deny") == exeat.metric("denied_total")


def test_plain_http_beyond_its_lines_is_summed_to_the_byte(lab, tmp_path):
    n = 300
    with lab.exeat(ALLOWLIST, limits={"log_lines_per_second": 1}) as exeat:
        with exeat.connect(source=NOISY) as s:
            for _ in range(n):
                assert ask(s, GET).body == b"twelve bytes"
            met = ask(s, http_request("GET", "http://met.evidence.test/"))
            assert (met.status, met.reason) == (429, "rate"), "a first contact has a line of its own, and there is none left"
        with exeat.connect(source=QUIET) as s:
            assert ask(s, GET).status == ask(s, http_request("GET", "http://met.evidence.test/")).status == 200
        exeat.settled()
        closes, m = exeat.audit(event__action="close"), exeat.metrics()
        assert len(closes) < n / 3 and weight(closes) == n + 2
        assert {(x["source.ip"], x["destination.domain"], x["rule.name"]) for x in closes} == {
            (NOISY, "echo.evidence.test", "plain"), (QUIET, "echo.evidence.test", "plain"), (QUIET, "met.evidence.test", "plain")}
        for field, direction in ("source.bytes", "upload"), ("destination.bytes", "download"):
            assert sum(x[field] for x in closes) == m.of("exeat_bytes_total", entry="plain", direction=direction)
        assert m.of("exeat_audit_summed_total") > n / 2
    # Readers count a line by what it stands for.
    without = tmp_path / "without.toml"
    without.write_text(ALLOWLIST.split("[[allow]]")[0] + "[[allow]]" + ALLOWLIST.split("[[allow]]")[1])
    told = json.loads(run("replay", "--format", "json", "--audit", exeat.audit_path, without).stdout)
    assert told["newly_denied"] == n + 2, told
    narrow = run("suggest", "--audit", exeat.audit_path, "--allowlist", exeat.allowlist_path).stdout
    assert "echo.evidence.test" in narrow and "met.evidence.test" in narrow


# ---- the disk ----

@pytest.fixture
def volume(tmp_path):
    with small_volume(tmp_path / "volume", "8m") as at:
        yield at


def test_on_a_volume_that_is_nearly_full_only_what_was_allowed_has_lines(lab, volume):
    with lab.exeat(ALLOWLIST, audit={"path": str(volume / "audit.jsonl")}) as exeat:
        assert connect_reply(exeat, "evil.test:443").reason == "not_allowed"
        fill(volume, leave=256 * 1024)  # a tenth of it is 819 KiB
        wait_until(lambda: exeat.metric("audit_volume_low") == 1)
        before = exeat.audit_path.stat().st_size
        assert refusals(exeat, 60) == {"not_allowed": 60}
        with open_tunnel(exeat, ECHO, source=QUIET) as s:
            s.sendall(b"x")
            assert s.recv(1) == b"x"
        wait_until(lambda: exeat.audit(event__action="close", source__ip=QUIET))
        wait_until(lambda: exeat.audit(event__action="anomaly", source__ip=NOISY), what="findings are told all the same")
        wait_until(lambda: exeat.metric("audit_events_total", result="withheld") == 60)
        assert len(exeat.audit(event__action="deny")) == 1
        assert exeat.audit_path.stat().st_size - before < 8192
        (volume / "ballast").unlink()
        told = wait_until(lambda: exeat.audit(event__action="withheld"))
        assert [line["exeat.audit.stands_for"] for line in told] == [60]
        assert connect_reply(exeat, "evil.test:443").reason == "not_allowed"
        wait_until(lambda: len(exeat.audit(event__action="deny")) == 2)
        assert exeat.metric("audit_volume_low") == 0 and exeat.metric("audit_events_dropped_total") == 0


def test_a_flood_of_refusals_leaves_the_volume_to_its_neighbour(lab, volume):
    """Where it took 15 seconds to fill a volume, it takes a share of it; and whoever did not flood is served."""
    with lab.exeat(ALLOWLIST, audit={"path": str(volume / "audit.jsonl")}, limits={"refusals_per_second": 1}) as exeat:
        said = refusals(exeat, 3_000)
        assert connect_reply(exeat, ECHO, source=QUIET).status == 200
        exeat.settled()
        assert exeat.audit_path.stat().st_size < 1 << 20
        assert weight(exeat.audit(event__action="deny")) == said.total()


def test_a_start_with_a_full_volume_refuses_until_there_is_room_and_heals(lab, volume):
    exeat = lab.exeat(ALLOWLIST, audit={"path": str(volume / "audit.jsonl")})
    with exeat:
        assert connect_reply(exeat, ECHO).status == 200
        exeat.settled()
    with open(exeat.audit_path, "ab") as f:
        torn = b'{"@timestamp":"2026-'  # as a crash would leave it, with a page filled to its end
        f.write(torn.ljust(4096 - f.tell() % 4096, b"0"))
    fill(volume, leave=0)
    exeat.start_unready()
    try:
        refused = connect_reply(exeat, ECHO)
        assert (refused.status, refused.reason) == (503, "audit_unavailable")
        (volume / "ballast").unlink()
        wait_until(lambda: connect_reply(exeat, ECHO).status == 200)
        wait_until(lambda: exeat.fetch("/readyz")[0] == 200)
    finally:
        exeat.stop()  # which verifies the log


def test_a_log_of_its_size_is_rotated_and_the_chain_goes_on_over_the_files(lab, tmp_path):
    with lab.exeat(ALLOWLIST, audit={"max_size": "1 MiB", "keep": 3}, limits={"connections_per_source": 100}) as exeat:
        def rotated():
            return sorted(exeat.audit_path.parent.glob("audit.jsonl.*"))

        others = exeat.audit_path.parent / "audit.jsonl.old"
        others.write_text("another tool's")
        seen = set()
        with exeat.connect() as s:
            while len(seen) < 6:
                for _ in range(100):
                    assert ask(s, GET).status == 200
                seen |= {p for p in rotated() if p != others}
        wait_until(lambda: exeat.metric("connections_active") == 0)
    kept = [p for p in rotated() if p != others]
    assert len(kept) == 3 and others.exists()
    assert all(1 << 19 < p.stat().st_size <= 1 << 20 for p in kept)
    assert exeat.audit_path.stat().st_size <= 1 << 20
    packed = kept[0].with_name(kept[0].name + ".gz")
    packed.write_bytes(gzip.compress(kept[0].read_bytes()))
    files = [*kept, exeat.audit_path]
    proven = run("verify", *(part for f in files for part in ("--audit", str(f))))
    assert proven.returncode == 0, proven.stderr
    for f in kept:
        last = json.loads(f.read_bytes().splitlines()[-1])
        assert int(f.name.rsplit(".", 1)[1]) == last["event.sequence"]
    missing = run("verify", "--audit", kept[0], "--audit", exeat.audit_path)
    assert missing.returncode == 1
    replayed = [run("replay", "--format", "json", "--audit", first, *(part for f in files[1:] for part in ("--audit", str(f))), exeat.allowlist_path).stdout
                for first in (kept[0], packed)]
    assert replayed[0] == replayed[1] and json.loads(replayed[0])["still_allowed"] > 1000


# ---- the admin page ----

def test_connections_that_ask_nothing_make_nobody_wait_for_the_admin_page(lab):
    with lab.exeat(ALLOWLIST) as exeat:
        idle = [exeat.connect(port=exeat.admin_port) for _ in range(64)]
        asking = [exeat.connect(port=exeat.admin_port, source=QUIET) for _ in range(64)]
        for s in asking:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")  # and reads nothing of it
        with exeat.connect(port=exeat.admin_port, source="127.0.1.9") as s:
            assert ask(s, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").status == 200
        for s in idle + asking:
            s.close()
