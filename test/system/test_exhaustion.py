"""Connections, descriptors, memory and disk that run out: what is refused, what goes on, and that nothing leaks."""
import os
import resource
import socket
import subprocess
import threading
import time

import pytest
from harness.client import Reply, alive, connect_reply, connect_request, http_request, open_tunnel, read_exactly, read_to_end
from harness.exeat import run
from harness.volume import fill, small_volume
from harness.wait import patience, sanitized, seconds, stays, wait_until

ALLOWLIST = """
serial = 7
[groups.lab]
sources = ["127.0.0.0/8"]
[[allow]]
name = "raw"
hosts = ["echo.full.test"]
ports = [7]
protocol = "tcp"
[[allow]]
name = "plain"
hosts = ["echo.full.test"]
protocol = "http"
"""
ECHO = "echo.full.test:7"


@pytest.fixture(scope="module", autouse=True)
def echo(lab):
    host, _ = lab.place("echo.full.test", v6=False)
    lab.http_origin(host)
    return lab.origin(host, 7)


def test_one_source_may_hold_only_so_many_connections(lab):
    with lab.exeat(ALLOWLIST, limits={"connections_per_source": 20}) as exeat:
        held = [exeat.connect() for _ in range(20)]
        wait_until(lambda: exeat.metric("connections_active") == 20)
        with exeat.connect() as s:
            reply = Reply(s)
            assert (reply.status, reply.reason) == (503, "overload")
        assert exeat.metric("denied_total", reason="overload") == 1
        wait_until(lambda: [line["event.reason"] for line in exeat.audit(event__action="deny")] == ["overload"])
        with socket.create_connection(("127.0.0.1", exeat.proxy_port), source_address=("127.0.0.2", 0), timeout=seconds(30)) as other:
            other.sendall(connect_request(ECHO))
            assert Reply(other, method="CONNECT").status == 200
        for s in held:
            s.close()
        wait_until(lambda: connect_reply(exeat, ECHO).status == 200)


def test_out_of_descriptors_it_pauses_and_recovers(lab):
    """J4."""
    with lab.exeat(ALLOWLIST, limits={"connections": 100000}, before=["prlimit", "--nofile=96:96"]) as exeat:
        assert connect_reply(exeat, ECHO).status == 200
        settle(exeat)
        idle = exeat.open_descriptors()
        # what the configuration allows beyond the limit is cut down at the start, and said
        assert "fewer connections" in exeat.log()
        # so the descriptors are taken away behind its back
        limit = idle + 4
        resource.prlimit(exeat.pid, resource.RLIMIT_NOFILE, (limit, 96))
        held = [exeat.connect() for _ in range(20)]
        wait_until(lambda: exeat.open_descriptors() >= limit, what="all descriptors are used up")
        cpu = cpu_seconds(exeat)
        time.sleep(0.5)
        assert cpu_seconds(exeat) - cpu < 0.25 * patience, "it does not spin"
        for what in ("add", "del"):  # who asks the kernel for the addresses needs a socket
            subprocess.run(["ip", "address", what, "127.99.0.1/8", "dev", "lo"], check=True)
        stays(lambda: exeat.process.poll() is None, 0.5)
        for s in held:
            s.close()
        wait_until(lambda: served(exeat), what="it serves again")
        assert exeat.metric("accept_pauses_total") > 0
        wait_until(lambda: exeat.open_descriptors() <= idle, what="all descriptors are back")


def cpu_seconds(exeat):
    with open(f"/proc/{exeat.pid}/stat", encoding="ascii") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def served(exeat):
    try:
        with exeat.connect(timeout=5) as s:
            s.sendall(connect_request(ECHO))
            return Reply(s, method="CONNECT").status == 200
    except (OSError, AssertionError):
        return False


@pytest.fixture
def small_disk(tmp_path):
    with small_volume(tmp_path / "disk", "256k") as at:
        yield at


def test_a_full_disk_stops_what_cannot_be_logged_until_there_is_room(lab, small_disk):
    with lab.exeat(ALLOWLIST, audit={"path": str(small_disk / "audit.jsonl")}) as exeat:
        with open_tunnel(exeat, ECHO) as s:
            ballast = fill(small_disk)
            refusal = wait_until(lambda: (r := connect_reply(exeat, ECHO)).status == 503 and r, 60, "requests are refused")
            assert refusal.reason == "audit_unavailable"
            assert exeat.metric("denied_total", reason="audit_unavailable") >= 1
            assert exeat.metric("audit_healthy") == 0 and exeat.metric("audit_errors_total") >= 1
            status, page = exeat.fetch("/readyz")
            assert status == 503 and "audit" in page
            s.sendall(b"ping")
            wait_until(lambda: exeat.metric("audit_held_tunnels") == 1, what="what is open sends nothing")
            wait_until(lambda: "the audit log cannot be written" in exeat.log() and "No space left on device" in exeat.log() and "nothing new is let out" in exeat.log())
            assert "the audit log is written again" not in exeat.log()
            ballast.unlink()
            assert read_exactly(s, 4) == b"ping", "and goes on when the log does"
            wait_until(lambda: connect_reply(exeat, ECHO).status == 200, what="they pass again")
        wait_until(lambda: exeat.fetch("/readyz")[0] == 200)
        wait_until(lambda: len(exeat.audit(event__action="open")) == len(exeat.audit(event__action="close")) > 1)
        assert exeat.metric("audit_events_dropped_total") == 0
        wait_until(lambda: "the audit log is written again" in exeat.log())
        assert [exeat.log().count(said) for said in ("error: the audit log", "the audit log is written again")] == [1, 1]
    assert run("verify", "--audit", exeat.audit_path).returncode == 0


def test_with_on_failure_continue_a_full_disk_stops_nothing(lab, small_disk):
    with lab.exeat(ALLOWLIST, audit={"path": str(small_disk / "audit.jsonl"), "on_failure": "continue"}) as exeat:
        ballast = fill(small_disk)
        wait_until(lambda: (connect_reply(exeat, ECHO), exeat.metric("audit_healthy") == 0)[1], 60)
        assert connect_reply(exeat, ECHO).status == 200
        status, page = exeat.fetch("/readyz")
        assert status == 200 and "audit" in page
        ballast.unlink()
        wait_until(lambda: exeat.metric("audit_healthy") == 1)
        wait_until(lambda: "the audit log is written again" in exeat.log())
        assert "logged later, or lost" in exeat.log()


def burst(exeat, n):
    """So many tunnels, each with a byte both ways, eight at a time; and as many refusals."""
    def work():
        for _ in range(n // 8):
            with open_tunnel(exeat, ECHO, timeout=60) as s:
                s.sendall(b"x")
                assert s.recv(1) == b"x"

    failed = []

    def guarded():
        try:
            work()
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=guarded) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed


def settle(exeat):
    wait_until(lambda: exeat.metric("connections_active") == 0)


def test_ten_thousand_connections_leave_descriptors_and_memory_as_they_were(lab, echo):
    with lab.exeat(ALLOWLIST, limits={"connections_per_source": 4096}) as exeat:
        burst(exeat, 2000)
        settle(exeat)
        descriptors, memory = exeat.open_descriptors(), exeat.resident_bytes()
        burst(exeat, 8000)
        for _ in range(500):
            assert connect_reply(exeat, "evil.test:443").status == 403
            with exeat.connect() as s:
                s.sendall(http_request("GET", "http://echo.full.test/"))
                s.recv(10)
        settle(exeat)
        wait_until(lambda: exeat.open_descriptors() <= descriptors, what="descriptors are back")
        # AddressSanitizer keeps freed memory on purpose
        wait_until(lambda: sanitized or exeat.resident_bytes() <= memory + (3 << 20), what="memory is back")
        m = exeat.metrics()
        assert m.of("exeat_bytes_total", entry="raw", direction="upload") == 10_000
        assert m.of("exeat_tunnels_closed_total", cause="internal_error") == 0
        wait_until(lambda: exeat.metric("audit_events_total", result="written") >= 2 * 10_000 + 500)
    echo.clear()


def test_two_thousand_tunnels_at_once_all_work_and_all_end(lab, echo):
    with lab.exeat(ALLOWLIST) as exeat:
        idle = exeat.open_descriptors()
        held = [open_tunnel(exeat, ECHO) for _ in range(2000)]
        wait_until(lambda: exeat.metric("tunnels_active") == 2000)
        for s in held:
            s.sendall(b"?")
        assert all(s.recv(1) == b"?" for s in held)
        for s in held:
            s.close()
        wait_until(lambda: exeat.metric("tunnels_active") == 0)
        wait_until(lambda: exeat.open_descriptors() <= idle)
    echo.clear()


def test_a_flood_of_denials_is_counted_exactly_and_logged_by_sample(lab):
    """J7."""
    request = connect_request("evil.test:443")
    n = 4000

    def work(exeat):
        for _ in range(n // 8):
            with exeat.connect() as s:
                s.sendall(request)
                read_to_end(s)

    with lab.exeat(ALLOWLIST, limits={"connections_per_source": 100}) as exeat:
        threads = [threading.Thread(target=work, args=(exeat,)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert exeat.metric("denied_total", reason="not_allowed") == n
        wait_until(lambda: sum(line.get("exeat.audit.stands_for", 1) for line in exeat.audit(event__action="deny")) == n, what="the lines stand for all")
        assert exeat.metric("audit_events_dropped_total") == 0
